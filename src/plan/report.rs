//! What an apply tells while it runs, and at its end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Action, RunReport};
use crate::model::{Address, Usage};

/// Something that happened during an apply.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Event {
    /// When, on the engine's clock.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// What it is about.
    pub address: Address,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// Work on the resource has begun.
    ApplyStart {
        /// What is done.
        action: Action,
    },
    /// A request was sent and accepted.
    Accepted {
        /// `PUT`, `PATCH`, `DELETE` or `POST`.
        method: String,
        /// The HTTP status.
        status: u16,
        /// The operation that it started.
        #[serde(skip_serializing_if = "Option::is_none")]
        operation_id: Option<String>,
        /// ARM's correlation id, for a support request.
        #[serde(skip_serializing_if = "Option::is_none")]
        correlation_id: Option<String>,
    },
    /// Still waiting.
    ApplyProgress {
        /// What is done.
        action: Action,
        /// For what, in a few words.
        waiting_for: String,
        /// What the service says.
        status: String,
        /// Seconds since work on the resource began.
        elapsed_seconds: i64,
    },
    /// The resource is done.
    ApplyComplete {
        /// What was done.
        action: Action,
        /// Seconds since work on the resource began.
        elapsed_seconds: i64,
    },
    /// The resource failed.
    ApplyErrored {
        /// Why.
        failure: Failure,
    },
    /// The resource was not touched.
    ApplySkipped {
        /// The resource that it needs and that failed; absent when the run was interrupted.
        #[serde(skip_serializing_if = "Option::is_none")]
        because: Option<Address>,
    },
}

/// Why a resource failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Failure {
    /// A stable name: `moved`, `rejected`, `outcome_unknown`, `not_applied`, `operation_failed`, `not_compliant`,
    /// `timed_out`, `unanswered`, `interrupted`…
    pub code: String,
    /// What failed and why. May hold text from ARM or from Flux.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// ARM's correlation id, for a support request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ResourceOutcome {
    /// Which.
    pub address: Address,
    /// What was planned.
    pub action: Action,
    /// What became of it.
    pub outcome: Outcome,
    /// When work on it began; absent where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Timestamp>,
    /// Seconds from then to its end.
    pub elapsed_seconds: i64,
    /// Every write that was sent for it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Written>,
    /// Whether Azure may still be at work on it: the end of an operation was not seen.
    pub goes_on: bool,
}

/// A write that was sent, and what ARM said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Written {
    /// `PUT`, `PATCH`, `DELETE` or `POST`.
    pub method: String,
    /// The HTTP status of the answer; absent where none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// ARM's correlation id, for a support request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The operation that it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
}

/// What became of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// There was nothing to do.
    Unchanged,
    /// Nothing was written, and what was waited for has come.
    Reached,
    /// Written, and everything that was waited for has come.
    Applied,
    /// Failed.
    Failed {
        /// Why.
        failure: Failure,
        /// Whether something had been written before, or may have been: a write got no answer.
        wrote: bool,
    },
    /// Not touched.
    Skipped {
        /// The resource that it needs and that failed; absent when the run was interrupted.
        #[serde(skip_serializing_if = "Option::is_none")]
        because: Option<Address>,
    },
    /// Left for when its cluster talks to Azure again.
    Deferred {
        /// Why, by a stable name: `cluster_offline`, `cluster_expired`…
        reason: String,
    },
}

/// One line of the JSON stream of an apply: events as they happen, and the report of the run at the end.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum StreamLine {
    /// Something happened.
    Event(Box<Event>),
    /// It is over.
    Report(Box<RunReport>),
}

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ApplyReport {
    /// Every resource of the plan, in its order.
    pub resources: Vec<ResourceOutcome>,
    /// What was left for when its cluster talks to Azure again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deferred: Vec<Address>,
    /// Whether the run was interrupted.
    pub interrupted: bool,
    /// What was asked of Azure since the client was made: the reads of the plan count, too.
    pub usage: Usage,
}

impl ApplyReport {
    /// Whether everything became what was planned.
    #[must_use]
    pub fn converged(&self) -> bool {
        !self.interrupted && self.failures().next().is_none() && !self.resources.iter().any(ResourceOutcome::is_skipped)
    }

    /// Whether anything was written.
    #[must_use]
    pub fn wrote(&self) -> bool {
        self.resources.iter().any(|resource| match &resource.outcome {
            Outcome::Applied => true,
            Outcome::Failed { wrote, .. } => *wrote,
            Outcome::Unchanged | Outcome::Reached | Outcome::Skipped { .. } | Outcome::Deferred { .. } => false,
        })
    }

    /// The resources that failed, with why.
    pub fn failures(&self) -> impl Iterator<Item = (&ResourceOutcome, &Failure)> {
        self.resources.iter().filter_map(|resource| match &resource.outcome {
            Outcome::Failed { failure, .. } => Some((resource, failure)),
            Outcome::Unchanged
            | Outcome::Reached
            | Outcome::Applied
            | Outcome::Skipped { .. }
            | Outcome::Deferred { .. } => None,
        })
    }
}

impl ResourceOutcome {
    fn is_skipped(&self) -> bool {
        matches!(self.outcome, Outcome::Skipped { .. })
    }
}
