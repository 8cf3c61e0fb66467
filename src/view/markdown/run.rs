//! What the comment of a plan becomes: after an apply, where there is no plan, and where another comment took its place.

use url::Url;

use super::super::apply::{FailureRow, failures, skipped, verdict, worth_telling};
use super::super::escape::source_line;
use super::super::rows::Rows;
use super::context::Context;
use super::inert::{code, fence, link, sentence};
use super::page::{Page, Place};
use super::sections::{self, LeftOut, left_out};
use super::{begin, blank, end, foot, marker, paragraph};
use crate::model::Marker;
use crate::plan::{ApplyReport, Mode, Plan, RunError};

/// How to go on after an apply that has not done everything: an approval was of the whole plan, and of a comment that showed
/// it.
const WHAT_IS_LEFT: &str = "What is left is another plan now. Where applies need a review (`apply --reviewed`), open a pull \
    request that plans it, and have that approved: the approval of this one was for the whole. Elsewhere, run the same \
    command again: it goes on from where this run stopped.";

/// What the comment of a plan becomes once the plan was applied: what became of it, and the plan folded. It is closed when
/// everything came to be.
#[must_use]
pub fn outcome(plan: &Plan, report: &ApplyReport, context: &Context) -> String {
    let name = match plan.mode {
        Mode::Apply => "arcflux apply",
        Mode::Destroy => "arcflux destroy",
    };
    let headline = match (report.converged(), report.interrupted) {
        (true, _) => "done",
        (false, true) => "interrupted",
        (false, false) => "incomplete",
    };
    let mut page = begin(name, headline, context);
    page.put(Place::Head, &paragraph(&verdict(report, plan.mode)));
    page.put(Place::Foot, &foot(Some(plan), context));
    let told = [worth_telling(report), (!report.converged()).then(|| WHAT_IS_LEFT.to_owned())];
    for sentence in told.iter().flatten() {
        page.put(Place::Run, &paragraph(sentence));
    }
    failed_resources(&mut page, report);
    not_begun(&mut page, report);
    let (opening, closing) = ("<details><summary>The plan that was applied</summary>\n\n", "</details>\n\n");
    if page.put_all(&[(Place::Opening, opening), (Place::Closing, closing)]) {
        sections::add(&mut page, &Rows::of(plan));
    }
    end(page, &marker(plan, context, report.converged()), context)
}

fn failed_resources(page: &mut Page, report: &ApplyReport) {
    let items: Vec<String> = failures(report)
        .into_iter()
        .map(|FailureRow { address, done, message, hint, correlation_id, trace, left_behind }| {
            let mut item = format!("> - {}: {done} failed: {}\n", code(&address.to_string()), sentence(message));
            let more = [
                hint.map(|hint| format!("Hint: {}", sentence(hint))),
                correlation_id.map(|id| format!("Correlation id {}", code(id))),
                trace.as_deref().map(sentence),
                left_behind.as_deref().map(sentence),
            ];
            more.iter().flatten().for_each(|line| item.push_str(&format!(">   - {line}\n")));
            item
        })
        .collect();
    if items.is_empty() {
        return;
    }
    let head = format!("> [!CAUTION]\n> **{} failed**\n>\n", items.len());
    page.list(Place::Failed, 2, &head, &items, |shown, all| format!("{}\n", left_out(shown, all, LeftOut::InQuote)));
}

fn not_begun(page: &mut Page, report: &ApplyReport) {
    let items: Vec<String> = skipped(report)
        .into_iter()
        .map(|(address, because)| format!("- {}, because {}\n", code(&address.to_string()), sentence(&because)))
        .collect();
    sections::list(page, Place::Run, "Not begun", false, &items);
    let items: Vec<String> =
        report.deferred.iter().map(|address| format!("- {}\n", code(&address.to_string()))).collect();
    sections::list(page, Place::Run, "Deferred until the cluster talks to Azure again", false, &items);
}

/// The comment where there is no plan, and why. `problems` is what is wrong with the spec, as plain text
/// ([`crate::view::diagnostics::render_text`]), and may be empty.
#[must_use]
pub fn failed(error: &RunError, problems: &str, context: &Context) -> String {
    let mut page = begin("arcflux plan", "failed", context);
    page.put(Place::Foot, &foot(None, context));
    why(&mut page, "There is no plan.", error);
    if !problems.is_empty() {
        text(&mut page, Place::Run, problems);
    }
    end(page, &blank(context), context)
}

/// What the comment of a plan becomes when nothing of it was carried out, and why. It stays open.
#[must_use]
pub fn not_applied(plan: &Plan, error: &RunError, context: &Context) -> String {
    let mut page = begin("arcflux apply", "nothing was written", context);
    page.put(Place::Foot, &foot(Some(plan), context));
    why(&mut page, "Nothing was written.", error);
    end(page, &marker(plan, context, false), context)
}

/// Why there is nothing to show, below a sentence that says so.
fn why(page: &mut Page, lead: &str, error: &RunError) {
    let RunError { messages, details, hint } = error;
    let messages = messages.iter().map(|message| format!("> - {}\n", sentence(message)));
    let details = details.iter().map(|detail| format!(">   - {}\n", sentence(detail)));
    let items: Vec<String> = messages.chain(details).collect();
    let hint = hint.as_ref().map(|hint| format!("> - Hint: {}\n", sentence(hint))).unwrap_or_default();
    page.list(Place::Failed, 2, &format!("> [!CAUTION]\n> **{lead}**\n>\n"), &items, |shown, all| {
        format!("{}{hint}\n", left_out(shown, all, LeftOut::InQuote))
    });
}

/// A text in a fence, line by line until there is no room.
pub(super) fn text(page: &mut Page, place: Place, text: &str) {
    let lines: Vec<String> = text.lines().map(|line| format!("{}\n", source_line(line))).collect();
    let text = lines.concat();
    let frame = fence("text", &text).replacen(&text, "", 1);
    let kept = page.fit(1, &format!("{frame}{}\n", left_out(0, lines.len(), LeftOut::AfterList)), &lines);
    if kept < lines.len() {
        page.lacks();
    }
    let left = left_out(kept, lines.len(), LeftOut::AfterList);
    page.put(place, &format!("{}{left}\n", fence("text", &lines[..kept].concat())));
}

/// What an older comment becomes when another took its place.
#[must_use]
pub fn superseded(newer: Option<&Url>, context: &Context) -> String {
    let mut page = begin("arcflux plan", "superseded", context);
    let newer = newer.and_then(|address| link("a newer comment", address));
    let newer = newer.unwrap_or_else(|| "a newer comment".to_owned());
    page.put(Place::Head, &format!("What is planned now stands in {newer}.\n"));
    end(page, &Marker { closed: true, ..blank(context) }, context)
}
