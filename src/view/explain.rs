//! Why the fields of a resource are compared as they are.

use serde_json::Value;

use super::style::Tone;
use super::{Style, json, value};
use crate::kinds::shown_path;
use crate::plan::{Action, Explanation, FieldStory, FieldVerdict, Location, Reference, RuleStory, WantedFrom};

/// The widest value in the table, in characters.
const CELL: usize = 32;

/// An explanation for people: a table of all fields, or the whole story of those that were asked for. Ends with a line
/// feed.
#[must_use]
pub fn render_text(explanation: &Explanation, style: &Style) -> String {
    let Explanation { address, kustomization, field, id: _, kind, api_version, actions, action_reason, file, fields } =
        explanation;
    let part = kustomization.as_ref().map(|name| format!("#{name}")).unwrap_or_default();
    let name = value::name(&format!("{address}{part}"));
    let mut out = style.paint(Tone::Heading, &name);
    let planned =
        format!("({}, {api_version}): a plan {}, because {}", kind.noun(), does(*actions), action_reason.clause());
    out.push_str(&format!(" {}\n", value::name(&planned)));
    match field {
        None => table(&mut out, explanation, *style),
        Some(_) => {
            let document = format!("API document of {} {api_version}", kind.noun());
            let mut teller = Teller { out: &mut out, style: *style, file, document };
            fields.iter().for_each(|story| teller.story(story));
        }
    }
    out
}

/// An explanation as one JSON document, indented. Ends with a line feed.
#[must_use]
pub fn render_json(explanation: &Explanation) -> String {
    json::pretty(explanation)
}

const fn does(action: Action) -> &'static str {
    match action {
        Action::NoOp => "writes nothing",
        Action::Read => "only reads it",
        Action::Create => "creates it",
        Action::Update => "updates it",
        Action::Replace => "replaces it",
        Action::Delete => "deletes it",
    }
}

const fn tone(verdict: FieldVerdict) -> Tone {
    match verdict {
        FieldVerdict::ForcesReplacement | FieldVerdict::NotInSpec => Tone::Bad,
        FieldVerdict::Differs => Tone::Change,
        FieldVerdict::NotLive => Tone::Good,
        FieldVerdict::Ignored
        | FieldVerdict::Kept
        | FieldVerdict::Unknown
        | FieldVerdict::WriteOnly
        | FieldVerdict::Unread => Tone::Heading,
        FieldVerdict::Equal | FieldVerdict::EqualByRule | FieldVerdict::ReadOnly => Tone::Quiet,
    }
}

const fn symbol(verdict: FieldVerdict) -> &'static str {
    match verdict {
        FieldVerdict::ForcesReplacement => "-/+",
        FieldVerdict::NotInSpec => "-",
        FieldVerdict::Differs => "~",
        FieldVerdict::NotLive => "+",
        FieldVerdict::Ignored
        | FieldVerdict::Kept
        | FieldVerdict::Unknown
        | FieldVerdict::WriteOnly
        | FieldVerdict::Unread
        | FieldVerdict::Equal
        | FieldVerdict::EqualByRule
        | FieldVerdict::ReadOnly => "",
    }
}

fn verdict_words(story: &FieldStory) -> String {
    match story.equal_by {
        None => story.verdict.name().to_owned(),
        Some(by) => format!("{} ({})", story.verdict.name(), by.name()),
    }
}

