//! Whether Flux has really reconciled a configuration: `provisioningState: Succeeded` says nothing about workloads
//! (`../shared/facts/domain.md`, finding 2 and §3).

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::state::{ProvisioningState, provisioning_state};

/// Flux's reason when a kustomization only waits for one that it depends on.
const WAITS_FOR_ANOTHER: &str = "DependencyNotReady";

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
    Failing(Cause),
    /// Flux was told to leave it alone.
    Suspended,
}

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
            let status = statuses.objects("Kustomization", &format!("{name}-{kustomization}"));
            let (readiness, message) = match status.map(ready) {
                None => (Readiness::Waiting, "not reported yet"),
                Some(Ready::True { message }) => (Readiness::Ready, message),
                Some(Ready::False { reason: WAITS_FOR_ANOTHER, message } | Ready::Unknown { message }) => {
                    (Readiness::Waiting, message)
                }
                Some(Ready::False { reason: _, message }) => (Readiness::NotReady, message),
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

/// The longest that Flux goes without a new attempt, in seconds: its interval for the source, and for each kustomization
/// the one for retries, or the ordinary one where there is none (`../shared/facts/arm-contracts.md` §1.7).
#[must_use]
pub fn seconds_between_attempts(live: &Value) -> u64 {
    let interval = |of: &Value, key: &str| of.get(key).and_then(Value::as_u64);
    let source = live.pointer("/properties/gitRepository").and_then(|source| interval(source, "syncIntervalInSeconds"));
    let kustomizations = live.pointer("/properties/kustomizations").and_then(Value::as_object);
    let retries = kustomizations.into_iter().flat_map(|all| all.values()).filter_map(|kustomization| {
        interval(kustomization, "retryIntervalInSeconds").or_else(|| interval(kustomization, "syncIntervalInSeconds"))
    });
    source.into_iter().chain(retries).max().unwrap_or_default()
}

/// Judges the live body of the configuration `name`.
///
/// `kustomizations` are the declared ones in dependency order; `commit` is the pinned one, if any. Fresh means that the
/// statuses were reported after `systemData.lastModifiedAt`: both times are the server's, so clocks need not agree.
#[must_use]
pub fn compliance(name: &str, kustomizations: &[String], commit: Option<&str>, live: &Value) -> Compliance {
    match provisioning_state(live) {
        ProvisioningState::InFlight(state) => return Compliance::Progressing(format!("provisioning is {state}")),
        ProvisioningState::Failed(state) => {
            return Compliance::Failing(Cause {
                kind: "FluxConfiguration".to_owned(),
                name: name.to_owned(),
                reason: format!("provisioningState {state}"),
                message: text(live, "/properties/errorMessage").unwrap_or("no message was given").to_owned(),
            });
        }
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
    let source = source_object(live);
    match statuses.objects(source, name).map(ready) {
        None => return Compliance::Progressing(format!("{source} {name} has not been reported")),
        Some(Ready::False { reason, message }) => return failing(source, name, reason, message),
        Some(Ready::Unknown { message }) => return Compliance::Progressing(format!("{source} {name}: {message}")),
        Some(Ready::True { .. }) => {}
    }
    let mut waiting = None;
    let mut revisions = Vec::new();
    for kustomization in kustomizations {
        let object = format!("{name}-{kustomization}");
        match statuses.objects("Kustomization", &object).map(ready) {
            None => waiting = waiting.or(Some(format!("Kustomization {object} has not been reported"))),
            Some(Ready::True { message }) => revisions.push((object, applied_revision(message))),
            // Its ancestor is to blame, or is still under way.
            Some(Ready::False { reason: WAITS_FOR_ANOTHER, message } | Ready::Unknown { message }) => {
                waiting = waiting.or(Some(format!("Kustomization {object}: {message}")));
            }
            Some(Ready::False { reason, message }) => return failing("Kustomization", &object, reason, message),
        }
    }
    if let Some(cause) = statuses.first_failing_release() {
        return Compliance::Failing(cause);
    }
    if let Some(waiting) = waiting {
        return Compliance::Progressing(waiting);
    }
    let synced = text(live, "/properties/sourceSyncedCommitId").unwrap_or_default();
    if let Some((object, revision)) = revisions.iter().find(|(_, revision)| commit_of(revision) != commit_of(synced)) {
        return Compliance::Progressing(format!(
            "Kustomization {object} is at revision {revision}, the source is at {synced}"
        ));
    }
    if let Some(pinned) = commit.filter(|pinned| commit_of(synced) != *pinned) {
        return Compliance::Progressing(format!("the source is at {synced}, the pinned commit is {pinned}"));
    }
    match text(live, "/properties/complianceState") {
        Some(state) if state.eq_ignore_ascii_case("Compliant") => {
            Compliance::Reconciled { revision: synced.to_owned() }
        }
        state => Compliance::Progressing(format!("complianceState is {}", state.unwrap_or("not reported"))),
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

fn failing(kind: &str, name: &str, reason: &str, message: &str) -> Compliance {
    Compliance::Failing(Cause {
        kind: kind.to_owned(),
        name: name.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
    })
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn is_fresh(live: &Value) -> bool {
    let time = |pointer| text(live, pointer).and_then(|time| time.parse::<Timestamp>().ok());
    match (time("/properties/statusUpdatedAt"), time("/systemData/lastModifiedAt")) {
        (Some(reported), Some(written)) => reported > written,
        (Some(_), None) => true,
        (None, _) => false,
    }
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

/// The `Ready` condition of an object.
enum Ready<'a> {
    True { message: &'a str },
    False { reason: &'a str, message: &'a str },
    Unknown { message: &'a str },
}

fn ready(status: &Value) -> Ready<'_> {
    let condition = status
        .get("statusConditions")
        .and_then(Value::as_array)
        .and_then(|conditions| conditions.iter().find(|condition| text(condition, "/type") == Some("Ready")));
    let Some(condition) = condition else { return Ready::Unknown { message: "no Ready condition yet" } };
    let message = text(condition, "/message").unwrap_or_default();
    match text(condition, "/status") {
        Some(status) if status.eq_ignore_ascii_case("True") => Ready::True { message },
        Some(status) if status.eq_ignore_ascii_case("False") => match text(condition, "/reason").unwrap_or_default() {
            // Words that controllers use while they are still at it.
            "Progressing" | "ProgressingWithRetry" => Ready::Unknown { message },
            reason => Ready::False { reason, message },
        },
        _ => Ready::Unknown { message },
    }
}

/// The objects that the agent reported.
struct Statuses<'a>(&'a [Value]);

impl<'a> Statuses<'a> {
    fn of(live: &'a Value) -> Self {
        Self(live.pointer("/properties/statuses").and_then(Value::as_array).map_or(&[], Vec::as_slice))
    }

    fn objects(&self, kind: &str, name: &str) -> Option<&'a Value> {
        self.0.iter().find(|status| text(status, "/kind") == Some(kind) && text(status, "/name") == Some(name))
    }

    /// A failing object that a kustomization applied, by kind and name: a kustomization can be ready while what it
    /// applied is not.
    fn first_failing_release(&self) -> Option<Cause> {
        let mut causes: Vec<Cause> = self
            .0
            .iter()
            .filter(|status| status.get("appliedBy").is_some_and(Value::is_object))
            .filter_map(|status| match ready(status) {
                Ready::False { reason, message } => Some(Cause {
                    kind: text(status, "/kind").unwrap_or_default().to_owned(),
                    name: text(status, "/name").unwrap_or_default().to_owned(),
                    reason: reason.to_owned(),
                    message: message.to_owned(),
                }),
                Ready::True { .. } | Ready::Unknown { .. } => None,
            })
            .collect();
        causes.sort_by(|one, other| (&one.kind, &one.name).cmp(&(&other.kind, &other.name)));
        causes.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHA: &str = "0123456789012345678901234567890123456789";

    fn condition(status: &str, reason: &str, message: &str) -> Value {
        json!([{"type": "Ready", "status": status, "reason": reason, "message": message}])
    }

    fn live(app: Value) -> Value {
        json!({
            "systemData": {"lastModifiedAt": "2026-01-01T00:00:00Z"},
            "properties": {
                "provisioningState": "Succeeded", "complianceState": "Compliant",
                "statusUpdatedAt": "2026-01-01T00:02:00Z", "sourceSyncedCommitId": format!("main@sha1:{SHA}"),
                "statuses": [
                    {"kind": "GitRepository", "name": "c", "statusConditions": condition("True", "Succeeded", "stored")},
                    {"kind": "Kustomization", "name": "c-app", "statusConditions": app},
                ],
            },
        })
    }

    fn judged(live: &Value) -> Compliance {
        compliance("c", &["app".to_owned()], None, live)
    }

    fn applied(revision: &str) -> Value {
        condition("True", "ReconciliationSucceeded", &format!("Applied revision: {revision}"))
    }

    #[test]
    fn reconciled_needs_every_kustomization_at_the_synced_revision() {
        let revision = format!("main@sha1:{SHA}");
        assert_eq!(judged(&live(applied(&revision))), Compliance::Reconciled { revision });
        assert!(matches!(judged(&live(applied("main@sha1:other"))), Compliance::Progressing(_)));
        let two = ["app".to_owned(), "infra".to_owned()];
        assert!(matches!(
            compliance("c", &two, None, &live(applied(&format!("main@sha1:{SHA}")))),
            Compliance::Progressing(_)
        ));
    }

    #[test]
    fn a_pinned_commit_must_be_the_synced_one() {
        let body = live(applied(&format!("main@sha1:{SHA}")));
        let names = ["app".to_owned()];
        assert!(matches!(compliance("c", &names, Some(SHA), &body), Compliance::Reconciled { .. }));
        assert!(matches!(compliance("c", &names, Some(&"f".repeat(40)), &body), Compliance::Progressing(_)));
    }

    #[test]
    fn a_suspended_configuration_is_neither_reconciled_nor_failing() {
        let mut body = live(condition("False", "ArtifactFailed", "kustomization path not found"));
        body["properties"]["suspend"] = json!(true);
        assert_eq!(judged(&body), Compliance::Suspended);
    }

    #[test]
    fn a_status_from_before_the_write_proves_nothing() {
        let mut body = live(applied(&format!("main@sha1:{SHA}")));
        body["systemData"]["lastModifiedAt"] = json!("2026-01-01T00:03:00Z");
        assert!(matches!(judged(&body), Compliance::Progressing(_)));
    }

    #[test]
    fn the_first_failing_ancestor_is_to_blame() {
        let mut body = live(condition("False", "DependencyNotReady", "dependency 'c/c-infra' is not ready"));
        assert!(matches!(judged(&body), Compliance::Progressing(_)));
        body["properties"]["statuses"].as_array_mut().unwrap().push(json!({
            "kind": "Kustomization", "name": "c-infra",
            "statusConditions": condition("False", "ArtifactFailed", "kustomization path not found"),
        }));
        let order = ["infra".to_owned(), "app".to_owned()];
        match compliance("c", &order, None, &body) {
            Compliance::Failing(cause) => assert_eq!(cause.name, "c-infra"),
            other => panic!("{other:?}"),
        }
    }
}
