//! The spec as a tree in which every value and every key knows its place in the text.

use serde_json::Number;

use super::provenance::Provenance;
use crate::model::{FieldPath, Segment, Span};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    /// The text of a scalar; the key of a mapping or a sequence, which have no text of their own.
    pub(super) span: Span,
    /// How the value came to be there.
    pub(super) provenance: Provenance,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A reference that could not be replaced. It has been reported; nothing more is said about it.
    Unresolved,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    /// What YAML took the key for, when that is not text.
    pub(super) key_type: Option<&'static str>,
    pub(super) node: Node,
}

impl Entry {
    /// An entry that does not stand in the text: `span` is the place that it comes from.
    pub(super) fn made(key: &str, span: Span, node: Node) -> Self {
        Self { key: key.to_owned(), key_span: span, key_type: None, node }
    }
}

impl Node {
    pub(super) fn text_at(text: impl Into<String>, span: Span) -> Self {
        Self::written(Value::Text(text.into()), span)
    }

    pub(super) fn map_at(entries: Vec<Entry>, span: Span) -> Self {
        Self::written(Value::Map(entries), span)
    }

    /// A value that stands in the text.
    pub(super) fn written(value: Value, span: Span) -> Self {
        Self { value, span, provenance: Provenance::Written }
    }

    /// The same value, there for another reason.
    pub(super) fn because(self, provenance: Provenance) -> Self {
        Self { provenance, ..self }
    }

    /// The tree of a default, which is filled in under the key at `span`.
    pub(super) fn of_default(json: &serde_json::Value, span: Span) -> Self {
        let value = match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(value) => Value::Number(value.clone()),
            serde_json::Value::String(value) => Value::Text(value.clone()),
            serde_json::Value::Array(items) => {
                Value::List(items.iter().map(|item| Self::of_default(item, span)).collect())
            }
            serde_json::Value::Object(map) => Value::Map(
                map.iter().map(|(key, value)| Entry::made(key, span, Self::of_default(value, span))).collect(),
            ),
        };
        Self { value, span, provenance: Provenance::Default }
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null | Value::Unresolved => serde_json::Value::Null,
            Value::Bool(value) => serde_json::Value::Bool(*value),
            Value::Number(value) => serde_json::Value::Number(value.clone()),
            Value::Text(value) => serde_json::Value::String(value.clone()),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// The number of values in the tree, this one included.
    pub(super) fn count(&self) -> usize {
        1 + self.items().iter().map(Self::count).sum::<usize>()
            + self.entries().iter().map(|entry| entry.node.count()).sum::<usize>()
    }

    /// What the value is, in the words of messages.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Unresolved => "an unresolved reference",
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Unresolved => {
                None
            }
        }
    }

    /// The elements of a list; none when it is something else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) | Value::Unresolved => &[],
        }
    }

    /// The entries of a mapping; none when it is something else.
    pub(super) fn entries(&self) -> &[Entry] {
        self.map().unwrap_or(&[])
    }

    pub(super) fn map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Unresolved => {
                None
            }
        }
    }

    pub(super) fn is_map(&self) -> bool {
        self.map().is_some()
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The text at a key, when there is one and it is a text.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    /// The node at `path`.
    pub(super) fn at(&self, path: &FieldPath) -> Option<&Self> {
        path.segments().iter().try_fold(self, |node, segment| match segment {
            Segment::Key(key) => node.get(key),
            Segment::Index(index) => node.items().get(*index),
        })
    }

    /// Puts an entry at the end of a mapping, unless its key is there already.
    pub(super) fn add(&mut self, entry: Entry) {
        if self.entry(&entry.key).is_none()
            && let Value::Map(entries) = &mut self.value
        {
            entries.push(entry);
        }
    }

    /// The same tree with every value passed through `change`, children first.
    pub(super) fn map_scalars(&self, change: &mut dyn FnMut(&Self) -> Self) -> Self {
        let value = match &self.value {
            Value::List(items) => Value::List(items.iter().map(|item| item.map_scalars(change)).collect()),
            Value::Map(entries) => Value::Map(
                entries.iter().map(|entry| Entry { node: entry.node.map_scalars(change), ..entry.clone() }).collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unresolved => {
                return change(self);
            }
        };
        Self { value, span: self.span, provenance: self.provenance.clone() }
    }
}
