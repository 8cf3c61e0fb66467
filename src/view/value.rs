//! How one value reads on one line: inert, bounded, and never the same for two values that differ.

use std::ops::Range;

use serde_json::Value;

use super::escape;
use crate::model::{FieldPath, Segment};
use crate::plan::SENSITIVE;

/// The longest value that is shown whole, in characters.
const LIMIT: usize = 200;
/// What is shown of the beginning of a longer one.
const HEAD: usize = 80;
/// What is shown of its end.
const TAIL: usize = 40;
/// What is shown around the first difference of two long ones: before it, and from it on.
const AROUND: (usize, usize) = (20, 60);

/// A value in one line.
pub(super) fn literal(value: &Value) -> String {
    shown(value, None)
}

/// A value in one line of at most `width` characters, for a table: of a longer one, the beginning and more of the end,
/// since paths and URLs differ there.
pub(super) fn cell(value: &Value, width: usize) -> String {
    let literal: Vec<char> = literal(value).chars().collect();
    if literal.len() <= width {
        return literal.into_iter().collect();
    }
    let head = width / 3;
    let tail = literal.len() + head + 1 - width;
    literal[..head].iter().chain(&['…']).chain(&literal[tail..]).collect()
}

/// Two values that differ, each in one line; long ones are cut so that the first difference shows.
pub(super) fn pair(before: &Value, after: &Value) -> (String, String) {
    let (old, new) = (plain(before), plain(after));
    let same = old.chars().zip(new.chars()).take_while(|(one, other)| one == other).count();
    let focus = (same > HEAD - AROUND.1).then_some(same);
    (shown(before, focus), shown(after, focus))
}

/// A name from elsewhere, such as a key: inert and bounded.
pub(super) fn name(text: &str) -> String {
    if text.chars().count() <= LIMIT { escape::line(text) } else { cut(text, None, escape::line) }
}

/// A name in quotes.
pub(super) fn quoted(text: &str) -> String {
    literal(&Value::from(text))
}

/// A path as it is read: a key that is no plain word is quoted, and needs no brackets where it stands alone.
pub(super) fn path(path: &FieldPath) -> String {
    let text = path.to_string();
    let alone = match path.segments() {
        [Segment::Key(_)] => text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')),
        _ => None,
    };
    name(alone.unwrap_or(&text))
}

/// One line of a longer text: inert and bounded.
pub(super) fn text_line(text: &str) -> String {
    name(text)
}

fn shown(value: &Value, focus: Option<usize>) -> String {
    if value.as_str() == Some(SENSITIVE) {
        return SENSITIVE.to_owned();
    }
    let plain = plain(value);
    let write = if value.is_string() { escape::quoted } else { escape::line };
    if plain.chars().count() <= LIMIT { write(&plain) } else { cut(&plain, focus, write) }
}

/// A text as it is; anything else as JSON, with spaces where people want them.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => compact(value),
    }
}

fn compact(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => escape::quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", ")),
        Value::Object(object) if object.is_empty() => "{}".to_owned(),
        Value::Object(object) => {
            let members: Vec<String> =
                object.iter().map(|(key, value)| format!("{}: {}", escape::quoted(key), compact(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

/// The parts of a long text that are worth reading, with how much is left out between them.
fn cut(text: &str, focus: Option<usize>, write: fn(&str) -> String) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    for Range { start, end } in windows(characters.len(), focus) {
        if start > at {
            out.push_str(&format!(" … {} characters … ", start - at));
        }
        out.push_str(&write(&characters[start..end].iter().collect::<String>()));
        at = end;
    }
    out
}

fn windows(length: usize, focus: Option<usize>) -> Vec<Range<usize>> {
    let mut windows: Vec<Range<usize>> = Vec::new();
    let around = focus.map(|at| at.saturating_sub(AROUND.0)..(at + AROUND.1));
    for window in [Some(0..HEAD), around, Some(length.saturating_sub(TAIL)..length)].into_iter().flatten() {
        let window = window.start.min(length)..window.end.min(length);
        match windows.last_mut() {
            // A gap as short as the words that tell of it is not worth making.
            Some(last) if window.start <= last.end + 20 => last.end = last.end.max(window.end),
            Some(_) | None => windows.push(window),
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(literal(&json!("./a")), "\"./a\"");
        assert_eq!(literal(&json!(600)), "600");
        assert_eq!(literal(&json!(["infra", "x"])), r#"["infra", "x"]"#);
        assert_eq!(literal(&json!({"a": [], "b": null})), r#"{ "a": [], "b": null }"#);
        assert_eq!(literal(&json!(SENSITIVE)), "(sensitive value)");
    }

    #[test]
    fn a_long_value_is_cut_in_the_middle_and_says_by_how_much() {
        let shown = literal(&json!("x".repeat(70_000)));
        assert_eq!(shown, format!("\"{}\" … 69880 characters … \"{}\"", "x".repeat(80), "x".repeat(40)));
        let shown = literal(&json!(vec!["\u{1b}[31m"; 10_000]));
        assert!(shown.len() < 400 && !shown.contains('\u{1b}'));
    }

    #[test]
    fn a_cell_has_a_width() {
        assert_eq!(cell(&json!("abc"), 5), "\"abc\"");
        assert_eq!(cell(&json!("abcdefghijkl"), 9), "\"ab…ijkl\"");
    }

    #[test]
    fn two_long_values_are_cut_where_they_differ() {
        let (one, other) = ("x".repeat(5000) + "A" + &"y".repeat(5000), "x".repeat(5000) + "B" + &"y".repeat(5000));
        let (one, other) = pair(&json!(one), &json!(other));
        assert_ne!(one, other);
        assert!(one.contains("xAy") && other.contains("xBy"));
    }
}
