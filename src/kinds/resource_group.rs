//! `Microsoft.Resources/resourceGroups`: must exist, or is created when the spec gives a location.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Body;
use crate::model::{Habit, Rule, Rules};

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

/// The resource type.
pub const RESOURCE_TYPE: &str = "Microsoft.Resources/resourceGroups";

/// The api-version of the Resources provider (`../shared/contracts/Microsoft.Resources/stable/2024-03-01`).
pub const API_VERSION: &str = "2024-03-01";

/// What the service does to each field. The location cannot change; tags and an owner that the spec does not name are
/// kept.
pub const RULES: Rules = &[
    Rule { path: "id", habit: Habit::ReadOnly },
    Rule { path: "name", habit: Habit::ReadOnly },
    Rule { path: "type", habit: Habit::ReadOnly },
    // A region is named `westeurope` or `West Europe`; a group that exists somewhere else is used where it is.
    Rule { path: "location", habit: Habit::ReadOnly },
    Rule { path: "managedBy", habit: Habit::KeepFound },
    Rule { path: "tags.*", habit: Habit::KeepFound },
    Rule { path: "properties", habit: Habit::ReadOnly },
];

/// The body that creates the group, when the spec says where.
#[must_use]
pub fn creation_body(spec: &ResourceGroupSpec) -> Option<Value> {
    let ResourceGroupSpec { name: _, location, tags } = spec;
    let location = location.as_deref()?;
    let mut body = json!({ "location": location });
    if !tags.is_empty() {
        body["tags"] = json!(tags);
    }
    Some(body)
}

/// What the spec says of the group that is `live`. The names of its tags are spelled as they are there: ARM takes tag
/// names without regard to letter case, and keeps the spelling it got first
/// (<https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources>). Tag values have case.
#[must_use]
pub fn body(spec: &ResourceGroupSpec, live: &Value) -> Body {
    let found = live.get("tags").and_then(Value::as_object);
    let spelled = |name: &str| {
        let known = found.into_iter().flatten().map(|(known, _)| known).find(|known| known.eq_ignore_ascii_case(name));
        known.map_or_else(|| name.to_owned(), Clone::clone)
    };
    let tags: BTreeMap<String, &String> = spec.tags.iter().map(|(name, value)| (spelled(name), value)).collect();
    Body { json: json!({ "tags": tags }), holes: Vec::new() }
}

/// Whether two region names mean the same region: `West Europe` is `westeurope`.
#[must_use]
pub fn same_region(one: &str, other: &str) -> bool {
    let folded = |name: &str| name.replace(' ', "").to_ascii_lowercase();
    folded(one) == folded(other)
}