/// One line for each field; those that are never compared and wanted by nobody in one sentence.
fn table(out: &mut String, explanation: &Explanation, style: Style) {
    let is_aside =
        |story: &&FieldStory| story.verdict == FieldVerdict::ReadOnly && story.wanted_from == WantedFrom::Nothing;
    let (asides, told): (Vec<&FieldStory>, Vec<&FieldStory>) = explanation.fields.iter().partition(is_aside);
    let heading = ["FIELD", "WANTED", "LIVE", "VERDICT", "FROM"].map(str::to_owned);
    let rows: Vec<[String; 5]> = told
        .iter()
        .map(|story| {
            let (wanted, live) = cells(story);
            [value::name(&name_of(story)), wanted, live, verdict_words(story), short_source(&story.wanted_from)]
        })
        .collect();
    let width =
        |column: usize| rows.iter().chain([&heading]).map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2), width(3)];
    let line = |symbol: &str, tone: Tone, [field, wanted, live, verdict, from]: &[String; 5]| {
        let verdict = style.paint(tone, &pad(verdict, widths[3]));
        let before = format!("{} {} {}", pad(field, widths[0]), pad(wanted, widths[1]), pad(live, widths[2]));
        format!("{symbol:>5} {before} {verdict} {from}").trim_end().to_owned() + "\n"
    };
    if !told.is_empty() {
        out.push('\n');
        out.push_str(&line("", Tone::Quiet, &heading));
    }
    for (story, row) in told.iter().zip(&rows) {
        out.push_str(&line(symbol(story.verdict), tone(story.verdict), row));
    }
    if !asides.is_empty() {
        let names: Vec<String> = asides.iter().map(|story| name_of(story)).collect();
        out.push('\n');
        out.push_str(&style.sentence("  ", "  ", &format!("Never compared, the service's own: {}", names.join(", "))));
    }
    if told.is_empty() {
        return;
    }
    let changes = told.iter().filter(|story| story.verdict.is_change()).count();
    let fields = if told.len() == 1 { "field" } else { "fields" };
    let sentence = format!(
        "{changes} of {} {fields} would change. Lines are those of {}. Name a field to be told all about it.",
        told.len(),
        explanation.file
    );
    out.push('\n');
    out.push_str(&style.sentence("", "", &sentence));
}

/// The values of a row. Two that differ never look the same.
fn cells(story: &FieldStory) -> (String, String) {
    let cell = |value: Option<&Value>| value.map_or_else(|| "-".to_owned(), |value| value::cell(value, CELL));
    let (wanted, live) = (cell(story.wanted.as_ref()), cell(story.live.as_ref()));
    match (&story.wanted, &story.live) {
        (Some(one), Some(other)) if one != other && wanted == live => value::pair(one, other),
        _ => (wanted, live),
    }
}

/// The path of a field as people read it; ARM's `properties` itself where it is that.
fn name_of(story: &FieldStory) -> String {
    let shown = shown_path(&story.path);
    if shown.segments().is_empty() { story.path.to_string() } else { shown.to_string() }
}

fn pad(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

/// Where a wanted value came from, in a word.
fn short_source(from: &WantedFrom) -> String {
    let with_line = |word: &str, at: Option<&Location>| match at {
        Some(at) => format!("{word}, line {}", at.line),
        None => word.to_owned(),
    };
    match from {
        WantedFrom::Written { at, references, .. } if references.is_empty() => format!("line {}", at.line),
        WantedFrom::Written { at, references, .. } => {
            let names: Vec<String> = references.iter().map(|reference| value::name(&reference.reference)).collect();
            format!("line {}, {}", at.line, names.join(", "))
        }
        WantedFrom::FormatDefault { .. } => "default".to_owned(),
        WantedFrom::ApiDefault => "default of the API".to_owned(),
        WantedFrom::ShortForm { at } => with_line("short form", Some(at)),
        WantedFrom::Derived { at, .. } => with_line("follows", at.as_ref()),
        WantedFrom::Arcflux { .. } => "arcflux".to_owned(),
        WantedFrom::Secret { secret, at } => value::name(&with_line(&secret.to_string(), at.as_ref())),
        WantedFrom::Live => "live".to_owned(),
        WantedFrom::Nothing => "-".to_owned(),
    }
}

/// Tells everything about one field, in sentences.
struct Teller<'a> {
    out: &'a mut String,
    style: Style,
    file: &'a str,
    /// The document that the defaults of the API are from.
    document: String,
}

/// The margin of what is said about a value.
const MARGIN: &str = "           ";

