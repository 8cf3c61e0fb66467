//! What a comment says of a plan, section by section. They find room in the order of their weight: why it cannot be
//! applied, what is lost, what somebody should look at, what changes, what is waited for or left, the fields, the names of
//! clusters, and what is only worth knowing. What has less weight is left out first.

use std::collections::{BTreeMap, BTreeSet};

use super::super::rows::{Drifted, Rows, Waiting, would};
use super::super::{mermaid, notes, picture};
use super::changes;
use super::inert::{code, fence, sentence_within};
use super::list::{Item, List};
use super::losses::{self, Losses};
use super::page::{Page, Place};
use super::spec;
use crate::model::Address;
use crate::plan::{Plan, SpecWarning, Unmanaged};

/// Lists with more items are folded.
const SHORT: usize = 10;

/// More boxes or arrows are not drawn by forges, and would not be read (Mermaid: at most 500 edges and 50,000 characters).
const MOST_BOXES: usize = 150;
const MOST_ARROWS: usize = 400;
const LONGEST_GRAPH: usize = 40_000;

/// Where a list ends before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// In a block of quotes.
    InQuote,
    /// After a table, which goes on until an empty line.
    AfterTable,
    /// After a list.
    AfterList,
    /// What changes in detail.
    Details,
}

/// How many of how many are shown, where that is not all.
pub(super) fn left_out(shown: usize, all: usize, place: LeftOut) -> String {
    if shown == all {
        return String::new();
    }
    match place {
        LeftOut::InQuote => format!(">\n> {shown} of {all} are shown.\n"),
        LeftOut::AfterTable | LeftOut::AfterList => format!("\n{shown} of {all} are shown.\n"),
        LeftOut::Details => format!("Fields are shown for {shown} of {all}.\n\n"),
    }
}

/// Adds everything there is to say of a plan, and of the spec that it was made from.
pub(super) fn add(page: &mut Page, rows: &Rows<'_>, about_the_spec: &[SpecWarning]) {
    let refusals = losses::refusals(rows.refusals);
    let losses = Losses::of(&rows.resources);
    let warnings: Vec<List> = spec::warnings(about_the_spec).into_iter().chain(warnings(rows)).collect();
    // Neither hides the other.
    losses.iter().for_each(|losses| page.hold_for(&losses.list));
    warnings.iter().for_each(|warnings| page.hold_for_frame(warnings));
    refusals.iter().for_each(|refusals| drop(page.list(refusals)));
    page.release();
    warnings.iter().for_each(|warnings| page.hold_for_frame(warnings));
    let named = losses.iter().flat_map(|losses| losses.named(&page.list(&losses.list))).collect::<BTreeSet<&Address>>();
    page.release();
    warnings.iter().for_each(|warnings| drop(page.list(warnings)));
    let sections = changes::sections(&rows.resources);
    changes::tables(page, &sections);
    waits(page, rows);
    deferred(page, rows);
    let head = format!("### {} changed outside of arcflux since the base\n\n", objects(rows.drifted.len()));
    drifted(page, &head, &rows.drifted);
    changes::details(page, &sections);
    changes::names(page, &sections, &named);
    remarks(page, rows);
    unmanaged(page, "Not in the specification, left alone", rows.unmanaged);
}

/// What an item is about: the first, and how many more.
pub(super) fn about(addresses: &[&Address]) -> String {
    let Some((first, more)) = addresses.split_first() else { return "This plan".to_owned() };
    let first = code(&first.to_string());
    match more {
        [] => first,
        [one] => format!("{first} and {}", code(&one.to_string())),
        more => format!("{first} and {} more", more.len()),
    }
}

/// What somebody should look at. Where not all of it finds room, how often each kind of it comes is said of every kind.
fn warnings(rows: &Rows<'_>) -> Option<List> {
    let groups: Vec<notes::Group<'_>> =
        notes::grouped(rows.notes).into_iter().filter(|group| group.severity.is_some()).collect();
    if groups.is_empty() {
        return None;
    }
    let items: Vec<Item> = groups
        .iter()
        .map(|group| {
            let told = |most| format!("> - {}: {}\n", about(&group.addresses), sentence_within(group.message, most));
            Item::bounded(told(usize::MAX), || told(CUT))
        })
        .collect();
    let count: usize = groups.iter().map(|group| group.addresses.len()).sum();
    let counted = if count == 1 { "1 warning".to_owned() } else { format!("{count} warnings") };
    let mut head = format!("> [!IMPORTANT]\n> **{counted}**\n>\n");
    let mut codes: Vec<(&str, usize)> = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for group in &groups {
        let place = *seen.entry(group.code).or_insert(codes.len());
        match codes.get_mut(place) {
            Some((_, count)) => *count += group.addresses.len(),
            None => codes.push((group.code, group.addresses.len())),
        }
    }
    if items.len() > MOST_CODES {
        let told: Vec<String> =
            codes.iter().take(MOST_CODES).map(|(name, count)| format!("{} × {count}", code(name))).collect();
        let more = match codes.len().saturating_sub(MOST_CODES) {
            0 => String::new(),
            more => format!(", and {more} more kinds"),
        };
        head.push_str(&format!("> {}{more}\n>\n", told.join(", ")));
    }
    Some(losses::quoted(Place::Warnings, 3, head, items))
}

