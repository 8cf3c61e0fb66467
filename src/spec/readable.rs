//! JSON values as YAML that people read: nothing in it acts unseen, and all of it reads back.

use serde_json::{Map, Value};

use super::yaml::plain_yaml;
use crate::model::{is_hidden, may_command};

/// A JSON value as YAML, block style, in which nothing is hidden: a text with characters that act unseen, that the log of a
/// CI job could take for a command, or that a block would not keep, is in double quotes with escapes.
#[must_use]
pub fn to_yaml(document: &Value) -> String {
    readable_yaml(document, is_plain)
}

/// A JSON value as YAML, block style, in which every text that is not `is_plain` is in double quotes with escapes; keys,
/// too.
#[must_use]
pub fn readable_yaml(document: &Value, is_plain: impl Fn(&str) -> bool) -> String {
    let mark = unused(&document.to_string());
    let mut quoted = Vec::new();
    let marked = mark_odd_texts(document, &mark, &is_plain, &mut quoted);
    let mut yaml = plain_yaml(&marked);
    // From the last: `x1` stands at the beginning of `x10`.
    for (index, text) in quoted.iter().enumerate().rev() {
        yaml = yaml.replace(&format!("{mark}{index}"), text);
    }
    yaml
}

/// A word that `text` does not hold.
fn unused(text: &str) -> String {
    let mut word = "odd".to_owned();
    while text.contains(&word) {
        word.push('d');
    }
    word
}

fn mark_odd_texts(value: &Value, mark: &str, is_plain: &impl Fn(&str) -> bool, quoted: &mut Vec<String>) -> Value {
    let mut marked = |text: &str| {
        if is_plain(text) {
            return text.to_owned();
        }
        quoted.push(in_double_quotes(text));
        format!("{mark}{}", quoted.len() - 1)
    };
    match value {
        Value::String(text) => Value::String(marked(text)),
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().map(|key| marked(key)).collect();
            let values = map.values().map(|value| mark_odd_texts(value, mark, is_plain, quoted));
            keys.into_iter().zip(values).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(|item| mark_odd_texts(item, mark, is_plain, quoted)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Whether a text shows all that is in it, has nothing in it that the log of a CI job could take for a command, and every
/// line of it begins and ends with something to see.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    !text.chars().any(|character| is_hidden(character) && character != '\n')
        && !may_command(text)
        && body.split('\n').all(|line| line.trim() == line && (!line.is_empty() || body.is_empty()))
        && text != "\n"
}

/// A text in double quotes as YAML has them, on one line.
fn in_double_quotes(text: &str) -> String {
    let commands = may_command(text);
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            // Whatever stands beside it is no command then.
            '#' if commands => out.push_str("\\x23"),
            hidden if is_hidden(hidden) => out.push_str(&format!("\\U{:08X}", u32::from(hidden))),
            visible => out.push(visible),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reads_back(text: &str) -> bool {
        let document = json!({"key": text, text: ["x", {"inner": text}]});
        let yaml = readable_yaml(&document, is_plain);
        assert!(!yaml.chars().any(|c| is_hidden(c) && c != '\n'), "{yaml:?}");
        serde_yaml::from_str::<Value>(&yaml).is_ok_and(|read| read == document)
    }

    #[test]
    fn every_text_is_written_so_that_it_reads_back_and_shows_itself() {
        for text in [
            "",
            " ",
            "a",
            "yes",
            "no",
            "null",
            "~",
            "true",
            "1.10",
            "0x1f",
            "1e3",
            "2024-01-01",
            "- a",
            "# no",
            "##[x",
            "a: b",
            "a #b",
            "'",
            "\"",
            "\\",
            "a\nb",
            "a\nb\n",
            "a\n",
            "\n",
            "a\n\n",
            "\na",
            " a",
            "a ",
            "a \nb",
            "a\n  b\n",
            "a\tb",
            "\u{1b}[31m",
            "\u{202e}x",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "\u{7f}",
            "a\r\nb",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a`",
            "{a}",
            "[a]",
            "a, b",
            "? a",
            "| a",
            "> a",
            "=",
            "<<",
            "odd0",
            "oddd1",
            "---",
            "...",
            "東京 \u{1f680}",
        ] {
            assert!(reads_back(text), "{text:?}");
        }
    }
}
