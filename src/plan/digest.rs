//! What a plan binds to.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::{Action, Choices, Mode, Precondition, Refusal, Step};
use crate::kinds::Hole;
use crate::model::{Address, text_form};

/// `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest; one is `sha256:` and 64 hexadecimal digits")]
pub struct DigestError(String);

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("sha256:") {
            Some(hex) if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Self(text.to_ascii_lowercase()))
            }
            _ => Err(DigestError(text.to_owned())),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SHA-256 of a value's canonical JSON (RFC 8785), in hexadecimal.
pub(super) fn sha256(value: &Value) -> String {
    // A `serde_json::Value` has string keys and finite numbers only, which is all that canonicalising can refuse.
    let canonical = serde_json_canonicalizer::to_vec(value).unwrap_or_default();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &canonical);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

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
    // `only`, `wait`, `offline` and `force_delete` are in the changes, their steps, what is deferred and what is refused.
    let Choices {
        only: _,
        wait: _,
        workloads,
        allow_replace,
        offline: _,
        resend_secrets,
        force_delete: _,
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
    Digest(format!("sha256:{}", sha256(&value)))
}

text_form!(Digest, schema { "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" });
