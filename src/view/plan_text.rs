//! A plan for people, in Terraform's words, symbols and colours.

use super::field_lines::{self, FieldLine, Mark, Shown};
use super::rows::{Drifted, Field, Resource, Rows, would};
use super::style::{Tone, bounded};
use super::{Style, notes, value};
use crate::model::Address;
use crate::plan::{Action, Plan};

/// How many names stand in one sentence: a sentence is cut where it is too long.
const NAMES: usize = 8;
/// The column of the signs of fields.
const INDENT: usize = 6;

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
        self.fields(fields);
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
        if resource.is_sent_as_it_is() {
            self.line(&head);
            self.aside(8, "(sent again as it is)");
        } else if fields.is_empty() {
            self.line(&head);
        } else {
            self.line(&format!("{head} {{"));
            self.fields(fields);
            if let Some(hidden) = field_lines::unchanged(*unchanged) {
                self.aside(8, &hidden);
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
                for names in effect.losing_beyond(&bounded(&effect.message)).chunks(NAMES) {
                    self.out.push_str(&self.style.sentence("        - ", "          ", &names.join(", ")));
                }
            }
        }
        self.out.push('\n');
    }

    pub(super) fn fields(&mut self, fields: &[Field<'_>]) {
        for FieldLine { depth, content } in field_lines::of(fields) {
            let indent = INDENT + 4 * depth;
            match content {
                Shown::Row { action, text, mark } => self.row(action, indent, &format!("{text}{}", self.marked(mark))),
                Shown::Changed { label, old, new, mark } => {
                    let text = format!("{label} = {old} -> {new}{}", self.marked(mark));
                    self.row(Action::Update, indent, &text);
                }
                Shown::Plain(text) => self.line(format!("{}{text}", " ".repeat(indent + 2)).trim_end()),
                Shown::Aside(text) => self.aside(indent + 2, &text),
                Shown::Because(sentence) => {
                    let margin = format!("{}# ", " ".repeat(indent + 4));
                    self.out.push_str(&self.style.sentence(&margin, &margin, &sentence));
                }
            }
        }
    }

    fn marked(&self, mark: Option<Mark>) -> String {
        let Some(mark) = mark else { return String::new() };
        let tone = match mark {
            Mark::ForcesReplacement => Tone::Bad,
            Mark::TakesBack => Tone::Quiet,
        };
        format!(" {}", self.style.paint(tone, mark.words()))
    }

    fn row(&mut self, action: Action, indent: usize, text: &str) {
        let symbol = self.style.paint(tone(action), action.symbol());
        self.line(&format!("{}{symbol} {text}", " ".repeat(indent)));
    }

    pub(super) fn aside(&mut self, indent: usize, text: &str) {
        let text = self.style.paint(Tone::Quiet, &format!("# {text}"));
        self.line(&format!("{}{text}", " ".repeat(indent)));
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

pub(super) fn tone(action: Action) -> Tone {
    match action {
        Action::Create => Tone::Good,
        Action::Update => Tone::Change,
        Action::Delete | Action::Replace => Tone::Bad,
        Action::Read | Action::NoOp => Tone::Quiet,
    }
}
