//! Connected and managed clusters: `Microsoft.Kubernetes/connectedClusters` whole, and as much of
//! `Microsoft.ContainerService/managedClusters` as its existence needs.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{self, Answer};
use super::call::Call;
use super::durations;
use super::groups::same_location;
use super::route::ClusterPath;
use super::scenario::Scenario;
use super::state::{Cluster, ClusterKind, Pending, Provisioning};
use super::tenant::only_get;
use super::versions;
use super::world::{self, Handled, World};

/// Application id under which the provider itself modifies a connected cluster, recorded 2022-10-18.
const PROVIDER_APPLICATION: &str = "64b12d6e-6549-484c-8cc6-6281839ba394";

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

/// Properties of connected clusters that came with an api-version.
const SINCE: [(&str, &str); 11] = [
    ("privateLinkState", "2022-05-01"),
    ("privateLinkScopeResourceId", "2022-05-01"),
    ("azureHybridBenefit", "2022-10-01"),
    ("distributionVersion", "2022-10-01"),
    ("aadProfile", "2023-11-01"),
    ("arcAgentProfile", "2023-11-01"),
    ("securityProfile", "2024-06-01"),
    ("oidcIssuerProfile", "2024-06-01"),
    ("gateway", "2024-07-01"),
    ("arcAgentryConfigurations", "2024-07-01"),
    ("miscellaneousProperties", "2024-01-01"),
];

impl World<'_> {
    /// Lists of clusters.
    pub(crate) fn clusters(&self, call: &Call, subscription: &str, group: Option<&str>, kind: ClusterKind) -> Handled {
        only_get(call, "clusters")?;
        let version = call.api_version()?;
        check_version(kind, version)?;
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
        check_version(path.kind, version)?;
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
        let tags = sent.get("tags").filter(|tags| tags.is_object()).cloned().unwrap_or_else(|| json!({}));
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
            cluster.tags = tags.clone();
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

    fn cluster_body(&self, path: &ClusterPath, cluster: &Cluster, version: &str, now: Timestamp) -> Value {
        let heard = self.last_heard(cluster, now);
        let mut body = Map::new();
        body.insert("id".to_owned(), Value::from(world::cluster_id(path, &cluster.name)));
        body.insert("name".to_owned(), Value::from(cluster.name.as_str()));
        let resource_type = match cluster.kind {
            // As recorded: this provider lower-cases its own type.
            ClusterKind::Connected => cluster.kind.resource_type().to_lowercase(),
            ClusterKind::Managed => cluster.kind.resource_type().to_owned(),
        };
        body.insert("type".to_owned(), Value::from(resource_type));
        body.insert("location".to_owned(), Value::from(cluster.location.as_str()));
        body.insert("tags".to_owned(), cluster.tags.clone());
        for (name, value) in &cluster.extras {
            body.insert(name.clone(), value.clone());
        }
        let (by, by_type, modified) = match heard {
            Some(heard) if heard > cluster.modified => (PROVIDER_APPLICATION, "Application", heard),
            Some(_) | None => ("someone@sim.arcflux.invalid", "User", cluster.modified),
        };
        body.insert(
            "systemData".to_owned(),
            json!({
                "createdBy": "someone@sim.arcflux.invalid",
                "createdByType": "User",
                "createdAt": cluster.created.to_string(),
                "lastModifiedBy": by,
                "lastModifiedByType": by_type,
                "lastModifiedAt": modified.to_string(),
            }),
        );
        if let Some(identity) = &cluster.identity {
            body.insert("identity".to_owned(), identity.clone());
        }
        let properties = match cluster.kind {
            ClusterKind::Connected => connected_properties(cluster, heard, self.connectivity(cluster, now), version),
            ClusterKind::Managed => managed_properties(cluster),
        };
        body.insert("properties".to_owned(), Value::Object(properties));
        Value::Object(body)
    }

    /// When the cluster's agents last reported in.
    fn last_heard(&self, cluster: &Cluster, now: Timestamp) -> Option<Timestamp> {
        let since = cluster.online_since.filter(|_| world::has_agents(cluster.kind))?;
        match self.settings.scenario {
            Some(Scenario::AgentOffline) => {
                let silent = std::time::Duration::from_secs(2 * 3600);
                Some(durations::before(durations::last_tick(since, durations::HEARTBEAT, now), silent))
            }
            Some(
                Scenario::WrongBranch
                | Scenario::AuthenticationFailed
                | Scenario::CompliantAfterAWhile
                | Scenario::StaleStatuses
                | Scenario::TwoRevisions
                | Scenario::ExtensionInstallFailed
                | Scenario::OperationStuck,
            )
            | None => Some(durations::last_tick(since, durations::HEARTBEAT, now)),
        }
    }

    fn connectivity(&self, cluster: &Cluster, now: Timestamp) -> &'static str {
        match self.last_heard(cluster, now) {
            None => "Connecting",
            Some(heard) if durations::between(heard, now).as_secs() < 900 => "Connected",
            Some(_) => "Offline",
        }
    }
}

fn connected_properties(
    cluster: &Cluster,
    heard: Option<Timestamp>,
    connectivity: &str,
    version: &str,
) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("provisioningState".to_owned(), Value::from(cluster.provisioning.word()));
    properties.insert("connectivityStatus".to_owned(), Value::from(connectivity));
    properties.insert("privateLinkState".to_owned(), Value::from("Disabled"));
    properties.insert("azureHybridBenefit".to_owned(), Value::from("NotApplicable"));
    properties.insert("aadProfile".to_owned(), json!({}));
    properties.insert("arcAgentProfile".to_owned(), json!({"agentAutoUpgrade": "Enabled"}));
    for (name, value) in &cluster.properties {
        properties.insert(name.clone(), value.clone());
    }
    match cluster.provisioning {
        // Nothing sent: the agents' own guess shows up once the resource is there.
        Provisioning::Succeeded => {
            properties.entry("distribution".to_owned()).or_insert_with(|| Value::from("Generic"));
        }
        Provisioning::Accepted
        | Provisioning::Creating
        | Provisioning::Updating
        | Provisioning::Deleting
        | Provisioning::Failed => {}
    }
    if let (Some(heard), Some(since)) = (heard, cluster.online_since) {
        properties.insert("kubernetesVersion".to_owned(), Value::from("1.33.1"));
        properties.insert("totalNodeCount".to_owned(), Value::from(3));
        properties.insert("totalCoreCount".to_owned(), Value::from(12));
        properties.insert("agentVersion".to_owned(), Value::from("1.35.2"));
        properties.insert("lastConnectivityTime".to_owned(), Value::from(heard.to_string()));
        let days = std::time::Duration::from_secs(90 * 86_400);
        let expires = durations::after(since, days).to_string();
        properties.insert("managedIdentityCertificateExpirationTime".to_owned(), Value::from(expires));
    }
    properties.retain(|name, _| {
        SINCE.iter().find(|(known, _)| known == name).is_none_or(|(_, since)| versions::at_least(version, since))
    });
    properties
}

fn managed_properties(cluster: &Cluster) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("provisioningState".to_owned(), Value::from(cluster.provisioning.word()));
    properties.insert("powerState".to_owned(), json!({"code": "Running"}));
    for (name, value) in &cluster.properties {
        properties.insert(name.clone(), value.clone());
    }
    properties
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

fn check_version(kind: ClusterKind, version: &str) -> Result<(), Answer> {
    match kind {
        ClusterKind::Connected => versions::check(version, kind.resource_type(), versions::CONNECTED_CLUSTERS),
        ClusterKind::Managed => versions::check_shape(version, kind.resource_type()),
    }
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