impl Teller<'_> {
    fn story(&mut self, story: &FieldStory) {
        let FieldStory { path: _, spec_word, verdict, equal_by: _, because, wanted, wanted_from, live, rule } = story;
        let name = self.style.paint(Tone::Heading, &value::name(&name_of(story)));
        let word = spec_word.as_ref().map(|word| format!(", in a spec `{}`", value::name(&word.to_string())));
        self.out.push_str(&format!("\n{name}{}\n", word.unwrap_or_default()));
        let (wanted_text, live_text) = match (wanted, live) {
            (Some(wanted), Some(live)) if wanted != live => {
                let (live, wanted) = value::pair(live, wanted);
                (Some(wanted), Some(live))
            }
            (wanted, live) => (wanted.as_ref().map(value::literal), live.as_ref().map(value::literal)),
        };
        let is_secret = matches!(wanted_from, WantedFrom::Secret { .. });
        let unsaid = if is_secret { "a secret" } else { "nothing" };
        self.out.push_str(&format!("  wanted:  {}\n", wanted_text.as_deref().unwrap_or(unsaid)));
        self.source(wanted_from, wanted.as_ref());
        let unseen = match (verdict, &rule.default) {
            (FieldVerdict::WriteOnly, _) => "never shown".to_owned(),
            (FieldVerdict::EqualByRule | FieldVerdict::Differs | FieldVerdict::NotInSpec, Some(default)) => {
                format!("not shown, which means {}", value::literal(default))
            }
            _ => "nothing".to_owned(),
        };
        self.out.push_str(&format!("  live:    {}\n", live_text.as_deref().unwrap_or(&unseen)));
        let sentence = self.style.sentence("  rule:    ", MARGIN, &self.rule(rule));
        self.out.push_str(&sentence);
        let words = verdict_words(story);
        let sentence = self.style.sentence("  verdict: ", MARGIN, &format!("{words}: {because}"));
        self.out.push_str(&sentence.replacen(&words, &self.style.paint(tone(*verdict), &words), 1));
    }

    fn rule(&self, rule: &RuleStory) -> String {
        let RuleStory { row, habit, default, meaning } = rule;
        let document = if default.is_some() { format!(" ({})", self.document) } else { String::new() };
        match row {
            Some(row) => format!("{row}, {}: {meaning}{document}", habit.name()),
            None => meaning.clone(),
        }
    }

    fn say(&mut self, text: &str) {
        let sentence = self.style.sentence(MARGIN, MARGIN, text);
        self.out.push_str(&sentence);
    }

    /// A sentence about a place, with the line that stands there.
    fn point(&mut self, what: &str, at: &Location) {
        let Location { line, column, text } = at;
        let place = format!("{}:{line}:{column}", self.file);
        match text {
            Some(text) => {
                self.say(&format!("{what} at {place}"));
                self.out.push_str(&format!("{MARGIN}  {line} | {}\n", value::text_line(text)));
            }
            None => self.say(&format!("{what} at {place}, in a line that may hold a secret")),
        }
    }

    fn source(&mut self, from: &WantedFrom, wanted: Option<&Value>) {
        match from {
            WantedFrom::Written { at, key, short_form, references } => {
                let short = if *short_form { ", the short form of the configuration flux-system," } else { "" };
                self.point(&format!("written as `{key}`{short}"), at);
                self.references(references);
            }
            WantedFrom::FormatDefault { below, api_default } => {
                let api = match api_default {
                    None => String::new(),
                    Some(same) if wanted == Some(same) => ", as of the API".to_owned(),
                    Some(other) => format!("; that of the API is {}", value::literal(other)),
                };
                self.point(&format!("not in the spec: the default of the format{api}, below the key"), below);
            }
            WantedFrom::ApiDefault => {
                let text = format!("not in the spec, and not sent: the default of the API ({})", self.document);
                self.say(&text);
            }
            WantedFrom::ShortForm { at } => self.point("what the short form means, which stands", at),
            WantedFrom::Derived { how, at, references } => {
                match at {
                    Some(at) => self.point(&format!("{how}, which stands"), at),
                    None => self.say(how),
                }
                self.references(references);
            }
            WantedFrom::Arcflux { why } => self.say(&format!("not in the spec: arcflux sends it, because {why}")),
            WantedFrom::Secret { secret, at } => {
                let what = format!("{secret}, which is read when it is sent; written");
                match at {
                    Some(at) => self.point(&what, at),
                    None => self.say(&what),
                }
            }
            WantedFrom::Live => self.say("not in the spec: kept from the live side"),
            WantedFrom::Nothing => self.say("not in the spec"),
        }
    }

    fn references(&mut self, references: &[Reference]) {
        for Reference { reference, at, how, references } in references {
            let how = how.as_deref().unwrap_or("it is what stands");
            match at {
                Some(at) => self.point(&format!("{reference}: {how}"), at),
                None => self.say(&format!("{reference}: {how}")),
            }
            self.references(references);
        }
    }
}
