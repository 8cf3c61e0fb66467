//! What a cluster shows of itself: what was written, what the service fills in, and what its agents report.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::durations;
use super::route::ClusterPath;
use super::scenario::Scenario;
use super::state::{Cluster, ClusterKind, Provisioning};
use super::versions;
use super::world::{self, World};

/// Application id under which the provider itself modifies a connected cluster, recorded 2022-10-18.
const PROVIDER_APPLICATION: &str = "64b12d6e-6549-484c-8cc6-6281839ba394";

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
    /// A cluster as `version` shows it.
    pub(crate) fn cluster_body(&self, path: &ClusterPath, cluster: &Cluster, version: &str, now: Timestamp) -> Value {
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
        if let Some(tags) = &cluster.tags {
            body.insert("tags".to_owned(), tags.clone());
        }
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
            | None => Some(Self::last_heartbeat(cluster, since, now)),
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
            let distribution = properties.entry("distribution".to_owned()).or_insert_with(|| Value::from("Generic"));
            if !versions::at_least(version, "2023-01-01") {
                *distribution = recased(distribution);
            }
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

/// A distribution in the casing that the versions of 2021 and 2022 gave to those they knew; later ones show it as sent.
fn recased(distribution: &Value) -> Value {
    let known = ["AKS", "AKS_Management"];
    let found = known.iter().find(|known| distribution.as_str().is_some_and(|sent| sent.eq_ignore_ascii_case(known)));
    found.map_or_else(|| distribution.clone(), |known| Value::from(*known))
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
