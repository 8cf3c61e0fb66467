//! The state with the settings it is acted on under, and what every resource needs of it.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{self, Answer};
use super::call::Call;
use super::quirks::Paging;
use super::route::ClusterPath;
use super::settings::Settings;
use super::state::{Cluster, ClusterKind, End, Group, Operation, Outcome, Pending, Registration, State};

/// What a handler returns: an answer either way, the error being one that ends the handling early.
pub(crate) type Handled = Result<Answer, Answer>;

/// The state and the settings it is acted on under.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) settings: &'a Settings,
}

impl World<'_> {
    /// A resource group that is there.
    ///
    /// # Errors
    ///
    /// 404 `ResourceGroupNotFound`.
    pub(crate) fn group(&self, subscription: &str, group: &str) -> Result<&Group, Answer> {
        self.state
            .subscriptions
            .get(&subscription.to_lowercase())
            .and_then(|subscription| subscription.groups.get(&group.to_lowercase()))
            .ok_or_else(|| answer::no_group(group))
    }

    /// As [`Self::group`], to be changed.
    ///
    /// # Errors
    ///
    /// 404 `ResourceGroupNotFound`.
    pub(crate) fn group_mut(&mut self, subscription: &str, group: &str) -> Result<&mut Group, Answer> {
        self.state
            .subscriptions
            .get_mut(&subscription.to_lowercase())
            .and_then(|subscription| subscription.groups.get_mut(&group.to_lowercase()))
            .ok_or_else(|| answer::no_group(group))
    }

    /// A cluster that is there.
    ///
    /// # Errors
    ///
    /// 404, of the group or of the cluster.
    pub(crate) fn cluster(&self, path: &ClusterPath) -> Result<&Cluster, Answer> {
        self.group(&path.subscription, &path.group)?
            .clusters
            .get(&path.kind.key(&path.name))
            .ok_or_else(|| answer::no_cluster(path.kind.resource_type(), &path.name, &path.group))
    }

    /// As [`Self::cluster`], to be changed.
    ///
    /// # Errors
    ///
    /// 404, of the group or of the cluster.
    pub(crate) fn cluster_mut(&mut self, path: &ClusterPath) -> Result<&mut Cluster, Answer> {
        let cluster = self
            .group_mut(&path.subscription, &path.group)?
            .clusters
            .get_mut(&path.kind.key(&path.name))
            .ok_or_else(|| answer::no_cluster(path.kind.resource_type(), &path.name, &path.group))?;
        cluster.quiet_until = None;
        Ok(cluster)
    }

    /// How a provider is registered in a subscription.
    pub(crate) fn registration(&self, subscription: &str, namespace: &str) -> Registration {
        self.state
            .subscriptions
            .get(&subscription.to_lowercase())
            .and_then(|subscription| subscription.providers.get(&namespace.to_lowercase()))
            .copied()
            .unwrap_or(Registration::NotRegistered)
    }

    /// Refuses what needs a provider that is not registered.
    ///
    /// # Errors
    ///
    /// 409 `MissingSubscriptionRegistration`.
    pub(crate) fn require_registration(&self, subscription: &str, namespace: &str) -> Result<(), Answer> {
        match self.registration(subscription, namespace) {
            Registration::Registered => Ok(()),
            Registration::NotRegistered
            | Registration::Registering { .. }
            | Registration::Unregistering { .. }
            | Registration::Unregistered => Err(answer::not_registered(namespace)),
        }
    }

    /// Starts an operation. `running` is the word that its status shows until it ends.
    pub(crate) fn start(&mut self, running: &str, resource: &str, now: Timestamp, deletes: bool) -> Pending {
        let id = self.state.new_id();
        self.start_as(id, running, resource, now, deletes)
    }

    /// As [`Self::start`], under an id of the caller's making.
    pub(crate) fn start_as(
        &mut self,
        id: String,
        running: &str,
        resource: &str,
        now: Timestamp,
        deletes: bool,
    ) -> Pending {
        let operation =
            Operation { running: running.to_owned(), resource: resource.to_owned(), started: now, end: None };
        self.state.operations.insert(id.clone(), operation);
        Pending { operation: id, started: now, deletes, fate: self.state.take_fate(resource) }
    }

    /// Ends an operation, if it is still running.
    pub(crate) fn end(&mut self, pending: &Pending, at: Timestamp, outcome: Outcome) {
        if let Some(operation) = self.state.operations.get_mut(&pending.operation)
            && operation.end.is_none()
        {
            operation.end = Some(End { at, outcome });
        }
    }

    /// One page of a list, with a `nextLink` to the rest. `null_link` shows an absent link as null, as
    /// KubernetesConfiguration does.
    pub(crate) fn page(&self, call: &Call, items: Vec<Value>, null_link: bool) -> Answer {
        let size = self.settings.page_size.max(1);
        let token = call.parameter("$skiptoken").and_then(|token| token.parse::<usize>().ok());
        let (start, size) = match (token, self.settings.quirks.paging) {
            (None, Paging::EmptyPageFirst) if !items.is_empty() => (0, 0),
            (token, Paging::EmptyPageFirst | Paging::Full) => (token.unwrap_or(0), size),
        };
        let total = items.len();
        let end = start.saturating_add(size).min(total);
        let page: Vec<Value> = items.into_iter().skip(start).take(size).collect();
        let mut body = Map::new();
        body.insert("value".to_owned(), Value::Array(page));
        if end < total {
            let version = call.parameter("api-version").unwrap_or_default();
            let link = format!("{}{}?api-version={version}&%24skiptoken={end}", call.origin, call.path);
            body.insert("nextLink".to_owned(), Value::from(link));
        } else if null_link {
            body.insert("nextLink".to_owned(), Value::Null);
        }
        Answer::ok(&Value::Object(body))
    }
}

