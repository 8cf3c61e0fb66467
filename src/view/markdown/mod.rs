//! Plans and what became of them as one comment of a pull request, in GitHub's Markdown.
//!
//! The first line is the hidden [`Marker`]. Nothing that comes from a value acts: no link, mention, reference, image,
//! heading or HTML, neither for a Markdown parser nor for what forges do with its output.

mod budget;
mod context;

pub use budget::Budget;
pub use context::Context;

use url::Url;

use self::budget::Room;
use super::{Style, plan_text};
use crate::model::{Digest, Marker};
use crate::plan::{ApplyReport, Plan, RunError};

/// A plan as a comment. Where nothing would change it says so, and is closed.
#[must_use]
pub fn plan(plan: &Plan, context: &Context) -> String {
    let is_closed = !plan.differs() && !plan.waits() && plan.refusals.is_empty();
    written(marker(plan, context, is_closed), "arcflux plan", &plan_text::render(plan, Style::PLAIN), context)
}

/// What the comment of a plan becomes once the plan was applied: what became of it, and the plan folded.
#[must_use]
pub fn outcome(plan: &Plan, report: &ApplyReport, context: &Context) -> String {
    let text = super::apply::render_report(report, plan.mode, &Style::PLAIN);
    written(marker(plan, context, true), "arcflux apply", &text, context)
}

/// The comment where there is no plan: what is wrong. `problems` is what is wrong with the spec, as text, and may be empty.
#[must_use]
pub fn failed(error: &RunError, problems: &str, context: &Context) -> String {
    let RunError { messages, details, hint } = error;
    let text = super::problem::render(messages, details, hint.as_deref(), &Style::PLAIN);
    written(blank(context), "arcflux plan", &format!("{problems}{text}"), context)
}

/// What an older comment becomes when another took its place.
#[must_use]
pub fn superseded(newer: Option<&Url>, context: &Context) -> String {
    let _ = newer;
    let marker = Marker { closed: true, ..blank(context) };
    format!("{}\n## arcflux plan\n\nSuperseded by a newer comment.\n", marker.render())
}

fn blank(context: &Context) -> Marker {
    Marker {
        target: context.target.clone(),
        head: context.commit.clone(),
        base: context.base.clone(),
        ..Marker::default()
    }
}

fn marker(plan: &Plan, context: &Context, closed: bool) -> Marker {
    Marker { digest: Some(plan.digest.clone()), spec: Some(Digest::of(&plan.spec)), closed, ..blank(context) }
}

fn written(marker: Marker, heading: &str, text: &str, context: &Context) -> String {
    let fence = fence(text);
    let mut room = Room::of(context.budget);
    let truncated = Marker { truncated: true, ..marker.clone() };
    let frame = format!("{}\n## {heading}\n\n{fence}text\n{fence}\n", truncated.render());
    room.take(&frame);
    let kept: Vec<&str> = text.split_inclusive('\n').take_while(|line| room.take(line)).collect();
    let kept = kept.concat();
    let marker = if kept.len() < text.len() { truncated } else { marker };
    format!("{}\n## {heading}\n\n{fence}text\n{kept}{fence}\n", marker.render())
}

/// A report that is no plan, as a section: its text, as it stands on a terminal, in a fence.
pub(super) fn report(heading: &str, text: &str) -> String {
    let fence = fence(text);
    format!("## {heading}\n\n{fence}text\n{text}{fence}\n")
}

/// A fence that nothing in the text can close.
fn fence(text: &str) -> String {
    let runs = text.split(|character| character != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}
