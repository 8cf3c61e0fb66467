//! A plan for people, in Terraform's words, symbols and colours.

use super::lines::{self, Fate};
use super::rows::{Content, Drifted, Field, Resource, Rows, would};
use super::style::Tone;
use super::{Style, notes, value};
use crate::model::Address;
use crate::plan::{Action, Plan};

/// The widest name that the `=` of its neighbours are aligned to.
const ALIGN_LIMIT: usize = 44;
/// How many lines of a new text are shown.
const NEW_LINES: usize = 8;
/// How many lines of a changed text are shown.
const CHANGED_LINES: usize = 40;

pub(super) fn render(plan: &Plan, style: Style) -> String {
    let Rows { drifted, resources, waits, refusals, notes: noted, deferred, unmanaged, summary, estimate, digest } =
        Rows::of(plan);
    let mut text = Text { out: String::new(), style };
    if !drifted.is_empty() {
        let objects =
            if drifted.len() == 1 { "1 object was".to_owned() } else { format!("{} objects were", drifted.len()) };
        text.line(&format!("Note: {objects} changed outside of arcflux since the base:\n"));
    }
    for one in &drifted {
        text.drifted(one);
    }
    if !resources.is_empty() {
        text.out.push_str("arcflux will perform the following actions:\n\n");
    }
    for resource in &resources {
        text.resource(resource);
    }
    if !waits.is_empty() {
        let also = if resources.is_empty() {
            "Nothing is written, but an apply waits until"
        } else {
            "An apply also waits until"
        };
        text.list(also, waits.iter().map(|wait| (wait.address.to_string(), wait.until)));
    }
    for refusal in refusals {
        let about = refusal.address.as_ref().map_or_else(|| "the plan".to_owned(), |one| value::name(&one.to_string()));
        let heading = format!("Refused: {about}");
        text.line(&style.paint(Tone::Bad, &heading));
        text.out.push_str(&style.sentence("  ", "  ", &refusal.message));
        text.out.push_str(&style.sentence("  hint: ", "        ", &refusal.hint));
        text.out.push('\n');
    }
    if !deferred.is_empty() {
        let sentences: Vec<String> =
            deferred.iter().map(|one| format!("{}: {}", would(one.actions), one.message)).collect();
        let entries = deferred.iter().zip(&sentences);
        text.list(
            "Deferred until the cluster talks to Azure again:",
            entries.map(|(one, sentence)| (one.address.to_string(), sentence.as_str())),
        );
    }
    if !noted.is_empty() {
        text.list("Notes:", notes::grouped(noted).into_iter().map(|group| (about(&group.addresses), group.message)));
    }
    if !unmanaged.is_empty() {
        text.list("Not in the specification, left alone:", unmanaged.iter().map(|one| (one.address.to_string(), "")));
    }
    if !refusals.is_empty() {
        text.line(&style.paint(Tone::Bad, "This plan cannot be applied as it is: see \"Refused\" above."));
    }
    let tone = if resources.is_empty() { Tone::Good } else { Tone::Heading };
    text.line(&style.paint(tone, &summary));
    if let Some(estimate) = estimate {
        text.out.push_str(&style.sentence("", "", &estimate));
    }
    text.line(&format!("Digest: {digest}"));
    text.out
}

pub(super) struct Text {
    pub(super) out: String,
    pub(super) style: Style,
}

impl Text {
    /// A resource that was changed outside of arcflux, with what is live instead of what was declared.
    pub(super) fn drifted(&mut self, drifted: &Drifted<'_>) {
        let Drifted { address, verb, noun, name, fields, modified } = drifted;
        let heading = format!("# {} {verb}", value::name(&address.to_string()));
        self.line(&format!("  {}", self.style.paint(Tone::Heading, &heading)));
        if let Some(modified) = modified {
            self.out.push_str(&self.style.sentence("  # (", "  # ", &format!("{modified})")));
        }
        let head = format!("{noun} {}", value::quoted(name));
        if fields.is_empty() {
            self.out.push('\n');
            return;
        }
        self.line(&format!("{} {head} {{", self.style.paint(Tone::Change, "  ~")));
        self.fields(fields, 6);
        self.line("    }\n");
    }

