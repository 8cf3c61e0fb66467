//! What became of a write, by what is live after it: purely.

use serde_json::Value;

use super::change::Live;
use super::failures::moved;
use crate::diff::FieldChange;
use crate::kinds::onboarding;
use crate::kinds::provider::{Registration, registration};
use crate::kinds::shown_path;
use crate::kinds::state::{ProvisioningState, provisioning_state};
use crate::plan::{Change, Failure, Modified, Precondition, Step, shown_live};

/// Why a record is not sent, or not sent again.
pub(super) const CONNECTED_BY_OTHERS: &str = "somebody else has connected the cluster";

/// A write that was accepted, and has not been compared with what is live.
pub(super) struct Unchecked<'p> {
    pub(super) step: &'p Step,
    /// What comes after it.
    pub(super) later: &'p [Step],
    /// What was live before it.
    pub(super) before: Live,
    /// Whether it was sent a second time because it had not taken effect.
    pub(super) is_repeat: bool,
}

/// What became of a write, by what is live.
#[derive(Debug, PartialEq)]
pub(super) enum Standing {
    /// It was carried out, or is being carried out.
    Taken,
    /// Somebody else has done everything that the change would write.
    Done,
    /// Everything is as it was before.
    AsBefore,
    /// An operation goes on, with this word.
    InFlight(String),
    /// Something else is there.
    Moved(String),
}

impl Unchecked<'_> {
    /// What has not taken effect, in words; `None` when everything has.
    ///
    /// # Errors
    ///
    /// When sending it again would overwrite what somebody else has added since.
    pub(super) fn left_over(&self, change: &Change, live: Option<&Value>) -> Result<Option<String>, Failure> {
        let Some(live) = live else { return Ok(None) };
        let left = left(self.step, self.later, change, live);
        if left.is_empty() {
            return Ok(None);
        }
        let is_new = |field: &&FieldChange| {
            field.after.is_none() && self.before.as_ref().is_none_or(|before| field.path.get(before).is_none())
        };
        let added: Vec<String> = left.iter().filter(is_new).map(|field| shown_path(&field.path).to_string()).collect();
        if !self.is_repeat && !added.is_empty() {
            return Err(moved(&format!("while it was written, somebody added {}", added.join(", "))));
        }
        Ok(Some(shown_live(&left)))
    }
}

/// What sending `step` would change, but for what one of the `later` steps is there for.
fn left(step: &Step, later: &[Step], change: &Change, live: &Value) -> Vec<FieldChange> {
    let is_for_later = |field: &FieldChange| {
        let removes = |step: &Step| matches!(step, Step::Patch { when: Some(when), .. } if when.is_about(&field.path));
        field.after.is_none() && later.iter().any(removes)
    };
    let mut left = step.would_change(change.kind, live);
    left.retain(|field| !is_for_later(field));
    left
}

/// The word for the operation that goes on, if one does.
pub(super) fn in_flight(live: Option<&Value>) -> Option<String> {
    match provisioning_state(live?) {
        ProvisioningState::InFlight(state) => Some(state),
        ProvisioningState::Succeeded | ProvisioningState::Failed(_) => None,
    }
}

pub(super) fn is_going(live: Option<&Value>) -> bool {
    in_flight(live).is_some_and(|state| state.eq_ignore_ascii_case("Deleting"))
}

/// What became of `step` by what is live `now`, where `before` was live before. `is_unanswered` says that it may have
/// been carried out.
pub(super) fn standing(
    step: &Step,
    later: &[Step],
    change: &Change,
    before: Option<&Value>,
    now: Option<&Value>,
    (is_unanswered, public_key): (bool, Option<&str>),
) -> Standing {
    match step {
        // The key is of this run alone: whoever has it there has it from us.
        Step::Connect { .. } => {
            return match now {
                None => Standing::AsBefore,
                Some(now) if public_key.is_some() && onboarding::public_key(now) == public_key => Standing::Taken,
                Some(_) => Standing::Moved(CONNECTED_BY_OTHERS.to_owned()),
            };
        }
        Step::Register { .. } => {
            return match now.map(registration) {
                Some(Registration::Registered | Registration::Registering) => Standing::Taken,
                Some(Registration::NotRegistered(_)) | None => Standing::AsBefore,
            };
        }
        Step::Delete { .. } if now.is_none() => return Standing::Taken,
        // What is forced is done at once, whatever goes on.
        Step::Delete { force: true, .. } => return Standing::AsBefore,
        Step::Delete { .. } if is_going(now) => return Standing::Taken,
        Step::Delete { .. }
        | Step::Put { .. }
        | Step::Patch { .. }
        | Step::Expect { .. }
        | Step::Wait { .. }
        | Step::Look { .. }
        | Step::InstallAgents { .. }
        | Step::RemoveAgents { .. }
        | Step::Az { .. } => {}
    }
    let violation = Precondition::stays(change.kind, before).violation(change.kind, now);
    let is_wanted = match step {
        Step::Put { .. } | Step::Patch { .. } => now.is_some_and(|now| left(step, later, change, now).is_empty()),
        Step::Register { .. }
        | Step::Delete { .. }
        | Step::Expect { .. }
        | Step::Wait { .. }
        | Step::Look { .. }
        | Step::Connect { .. }
        | Step::InstallAgents { .. }
        | Step::RemoveAgents { .. }
        | Step::Az { .. } => false,
    };
    // That it is as wanted says something only where it was not so before, or was written since. So it does of secrets,
    // too, which cannot be seen: a write is carried out as a whole.
    let is_newer = || before.and_then(Modified::of) != now.and_then(Modified::of);
    if is_unanswered && is_wanted && (violation.is_some() || in_flight(now).is_some() || is_newer()) {
        return Standing::Taken;
    }
    if let Some(state) = in_flight(now) {
        return Standing::InFlight(state);
    }
    match violation {
        None => Standing::AsBefore,
        Some(_) if change.is_done(now) => Standing::Done,
        Some(violation) => Standing::Moved(violation),
    }
}
