//! One change, step by step.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use jiff::Timestamp;
use serde_json::Value;

use super::Settings;
use super::connection::Connection;
use super::failures::{GOES_ON, failed, failure, goes_on, interrupted, not_applied, wait_words};
use super::polling::{OpenWaits, asks_resource_alone};
use super::reaction::met_another_write;
use super::standing::{Unchecked, in_flight};
use super::turn::{Turn, Unsettled};
use super::waits::{Awaited, UNANSWERED, Wait, fall_back};
use crate::arm::{ArmClient, ArmError, Operation};
use crate::model::{Address, ResourceId};
use crate::plan::{Action, Change, Event, EventKind, Failure, Outcome, Step, Until, Written};

/// How long Azure may be silent once somebody wants to stop.
const DRAINING_LOOK: Duration = Duration::from_secs(30);

/// Carries out changes and tells about them.
pub(super) struct Runner<'a> {
    pub(super) arm: &'a ArmClient,
    pub(super) settings: &'a Settings<'a>,
    /// The api-version of each resource of the plan.
    pub(super) api_versions: BTreeMap<&'a ResourceId, &'a str>,
    pub(super) waits: OpenWaits,
}

/// How a change ended, and what was done for it.
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) started_at: Option<Timestamp>,
    pub(super) elapsed_seconds: i64,
    pub(super) writes: Vec<Written>,
    pub(super) goes_on: bool,
}

impl End {
    /// Of a change on which no work was done.
    pub(super) fn of_nothing(outcome: Outcome) -> Self {
        Self { outcome, started_at: None, elapsed_seconds: 0, writes: Vec::new(), goes_on: false }
    }
}

/// A body as it was read; `None` when the resource did not exist.
pub(super) type Live = Option<Value>;

/// Where a change stands.
pub(super) struct Progress<'p> {
    pub(super) change: &'p Change,
    started: Timestamp,
    /// Whether a write was accepted.
    pub(super) wrote: bool,
    /// When the last one was.
    pub(super) written: Option<Timestamp>,
    /// Whether a write got no answer, and it is not known what became of it.
    pub(super) is_unanswered: bool,
    /// Whether an operation may be going on: a write was sent, and its end has not been seen.
    pub(super) is_open: bool,
    /// Whether somebody else has done all of it, so that nothing is written.
    pub(super) is_done: bool,
    /// The operation that the last write started.
    pub(super) operation: Option<Operation>,
    /// The last correlation id.
    pub(super) correlation_id: Option<String>,
    /// What was sent, answered or not.
    pub(super) writes: Vec<Written>,
    /// What was read last, as long as nothing was waited for since.
    pub(super) live: Option<(&'p ResourceId, Live)>,
    /// A write of which is not known yet whether it has taken effect as it was sent.
    pub(super) unchecked: Option<Unchecked<'p>>,
    /// Held until the resource is provisioned.
    pub(super) turn: Option<Turn>,
    /// Of a cluster that is being connected.
    pub(super) connection: Connection,
}

impl Progress<'_> {
    /// Gives the turn back, and says what the next one must wait for.
    fn release(&mut self) {
        if let Some(mut turn) = self.turn.take() {
            if self.is_open {
                turn.left = Some(self.unsettled());
            }
            turn.release();
        }
    }

    /// What a replacement that failed has left behind, as the end of a sentence.
    fn left_of_replacement(&self) -> &'static str {
        let is_accepted = |write: &&Written| write.status.is_some_and(|status| status < 300 || status == 404);
        let last = self.writes.iter().rfind(is_accepted).map(|write| write.method.as_str());
        match (self.change.change.actions, last) {
            (Action::Replace, Some("DELETE")) if self.is_unanswered => {
                "; the old one was deleted, and whether the new one was created is not known"
            }
            (Action::Replace, Some("DELETE")) if self.is_open => {
                "; the old one is being deleted, and the new one was not created"
            }
            (Action::Replace, Some("DELETE")) => "; the old one was deleted, and the new one was not created",
            (
                Action::NoOp | Action::Read | Action::Create | Action::Update | Action::Replace | Action::Delete,
                Some(_) | None,
            ) => "",
        }
    }

    /// The resource of this change, where something may be going on.
    pub(super) fn unsettled(&self) -> Unsettled {
        let Change { address, id, kind, api_version, steps, .. } = self.change;
        // The one that is written to may have been found under another name than the planned one.
        let id = steps.iter().find(|step| step.writes()).map_or(id, Step::id);
        Unsettled { address: address.clone(), id: id.clone(), api_version: api_version.clone(), kind: *kind }
    }
}

