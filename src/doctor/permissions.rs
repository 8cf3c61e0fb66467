//! Whether everything may be done that the plan needs. Locks and deny assignments are not seen: they show when they refuse.

use std::collections::BTreeMap;

use futures::StreamExt as _;

use super::{Azure, Doctor};
use crate::arm::{self, ArmClient};
use crate::graph::Graph;
use crate::kinds::permissions::{PERMISSIONS_API_VERSION, PERMISSIONS_TYPE, Permission, allows};
use crate::model::{Listing, ResourceId, with_causes};
use crate::plan::{Check, Checked, Plan, needs};

/// How many scopes are asked at once.
const CONCURRENCY: usize = 16;

/// The scopes that are asked, the actions that are needed there, and what is allowed.
type Answered<'a> = (&'a ResourceId, Vec<&'a str>, Result<Vec<Permission>, String>);

impl Doctor<'_> {
    /// Asks at each scope what may be done there of what `plan` needs; without one, of what any plan may.
    pub(super) async fn permissions(&self, azure: &Azure, graph: &Graph, plan: Option<&Plan>) -> Vec<Check> {
        let needs = needs(graph, plan);
        let mut by_scope: BTreeMap<&ResourceId, Vec<&str>> = BTreeMap::new();
        for need in &needs {
            by_scope.entry(&need.scope).or_default().push(&need.action);
        }
        let whom = match azure.tokens.token().await {
            Ok(token) => arm::principal_of(&token),
            Err(_) => None,
        };
        let mut answers: Vec<Answered<'_>> = futures::stream::iter(by_scope)
            .map(|(scope, actions)| async move { (scope, actions, self.permissions_at(&azure.arm, scope).await) })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        answers.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let (mut checks, mut allowed) = (Vec::new(), 0);
        for (scope, actions, answer) in &answers {
            match judge(scope, actions, answer.as_deref(), whom.as_deref()) {
                Some(check) => checks.push(check.about(scope.as_str())),
                None => allowed += actions.len(),
            }
        }
        if checks.is_empty() {
            let what = if plan.is_some() { "the plan needs" } else { "a plan of this spec may need" };
            let why = format!("everything is allowed that {what}: {allowed} actions");
            checks.push(Check::ok(Checked::Permissions, why));
        }
        checks
    }

    /// What may be done at a scope; at what it lies in, where it is not there yet.
    async fn permissions_at(&self, arm: &ArmClient, scope: &ResourceId) -> Result<Vec<Permission>, String> {
        let mut asked = scope.clone();
        loop {
            let list = asked.collection(PERMISSIONS_TYPE);
            if !self.may_read(&list) {
                return Err("it is outside of `--scope`".to_owned());
            }
            match arm.list(&list, PERMISSIONS_API_VERSION).await.map_err(|error| with_causes(&error))? {
                Listing::Items(items) => return Ok(items.iter().map(Permission::of_live).collect()),
                Listing::Denied(message) => return Err(message),
                Listing::Missing(_) => match above(&asked) {
                    Some(next) => asked = next,
                    None => return Err("there is no such subscription".to_owned()),
                },
            }
        }
    }
}

/// The group of a cluster, the subscription of a group.
fn above(scope: &ResourceId) -> Option<ResourceId> {
    let subscription = ResourceId::subscription(scope.segment_after("subscriptions")?);
    let group = scope.segment_after("resourceGroups").map(|name| subscription.resource_group(name));
    match group {
        Some(group) if group != *scope => Some(group),
        Some(_) => Some(subscription),
        None => None,
    }
}

/// What is wrong at a scope, if anything is.
fn judge(
    scope: &ResourceId,
    actions: &[&str],
    answer: Result<&[Permission], &String>,
    whom: Option<&str>,
) -> Option<Check> {
    let permissions = match answer {
        Ok(permissions) => permissions,
        Err(message) => {
            return Some(Check::warning(Checked::Permissions, format!("what is allowed cannot be read: {message}")));
        }
    };
    let missing: Vec<&str> = actions.iter().copied().filter(|action| !allows(permissions, action)).collect();
    if missing.is_empty() {
        return None;
    }
    let whom = whom.unwrap_or("PRINCIPAL");
    Some(Check::problem(Checked::Permissions, format!("you may not: {}", missing.join(", "))).mended_by(format!(
        "have it assigned: `az role assignment create --assignee {whom} --role \"{}\" --scope {scope}`",
        role(&missing)
    )))
}

/// The smallest of Azure's own roles that allows all of these.
fn role(actions: &[&str]) -> &'static str {
    let all = |fits: fn(&str) -> bool| actions.iter().all(|action| fits(action));
    if all(|action| action.ends_with("/read")) {
        "Reader"
    } else if all(|action| {
        action.starts_with("Microsoft.KubernetesConfiguration/") && !action.ends_with("register/action")
    }) {
        "Kubernetes Extension Contributor"
    } else {
        "Contributor"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_named_with_a_role_that_has_it() {
        let scope = ResourceId::subscription("s").resource_group("rg");
        let read_only = [Permission::of_live(&json!({"actions": ["*/read"], "notActions": []}))];
        let judge = |actions: &[&str]| judge(&scope, actions, Ok(&read_only), Some("me"));
        assert_eq!(judge(&["Microsoft.Kubernetes/connectedClusters/read"]), None);
        let check = judge(&[
            "Microsoft.KubernetesConfiguration/extensions/read",
            "Microsoft.KubernetesConfiguration/extensions/write",
        ])
        .unwrap();
        assert_eq!(check.why, "you may not: Microsoft.KubernetesConfiguration/extensions/write");
        let mend = check.mend.unwrap();
        assert!(mend.contains("--assignee me --role \"Kubernetes Extension Contributor\""), "{mend}");
        assert_eq!(role(&["Microsoft.Resources/subscriptions/resourceGroups/read"]), "Reader");
        assert_eq!(role(&["Microsoft.KubernetesConfiguration/register/action"]), "Contributor");
    }

    #[test]
    fn what_is_not_there_is_asked_for_above() {
        let group = ResourceId::subscription("s").resource_group("rg");
        let cluster = group.resource("Microsoft.Kubernetes/connectedClusters", "c");
        assert_eq!(above(&cluster), Some(group.clone()));
        assert_eq!(above(&group), Some(ResourceId::subscription("s")));
        assert_eq!(above(&ResourceId::subscription("s")), None);
    }
}
