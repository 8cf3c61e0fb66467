//! `Microsoft.Resources/resourceGroups`: must exist, or is created when the spec gives a location.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which resource group, and how to make it when it is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceGroupSpec {
    /// The name of the resource group.
    #[schemars(length(min = 1, max = 90), regex(pattern = r"^[-\w._()]*[-\w_()]$"), extend("examples" = ["rg-edge"]))]
    pub name: String,
    /// An Azure region, such as `westeurope`. With it the group is created when it is missing; without it, a missing
    /// group is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["westeurope"]))]
    pub location: Option<String>,
    /// Tags that the group must have. Other tags that it has are kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}
