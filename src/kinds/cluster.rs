//! Clusters, as references: arcflux reads them and writes below them, and never creates one here.
//!
//! `Microsoft.Kubernetes/connectedClusters` (Arc) and `Microsoft.ContainerService/managedClusters` (AKS) differ in where
//! their state stands; both carry extensions and flux configurations in the same way.

use serde::{Deserialize, Serialize};

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
