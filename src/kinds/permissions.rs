//! What one may do in Azure: actions of roles, and whether some roles allow one
//! (`Microsoft.Authorization/permissions`, api-version 2022-04-01; Microsoft's `role-based-access-control/role-definitions`).

use serde_json::Value;

/// The collection below any scope that lists what the caller may do there.
pub const PERMISSIONS_TYPE: &str = "Microsoft.Authorization/permissions";

/// The api-version to ask with.
pub const PERMISSIONS_API_VERSION: &str = "2022-04-01";

/// The type of resource groups, in the words of actions.
pub const GROUP_TYPE: &str = "Microsoft.Resources/subscriptions/resourceGroups";

/// The type of resource providers, in the words of actions.
pub const PROVIDER_TYPE: &str = "Microsoft.Resources/subscriptions/providers";

/// What one role assignment allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permission {
    actions: Vec<String>,
    not_actions: Vec<String>,
}

impl Permission {
    /// Reads an item of the list. What is not text allows nothing.
    #[must_use]
    pub fn of_live(item: &Value) -> Self {
        let texts = |key: &str| {
            let list = item.get(key).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self { actions: texts("actions"), not_actions: texts("notActions") }
    }

    fn allows(&self, action: &str) -> bool {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| covers(pattern, action));
        fits(&self.actions) && !fits(&self.not_actions)
    }
}

/// Whether one of these roles allows an action. What one takes away, another may still give.
#[must_use]
pub fn allows(permissions: &[Permission], action: &str) -> bool {
    permissions.iter().any(|permission| permission.allows(action))
}

/// Whether a pattern, in which `*` stands for any characters, is one of an action. Actions compare without case.
fn covers(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.split_at(at + part.len()).1;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let write = "Microsoft.KubernetesConfiguration/extensions/write";
        for pattern in [
            "*",
            "*/write",
            "Microsoft.KubernetesConfiguration/*",
            "microsoft.kubernetesconfiguration/EXTENSIONS/write",
            "Microsoft.*/extensions/*",
            "*Configuration*write",
            "Microsoft.KubernetesConfiguration/extensions/write*",
        ] {
            assert!(covers(pattern, write), "{pattern}");
        }
        for pattern in [
            "",
            "*/read",
            "Microsoft.Kubernetes/*",
            "Microsoft.KubernetesConfiguration/extensions",
            "Microsoft.KubernetesConfiguration/extensions/*/write",
            "*write*write",
            "extensions/*",
        ] {
            assert!(!covers(pattern, write), "{pattern}");
        }
        assert!(!covers("ab*ba", "aba"), "ends do not overlap");
    }

    #[test]
    fn what_one_role_takes_away_another_may_give() {
        let role = |actions: &[&str], not: &[&str]| {
            Permission::of_live(&json!({"actions": actions, "notActions": not, "dataActions": ["*"]}))
        };
        let contributor = role(&["*"], &["Microsoft.Authorization/*/Write"]);
        let assign = "Microsoft.Authorization/roleAssignments/write";
        assert!(allows(std::slice::from_ref(&contributor), "Microsoft.Kubernetes/connectedClusters/write"));
        assert!(!allows(std::slice::from_ref(&contributor), assign));
        assert!(allows(&[contributor, role(&["Microsoft.Authorization/roleAssignments/*"], &[])], assign));
        assert!(!allows(&[], assign) && !allows(&[Permission::of_live(&json!({"actions": "*"}))], assign));
    }
}
