//! Rules about keys, before anything else is looked at.

use std::collections::BTreeMap;

use super::super::codes;
use super::super::node::{Entry, Node, Value};
use super::super::report::Report;
use crate::model::Span;

/// Reports every duplicate and every key that is not text, and leaves the first of each key in the tree.
pub(in super::super) fn check(node: &mut Node, report: &mut Report) {
    match &mut node.value {
        Value::Map(entries) => {
            let mut first: BTreeMap<String, Span> = BTreeMap::new();
            entries.retain(|entry| {
                if let Some(key_type) = entry.key_type {
                    report.add(not_text(entry, key_type));
                }
                match first.get(&entry.key) {
                    None => {
                        first.insert(entry.key.clone(), entry.key_span);
                        true
                    }
                    Some(place) => {
                        report.add(
                            codes::DUPLICATE_KEY
                                .at(entry.key_span, format!("`{}` is given twice", entry.key))
                                .with_hint(format!("the first is on line {}", place.line)),
                        );
                        false
                    }
                }
            });
            entries.iter_mut().for_each(|entry| check(&mut entry.node, report));
        }
        Value::List(items) => items.iter_mut().for_each(|item| check(item, report)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unresolved => {}
    }
}

fn not_text(entry: &Entry, key_type: &str) -> crate::model::Diagnostic {
    codes::KEY_NOT_TEXT
        .at(entry.key_span, format!("YAML reads this key as {key_type}"))
        .with_hint(format!("quote it: `\"{}\"`", entry.key))
}
