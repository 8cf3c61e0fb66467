//! The changes of a plan: for each action a table of what changes on which clusters, and below it the fields as a diff.

use std::collections::BTreeSet;

use super::super::field_lines::{self, FieldLine, Mark, Shown};
use super::super::groups::{self, Group, own_name};
use super::super::rows::{Content, Drifted, Field, Resource};
use super::super::style::bounded;
use super::super::{escape, value};
use super::inert::{beginning, code, code_in_cell, fence, html_code, sentence, sentence_in_cell};
use super::list::{Item, List};
use super::page::{Detail as Part, Page, Place, Row};
use super::sections::{LeftOut, left_out};
use crate::model::{self, Address};
use crate::plan::Action;

/// A diff with fewer lines is open from the beginning…
const SHORT: usize = 10;
/// …as long as no more lines than this are open.
const MOST_OPEN: usize = 60;
/// How many lines of a diff are shown, from the most to the least: the first with which all diffs find room.
/// With all of them, effects stand below a diff that a table has cut; else they are to be read where losses are told, and
/// in the table.
const CAPS: [(usize, bool); 6] =
    [(usize::MAX, true), (usize::MAX, false), (200, false), (60, false), (20, false), (8, false)];
/// How many effects a row of a table names.
const EFFECTS_IN_CELL: usize = 3;
/// The longest effect in a table, in characters.
const CELL: usize = 240;
/// The same, where a row would be too long.
const SHORT_CELL: usize = 40;
/// When a name and its two values are wider together, the values stand below each other.
const WIDE: usize = 80;

/// The actions, those that take something away first.
const ACTIONS: [Action; 6] =
    [Action::Delete, Action::Replace, Action::Update, Action::Create, Action::Read, Action::NoOp];

/// The changes with one action.
pub(super) struct Section<'r, 'a> {
    /// Where it stands among the others.
    position: usize,
    heading: String,
    groups: Vec<Group<'r, 'a>>,
}

/// The changes of a plan, by their action.
pub(super) fn sections<'r, 'a>(resources: &'r [Resource<'a>]) -> Vec<Section<'r, 'a>> {
    let section = |(position, action): (usize, Action)| {
        let groups = groups::of(resources.iter().filter(|resource| resource.action == action));
        let count: usize = groups.iter().map(Group::count).sum();
        let heading = match action {
            Action::Delete => format!("{count} to destroy"),
            Action::Replace => format!("{count} to replace"),
            Action::Update => format!("{count} to change"),
            Action::Create => format!("{count} to add"),
            Action::Read | Action::NoOp => format!("{count} to write without a change"),
        };
        (!groups.is_empty()).then_some(Section { position, heading, groups })
    };
    ACTIONS.into_iter().enumerate().filter_map(section).collect()
}

/// Adds the table of each action.
pub(super) fn tables(page: &mut Page, sections: &[Section<'_, '_>]) {
    for (index, Section { position, heading, groups }) in sections.iter().enumerate() {
        let head = format!("### {heading}\n\n| Change | Clusters | Effects |\n|---|---|---|\n");
        let row = |group| Item::bounded(table_row(group, CELL), || table_row(group, SHORT_CELL));
        let items = groups.iter().map(row).collect();
        // Those that come after it need room, too, and so do the fields.
        let parts = sections.len() - index + 1;
        let tail = |shown, all| format!("{}\n", left_out(shown, all, LeftOut::AfterTable));
        let place = Place::Changes(*position, Row::Table);
        page.list(&List { place, parts, head, items, tail: Box::new(tail) });
    }
}

fn table_row(group: &Group<'_, '_>, cell: usize) -> String {
    let Resource { address, action, fields, effects, .. } = group.first;
    let what = match address {
        Address::Provider { .. } => "provider".to_owned(),
        Address::ResourceGroup { .. } => "resource group".to_owned(),
        Address::Cluster { part: model::Part::Itself, .. } => "cluster".to_owned(),
        Address::Cluster { part: model::Part::Extension, .. } => "extension".to_owned(),
        Address::Cluster { part: model::Part::Configuration(name), .. } => format!("flux/{name}"),
    };
    let fields = match action {
        Action::Update | Action::Replace => match field_count(fields) {
            0 => ", sent again".to_owned(),
            1 => ", 1 field".to_owned(),
            many => format!(", {many} fields"),
        },
        Action::Create | Action::Delete | Action::Read | Action::NoOp => String::new(),
    };
    let mut told: Vec<String> = effects
        .iter()
        .take(EFFECTS_IN_CELL)
        .map(|effect| sentence_in_cell(&beginning(&effect.message, cell)))
        .collect();
    if effects.len() > EFFECTS_IN_CELL {
        told.push(format!("{} more", effects.len() - EFFECTS_IN_CELL));
    }
    format!(
        "| {}{fields} | {} | {} |\n",
        code_in_cell(&format!("{} {what}", action.symbol())),
        places(group, code_in_cell),
        if told.is_empty() { "–".to_owned() } else { told.join("; ") }
    )
}

