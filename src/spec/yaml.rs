//! YAML text to a tree with places, and JSON values back to YAML text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::Spanned;
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

use super::codes::{self, Row};
use super::node::{Entry, Node, Value};
use crate::model::{Diagnostic, Span};

/// How many events aliases may stand for in one spec. A fleet that repeats its kustomizations by alias for a thousand
/// clusters stays below it.
const MAX_REPLAYED_EVENTS: usize = 50_000;

/// How deeply a spec may be nested. A spec needs nine levels; the reader recurses once for each.
const MAX_DEPTH: usize = 32;

/// Places in a text: from byte offsets to lines and columns.
#[derive(Debug)]
pub(super) struct Places<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    /// The number of characters before each block of [`BLOCK`] bytes, so that a column far into a long line is not counted
    /// from its start every time.
    characters_before: Vec<usize>,
}

const BLOCK: usize = 1024;

/// The number of characters that begin in these bytes of UTF-8.
fn characters_in(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut sum = 0;
        let characters_before = text
            .as_bytes()
            .chunks(BLOCK)
            .map(|block| {
                let before = sum;
                sum += characters_in(block);
                before
            })
            .chain(std::iter::once(0))
            .collect();
        Self { text, line_starts, characters_before }
    }

    /// The span of these bytes, moved inside the text and onto character boundaries.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let start = self.floor(start.min(self.text.len()));
        let end = self.floor(end.clamp(start, self.text.len()));
        let line = self.line_starts.partition_point(|line_start| *line_start <= start).saturating_sub(1);
        let line_start = self.line_starts.get(line).copied().unwrap_or_default();
        let mark = usize::from(line == 0 && start > 0 && self.text.starts_with(BOM));
        let column = self.characters_to(start) - self.characters_to(line_start) - mark;
        Span {
            start,
            end,
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    /// What stands at a place.
    pub(super) fn written(&self, span: Span) -> Option<&'a str> {
        self.text.get(span.start..span.end)
    }

    fn characters_to(&self, at: usize) -> usize {
        let block = if at == self.text.len() { at.saturating_sub(1) / BLOCK } else { at / BLOCK };
        let before = self.characters_before.get(block).copied().unwrap_or_default();
        before + self.text.as_bytes().get(block * BLOCK..at).map_or(0, characters_in)
    }

    /// The place of `part` inside the scalar at `span`, when it is written there as it stands.
    pub(super) fn span_within(&self, span: Span, part: &str) -> Span {
        match self.written(span).and_then(|scalar| scalar.find(part)) {
            Some(at) => self.span(span.start + at, span.start + at + part.len()),
            None => span,
        }
    }

    fn floor(&self, mut at: usize) -> usize {
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// The first tab that indents the line of `from`, or one after it. The reader reports a tab where the value before it
    /// began.
    fn indenting_tab(&self, from: Span) -> Option<Span> {
        let start = *self.line_starts.get(index(u64::from(from.line)).checked_sub(1)?)?;
        let mut line_start = start;
        for line in self.text.get(start..)?.split_inclusive('\n') {
            let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
            if let Some(tab) = line[..indentation].find('\t') {
                return Some(self.span(line_start + tab, line_start + tab + 1));
            }
            line_start += line.len();
        }
        None
    }

    /// The place of the character with this number.
    fn span_of_char(&self, number: usize) -> Span {
        let at = self.text.char_indices().nth(number).map_or(self.text.len(), |(at, _)| at);
        self.span(at, at)
    }
}

const BOM: char = '\u{feff}';

/// Reads one YAML document.
///
/// # Errors
///
/// The text is not YAML, holds several documents, holds nothing, or goes beyond the limits. Duplicate keys are kept in
/// the tree: the caller reports all of them.
pub(super) fn parse(places: &Places<'_>) -> Result<Node, Diagnostic> {
    let offset = if places.text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! { max_depth: MAX_DEPTH, flow_nesting_limit: MAX_DEPTH },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_REPLAYED_EVENTS },
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    let raw = serde_yaml::from_str_with_options::<Spanned<Raw>>(&places.text[offset..], options)
        .map_err(|error| explain(places, offset, error.without_snippet()))?;
    let tree = Reader { places, offset }.node(&raw, None);
    if matches!(tree.value, Value::Null) {
        return Err(codes::EMPTY
            .at(places.span(0, 0), "the file holds nothing")
            .with_hint("`arcflux init` writes a spec to start from"));
    }
    Ok(tree)
}

