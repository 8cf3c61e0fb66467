//! What apply does, as data.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sensitive;
use crate::kinds::Hole;
use crate::model::{FieldPath, ResourceId};

/// One request, or one wait.
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

impl Step {
    /// Whether it writes to Azure.
    #[must_use]
    pub fn writes(&self) -> bool {
        match self {
            Self::Register { .. } | Self::Put { .. } | Self::Patch { .. } | Self::Delete { .. } => true,
            Self::Expect { .. } | Self::Wait { .. } => false,
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
            | Self::Wait { id, .. } => id,
        }
    }

    /// The places of secrets in its body.
    #[must_use]
    pub fn holes(&self) -> &[Hole] {
        match self {
            Self::Put { holes, .. } | Self::Patch { holes, .. } => holes,
            Self::Register { .. } | Self::Delete { .. } | Self::Expect { .. } | Self::Wait { .. } => &[],
        }
    }
}
