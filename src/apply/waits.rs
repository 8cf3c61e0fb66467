//! When a wait is over: what is read, what counts as reached, and how long to have patience.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::change::{GOES_ON, failed};
use crate::arm::{ArmClient, ArmError};
use crate::kinds::Kind;
use crate::kinds::cluster::{ClusterType, Connectivity, connection_state, connectivity, since_last_contact};
use crate::kinds::compliance::{Cause, Compliance, compliance, reported_at, seconds_between_attempts};
use crate::kinds::provider::{Registration, registration};
use crate::kinds::remedies::remedy;
use crate::kinds::state::{ProvisioningState, failure_code, failure_message, provisioning_state};
use crate::model::{Reading, ResourceId, Seconds};
use crate::plan::{Expectation, Failure, Until};

/// How long something that Flux reports as failed must go on failing before it is believed: a first attempt often
/// fails while what it needs is still on its way (`../shared/facts/domain.md` §3).
const BELIEVE_FAILURE_AFTER: Duration = Duration::from_secs(120);

/// What to do when patience ends before a deletion does: it ends when the cluster's agents have cleaned up
/// (`../shared/facts/domain.md` §1.4, §2).
const STILL_GOING: &str = "it goes on without us, once the cluster's agents take it up: look with `arcflux status`, and run \
                           this again; if the cluster never comes back, `--force-delete ADDRESS` takes Azure's record \
                           alone away";

/// How long waits may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For every wait, where the user gave one.
    pub all: Option<Duration>,
}

impl Timeouts {
    /// The patience for one wait. The defaults come from how long these things take (`../shared/facts/domain.md` §3):
    /// registration and the operations of a configuration ten minutes, installing Flux and reconciling twenty.
    #[must_use]
    pub fn of(self, until: &Until, kind: Kind) -> Duration {
        let minutes = match (until, kind) {
            (Until::Registered | Until::Connected, _) => 10,
            (Until::Compliant(_), _) | (Until::Provisioned | Until::Gone, Kind::Extension) => 20,
            (Until::Provisioned | Until::Gone, _) => 10,
        };
        self.all.unwrap_or(Duration::from_secs(minutes * 60))
    }
}

/// One wait.
pub(super) struct Wait<'a> {
    id: &'a ResourceId,
    api_version: &'a str,
    until: &'a Until,
    patience: Duration,
    pub(super) deadline: Timestamp,
    /// Whether what is waited for was written by this run.
    follows_write: bool,
    /// When what was seen first had been reported.
    first_report: Option<String>,
    /// Since when the same failure has been seen.
    failing: Option<(Cause, Timestamp)>,
}

impl<'a> Wait<'a> {
    pub(super) fn new(
        id: &'a ResourceId,
        api_version: &'a str,
        until: &'a Until,
        patience: Duration,
        follows_write: bool,
        now: Timestamp,
    ) -> Self {
        let deadline = now.checked_add(patience).unwrap_or(Timestamp::MAX);
        Self { id, api_version, until, patience, deadline, follows_write, first_report: None, failing: None }
    }

    /// Reads once. `None` when the wait is over, else what is seen.
    pub(super) async fn look(&mut self, arm: &ArmClient) -> Result<Option<String>, Failure> {
        let body = match arm.get(self.id, self.api_version).await.map_err(|error| failed(&error))? {
            Reading::Present(body) => body,
            Reading::Missing(_) if *self.until == Until::Gone => return Ok(None),
            Reading::Missing(_) => return Err(Self::failure("gone", "it does not exist any more".to_owned(), None)),
            Reading::Denied(message) => {
                return Err(Self::failure("denied", format!("it may not be read: {message}"), None));
            }
        };
        match self.until {
            Until::Gone => Ok(Some("still there".to_owned())),
            Until::Registered => Ok(match registration(&body) {
                Registration::Registered => None,
                Registration::Registering => Some("Registering".to_owned()),
                Registration::NotRegistered(state) => Some(state),
            }),
            Until::Connected => match connectivity(self.cluster_type(), &body) {
                Connectivity::Ready => Ok(None),
                Connectivity::NotReady(silence) => {
                    let state = connection_state(self.cluster_type(), &body);
                    if silence.may_pass() {
                        return Ok(Some(state.to_owned()));
                    }
                    Err(Self::failure(
                        "cluster_not_ready",
                        format!("the cluster is {state}{}", since_last_contact(&body)),
                        Some(silence.remedy().to_owned()),
                    ))
                }
            },
            Until::Provisioned => match provisioning_state(&body) {
                ProvisioningState::Succeeded => Ok(None),
                ProvisioningState::InFlight(state) => Ok(Some(state)),
                ProvisioningState::Failed(state) => {
                    let message = failure_message(&body).unwrap_or("the service gave no message");
                    Err(Self::failure(
                        "operation_failed",
                        format!("provisioningState is {state}: {message}"),
                        remedy(failure_code(&body).unwrap_or_default(), message),
                    ))
                }
            },
            Until::Compliant(Expectation { kustomizations, commit }) => {
                if self.first_report.is_none() {
                    self.first_report = reported_at(&body).map(str::to_owned);
                }
                match compliance(self.id.name(), kustomizations, commit.as_deref(), &body) {
                    Compliance::Reconciled { .. } => Ok(None),
                    Compliance::Progressing(why) => {
                        self.failing = None;
                        Ok(Some(why))
                    }
                    Compliance::Suspended => {
                        self.failing = None;
                        Ok(Some("somebody has suspended it".to_owned()))
                    }
                    Compliance::Failing(cause) => self.see_failure(cause, &body, arm).map(Some),
                }
            }
        }
    }

