//! What the resources of Microsoft.KubernetesConfiguration have in common: they hang on a cluster, need the provider
//! registered, answer with the caller's casing, and are followed through a signed operation URL.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{self, Answer};
use super::call::Call;
use super::quirks::{DeleteMissing, OverlappingWrite, PutOverExisting, UnregisteredRead};
use super::route::{ChildKind, ClusterPath};
use super::source_control::source_control_body;
use super::state::{Cluster, Pending};
use super::tenant::only_get;
use super::versions;
use super::world::{self, Handled, World};

const NAMESPACE: &str = "Microsoft.KubernetesConfiguration";

impl ChildKind {
    /// Its api-versions.
    fn versions(self) -> &'static [&'static str] {
        match self {
            Self::Extensions => versions::EXTENSIONS,
            Self::FluxConfigurations => versions::FLUX,
            Self::SourceControlConfigurations => versions::SOURCE_CONTROL,
        }
    }

    /// 404 for one that is not there, in the service's words.
    pub(crate) fn not_found(self, name: &str) -> Answer {
        let code = "ResourceNotFound";
        match self {
            Self::Extensions => {
                let message = format!("Extension instance with name '{name}' not found.");
                answer::service_error(StatusCode::NOT_FOUND, code, &message)
            }
            Self::FluxConfigurations => {
                let message = format!("The fluxConfiguration was not found. Name: '{name}'.");
                answer::service_error(StatusCode::NOT_FOUND, code, &message)
            }
            Self::SourceControlConfigurations => {
                let message = format!("SourceControlConfiguration with name '{name}' not found.");
                Answer::json(StatusCode::NOT_FOUND, &json!({"error": {"code": code, "message": message}}))
            }
        }
    }
}

/// A call on one child resource.
#[derive(Debug)]
pub(crate) struct ChildCall<'a> {
    pub(crate) call: &'a Call,
    pub(crate) cluster: &'a ClusterPath,
    pub(crate) kind: ChildKind,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

impl ChildCall<'_> {
    /// Key of the resource in its cluster.
    pub(crate) fn key(&self) -> String {
        self.name.to_lowercase()
    }

    /// URL at which an operation on the resource is followed. The provider spells the cluster type its own way there,
    /// and, in its older versions, the parameter too.
    pub(crate) fn operation_url(&self, pending: &Pending) -> String {
        let parameter = if versions::at_least(self.version, "2023-05-01") { "api-version" } else { "api-Version" };
        format!(
            "{}{}/operations/{}?{parameter}={}&{}",
            self.call.origin,
            self.provider_path(),
            pending.operation,
            self.version,
            world::signature(&pending.operation, pending.started)
        )
    }

    fn provider_path(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/providers/{NAMESPACE}/{}/{}",
            self.cluster.subscription,
            self.cluster.group,
            self.cluster.kind.namespace(),
            self.cluster.kind.in_operation_urls(),
            self.cluster.name,
            self.kind.word(),
            self.name
        )
    }

    /// `Location` as the provider sends it: its own host, which no client can reach or is meant to.
    pub(crate) fn location_url(&self, region: &str) -> String {
        format!("https://{region}.rp.kubernetesconfiguration.azure.com{}", self.provider_path())
    }

    /// Answers a PUT: 201 for a new resource, and whatever is assumed of Azure for one that was there.
    pub(crate) fn accepted(
        &self,
        created: bool,
        body: &Value,
        pending: &Pending,
        region: &str,
        over: PutOverExisting,
    ) -> Answer {
        let with_operation =
            |status| Answer::json(status, body).header("azure-asyncoperation", self.operation_url(pending));
        match (created, over) {
            (true, _) | (false, PutOverExisting::CreatedWithOperation) => {
                with_operation(StatusCode::CREATED).header("location", self.location_url(region))
            }
            (false, PutOverExisting::OkWithOperation) => with_operation(StatusCode::OK),
            (false, PutOverExisting::OkWithoutOperation) => Answer::json(StatusCode::OK, body),
        }
    }
}

