//! Makes text from elsewhere inert: nothing in it can move a cursor, change a colour, end a line or reorder what is read.

use std::fmt::Write as _;

pub(super) use crate::model::is_hidden;
pub(super) use crate::model::one_line as line;
use crate::model::push_visible;

/// [`line`] of a source line, in which tabs stay tabs: columns count them.
pub(super) fn source_line(text: &str) -> String {
    text.split('\t').map(line).collect::<Vec<_>>().join("\t")
}

/// A text in double quotes, on one line, that can be told from every other text.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            other => push_visible(&mut out, other),
        }
    }
    out.push('"');
    out
}

/// JSON text with hidden characters as `\u` escapes. They can only stand inside strings there, so it stays the same
/// document. The white space between values is kept.
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) && character != '\n' {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_written_out() {
        assert_eq!(line("a\u{1b}[31mb\u{202e}c\u{200b}d\ne\u{9b}f"), r"a\u{1b}[31mb\u{202e}c\u{200b}d\ne\u{9b}f");
        assert_eq!(line("Grüße, 東京 `x`"), "Grüße, 東京 `x`");
    }

    #[test]
    fn a_quoted_text_cannot_end_its_quotes() {
        assert_eq!(quoted(r#"a" -> "b\"#), r#""a\" -> \"b\\""#);
    }

    #[test]
    fn escaped_json_is_the_same_document() {
        let value = serde_json::json!({"k\u{202e}": ["\u{9b}31m", "\u{e0041}", "a\nb"]});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let escaped = json(&text);
        assert!(!escaped.chars().any(|c| is_hidden(c) && c != '\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
