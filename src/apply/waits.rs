//! When a wait is over: what is read, what counts as reached, and how long to have patience.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::failures::{GOES_ON, chain, failed, failure, patience_words};
use super::persistence::{Belief, Persistence};
use super::polling;
use super::silence::{Watch, proves_contact};
use crate::arm::{ArmClient, ArmError};
use crate::kinds::Kind;
use crate::kinds::cluster::{ClusterType, Connectivity, connection_state, connectivity, since_last_contact};
use crate::kinds::compliance::{Cause, Compliance, Fault, compliance, longest_timeout_seconds, reported_at};
use crate::kinds::provider::{Registration, registration};
use crate::kinds::remedies::remedy;
use crate::kinds::state::{ProvisioningState, failure_code, failure_message, provisioning_state};
use crate::model::{Reading, ResourceId};
use crate::plan::{Expectation, Failure, Until, typical};

/// From when on a wait is late, at the earliest: then the cluster may be what is wrong.
const LATE_AFTER: Duration = Duration::from_secs(180);

/// The code of a failure to see how something is doing.
pub(super) const UNANSWERED: &str = "unanswered";

/// What is left to do about a deletion that the cluster's agents never carry out (`../shared/facts/domain.md` §1.4, §2).
const WITHOUT_THE_CLUSTER: &str =
    "if the cluster never comes back, `--force-delete ADDRESS` takes Azure's record alone away";

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
            // More where a kustomization may take longer: `of_flux`.
            (Until::Compliant(_), _) | (Until::Provisioned | Until::Gone, Kind::Extension) => 20,
            (Until::Provisioned | Until::Gone, _) => 10,
        };
        self.all.unwrap_or(Duration::from_secs(minutes * 60))
    }

    /// The patience for Flux: twice the longest `timeout` of a kustomization, at least twenty minutes, and at most a day,
    /// whatever ARM may say.
    fn of_flux(self, longest_timeout_seconds: u64) -> Duration {
        let seconds = longest_timeout_seconds.saturating_mul(2).clamp(20 * 60, 24 * 3600);
        self.all.unwrap_or(Duration::from_secs(seconds))
    }
}

/// What a wait is for.
pub(super) struct Awaited<'a> {
    pub(super) id: &'a ResourceId,
    pub(super) api_version: &'a str,
    pub(super) until: &'a Until,
    pub(super) kind: Kind,
    /// The cluster that it is on, and the api-version to read that with.
    pub(super) cluster: Option<(&'a ResourceId, Option<&'a str>)>,
    /// When this run wrote it.
    pub(super) written: Option<Timestamp>,
}

/// One wait.
pub(super) struct Wait<'a> {
    awaited: Awaited<'a>,
    timeouts: Timeouts,
    began: Timestamp,
    pub(super) deadline: Timestamp,
    patience: Duration,
    /// What was read last; `None` when the resource did not exist.
    pub(super) seen: Option<Value>,
    persistence: Persistence,
    /// What has failed as far as is known.
    fault: Option<Fault>,
    /// Whether the agent has ever reported.
    is_reported: bool,
    watch: Option<Watch<'a>>,
}

impl<'a> Wait<'a> {
    pub(super) fn new(awaited: Awaited<'a>, timeouts: Timeouts, now: Timestamp) -> Self {
        let patience = timeouts.of(awaited.until, awaited.kind);
        let watch = match (awaited.until, awaited.cluster) {
            (Until::Provisioned | Until::Compliant(_) | Until::Gone, Some((cluster, api_version))) => {
                Watch::new(cluster, api_version, patience)
            }
            (Until::Registered | Until::Connected, _) | (_, None) => None,
        };
        Self {
            persistence: Persistence::new(awaited.written.is_some()),
            awaited,
            timeouts,
            began: now,
            deadline: now.checked_add(patience).unwrap_or(Timestamp::MAX),
            patience,
            seen: None,
            fault: None,
            is_reported: true,
            watch,
        }
    }

    /// How long to wait before the next look, while so many waits are open.
    pub(super) fn pause(&self, arm: &ArmClient, open: usize) -> Duration {
        polling::pause(self.elapsed(arm), self.typical(), open)
    }

    /// Whether a first look would come too early to be worth a read.
    pub(super) fn is_early(&self, arm: &ArmClient, open: usize) -> bool {
        self.awaited.written.is_some() && polling::is_early(self.elapsed(arm), self.typical(), open)
    }

    fn typical(&self) -> Duration {
        typical(self.awaited.until, self.awaited.kind)
    }

    /// Since the write, or since the wait began where nothing was written.
    fn elapsed(&self, arm: &ArmClient) -> Duration {
        let since = self.awaited.written.unwrap_or(self.began);
        arm.unscaled(Duration::try_from(arm.now().duration_since(since)).unwrap_or_default())
    }

