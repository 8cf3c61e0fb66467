//! One change, step by step.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Settings;
use super::polling::OpenWaits;
use super::waits::{Awaited, Wait, advice, fall_back};
use crate::arm::{Accepted, ArmClient, ArmError, Operation};
use crate::model::{Address, FieldPath, Listing, Reading, ResourceId};
use crate::plan::{Change, Condition, Event, EventKind, Failure, Outcome, Plan, Step, Until, Written};

/// Carries out changes and tells about them.
pub(super) struct Runner<'a> {
    pub(super) arm: &'a ArmClient,
    pub(super) settings: &'a Settings<'a>,
    pub(super) plan: &'a Plan,
    pub(super) waits: OpenWaits,
}

/// A change that may start, and the lock of its cluster.
pub(super) struct Work<'p> {
    pub(super) change: &'p Change,
    pub(super) lock: Option<Arc<Mutex<()>>>,
}

/// How a change ended, and what was done for it.
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) started_at: Timestamp,
    pub(super) elapsed_seconds: i64,
    pub(super) writes: Vec<Written>,
}

/// Where a change stands.
struct Progress {
    started: Timestamp,
    /// Whether a write was accepted.
    wrote: bool,
    /// When the last one was.
    written: Option<Timestamp>,
    /// The operation that the last write started.
    operation: Option<Operation>,
    /// The last correlation id.
    correlation_id: Option<String>,
    /// What was sent, answered or not.
    writes: Vec<Written>,
    /// Held from the first write until the resource is provisioned: one write at a time per cluster.
    guard: Option<OwnedMutexGuard<()>>,
}

/// How often a write is sent again that ARM refused because something else was going on, or had just been registered.
const CONFLICT_RETRIES: usize = 6;

/// Codes with which a 409 means "not now" (`../shared/facts/domain.md` S36, `../shared/facts/arm-contracts.md` §7.3).
const NOT_NOW: &[&str] = &[
    "AnotherOperationInProgress",
    "Conflict",
    "EtagMismatch",
    "ExtensionPatchFailed",
    "MissingSubscriptionRegistration",
    "UpdateFailed",
];

