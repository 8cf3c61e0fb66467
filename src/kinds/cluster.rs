//! Clusters, as references: arcflux reads them and writes below them, and never creates one here.
//!
//! `Microsoft.Kubernetes/connectedClusters` (Arc) and `Microsoft.ContainerService/managedClusters` (AKS) differ in where
//! their state stands; both carry extensions and flux configurations in the same way.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Rules;

/// The cluster's resource type, in ARM's words.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ClusterType {
    /// A cluster connected to Azure Arc.
    #[default]
    ConnectedClusters,
    /// An AKS cluster.
    ManagedClusters,
}

/// Which cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSpec {
    /// The name of the cluster's ARM resource.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-zA-Z0-9][-_.a-zA-Z0-9]*$"), extend("examples" = ["store-001"]))]
    pub name: String,
    /// `connectedClusters` for a cluster connected to Azure Arc, `managedClusters` for AKS.
    #[serde(rename = "type", default)]
    pub cluster_type: ClusterType,
}

/// Clusters are read, never compared.
pub const RULES: Rules = &[];

impl ClusterType {
    /// The full resource type.
    #[must_use]
    pub const fn resource_type(self) -> &'static str {
        match self {
            Self::ConnectedClusters => "Microsoft.Kubernetes/connectedClusters",
            Self::ManagedClusters => "Microsoft.ContainerService/managedClusters",
        }
    }

    /// The api-version to read it with.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::ConnectedClusters => "2026-05-01",
            Self::ManagedClusters => "2025-08-01",
        }
    }

    /// The resource providers that Flux on such a cluster needs.
    #[must_use]
    pub const fn providers(self) -> &'static [&'static str] {
        match self {
            Self::ConnectedClusters => &["Microsoft.Kubernetes", "Microsoft.KubernetesConfiguration"],
            Self::ManagedClusters => &["Microsoft.ContainerService", "Microsoft.KubernetesConfiguration"],
        }
    }
}

/// What a live cluster can do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connectivity {
    /// Its agents talk to Azure: what is written takes effect.
    Ready,
    /// Writes are accepted and wait for the cluster. Holds ARM's word: `Offline`, `Connecting`, `Stopped`, `Updating`…
    NotReady(String),
}

/// Reads the state of a live cluster: `connectivityStatus` of a connected cluster (`Connected` within 15 minutes of a
/// heartbeat, `../shared/facts/arm-contracts.md` §3.3), `powerState` and `provisioningState` of a managed one.
#[must_use]
pub fn connectivity(cluster_type: ClusterType, live: &Value) -> Connectivity {
    let (found, wanted) = connection_words(cluster_type, live);
    if found.eq_ignore_ascii_case(wanted) {
        Connectivity::Ready
    } else {
        Connectivity::NotReady(connection_state(cluster_type, live).to_owned())
    }
}

/// ARM's word for the connection of a live cluster: `Connected`, `Offline`, `Running`…; `unknown` where it has none.
#[must_use]
pub fn connection_state(cluster_type: ClusterType, live: &Value) -> &str {
    match connection_words(cluster_type, live) {
        ("", _) => "unknown",
        (found, _) => found,
    }
}

/// The word that says whether the cluster is connected, and what it says when it is.
fn connection_words(cluster_type: ClusterType, live: &Value) -> (&str, &'static str) {
    let text = |pointer: &str| live.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match cluster_type {
        ClusterType::ConnectedClusters => (text("/properties/connectivityStatus"), "Connected"),
        ClusterType::ManagedClusters if !text("/properties/powerState/code").is_empty() => {
            (text("/properties/powerState/code"), "Running")
        }
        ClusterType::ManagedClusters => (text("/properties/provisioningState"), "Succeeded"),
    }
}

/// The version of the Arc agents of a live connected cluster.
#[must_use]
pub fn agent_version(live: &Value) -> Option<&str> {
    live.pointer("/properties/agentVersion").and_then(Value::as_str)
}

/// When the Arc agents of a live connected cluster were last heard of: RFC 3339, as ARM writes it.
#[must_use]
pub fn last_heartbeat(live: &Value) -> Option<&str> {
    live.pointer("/properties/lastConnectivityTime").and_then(Value::as_str)
}

/// When a connected cluster last talked to Azure, as the end of a sentence: ` since <time>`; empty where that is not
/// known.
#[must_use]
pub fn since_last_contact(live: &Value) -> String {
    last_heartbeat(live).map(|time| format!(" since {time}")).unwrap_or_default()
}
