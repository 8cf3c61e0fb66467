//! A copy of the source that may be shown: secrets, credentials in URLs and values of unknown keys are stars. It has the
//! same length and the same lines as the source, so that places stay right.

use std::ops::Range;

use super::node::{Entry, Node, Value};
use super::schema::{self, HOMES, PUBLISHED};
use crate::model::{FieldPath, Segment, accounts, tells_of_a_secret};

/// The keys whose values are secrets.
const SECRET_KEYS: [&str; 10] = [
    "httpsKey",
    "sshPrivateKey",
    "bucketSecretKey",
    "accountKey",
    "sasToken",
    "clientSecret",
    "clientCertificate",
    "clientCertificatePassword",
    "privateKey",
    "caCertificate",
];

/// The key of a mapping in which every value is a secret.
const SECRET_MAP: &str = "configurationProtectedSettings";

/// Mappings in which authors choose the names: of values that look like secrets there, plans show nothing either.
const FREE_MAPS: [&str; 3] = ["values", "substitute", "configurationSettings"];

/// Whether the value at `path` looks like a secret by the name that its author gave it.
fn looks_like_a_secret(path: &FieldPath) -> bool {
    matches!(path.segments(), [.., Segment::Key(map), Segment::Key(name)]
        if FREE_MAPS.contains(&map.as_str()) && tells_of_a_secret(name))
}

/// Whether the value at `path` is a secret.
pub(super) fn is_secret(path: &FieldPath) -> bool {
    match path.segments() {
        [.., Segment::Key(map), Segment::Key(_)] if map == SECRET_MAP => true,
        [.., Segment::Key(key)] => SECRET_KEYS.contains(&key.as_str()),
        [] | [.., Segment::Index(_)] => false,
    }
}

/// Whether the value at `path` is a secret, or lies in one.
pub(super) fn is_in_a_secret(path: &FieldPath) -> bool {
    path.segments().iter().any(|segment| match segment {
        Segment::Key(key) => key == SECRET_MAP || SECRET_KEYS.contains(&key.as_str()),
        Segment::Index(_) => false,
    })
}

/// Masks a source that could be read.
pub(super) fn masked(text: &str, tree: &Node) -> String {
    let mut hidden: Vec<Range<usize>> = accounts(text).into_iter().chain(query_ranges(text)).collect();
    hide_unknown(text, tree, &FieldPath::default(), &mut hidden);
    starred(text, &hidden)
}

/// Masks a source that is not YAML, line by line: only lines that are a known key with a plain value, a name without a
/// value, or an item of a list are left to read.
pub(super) fn masked_by_line(text: &str) -> String {
    let mut hidden: Vec<Range<usize>> = accounts(text).into_iter().chain(query_ranges(text)).collect();
    let mut secret_indent: Option<usize> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches([' ', '\t', '\u{feff}']);
        let start = at + line.len() - content.len();
        let indent = line.len() - content.len();
        let content = content.trim_end();
        at += line.len();
        if content.is_empty() {
            continue;
        }
        let below_a_secret = secret_indent.is_some_and(|secret| indent > secret);
        if below_a_secret {
            hidden.push(start..start + content.len());
            continue;
        }
        secret_indent = None;
        let item = content.strip_prefix("- ").unwrap_or(content);
        let start = start + content.len() - item.len();
        match item.split_once(':') {
            Some((key, value)) => {
                let key = key.trim().trim_matches(['"', '\'']);
                let value_start = start + item.len() - value.len();
                let is_secret = key == SECRET_MAP || SECRET_KEYS.contains(&key);
                let is_known = HOMES.contains_key(key) && !value.contains(['{', '[']);
                if is_secret {
                    secret_indent = Some(indent);
                }
                if is_secret || !is_known {
                    hidden.push(value_start..start + item.len());
                }
            }
            None if content.starts_with(['#', '-']) => {}
            None => hidden.push(start..start + item.len()),
        }
    }
    starred(text, &hidden)
}

/// Where queries stand in URLs: a shared access signature is one.
fn query_ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices("://").filter_map(|(at, _)| {
        let url = text[at..].split(|end: char| end.is_whitespace() || "\"'<>`".contains(end)).next()?;
        let query = url.find('?')? + 1;
        Some(at + query..at + url.len())
    })
}

