//! What changes in a resource: a table with what is there on one side and what is planned on the other.

use maud::{Markup, html};

use super::{NEW_LINE, address_like, prose};
use crate::view::lines::{self, Fate, Line};
use crate::view::rows::{Content, Field};
use crate::view::value;

/// How many lines of one text are shown.
const MOST_LINES: usize = 400;

/// What the two sides of a table are called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides {
    pub(super) old: &'static str,
    pub(super) new: &'static str,
}

/// What is live, and what would be.
pub(super) const PLANNED: Sides = Sides { old: "Live", new: "Planned" };
/// What is declared, and what is live.
pub(super) const DRIFTED: Sides = Sides { old: "Declared", new: "Live" };

/// Which sides a table has.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    old: bool,
    new: bool,
}

impl Shown {
    /// Those that have anything on them.
    fn by(fields: &[Field<'_>]) -> Self {
        fields.iter().fold(Self::default(), |shown, field| match &field.content {
            Content::Added(_)
            | Content::AddedText(_)
            | Content::Secret { because: None, .. }
            | Content::AddedGroup(_) => Self { new: true, ..shown },
            Content::Removed(_) | Content::RemovedGroup(_) | Content::RemovedText(_) => Self { old: true, ..shown },
            Content::Changed(..) | Content::ChangedText(..) | Content::Secret { because: Some(_), .. } => {
                Self { old: true, new: true }
            }
        })
    }

    fn columns(self) -> usize {
        1 + usize::from(self.old) + usize::from(self.new)
    }
}

/// `is_change` where there is something on both sides that fields are of.
pub(super) fn table(fields: &[Field<'_>], sides: Sides, is_change: bool) -> Markup {
    let shown = if is_change { Shown { old: true, new: true } } else { Shown::by(fields) };
    html! {
        table.fields {
            thead {
                tr {
                    th scope="col" { "Field" }
                    @if shown.old { th scope="col" { (sides.old) } }
                    @if shown.new { th scope="col" { (sides.new) } }
                }
            }
            tbody { (rows(fields, shown, 0)) }
        }
    }
}

/// The rows of fields that stand in so many groups.
fn rows(fields: &[Field<'_>], shown: Shown, depth: usize) -> Markup {
    html! { @for field in fields { (row(field, shown, depth)) } }
}

fn row(field: &Field<'_>, shown: Shown, depth: usize) -> Markup {
    let Field { path, content, forces_replacement, is_drift } = field;
    // Four steps of indentation are enough to see what is in what.
    let depth = depth.min(4);
    let name = |aside: Option<String>| {
        html! {
            code { (address_like(&value::path(path))) }
            @if let Some(aside) = aside { span.quiet { " " (aside) } }
            @if *forces_replacement { " " span.tag.delete { "forces replacement" } }
            @if *is_drift { " " span.tag.quiet { "takes back a change from outside" } }
        }
    };
    let side = |value: Option<Markup>| {
        html! { td { @match value { Some(value) => (value), None => span.quiet { "not set" } } } }
    };
    let plain = |old: Option<Markup>, new: Option<Markup>| {
        html! {
            (NEW_LINE)
            tr {
                th scope="row" class={ "in" (depth) } { (name(None)) }
                @if shown.old { (side(old)) }
                @if shown.new { (side(new)) }
            }
        }
    };
    let wide = |aside: String, lines: &[Line]| {
        html! {
            (NEW_LINE)
            tr {
                th scope="row" colspan=(shown.columns()) class={ "in" (depth) } { (name(Some(aside))) }
            }
            @if !lines.is_empty() {
                tr { td.lines colspan=(shown.columns()) { (text(lines)) } }
            }
        }
    };
    match content {
        Content::Added(after) => plain(None, Some(html! { ins { (value::literal(after)) } })),
        Content::Removed(before) => plain(Some(html! { del { (value::literal(before)) } }), None),
        // Two secret-like values are told to differ, and not how.
        Content::Changed(before, after) if before == after => plain(
            Some(html! { del { (value::literal(before)) } }),
            Some(html! { ins { (value::literal(after)) } " " span.quiet { "(another one)" } }),
        ),
        Content::Changed(before, after) => {
            let (old, new) = value::pair(before, after);
            let (same, end) = alike(&old, &new);
            plain(Some(html! { del { (marked(&old, same, end)) } }), Some(html! { ins { (marked(&new, same, end)) } }))
        }
        Content::AddedGroup(members) => html! {
            (NEW_LINE)
            tr.group { th scope="row" colspan=(shown.columns()) class={ "in" (depth) } { (name(None)) } }
            (rows(members, shown, depth + 1))
        },
        Content::RemovedGroup(count) => {
            let values = if *count == 1 { "1 attribute".to_owned() } else { format!("{count} attributes") };
            plain(Some(html! { del { (values) } }), None)
        }
        Content::AddedText(new) => wide(counted(new), &lines::all(new, Fate::Added)),
        Content::RemovedText(old) => wide(counted(old), &lines::all(old, Fate::Removed)),
        Content::ChangedText(old, new) => wide("changed lines".to_owned(), &lines::changed(old, new)),
        Content::Secret { from, because } => plain(
            Some(html! { span.quiet { "not to be read" } }),
            Some(html! {
                "write-only, sent from " code { (value::name(&from.to_string())) }
                @if let Some(because) = because { div.quiet { (prose(because)) } }
            }),
        ),
    }
}

fn counted(text: &str) -> String {
    match text.lines().count() {
        1 => "1 line".to_owned(),
        many => format!("{many} lines"),
    }
}

/// Lines in a box of their own, with their signs.
fn text(lines: &[Line]) -> Markup {
    let left_out = lines.len().saturating_sub(MOST_LINES);
    html! {
        pre.scroll tabindex="0" role="group" aria-label="Lines" {
            @for Line { fate, text } in lines.iter().take(MOST_LINES) {
                @match fate {
                    Fate::Added => ins { "+ " (text) "\n" },
                    Fate::Removed => del { "- " (text) "\n" },
                    Fate::Kept => { "  " (text) "\n" },
                    Fate::Gap => span.quiet { "  " (text) "\n" },
                }
            }
            @if left_out > 0 { span.quiet { "  (" (left_out) " more)\n" } }
        }
    }
}

/// How many bytes two texts have in common at their beginning, and at their end, in whole words; nothing where that is so
/// little that it does not help to see what differs.
fn alike(old: &str, new: &str) -> (usize, usize) {
    let same = common(old.chars(), new.chars());
    let end = common(old[same..].chars().rev(), new[same..].chars().rev());
    if same + end > 4 { (same, end) } else { (0, 0) }
}

/// How many bytes two texts have in common, up to the last end of a word.
fn common(old: impl Iterator<Item = char>, new: impl Iterator<Item = char>) -> usize {
    let (mut length, mut whole) = (0, 0);
    for (one, other) in old.zip(new) {
        if one != other {
            break;
        }
        length += one.len_utf8();
        if !one.is_alphanumeric() {
            whole = length;
        }
    }
    whole
}

/// A text with what is between its beginning and its end marked.
fn marked(text: &str, same: usize, end: usize) -> Markup {
    let (beginning, rest) = text.split_at(same);
    let (middle, ending) = rest.split_at(rest.len() - end);
    html! {
        @if (same, end) == (0, 0) { (text) } @else {
            (beginning) @if !middle.is_empty() { mark { (middle) } } (ending)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked() {
        let shown = |old: &str, new: &str| {
            let (same, end) = alike(old, new);
            (marked(old, same, end).into_string(), marked(new, same, end).into_string())
        };
        let of = |old: &str, new: &str| (old.to_owned(), new.to_owned());
        assert_eq!(
            shown("./apps/staging", "./apps/prod"),
            of("./apps/<mark>staging</mark>", "./apps/<mark>prod</mark>")
        );
        assert_eq!(
            shown("./stores/app", "./stores/shop"),
            of("./stores/<mark>app</mark>", "./stores/<mark>shop</mark>")
        );
        assert_eq!(shown("a, b, c", "a, b, x, c"), of("a, b, <mark>c</mark>", "a, b, <mark>x, c</mark>"));
        assert_eq!(shown("NotRegistered", "Registered"), of("NotRegistered", "Registered"));
        assert_eq!(shown("true", "false"), of("true", "false"));
        assert_eq!(shown("Grüße, 東", "Grüße, 京"), of("Grüße, <mark>東</mark>", "Grüße, <mark>京</mark>"));
    }
}