/// `2025-03-25T07:59:57.533669+00:00`, as KubernetesConfiguration writes instants.
pub(crate) fn with_offset(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.f+00:00").to_string()
}

/// `systemData` of KubernetesConfiguration, whose authors are always null.
pub(crate) fn system_data(created: Timestamp, modified: Timestamp) -> Value {
    json!({
        "createdBy": null,
        "createdByType": null,
        "createdAt": with_offset(created),
        "lastModifiedBy": null,
        "lastModifiedByType": null,
        "lastModifiedAt": with_offset(modified),
    })
}

/// Id of a cluster as documented, with the names as they were first written.
pub(crate) fn cluster_id(path: &ClusterPath, name: &str) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/{}/providers/{}/{name}",
        path.subscription,
        path.group,
        path.kind.resource_type()
    )
}

/// The query that signs an operation's URL: about four kilobytes, to be sent back byte for byte.
pub(crate) fn signature(operation: &str, started: Timestamp) -> String {
    // Ticks of 100 ns since the year 1, as .NET counts.
    const TICKS_AT_EPOCH: i128 = 621_355_968_000_000_000;
    let ticks = TICKS_AT_EPOCH + started.as_nanosecond() / 100;
    format!(
        "t={ticks}&c={}&s={}&h={}",
        filler("MIIH", operation, 3360),
        filler("", &format!("s{operation}"), 342),
        filler("", &format!("h{operation}"), 43)
    )
}

/// Text of `length` letters that depends on `seed` alone, in the alphabet of base64url.
fn filler(start: &str, seed: &str, length: usize) -> String {
    let mut text = start.to_owned();
    let mut block = Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes());
    while text.len() < length {
        text.push_str(&block.simple().to_string());
        text.push(if text.len().is_multiple_of(3) { '-' } else { '_' });
        block = Uuid::new_v5(&block, seed.as_bytes());
    }
    text.truncate(length);
    text
}

/// The status of an operation, as its URL answers.
pub(crate) fn status_word(operation: &Operation) -> &str {
    match operation.end.as_ref().map(|end| &end.outcome) {
        None => &operation.running,
        Some(Outcome::Succeeded) => "Succeeded",
        Some(Outcome::Failed { .. }) => "Failed",
        Some(Outcome::Canceled) => "Canceled",
    }
}

/// The error of an operation that failed.
pub(crate) fn status_error(operation: &Operation) -> Option<Value> {
    match operation.end.as_ref().map(|end| &end.outcome) {
        Some(Outcome::Failed { code, message }) => {
            Some(json!({"code": code, "message": message, "additionalInfo": []}))
        }
        Some(Outcome::Succeeded | Outcome::Canceled) | None => None,
    }
}

/// 404 for an operation that was never started.
pub(crate) fn no_operation(id: &str) -> Answer {
    answer::gateway_error(StatusCode::NOT_FOUND, "ResourceNotFound", &format!("The operation '{id}' was not found."))
}

/// Whether a cluster of this kind shows a connectivity status.
pub(crate) fn has_agents(kind: ClusterKind) -> bool {
    match kind {
        ClusterKind::Connected => true,
        ClusterKind::Managed => false,
    }
}