    /// Until when following the operation is enough. What takes longer is asked of the resource, and of its cluster.
    pub(super) fn late_at(&self, arm: &ArmClient) -> Timestamp {
        let since = self.awaited.written.unwrap_or(self.began);
        since.checked_add(arm.scaled(self.late_after())).unwrap_or(Timestamp::MAX).min(self.deadline)
    }

    fn late_after(&self) -> Duration {
        (self.typical() * 2).max(LATE_AFTER)
    }

    /// Reads once, within some time. `None` when the wait is over, else what is seen.
    pub(super) async fn look(&mut self, arm: &ArmClient, within: Duration) -> Result<Option<String>, Failure> {
        let began = arm.now();
        let reading = match arm.poll(self.awaited.id, self.awaited.api_version, within).await {
            Ok(reading) => reading,
            Err(error @ ArmError::Transport { .. }) => {
                let silence = Duration::try_from(arm.now().duration_since(began)).unwrap_or_default();
                let silent = format!("Azure has not answered for {} ({})", patience_words(silence), chain(&error));
                self.time_left(arm, &silent).await?;
                return Err(Failure { code: UNANSWERED.to_owned(), ..failed(&error) });
            }
            Err(error) => return Err(failed(&error)),
        };
        let body = match reading {
            Reading::Present(body) => body,
            Reading::Missing(_) if *self.awaited.until == Until::Gone => {
                self.seen = None;
                return Ok(None);
            }
            Reading::Missing(_) => return Err(failure("gone", "it does not exist any more".to_owned(), None)),
            Reading::Denied(message) => {
                return Err(failure("denied", format!("it may not be read: {message}"), None));
            }
        };
        let judged = self.judge(&body, arm)?;
        let judged = match judged {
            Some(status) => Some(self.mind_the_cluster(arm, status).await?),
            None => self.mind_an_old_report(&body, arm).await,
        };
        self.seen = Some(body);
        Ok(judged)
    }

    /// What a look has seen. `None` when the wait is over.
    fn judge(&mut self, body: &Value, arm: &ArmClient) -> Result<Option<String>, Failure> {
        match self.awaited.until {
            Until::Gone => Ok(Some("still there".to_owned())),
            Until::Registered => Ok(match registration(body) {
                Registration::Registered => None,
                Registration::Registering => Some("Registering".to_owned()),
                Registration::NotRegistered(state) => Some(state),
            }),
            Until::Connected => match connectivity(self.cluster_type(), body) {
                Connectivity::Ready => Ok(None),
                Connectivity::NotReady(silence) => {
                    let state = connection_state(self.cluster_type(), body);
                    if silence.may_pass() {
                        return Ok(Some(state.to_owned()));
                    }
                    Err(failure(
                        "cluster_not_ready",
                        format!("the cluster is {state}{}", since_last_contact(body)),
                        Some(remedy(silence.code(), "").unwrap_or_else(|| silence.remedy().to_owned())),
                    ))
                }
            },
            Until::Provisioned => match provisioning_state(body) {
                ProvisioningState::Succeeded => Ok(None),
                ProvisioningState::InFlight(state) => Ok(Some(state)),
                ProvisioningState::Failed(state) => {
                    let message = failure_message(body).unwrap_or("the service gave no message");
                    Err(failure(
                        "operation_failed",
                        format!("provisioningState is {state}: {message}"),
                        remedy(failure_code(body).unwrap_or_default(), message),
                    ))
                }
            },
            Until::Compliant(expectation) => self.judge_flux(expectation, body, arm),
        }
    }

    fn judge_flux(
        &mut self,
        Expectation { kustomizations, commit }: &Expectation,
        body: &Value,
        arm: &ArmClient,
    ) -> Result<Option<String>, Failure> {
        self.patience = self.timeouts.of_flux(longest_timeout_seconds(body));
        self.deadline = self.began.checked_add(self.patience).unwrap_or(Timestamp::MAX);
        let report = reported_at(body);
        self.is_reported = report.is_some();
        let seen = match compliance(self.awaited.id.name(), kustomizations, commit.as_deref(), body) {
            Compliance::Failing(fault) => return self.see_failure(fault, report, arm).map(Some),
            Compliance::Reconciled { .. } => None,
            Compliance::Progressing(why) => Some(why),
            Compliance::Suspended => Some("somebody has suspended it".to_owned()),
        };
        self.persistence.all_is_well(report);
        self.fault = None;
        Ok(seen)
    }

