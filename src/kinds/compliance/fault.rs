//! What has failed, and whether waiting may help.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::statuses::Object;
use super::{failure_message, time};
use crate::kinds::remedies::{Prospect, prospect};

/// The first object that failed: what depends on it is not to blame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Cause {
    /// `GitRepository`, `Bucket`, `OCIRepository`, `Kustomization`, `HelmRelease`, or `FluxConfiguration` for the agent
    /// itself.
    pub kind: String,
    /// Its name in the cluster.
    pub name: String,
    /// Flux's reason: `ArtifactFailed`, `GitOperationFailed`…
    pub reason: String,
    /// The controller's message.
    pub message: String,
}

/// A cause, and what its times say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What failed.
    pub cause: Cause,
    /// Whether it stays until somebody changes something; else it may pass by itself.
    pub is_terminal: bool,
    /// For how long the agent has reported it since the configuration was last written, by the times of the cluster and of
    /// ARM.
    pub stood: Duration,
    /// How often Flux tries again what failed, and sees what is new in the source.
    pub attempts_every: Duration,
}

impl Fault {
    /// What the service itself could not do.
    pub(super) fn of_service(name: &str, state: &str, live: &Value) -> Self {
        Self {
            cause: Cause {
                kind: "FluxConfiguration".to_owned(),
                name: name.to_owned(),
                reason: format!("provisioningState {state}"),
                message: failure_message(live).unwrap_or("no message was given").to_owned(),
            },
            is_terminal: true,
            stood: Duration::ZERO,
            attempts_every: intervals(live).max().unwrap_or_default(),
        }
    }

    pub(super) fn of_object(object: Object<'_>, reason: &str, message: &str, live: &Value) -> Self {
        let message = match object.failures_of_helm() {
            None => message.to_owned(),
            Some((all, installs, upgrades)) => {
                format!("{message} (Helm has failed {all} times, {installs} of them to install, {upgrades} to upgrade)")
            }
        };
        let written = time(live, "/systemData/lastModifiedAt");
        let since = object.ready_since().into_iter().chain(written).max();
        let stood = since
            .zip(time(live, "/properties/statusUpdatedAt"))
            .map(|(since, reported)| reported.duration_since(since));
        Self {
            is_terminal: object.is_stalled() || prospect(reason, &message) == Prospect::Terminal,
            cause: Cause {
                kind: object.kind().to_owned(),
                name: object.name().to_owned(),
                reason: reason.to_owned(),
                message,
            },
            stood: stood.and_then(|stood| Duration::try_from(stood).ok()).unwrap_or_default(),
            attempts_every: intervals(live).max().unwrap_or_default(),
        }
    }
}

/// How often Flux tries: for the source its interval, for each kustomization the one for retries, or the ordinary one
/// where there is none (`../shared/facts/arm-contracts.md` §1.7).
fn intervals(live: &Value) -> impl Iterator<Item = Duration> {
    let interval = |of: &Value, key: &str| of.get(key).and_then(Value::as_u64);
    let sources = ["gitRepository", "bucket", "azureBlob", "ociRepository"];
    let source = sources.into_iter().filter_map(move |key| live.get("properties")?.get(key));
    let kustomizations = live.pointer("/properties/kustomizations").and_then(Value::as_object);
    let retries = kustomizations.into_iter().flat_map(|all| all.values()).filter_map(move |kustomization| {
        interval(kustomization, "retryIntervalInSeconds").or_else(|| interval(kustomization, "syncIntervalInSeconds"))
    });
    source.filter_map(move |source| interval(source, "syncIntervalInSeconds")).chain(retries).map(Duration::from_secs)
}

/// What has failed, in the order in which it is to blame.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// The first that stays, else the first: what only passes does not hide what will not.
    pub(super) fn take_first(&mut self) -> Option<Fault> {
        let at = self.0.iter().position(|fault| fault.is_terminal).unwrap_or_default();
        (at < self.0.len()).then(|| self.0.swap_remove(at))
    }
}
