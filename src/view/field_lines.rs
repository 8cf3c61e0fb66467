//! The fields of a change as lines, before any format: what stands on which line, how deep, and with which sign. Values
//! are inert and bounded here; sentences are raw.

use super::lines::{self, Fate};
use super::rows::{Content, Field};
use super::value;
use crate::plan::Action;

/// The widest name that the `=` of its neighbours are aligned to.
const ALIGN_LIMIT: usize = 44;
/// How many lines of a new text are shown.
const NEW_LINES: usize = 8;
/// How many lines of a changed text are shown.
const CHANGED_LINES: usize = 40;

/// One line, `depth` groups deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldLine {
    pub(super) depth: usize,
    pub(super) content: Shown,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// A field, or a line of a text, that comes, changes or goes.
    Row {
        /// What happens to it.
        action: Action,
        /// All of it.
        text: String,
        /// What is to be said of it.
        mark: Option<Mark>,
    },
    /// A field with another value.
    Changed {
        /// Its name, as wide as those of its neighbours.
        label: String,
        /// The value that goes.
        old: String,
        /// The value that comes.
        new: String,
        /// What is to be said of it.
        mark: Option<Mark>,
    },
    /// A line that stays, or the end of a group.
    Plain(String),
    /// How much is not shown.
    Aside(String),
    /// Why the field above changes: a raw sentence.
    Because(String),
}

/// What is to be said of a field, behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    ForcesReplacement,
    TakesBack,
}

impl Mark {
    fn of(field: &Field<'_>) -> Option<Self> {
        if field.forces_replacement {
            Some(Self::ForcesReplacement)
        } else if field.is_drift {
            Some(Self::TakesBack)
        } else {
            None
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::ForcesReplacement => "# forces replacement",
            Self::TakesBack => "# takes back a change from outside",
        }
    }
}

/// The lines of fields.
pub(super) fn of(fields: &[Field<'_>]) -> Vec<FieldLine> {
    let mut lines = Lines(Vec::new());
    lines.fields(fields, 0);
    lines.0
}

/// How many values stay as they are, in brackets; `None` where there are none.
pub(super) fn unchanged(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("(1 unchanged attribute hidden)".to_owned()),
        many => Some(format!("({many} unchanged attributes hidden)")),
    }
}

struct Lines(Vec<FieldLine>);

impl Lines {
    fn push(&mut self, depth: usize, content: Shown) {
        self.0.push(FieldLine { depth, content });
    }

    fn row(&mut self, depth: usize, action: Action, text: String) {
        self.push(depth, Shown::Row { action, text, mark: None });
    }

    fn fields(&mut self, fields: &[Field<'_>], depth: usize) {
        // Neighbours are aligned, and whatever has lines of its own ends a neighbourhood.
        for run in fields.chunk_by(|one, next| is_aligned(&one.content) && is_aligned(&next.content)) {
            let widths = run.iter().map(|field| value::path(&field.path).chars().count());
            let width = widths.filter(|width| *width <= ALIGN_LIMIT).max().unwrap_or(0);
            for field in run {
                self.field(field, width, depth);
            }
        }
    }

    fn field(&mut self, field: &Field<'_>, width: usize, depth: usize) {
        let Field { path, content, forces_replacement: _, is_drift: _ } = field;
        let label = value::path(path);
        let mark = Mark::of(field);
        let row = |action, text| Shown::Row { action, text, mark };
        let assigned = |text: &str| format!("{label:width$} = {text}");
        match content {
            Content::Added(after) => self.push(depth, row(Action::Create, assigned(&value::literal(after)))),
            Content::Removed(before) => {
                self.push(depth, row(Action::Delete, assigned(&format!("{} -> null", value::literal(before)))));
            }
            // Two secret-like values are told to differ, and not how.
            Content::Changed(before, after) if before == after => {
                self.push(depth, row(Action::Update, assigned(&value::literal(after))));
            }
            Content::Changed(before, after) => {
                let (old, new) = value::pair(before, after);
                self.push(depth, Shown::Changed { label: format!("{label:width$}"), old, new, mark });
            }
            Content::AddedGroup(members) => {
                self.push(depth, row(Action::Create, format!("{label} {{")));
                self.fields(members, depth + 1);
                self.push(depth, Shown::Plain("}".to_owned()));
            }
            Content::RemovedGroup(1) => self.push(depth, row(Action::Delete, format!("{label} (1 attribute)"))),
            Content::RemovedGroup(many) => {
                self.push(depth, row(Action::Delete, format!("{label} ({many} attributes)")));
            }
            Content::AddedText(new) => {
                let count = new.lines().count();
                self.push(depth, row(Action::Create, format!("{label} ({count} lines)")));
                for line in new.lines().take(NEW_LINES) {
                    self.row(depth + 1, Action::Create, value::text_line(line));
                }
                self.left_out(count.saturating_sub(NEW_LINES), depth + 1);
            }
            Content::RemovedText(old) => {
                self.push(depth, row(Action::Delete, format!("{label} ({} lines)", old.lines().count())));
            }
            Content::ChangedText(old, new) => {
                self.push(depth, row(Action::Update, format!("{label} (changed lines)")));
                self.changed_text(old, new, depth + 1);
            }
            Content::Secret { from, because } => {
                let action = if because.is_some() { Action::Update } else { Action::Create };
                let sent = format!("(write-only, sent from {})", value::name(&from.to_string()));
                self.push(depth, row(action, assigned(&sent)));
                if let Some(because) = because {
                    self.push(depth, Shown::Because((*because).to_owned()));
                }
            }
        }
    }

    /// The lines that change, with one line around them.
    fn changed_text(&mut self, old: &str, new: &str, depth: usize) {
        let lines = lines::changed(old, new);
        for line in lines.iter().take(CHANGED_LINES) {
            match line.fate {
                Fate::Removed => self.row(depth, Action::Delete, line.text.clone()),
                Fate::Added => self.row(depth, Action::Create, line.text.clone()),
                Fate::Kept | Fate::Gap => self.push(depth, Shown::Plain(line.text.clone())),
            }
        }
        self.left_out(lines.len().saturating_sub(CHANGED_LINES), depth);
    }

    fn left_out(&mut self, count: usize, depth: usize) {
        match count {
            0 => {}
            1 => self.push(depth, Shown::Aside("(1 more line)".to_owned())),
            many => self.push(depth, Shown::Aside(format!("({many} more lines)"))),
        }
    }
}

/// Whether a row has an `=`.
fn is_aligned(content: &Content<'_>) -> bool {
    match content {
        Content::Added(_) | Content::Removed(_) | Content::Changed(..) | Content::Secret { .. } => true,
        Content::AddedGroup(_)
        | Content::RemovedGroup(_)
        | Content::AddedText(_)
        | Content::RemovedText(_)
        | Content::ChangedText(..) => false,
    }
}
