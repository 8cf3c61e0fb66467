//! Every decision: what would change, why, by which steps, and what must still be true when it happens.
//!
//! A plan is data. It leaves no choices for apply: each [`Change`] is a list of [`Step`]s with method, id, api-version,
//! body and condition. What it must not know: how anything is sent or shown.

mod ages;
mod begun;
mod change;
mod checkup;
mod decide;
mod digest;
mod drift;
mod durations;
mod estimate;
mod expected_revision;
mod export;
mod explain;
mod limits;
mod make;
mod needs;
mod report;
mod run_report;
mod spec_source;
mod saved;
mod sensitive;
mod status;
mod step;
mod taken;
mod unmanaged;

pub use ages::{Age, ages};
pub use begun::deviations_from_begun;
pub use change::{Action, Change, Consequence, Delta, Modified, Precondition, Reason, SecretWrite};
pub use checkup::{CHECKUP_VERSION, Check, Checked, Checkup, Standing};
pub use drift::{Drift, DriftKind, DriftReport};
pub use durations::typical;
pub use estimate::Estimate;
pub use expected_revision::{ExpectedRevision, UnknownRevision, expect_revisions};
pub use explain::{
    Cause, EqualBy, ExplainError, Explanation, FieldStory, FieldVerdict, HabitName, Location, Reference, RuleStory,
    SpecText, Target, UnknownName, WantedFrom, causes, explain, locate,
};
pub use export::{Export, LeftOut, configuration_reads, export};
pub use make::{
    Choices, OfflineClusters, Options, PlanError, SecretGrant, SecretPolicy, WaitFor, Workloads, destroy, make,
};
pub use needs::{Need, needs};
pub use report::{ApplyReport, Event, EventKind, Failure, Outcome, ResourceOutcome, StreamLine, Written};
pub use run_report::{Ending, PlanInBrief, REPORT_VERSION, ReportLine, RunError, RunReport};
pub use saved::{Deviation, deviations};
pub use sensitive::SENSITIVE;
pub use spec_source::{SpecSource, SpecWarning};
pub use status::{ClusterStatus, ConfigurationStatus, ExtensionStatus, StatusReport, Verdict};
pub use step::{ChartFrom, Condition, Expectation, KnownAgents, Step, Until};
pub use taken::shown as shown_live;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kinds::Kind;
use crate::model::{Address, Digest, ResourceId};

/// The version of the plan format: a new minor adds, a new major breaks.
pub const FORMAT_VERSION: &str = "1.0";

/// What would be done, in order, and everything a reviewer should know about it. Field names follow Terraform's plan
/// format where the meaning is the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of this format.
    pub format_version: String,
    /// The version of arcflux that made the plan.
    pub arcflux_version: String,
    /// The ARM endpoint that was read: scheme, host and port.
    pub origin: String,
    /// The tenant that was signed in to, where the token told; else the one that the spec names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Whether the plan brings up what the spec says, or takes it down.
    pub mode: Mode,
    /// Decisions of whoever planned.
    pub choices: Choices,
    /// When the live state was read; only in saved plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub timestamp: Option<jiff::Timestamp>,
    /// How long ago things were when the live state was read; only in saved plans.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ages: Vec<Age>,
    /// What the plan binds to: equal digests mean equal steps from equal live states.
    pub digest: Digest,
    /// Whether an apply may start: there is something to do and no rule refuses it.
    pub applyable: bool,
    /// What an apply takes, where it does anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Every resource of the spec, in the order in which it is handled.
    pub resource_changes: Vec<Change>,
    /// Changes that the spec asks for, and that are left for when their cluster talks to Azure again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deferred_changes: Vec<DeferredChange>,
    /// Safety rules that refuse the apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// What a reviewer should know beside the changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Live resources that the spec does not name. They are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmanaged: Vec<Unmanaged>,
    /// The spec in its long form. Secrets are references.
    pub spec: Value,
    /// Where the spec came from, where that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_source: Option<SpecSource>,
    /// The spec as it was before, in its long form, where the plan was made against one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Value>,
}

/// Which way a plan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// To what the spec says.
    Apply,
    /// To where nothing of it is left on the cluster.
    Destroy,
}

/// A safety rule that refuses the apply, with the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// A stable name: `needs_workloads_choice`, `replace_not_allowed`…
    pub code: String,
    /// What it is about; absent where it is the plan as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// What is refused, and why.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Refusal {
    /// What secrets and credentials may be used for.
    const SAID_BY_WHOEVER_APPLIES: [&str; 2] = ["secret_not_allowed", "credentials_aimed_elsewhere"];

    /// Whether a plan stays refused by it. What secrets and credentials may be used for is said anew by whoever applies;
    /// everything else takes a new plan.
    #[must_use]
    pub fn binds(&self) -> bool {
        !Self::SAID_BY_WHOEVER_APPLIES.contains(&self.code.as_str())
    }
}

/// Something worth knowing that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// A stable name: `unknown_field`, `cluster_not_ready`…
    pub code: String,
    /// What it is about.
    pub address: Address,
    /// The sentence.
    pub message: String,
}

/// A change that is left for another time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeferredChange {
    /// What it is about.
    pub address: Address,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What would be done.
    pub actions: Action,
    /// Why it is left, by a stable name: `cluster_offline`, `cluster_expired`…
    pub reason: String,
    /// Why it is left, in a clause.
    pub message: String,
}

/// A live resource that the spec does not name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unmanaged {
    /// Its address.
    pub address: Address,
    /// Its ARM id.
    pub id: ResourceId,
}

/// How many resources each action is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be created.
    pub create: usize,
    /// To be updated in place.
    pub update: usize,
    /// To be deleted.
    pub delete: usize,
    /// To be deleted and created again.
    pub replace: usize,
}

impl Plan {
    /// How many resources each action is for.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.resource_changes {
            match change.change.actions {
                Action::NoOp | Action::Read => {}
                Action::Create => counts.create += 1,
                Action::Update => counts.update += 1,
                Action::Delete => counts.delete += 1,
                Action::Replace => counts.replace += 1,
            }
        }
        counts
    }

    /// Whether anything would be written.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.resource_changes.iter().any(Change::writes)
    }

    /// Whether the world is not what the spec asks for: something would be written, now or later.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.has_changes() || !self.deferred_changes.is_empty()
    }

    /// Whether it takes something away: a resource, or what is applied in a cluster.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        self.resource_changes.iter().any(|change| match change.change.actions {
            Action::Delete | Action::Replace => true,
            Action::NoOp | Action::Read | Action::Create | Action::Update => {
                change.consequences.iter().any(Consequence::is_destructive)
            }
        })
    }

    /// Whether an apply would wait for something although it writes nothing.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.resource_changes.iter().any(|change| !change.steps.is_empty())
    }
}
