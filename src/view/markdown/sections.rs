//! What a comment says of a plan, section by section. They find room in the order of their weight: why it cannot be
//! applied, what is lost, what somebody should look at, what changes, what is waited for or left, the fields, the names of
//! clusters, and what is only worth knowing. What has less weight is left out first.

use std::collections::BTreeMap;

use super::super::groups::{self, Group};
use super::super::rows::{Drifted, Resource, Rows, would};
use super::super::{mermaid, notes, picture};
use super::changes;
use super::inert::{code, fence, sentence};
use super::page::{Page, Place};
use crate::model::Address;
use crate::plan::{Action, Consequence, Plan, Refusal, Unmanaged};

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

/// Adds everything there is to say of a plan.
pub(super) fn add(page: &mut Page, rows: &Rows<'_>) {
    refusals(page, rows.refusals);
    destroyed(page, &rows.resources);
    warnings(page, rows);
    let sections = changes::sections(&rows.resources);
    changes::tables(page, &sections);
    waits(page, rows);
    deferred(page, rows);
    let head = format!("### {} changed outside of arcflux since the base\n\n", objects(rows.drifted.len()));
    drifted(page, &head, &rows.drifted);
    changes::details(page, &sections);
    changes::names(page, &sections);
    remarks(page, rows);
    unmanaged(page, "Not in the specification, left alone", rows.unmanaged);
}

/// What an item is about: the first, and how many more.
fn about(addresses: &[&Address]) -> String {
    let Some((first, more)) = addresses.split_first() else { return "This plan".to_owned() };
    let first = code(&first.to_string());
    match more {
        [] => first,
        [one] => format!("{first} and {}", code(&one.to_string())),
        more => format!("{first} and {} more", more.len()),
    }
}

fn refusals(page: &mut Page, refusals: &[Refusal]) {
    if refusals.is_empty() {
        return;
    }
    let mut groups: Vec<(&Refusal, Vec<&Address>)> = Vec::new();
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for refusal in refusals {
        match seen.get(&(refusal.message.as_str(), refusal.hint.as_str())).and_then(|place| groups.get_mut(*place)) {
            Some((_, addresses)) => addresses.extend(&refusal.address),
            None => {
                seen.insert((&refusal.message, &refusal.hint), groups.len());
                groups.push((refusal, refusal.address.iter().collect()));
            }
        }
    }
    let items: Vec<String> = groups
        .iter()
        .map(|(Refusal { message, hint, .. }, addresses)| {
            format!("> - {}: {}\n>   - Hint: {}\n", about(addresses), sentence(message), sentence(hint))
        })
        .collect();
    let head = "> [!CAUTION]\n> **This plan cannot be applied as it is.**\n>\n";
    page.list(Place::Refused, 2, head, &items, |shown, all| format!("{}\n", left_out(shown, all, LeftOut::InQuote)));
}

