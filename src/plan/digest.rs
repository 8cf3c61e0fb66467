//! What a plan binds to.

use serde_json::{Value, json};

use super::{Action, Choices, Mode, Precondition, Refusal, Step};
use crate::kinds::Hole;
use crate::model::{Address, Digest};

/// The part of a change that is bound: nothing that is only for reading.
pub(super) fn bound(address: &Address, action: Action, steps: &[Step], precondition: Option<&Precondition>) -> Value {
    let precondition = match precondition {
        None => Value::Null,
        Some(Precondition::Absent) => json!("absent"),
        Some(Precondition::Unchanged { live: _, sha256 }) => json!(sha256),
    };
    json!({
        "address": address,
        "actions": action,
        "steps": steps.iter().map(step).collect::<Vec<_>>(),
        "precondition": precondition,
    })
}

/// A step as it is bound: with its real body, where serialising would mask it.
fn step(step: &Step) -> Value {
    let holes = |holes: &[Hole]| json!(holes);
    match step {
        Step::Register { id, api_version } => json!({"step": "register", "id": id, "api_version": api_version}),
        Step::Put { id, api_version, body, holes: secrets } => {
            json!({"step": "put", "id": id, "api_version": api_version, "body": body, "holes": holes(secrets)})
        }
        Step::Patch { id, api_version, body, holes: secrets, when } => json!({
            "step": "patch", "id": id, "api_version": api_version, "body": body, "holes": holes(secrets), "when": when,
        }),
        Step::Delete { id, api_version, force } => {
            json!({"step": "delete", "id": id, "api_version": api_version, "force": force})
        }
        Step::Expect { id, api_version, only } => {
            json!({"step": "expect", "id": id, "api_version": api_version, "only": only})
        }
        Step::Wait { id, api_version, until } => {
            json!({"step": "wait", "id": id, "api_version": api_version, "until": until})
        }
        Step::Look { id, context, agents } => json!({"step": "look", "id": id, "context": context, "agents": agents}),
        Step::Connect { id, api_version, body, holes } => {
            json!({"step": "connect", "id": id, "api_version": api_version, "body": body, "holes": holes})
        }
        Step::InstallAgents { id, context, chart, settings } => json!({
            "step": "install_agents", "id": id, "context": context, "chart": chart, "settings": settings,
        }),
        Step::RemoveAgents { id, context } => json!({"step": "remove_agents", "id": id, "context": context}),
        Step::Az { id, arguments } => json!({"step": "az", "id": id, "arguments": arguments}),
    }
}

/// The digest of a plan: the fingerprints of its changes, where it was read, which way it goes, and what was allowed. Over
/// fingerprints, so that it can be checked on a saved plan, whose bodies are masked.
///
/// Steps alone do not tell a refused plan from the same one allowed, be it by an option, by a base or by the spec; a plan
/// that needs no allowance has none in it.
pub(super) fn plan_digest(
    origin: &str,
    tenant: Option<&str>,
    mode: Mode,
    choices: &Choices,
    changes: &[(&Address, &str)],
    deferred: &[(&Address, Action)],
    refusals: &[Refusal],
) -> Digest {
    // `only`, `wait`, `offline`, `force_delete` and `disconnect` are in the changes, their steps, what is deferred and what is refused.
    let Choices {
        only: _,
        wait: _,
        workloads,
        allow_replace,
        offline: _,
        resend_secrets,
        force_delete: _,
        disconnect: _,
        max_delete,
        max_update,
    } = choices;
    let mut value = json!({"origin": origin, "tenant": tenant, "mode": mode, "changes": changes});
    if !deferred.is_empty() {
        value["deferred"] = json!(deferred);
    }
    if *resend_secrets {
        value["resend_secrets"] = json!(true);
    }
    if workloads.is_some() || *allow_replace {
        value["allowed"] = json!({"workloads": workloads, "allow_replace": allow_replace});
    }
    if max_delete.is_some() || max_update.is_some() {
        value["limits"] = json!({"max_delete": max_delete, "max_update": max_update});
    }
    let refused: Vec<Value> = refusals
        .iter()
        .filter(|refusal| refusal.binds())
        .map(|Refusal { code, address, message: _, hint: _ }| json!([code, address]))
        .collect();
    if !refused.is_empty() {
        value["refused"] = json!(refused);
    }
    Digest::of(&value)
}
