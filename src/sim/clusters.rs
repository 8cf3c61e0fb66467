//! Connected and managed clusters: `Microsoft.Kubernetes/connectedClusters` whole, and as much of
//! `Microsoft.ContainerService/managedClusters` as its existence needs.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::answer::{self, Answer};
use super::call::Call;
use super::groups::same_location;
use super::route::ClusterPath;
use super::state::{Arrival, Cluster, ClusterKind, Pending, Provisioning};
use super::tenant::only_get;
use super::versions;
use super::world::{self, Handled, World};

/// Properties that the service alone sets; sent ones are dropped.
const READ_ONLY: [&str; 13] = [
    "provisioningState",
    "connectivityStatus",
    "kubernetesVersion",
    "totalNodeCount",
    "totalCoreCount",
    "agentVersion",
    "offering",
    "managedIdentityCertificateExpirationTime",
    "lastConnectivityTime",
    "miscellaneousProperties",
    "powerState",
    "currentKubernetesVersion",
    "fqdn",
];

impl World<'_> {
    fn check_version(&self, kind: ClusterKind, version: &str) -> Result<(), Answer> {
        let (offers, resource_type) = (&self.settings.offers, kind.resource_type());
        match kind {
            ClusterKind::Connected => {
                versions::check(version, resource_type, &offers.of(resource_type, versions::CONNECTED_CLUSTERS))
            }
            ClusterKind::Managed => offers.check_shape(version, resource_type),
        }
    }

    /// Lists of clusters.
    pub(crate) fn clusters(&self, call: &Call, subscription: &str, group: Option<&str>, kind: ClusterKind) -> Handled {
        only_get(call, "clusters")?;
        let version = call.api_version()?;
        self.check_version(kind, version)?;
        let mut items = Vec::new();
        let known = self.state.subscriptions.get(&subscription.to_lowercase());
        if let Some(name) = group {
            self.group(subscription, name)?;
        }
        for found in known.into_iter().flat_map(|known| known.groups.values()) {
            if group.is_some_and(|name| !name.eq_ignore_ascii_case(&found.name)) {
                continue;
            }
            for cluster in found.clusters.values().filter(|cluster| cluster.kind == kind) {
                let path = ClusterPath {
                    subscription: subscription.to_owned(),
                    group: found.name.clone(),
                    kind,
                    name: cluster.name.clone(),
                };
                items.push(self.cluster_body(&path, cluster, version, call.now));
            }
        }
        Ok(self.page(call, items, false))
    }

    /// One cluster.
    pub(crate) fn one_cluster(&mut self, call: &Call, path: &ClusterPath) -> Handled {
        let version = call.api_version()?;
        self.check_version(path.kind, version)?;
        if call.method != Method::GET && call.method != Method::HEAD {
            self.require_registration(&path.subscription, path.kind.namespace())?;
        }
        self.group(&path.subscription, &path.group)?;
        match call.method {
            Method::GET | Method::HEAD => {
                let cluster = self.cluster(path)?;
                let body = self.cluster_body(path, cluster, version, call.now);
                Ok(dressed(Answer::ok(&body), path, cluster.modified))
            }
            Method::PUT => self.put_cluster(call, path, version),
            Method::PATCH => self.patch_cluster(call, path, version),
            Method::DELETE => self.delete_cluster(call, path, version),
            _ => Err(answer::no_method(&call.method, path.kind.resource_type())),
        }
    }

    fn put_cluster(&mut self, call: &Call, path: &ClusterPath, version: &str) -> Handled {
        let sent = call.object()?;
        let location = sent.get("location").and_then(Value::as_str).ok_or_else(|| {
            answer::gateway_error(
                StatusCode::BAD_REQUEST,
                "LocationRequired",
                "The location property is required for this definition.",
            )
        })?;
        let properties = written(sent.get("properties").and_then(Value::as_object), path.kind);
        let tags = sent.get("tags").filter(|tags| tags.is_object()).cloned();
        let identity = sent.get("identity").cloned();
        let mut extras = Map::new();
        for name in ["kind", "sku"] {
            if let Some(value) = sent.get(name) {
                extras.insert(name.to_owned(), value.clone());
            }
        }
        if self.cluster(path).is_ok() {
            let cluster = self.cluster_mut(path)?;
            if !same_location(&cluster.location, location) {
                return Err(moved(path, &cluster.location, location));
            }
            cluster.properties = properties;
            cluster.tags = tags;
            cluster.extras = extras;
            cluster.modified = call.now;
            let cluster = self.cluster(path)?;
            let body = self.cluster_body(path, cluster, version, call.now);
            return Ok(dressed(Answer::ok(&body), path, call.now));
        }
        let principal = self.state.new_id();
        let id = self.cluster_operation_id(path);
        let (word, provisioning) = match path.kind {
            ClusterKind::Connected => ("Accepted", Provisioning::Accepted),
            ClusterKind::Managed => ("InProgress", Provisioning::Creating),
        };
        let pending = self.start_as(id, word, &world::cluster_id(path, &path.name), call.now, false);
        let location = location.to_lowercase().replace(' ', "");
        let url = operation_url(call, path.kind, &location, &pending, version);
        let cluster = Cluster {
            kind: path.kind,
            name: path.name.clone(),
            location,
            tags,
            identity: identity.map(|identity| with_principal(identity, &principal, &self.state.tenant)),
            extras,
            properties,
            created: call.now,
            modified: call.now,
            provisioning,
            pending: Some(pending),
            online_since: None,
            extensions: BTreeMap::new(),
            configurations: BTreeMap::new(),
            source_control: BTreeMap::new(),
            silences: Vec::new(),
            arrival: if self.settings.installs_agents { Arrival::Awaited } else { Arrival::Expected },
            quiet_until: None,
        };
        let body = self.cluster_body(path, &cluster, version, call.now);
        self.group_mut(&path.subscription, &path.group)?.clusters.insert(path.kind.key(&path.name), cluster);
        let answer = Answer::json(StatusCode::CREATED, &body).header("azure-asyncoperation", url);
        Ok(dressed(answer, path, call.now))
    }

    fn patch_cluster(&mut self, call: &Call, path: &ClusterPath, version: &str) -> Handled {
        let sent = call.object()?;
        let cluster = self.cluster_mut(path)?;
        if let Some(tags) = sent.get("tags").filter(|tags| tags.is_object()) {
            cluster.tags = Some(tags.clone());
        }
        if let Some(patch) = sent.get("properties").and_then(Value::as_object) {
            let patch = written(Some(patch), path.kind);
            let mut merged = Value::Object(std::mem::take(&mut cluster.properties));
            json_patch::merge(&mut merged, &Value::Object(patch));
            if let Value::Object(merged) = merged {
                cluster.properties = merged;
            }
        }
        cluster.modified = call.now;
        let cluster = self.cluster(path)?;
        let body = self.cluster_body(path, cluster, version, call.now);
        Ok(dressed(Answer::ok(&body), path, call.now))
    }

    fn delete_cluster(&mut self, call: &Call, path: &ClusterPath, version: &str) -> Handled {
        let Ok(cluster) = self.cluster(path) else {
            return Ok(Answer::empty(StatusCode::NO_CONTENT));
        };
        let location = cluster.location.clone();
        let known = cluster.pending.clone().filter(|pending| pending.deletes);
        let pending = match known {
            Some(pending) => pending,
            None => {
                let id = self.cluster_operation_id(path);
                let pending = self.start_as(id, "Deleting", &world::cluster_id(path, &path.name), call.now, true);
                let cluster = self.cluster_mut(path)?;
                cluster.pending = Some(pending.clone());
                cluster.provisioning = Provisioning::Deleting;
                cluster.modified = call.now;
                pending
            }
        };
        let url = operation_url(call, path.kind, &location, &pending, version);
        let answer = Answer::json(StatusCode::ACCEPTED, &Value::Null)
            .header("azure-asyncoperation", url.clone())
            .header("location", url);
        Ok(dressed(answer, path, call.now))
    }

    /// Status of an operation on a cluster, a tenant-level URL.
    pub(crate) fn cluster_operation(&self, call: &Call, id: &str) -> Handled {
        only_get(call, "an operation")?;
        call.api_version()?;
        let operation = self.state.operations.get(id).ok_or_else(|| world::no_operation(id))?;
        let mut body = Map::new();
        body.insert("id".to_owned(), Value::from(call.path.as_str()));
        body.insert("name".to_owned(), Value::from(id));
        body.insert("resourceId".to_owned(), Value::from(operation.resource.as_str()));
        body.insert("status".to_owned(), Value::from(world::status_word(operation)));
        body.insert("startTime".to_owned(), Value::from(operation.started.to_string()));
        if let Some(end) = &operation.end {
            body.insert("endTime".to_owned(), Value::from(end.at.to_string()));
            body.insert("properties".to_owned(), Value::Null);
        }
        if let Some(error) = world::status_error(operation) {
            body.insert("error".to_owned(), error);
        }
        let changed = operation.end.as_ref().map_or(operation.started, |end| end.at);
        Ok(Answer::ok(&Value::Object(body)).header("etag", etag(id, changed)))
    }

    /// Ids of operations on clusters have a star in them: clients must not re-encode it.
    fn cluster_operation_id(&mut self, path: &ClusterPath) -> String {
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, world::cluster_id(path, &path.name).to_lowercase().as_bytes());
        let second = Uuid::new_v5(&hash, b"operation");
        let hash = format!("{}{}", hash.simple(), second.simple()).to_uppercase();
        format!("{}*{hash}", self.state.new_id())
    }
}

