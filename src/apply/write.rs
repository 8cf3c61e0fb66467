//! One write: when it may be sent, what became of it where no answer says, and whether it has taken effect.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::change::{Live, Progress, Runner, denied};
use super::failures::{chain, failed, failure, goes_on, interrupted, moved, patience_words};
use super::obstacles;
use super::reaction::{Reaction, reaction, was_sent};
use super::turn::Unsettled;
use crate::arm::{Accepted, ArmClient, ArmError, Operation};
use crate::diff::FieldChange;
use crate::kinds::onboarding;
use crate::kinds::provider::{Registration, registration};
use crate::kinds::shown_path;
use crate::kinds::state::{ProvisioningState, provisioning_state};
use crate::model::{Listing, Reading, ResourceId};
use crate::plan::{Change, EventKind, Failure, Modified, Precondition, Step, Until, Written, shown_live};

/// How often what met something that passes in a moment is sent again.
const CLASHES: u32 = 6;

/// How often a write that got no answer and has not taken effect is sent again.
const UNANSWERED: u32 = 3;

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
enum Standing {
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

fn is_going(live: Option<&Value>) -> bool {
    in_flight(live).is_some_and(|state| state.eq_ignore_ascii_case("Deleting"))
}

/// What became of `step` by what is live `now`, where `before` was live before. `is_unanswered` says that it may have
/// been carried out.
fn standing(
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
                Some(_) => Standing::Moved("somebody else has connected the cluster".to_owned()),
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

impl Runner<'_> {
    /// Sends a write once nothing is in its way and the world is still what the plan was made from.
    pub(super) async fn write<'p>(
        &self,
        step: &'p Step,
        later: &'p [Step],
        progress: &mut Progress<'p>,
    ) -> Result<(), Failure> {
        let before = match step {
            Step::Register { .. } => None,
            Step::Put { .. }
            | Step::Patch { .. }
            | Step::Delete { .. }
            | Step::Expect { .. }
            | Step::Wait { .. }
            | Step::Look { .. }
            | Step::Connect { .. }
            | Step::InstallAgents { .. }
            | Step::RemoveAgents { .. }
            | Step::Az { .. } => {
                let Some(before) = self.free_to_write(step, progress).await? else { return Ok(()) };
                Some(before)
            }
        };
        if let Step::Patch { id, when: Some(condition), .. } = step
            && let Some(live) = &before
            && !live.as_ref().is_some_and(|live| condition.holds(live))
        {
            progress.live = Some((id, live.clone()));
            return Ok(());
        }
        if self.settings.interrupt.is_requested() {
            return Err(interrupted("the next write was not sent"));
        }
        if let Step::Connect { .. } = step {
            self.make_keys(progress)?;
        }
        self.send_until_known(step, later, before.as_ref(), progress).await?;
        let is_compared = match step {
            Step::Put { .. } | Step::Patch { .. } => !progress.is_done,
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
        if let Some(before) = before.filter(|_| is_compared) {
            progress.unchecked = Some(Unchecked { step, later, before, is_repeat: false });
        }
        Ok(())
    }

    /// Whether a collection holds nothing but what the plan knows of.
    pub(super) async fn expect(&self, id: &ResourceId, api_version: &str, only: &[String]) -> Result<(), Failure> {
        let listing = self.unless_interrupted(self.arm.list(id, api_version)).await;
        let listing = listing.ok_or_else(|| interrupted("the next write was not sent"))?;
        match listing.map_err(|error| failed(&error))? {
            Listing::Missing(_) => Ok(()),
            Listing::Denied(message) => Err(moved(&format!("the {} may not be listed any more: {message}", id.name()))),
            Listing::Items(items) => {
                let names = items.iter().filter_map(|item| item.get("name").and_then(Value::as_str));
                let is_new = |name: &&str| !only.iter().any(|known| known.eq_ignore_ascii_case(name));
                let new: BTreeSet<&str> = names.filter(is_new).collect();
                match new.is_empty() {
                    true => Ok(()),
                    false => Err(moved(&format!(
                        "there are {} now that the plan does not know of: {}",
                        id.name(),
                        Vec::from_iter(new).join(", ")
                    ))),
                }
            }
        }
    }

    /// Waits for what the change before has left behind on the cluster.
    pub(super) async fn await_predecessor(&self, progress: &mut Progress<'_>) -> Result<(), Failure> {
        let Some(left) = progress.turn.as_ref().and_then(|turn| turn.left.clone()) else { return Ok(()) };
        let live = self.read_of(&left.id, &left.api_version, true).await?;
        if in_flight(live.as_ref()).is_some() {
            self.until_settled(&left, live, progress).await?;
        }
        if let Some(turn) = &mut progress.turn {
            turn.left = None;
        }
        Ok(())
    }

    /// What is live before a write, once no operation goes on; `None` when there is nothing left to write.
    async fn free_to_write(&self, step: &Step, progress: &mut Progress<'_>) -> Result<Option<Live>, Failure> {
        let change = progress.change;
        let mut live = match progress.live.take() {
            Some((id, live)) if id == step.id() => live,
            Some(_) | None => self.read(step.id(), &change.api_version, progress).await?,
        };
        if matches!(step, Step::Delete { force: false, .. }) && is_going(live.as_ref()) {
            return Ok(None);
        }
        // A deletion ends what goes on, unless ARM says otherwise; that may never end by itself, as an update does not on a
        // cluster without the extension.
        if in_flight(live.as_ref()).is_some() && !matches!(step, Step::Delete { .. }) {
            let one = Unsettled { id: step.id().clone(), ..progress.unsettled() };
            live = self.until_settled(&one, live, progress).await?;
        }
        if !progress.wrote
            && let Some(precondition) = &change.precondition
            && let Some(violation) = precondition.violation(change.kind, live.as_ref())
        {
            if !change.is_done(live.as_ref()) {
                return Err(moved(&violation));
            }
            progress.is_done = true;
            return Ok(None);
        }
        Ok(Some(live))
    }

    /// Waits until no operation goes on, which somebody else has begun or a change before this one.
    async fn until_settled(
        &self,
        one: &Unsettled,
        mut live: Live,
        progress: &mut Progress<'_>,
    ) -> Result<Live, Failure> {
        let patience = self.settings.timeouts.of(&Until::Provisioned, one.kind);
        let deadline = self.arm.now().checked_add(patience).unwrap_or(jiff::Timestamp::MAX);
        let mut delays = ArmClient::backoff();
        while let Some(state) = in_flight(live.as_ref()) {
            self.tell_of_wait(progress, "another operation to end", &format!("{} is {state}", one.address));
            let left = Duration::try_from(deadline.duration_since(self.arm.now())).unwrap_or_default();
            if left.is_zero() {
                if let Some(turn) = &mut progress.turn {
                    turn.left = Some(one.clone());
                }
                let message = format!(
                    "not written: another operation on {} has not ended after {}: {state}",
                    one.address,
                    patience_words(patience)
                );
                return Err(failure("timed_out", message, Some(goes_on(one.kind, &one.id))));
            }
            self.rest(delays.next().unwrap_or(left), left, progress).await?;
            live = self.read_of(&one.id, &one.api_version, !progress.is_unanswered).await?;
        }
        Ok(live)
    }

    /// Sends a write until it is known what became of it. `before` is what was live before; nothing is of a
    /// registration.
    ///
    /// A write that ARM refused because something else was going on was not carried out, and one that got no answer may
    /// have been: before either is sent again, the resource is read. If it is as the write wants it, nothing more is
    /// sent; if it is as it was before, the write is; and if it is something else, nobody overwrites it.
    pub(super) async fn send_until_known(
        &self,
        step: &Step,
        later: &[Step],
        before: Option<&Live>,
        progress: &mut Progress<'_>,
    ) -> Result<(), Failure> {
        let change = progress.change;
        let before = before.and_then(Option::as_ref);
        let patience = self.settings.timeouts.of(&Until::Provisioned, change.kind);
        let deadline = self.arm.now().checked_add(patience).unwrap_or(jiff::Timestamp::MAX);
        let mut delays = ArmClient::backoff();
        let (mut clashes, mut unanswered) = (0, 0);
        loop {
            let Err(error) = self.send(step, progress).await else {
                progress.is_unanswered = false;
                return Ok(());
            };
            let left = Duration::try_from(deadline.duration_since(self.arm.now())).unwrap_or_default();
            let waiting_for = match reaction(&error) {
                Reaction::Final => return Err(failed(&error)),
                Reaction::Abandoned => return Err(self.stopped(progress)),
                Reaction::Busy if left.is_zero() => {
                    let message = format!("not written: after {} still {}", patience_words(patience), chain(&error));
                    return Err(match obstacles::told(&self.obstacles(change).await, change.kind) {
                        Some((names, hint)) => failure("timed_out", format!("{message}; {names}"), Some(hint)),
                        None => failure("timed_out", message, Some(goes_on(change.kind, step.id()))),
                    });
                }
                Reaction::Busy => "another operation to end",
                Reaction::Clash if clashes == CLASHES => return Err(failed(&error)),
                Reaction::Clash => {
                    clashes += 1;
                    "another write to end"
                }
                Reaction::Unknown => {
                    unanswered += 1;
                    (progress.is_unanswered, progress.is_open) = (true, true);
                    "what became of the write"
                }
            };
            self.tell_of_wait(progress, waiting_for, &chain(&error));
            let delay = self.arm.spread(delays.next().unwrap_or(left));
            self.rest(delay, Duration::MAX, progress).await?;
            let mut now = self.read(step.id(), step_version(step, change), progress).await.map_err(|unread| {
                match progress.is_unanswered {
                    true => Failure {
                        message: format!("{}; and what became of it cannot be read: {}", chain(&error), unread.message),
                        ..outcome_unknown(&error)
                    },
                    false => unread,
                }
            })?;
            let stands = loop {
                let of_us = (progress.is_unanswered, progress.connection.public_key());
                match standing(step, later, change, before, now.as_ref(), of_us) {
                    Standing::InFlight(_) => {
                        let one = Unsettled { id: step.id().clone(), ..progress.unsettled() };
                        now = self.until_settled(&one, now, progress).await?;
                    }
                    stands => break stands,
                }
            };
            match stands {
                Standing::Taken => {
                    progress.written = progress.is_unanswered.then(|| self.arm.now()).or(progress.written);
                    progress.wrote |= progress.is_unanswered;
                    progress.is_unanswered = false;
                    progress.operation = None;
                    return Ok(());
                }
                Standing::Done if !progress.wrote => {
                    progress.is_done = true;
                    progress.wrote |= progress.is_unanswered;
                    progress.is_unanswered = false;
                    return Ok(());
                }
                Standing::AsBefore if unanswered > UNANSWERED => return Err(outcome_unknown(&error)),
                Standing::AsBefore if self.settings.interrupt.is_requested() => return Err(self.stopped(progress)),
                Standing::AsBefore | Standing::InFlight(_) => {}
                Standing::Done => return Err(moved("somebody else has written it")),
                Standing::Moved(violation) => return Err(moved(&violation)),
            }
        }
    }

    /// The end of a write that is not sent, because the run is to stop.
    fn stopped(&self, progress: &Progress<'_>) -> Failure {
        match progress.is_unanswered {
            true => interrupted("a write got no answer, has not taken effect, and was not sent again"),
            false => interrupted("the next write was not sent"),
        }
    }

    /// Sends what a step sends, and notes it.
    async fn send(&self, step: &Step, progress: &mut Progress<'_>) -> Result<(), ArmError> {
        let secrets = self.settings.secrets;
        let (method, outcome): (&str, Result<Accepted, ArmError>) = match step {
            Step::Register { id, api_version } => ("POST", self.arm.register(id, api_version).await),
            Step::Put { id, api_version, body, holes } => {
                ("PUT", self.arm.put(id, api_version, &secrets.fill(body, holes)).await)
            }
            Step::Patch { id, api_version, body, holes, when: _ } => {
                ("PATCH", self.arm.patch(id, api_version, &secrets.fill(body, holes)).await)
            }
            Step::Delete { id, api_version, force: false } => ("DELETE", self.arm.delete(id, api_version).await),
            Step::Delete { id, api_version, force: true } => ("DELETE", self.arm.force_delete(id, api_version).await),
            Step::Connect { id, api_version, body, holes } => {
                ("PUT", self.arm.put(id, api_version, &progress.connection.fill(body, holes)).await)
            }
            Step::Expect { .. }
            | Step::Wait { .. }
            | Step::Look { .. }
            | Step::InstallAgents { .. }
            | Step::RemoveAgents { .. }
            | Step::Az { .. } => return Ok(()),
        };
        let method = method.to_owned();
        let accepted = match outcome {
            Ok(accepted) => accepted,
            Err(error) => {
                if was_sent(&error) {
                    let refusal = error.refusal();
                    progress.writes.push(Written {
                        method,
                        status: refusal.map(|refusal| refusal.status),
                        correlation_id: self.masked_id(refusal.and_then(|refusal| refusal.correlation_id.as_deref())),
                        operation_id: None,
                    });
                }
                return Err(error);
            }
        };
        let Accepted { status, body: _, operation, correlation_id } = accepted;
        let correlation_id = self.masked_id(correlation_id.as_deref());
        let operation_id = self.masked_id(operation.as_ref().map(Operation::id));
        progress.writes.push(Written {
            method: method.clone(),
            status: Some(status),
            correlation_id: correlation_id.clone(),
            operation_id: operation_id.clone(),
        });
        (progress.wrote, progress.is_open) = (true, true);
        progress.written = Some(self.arm.now());
        progress.operation = operation;
        progress.correlation_id.clone_from(&correlation_id);
        self.tell(&progress.change.address, EventKind::Accepted { method, status, operation_id, correlation_id });
        Ok(())
    }

    /// What is live. Before the outcome of a write is known, reading is not cut short.
    pub(super) async fn read(
        &self,
        id: &ResourceId,
        api_version: &str,
        progress: &Progress<'_>,
    ) -> Result<Live, Failure> {
        self.read_of(id, api_version, !progress.is_unanswered && !progress.is_open).await
    }

    async fn read_of(&self, id: &ResourceId, api_version: &str, may_stop: bool) -> Result<Live, Failure> {
        let reading = self.arm.get(id, api_version);
        let reading = match may_stop {
            true => self.unless_interrupted(reading).await.ok_or_else(|| interrupted("the next write was not sent"))?,
            false => reading.await,
        };
        match reading.map_err(|error| failed(&error))? {
            Reading::Present(body) => Ok(Some(body)),
            Reading::Missing(_) => Ok(None),
            Reading::Denied(message) => Err(denied(&message)),
        }
    }

    /// Rests between two looks, unless the run is to stop and it is known what became of everything that was sent.
    async fn rest(&self, delay: Duration, most: Duration, progress: &Progress<'_>) -> Result<(), Failure> {
        let rest = self.arm.sleep_at_most(delay, most);
        if progress.is_unanswered {
            rest.await;
            return Ok(());
        }
        self.unless_interrupted(rest).await.ok_or_else(|| interrupted("the next write was not sent"))
    }
}

/// The api-version of a step.
fn step_version<'a>(step: &'a Step, change: &'a Change) -> &'a str {
    match step {
        Step::Register { api_version, .. }
        | Step::Put { api_version, .. }
        | Step::Patch { api_version, .. }
        | Step::Delete { api_version, .. }
        | Step::Expect { api_version, .. }
        | Step::Wait { api_version, .. }
        | Step::Connect { api_version, .. } => api_version,
        Step::Look { .. } | Step::InstallAgents { .. } | Step::RemoveAgents { .. } | Step::Az { .. } => {
            &change.api_version
        }
    }
}

fn outcome_unknown(error: &ArmError) -> Failure {
    Failure {
        code: "outcome_unknown".to_owned(),
        message: format!("{}; it has not taken effect so far", chain(error)),
        hint: Some("run this again: the plan shows whether the write took effect after all".to_owned()),
        correlation_id: error.refusal().and_then(|refusal| refusal.correlation_id.clone()),
    }
}
