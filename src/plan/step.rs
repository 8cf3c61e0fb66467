//! What apply does, as data.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Plan, sensitive};
use crate::kinds::Hole;
use crate::kinds::onboarding::{AgentSettings, ClusterHole};
use crate::model::{FieldPath, ResourceId};

/// One request, one wait, or one thing done to a cluster itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// POST of a provider's registration.
    Register {
        /// The provider.
        id: ResourceId,
        /// The api-version.
        api_version: String,
    },
    /// PUT of a whole resource.
    Put {
        /// The resource.
        id: ResourceId,
        /// The api-version.
        api_version: String,
        /// The body, without secrets.
        #[serde(serialize_with = "sensitive::serialize_masked")]
        body: Value,
        /// The places of secrets.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holes: Vec<Hole>,
    },
    /// PATCH of parts of a resource.
    Patch {
        /// The resource.
        id: ResourceId,
        /// The api-version.
        api_version: String,
        /// The merge patch (RFC 7396), without secrets.
        #[serde(serialize_with = "sensitive::serialize_masked")]
        body: Value,
        /// The places of secrets.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holes: Vec<Hole>,
        /// When the step is taken; always where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        when: Option<Condition>,
    },
    /// DELETE of a resource.
    Delete {
        /// The resource.
        id: ResourceId,
        /// The api-version.
        api_version: String,
        /// Whether Azure's record alone goes, at once, and the cluster is not asked: `forceDelete=true`
        /// (`../shared/facts/domain.md` §1.4).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    /// Lists a collection, and goes on only when nothing is in it but what the plan knows of.
    Expect {
        /// The collection.
        id: ResourceId,
        /// The api-version.
        api_version: String,
        /// The names of the resources that may be in it, in order.
        only: Vec<String>,
    },
    /// Waits until the live resource is in a state.
    Wait {
        /// The resource.
        id: ResourceId,
        /// The api-version.
        api_version: String,
        /// The state.
        until: Until,
    },
    /// Looks at a cluster itself, and goes on only when no Arc agents are on it but those that the plan knows of.
    Look {
        /// The cluster.
        id: ResourceId,
        /// The context of the kubeconfig that reaches it.
        context: String,
        /// The agents that may be there.
        agents: KnownAgents,
    },
    /// PUT of the record of a connected cluster.
    Connect {
        /// The cluster.
        id: ResourceId,
        /// The api-version.
        api_version: String,
        /// The body, without what is only known then.
        #[serde(serialize_with = "sensitive::serialize_masked")]
        body: Value,
        /// The places of what is only known then.
        holes: Vec<ClusterHole>,
    },
    /// Installs the Arc agents on a cluster with helm, with the private key that belongs to the record that was sent, and
    /// waits until they run.
    InstallAgents {
        /// The cluster.
        id: ResourceId,
        /// The context of the kubeconfig that reaches it.
        context: String,
        /// Where the chart is from.
        chart: ChartFrom,
        /// What the agents are told of the cluster.
        settings: AgentSettings,
    },
    /// Takes the Arc agents off a cluster; where there are none, nothing is done.
    RemoveAgents {
        /// The cluster.
        id: ResourceId,
        /// The context of the kubeconfig that reaches it.
        context: String,
    },
    /// Runs `az`.
    Az {
        /// The cluster.
        id: ResourceId,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// The Arc agents that may be on a cluster when a change of it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownAgents {
    /// None.
    Nobodys,
    /// None, or such as speak for this cluster, or for none.
    Ours,
}

/// Where the chart of the Arc agents is from. Paths and addresses stand in no plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChartFrom {
    /// The service names it, and some of its values.
    #[default]
    Service,
    /// Whoever applies gives it.
    Local,
}

/// A condition on the live body, read just before the step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// One of these fields is there.
    AnyPresent(Vec<FieldPath>),
}

/// What a wait waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Until {
    /// The provider is registered.
    Registered,
    /// No operation is going on, and the last one succeeded.
    Provisioned,
    /// The cluster's agents talk to Azure.
    Connected,
    /// Flux has reconciled the configuration.
    Compliant(Expectation),
    /// The resource does not exist.
    Gone,
}

/// What "reconciled" means for one configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The kustomizations that must be ready, in an order in which each comes after what it depends on.
    pub kustomizations: Vec<String>,
    /// The commit that must be the synced one, where the spec pins one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl Plan {
    /// Where the chart of the Arc agents is from, where a step installs them.
    #[must_use]
    pub fn chart(&self) -> ChartFrom {
        let steps = self.resource_changes.iter().flat_map(|change| &change.steps);
        let chart = |step: &Step| if let Step::InstallAgents { chart, .. } = step { Some(*chart) } else { None };
        steps.filter_map(chart).next().unwrap_or_default()
    }
}

impl Step {
    /// Whether it writes to Azure, or to a cluster.
    #[must_use]
    pub fn writes(&self) -> bool {
        match self {
            Self::Register { .. }
            | Self::Put { .. }
            | Self::Patch { .. }
            | Self::Delete { .. }
            | Self::Connect { .. }
            | Self::InstallAgents { .. }
            | Self::RemoveAgents { .. }
            | Self::Az { .. } => true,
            Self::Expect { .. } | Self::Wait { .. } | Self::Look { .. } => false,
        }
    }

    /// Whether it reaches a cluster itself, not Azure's record of it.
    #[must_use]
    pub fn reaches_a_cluster(&self) -> bool {
        match self {
            Self::Look { .. } | Self::InstallAgents { .. } | Self::RemoveAgents { .. } | Self::Az { .. } => true,
            Self::Register { .. }
            | Self::Put { .. }
            | Self::Patch { .. }
            | Self::Delete { .. }
            | Self::Expect { .. }
            | Self::Wait { .. }
            | Self::Connect { .. } => false,
        }
    }

    /// Whether it removes Azure's record alone, whatever the cluster does.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        matches!(self, Self::Delete { force: true, .. })
    }

    /// The resource, or the collection, that it is about.
    #[must_use]
    pub fn id(&self) -> &ResourceId {
        match self {
            Self::Register { id, .. }
            | Self::Put { id, .. }
            | Self::Patch { id, .. }
            | Self::Delete { id, .. }
            | Self::Expect { id, .. }
            | Self::Wait { id, .. }
            | Self::Look { id, .. }
            | Self::Connect { id, .. }
            | Self::InstallAgents { id, .. }
            | Self::RemoveAgents { id, .. }
            | Self::Az { id, .. } => id,
        }
    }

    /// The places of secrets in its body.
    #[must_use]
    pub fn holes(&self) -> &[Hole] {
        match self {
            Self::Put { holes, .. } | Self::Patch { holes, .. } => holes,
            Self::Register { .. }
            | Self::Delete { .. }
            | Self::Expect { .. }
            | Self::Wait { .. }
            | Self::Look { .. }
            | Self::Connect { .. }
            | Self::InstallAgents { .. }
            | Self::RemoveAgents { .. }
            | Self::Az { .. } => &[],
        }
    }
}