/// What of sent properties is kept: nothing read-only, and no value of a setting that is protected.
fn written(sent: Option<&Map<String, Value>>, kind: ClusterKind) -> Map<String, Value> {
    let mut kept = sent.cloned().unwrap_or_default();
    kept.retain(|name, value| !READ_ONLY.contains(&name.as_str()) && !value.is_null());
    match kind {
        ClusterKind::Connected => {
            let configurations = kept.get_mut("arcAgentryConfigurations").and_then(Value::as_array_mut);
            for configuration in configurations.into_iter().flatten() {
                blank_values(configuration.get_mut("protectedSettings"));
            }
        }
        ClusterKind::Managed => blank_values(kept.get_mut("servicePrincipalProfile")),
    }
    kept
}

fn blank_values(settings: Option<&mut Value>) {
    for value in settings.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        *value = Value::from("");
    }
}

fn with_principal(mut identity: Value, principal: &str, tenant: &str) -> Value {
    if let Value::Object(members) = &mut identity {
        members.insert("principalId".to_owned(), Value::from(principal));
        members.insert("tenantId".to_owned(), Value::from(tenant));
    }
    identity
}

fn operation_url(call: &Call, kind: ClusterKind, location: &str, pending: &Pending, version: &str) -> String {
    format!(
        "{}/providers/{}/locations/{}/operationStatuses/{}?api-version={version}&{}",
        call.origin,
        kind.namespace(),
        location.to_uppercase(),
        pending.operation,
        world::signature(&pending.operation, pending.started)
    )
}

/// The headers that the connected cluster provider adds.
fn dressed(answer: Answer, path: &ClusterPath, changed: Timestamp) -> Answer {
    match path.kind {
        ClusterKind::Connected => {
            answer.header("etag", etag(&path.name, changed)).header("x-ms-providerhub-traffic", "True")
        }
        ClusterKind::Managed => answer,
    }
}

fn etag(name: &str, changed: Timestamp) -> String {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{name}{changed}").as_bytes());
    format!("\"{id}\"")
}

fn moved(path: &ClusterPath, from: &str, to: &str) -> Answer {
    answer::gateway_error(
        StatusCode::CONFLICT,
        "InvalidResourceLocation",
        &format!(
            "The resource '{}' already exists in location '{from}' in resource group '{}'. A resource with the same \
             name cannot be created in location '{to}'. Please select a new resource name.",
            path.name, path.group
        ),
    )
}