impl World<'_> {
    /// The api-versions of one kind.
    fn offered(&self, kind: ChildKind) -> Vec<&'static str> {
        self.settings.offers.of(&format!("{NAMESPACE}/{}", kind.word()), kind.versions())
    }

    /// List of the children of one kind.
    pub(crate) fn children(&self, call: &Call, cluster: &ClusterPath, kind: ChildKind) -> Handled {
        only_get(call, kind.word())?;
        let version = call.api_version()?;
        let offered = self.offered(kind);
        versions::check(version, &format!("{NAMESPACE}/{}", kind.word()), &offered)?;
        self.check_registration(call, cluster)?;
        let parent = self.cluster(cluster)?;
        let items: Vec<Value> = match kind {
            ChildKind::Extensions => parent
                .extensions
                .values()
                .map(|one| self.extension_body(&listed(call, &one.name), one, version))
                .collect(),
            ChildKind::FluxConfigurations => parent
                .configurations
                .values()
                .map(|one| without_conditions(self.configuration_body(&listed(call, &one.name), one, version)))
                .collect(),
            ChildKind::SourceControlConfigurations => {
                parent.source_control.values().map(|one| source_control_body(&listed(call, &one.name), one)).collect()
            }
        };
        let answer = self.page(call, items, true);
        Ok(answer.header("api-supported-versions", versions::supported_beside(&offered, version)))
    }

    /// One child.
    pub(crate) fn child(&mut self, call: &Call, cluster: &ClusterPath, kind: ChildKind, name: &str) -> Handled {
        let version = call.api_version()?;
        let offered = self.offered(kind);
        versions::check(version, &format!("{NAMESPACE}/{}", kind.word()), &offered)?;
        self.check_registration(call, cluster)?;
        self.cluster(cluster)?;
        let one = ChildCall { call, cluster, kind, name, version };
        let handled = match kind {
            ChildKind::Extensions => self.extension(&one),
            ChildKind::FluxConfigurations => self.configuration(&one),
            ChildKind::SourceControlConfigurations => self.source_control(&one),
        };
        let supported = versions::supported_beside(&offered, version);
        match handled {
            Ok(answer) => Ok(answer.header("api-supported-versions", supported)),
            Err(answer) => Err(answer.header("api-supported-versions", supported)),
        }
    }

    /// Status of an operation on a child: always 200, also when the resource is gone.
    pub(crate) fn child_operation(&self, call: &Call, id: &str) -> Handled {
        only_get(call, "an operation")?;
        call.api_version()?;
        let operation = self.state.operations.get(id).ok_or_else(|| world::no_operation(id))?;
        let mut body = Map::new();
        body.insert("id".to_owned(), Value::from(call.path.as_str()));
        body.insert("name".to_owned(), Value::from(id));
        body.insert("status".to_owned(), Value::from(world::status_word(operation)));
        if let Some(error) = world::status_error(operation) {
            body.insert("error".to_owned(), error);
        }
        Ok(Answer::ok(&Value::Object(body)).header("api-supported-versions", versions::supported_by_operations()))
    }

    /// Refuses a write that overlaps a running operation, or lets it take that operation's place.
    ///
    /// # Errors
    ///
    /// 409.
    pub(crate) fn check_overlap(&self, one: &ChildCall<'_>, own: Option<&Pending>) -> Result<(), Answer> {
        let refused = match self.settings.quirks.overlapping_write {
            OverlappingWrite::Refused => own.is_some(),
            OverlappingWrite::RefusedOnTheCluster => any_pending(self.cluster(one.cluster)?),
            OverlappingWrite::Accepted => false,
        };
        if refused { Err(answer::conflicting_operation()) } else { Ok(()) }
    }

    /// What DELETE answers for a child that is not there.
    pub(crate) fn delete_missing(&self, one: &ChildCall<'_>) -> Handled {
        match self.settings.quirks.delete_missing {
            DeleteMissing::NoContent => Ok(Answer::empty(StatusCode::NO_CONTENT)),
            DeleteMissing::NotFound => Err(one.kind.not_found(one.name)),
        }
    }

    fn check_registration(&self, call: &Call, cluster: &ClusterPath) -> Result<(), Answer> {
        let reads = call.method == Method::GET || call.method == Method::HEAD;
        match self.settings.quirks.unregistered_read {
            UnregisteredRead::Empty if reads => Ok(()),
            UnregisteredRead::Empty | UnregisteredRead::Refused => {
                self.require_registration(&cluster.subscription, NAMESPACE)
            }
        }
    }
}

fn any_pending(cluster: &Cluster) -> bool {
    cluster.extensions.values().any(|one| one.pending.is_some())
        || cluster.configurations.values().any(|one| one.pending.is_some())
}

/// Id of a resource in a list: the list's own path as the caller wrote it, and the resource's name.
fn listed(call: &Call, name: &str) -> String {
    format!("{}/{name}", call.path)
}

/// Lists leave out what only a GET of the one resource shows.
fn without_conditions(mut body: Value) -> Value {
    let statuses = body.pointer_mut("/properties/statuses").and_then(Value::as_array_mut);
    for status in statuses.into_iter().flatten() {
        for hidden in ["statusConditions", "helmReleaseProperties"] {
            if let Some(value) = status.get_mut(hidden) {
                *value = Value::Null;
            }
        }
    }
    body
}

/// Whether a DELETE asks for the record alone to be removed.
pub(crate) fn is_forced(call: &Call) -> bool {
    call.parameter("forceDelete").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The odd body with which the provider answers a forced deletion, as recorded.
pub(crate) fn forced_deletion() -> Answer {
    Answer::ok(&json!({
        "version": "1.1",
        "content": {"headers": []},
        "statusCode": 200,
        "reasonPhrase": "OK",
        "headers": [],
        "trailingHeaders": [],
        "requestMessage": null,
        "isSuccessStatusCode": true,
    }))
}

/// Region of a cluster as host names have it.
pub(crate) fn region_of(cluster: &Cluster) -> String {
    cluster.location.to_lowercase().replace(' ', "")
}
