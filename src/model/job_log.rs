//! Text in the log of a CI job, which its service searches for commands to itself.

use std::borrow::Cow;

use super::is_hidden;

/// What services take for commands wherever it stands in a line: Azure Pipelines the first, GitHub Actions the second.
const ANYWHERE: [&str; 2] = ["##vso[", "##["];

/// What begins the newer commands of GitHub Actions, and ends their names and properties. Its runner takes all white space
/// off the beginning of a line before it looks.
const AT_BEGINNING: &str = "::";

/// One line without what a service would take for a command: `escaped` stands for the first character of it, which is
/// `#` or `:`.
#[must_use]
pub fn without_commands(line: &str, escaped: fn(char) -> &'static str) -> String {
    let line = ANYWHERE
        .iter()
        .fold(line.to_owned(), |line, command| line.replace(command, &format!("{}{}", escaped('#'), &command[1..])));
    let body = line.trim_start_matches(|character: char| character.is_whitespace() || is_hidden(character));
    if !body.starts_with(AT_BEGINNING) {
        return line;
    }
    format!("{}{}{}", &line[..line.len() - body.len()], escaped(':'), &body[1..])
}

/// A text that is printed, in which no line is a command. A document in which values are escaped already stays as it is.
#[must_use]
pub fn for_job_log(text: &str) -> Cow<'_, str> {
    if !text.split(['\n', '\r']).any(is_command) {
        return Cow::Borrowed(text);
    }
    let escape = |part: &str| {
        let line = part.trim_end_matches(['\n', '\r']);
        let end = &part[line.len()..];
        if is_command(line) { format!("{}{end}", without_commands(line, visible_escape)) } else { part.to_owned() }
    };
    Cow::Owned(text.split_inclusive(['\n', '\r']).map(escape).collect())
}

/// Whether a line has, or could with another beginning have, a command in it.
#[must_use]
pub fn may_command(line: &str) -> bool {
    ANYWHERE.iter().any(|command| line.contains(command)) || line.contains(AT_BEGINNING)
}

fn is_command(line: &str) -> bool {
    let body = line.trim_start_matches(|character: char| character.is_whitespace() || is_hidden(character));
    // The name of a command ends somewhere. What only begins like one is the frame of a message.
    let has_name = body.strip_prefix(AT_BEGINNING).is_some_and(|rest| rest.contains(AT_BEGINNING));
    has_name || ANYWHERE.iter().any(|command| line.contains(command))
}

/// As hidden characters are written.
#[must_use]
pub fn visible_escape(character: char) -> &'static str {
    if character == '#' { r"\u{23}" } else { r"\u{3a}" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_text_is_a_command() {
        for (text, expected) in [
            ("a\n::error::b\n", "a\n\\u{3a}:error::b\n"),
            ("a\r \u{a0}\u{2003}::add-mask::b", "a\r \u{a0}\u{2003}\\u{3a}:add-mask::b"),
            ("warning: ##vso[task.x]y ##[add-path]z", r"warning: \u{23}#vso[task.x]y \u{23}#[add-path]z"),
            ("#\u{23}#[x", r"#\u{23}#[x"),
        ] {
            assert_eq!(for_job_log(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_command_stays() {
        for text in ["     ::: \n2 | a: b\n", "fe80::1\na ::b::c", "## [x]", "n1[\"a\"]:::create", ""] {
            assert!(matches!(for_job_log(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }
}