    pub(super) fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// A heading and one entry per line, with its sentence wrapped below itself.
    pub(super) fn list<'a>(&mut self, heading: &str, entries: impl Iterator<Item = (String, &'a str)>) {
        self.line(&self.style.paint(Tone::Heading, heading));
        for (address, sentence) in entries {
            self.out.push_str(&self.style.sentence("  ", "      ", &format!("{address} {sentence}")));
        }
        self.out.push('\n');
    }

    fn resource(&mut self, resource: &Resource<'_>) {
        let Resource { address, action, verb, because, noun, name, api_version, fields, unchanged, effects } = resource;
        let heading = format!("# {} {verb}", value::name(&address.to_string()));
        self.line(&format!("  {}", self.style.paint(Tone::Heading, &heading)));
        if let Some(because) = because {
            self.line(&format!("  # (because {because})"));
        }
        let symbol = self.style.paint(tone(*action), &format!("{:>3}", action.symbol()));
        let head = format!("{symbol} {noun} {} ({})", value::quoted(name), value::name(api_version));
        if fields.is_empty() {
            self.line(&head);
            self.aside(8, "(sent again as it is)");
        } else {
            self.line(&format!("{head} {{"));
            self.fields(fields, 6);
            match unchanged {
                0 => {}
                1 => self.aside(8, "(1 unchanged attribute hidden)"),
                many => self.aside(8, &format!("({many} unchanged attributes hidden)")),
            }
            self.line("    }");
        }
        if !effects.is_empty() {
            self.line("    effects:");
            for effect in *effects {
                let mark = format!("      {} ", self.style.paint(Tone::Change, "!"));
                // Wrapped by what is seen: the colour of the mark has no width.
                let sentence = self.style.sentence("        ", "        ", &effect.message);
                self.out.push_str(&mark);
                self.out.push_str(sentence.trim_start());
            }
        }
        self.out.push('\n');
    }

    fn fields(&mut self, fields: &[Field<'_>], indent: usize) {
        // Neighbours are aligned, and whatever has lines of its own ends a neighbourhood.
        for run in fields.chunk_by(|one, next| is_aligned(&one.content) && is_aligned(&next.content)) {
            let widths = run.iter().map(|field| value::path(&field.path).chars().count());
            let width = widths.filter(|width| *width <= ALIGN_LIMIT).max().unwrap_or(0);
            for field in run {
                self.field(field, width, indent);
            }
        }
    }

    fn field(&mut self, field: &Field<'_>, width: usize, indent: usize) {
        let Field { path, content, forces_replacement, is_drift } = field;
        let label = value::path(path);
        let forces = if *forces_replacement {
            format!(" {}", self.style.paint(Tone::Bad, "# forces replacement"))
        } else if *is_drift {
            format!(" {}", self.style.paint(Tone::Quiet, "# takes back a change from outside"))
        } else {
            String::new()
        };
        let assigned = |text: &str| format!("{label:width$} = {text}{forces}");
        match content {
            Content::Added(after) => self.row(Action::Create, indent, &assigned(&value::literal(after))),
            Content::Removed(before) => {
                self.row(Action::Delete, indent, &assigned(&format!("{} -> null", value::literal(before))));
            }
            // Two secret-like values are told to differ, and not how.
            Content::Changed(before, after) if before == after => {
                self.row(Action::Update, indent, &assigned(&value::literal(after)));
            }
            Content::Changed(before, after) => {
                let (old, new) = value::pair(before, after);
                self.row(Action::Update, indent, &assigned(&format!("{old} -> {new}")));
            }
            Content::AddedGroup(members) => {
                self.row(Action::Create, indent, &format!("{label} {{{forces}"));
                self.fields(members, indent + 4);
                self.out.push_str(&" ".repeat(indent + 2));
                self.line("}");
            }
            Content::RemovedGroup(1) => self.row(Action::Delete, indent, &format!("{label} (1 attribute){forces}")),
            Content::RemovedGroup(many) => {
                self.row(Action::Delete, indent, &format!("{label} ({many} attributes){forces}"));
            }
            Content::AddedText(new) => {
                self.row(Action::Create, indent, &format!("{label} ({} lines){forces}", new.lines().count()));
                self.new_text(new, indent + 4);
            }
            Content::RemovedText(old) => {
                self.row(Action::Delete, indent, &format!("{label} ({} lines){forces}", old.lines().count()));
            }
            Content::ChangedText(old, new) => {
                self.row(Action::Update, indent, &format!("{label} (changed lines){forces}"));
                self.changed_text(old, new, indent + 4);
            }
            Content::Secret { from, because } => {
                let action = if because.is_some() { Action::Update } else { Action::Create };
                let sent = format!("(write-only, sent from {})", value::name(&from.to_string()));
                self.row(action, indent, &assigned(&sent));
                if let Some(because) = because {
                    let margin = format!("{}# ", " ".repeat(indent + 4));
                    self.out.push_str(&self.style.sentence(&margin, &margin, because));
                }
            }
        }
    }

    fn row(&mut self, action: Action, indent: usize, text: &str) {
        let symbol = self.style.paint(tone(action), action.symbol());
        self.line(&format!("{}{symbol} {text}", " ".repeat(indent)));
    }

    fn aside(&mut self, indent: usize, text: &str) {
        let text = self.style.paint(Tone::Quiet, &format!("# {text}"));
        self.line(&format!("{}{text}", " ".repeat(indent)));
    }

    fn new_text(&mut self, text: &str, indent: usize) {
        for line in text.lines().take(NEW_LINES) {
            self.row(Action::Create, indent, &value::text_line(line));
        }
        self.left_out(text.lines().count().saturating_sub(NEW_LINES), indent);
    }

    /// The lines that change, with one line around them.
    fn changed_text(&mut self, old: &str, new: &str, indent: usize) {
        let lines = lines::changed(old, new);
        for line in lines.iter().take(CHANGED_LINES) {
            match line.fate {
                Fate::Removed => self.row(Action::Delete, indent, &line.text),
                Fate::Added => self.row(Action::Create, indent, &line.text),
                Fate::Kept | Fate::Gap => self.line(format!("{}{}", " ".repeat(indent + 2), line.text).trim_end()),
            }
        }
        self.left_out(lines.len().saturating_sub(CHANGED_LINES), indent);
    }

    fn left_out(&mut self, count: usize, indent: usize) {
        match count {
            0 => {}
            1 => self.aside(indent + 2, "(1 more line)"),
            many => self.aside(indent + 2, &format!("({many} more lines)")),
        }
    }
}

/// What a note is about: the first of its resources, and how many more.
fn about(addresses: &[&Address]) -> String {
    match addresses {
        [] => String::new(),
        [one] => format!("{one}:"),
        [first, more @ ..] => format!("{first} and {} more:", more.len()),
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

fn tone(action: Action) -> Tone {
    match action {
        Action::Create => Tone::Good,
        Action::Update => Tone::Change,
        Action::Delete | Action::Replace => Tone::Bad,
        Action::Read | Action::NoOp => Tone::Quiet,
    }
}
