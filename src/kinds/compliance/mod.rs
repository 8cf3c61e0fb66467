//! Whether Flux has really reconciled a configuration: `provisioningState: Succeeded` says nothing about workloads
//! (`../shared/facts/domain.md`, finding 2 and §3).

mod fault;
mod statuses;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub use fault::{Cause, Fault};

use super::remedies::{Prospect, prospect};
use super::state::{ProvisioningState, failure_message, provisioning_state};
use fault::Faults;
use statuses::{Object, Ready, Statuses};

/// What a live configuration says about its reconciliation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compliance {
    /// Everything that was declared is applied, at one revision, and was reported after the last write.
    Reconciled {
        /// The revision, as Flux names it: `main@sha1:…`.
        revision: String,
    },
    /// Not yet, and nothing is wrong so far. Holds what is waited for.
    Progressing(String),
    /// Something has failed. Flux tries again, so it may still succeed.
    Failing(Fault),
    /// Flux was told to leave it alone.
    Suspended,
}

/// What the agent last reported of one kustomization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct KustomizationState {
    /// Its name in the configuration.
    pub name: String,
    /// Whether Flux has applied it.
    pub readiness: Readiness,
    /// The controller's message.
    pub message: String,
}

/// Whether Flux has applied a kustomization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// It is applied.
    Ready,
    /// Under way, waiting for another one, or not reported.
    Waiting,
    /// It failed.
    NotReady,
}

/// What the agent last reported of each kustomization of the configuration `name`, however long ago.
#[must_use]
pub fn kustomization_states(name: &str, kustomizations: &[String], live: &Value) -> Vec<KustomizationState> {
    let statuses = Statuses::of(live);
    kustomizations
        .iter()
        .map(|kustomization| {
            let object = statuses.find("Kustomization", &format!("{name}-{kustomization}"));
            let (readiness, message) = match object.map(|object| object.ready()) {
                None => (Readiness::Waiting, "not reported yet"),
                Some(Ready::True { message }) => (Readiness::Ready, message),
                Some(Ready::Unknown { message }) => (Readiness::Waiting, message),
                Some(Ready::False { reason, message }) => match prospect(reason, message) {
                    Prospect::WaitsForAnother => (Readiness::Waiting, message),
                    Prospect::Terminal | Prospect::Transient => (Readiness::NotReady, message),
                },
            };
            KustomizationState { name: kustomization.clone(), readiness, message: message.to_owned() }
        })
        .collect()
}

/// When the agent last reported, in ARM's words.
#[must_use]
pub fn reported_at(live: &Value) -> Option<&str> {
    text(live, "/properties/statusUpdatedAt")
}

/// The longest `timeout` of the live kustomizations, in seconds: so long Flux waits for one of them to become healthy.
#[must_use]
pub fn longest_timeout_seconds(live: &Value) -> u64 {
    let kustomizations = live.pointer("/properties/kustomizations").and_then(Value::as_object);
    let all = kustomizations.into_iter().flat_map(|all| all.values());
    all.filter_map(|one| one.get("timeoutInSeconds")?.as_u64()).max().unwrap_or_default()
}