/// How much is said of what is too long to be said whole, in characters.
pub(super) const CUT: usize = 240;

/// How many kinds of warnings are named in a line; there are fewer in all of arcflux.
const MOST_CODES: usize = 30;

/// What was changed outside of arcflux, below `head`.
pub(super) fn drifted(page: &mut Page, head: &str, drifted: &[Drifted<'_>]) {
    if drifted.is_empty() {
        return;
    }
    let item = |one| Item::bounded(changes::drifted(one, usize::MAX), || changes::drifted(one, DRIFTED_LINES));
    let tail = |shown, all| match left_out(shown, all, LeftOut::AfterList) {
        left if left.is_empty() => left,
        left => format!("{left}\n"),
    };
    let items = drifted.iter().map(item).collect();
    page.list(&List { place: Place::Drifted, parts: 3, head: head.to_owned(), items, tail: Box::new(tail) });
}

/// How many lines are shown of what was changed outside, where it is too long to be shown whole.
const DRIFTED_LINES: usize = 10;

fn objects(count: usize) -> String {
    if count == 1 { "1 object was".to_owned() } else { format!("{count} objects were") }
}

/// A list, folded when it is long, or always.
pub(super) fn list(page: &mut Page, place: Place, title: &str, is_folded: bool, items: Vec<Item>) {
    if items.is_empty() {
        return;
    }
    let is_folded = is_folded || items.len() > SHORT;
    let (head, end) = match is_folded {
        true => (format!("<details><summary>{title} ({})</summary>\n\n", items.len()), "</details>\n\n"),
        false => (format!("{title}:\n\n"), ""),
    };
    let tail = move |shown, all| format!("{}\n{end}", left_out(shown, all, LeftOut::AfterList));
    page.list(&List { place, parts: 4, head, items, tail: Box::new(tail) });
}

/// An item about something, with a sentence.
pub(super) fn told(what: &str, text: &str) -> Item {
    let told = |most| format!("- {what}{}\n", sentence_within(text, most));
    Item::bounded(told(usize::MAX), || told(CUT))
}

fn waits(page: &mut Page, rows: &Rows<'_>) {
    let title = if rows.resources.is_empty() {
        "Nothing is written, but an apply waits until"
    } else {
        "An apply also waits until"
    };
    let item = |wait: &Waiting<'_>| Item::short(format!("- {} {}\n", code(&wait.address.to_string()), wait.until));
    list(page, Place::Waits, title, false, rows.waits.iter().map(item).collect());
}

fn deferred(page: &mut Page, rows: &Rows<'_>) {
    let items = rows
        .deferred
        .iter()
        .map(|one| told(&format!("{} {}: ", code(&one.address.to_string()), would(one.actions)), &one.message))
        .collect();
    list(page, Place::Deferred, "Deferred until the cluster talks to Azure again", false, items);
}

/// What is only worth knowing.
fn remarks(page: &mut Page, rows: &Rows<'_>) {
    let items = notes::grouped(rows.notes)
        .into_iter()
        .filter(|group| group.severity.is_none())
        .map(|group| told(&format!("{}: ", about(&group.addresses)), group.message))
        .collect();
    list(page, Place::Notes, "Worth knowing", false, items);
}

/// Live resources that nobody declared.
pub(super) fn unmanaged(page: &mut Page, title: &str, unmanaged: &[Unmanaged]) {
    let item = |one: &Unmanaged| Item::short(format!("- {}\n", code(&one.address.to_string())));
    list(page, Place::Unmanaged, title, true, unmanaged.iter().map(item).collect());
}

/// The picture of a plan that changes something, where forges draw it.
pub(super) fn graph(page: &mut Page, plan: &Plan) {
    let nodes = picture::of(plan);
    let arrows: usize = nodes.iter().map(|node| node.needs.len()).sum();
    if !plan.differs() || nodes.len() > MOST_BOXES || arrows > MOST_ARROWS {
        return;
    }
    let chart = mermaid::plan(plan);
    if chart.len() <= LONGEST_GRAPH {
        let title = "<details><summary>What comes before what</summary>";
        page.put(Place::Graph, &format!("{title}\n\n{}\n</details>\n\n", fence("mermaid", &chart)));
    }
}