/// How many values change.
fn field_count(fields: &[Field<'_>]) -> usize {
    let count = |field: &Field<'_>| match &field.content {
        Content::AddedGroup(members) => field_count(members),
        Content::RemovedGroup(count) => *count,
        Content::Added(_)
        | Content::Removed(_)
        | Content::Changed(..)
        | Content::AddedText(_)
        | Content::RemovedText(_)
        | Content::ChangedText(..)
        | Content::Secret { .. } => 1,
    };
    fields.iter().map(count).sum()
}

/// Where the resources of a group are: all of a few, else the first and the last.
fn places(group: &Group<'_, '_>, code: fn(&str) -> String) -> String {
    let place = |resource: &Resource<'_>| code(&place(resource.address));
    match group.others.as_slice() {
        [] | [_] | [_, _] => group.members().map(place).collect::<Vec<_>>().join(", "),
        [_, .., last] => format!("{} … {} ({})", place(group.first), place(last), group.count()),
    }
}

/// The cluster that something is on; for what is on none, its name.
pub(super) fn place(address: &Address) -> String {
    match address {
        Address::Provider { .. } | Address::ResourceGroup { .. } => own_name(address).to_owned(),
        Address::Cluster { subscription, resource_group, cluster, part: _ } => {
            let (subscription, resource_group, cluster) =
                (subscription.clone(), resource_group.clone(), cluster.clone());
            Address::Cluster { subscription, resource_group, cluster, part: model::Part::Itself }.to_string()
        }
    }
}

/// Adds the fields that change: with as many lines for each as find room for all; and if that is not enough, those that
/// still do.
pub(super) fn details(page: &mut Page, sections: &[Section<'_, '_>]) {
    let mut open = 0;
    let details: Vec<Detail> = sections
        .iter()
        .flat_map(|section| section.groups.iter().enumerate().map(|(row, group)| Detail::of(section, row, group)))
        .map(|mut detail| {
            detail.is_open = detail.lines.len() < SHORT && open + detail.lines.len() <= MOST_OPEN;
            open += if detail.is_open { detail.lines.len() } else { 0 };
            detail
        })
        .collect();
    for Section { groups, .. } in sections {
        page.hold(&left_out(groups.len() - 1, groups.len(), LeftOut::Details));
    }
    let mut shown: Vec<String> = Vec::new();
    let (mut cap, mut has_effects) = (usize::MAX, true);
    for candidate in CAPS {
        (cap, has_effects) = candidate;
        shown = details.iter().map(|detail| detail.render(cap, has_effects)).collect();
        if page.has_room_for(shown.iter().flat_map(|text| [text.as_str(), END])) {
            break;
        }
    }
    let mut placed = vec![0; sections.len()];
    for (detail, text) in details.iter().zip(&shown) {
        if detail.lines.len() > cap || !(has_effects || detail.effects.is_empty()) {
            page.lacks();
        }
        let place = |part| Place::Changes(detail.section, Row::Detail(detail.row, part));
        if !page.put_all(&[(place(Part::Fields), text), (place(Part::End), END)]) {
            continue;
        }
        if let Some(index) = sections.iter().position(|section| section.position == detail.section) {
            placed[index] += 1;
        }
    }
    page.release();
    for (Section { position, groups, .. }, placed) in sections.iter().zip(placed) {
        let text = left_out(placed, groups.len(), LeftOut::Details);
        if !text.is_empty() {
            page.put(Place::Changes(*position, Row::LeftOut), &text);
        }
    }
}

/// The end of a detail.
const END: &str = "</details>\n\n";

/// Adds the names of all clusters that a change is on, where the table has no room for them and they are not `named` yet,
/// each group by its first.
pub(super) fn names(page: &mut Page, sections: &[Section<'_, '_>], named: &BTreeSet<&Address>) {
    for section in sections {
        let groups = section.groups.iter().enumerate();
        for (row, group) in groups.filter(|(_, group)| group.count() > 3 && !named.contains(group.first.address)) {
            if !page.has(Place::Changes(section.position, Row::Detail(row, Part::Fields))) {
                page.lacks();
                continue;
            }
            let last = group.count() - 1;
            let name = |(index, one): (usize, &Resource<'_>)| {
                Item::short(format!("{}{}", code(&place(one.address)), if index < last { ", " } else { "" }))
            };
            let items = group.members().enumerate().map(name).collect();
            let place = Place::Changes(section.position, Row::Detail(row, Part::Names));
            let head = format!("<details><summary>All {} of them</summary>\n\n", group.count());
            let tail = |shown, all| match left_out(shown, all, LeftOut::AfterList) {
                left if left.is_empty() => format!("\n\n{END}"),
                left => format!("\n{left}\n{END}"),
            };
            page.list(&List { place, parts: 2, head, items, tail: Box::new(tail) });
        }
    }
}

/// What changes for one group.
struct Detail {
    section: usize,
    row: usize,
    is_open: bool,
    summary: String,
    because: String,
    lines: Vec<String>,
    /// How many values stay as they are, as a last line.
    unchanged: Option<String>,
    effects: String,
    same: String,
}

