//! Whether a write has taken effect: by what sending it again would change.

use serde_json::Value;

use super::{Change, Condition, Precondition, SENSITIVE, Step, sensitive};
use crate::diff::{FieldChange, clean, compare, normalise};
use crate::kinds::{Kind, shown_path};
use crate::model::{Digest, FieldPath};

impl Step {
    /// What sending this would change in `live`, a body as ARM returned it: nothing, once it has taken effect. What the
    /// service re-cases, adds, echoes or hides is no change, and secrets cannot be compared. Of a registration, a
    /// deletion or a wait there is nothing to compare.
    ///
    /// The values are as they are: to be compared, and to be shown by [`shown`] alone.
    #[must_use]
    pub fn would_change(&self, kind: Kind, live: &Value) -> Vec<FieldChange> {
        let (mut wanted, holes) = match self {
            Self::Put { body, holes, .. } => (body.clone(), holes),
            Self::Patch { body, holes, .. } => {
                let mut patched = live.clone();
                json_patch::merge(&mut patched, body);
                (patched, holes)
            }
            Self::Register { .. }
            | Self::Delete { .. }
            | Self::Expect { .. }
            | Self::Wait { .. }
            | Self::Look { .. }
            | Self::Connect { .. }
            | Self::InstallAgents { .. }
            | Self::RemoveAgents { .. }
            | Self::Az { .. } => return Vec::new(),
        };
        let mut live = live.clone();
        for hole in holes {
            hole.path.remove(&mut live);
            hole.path.remove(&mut wanted);
        }
        let normalised = normalise(kind.rules(), &live, &wanted, &[]);
        compare(&normalised.before, &normalised.after)
    }
}

impl Condition {
    /// Whether it holds of a live body.
    #[must_use]
    pub fn holds(&self, live: &Value) -> bool {
        let Self::AnyPresent(paths) = self;
        paths.iter().any(|path| path.get(live).is_some_and(|value| !value.is_null()))
    }

    /// Whether it is about this field, or one above it.
    #[must_use]
    pub fn is_about(&self, path: &FieldPath) -> bool {
        let Self::AnyPresent(paths) = self;
        paths.iter().any(|about| path.starts_with(about))
    }
}

impl Change {
    /// Whether everything that it would write is there already: then somebody else has done it. `live` is the body as
    /// read, or `None` when the resource does not exist. Never where secrets are sent, because nobody can see which are
    /// there.
    #[must_use]
    pub fn is_done(&self, live: Option<&Value>) -> bool {
        let is_conditional = |step: &&Step| matches!(step, Step::Patch { when: Some(_), .. });
        let deletes = self.steps.iter().any(|step| matches!(step, Step::Delete { .. }));
        let last = self.steps.iter().rfind(|step| step.writes() && !is_conditional(step));
        match (last, live) {
            // What is done to a cluster itself cannot be seen in its record.
            (
                None
                | Some(
                    Step::Register { .. }
                    | Step::Expect { .. }
                    | Step::Wait { .. }
                    | Step::Look { .. }
                    | Step::Connect { .. }
                    | Step::InstallAgents { .. }
                    | Step::RemoveAgents { .. }
                    | Step::Az { .. },
                ),
                _,
            ) => false,
            (Some(Step::Delete { .. }), live) => live.is_none(),
            (Some(Step::Put { .. } | Step::Patch { .. }), None) => false,
            (Some(step @ (Step::Put { .. } | Step::Patch { .. })), Some(live)) => {
                let is_left = |step: &Step| match step {
                    Step::Patch { when: Some(condition), .. } => condition.holds(live),
                    _ => false,
                };
                !deletes
                    && self.steps.iter().all(|step| step.holes().is_empty())
                    && !self.steps.iter().any(is_left)
                    && step.would_change(self.kind, live).is_empty()
            }
        }
    }
}

impl Precondition {
    /// That a resource stays as it is `now`: a body as read, or `None` when it does not exist.
    #[must_use]
    pub fn stays(kind: Kind, now: Option<&Value>) -> Self {
        match now {
            None => Self::Absent,
            Some(now) => {
                let now = clean(kind.rules(), now);
                Self::Unchanged { live: sensitive::masked(&now), sha256: Digest::of(&now).hex().to_owned() }
            }
        }
    }
}