impl Runner<'_> {
    /// Carries out a change to its end.
    pub(super) async fn carry_out(&self, change: &Change, turn: Option<Turn>) -> End {
        let action = change.change.actions;
        let mut progress = Progress {
            change,
            started: self.arm.now(),
            wrote: false,
            written: None,
            is_unanswered: false,
            is_open: false,
            is_done: false,
            operation: None,
            correlation_id: None,
            writes: Vec::new(),
            live: None,
            unchecked: None,
            turn,
            connection: Connection::default(),
        };
        self.tell(&change.address, EventKind::ApplyStart { action });
        let result = self.take_all(change, &mut progress).await;
        let goes_on = progress.is_open;
        progress.release();
        let elapsed_seconds = self.elapsed(&progress);
        let outcome = match result {
            Ok(()) => {
                self.tell(&change.address, EventKind::ApplyComplete { action, elapsed_seconds });
                if progress.wrote { Outcome::Applied } else { Outcome::Reached }
            }
            Err(failure) => {
                let left = progress.left_of_replacement();
                let failure = Failure {
                    message: self.settings.secrets.masked(&format!("{}{left}", failure.message)),
                    correlation_id: self
                        .masked_id(failure.correlation_id.as_deref())
                        .or(progress.correlation_id.take()),
                    ..failure
                };
                self.tell(&change.address, EventKind::ApplyErrored { failure: failure.clone() });
                // What got no answer may have been written.
                Outcome::Failed { failure, wrote: progress.wrote || progress.is_unanswered }
            }
        };
        End { outcome, started_at: Some(progress.started), elapsed_seconds, writes: progress.writes, goes_on }
    }

    /// An id as a server gave it, which may hold anything.
    pub(super) fn masked_id(&self, id: Option<&str>) -> Option<String> {
        id.map(|id| self.settings.secrets.masked(id))
    }

    pub(super) fn tell(&self, address: &Address, kind: EventKind) {
        (self.settings.events)(Event { at: self.arm.now(), address: address.clone(), kind });
    }

    /// Tells that something is still waited for.
    pub(super) fn tell_of_wait(&self, progress: &Progress<'_>, waiting_for: &str, status: &str) {
        let (address, action) = (&progress.change.address, progress.change.change.actions);
        self.tell(address, self.waiting(action, waiting_for, status, progress.started));
    }

    fn waiting(&self, action: Action, waiting_for: &str, status: &str, started: Timestamp) -> EventKind {
        EventKind::ApplyProgress {
            action,
            waiting_for: waiting_for.to_owned(),
            status: self.settings.secrets.masked(status),
            elapsed_seconds: self.arm.now().duration_since(started).as_secs(),
        }
    }

    fn elapsed(&self, progress: &Progress<'_>) -> i64 {
        self.arm.now().duration_since(progress.started).as_secs()
    }

    async fn take_all<'p>(&self, change: &'p Change, progress: &mut Progress<'p>) -> Result<(), Failure> {
        self.await_predecessor(progress).await?;
        for (position, step) in change.steps.iter().enumerate() {
            match step {
                Step::Wait { id, api_version, until } => {
                    if matches!(until, Until::Compliant(_)) {
                        // Flux is at work, ARM is not: the cluster is free for the next write.
                        progress.release();
                        if self.settings.interrupt.is_requested() {
                            return Err(interrupted("the wait for Flux was not begun"));
                        }
                    }
                    self.wait(id, api_version, until, progress).await?;
                }
                _ if progress.is_done => {}
                Step::Expect { id, api_version, only } => {
                    progress.live = None;
                    self.expect(id, api_version, only).await?;
                }
                Step::Look { id, context, agents } => self.look_at_cluster(id, context, *agents, progress).await?,
                Step::InstallAgents { id, context, chart, settings } => {
                    self.install_agents(id, context, *chart, settings, progress).await?;
                }
                Step::RemoveAgents { id, context } => self.remove_agents(id, context, progress).await?,
                Step::Az { id: _, arguments } => self.run_az(arguments, progress).await?,
                write @ (Step::Register { .. }
                | Step::Put { .. }
                | Step::Patch { .. }
                | Step::Delete { .. }
                | Step::Connect { .. }) => self.write(write, &change.steps[position + 1..], progress).await?,
            }
        }
        self.check_without_wait(progress).await
    }

    /// Waits, and looks whether what was written has taken effect as it was sent. What has not is sent once more.
    async fn wait<'p>(
        &self,
        id: &'p ResourceId,
        api_version: &str,
        until: &Until,
        progress: &mut Progress<'p>,
    ) -> Result<(), Failure> {
        loop {
            let ended = self.wait_once(id, api_version, until, progress).await;
            let unchecked = progress.unchecked.take_if(|_| *until == Until::Provisioned);
            let (unchecked, live, why) = match (unchecked, ended) {
                (None, Ok(live)) => {
                    progress.live = Some((id, live));
                    return Ok(());
                }
                (Some(unchecked), Ok(live)) => match unchecked.left_over(progress.change, live.as_ref())? {
                    None => {
                        progress.live = Some((id, live));
                        return Ok(());
                    }
                    Some(left) => (unchecked, live, left),
                },
                (Some(unchecked), Err(failure))
                    if !unchecked.is_repeat
                        && failure.code == "operation_failed"
                        && met_another_write(&failure.message) =>
                {
                    let live = self.read(id, api_version, progress).await?;
                    (unchecked, live, failure.message)
                }
                (_, Err(failure)) => return Err(failure),
            };
            self.send_once_more(unchecked, live, &why, progress).await?;
        }
    }

    /// Where no wait has shown what became of a write: looks, unless it goes on, which nobody waits for.
    async fn check_without_wait(&self, progress: &mut Progress<'_>) -> Result<(), Failure> {
        while progress.operation.is_none()
            && let Some(unchecked) = progress.unchecked.take()
        {
            let live = self.read(unchecked.step.id(), &progress.change.api_version, progress).await?;
            if in_flight(live.as_ref()).is_some() {
                return Ok(());
            }
            progress.is_open = false;
            let Some(left) = unchecked.left_over(progress.change, live.as_ref())? else { return Ok(()) };
            self.send_once_more(unchecked, live, &left, progress).await?;
        }
        Ok(())
    }

    async fn send_once_more<'p>(
        &self,
        unchecked: Unchecked<'p>,
        live: Live,
        why: &str,
        progress: &mut Progress<'p>,
    ) -> Result<(), Failure> {
        if unchecked.is_repeat {
            return Err(not_applied(why));
        }
        if self.settings.interrupt.is_requested() {
            return Err(interrupted(&format!("what was written has not taken effect, and was not sent again: {why}")));
        }
        self.tell_of_wait(
            progress,
            "the write to take effect",
            &format!("not as it was sent: {why}; it is sent again"),
        );
        self.send_until_known(unchecked.step, unchecked.later, Some(&live), progress).await?;
        progress.unchecked = Some(Unchecked { before: live, is_repeat: true, ..unchecked });
        Ok(())
    }

    async fn wait_once(
        &self,
        id: &ResourceId,
        api_version: &str,
        until: &Until,
        progress: &mut Progress<'_>,
    ) -> Result<Live, Failure> {
        let kind = progress.change.kind;
        let cluster = progress.change.cluster.as_ref();
        let cluster = cluster.map(|cluster| (cluster, self.api_versions.get(cluster).copied()));
        let awaited = Awaited { id, api_version, until, kind, cluster, written: progress.written };
        let mut wait = Wait::new(awaited, self.settings.timeouts, self.arm.now());
        let operation = progress.operation.take();
        let ended = self.follow(&mut wait, operation.as_ref(), until, progress).await;
        let ends_operation = matches!(until, Until::Provisioned | Until::Gone);
        match &ended {
            // Reached, or failed in the end: whatever went on is over.
            Ok(()) if ends_operation || *until == Until::Registered => progress.is_open = false,
            Err(failure) if ends_operation && failure.code == "operation_failed" => progress.is_open = false,
            // It goes on, whoever has begun it.
            Err(_) if ends_operation => progress.is_open = true,
            Ok(()) | Err(_) => {}
        }
        ended.map(|()| wait.seen).map_err(|mut failure| {
            if failure.code == "timed_out" && ends_operation {
                if let Some(operation) = &operation {
                    failure.message = format!("{} (operation {})", failure.message, operation.id());
                }
                failure.hint = failure.hint.map(|hint| if hint == GOES_ON { goes_on(kind, id) } else { hint });
            }
            failure
        })
    }

    async fn follow(
        &self,
        wait: &mut Wait<'_>,
        operation: Option<&Operation>,
        until: &Until,
        progress: &Progress<'_>,
    ) -> Result<(), Failure> {
        let tell = |status: &str| self.tell_of_wait(progress, wait_words(until), status);
        // What ARM has accepted is waited for, whoever wants to stop.
        let is_accepted = match until {
            Until::Registered | Until::Provisioned | Until::Gone => progress.wrote,
            Until::Connected | Until::Compliant(_) => false,
        };
        let open = self.waits.open();
        if let Some(operation) = operation.filter(|_| !asks_resource_alone(until, open.count())) {
            let followed = {
                let mut pauses = std::iter::repeat_with(|| wait.pause(self.arm, open.count()));
                let late = wait.late_at(self.arm);
                self.arm.wait_paced(operation, late, &mut pauses, &mut |status: &str| tell(status)).await
            };
            match followed {
                Ok(()) => {}
                Err(error) if !fall_back(&error) => return Err(failed(&error)),
                // What takes longer is asked of the resource, too.
                Err(ArmError::TimedOut { .. }) => {}
                Err(error) => tell(&format!("{error}; the resource itself is asked")),
            }
        }
        if wait.is_early(self.arm, open.count()) {
            let pause = wait.pause(self.arm, open.count());
            let mut tells = || tell("under way");
            let rest = self.arm.sleep_telling(pause, wait.left(self.arm), &mut tells);
            self.unless_cut_short(is_accepted, until, rest).await?;
        }
        loop {
            let status = match self.look(wait, is_accepted, until).await? {
                None => return Ok(()),
                Some(status) => status,
            };
            tell(&status);
            let left = wait.time_left(self.arm, &status).await?;
            let pause = wait.pause(self.arm, open.count());
            let mut tells = || tell(&status);
            let rest = self.arm.sleep_telling(pause, left, &mut tells);
            self.unless_cut_short(is_accepted, until, rest).await?;
        }
    }

    /// Looks once. What ARM has accepted is waited for, whoever wants to stop, but not where ARM does not answer.
    async fn look(&self, wait: &mut Wait<'_>, is_accepted: bool, until: &Until) -> Result<Option<String>, Failure> {
        let left = wait.left(self.arm);
        if !is_accepted {
            return self.unless_cut_short(false, until, wait.look(self.arm, left)).await?;
        }
        if !self.settings.interrupt.is_requested()
            && let Some(looked) = self.unless_interrupted(wait.look(self.arm, left)).await
        {
            return looked;
        }
        wait.look(self.arm, left.min(DRAINING_LOOK)).await.map_err(|failure| match failure.code.as_str() {
            UNANSWERED => interrupted(&format!(
                "Azure does not answer, so the wait for {} was cut short ({})",
                wait_words(until),
                failure.message
            )),
            _ => failure,
        })
    }

    /// Does a part of a wait, which ends with the wish to stop unless it is for what ARM has accepted.
    async fn unless_cut_short<T>(
        &self,
        is_accepted: bool,
        until: &Until,
        part: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        match is_accepted {
            true => Ok(part.await),
            false => self.unless_interrupted(part).await.ok_or_else(|| cut_short(until)),
        }
    }

    /// What comes of it, unless the wish to stop comes first. What is dropped then must not be a write.
    pub(super) async fn unless_interrupted<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        match select(pin!(self.settings.interrupt.requested()), pin!(what)).await {
            Either::Left(_) => None,
            Either::Right((came, _)) => Some(came),
        }
    }
}

fn cut_short(until: &Until) -> Failure {
    interrupted(&format!("the wait for {} was cut short", wait_words(until)))
}

/// A resource that may not be read.
pub(super) fn denied(message: &str) -> Failure {
    failure("denied", format!("it may not be read: {message}"), None)
}