/// Judges the live body of the configuration `name`.
///
/// `kustomizations` are the declared ones in dependency order; `revision` is the one that must be the synced one, where
/// that is known: a commit, or as Flux writes it. Fresh means that the statuses were reported after
/// `systemData.lastModifiedAt`: both times are the server's, so clocks need not agree.
#[must_use]
pub fn compliance(name: &str, kustomizations: &[String], revision: Option<&str>, live: &Value) -> Compliance {
    match provisioning_state(live) {
        ProvisioningState::InFlight(state) => return Compliance::Progressing(format!("provisioning is {state}")),
        ProvisioningState::Failed(state) => return Compliance::Failing(Fault::of_service(name, &state, live)),
        ProvisioningState::Succeeded => {}
    }
    if live.pointer("/properties/suspend") == Some(&Value::Bool(true)) {
        return Compliance::Suspended;
    }
    if !is_fresh(live) {
        let time = |pointer| text(live, pointer).unwrap_or("none");
        return Compliance::Progressing(format!(
            "no status has been reported since the last write (last status {}, last write {})",
            time("/properties/statusUpdatedAt"),
            time("/systemData/lastModifiedAt")
        ));
    }
    let statuses = Statuses::of(live);
    let mut found = Found::default();
    let source = source_object(live);
    match statuses.find(source, name) {
        None => return Compliance::Progressing(format!("{source} {name} has not been reported")),
        Some(object) => found.see(object, live),
    }
    // What is made of a source that was not fetched is not to blame.
    if let Some(verdict) = found.verdict() {
        return verdict;
    }
    let mut revisions = Vec::new();
    for kustomization in kustomizations {
        let object_name = format!("{name}-{kustomization}");
        let Some(object) = statuses.find("Kustomization", &object_name) else {
            found.wait(format!("Kustomization {object_name} has not been reported"));
            continue;
        };
        // What it waits for in vain is to blame before it. What one made that could not be applied is old.
        if object.is_applied() {
            statuses.applied_by(&object_name).into_iter().for_each(|one| found.see(one, live));
        }
        found.see(object, live);
        if let Ready::True { message } = object.ready() {
            revisions.push((object_name, applied_revision(message)));
        }
    }
    statuses.applied_by_others(name, kustomizations).into_iter().for_each(|one| found.see(one, live));
    if let Some(verdict) = found.verdict() {
        return verdict;
    }
    let synced = text(live, "/properties/sourceSyncedCommitId").unwrap_or_default();
    if synced.is_empty() {
        return Compliance::Progressing("the revision of the source has not been reported".to_owned());
    }
    if let Some((object, revision)) = revisions.iter().find(|(_, revision)| !same_commit(revision, synced)) {
        return Compliance::Progressing(format!(
            "Kustomization {object} is at revision {revision}, the source is at {synced}"
        ));
    }
    if let Some(expected) = revision.filter(|expected| !same_commit(expected, synced)) {
        return Compliance::Progressing(format!("the source is at {synced}, and is expected at {expected}"));
    }
    match text(live, "/properties/complianceState") {
        Some(state) if state.eq_ignore_ascii_case("Compliant") => {
            Compliance::Reconciled { revision: synced.to_owned() }
        }
        state => Compliance::Progressing(format!("complianceState is {}", state.unwrap_or("not reported"))),
    }
}

/// What the objects of a configuration say, in the order in which they are to blame.
#[derive(Default)]
struct Found {
    faults: Faults,
    /// What is waited for first.
    waiting: Option<String>,
}

impl Found {
    fn see(&mut self, object: Object<'_>, live: &Value) {
        match object.ready() {
            Ready::True { .. } => {}
            Ready::Unknown { message } => self.wait(format!("{} {}: {message}", object.kind(), object.name())),
            Ready::False { reason, message } => match prospect(reason, message) {
                Prospect::WaitsForAnother => self.wait(format!("{} {}: {message}", object.kind(), object.name())),
                Prospect::Terminal | Prospect::Transient => {
                    self.faults.add(Fault::of_object(object, reason, message, live));
                }
            },
        }
    }

    fn wait(&mut self, what: String) {
        self.waiting.get_or_insert(what);
    }

    /// What it comes to so far, if not everything is well.
    fn verdict(&mut self) -> Option<Compliance> {
        let failing = self.faults.take_first().map(Compliance::Failing);
        failing.or_else(|| self.waiting.take().map(Compliance::Progressing))
    }
}

/// The kind of the Flux object that fetches the source: an Azure Blob container is fetched by a Bucket
/// (`../shared/facts/domain.md` §1.3).
fn source_object(live: &Value) -> &'static str {
    match text(live, "/properties/sourceKind") {
        Some(kind) if kind.eq_ignore_ascii_case("Bucket") || kind.eq_ignore_ascii_case("AzureBlob") => "Bucket",
        Some(kind) if kind.eq_ignore_ascii_case("OCIRepository") => "OCIRepository",
        Some(_) | None => "GitRepository",
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    text(value, pointer)?.parse().ok()
}

fn is_fresh(live: &Value) -> bool {
    match (time(live, "/properties/statusUpdatedAt"), time(live, "/systemData/lastModifiedAt")) {
        (Some(reported), Some(written)) => reported > written,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn same_commit(one: &str, other: &str) -> bool {
    commit_of(one).eq_ignore_ascii_case(commit_of(other))
}

/// The commit in a revision: `main@sha1:<commit>` today, `main/<commit>` from older Flux versions
/// (`../shared/facts/domain.md` §3).
fn commit_of(revision: &str) -> &str {
    revision.rsplit([':', '/']).next().unwrap_or_default()
}

/// The revision in a Kustomization's message `Applied revision: main@sha1:…`.
fn applied_revision(message: &str) -> String {
    message.rsplit(' ').next().unwrap_or_default().to_owned()
}
