//! A saved plan against a fresh one: the same, a remainder of it, or something else.

use serde_json::{Value, to_value};

use super::{Action, Change, Consequence, Plan, Precondition};
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
        let planned: Vec<&Change> =
            saved.resource_changes.iter().filter(|planned| planned.address == change.address).collect();
        match planned.as_slice() {
            [planned] if planned.fingerprint == change.fingerprint => {
                if let Some(part) = edited(planned, change) {
                    found.push(deviation(
                        &change.address,
                        format!("its {part} in the plan are not what its fingerprint stands for: the plan was edited"),
                    ));
                }
            }
            [planned] if planned.writes() => found.push(deviation(&change.address, moved(planned, change))),
            [_] | [] => found.push(deviation(
                &change.address,
                format!("needs a change now ({}) that is not in the plan", words(change.change.actions)),
            )),
            [_, _, ..] => {
                found.push(deviation(&change.address, "is in the plan more than once: the plan was edited".to_owned()));
            }
        }
    }
    // What is done by now is still planned for, with nothing to do. What is not planned for was taken out of the spec.
    let is_planned_for = |address: &Address| fresh.resource_changes.iter().any(|change| change.address == *address);
    let taken_out = saved.resource_changes.iter().filter(|change| change.writes() && !is_planned_for(&change.address));
    found.extend(taken_out.map(|change| {
        deviation(&change.address, "is not in the spec that the plan holds: the plan was edited".to_owned())
    }));
    found
}

/// What somebody wrote into a saved change: whoever reads it must read what is done. Compared as written into plan
/// files, where values that look like secrets are masked.
pub(super) fn edited(planned: &Change, now: &Change) -> Option<&'static str> {
    let parts = |change: &Change| -> Result<[(&'static str, Value); 10], serde_json::Error> {
        let Change {
            address: _,
            id,
            kind,
            api_version,
            change,
            action_reason,
            fields,
            ignored,
            drift,
            // Who touched it last. A touch that left every value as it was changes nothing that was agreed to, and one
            // that did not has changed the precondition.
            modified: _,
            // A count, for reading only.
            unchanged: _,
            secrets,
            consequences,
            needs,
            cluster,
            steps,
            precondition,
            fingerprint: _,
        } = change;
        let consequences: Vec<(&str, &str)> = consequences.iter().map(Consequence::lasting).collect();
        Ok([
            ("steps", to_value(steps)?),
            ("fields", to_value(fields)?),
            ("remarks", to_value((ignored, drift))?),
            ("bodies", to_value(change)?),
            ("consequences", to_value(consequences)?),
            ("secrets", to_value(secrets)?),
            ("reasons", to_value(action_reason)?),
            ("preconditions", to_value(precondition)?),
            ("needs", to_value((needs, cluster))?),
            ("ids", to_value((id, kind, api_version))?),
        ])
    };
    match (parts(planned), parts(now)) {
        (Ok(planned), Ok(now)) => {
            planned.into_iter().zip(now).find(|(planned, now)| planned != now).map(|((part, _), _)| part)
        }
        (Err(_), _) | (_, Err(_)) => Some("parts"),
    }
}

/// What moved between two changes of the same resource.
fn moved(planned: &Change, now: &Change) -> String {
    if (planned.change.actions, now.change.actions) == (Action::Replace, Action::Create) {
        return "the old one is gone, and the new one was not created: it would be created now, and the plan says replaced"
            .to_owned();
    }
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