impl Runner<'_> {
    /// Carries out a change to its end.
    pub(super) async fn carry_out(&self, work: Work<'_>) -> End {
        let Work { change, lock } = work;
        let action = change.change.actions;
        let mut progress = Progress {
            started: self.arm.now(),
            wrote: false,
            written: None,
            operation: None,
            correlation_id: None,
            writes: Vec::new(),
            guard: None,
        };
        self.tell(&change.address, EventKind::ApplyStart { action });
        for step in &change.steps {
            if let Err(failure) = self.take(step, change, lock.as_ref(), &mut progress).await {
                let failure = Failure {
                    message: self.settings.secrets.masked(&failure.message),
                    correlation_id: failure.correlation_id.or(progress.correlation_id.clone()),
                    ..failure
                };
                self.tell(&change.address, EventKind::ApplyErrored { failure: failure.clone() });
                let wrote = progress.wrote;
                return self.end(Outcome::Failed { failure, wrote }, progress);
            }
        }
        self.tell(&change.address, EventKind::ApplyComplete { action, elapsed_seconds: self.elapsed(&progress) });
        let outcome = if progress.wrote { Outcome::Applied } else { Outcome::Reached };
        self.end(outcome, progress)
    }

    fn end(&self, outcome: Outcome, progress: Progress) -> End {
        let elapsed_seconds = self.elapsed(&progress);
        End { outcome, started_at: progress.started, elapsed_seconds, writes: progress.writes }
    }

    pub(super) fn tell(&self, address: &Address, kind: EventKind) {
        (self.settings.events)(Event { at: self.arm.now(), address: address.clone(), kind });
    }

    fn elapsed(&self, progress: &Progress) -> i64 {
        self.arm.now().duration_since(progress.started).as_secs()
    }

    async fn take(
        &self,
        step: &Step,
        change: &Change,
        lock: Option<&Arc<Mutex<()>>>,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        match step {
            Step::Wait { id, api_version, until } => {
                if matches!(until, Until::Compliant(_)) {
                    // Flux is at work, ARM is not: the cluster is free for the next write.
                    progress.guard = None;
                    if self.settings.interrupt.is_requested() {
                        return Err(interrupted("the wait for Flux was not begun"));
                    }
                }
                self.wait(change, id, api_version, until, progress).await
            }
            Step::Expect { id, api_version, only } => self.expect(id, api_version, only).await,
            write => {
                if let (None, Some(lock)) = (&progress.guard, lock) {
                    progress.guard = Some(Arc::clone(lock).lock_owned().await);
                }
                if self.settings.interrupt.is_requested() {
                    return Err(interrupted("the next write was not sent"));
                }
                if !progress.wrote {
                    self.check_precondition(change, step.id()).await?;
                }
                self.write(write, change, progress).await
            }
        }
    }

    /// Whether the world is still what the plan was made from.
    async fn check_precondition(&self, change: &Change, id: &ResourceId) -> Result<(), Failure> {
        let Some(precondition) = &change.precondition else { return Ok(()) };
        let reading = self.arm.get(id, &change.api_version).await.map_err(|error| failed(&error))?;
        let violation = match &reading {
            Reading::Present(body) => precondition.violation(change.kind, Some(body)),
            Reading::Missing(_) => precondition.violation(change.kind, None),
            Reading::Denied(message) => Some(format!("it may not be read any more: {message}")),
        };
        match violation {
            None => Ok(()),
            Some(violation) => Err(moved(&violation)),
        }
    }

    /// Whether a collection holds nothing but what the plan knows of.
    async fn expect(&self, id: &ResourceId, api_version: &str, only: &[String]) -> Result<(), Failure> {
        match self.arm.list(id, api_version).await.map_err(|error| failed(&error))? {
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

    async fn write(&self, step: &Step, change: &Change, progress: &mut Progress) -> Result<(), Failure> {
        if let Step::Patch { id, api_version, when: Some(condition), .. } = step
            && !self.holds(condition, id, api_version).await?
        {
            return Ok(());
        }
        let Some((method, accepted)) = self.send_when_free(step, change, progress).await? else { return Ok(()) };
        progress.wrote = true;
        let operation_id = accepted.operation.as_ref().map(|operation| operation.id().to_owned());
        let accepted_as = EventKind::Accepted {
            method: method.to_owned(),
            status: accepted.status,
            operation_id: operation_id.clone(),
            correlation_id: accepted.correlation_id.clone(),
        };
        progress.written = Some(self.arm.now());
        progress.writes.push(Written {
            method: method.to_owned(),
            status: Some(accepted.status),
            correlation_id: accepted.correlation_id.clone(),
            operation_id,
        });
        progress.operation = accepted.operation;
        progress.correlation_id = accepted.correlation_id;
        self.tell(&change.address, accepted_as);
        Ok(())
    }

    async fn holds(&self, condition: &Condition, id: &ResourceId, api_version: &str) -> Result<bool, Failure> {
        let Condition::AnyPresent(paths) = condition;
        let reading = self.arm.get(id, api_version).await.map_err(|error| failed(&error))?;
        let is_there = |path: &FieldPath, body: &Value| path.get(body).is_some_and(|value| !value.is_null());
        Ok(match &reading {
            Reading::Present(body) => paths.iter().any(|path| is_there(path, body)),
            Reading::Missing(_) | Reading::Denied(_) => false,
        })
    }

    /// Sends a write; again after a while when ARM says "not now". Such an answer says that nothing was done, so
    /// sending again is safe.
    async fn send_when_free(
        &self,
        step: &Step,
        change: &Change,
        progress: &Progress,
    ) -> Result<Option<(&'static str, Accepted)>, Failure> {
        let mut delays = ArmClient::backoff().take(CONFLICT_RETRIES);
        loop {
            let error = match self.send(step).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let not_now = error
                .refusal()
                .is_some_and(|refusal| refusal.status == 409 && NOT_NOW.iter().any(|code| refusal.has_code(code)));
            match delays.next().filter(|_| not_now) {
                Some(delay) => {
                    self.tell(
                        &change.address,
                        EventKind::ApplyProgress {
                            action: change.change.actions,
                            waiting_for: "another operation to end".to_owned(),
                            status: self.settings.secrets.masked(&error.to_string()),
                            elapsed_seconds: self.elapsed(progress),
                        },
                    );
                    self.arm.sleep(delay).await;
                    // What was going on may have been somebody else's write to this very resource.
                    if !progress.wrote {
                        self.check_precondition(change, step.id()).await?;
                    }
                }
                None => return Err(failed(&error)),
            }
        }
    }

    /// Sends what a step sends; what only reads sends nothing.
    async fn send(&self, step: &Step) -> Result<Option<(&'static str, Accepted)>, ArmError> {
        let secrets = self.settings.secrets;
        match step {
            Step::Register { id, api_version } => Ok(Some(("POST", self.arm.register(id, api_version).await?))),
            Step::Put { id, api_version, body, holes } => {
                Ok(Some(("PUT", self.arm.put(id, api_version, &secrets.fill(body, holes)).await?)))
            }
            Step::Patch { id, api_version, body, holes, when: _ } => {
                Ok(Some(("PATCH", self.arm.patch(id, api_version, &secrets.fill(body, holes)).await?)))
            }
            Step::Delete { id, api_version, force: false } => {
                Ok(Some(("DELETE", self.arm.delete(id, api_version).await?)))
            }
            Step::Delete { id, api_version, force: true } => {
                Ok(Some(("DELETE", self.arm.force_delete(id, api_version).await?)))
            }
            Step::Expect { .. } | Step::Wait { .. } => Ok(None),
        }
    }

    async fn wait(
        &self,
        change: &Change,
        id: &ResourceId,
        api_version: &str,
        until: &Until,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let open = self.waits.open();
        let cluster = change.cluster.as_ref().map(|cluster| {
            let own = self.plan.resource_changes.iter().find(|other| other.id == *cluster);
            (cluster, own.map(|own| own.api_version.as_str()))
        });
        let awaited = Awaited { id, api_version, until, kind: change.kind, cluster, written: progress.written };
        let mut wait = Wait::new(awaited, self.settings.timeouts, self.arm.now());
        let started = progress.started;
        let tell = |status: &str| {
            self.tell(
                &change.address,
                EventKind::ApplyProgress {
                    action: change.change.actions,
                    waiting_for: wait_words(until).to_owned(),
                    status: self.settings.secrets.masked(status),
                    elapsed_seconds: self.arm.now().duration_since(started).as_secs(),
                },
            );
        };
        if let Some(operation) = progress.operation.take() {
            let followed = {
                let mut pauses = std::iter::repeat_with(|| wait.pause(self.arm, open.count()));
                let until = wait.late_at(self.arm);
                self.arm.wait_paced(&operation, until, &mut pauses, &mut |status: &str| tell(status)).await
            };
            if let Err(error) = followed
                && !fall_back(&error)
            {
                return Err(failed(&error));
            }
        }
        if wait.is_early(self.arm, open.count()) {
            let pause = wait.pause(self.arm, open.count());
            self.arm.sleep_telling(pause, wait.left(self.arm), &mut || tell("under way")).await;
        }
        loop {
            let status = match wait.look(self.arm).await? {
                None => return Ok(()),
                Some(status) => status,
            };
            tell(&status);
            if matches!(until, Until::Compliant(_)) && self.settings.interrupt.is_requested() {
                return Err(interrupted("the wait for Flux was cut short"));
            }
            let left = wait.time_left(self.arm, &status).await?;
            self.arm.sleep_telling(wait.pause(self.arm, open.count()), left, &mut || tell(&status)).await;
        }
    }
}

/// What to do when patience ends before an operation does.
pub(super) const GOES_ON: &str =
    "it goes on without us: look with `arcflux status`, and run this again; give it longer with `--timeout`";

/// What a wait waits for, in a few words.
fn wait_words(until: &Until) -> &'static str {
    match until {
        Until::Registered => "registration",
        Until::Provisioned => "provisioning",
        Until::Connected => "the cluster",
        Until::Compliant(_) => "Flux",
        Until::Gone => "deletion",
    }
}

