//! Whether the cluster of what is waited for still talks to Azure. One that does not takes nothing up, and Flux is not to
//! blame.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::failures::failure;
use crate::arm::ArmClient;
use crate::kinds::cluster::{
    CHANGES_KEPT_HOURS, ClusterType, Connectivity, Silence, connection_state, connectivity, since_last_contact,
};
use crate::kinds::remedies::remedy;
use crate::model::{Reading, ResourceId};
use crate::plan::Failure;

/// How often the cluster is looked at while nothing moves.
const LOOK_EVERY: Duration = Duration::from_secs(5 * 60);
/// How long one look at the cluster may take. It is for remarks only: who waits must not wait for it.
const ONE_LOOK: Duration = Duration::from_secs(30);
/// How long a cluster may be offline at least before a wait for it is given up. Azure calls it so only after a quarter of
/// an hour of silence, so a short interruption is never seen at all; one that is seen may end, too.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// After so long without a heartbeat Azure calls a cluster offline (`../shared/facts/domain.md` §3).
const HEARD_OF_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// The cluster of one wait.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    cluster: &'a ResourceId,
    cluster_type: ClusterType,
    api_version: &'a str,
    /// How long the wait may take.
    patience: Duration,
    looked: Option<Timestamp>,
    silent: Option<Silent>,
    heard: String,
}

/// A cluster that does not talk.
#[derive(Debug)]
struct Silent {
    silence: Silence,
    /// ARM's word for it, and when it was last heard of.
    state: String,
    /// Since when it has been seen so.
    since: Timestamp,
}

impl<'a> Watch<'a> {
    pub(super) fn new(cluster: &'a ResourceId, api_version: Option<&'a str>, patience: Duration) -> Option<Self> {
        let cluster_type = ClusterType::of_id(cluster)?;
        let api_version = api_version.unwrap_or_else(|| cluster_type.api_version());
        Some(Self { cluster, cluster_type, api_version, patience, looked: None, silent: None, heard: String::new() })
    }

    /// Looks at the cluster, if that was not done lately.
    pub(super) async fn look(&mut self, arm: &ArmClient) {
        let now = arm.now();
        let is_due = |looked: Timestamp| now >= after(looked, arm.scaled(LOOK_EVERY));
        if !self.looked.is_none_or(is_due) {
            return;
        }
        self.looked = Some(now);
        // What cannot be read tells nothing: the wait goes on as if it were connected.
        let Ok(Reading::Present(body)) = arm.poll(self.cluster, self.api_version, ONE_LOOK).await else { return };
        let since = self.silent.as_ref().map_or(now, |silent| silent.since);
        self.heard = since_last_contact(&body);
        self.silent = match connectivity(self.cluster_type, &body) {
            Connectivity::Ready => None,
            Connectivity::NotReady(silence) => {
                let state = format!("{}{}", connection_state(self.cluster_type, &body), self.heard);
                Some(Silent { silence, state, since })
            }
        };
    }

    /// What is seen, with what is wrong with the cluster; an error when there is no use in waiting for it.
    pub(super) fn judge(&self, arm: &ArmClient, status: String) -> Result<String, Failure> {
        let Some(silent) = &self.silent else { return Ok(status) };
        let may_return = match silent.silence {
            Silence::Offline | Silence::NeverConnected | Silence::Other(_) => true,
            Silence::Expired | Silence::AgentNotInstalled | Silence::Stopped => false,
        };
        let patience = arm.scaled(PATIENCE.max(self.patience / 4));
        if may_return && arm.now() < after(silent.since, patience) {
            return Ok(format!("{status}; the cluster is {}", silent.state));
        }
        Err(silent.failure(&status))
    }

    /// The failure of a wait whose time is up, if the cluster is to blame.
    pub(super) fn blamed(&self, status: &str) -> Option<Failure> {
        self.silent.as_ref().map(|silent| silent.failure(status))
    }

    /// When a cluster that is connected as far as Azure knows was last heard of, as the end of a sentence.
    pub(super) fn last_heard(&self) -> String {
        match self.heard.strip_prefix(", ") {
            Some(heard) => format!("; the cluster was {heard}"),
            None => String::new(),
        }
    }
}

impl Silent {
    fn failure(&self, status: &str) -> Failure {
        let kept = match self.silence {
            Silence::Offline | Silence::NeverConnected | Silence::Other(_) => format!(
                ": it takes nothing up, and Azure keeps a request for {CHANGES_KEPT_HOURS} h, the secrets in it for less"
            ),
            Silence::Expired | Silence::AgentNotInstalled | Silence::Stopped => ": it takes nothing up".to_owned(),
        };
        let status = status.trim_end_matches(&format!("; the cluster is {}", self.state));
        failure(
            "cluster_not_ready",
            format!("the cluster is {}{kept} ({status})", self.state),
            Some(remedy(self.silence.code(), "").unwrap_or_else(|| self.silence.remedy().to_owned())),
        )
    }
}

/// Whether a report of that time, read now, shows by itself that the cluster talks to Azure.
pub(super) fn proves_contact(reported: Option<&str>, now: Timestamp) -> bool {
    let reported = reported.and_then(|time| time.parse::<Timestamp>().ok());
    reported.is_some_and(|reported| now.duration_since(reported) < HEARD_OF_WITHIN)
}

fn after(time: Timestamp, length: Duration) -> Timestamp {
    time.checked_add(length).unwrap_or(Timestamp::MAX)
}
