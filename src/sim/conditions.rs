//! How Flux objects say how they are: statuses and their conditions, in Flux's own words.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::FluxConfiguration;
use super::world::with_offset;

/// How fetching the source went.
pub(crate) enum Fetched {
    /// The artifact at this revision is in storage.
    Artifact { revision: String },
    /// Flux could not fetch it.
    Failed { reason: &'static str, message: String },
}

/// What became of a kustomization.
#[derive(Debug, Clone)]
pub(crate) enum Applied {
    /// It is being applied.
    Progressing,
    /// It is applied, and what it made is not healthy yet.
    Unhealthy { revision: String },
    /// It is applied and healthy.
    Ready { revision: String },
    /// It could not be applied.
    Failed { reason: &'static str, message: String },
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, at: Timestamp) -> Value {
    json!({
        "lastTransitionTime": with_offset(whole_second(at)),
        "message": message,
        "reason": reason,
        "status": status,
        "type": kind,
    })
}

/// Kubernetes keeps whole seconds.
pub(crate) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn status(
    configuration: &FluxConfiguration,
    name: &str,
    kind: &str,
    compliance: &str,
    conditions: Vec<Value>,
) -> Value {
    json!({
        "name": name,
        "namespace": configuration.properties.get("namespace"),
        "kind": kind,
        "complianceState": compliance,
        "appliedBy": null,
        "statusConditions": conditions,
        "helmReleaseProperties": null,
    })
}

/// Status of the source object. An AzureBlob source is a Bucket in the cluster.
pub(crate) fn source_status(
    configuration: &FluxConfiguration,
    source_kind: &str,
    fetched: &Fetched,
    at: Timestamp,
) -> Value {
    let kind = if source_kind == "AzureBlob" { "Bucket" } else { source_kind };
    match fetched {
        Fetched::Artifact { revision } => {
            let message = format!("stored artifact for revision '{revision}'");
            let conditions = vec![
                condition("Ready", "True", "Succeeded", &message, at),
                condition("ArtifactInStorage", "True", "Succeeded", &message, at),
            ];
            status(configuration, &configuration.name, kind, "Compliant", conditions)
        }
        Fetched::Failed { reason, message } => {
            let conditions = vec![
                condition("Ready", "False", reason, message, at),
                condition("FetchFailed", "True", reason, message, at),
            ];
            status(configuration, &configuration.name, kind, "Non-Compliant", conditions)
        }
    }
}

/// Status of a kustomization object, by the name that the configuration has it under.
pub(crate) fn kustomization_status(
    configuration: &FluxConfiguration,
    name: &str,
    applied: &Applied,
    at: Timestamp,
) -> Value {
    let object = format!("{}-{name}", configuration.name);
    let body = configuration.properties.get("kustomizations").and_then(|all| all.get(name));
    let waits = body.and_then(|body| body.get("wait")) != Some(&Value::Bool(false));
    let timeout = body.and_then(|body| body.get("timeoutInSeconds")).and_then(Value::as_u64).unwrap_or(600);
    let timeout = format!("{}m{}s", timeout / 60, timeout % 60);
    let (compliance, conditions) = match applied {
        Applied::Progressing => {
            let message = "Reconciliation in progress";
            let conditions = vec![
                condition("Reconciling", "True", "Progressing", message, at),
                condition("Ready", "Unknown", "Progressing", message, at),
            ];
            ("Pending", conditions)
        }
        Applied::Unhealthy { revision } => {
            let message = format!("Running health checks for revision {revision} with a timeout of {timeout}");
            let conditions = vec![
                condition("Reconciling", "True", "Progressing", &message, at),
                condition("Ready", "Unknown", "Progressing", &message, at),
            ];
            ("Non-Compliant", conditions)
        }
        Applied::Ready { revision } => {
            let message = format!("Applied revision: {revision}");
            let mut conditions = vec![condition("Ready", "True", "ReconciliationSucceeded", &message, at)];
            if waits {
                conditions.push(condition("Healthy", "True", "Succeeded", "Health check passed in 25ms", at));
            }
            ("Compliant", conditions)
        }
        Applied::Failed { reason, message } => {
            ("Non-Compliant", vec![condition("Ready", "False", reason, message, at)])
        }
    };
    status(configuration, &object, "Kustomization", compliance, conditions)
}

/// Conditions that say what they said before keep the time of their last transition.
pub(crate) fn keep_transition_times(previous: &[Value], status: &mut Value) {
    let same = |one: &Value, other: &Value, names: &[&str]| names.iter().all(|name| one.get(name) == other.get(name));
    let Some(old) = previous.iter().find(|old| same(old, status, &["name", "namespace", "kind"])) else { return };
    let old: Vec<Value> = old.get("statusConditions").and_then(Value::as_array).cloned().unwrap_or_default();
    let conditions = status.get_mut("statusConditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        let was = old.iter().find(|was| same(was, condition, &["type", "status", "reason", "message"]));
        if let (Some(was), Some(time)) = (was, condition.get_mut("lastTransitionTime"))
            && let Some(earlier) = was.get("lastTransitionTime")
        {
            time.clone_from(earlier);
        }
    }
}

/// The whole configuration's state: the worst of its objects'.
pub(crate) fn overall(statuses: &[Value]) -> &'static str {
    let any = |state: &str| {
        statuses.iter().any(|status| status.get("complianceState").and_then(Value::as_str) == Some(state))
    };
    if any("Non-Compliant") {
        "Non-Compliant"
    } else if any("Pending") {
        "Pending"
    } else {
        "Compliant"
    }
}
