//! Makes text from elsewhere inert: nothing in it can move a cursor, change a colour, end a line or reorder what is read.

use std::fmt::Write as _;

pub(super) use crate::model::is_hidden;
use crate::model::{one_line, push_visible, visible_escape, without_commands};

/// One line without hidden characters, and without what the log of a CI job would take for a command: each is written as
/// its escape.
pub(super) fn line(text: &str) -> String {
    without_commands(&one_line(text), visible_escape)
}

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
    without_commands(&out, visible_escape)
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
    without_commands(&out, |character| if character == '#' { r"\u0023" } else { r"\u003a" })
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
    fn no_value_gives_a_command_to_the_job_that_shows_it() {
        let hostile = "a ##vso[task.setvariable variable=x]y ##[add-path]z";
        assert_eq!(line(hostile), r"a \u{23}#vso[task.setvariable variable=x]y \u{23}#[add-path]z");
        assert_eq!(quoted("##vso[a"), r#""\u{23}#vso[a""#);
        assert_eq!(line("::add-path::/evil"), r"\u{3a}:add-path::/evil");
        assert_eq!(line("  ::add-path::/evil"), r"  \u{3a}:add-path::/evil");
        let text = serde_json::json!({ "##vso[k": hostile }).to_string();
        let escaped = json(&text);
        assert!(!escaped.contains("##"), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap()["##vso[k"], hostile);
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
