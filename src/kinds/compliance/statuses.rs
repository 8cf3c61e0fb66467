//! What the agent has reported of each object of Flux: `statuses` of a live configuration
//! (`../shared/facts/domain.md` §3).

use jiff::Timestamp;
use serde_json::Value;

use super::{text, time};
use crate::kinds::remedies::symptom;

/// The objects that the agent reported.
pub(super) struct Statuses<'a>(&'a [Value]);

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct Object<'a>(&'a Value);

/// The `Ready` condition of an object.
pub(super) enum Ready<'a> {
    True { message: &'a str },
    False { reason: &'a str, message: &'a str },
    Unknown { message: &'a str },
}

impl<'a> Statuses<'a> {
    pub(super) fn of(live: &'a Value) -> Self {
        Self(live.pointer("/properties/statuses").and_then(Value::as_array).map_or(&[], Vec::as_slice))
    }

    fn objects(&self) -> impl Iterator<Item = Object<'a>> {
        self.0.iter().map(Object)
    }

    pub(super) fn find(&self, kind: &str, name: &str) -> Option<Object<'a>> {
        self.objects().find(|object| object.kind() == kind && object.name() == name)
    }

    /// What the Kustomization `name` has applied, sources before what is made of them. A Kustomization can be ready while
    /// what it applied is not.
    pub(super) fn applied_by(&self, name: &str) -> Vec<Object<'a>> {
        sorted(self.objects().filter(|object| object.applied_by() == Some(name)))
    }

    /// What was applied by something else than the declared kustomizations of the configuration `name`: by Kustomizations
    /// that are in the repository.
    pub(super) fn applied_by_others(&self, name: &str, kustomizations: &[String]) -> Vec<Object<'a>> {
        let is_declared = |by: &str| {
            let own = by.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
            own.is_some_and(|own| kustomizations.iter().any(|one| one == own))
        };
        sorted(self.objects().filter(|object| object.applied_by().is_some_and(|by| !is_declared(by))))
    }
}

fn sorted<'a>(objects: impl Iterator<Item = Object<'a>>) -> Vec<Object<'a>> {
    let rank = |object: &Object<'_>| match object.kind() {
        "HelmChart" => 1,
        "Kustomization" => 2,
        "HelmRelease" => 3,
        _ => 0,
    };
    let mut objects: Vec<Object<'a>> = objects.collect();
    objects.sort_by_key(|object| (rank(object), object.name(), object.kind()));
    objects
}

impl<'a> Object<'a> {
    pub(super) fn kind(self) -> &'a str {
        text(self.0, "/kind").unwrap_or_default()
    }

    pub(super) fn name(self) -> &'a str {
        text(self.0, "/name").unwrap_or_default()
    }

    fn applied_by(self) -> Option<&'a str> {
        text(self.0, "/appliedBy/name")
    }

    pub(super) fn ready(self) -> Ready<'a> {
        let Some(condition) = self.condition("Ready") else {
            return Ready::Unknown { message: "no Ready condition yet" };
        };
        let message = text(condition, "/message").unwrap_or_default();
        match text(condition, "/status") {
            Some(status) if status.eq_ignore_ascii_case("True") => Ready::True { message },
            Some(status) if status.eq_ignore_ascii_case("False") => {
                match text(condition, "/reason").unwrap_or_default() {
                    // Words that controllers use while they are still at it.
                    "Progressing" | "ProgressingWithRetry" => Ready::Unknown { message },
                    reason => Ready::False { reason, message },
                }
            }
            _ => Ready::Unknown { message },
        }
    }

    /// Whether it has applied what it has: it is ready, or only waits for that to become healthy.
    pub(super) fn is_applied(self) -> bool {
        match self.ready() {
            Ready::True { .. } | Ready::Unknown { .. } => true,
            Ready::False { reason, message } => {
                symptom(reason, message).is_some_and(|row| row.id == "not_healthy_in_time")
            }
        }
    }

    /// Whether Flux itself says that it does not try again until something is changed.
    pub(super) fn is_stalled(self) -> bool {
        let status = self.condition("Stalled").and_then(|condition| text(condition, "/status"));
        status.is_some_and(|status| status.eq_ignore_ascii_case("True"))
    }

    /// Since when its `Ready` says what it says.
    pub(super) fn ready_since(self) -> Option<Timestamp> {
        time(self.condition("Ready")?, "/lastTransitionTime")
    }

    /// How often Helm has failed with it, where it is a release that has: in all, to install, to upgrade.
    pub(super) fn failures_of_helm(self) -> Option<(u64, u64, u64)> {
        let count = |name: &str| self.0.pointer(&format!("/helmReleaseProperties/{name}")).and_then(Value::as_u64);
        let count = |name: &str| count(name).unwrap_or_default();
        let counts = (count("failureCount"), count("installFailureCount"), count("upgradeFailureCount"));
        (counts != (0, 0, 0)).then_some(counts)
    }

    fn condition(self, kind: &str) -> Option<&'a Value> {
        let conditions = self.0.get("statusConditions")?.as_array()?;
        conditions.iter().find(|condition| text(condition, "/type") == Some(kind))
    }
}
