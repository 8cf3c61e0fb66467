//! A saved plan against a fresh one: the same, a remainder of it, or something else.

use serde_json::{Value, to_value};

use super::{Action, Change, Plan, Precondition};
use crate::diff::compare;
use crate::kinds::shown_path;
use crate::model::Address;

/// How a fresh plan departs from the saved one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// The resource.
    pub address: Address,
    /// What is different, in one sentence.
    pub message: String,
}

/// Where `fresh` does what `saved` did not plan. Empty when it is the same plan or a remainder of it: every change
/// equals one in the saved plan, and what is missing needs no change any more, so it already is as planned.
#[must_use]
pub fn deviations(saved: &Plan, fresh: &Plan) -> Vec<Deviation> {
    let deviation = |address: &Address, message: String| Deviation { address: address.clone(), message };
    let mut found = Vec::new();
    for change in fresh.resource_changes.iter().filter(|change| change.writes()) {
        match saved.resource_changes.iter().find(|planned| planned.address == change.address) {
            Some(planned) if planned.fingerprint == change.fingerprint => {
                if let Some(edited) = edited(planned, change) {
                    found.push(deviation(&change.address, edited));
                }
            }
            Some(planned) if planned.writes() => found.push(deviation(&change.address, moved(planned, change))),
            Some(_) | None => found.push(deviation(
                &change.address,
                format!("needs a change now ({}) that is not in the plan", words(change.change.actions)),
            )),
        }
    }
    found
}

/// What somebody wrote into a saved change: whoever reads it must read what is done. Compared as written into plan
/// files, where values that look like secrets are masked.
fn edited(planned: &Change, now: &Change) -> Option<String> {
    let differs =
        |planned: Result<Value, serde_json::Error>, now: Result<Value, serde_json::Error>| match (planned, now) {
            (Ok(planned), Ok(now)) => planned != now,
            (Err(_), _) | (_, Err(_)) => true,
        };
    let part = if differs(to_value(&planned.steps), to_value(&now.steps)) {
        "steps"
    } else if differs(to_value(&planned.fields), to_value(&now.fields)) {
        "fields"
    } else {
        return None;
    };
    Some(format!("its {part} in the plan are not what its fingerprint stands for: the plan was edited"))
}

/// What moved between two changes of the same resource.
fn moved(planned: &Change, now: &Change) -> String {
    if planned.change.actions != now.change.actions {
        return format!(
            "would be {} now, and the plan says {}",
            words(now.change.actions),
            words(planned.change.actions)
        );
    }
    if let (
        Some(Precondition::Unchanged { live: then, sha256: hash_then }),
        Some(Precondition::Unchanged { live: now, sha256: hash_now }),
    ) = (&planned.precondition, &now.precondition)
        && hash_then != hash_now
    {
        let fields: Vec<String> = compare(then, now).iter().map(|field| shown_path(&field.path).to_string()).collect();
        let what = if fields.is_empty() { "a value that is not shown".to_owned() } else { fields.join(", ") };
        return format!("changed since the plan was made: {what}");
    }
    "would be changed in another way than the plan says".to_owned()
}

fn words(action: Action) -> &'static str {
    match action {
        Action::NoOp => "left alone",
        Action::Read => "read",
        Action::Create => "created",
        Action::Update => "updated in place",
        Action::Replace => "replaced",
        Action::Delete => "destroyed",
    }
}