/// The world is not what the plan was made from.
fn moved(violation: &str) -> Failure {
    Failure {
        code: "moved".to_owned(),
        message: format!("the plan builds on a state that is gone: {violation}"),
        hint: Some("plan again, and look at what is different now".to_owned()),
        correlation_id: None,
    }
}

fn interrupted(what: &str) -> Failure {
    Failure {
        code: "interrupted".to_owned(),
        message: format!("interrupted: {what}"),
        hint: Some("run the same command again: it goes on from where this one stopped".to_owned()),
        correlation_id: None,
    }
}

/// An ARM error as a failure of a change.
pub(super) fn failed(error: &ArmError) -> Failure {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    let (code, hint) = match error {
        ArmError::TimedOut { .. } => ("timed_out", Some(GOES_ON)),
        ArmError::OperationFailed(_) => ("operation_failed", None),
        _ if error.outcome_unknown() => ("outcome_unknown", Some("plan again: it shows whether the write took effect")),
        ArmError::Token(_) => ("not_signed_in", None),
        ArmError::Status(_)
        | ArmError::Transport { .. }
        | ArmError::StatusUnreadable { .. }
        | ArmError::ForeignHost { .. }
        | ArmError::BadRequest { .. }
        | ArmError::BadBody { .. }
        | ArmError::EndlessList { .. } => ("rejected", None),
    };
    Failure {
        code: code.to_owned(),
        message,
        hint: advice(error).or_else(|| hint.map(str::to_owned)),
        correlation_id: error.refusal().and_then(|refusal| refusal.correlation_id.clone()),
    }
}