/// Turns what the YAML reader says into one of our rows. Its own texts can hold parts of the spec only where they name a
/// character.
fn explain(places: &Places<'_>, offset: usize, error: &serde_yaml::Error) -> Diagnostic {
    let mut span = place(places, offset, error);
    // A problem met while an alias is followed is told of the alias.
    let cause = match error {
        serde_yaml::Error::AliasError { error, .. } => error,
        other => other,
    };
    let (row, message, hint): (Row, String, Option<&str>) = match cause {
        serde_yaml::Error::MultipleDocuments { .. } => (
            codes::SEVERAL_DOCUMENTS,
            "a second YAML document starts here".to_owned(),
            Some("give each spec its own file"),
        ),
        serde_yaml::Error::UnknownAnchor { .. } => {
            (codes::YAML_SYNTAX, "the alias names an anchor that is not defined before it".to_owned(), None)
        }
        serde_yaml::Error::RecursiveReferencesRequireWeakTypes { .. } => {
            (codes::LIMIT, "the anchor contains an alias to itself".to_owned(), None)
        }
        serde_yaml::Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            (codes::YAML_SYNTAX, "`<<` merges mappings, and its value is not one".to_owned(), None)
        }
        serde_yaml::Error::Budget { .. }
        | serde_yaml::Error::AliasReplayCounterOverflow { .. }
        | serde_yaml::Error::AliasReplayLimitExceeded { .. }
        | serde_yaml::Error::AliasExpansionLimitExceeded { .. }
        | serde_yaml::Error::AliasReplayStackDepthExceeded { .. } => {
            (codes::LIMIT, "the spec is nested too deeply, or its aliases stand for too much".to_owned(), None)
        }
        other => {
            let text = other.to_string();
            // The place is shown by whoever shows the diagnostic.
            let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            // Whatever the reader stumbled over, a tab that indents the line is why.
            let is_named = text.split(' ').any(|word| word == "tab" || word == "tabs");
            let tab = places.indenting_tab(span).filter(|tab| is_named || tab.line == span.line);
            if text.contains("recursion limit") {
                (codes::LIMIT, "the spec is nested too deeply".to_owned(), None)
            } else if let Some(tab) = tab {
                span = tab;
                (codes::YAML_SYNTAX, "a tab stands in the indentation".to_owned(), Some("indent with spaces"))
            } else {
                (codes::YAML_SYNTAX, format!("not YAML: {text}"), None)
            }
        }
    };
    let diagnostic = row.at(span, message);
    match hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// Where the YAML reader stopped.
fn place(places: &Places<'_>, offset: usize, error: &serde_yaml::Error) -> Span {
    match error.location() {
        None => places.span(0, 0),
        Some(location) => match (location.span().byte_offset(), location.span().byte_len()) {
            (Some(start), Some(length)) => {
                let start = index(start).saturating_add(offset);
                places.span(start, start.saturating_add(index(length)))
            }
            (Some(start), None) => places.span(index(start).saturating_add(offset), 0),
            (None, _) => places.span_of_char(index(location.span().offset()).saturating_add(usize::from(offset > 0))),
        },
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// What YAML's untyped values are, before places are put right.
enum Raw {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Raw, E> {
        Number::from_i128(value).map(Raw::Number).ok_or_else(|| E::custom("the number is too large"))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Raw, E> {
        Number::from_u128(value).map(Raw::Number).ok_or_else(|| E::custom("the number is too large"))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Raw, E> {
        Number::from_f64(value).map(Raw::Number).ok_or_else(|| E::custom("the number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

/// Puts places right: byte offsets from the start of the file, and the key's place for what has no text of its own.
struct Reader<'a> {
    places: &'a Places<'a>,
    offset: usize,
}

impl Reader<'_> {
    /// The place where a value is written: for an alias, where its anchor stands, since that is the line to change.
    fn span(&self, raw: &Spanned<Raw>) -> Span {
        let span = raw.defined.span();
        let start = index(span.byte_offset().unwrap_or_default()).saturating_add(self.offset);
        let end = start.saturating_add(index(span.byte_len().unwrap_or_default()));
        self.places.span(start, end)
    }

    fn node(&self, raw: &Spanned<Raw>, key: Option<Span>) -> Node {
        let own = self.span(raw);
        let outer = key.unwrap_or(own);
        let (value, span) = match &raw.value {
            Raw::Null => (Value::Null, if own.start == own.end { outer } else { own }),
            Raw::Bool(value) => (Value::Bool(*value), own),
            Raw::Number(value) => (Value::Number(value.clone()), own),
            Raw::Text(value) => (Value::Text(value.clone()), self.without_line_end(own)),
            Raw::List(items) => (Value::List(items.iter().map(|item| self.node(item, None)).collect()), outer),
            Raw::Map(entries) => {
                (Value::Map(entries.iter().map(|(key, value)| self.entry(key, value)).collect()), outer)
            }
        };
        Node::written(value, span)
    }

    fn entry(&self, key: &Spanned<Raw>, value: &Spanned<Raw>) -> Entry {
        let key_span = self.span(key);
        let written = || self.places.text[key_span.start..key_span.end].to_owned();
        let (text, key_type) = match &key.value {
            Raw::Text(text) => (text.clone(), None),
            Raw::Null => (written(), Some("null")),
            Raw::Bool(_) => (written(), Some("a boolean")),
            Raw::Number(_) => (written(), Some("a number")),
            Raw::List(_) => (written(), Some("a list")),
            Raw::Map(_) => (written(), Some("a mapping")),
        };
        Entry { key: text, key_span, key_type, node: self.node(value, Some(key_span)) }
    }

    /// A block text's span without the line end behind it, so that a snippet marks only its own lines.
    fn without_line_end(&self, span: Span) -> Span {
        let text = &self.places.text[span.start..span.end];
        Span { end: span.start + text.trim_end_matches(['\n', '\r']).len(), ..span }
    }
}

/// A text of one line stays on one line: broken ones are hard to read, and to search for.
const NEVER_FOLDED: usize = usize::MAX;

/// A JSON value as YAML, block style, with a line end at its end.
#[must_use]
pub(super) fn plain_yaml(value: &serde_json::Value) -> String {
    let options = serde_yaml::ser_options! { compact_list_indent: false, prefer_block_scalars: true, folded_wrap_chars: NEVER_FOLDED };
    // A JSON value has text keys only and no cycles: nothing in it can fail to be written.
    serde_yaml::to_string_with_options(value, options).unwrap_or_default()
}