    /// A failure is believed once it lasts. Where nothing was written, one that was reported before may have been mended
    /// in git since: it is believed only when Flux must have tried again.
    fn see_failure(&mut self, cause: Cause, body: &Value, arm: &ArmClient) -> Result<String, Failure> {
        let now = arm.now();
        let since = match &self.failing {
            Some((before, since)) if (&before.kind, &before.name) == (&cause.kind, &cause.name) => *since,
            Some(_) | None => now,
        };
        let is_old = !self.follows_write && self.first_report.as_deref() == reported_at(body);
        let (patience, remark) = match is_old {
            true => (
                BELIEVE_FAILURE_AFTER.saturating_add(Duration::from_secs(seconds_between_attempts(body))),
                " (reported before this run: Flux tries again)",
            ),
            false => (BELIEVE_FAILURE_AFTER, ""),
        };
        let seen = format!("{} {}: {}{remark}", cause.kind, cause.name, cause.message);
        self.failing = Some((cause.clone(), since));
        if now < since.checked_add(arm.scaled(patience)).unwrap_or(Timestamp::MAX) {
            return Ok(seen);
        }
        let Cause { kind, name, reason, message } = &cause;
        Err(Self::failure(
            "not_compliant",
            format!("Flux cannot reconcile it: {kind} {name} ({reason}): {message}"),
            remedy(reason, message),
        ))
    }

    /// What is left of the patience; an error when it is at its end.
    pub(super) fn time_left(&self, now: Timestamp, status: &str) -> Result<Duration, Failure> {
        let left = Duration::try_from(self.deadline.duration_since(now)).unwrap_or_default();
        if !left.is_zero() {
            return Ok(left);
        }
        let patience = u32::try_from(self.patience.as_secs()).ok().and_then(Seconds::new);
        let patience = patience.map_or_else(|| "no time".to_owned(), |patience| patience.to_string());
        let remedy = self.failing.as_ref().and_then(|(cause, _)| remedy(&cause.reason, &cause.message));
        let look = match self.until {
            Until::Registered => "look with `az provider show`, and run this again",
            Until::Gone => STILL_GOING,
            Until::Connected | Until::Provisioned | Until::Compliant(_) => GOES_ON,
        };
        Err(Self::failure(
            "timed_out",
            format!("not done after {patience}: {status}"),
            Some(remedy.unwrap_or_else(|| look.to_owned())),
        ))
    }

    fn cluster_type(&self) -> ClusterType {
        ClusterType::of_id(self.id).unwrap_or(ClusterType::ConnectedClusters)
    }

    fn failure(code: &str, message: String, hint: Option<String>) -> Failure {
        Failure { code: code.to_owned(), message, hint, correlation_id: None }
    }
}

/// What to do about what ARM says, where that is known: by its codes, and by what it tells of the cause.
pub(super) fn advice(error: &ArmError) -> Option<String> {
    match error {
        ArmError::Status(refusal) => {
            let by_code = |code: &Option<String>| remedy(code.as_deref().unwrap_or_default(), &refusal.message);
            by_code(&refusal.code).or_else(|| by_code(&refusal.outer_code))
        }
        ArmError::OperationFailed(failure) => remedy(failure.code.as_deref().unwrap_or_default(), &failure.message),
        ArmError::Transport { .. }
        | ArmError::Token(_)
        | ArmError::ForeignHost { .. }
        | ArmError::BadRequest { .. }
        | ArmError::BadBody { .. }
        | ArmError::EndlessList { .. }
        | ArmError::StatusUnreadable { .. }
        | ArmError::TimedOut { .. } => None,
    }
}

/// Whether the resource's own state is asked although following its operation ended in an error: only what the
/// resource says tells whether it is as planned, and why not; an operation may also go on where the resource is done.
/// Not when nothing that ARM answers could be trusted, or read.
pub(super) fn fall_back(error: &ArmError) -> bool {
    match error {
        ArmError::OperationFailed(_) | ArmError::StatusUnreadable { .. } | ArmError::TimedOut { .. } => true,
        ArmError::Status(_)
        | ArmError::Transport { .. }
        | ArmError::BadBody { .. }
        | ArmError::Token(_)
        | ArmError::ForeignHost { .. }
        | ArmError::BadRequest { .. }
        | ArmError::EndlessList { .. } => false,
    }
}
