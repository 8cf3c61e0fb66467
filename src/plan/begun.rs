//! Changes of a saved plan that a run began and did not end: what is left of them.
//!
//! A change of several writes that stopped between two of them leaves a state that the plan was not made from. That
//! somebody else has not made it so is proven: the live state is taken back to before the writes that are done, the plan
//! is made again from there, and must have the saved change, which those writes turn into what is live.

use serde_json::{Map, Value, json};

use super::saved::{deviations, edited};
use super::{Change, Deviation, Plan, Precondition, Step};
use crate::model::{FieldPath, LiveState, Missing, Reading};

/// [`deviations`], with no regard to changes that were begun and whose remainder is what `fresh` does. `live` is what
/// `fresh` was made from, and `make` makes the plan from another live state.
#[must_use]
pub fn deviations_from_begun(
    saved: &Plan,
    fresh: &Plan,
    live: &LiveState,
    make: impl FnOnce(&LiveState) -> Option<Plan>,
) -> Vec<Deviation> {
    let mut found = deviations(saved, fresh);
    let begun: Vec<(&Change, &Change)> = found
        .iter()
        .filter_map(|deviation| {
            let planned = the_one(saved, deviation)?;
            let now = the_one(fresh, deviation)?;
            (now.writes() && planned.steps.len() > now.steps.len()).then_some((planned, now))
        })
        .collect();
    let mut before = live.clone();
    let mut is_rewound = false;
    for (planned, now) in &begun {
        if let Some(body) = body_before(planned, now, live) {
            before.readings.insert(now.id.clone(), Reading::Present(body));
            is_rewound = true;
        }
    }
    let Some(again) = is_rewound.then(|| make(&before)).flatten() else { return found };
    found.retain(|deviation| {
        let left = (the_one(saved, deviation), the_one(&again, deviation), the_one(fresh, deviation));
        let (Some(planned), Some(again), Some(now)) = left else { return true };
        !is_rest(planned, again, now, live, &before)
    });
    found
}

fn the_one<'p>(plan: &'p Plan, deviation: &Deviation) -> Option<&'p Change> {
    let mut all = plan.resource_changes.iter().filter(|change| change.address == deviation.address);
    all.next().filter(|_| all.next().is_none())
}

/// What was live before the steps of `planned` that `now` does not have any more, as far as it can be told: the body that
/// the plan was made from where it is gone by now, else what is live with everything taken back that they write.
fn body_before(planned: &Change, now: &Change, live: &LiveState) -> Option<Value> {
    let done = &planned.steps[..planned.steps.len() - now.steps.len()];
    let Some(Precondition::Unchanged { live: then, sha256: _ }) = &planned.precondition else { return None };
    match (Writes::of(done)?, live.readings.get(&now.id)?) {
        (Writes::Deletion, Reading::Missing(Missing::Itself)) => {
            let mut body = then.clone();
            // It was at rest: nothing is deleted while something else goes on.
            body.as_object_mut()?
                .entry("properties")
                .or_insert_with(|| json!({}))
                .as_object_mut()?
                .insert("provisioningState".to_owned(), Value::from("Succeeded"));
            body.as_object_mut()?.insert("name".to_owned(), Value::from(now.id.name()));
            Some(body)
        }
        (Writes::Patches(patches), Reading::Present(body)) => {
            let mut body = body.clone();
            for patch in patches {
                for path in leaves(patch) {
                    let (was, is) = (path.get(then), path.get(patch));
                    if was == is {
                        continue;
                    }
                    match was {
                        Some(was) => path.set(&mut body, was.clone()),
                        None => drop(path.remove(&mut body)),
                    }
                }
            }
            Some(body)
        }
        (Writes::Deletion, _) | (Writes::Patches(_), _) => None,
    }
}

/// Whether `now` is what is left of `planned`, which is `again` where it was made again from the state `before`.
fn is_rest(planned: &Change, again: &Change, now: &Change, live: &LiveState, before: &LiveState) -> bool {
    let Some(done) = again.steps.len().checked_sub(now.steps.len()).map(|done| &again.steps[..done]) else {
        return false;
    };
    let belongs = |change: &Change| {
        let Change { address, id, kind, api_version, needs, cluster, .. } = change;
        (address.clone(), id.clone(), *kind, api_version.clone(), needs.clone(), cluster.clone())
    };
    if again.steps[done.len()..] != now.steps || belongs(again) != belongs(now) {
        return false;
    }
    match Writes::of(done) {
        // The old one is gone, and with it what the values that the plan does not show could be compared with.
        Some(Writes::Deletion) => {
            let again = Change { precondition: planned.precondition.clone(), ..again.clone() };
            now.precondition == Some(Precondition::Absent)
                && live.body(&now.id).is_none()
                && edited(planned, &again).is_none()
        }
        Some(Writes::Patches(patches)) => {
            let Some(mut body) = before.body(&now.id).cloned() else { return false };
            patches.into_iter().for_each(|patch| json_patch::merge(&mut body, patch));
            planned.fingerprint == again.fingerprint
                && edited(planned, again).is_none()
                && now.precondition == Some(Precondition::stays(now.kind, Some(&body)))
                && now.precondition == Some(Precondition::stays(now.kind, live.body(&now.id)))
        }
        None => false,
    }
}

/// The writes of the steps that are done.
enum Writes<'p> {
    /// The resource was deleted in the end.
    Deletion,
    /// Parts of it were changed, in this order.
    Patches(Vec<&'p Value>),
}

impl<'p> Writes<'p> {
    /// `None` where there are none, or such as cannot be taken back.
    fn of(steps: &'p [Step]) -> Option<Self> {
        let mut patches = Vec::new();
        let mut is_deleted = false;
        for step in steps {
            match step {
                Step::Patch { body, holes, when: None, .. } if holes.is_empty() => patches.push(body),
                Step::Delete { force: false, .. } => is_deleted = true,
                Step::Expect { .. } | Step::Wait { .. } | Step::Look { .. } => {}
                Step::Register { .. }
                | Step::Put { .. }
                | Step::Patch { .. }
                | Step::Delete { .. }
                | Step::Connect { .. }
                | Step::InstallAgents { .. }
                | Step::RemoveAgents { .. }
                | Step::Az { .. } => return None,
            }
        }
        match is_deleted {
            true => Some(Self::Deletion),
            false => (!patches.is_empty()).then_some(Self::Patches(patches)),
        }
    }
}

/// The paths of everything that a merge patch says.
fn leaves(patch: &Value) -> Vec<FieldPath> {
    fn collect(path: &FieldPath, object: &Map<String, Value>, found: &mut Vec<FieldPath>) {
        for (key, value) in object {
            let path = path.key(key.clone());
            match value {
                Value::Object(object) => collect(&path, object, found),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    found.push(path);
                }
            }
        }
    }
    let mut found = Vec::new();
    if let Some(object) = patch.as_object() {
        collect(&FieldPath::default(), object, &mut found);
    }
    found
}