    /// A failure that stays is believed once it lasts; for what may pass the wait goes on.
    fn see_failure(&mut self, fault: Fault, report: Option<&str>, arm: &ArmClient) -> Result<String, Failure> {
        let belief = self.persistence.judge(&fault, report, arm.now(), |length| arm.scaled(length));
        let Cause { kind, name, reason, message } = &fault.cause;
        let remark = match belief {
            Belief::MayPass => "",
            Belief::MayBeOld => " (reported before this run: Flux tries again)",
            Belief::Stands => {
                return Err(failure(
                    "not_compliant",
                    format!("Flux cannot reconcile it: {kind} {name} ({reason}): {message}"),
                    remedy(reason, message),
                ));
            }
        };
        let seen = format!("{kind} {name}: {message}{remark}");
        self.fault = Some(fault);
        Ok(seen)
    }

    /// Looks at the cluster once it takes longer than usual.
    async fn mind_the_cluster(&mut self, arm: &ArmClient, status: String) -> Result<String, Failure> {
        let is_late = self.elapsed(arm) >= self.late_after();
        match &mut self.watch {
            Some(watch) if is_late => {
                watch.look(arm).await;
                watch.judge(arm, status).map_err(|failure| self.with_way_out(failure))
            }
            Some(_) | None => Ok(status),
        }
    }

    /// Whether a reconciled configuration is one on a cluster that talks to Azure. A report of the last minutes says so
    /// itself; for an older one the cluster is asked.
    async fn mind_an_old_report(&mut self, body: &Value, arm: &ArmClient) -> Option<String> {
        let watch = match self.awaited.until {
            Until::Compliant(_) if !proves_contact(reported_at(body), arm.now()) => self.watch.as_mut()?,
            Until::Compliant(_) | Until::Registered | Until::Connected | Until::Provisioned | Until::Gone => {
                return None;
            }
        };
        watch.look(arm).await;
        watch.blamed("it was reconciled when it was last heard of").map(|failure| failure.message)
    }

    /// What is left of the patience.
    pub(super) fn left(&self, arm: &ArmClient) -> Duration {
        Duration::try_from(self.deadline.duration_since(arm.now())).unwrap_or_default()
    }

    /// What is left of the patience; an error when it is at its end.
    pub(super) async fn time_left(&mut self, arm: &ArmClient, status: &str) -> Result<Duration, Failure> {
        let left = self.left(arm);
        if !left.is_zero() {
            return Ok(left);
        }
        if let Some(watch) = &mut self.watch {
            watch.look(arm).await;
            if let Some(failure) = watch.blamed(status) {
                return Err(self.with_way_out(failure));
            }
        }
        let heard = self.watch.as_ref().map(Watch::last_heard).unwrap_or_default();
        let patience = patience_words(self.patience);
        let why = match &self.fault {
            Some(Fault { cause: Cause { reason, .. }, .. }) => format!("{status} ({reason})"),
            None => status.to_owned(),
        };
        Err(failure(
            "timed_out",
            format!("not done after {patience}: {why}{heard}"),
            Some(self.remedy_of_timeout(status)),
        ))
    }

    /// What is deleted on a cluster that does not come back can go from Azure alone.
    fn with_way_out(&self, failure: Failure) -> Failure {
        let hint = match (self.awaited.until, failure.hint) {
            (Until::Gone, Some(hint)) => Some(format!("{hint}; {WITHOUT_THE_CLUSTER}")),
            (_, hint) => hint,
        };
        Failure { hint, ..failure }
    }

    fn remedy_of_timeout(&self, status: &str) -> String {
        let is_flux = matches!(self.awaited.until, Until::Compliant(_));
        let known = match &self.fault {
            Some(Fault { cause, .. }) => remedy(&cause.reason, &cause.message),
            None if is_flux && !self.is_reported => remedy("nothing_reported", ""),
            None if is_flux => remedy("", status),
            None => None,
        };
        let look = match self.awaited.until {
            Until::Registered => "look with `az provider show`, and run this again".to_owned(),
            Until::Gone => format!(
                "it goes on without us, once the cluster's agents take it up: look with `arcflux status`, and run this again; \
                 {WITHOUT_THE_CLUSTER}"
            ),
            Until::Connected | Until::Provisioned | Until::Compliant(_) => GOES_ON.to_owned(),
        };
        known.unwrap_or(look)
    }

    fn cluster_type(&self) -> ClusterType {
        ClusterType::of_id(self.awaited.id).unwrap_or(ClusterType::ConnectedClusters)
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
        | ArmError::Abandoned
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
/// The URL may be lost, expired or on another server, where it is not followed. Not when nothing could be read.
pub(super) fn fall_back(error: &ArmError) -> bool {
    match error {
        ArmError::OperationFailed(_)
        | ArmError::StatusUnreadable { .. }
        | ArmError::TimedOut { .. }
        | ArmError::ForeignHost { .. } => true,
        ArmError::Status(_)
        | ArmError::Transport { .. }
        | ArmError::BadBody { .. }
        | ArmError::Abandoned
        | ArmError::Token(_)
        | ArmError::BadRequest { .. }
        | ArmError::EndlessList { .. } => false,
    }
}