impl Detail {
    fn of(section: &Section<'_, '_>, row: usize, group: &Group<'_, '_>) -> Self {
        let Resource { address, action, verb, because, noun: _, name: _, api_version, fields, unchanged, effects } =
            group.first;
        let more = match group.others.len() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        // Else the table has said all of it.
        let is_cut =
            effects.len() > EFFECTS_IN_CELL || effects.iter().any(|effect| effect.message.chars().count() > CELL);
        let effects: String =
            effects.iter().filter(|_| is_cut).map(|effect| format!("- {}\n", sentence(&effect.message))).collect();
        Self {
            section: section.position,
            row,
            is_open: false,
            summary: format!("{} {verb}{more}", html_code(&format!("{} {address}", action.symbol()))),
            because: match (because, group.first.is_sent_as_it_is()) {
                (Some(because), false) => format!("Because {}.\n\n", sentence(because)),
                (Some(because), true) => format!("Because {}; it is sent again as it is.\n\n", sentence(because)),
                (None, true) => "It is sent again as it is.\n\n".to_owned(),
                (None, false) => String::new(),
            },
            lines: diff(fields),
            unchanged: field_lines::unchanged(*unchanged)
                .map(|hidden| format!("  # {hidden}, api-version {}\n", value::name(api_version))),
            effects: if effects.is_empty() { effects } else { format!("{effects}\n") },
            same: same(group),
        }
    }

    fn render(&self, cap: usize, has_effects: bool) -> String {
        let open = if self.is_open { " open" } else { "" };
        let mut out = format!("<details{open}><summary>{}</summary>\n\n{}", self.summary, self.because);
        if !self.lines.is_empty() {
            let mut lines = capped(&self.lines, cap);
            if self.lines.len() <= cap {
                lines.extend(self.unchanged.clone());
            }
            out.push_str(&fence("diff", &lines));
            out.push('\n');
        }
        if has_effects {
            out.push_str(&self.effects);
        }
        out.push_str(&self.same);
        out
    }
}

/// No more than so many lines of a diff.
fn capped(lines: &[String], cap: usize) -> String {
    let shown: String = lines.iter().take(cap).map(String::as_str).collect();
    match lines.len().saturating_sub(cap) {
        0 => shown,
        more => format!("{shown}  # ({more} more lines have no room here)\n"),
    }
}

fn same(group: &Group<'_, '_>) -> String {
    let own = code(own_name(group.first.address));
    let by_name = if group.is_by_name { format!(", each with its own name for {own}") } else { String::new() };
    match group.others.as_slice() {
        [] => String::new(),
        [one] => format!("The same on {}{by_name}.\n\n", code(&place(one.address))),
        [first, .., last] => format!(
            "The same on {} more: {} … {}{by_name}.\n\n",
            group.others.len(),
            code(&place(first.address)),
            code(&place(last.address))
        ),
    }
}

/// Fields as lines of a diff: the sign in the first column, where forges look for it. They colour `!`, and not `~`.
fn diff(fields: &[Field<'_>]) -> Vec<String> {
    let mut out = Vec::new();
    for FieldLine { depth, content } in field_lines::of(fields) {
        let indent = "  ".repeat(depth);
        let marked = |mark: Option<Mark>| mark.map(|mark| format!(" {}", mark.words())).unwrap_or_default();
        match content {
            Shown::Row { action, text, mark } => out.push(format!("{} {indent}{text}{}\n", sign(action), marked(mark))),
            Shown::Changed { label, old, new, mark } => {
                let line = format!("{label} = {old} -> {new}{}", marked(mark));
                let widths = [indent.len(), label.trim_end().chars().count(), old.chars().count(), new.chars().count()];
                if widths.iter().sum::<usize>() <= WIDE {
                    out.push(format!("! {indent}{line}\n"));
                } else {
                    out.push(format!("! {indent}{} ={}\n", label.trim_end(), marked(mark)));
                    out.push(format!("- {indent}  {old}\n"));
                    out.push(format!("+ {indent}  {new}\n"));
                }
            }
            Shown::Plain(text) => out.push(format!("{}\n", format!("  {indent}{text}").trim_end())),
            Shown::Aside(text) => out.push(format!("  {indent}# {text}\n")),
            Shown::Because(text) => {
                out.push(format!("  {indent}# {}\n", escape::line(&bounded(&text))));
            }
        }
    }
    out
}

const fn sign(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Update => '!',
        Action::Delete | Action::Replace => '-',
        Action::Read | Action::NoOp => ' ',
    }
}

/// What was changed outside of arcflux, as an item: what is live instead of what was declared, in so many lines.
pub(super) fn drifted(drifted: &Drifted<'_>, cap: usize) -> String {
    let Drifted { address, verb, noun: _, name: _, fields, modified } = drifted;
    let modified = modified.as_ref().map(|modified| format!("It was {}.\n\n", sentence(modified))).unwrap_or_default();
    let lines = capped(&diff(fields), cap);
    let lines = if lines.is_empty() { String::new() } else { format!("{}\n", fence("diff", &lines)) };
    let open = if lines.lines().count() < SHORT { " open" } else { "" };
    format!("<details{open}><summary>{} {verb}</summary>\n\n{modified}{lines}{END}", html_code(&address.to_string()))
}