fn hide_unknown(text: &str, node: &Node, path: &FieldPath, hidden: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Map(entries) => {
            let known = schema::keys_at(&PUBLISHED.schema, path);
            let is_open = schema::takes_any_key(&PUBLISHED.schema, path);
            for Entry { key, node, .. } in entries {
                if is_secret(&path.key(key)) {
                    hide_secret(node, hidden);
                } else if looks_like_a_secret(&path.key(key))
                    || !(is_open || known.contains(&key.as_str()))
                    || (key == SECRET_MAP && !node.is_map())
                {
                    hide_all(node, hidden);
                } else if key == "url" {
                    hide_account(text, node, hidden);
                } else {
                    hide_unknown(text, node, &path.key(key), hidden);
                }
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                hide_unknown(text, item, &path.index(index), hidden);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unresolved => {}
    }
}

/// Hides a user name and password in what is meant as a URL but has no scheme.
fn hide_account(text: &str, node: &Node, hidden: &mut Vec<Range<usize>>) {
    let written = text.get(node.span.start..node.span.end).unwrap_or_default();
    if let Some(at) = written.rfind('@')
        && !written.contains("://")
        && written[..at].contains(':')
    {
        hidden.push(node.span.start..node.span.start + at);
    }
}

/// Hides a secret that is written out. Of a reference the keys may be read, not what they hold: a secret may have been
/// pasted there.
fn hide_secret(node: &Node, hidden: &mut Vec<Range<usize>>) {
    let (reference, other): (Vec<&Entry>, Vec<&Entry>) =
        node.entries().iter().partition(|entry| ["env", "file"].contains(&entry.key.as_str()));
    for entry in reference {
        hide_all(&entry.node, hidden);
    }
    for entry in other {
        hide_entry(entry, hidden);
    }
    if !node.is_map() {
        hide_all(node, hidden);
    }
}

fn hide_entry(entry: &Entry, hidden: &mut Vec<Range<usize>>) {
    hidden.push(entry.key_span.start..entry.key_span.end);
    hide_all(&entry.node, hidden);
}

fn hide_all(node: &Node, hidden: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Map(entries) => {
            entries.iter().for_each(|entry| hide_entry(entry, hidden));
        }
        Value::List(items) => items.iter().for_each(|item| hide_all(item, hidden)),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => hidden.push(node.span.start..node.span.end),
        Value::Null | Value::Unresolved => {}
    }
}

/// `text` with a star for every byte of the ranges; line ends stay.
fn starred(text: &str, hidden: &[Range<usize>]) -> String {
    let mut hidden: Vec<&Range<usize>> = hidden.iter().collect();
    hidden.sort_by_key(|range| range.start);
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for range in hidden {
        let start = range.start.max(at);
        if range.end <= start {
            continue;
        }
        shown.push_str(&text[at..start]);
        for character in text[start..range.end].chars() {
            match character {
                '\n' | '\r' => shown.push(character),
                _ => shown.extend(std::iter::repeat_n('*', character.len_utf8())),
            }
        }
        at = range.end;
    }
    shown.push_str(&text[at..]);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_takes_a_secret_is_known() {
        for (definition, schema) in PUBLISHED.schema["$defs"].as_object().unwrap() {
            for (key, property) in schema["properties"].as_object().into_iter().flatten() {
                if property["additionalProperties"]["$ref"] == "#/$defs/SecretRef" {
                    assert_eq!(key, SECRET_MAP, "{definition}");
                }
                if property["$ref"] == "#/$defs/SecretRef" {
                    assert!(SECRET_KEYS.contains(&key.as_str()), "{definition}.{key}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_yaml_is_masked_line_by_line() {
        let text =
            "repo:\n  url: https://u:p@h/r\n  httpsKey: \"abc\n    more\n  branch: main\n  tokenn: hunter2\nlone\n";
        let shown = masked_by_line(text);
        assert_eq!(shown.len(), text.len());
        for secret in ["u:p", "abc", "more", "hunter2", "lone"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("branch: main"));
    }

    #[test]
    fn stars_keep_length_and_lines() {
        assert_eq!(starred("aé\nbc", &[0..5, 1..2]), "***\n*c");
    }
}
