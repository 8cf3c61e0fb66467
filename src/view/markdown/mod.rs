//! Plans and what became of them as one comment of a pull request, in GitHub's Markdown.
//!
//! The first line is the hidden [`Marker`]. Nothing that comes from a value acts: no link, mention, reference, image,
//! heading or HTML, neither for a Markdown parser nor for what forges do with its output (`inert`). However large a plan
//! is, the comment stays within its [`Budget`], and says what it leaves out (`page`).

mod budget;
mod changes;
mod command;
mod context;
mod inert;
mod list;
mod losses;
mod page;
mod run;
mod same;
mod sections;
mod spec;

pub use budget::Budget;
pub use context::Context;
pub use run::{failed, not_applied, outcome, superseded};
pub use same::says_the_same;

use self::inert::{code, link, sentence};
use self::page::{Page, Place};
use super::rows::{Drifted, Rows, counts};
use super::value;
use crate::model::{Digest, Marker};
use crate::plan::{Mode, Plan, Unmanaged};

/// A plan as a comment. Where an apply would do nothing it says so, and is closed.
#[must_use]
pub fn plan(plan: &Plan, context: &Context) -> String {
    let is_idle = !plan.differs() && !plan.waits() && plan.refusals.is_empty();
    let rows = Rows::of(plan);
    let headline = match counts(plan) {
        Some(counts) => counts,
        None if is_idle => "no changes".to_owned(),
        None => "nothing to write".to_owned(),
    };
    let name = match plan.mode {
        Mode::Apply => "arcflux plan",
        Mode::Destroy => "arcflux plan to destroy",
    };
    let mut page = begin(name, &headline, context);
    if is_idle {
        page.put(Place::Head, &format!("{}\n\n", rows.summary));
    }
    if plan.applyable {
        page.put(Place::Foot, &command::how_to_apply(plan, context));
    }
    page.put(Place::Foot, &foot(Some(plan), context));
    if let Some(estimate) = &rows.estimate {
        page.put(Place::Estimate, &paragraph(estimate));
    }
    sections::add(&mut page, &rows, plan.spec_source.as_ref().map_or(&[], |source| &source.warnings));
    sections::graph(&mut page, plan);
    end(page, &marker(plan, context, is_idle), context)
}

/// What was changed outside of arcflux, as a section that begins with `sentence`.
pub(super) fn drift(drifted: &[Drifted<'_>], unmanaged: &[Unmanaged], sentence: &str) -> String {
    let heading = "## arcflux drift\n\n";
    let mut page = Page::new(Budget::default(), heading);
    page.put(Place::Head, &paragraph(sentence));
    sections::drifted(&mut page, "", drifted);
    sections::unmanaged(&mut page, "Not declared", unmanaged);
    format!("{heading}{}\n", page.finish().0.trim_end())
}

/// A report that is no plan, as a section: its text, as it stands on a terminal, in a fence.
pub(super) fn report(heading: &str, text: &str) -> String {
    let heading = format!("## {heading}\n\n");
    let mut page = Page::new(Budget::default(), &heading);
    run::text(&mut page, Place::Run, text);
    format!("{heading}{}\n", page.finish().0.trim_end())
}

/// A page with its headline. Room is kept for what [`end`] adds.
fn begin(name: &str, headline: &str, context: &Context) -> Page {
    let longest = Marker { closed: false, truncated: false, ..blank(context) }.render();
    // Both digests of a marker, with their names.
    let digests = "x".repeat(2 * 90);
    let mut page = Page::new(context.budget, &format!("{longest}{digests}{}\n", not_whole(context)));
    let target = match context.target.is_default() {
        true => String::new(),
        false => format!(" for {}", code(&context.target.to_string())),
    };
    page.put(Place::Head, &format!("## {name}{target}: {headline}\n\n"));
    page
}

/// The comment: the marker, what is on the page, and whether that is all.
fn end(page: Page, marker: &Marker, context: &Context) -> String {
    let (text, is_whole) = page.finish();
    let marker = Marker { truncated: !is_whole, ..marker.clone() };
    let rest = if is_whole { String::new() } else { not_whole(context) };
    format!("{}\n{}\n{rest}", marker.render(), text.trim_end())
}

fn not_whole(context: &Context) -> String {
    let whole = context.artifact_url.as_ref().and_then(|address| link("whole plan", address));
    let whole = whole.map_or_else(|| "`arcflux plan` shows all of it".to_owned(), |link| format!("see the {link}"));
    format!("\n**Not everything has room in a comment: {whole}.**\n")
}

fn blank(context: &Context) -> Marker {
    let Context { target, commit, base, .. } = context;
    Marker { target: target.clone(), head: commit.clone(), base: base.clone(), ..Marker::default() }
}

fn marker(plan: &Plan, context: &Context, closed: bool) -> Marker {
    Marker { digest: Some(plan.digest.clone()), spec: Some(Digest::of(&plan.spec)), closed, ..blank(context) }
}

/// What the plan binds to, and where it is from.
fn foot(plan: Option<&Plan>, context: &Context) -> String {
    let Context { target: _, commit, base, run_url, artifact_url, live_read_at, apply_command: _, budget: _ } = context;
    let mut parts: Vec<String> = Vec::new();
    parts.extend(plan.map(|plan| format!("Digest {}", code(&plan.digest.to_string()))));
    parts.extend(plan.and_then(|plan| plan.spec_source.as_ref()).map(|source| format!("Spec {}", code(&source.file))));
    parts.extend(commit.as_ref().map(|commit| match base {
        Some(base) => format!("Commit {} onto {}", code(commit.short()), code(base.short())),
        None => format!("Commit {}", code(commit.short())),
    }));
    parts.extend(live_read_at.map(|time| format!("Live state read at {}", code(&format!("{time:.0}")))));
    parts.extend(run_url.as_ref().and_then(|address| link("Run", address)));
    parts.extend(artifact_url.as_ref().and_then(|address| link("Whole plan", address)));
    if let Some(plan) = plan {
        parts.push(format!("arcflux {}", code(&value::name(&plan.arcflux_version))));
    }
    if parts.is_empty() { String::new() } else { format!("{}\n\n", parts.join(" · ")) }
}

/// A label and a sentence behind it, as a paragraph.
fn paragraph(text: &str) -> String {
    format!("{}\n\n", sentence(text))
}
