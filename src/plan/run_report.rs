//! The report of a run of `apply` or `destroy`: what was planned, how it ended, and what became of each resource. Every
//! run that had a right command line leaves one, also where nothing could be carried out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ApplyReport, Failure, Mode, Plan, Refusal, ResourceOutcome};
use crate::model::Digest;

/// The version of the report format: a new minor adds, a new major breaks.
pub const REPORT_VERSION: &str = "1.0";

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunReport {
    /// What tells it from the other lines of the stream.
    #[serde(rename = "type")]
    pub line_type: ReportLine,
    /// The version of this format.
    pub format_version: String,
    /// The version of arcflux that ran.
    pub arcflux_version: String,
    /// How it ended.
    pub ending: Ending,
    /// The exit code of the command.
    pub exit_code: u8,
    /// What was planned; absent where there was no plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanInBrief>,
    /// Why nothing was carried out; absent where something was, or there was nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// When the plan began to be carried out; absent where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// When that was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub ended_at: Option<Timestamp>,
    /// What became of each resource.
    #[serde(flatten)]
    pub result: ApplyReport,
}

/// The type of the line that the report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportLine {
    /// The last line of the stream.
    ApplyReport,
}

/// How a run ended. The names are stable; each has an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Everything became what was planned, or was so already.
    Converged,
    /// An error before anything was written, or no at the prompt.
    Error,
    /// Refused with nothing written: a safety rule, a moved world, another digest, nobody to ask.
    Refused,
    /// Something failed, or did not come in time.
    Incomplete,
    /// Interrupted: before anything was written, or after finishing what Azure had accepted.
    Interrupted,
}

/// Which plan a run was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlanInBrief {
    /// What the plan binds to.
    pub digest: Digest,
    /// The digest of the plan that was meant, where one was named: a saved plan, or what `--expect` says. The one that was
    /// made is it, or what was left of it; or nothing was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Digest>,
    /// The ARM endpoint: scheme, host and port.
    pub origin: String,
    /// The tenant that was signed in to, where the token told; else the one that the spec names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Which way it goes.
    pub mode: Mode,
    /// The safety rules that refuse it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
}

impl PlanInBrief {
    /// The digest of the plan that was meant: the one that was named, else the one that was made.
    #[must_use]
    pub fn meant(&self) -> &Digest {
        self.expected.as_ref().unwrap_or(&self.digest)
    }

    /// Whether this plan was meant.
    #[must_use]
    pub fn is_of(&self, plan: &Plan) -> bool {
        *self.meant() == plan.digest && self.origin == plan.origin && self.mode == plan.mode
    }
}

impl From<&Plan> for PlanInBrief {
    fn from(plan: &Plan) -> Self {
        Self {
            digest: plan.digest.clone(),
            expected: None,
            origin: plan.origin.clone(),
            tenant: plan.tenant.clone(),
            mode: plan.mode,
            refusals: plan.refusals.clone(),
        }
    }
}

/// Why nothing was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunError {
    /// What failed, and why.
    pub messages: Vec<String>,
    /// What belongs to that, an item each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl ApplyReport {
    /// How the run of this report ended.
    #[must_use]
    pub fn ending(&self) -> Ending {
        let is_moved = |(_, failure): (&ResourceOutcome, &Failure)| failure.code == "moved";
        if self.interrupted {
            Ending::Interrupted
        } else if self.converged() {
            Ending::Converged
        } else if !self.may_have_written() && self.failures().all(is_moved) {
            Ending::Refused
        } else {
            Ending::Incomplete
        }
    }

    /// Whether anything was written, or was sent and got no answer that says it was not.
    fn may_have_written(&self) -> bool {
        self.wrote() || self.resources.iter().flat_map(|resource| &resource.writes).any(|write| write.status.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Usage;
    use crate::plan::{Action, Outcome, Written};

    fn failed(code: &str, wrote: bool) -> Outcome {
        let failure = Failure { code: code.to_owned(), message: String::new(), hint: None, correlation_id: None };
        Outcome::Failed { failure, wrote }
    }

    fn sent(status: Option<u16>) -> Vec<Written> {
        vec![Written { method: "PUT".to_owned(), status, correlation_id: None, operation_id: None }]
    }

    fn report(resources: Vec<(Outcome, Vec<Written>)>, interrupted: bool) -> ApplyReport {
        let resource = |(outcome, writes)| ResourceOutcome {
            address: "rg-edge".parse().unwrap(),
            action: Action::Create,
            outcome,
            started_at: None,
            elapsed_seconds: 0,
            writes,
            goes_on: false,
        };
        let resources = resources.into_iter().map(resource).collect();
        ApplyReport { resources, deferred: Vec::new(), interrupted, usage: Usage::default() }
    }

    #[test]
    fn each_ending_row_by_row() {
        let skipped = || (Outcome::Skipped { because: Some("rg-edge".parse().unwrap()) }, Vec::new());
        let plain = |outcome: Outcome| (outcome, Vec::new());
        for (what, resources, interrupted, ending) in [
            ("nothing at all", vec![], false, Ending::Converged),
            ("nothing to do", vec![plain(Outcome::Unchanged)], false, Ending::Converged),
            ("waited for", vec![plain(Outcome::Reached)], false, Ending::Converged),
            ("written", vec![(Outcome::Applied, sent(Some(200)))], false, Ending::Converged),
            ("moved, nothing written", vec![plain(failed("moved", false)), skipped()], false, Ending::Refused),
            (
                "moved beside what is as it was",
                vec![plain(Outcome::Reached), plain(failed("moved", false))],
                false,
                Ending::Refused,
            ),
            ("moved halfway through itself", vec![(failed("moved", true), sent(Some(202)))], false, Ending::Incomplete),
            (
                "moved after another",
                vec![(Outcome::Applied, sent(Some(200))), plain(failed("moved", false))],
                false,
                Ending::Incomplete,
            ),
            (
                "moved beside another failure",
                vec![plain(failed("moved", false)), plain(failed("rejected", false))],
                false,
                Ending::Incomplete,
            ),
            (
                "a write was refused, then it had moved",
                vec![(failed("moved", false), sent(Some(409)))],
                false,
                Ending::Refused,
            ),
            (
                "a write got no answer, then it had moved",
                vec![(failed("moved", false), sent(None))],
                false,
                Ending::Incomplete,
            ),
            ("rejected", vec![plain(failed("rejected", false)), skipped()], false, Ending::Incomplete),
            ("timed out", vec![(failed("timed_out", true), sent(Some(201)))], false, Ending::Incomplete),
            ("nothing written, not compliant", vec![plain(failed("not_compliant", false))], false, Ending::Incomplete),
            (
                "interrupted",
                vec![(Outcome::Applied, sent(Some(200))), plain(Outcome::Skipped { because: None })],
                true,
                Ending::Interrupted,
            ),
            ("interrupted at the very end", vec![(Outcome::Applied, sent(Some(200)))], true, Ending::Interrupted),
            ("interrupted, and moved", vec![plain(failed("moved", false))], true, Ending::Interrupted),
        ] {
            assert_eq!(report(resources, interrupted).ending(), ending, "{what}");
        }
    }
}
