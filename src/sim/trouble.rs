//! What goes wrong with one resource, once or for a while. What goes wrong everywhere and all the time is a
//! [`Scenario`](super::Scenario).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::durations;
use super::route::{self, Route};
use super::simulator::Simulator;
use super::state::{Cluster, Outcome, State};
use super::world::{World, has_agents};

/// How the next operation on an extension or a flux configuration goes, be it a create, an update or a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Fate {
    /// As usual.
    #[default]
    Usual,
    /// It takes so much longer. Of an operation that hangs, this is when it lets go.
    Slow(Duration),
    /// It fails when it would have ended. What was written stays written; what was to be removed stays.
    Fails,
}

impl Fate {
    /// What it adds to the length of the operation.
    pub(crate) fn extra(self) -> Duration {
        match self {
            Self::Usual | Self::Fails => Duration::ZERO,
            Self::Slow(extra) => extra,
        }
    }

    /// How the operation ends, where that is not well.
    pub(crate) fn failure(self) -> Option<Outcome> {
        match self {
            Self::Usual | Self::Slow(_) => None,
            Self::Fails => Some(Outcome::Failed {
                code: "OperationFailed".to_owned(),
                message: "The operation failed for no reason that would last.".to_owned(),
            }),
        }
    }
}

/// A time in which a cluster's agents neither report nor do what they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Silence {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// One operation that was started on an extension or a flux configuration, on a cluster or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operated {
    /// Its id, as the last segment of its URL shows it.
    pub operation: String,
    /// Path of the resource, as the caller wrote it.
    pub resource: String,
    /// When it was started.
    pub started: Timestamp,
    /// When it ended; absent while it runs.
    pub ended: Option<Timestamp>,
    /// Whether it ended well.
    pub succeeded: bool,
}

impl Simulator {
    /// Lets the next operation on `resource` (a path below a subscription) go like this. Given several times, one after
    /// the other.
    pub fn next_operation(&self, resource: &str, fate: Fate) {
        self.disturb(|state| state.fates.entry(resource.to_lowercase()).or_default().push(fate));
    }

    /// Lets the agents of a connected `cluster` (a path below a subscription) be silent from one instant until another:
    /// what would happen in between happens at its end. A cluster that is not there stays as it is.
    pub fn silence(&self, cluster: &str, from: Timestamp, until: Timestamp) {
        let segments: Vec<String> = cluster.split('/').skip(1).map(str::to_owned).collect();
        self.disturb_world(|world| {
            if let Route::Cluster(path) = route::read(&segments)
                && let Ok(cluster) = world.cluster_mut(&path)
                && has_agents(cluster.kind)
            {
                cluster.silences.push(Silence { from, until });
            }
        });
    }

    /// Every operation so far, by id.
    #[must_use]
    pub fn operations(&self) -> Vec<Operated> {
        self.read(|state| {
            let operated = |(id, operation): (&String, &super::state::Operation)| Operated {
                operation: id.clone(),
                resource: operation.resource.clone(),
                started: operation.started,
                ended: operation.end.as_ref().map(|end| end.at),
                succeeded: operation.end.as_ref().is_some_and(|end| end.outcome == Outcome::Succeeded),
            };
            state.operations.iter().map(operated).collect()
        })
    }
}

impl State {
    /// How the operation goes that now starts on `resource`.
    pub(crate) fn take_fate(&mut self, resource: &str) -> Fate {
        let key = resource.to_lowercase();
        let Some(fates) = self.fates.get_mut(&key) else { return Fate::Usual };
        let fate = if fates.is_empty() { Fate::Usual } else { fates.remove(0) };
        if fates.is_empty() {
            self.fates.remove(&key);
        }
        fate
    }
}

impl World<'_> {
    /// When the agents of a cluster that has been online `since` last reported.
    pub(crate) fn last_heartbeat(cluster: &Cluster, since: Timestamp, now: Timestamp) -> Timestamp {
        let heard = durations::last_tick(since, durations::HEARTBEAT, now);
        match cluster.silences.iter().find(|silence| silence.from <= heard && heard < silence.until) {
            None => heard,
            Some(silence) if silence.until <= now => silence.until,
            Some(silence) => durations::last_tick(since, durations::HEARTBEAT, silence.from),
        }
    }
}

impl Cluster {
    /// When what its agents were to do or to report at `at` happens.
    pub(crate) fn when_heard(&self, at: Timestamp) -> Timestamp {
        // One silence may begin before another has ended.
        let mut at = at;
        while let Some(silence) = self.silences.iter().find(|silence| silence.from <= at && at < silence.until) {
            at = silence.until;
        }
        at
    }

    /// The last instant from `at` to `now` before which its agents do not fall silent.
    pub(crate) fn heard_until(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        self.silences.iter().map(|silence| silence.from).filter(|from| *from > at && *from < now).min().unwrap_or(now)
    }
}
