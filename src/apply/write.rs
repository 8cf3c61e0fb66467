//! One write: when it may be sent, and that it is sent until it is known what became of it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::change::{Live, Progress, Runner, denied};
use super::failures::{chain, failed, failure, goes_on, interrupted, moved, patience_words};
use super::obstacles;
use super::reaction::{Reaction, reaction, was_sent};
use super::standing::{CONNECTED_BY_OTHERS, Standing, Unchecked, in_flight, is_going, standing};
use super::turn::Unsettled;
use crate::arm::{Accepted, ArmClient, ArmError, Operation};
use crate::model::{Listing, Reading, ResourceId};
use crate::plan::{Change, EventKind, Failure, Step, Until, Written};

/// How often what met something that passes in a moment is sent again.
const CLASHES: u32 = 6;

/// How often a write that got no answer and has not taken effect is sent again.
const UNANSWERED: u32 = 3;

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
            // A PUT would give the record another key, and cut off whoever has made it.
            if let Some(Some(_)) = before {
                return Err(moved(CONNECTED_BY_OTHERS));
            }
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