/// What is live of these changes, as `path, live is value; …`. Values that look like secrets are masked.
#[must_use]
pub fn shown(changes: &[FieldChange]) -> String {
    let one = |change: &FieldChange| {
        let FieldChange { path, before, after: _ } = sensitive::masked_change(change.clone());
        let live = match before {
            None => "absent".to_owned(),
            Some(Value::String(word)) if word == SENSITIVE => word,
            Some(value) => value.to_string(),
        };
        format!("{}, live is {live}", shown_path(&path))
    };
    changes.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::{Encoding, Hole};
    use crate::model::{ResourceId, SecretRef};

    fn id() -> ResourceId {
        "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/c/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/f"
            .parse()
            .unwrap()
    }

    fn put(body: Value) -> Step {
        let hole = Hole {
            path: FieldPath::dotted("properties.configurationProtectedSettings.httpsKey"),
            secret: SecretRef::Env("KEY".to_owned()),
            destination: "https://git.contoso.com".to_owned(),
            encoding: Encoding::Base64,
        };
        Step::Put { id: id(), api_version: "2025-04-01".to_owned(), body, holes: vec![hole] }
    }

    fn patch(body: Value) -> Step {
        Step::Patch { id: id(), api_version: "2025-04-01".to_owned(), body, holes: Vec::new(), when: None }
    }

    fn paths(step: &Step, live: &Value) -> Vec<String> {
        step.would_change(Kind::FluxConfiguration, live).iter().map(|change| change.path.to_string()).collect()
    }

    #[test]
    fn what_the_service_makes_of_a_body_is_no_difference() {
        let sent = json!({"properties": {"scope": "cluster", "sourceKind": "GitRepository",
            "gitRepository": {"url": "https://git.contoso.com/x", "provider": "Generic"},
            "kustomizations": {"app": {"path": "./a", "dependsOn": []}}}});
        let live = json!({"id": "/x", "properties": {"scope": "Cluster", "sourceKind": "gitrepository", "bucket": null,
            "provisioningState": "Succeeded", "configurationProtectedSettings": {"httpsKey": ""},
            "gitRepository": {"url": "https://git.contoso.com/x", "provider": "generic", "timeoutInSeconds": 600},
            "kustomizations": {"app": {"name": "app", "path": "./a", "dependsOn": null, "prune": false}}}});
        assert_eq!(paths(&put(sent.clone()), &live), [""; 0]);
        let mut other = live;
        other["properties"]["kustomizations"]["app"]["path"] = json!("./b");
        other["properties"]["kustomizations"]["hand"] = json!({"path": "./h"});
        assert_eq!(paths(&put(sent), &other), ["properties.kustomizations.app.path", "properties.kustomizations.hand"]);
    }

    #[test]
    fn a_patch_is_compared_in_what_it_says_and_takes_away() {
        let live = json!({"properties": {"kustomizations": {"app": {"path": "./a", "prune": true}, "old": {}}}});
        let says = |kustomizations: Value| patch(json!({"properties": {"kustomizations": kustomizations}}));
        assert_eq!(paths(&says(json!({"app": {"prune": true}})), &live), [""; 0]);
        assert_eq!(paths(&says(json!({"app": {"prune": false}})), &live), ["properties.kustomizations.app.prune"]);
        assert_eq!(paths(&says(json!({"old": null})), &live), ["properties.kustomizations.old"]);
        assert_eq!(paths(&says(json!({"gone": null})), &live), [""; 0]);
    }

    #[test]
    fn a_value_that_looks_like_a_secret_is_not_shown() {
        let path = FieldPath::dotted("properties.kustomizations.app.postBuild.substitute");
        let change = |path: FieldPath, live: Value| FieldChange { path, before: Some(live), after: None };
        let changes = [
            change(path.key("API_TOKEN"), json!("hush")),
            change(path.key("REGION"), json!("eu")),
            FieldChange { path: FieldPath::dotted("properties.suspend"), before: None, after: Some(json!(true)) },
        ];
        assert_eq!(
            shown(&changes),
            "kustomizations.app.postBuild.substitute.API_TOKEN, live is (sensitive value); \
             kustomizations.app.postBuild.substitute.REGION, live is \"eu\"; suspend, live is absent"
        );
    }
}
