//! An apply while it runs, and what became of it.

use jiff::SignedDuration;

use super::style::{Tone, unwrapped};
use super::{Style, json, value};
use crate::model::{Address, Seconds, Usage};
use crate::plan::{Action, ApplyReport, Event, EventKind, Failure, Mode, Outcome, ResourceOutcome, RunReport, Written};

/// One line for an event, without a line feed, in Terraform's words; `None` for what only programs want to know.
#[must_use]
pub fn event_line(event: &Event, style: &Style) -> Option<String> {
    let Event { at: _, address, kind } = event;
    let (tone, text) = match kind {
        EventKind::ApplyStart { action } => (Tone::Heading, format!("{}...", Words::of(*action, address).doing)),
        EventKind::Accepted { method: _, status: _, operation_id: _, correlation_id: _ } => return None,
        EventKind::ApplyProgress { action, waiting_for, status, elapsed_seconds } => {
            let doing = Words::of(*action, address).doing.to_lowercase();
            let what = if writes(*action) { doing } else { format!("{doing} for {waiting_for}") };
            (Tone::Quiet, format!("Still {what}... [{} elapsed, {status}]", elapsed(*elapsed_seconds)))
        }
        EventKind::ApplyComplete { action, elapsed_seconds } => {
            let done = Words::of(*action, address).done;
            (Tone::Heading, format!("{done} complete after {}", elapsed(*elapsed_seconds)))
        }
        EventKind::ApplyErrored { failure } => (Tone::Bad, format!("Failed: {}", failure.message)),
        EventKind::ApplySkipped { because } => (Tone::Change, format!("Skipped, because {}", cause(because.as_ref()))),
    };
    Some(style.paint(tone, &unwrapped(&format!("{address}: {text}"))))
}

/// One event as a JSON object on one line, without a line feed (`schemas/event.schema.json`).
#[must_use]
pub fn event_json(event: &Event) -> String {
    json::line(event)
}

/// What became of a run as a JSON object on one line, without a line feed: the last line of the stream.
#[must_use]
pub fn report_json(report: &RunReport) -> String {
    json::line(report)
}

/// The same as an indented document (`schemas/report.schema.json`).
#[must_use]
pub fn report_document(report: &RunReport) -> String {
    json::pretty(report)
}

/// What became of a plan that went this way: failures, what was skipped, and the sentence at the end.
#[must_use]
pub fn render_report(report: &ApplyReport, mode: Mode, style: &Style) -> String {
    let mut out = String::new();
    for FailureRow { address, done, message, hint, correlation_id, trace, left_behind } in failures(report) {
        let heading = format!("Error: {}: {done} failed", value::name(&address.to_string()));
        out.push_str(&style.paint(Tone::Bad, &heading));
        out.push('\n');
        out.push_str(&style.sentence("  ", "  ", message));
        if let Some(hint) = hint {
            out.push_str(&style.sentence("  hint: ", "        ", hint));
        }
        if let Some(id) = correlation_id {
            out.push_str(&style.sentence("  correlation id: ", "        ", id));
        }
        if let Some(trace) = trace {
            out.push_str(&style.sentence("  ", "  ", &trace));
        }
        if let Some(left) = left_behind {
            out.push_str(&style.sentence("  ", "  ", &left));
        }
        out.push('\n');
    }
    let skipped = skipped(report);
    if !skipped.is_empty() {
        out.push_str(&style.paint(Tone::Change, "Skipped:"));
        out.push('\n');
        for (address, because) in &skipped {
            out.push_str(&style.sentence("  ", "      ", &format!("{address}, because {because}")));
        }
        out.push('\n');
    }
    if !report.deferred.is_empty() {
        out.push_str(&style.paint(Tone::Change, "Deferred until the cluster talks to Azure again:"));
        out.push('\n');
        for address in &report.deferred {
            out.push_str(&style.sentence("  ", "      ", &address.to_string()));
        }
        out.push('\n');
    }
    let tone = if report.converged() { Tone::Good } else { Tone::Bad };
    out.push_str(&format!("{}\n", style.paint(tone, &verdict(report, mode))));
    if let Some(effort) = worth_telling(report) {
        out.push_str(&style.sentence("", "", &effort));
    }
    if report.interrupted {
        out.push_str(&style.sentence("", "", RUN_AGAIN));
    }
    out
}

/// A resource that failed, as it is read. Texts are raw.
pub(super) struct FailureRow<'a> {
    pub(super) address: &'a Address,
    /// What was done, as a noun: `creation`.
    pub(super) done: String,
    pub(super) message: &'a str,
    pub(super) hint: Option<&'a str>,
    /// For a support request, where the message does not hold it already.
    pub(super) correlation_id: Option<&'a str>,
    /// Where to look for what was begun: a sentence.
    pub(super) trace: Option<String>,
    /// What to do about what was written before, or may have been: a sentence.
    pub(super) left_behind: Option<String>,
}

/// What to do after an interruption.
const RUN_AGAIN: &str = "Run the same command again: it goes on from where this run stopped.";

/// What failed, in the order of the plan.
pub(super) fn failures(report: &ApplyReport) -> Vec<FailureRow<'_>> {
    report.failures().map(|(resource, failure)| failure_row(resource, failure)).collect()
}

fn failure_row<'a>(resource: &'a ResourceOutcome, failure: &'a Failure) -> FailureRow<'a> {
    let Failure { code: _, message, hint, correlation_id } = failure;
    FailureRow {
        address: &resource.address,
        done: Words::of(resource.action, &resource.address).done.to_lowercase(),
        message,
        hint: hint.as_deref(),
        correlation_id: correlation_id.as_deref().filter(|id| !message.contains(id)),
        trace: trace(resource),
        left_behind: left_behind(resource),
    }
}

