//! What the comment of a plan becomes: after an apply, where there is no plan, and where another comment took its place.

use url::Url;

use super::super::apply::{FailureRow, failures, skipped, verdict, worth_telling};
use super::super::escape::source_line;
use super::super::rows::Rows;
use super::context::Context;
use super::inert::{beginning, code, fence, link, sentence, sentence_within};
use super::list::{Item, List};
use super::losses::{self, Losses};
use super::page::{Page, Place};
use super::sections::{self, CUT, LeftOut, left_out, told};
use super::{begin, blank, end, foot, marker, paragraph};
use crate::model::{Address, Marker};
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
    let worth = [worth_telling(report), (!report.converged()).then(|| WHAT_IS_LEFT.to_owned())];
    for sentence in worth.iter().flatten() {
        page.put(Place::Run, &paragraph(sentence));
    }
    let rows = Rows::of(plan);
    // What was lost is told whatever failed.
    let losses = Losses::of(&rows.resources);
    losses.iter().for_each(|losses| page.hold_for(&losses.list));
    failed_resources(&mut page, report);
    not_begun(&mut page, report);
    page.release();
    let (opening, closing) = ("<details><summary>The plan that was applied</summary>\n\n", "</details>\n\n");
    if page.put_all(&[(Place::Opening, opening), (Place::Closing, closing)]) {
        sections::add(&mut page, &rows, &[]);
    }
    end(page, &marker(plan, context, report.converged()), context)
}

fn failed_resources(page: &mut Page, report: &ApplyReport) {
    let item = |row: FailureRow<'_>| {
        let bare = format!("> - {}: {} failed.\n", code(&row.address.to_string()), row.done);
        Item::essential(vec![bare], vec![failure(&row, CUT), failure(&row, usize::MAX)])
    };
    let items: Vec<Item> = failures(report).into_iter().map(item).collect();
    if items.is_empty() {
        return;
    }
    let head = format!("> [!CAUTION]\n> **{} failed**\n>\n", items.len());
    page.list(&losses::quoted(Place::Failed, 2, head, items));
}

/// What failed and why, with no more than so many characters of each sentence.
fn failure(row: &FailureRow<'_>, most: usize) -> String {
    let FailureRow { address, done, message, hint, correlation_id, trace, left_behind } = row;
    let mut item = format!("> - {}: {done} failed: {}\n", code(&address.to_string()), sentence_within(message, most));
    let more = [
        hint.map(|hint| format!("Hint: {}", sentence_within(hint, most))),
        correlation_id.map(|id| format!("Correlation id {}", code(id))),
        trace.as_deref().map(|trace| sentence_within(trace, most)),
        left_behind.as_deref().map(|left| sentence_within(left, most)),
    ];
    more.iter().flatten().for_each(|line| item.push_str(&format!(">   - {line}\n")));
    item
}

fn not_begun(page: &mut Page, report: &ApplyReport) {
    let items = skipped(report)
        .into_iter()
        .map(|(address, because)| told(&format!("{}, because ", code(&address.to_string())), &because))
        .collect();
    sections::list(page, Place::Run, "Not begun", false, items);
    let item = |address: &Address| Item::short(format!("- {}\n", code(&address.to_string())));
    let items = report.deferred.iter().map(item).collect();
    sections::list(page, Place::Run, "Deferred until the cluster talks to Azure again", false, items);
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
    let item = |depth: &str, text: &str| {
        let told = |most| format!("> {depth}- {}\n", sentence_within(text, most));
        Item::bounded(told(usize::MAX), || told(CUT))
    };
    let messages = messages.iter().map(|message| item("", message));
    let items = messages.chain(details.iter().map(|detail| item("  ", detail))).collect();
    let hint = hint.as_ref().map(|hint| format!("> - Hint: {}\n", sentence(hint))).unwrap_or_default();
    let head = format!("> [!CAUTION]\n> **{lead}**\n>\n");
    let tail = move |shown, all| format!("{}{hint}\n", left_out(shown, all, LeftOut::InQuote));
    page.list(&List { place: Place::Failed, parts: 2, head, items, tail: Box::new(tail) });
}

/// A text in a fence, line by line until there is no room.
pub(super) fn text(page: &mut Page, place: Place, text: &str) {
    let line = |line: &str| format!("{}\n", source_line(&beginning(line, LONGEST_LINE)));
    let lines: Vec<String> = text.lines().map(line).collect();
    let text = lines.concat();
    let frame = fence("text", &text).replacen(&text, "", 1);
    let kept = page.fit(&format!("{frame}{}\n", left_out(0, lines.len(), LeftOut::AfterList)), &lines);
    if kept < lines.len() {
        page.lacks();
    }
    let left = left_out(kept, lines.len(), LeftOut::AfterList);
    page.put(place, &format!("{}{left}\n", fence("text", &lines[..kept].concat())));
}

/// How much of a line of a text is shown, in characters.
const LONGEST_LINE: usize = 1000;

/// What an older comment becomes when another took its place.
#[must_use]
pub fn superseded(newer: Option<&Url>, context: &Context) -> String {
    let mut page = begin("arcflux plan", "superseded", context);
    let newer = newer.and_then(|address| link("a newer comment", address));
    let newer = newer.unwrap_or_else(|| "a newer comment".to_owned());
    page.put(Place::Head, &format!("What is planned now stands in {newer}.\n"));
    end(page, &Marker { closed: true, ..blank(context) }, context)
}
