//! What was seen of a Kubernetes cluster itself, not of Azure's record of it.

use serde::{Deserialize, Serialize};

/// What looking at the cluster behind a context of a kubeconfig gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ContextReading {
    /// The cluster answered.
    Seen(Box<Sight>),
    /// It did not, or the context is not in the kubeconfig. Holds why, and what to do.
    Unreachable(String),
}

/// A cluster, as its API describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sight {
    /// The version of its API server, such as `v1.33.5+k3s1`.
    pub version: String,
    /// The distribution, in the words of `az connectedk8s connect` (`../shared/facts/az-cli-behaviour.md` §3, step 9):
    /// `k3s`, `aks`, `openshift`, `generic`…
    pub distribution: String,
    /// The infrastructure, in the same words: `azure`, `aws`, `gcp`, `kind`, `generic`…
    pub infrastructure: String,
    /// Whether a node runs Linux: the agents run nowhere else.
    pub has_linux_node: bool,
    /// What somebody who connects the cluster must be allowed to do, and is not, as `create clusterrolebindings`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forbidden: Vec<String>,
    /// The Arc agents; `None` where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<Agents>,
}

/// The Arc agents on a cluster: the helm release `azure-arc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    /// Helm's word for the state of the release: `deployed`, `failed`, `pending-install`, `uninstalling`…
    pub release: String,
    /// Which connected cluster they speak for, by the ConfigMap `azure-arc/azure-clusterconfig`; `None` where it is not
    /// there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_as: Option<ConnectedAs>,
}

/// The connected cluster that Arc agents speak for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectedAs {
    /// `AZURE_SUBSCRIPTION_ID`.
    pub subscription: String,
    /// `AZURE_RESOURCE_GROUP`.
    pub resource_group: String,
    /// `AZURE_RESOURCE_NAME`.
    pub name: String,
}