/// What is deleted, replaced or pruned, and what that means.
fn destroyed(page: &mut Page, resources: &[Resource<'_>]) {
    let goes = |action: Action| action == Action::Delete || action == Action::Replace;
    let losing: Vec<&Resource<'_>> = resources
        .iter()
        .filter(|one| goes(one.action) || one.effects.iter().any(Consequence::is_destructive))
        .collect();
    if losing.is_empty() {
        return;
    }
    let count = |action: Action| losing.iter().filter(|one| one.action == action).count();
    let parts = [(count(Action::Delete), "destroyed"), (count(Action::Replace), "replaced")];
    let mut parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    match losing.iter().filter(|one| !goes(one.action)).count() {
        0 => {}
        1 => parts.push("1 change deletes workloads".to_owned()),
        many => parts.push(format!("{many} changes delete workloads")),
    }
    let item = |group: &Group<'_, '_>| {
        let Resource { action, verb, effects, .. } = group.first;
        let addresses: Vec<&Address> = group.members().map(|one| one.address).collect();
        let told = effects.iter().filter(|effect| goes(*action) || effect.is_destructive());
        let told: String = told.map(|effect| format!(">   - {}\n", sentence(&effect.message))).collect();
        format!("> - {} {verb}{}\n{told}", about(&addresses), if told.is_empty() { "." } else { ":" })
    };
    let items: Vec<String> = groups::of(losing.iter().copied()).iter().map(item).collect();
    let head = format!("> [!WARNING]\n> **Destructive: {}.**\n>\n", parts.join(", "));
    page.list(Place::Destroyed, 3, &head, &items, |shown, all| format!("{}\n", left_out(shown, all, LeftOut::InQuote)));
}

/// What somebody should look at. Where not all of it finds room, how often each kind of it comes is said of every kind.
fn warnings(page: &mut Page, rows: &Rows<'_>) {
    let groups: Vec<notes::Group<'_>> =
        notes::grouped(rows.notes).into_iter().filter(|group| group.severity.is_some()).collect();
    if groups.is_empty() {
        return;
    }
    let items: Vec<String> =
        groups.iter().map(|group| format!("> - {}: {}\n", about(&group.addresses), sentence(group.message))).collect();
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
    page.list(Place::Warnings, 3, &head, &items, |shown, all| format!("{}\n", left_out(shown, all, LeftOut::InQuote)));
}

/// How many kinds of warnings are named in a line; there are fewer in all of arcflux.
const MOST_CODES: usize = 30;

/// What was changed outside of arcflux, below `head`.
pub(super) fn drifted(page: &mut Page, head: &str, drifted: &[Drifted<'_>]) {
    let items: Vec<String> = drifted.iter().map(changes::drifted).collect();
    if items.is_empty() {
        return;
    }
    page.list(Place::Drifted, 3, head, &items, |shown, all| match left_out(shown, all, LeftOut::AfterList) {
        left if left.is_empty() => left,
        left => format!("{left}\n"),
    });
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object was".to_owned() } else { format!("{count} objects were") }
}

/// A list, folded when it is long, or always.
pub(super) fn list(page: &mut Page, place: Place, title: &str, is_folded: bool, items: &[String]) {
    let tail = |shown: usize, all: usize| format!("{}\n", left_out(shown, all, LeftOut::AfterList));
    if is_folded || items.len() > SHORT {
        let head = format!("<details><summary>{title} ({})</summary>\n\n", items.len());
        page.list(place, 4, &head, items, |shown, all| format!("{}</details>\n\n", tail(shown, all)));
    } else if !items.is_empty() {
        page.list(place, 4, &format!("{title}:\n\n"), items, tail);
    }
}

fn waits(page: &mut Page, rows: &Rows<'_>) {
    let title = if rows.resources.is_empty() {
        "Nothing is written, but an apply waits until"
    } else {
        "An apply also waits until"
    };
    let items: Vec<String> =
        rows.waits.iter().map(|wait| format!("- {} {}\n", code(&wait.address.to_string()), wait.until)).collect();
    list(page, Place::Waits, title, false, &items);
}

fn deferred(page: &mut Page, rows: &Rows<'_>) {
    let items: Vec<String> = rows
        .deferred
        .iter()
        .map(|one| format!("- {} {}: {}\n", code(&one.address.to_string()), would(one.actions), sentence(&one.message)))
        .collect();
    list(page, Place::Deferred, "Deferred until the cluster talks to Azure again", false, &items);
}

/// What is only worth knowing.
fn remarks(page: &mut Page, rows: &Rows<'_>) {
    let items: Vec<String> = notes::grouped(rows.notes)
        .into_iter()
        .filter(|group| group.severity.is_none())
        .map(|group| format!("- {}: {}\n", about(&group.addresses), sentence(group.message)))
        .collect();
    list(page, Place::Notes, "Worth knowing", false, &items);
}

/// Live resources that nobody declared.
pub(super) fn unmanaged(page: &mut Page, title: &str, unmanaged: &[Unmanaged]) {
    let items: Vec<String> = unmanaged.iter().map(|one| format!("- {}\n", code(&one.address.to_string()))).collect();
    if !items.is_empty() {
        list(page, Place::Unmanaged, title, true, &items);
    }
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