fn left_behind(resource: &ResourceOutcome) -> Option<String> {
    if !matches!(resource.outcome, Outcome::Failed { wrote: true, .. }) {
        return None;
    }
    let is_accepted = resource.writes.iter().any(|write| write.status.is_some_and(|status| status < 300));
    let wrote = if is_accepted { "Something was written before it failed" } else { "It may have been written" };
    Some(format!("{wrote}: `arcflux status` shows how it is doing, `arcflux plan` whether anything is left to write."))
}

/// What was not begun, and why not.
pub(super) fn skipped(report: &ApplyReport) -> Vec<(&Address, String)> {
    let row = |resource: &'_ ResourceOutcome| match &resource.outcome {
        Outcome::Skipped { because } => Some(cause(because.as_ref())),
        Outcome::Unchanged
        | Outcome::Reached
        | Outcome::Applied
        | Outcome::Failed { .. }
        | Outcome::Deferred { .. } => None,
    };
    report.resources.iter().filter_map(|resource| Some((&resource.address, row(resource)?))).collect()
}

/// What was asked of Azure, where somebody has to wonder about it.
pub(super) fn worth_telling(report: &ApplyReport) -> Option<String> {
    let is_odd = !report.converged() || report.usage.retries > 0 || report.usage.throttled_seconds > 0;
    is_odd.then(|| effort(report))
}

/// The last write of a resource that failed, as far as it tells where to look.
fn trace(resource: &ResourceOutcome) -> Option<String> {
    let Written { method, status, correlation_id: _, operation_id } = resource.writes.last()?;
    match (operation_id, status) {
        (Some(id), _) if resource.goes_on => {
            Some(format!("Azure may still be at work on it: operation {id}, begun by {method}."))
        }
        (Some(id), _) => Some(format!("operation id: {id}, begun by {method}")),
        (None, None) => Some(format!("{method} was sent, and no answer came.")),
        (None, Some(_)) => None,
    }
}

/// What was asked of Azure, and how long it took.
fn effort(report: &ApplyReport) -> String {
    let counted = |count: u64, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    };
    let Usage { reads, writes, deletes, retries, throttled_seconds } = report.usage;
    let sent = writes + deletes;
    let began = report.resources.iter().filter_map(|resource| resource.started_at).min();
    let ends = report.resources.iter().filter_map(|resource| {
        resource.started_at?.checked_add(SignedDuration::from_secs(resource.elapsed_seconds)).ok()
    });
    let took = match (began, ends.max()) {
        (Some(began), Some(ended)) => format!(" in {}", elapsed(ended.duration_since(began).as_secs())),
        (_, _) => String::new(),
    };
    let requests = counted(reads + sent, "request", "requests");
    let mut parts = vec![format!("{requests} ({}){took}", counted(sent, "write", "writes"))];
    parts.extend((retries > 0).then(|| counted(retries, "retry", "retries")));
    let throttled = i64::try_from(throttled_seconds).unwrap_or(i64::MAX);
    parts.extend((throttled > 0).then(|| format!("held back by Azure's limits for {}", elapsed(throttled))));
    format!("{}.", parts.join(", "))
}

/// `Apply complete! Resources: 2 added, 1 changed, 0 destroyed.`
pub(super) fn verdict(report: &ApplyReport, mode: Mode) -> String {
    let applied = |action: Action| {
        let is_applied = |outcome: &Outcome| matches!(outcome, Outcome::Applied);
        report.resources.iter().filter(|one| one.action == action && is_applied(&one.outcome)).count()
    };
    let (name, resources) = match mode {
        Mode::Apply => {
            let replaced = match applied(Action::Replace) {
                0 => String::new(),
                some => format!(", {some} replaced"),
            };
            let (added, changed) = (applied(Action::Create), applied(Action::Update));
            ("Apply", format!("{added} added, {changed} changed, {} destroyed{replaced}", applied(Action::Delete)))
        }
        Mode::Destroy => ("Destroy", format!("{} destroyed", applied(Action::Delete))),
    };
    let resources = match report.deferred.len() {
        0 => resources,
        some => format!("{resources}, {some} deferred"),
    };
    if report.converged() {
        return format!("{name} complete! Resources: {resources}.");
    }
    let (failed, skipped) = (report.failures().count(), skipped(report).len());
    let end = if report.interrupted { "interrupted" } else { "incomplete" };
    format!("{name} {end}: {failed} failed, {skipped} skipped. Resources: {resources}.")
}

/// Terraform's words for an action.
struct Words {
    doing: &'static str,
    done: &'static str,
}

impl Words {
    fn of(action: Action, address: &Address) -> Self {
        let (doing, done) = match action {
            Action::Create => match address {
                Address::Provider { .. } => ("Registering", "Registration"),
                Address::ResourceGroup { .. } | Address::Cluster { .. } => ("Creating", "Creation"),
            },
            Action::Update => ("Modifying", "Modifications"),
            Action::Replace => ("Replacing", "Replacement"),
            Action::Delete => ("Destroying", "Destruction"),
            Action::Read | Action::NoOp => ("Waiting", "Wait"),
        };
        Self { doing, done }
    }
}

fn writes(action: Action) -> bool {
    match action {
        Action::Create | Action::Update | Action::Replace | Action::Delete => true,
        Action::Read | Action::NoOp => false,
    }
}

fn cause(because: Option<&Address>) -> String {
    match because {
        Some(address) => format!("{address}, which it needs, did not succeed"),
        None => "the run was interrupted".to_owned(),
    }
}

fn elapsed(seconds: i64) -> String {
    match u32::try_from(seconds).ok().and_then(Seconds::new) {
        Some(duration) => duration.to_string(),
        None => "0s".to_owned(),
    }
}
