//! Makes text from elsewhere inert in Markdown, for parsers and for what forges do after them.
//!
//! Escapes by backslash are not enough: a forge looks for mentions (`@team`), references (`#1`, `GH-1`, `org/repo#1`,
//! `!1`), commits, bare links, e-mail addresses, `:shortcodes:` and formulas (`$x$`) in the text that its parser has made,
//! where no backslash is left. It leaves code alone. So whatever is more than a word stands in a code span. Nothing
//! invisible is put between characters, so that what is copied from a comment is what was meant.

use super::super::style::bounded;
use super::super::{escape, value};

/// A text on one line in a code span, with a fence that it cannot close.
pub(super) fn code(text: &str) -> String {
    span(&value::name(text))
}

/// [`code`] in the cell of a table. Parsers do not agree on how a bar in a cell is escaped, so it is written out as
/// hidden characters are.
pub(super) fn code_in_cell(text: &str) -> String {
    span(&value::name(text).replace('|', "\\u{7c}"))
}

fn span(inert: &str) -> String {
    if inert.is_empty() {
        return "`\"\"`".to_owned();
    }
    // Parsers give up on fences of a span past a length (80 backticks in cmark-gfm): a long run is written out.
    if longest_run(inert) > LONGEST_RUN {
        return span(&inert.replace('`', "\\u{60}"));
    }
    let fence = "`".repeat(longest_run(inert) + 1);
    // A parser takes one space off both ends, when there is one at both.
    let needs_room = |end: Option<char>| matches!(end, Some('`' | ' '));
    let room = if needs_room(inert.chars().next()) || needs_room(inert.chars().next_back()) { " " } else { "" };
    format!("{fence}{room}{inert}{room}{fence}")
}

/// The longest run of backticks that is shown as it is.
const LONGEST_RUN: usize = 16;

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// A block of lines that nothing in them can close. `lines` ends with a line feed, or is empty.
pub(super) fn fence(language: &str, lines: &str) -> String {
    let fence = "`".repeat(longest_run(lines).max(2) + 1);
    format!("{fence}{language}\n{lines}{fence}\n")
}

/// A text in `<code>` of a line of HTML.
pub(super) fn html_code(text: &str) -> String {
    let mut out = "<code>".to_owned();
    for character in value::name(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            plain => out.push(plain),
        }
    }
    out.push_str("</code>");
    out
}

/// A sentence, on one line: words as they are, everything else in code spans. What it has in backticks stays so.
pub(super) fn sentence(text: &str) -> String {
    words(text, code)
}

/// [`sentence`] of no more than so many characters of a text.
pub(super) fn sentence_within(text: &str, most: usize) -> String {
    sentence(&beginning(text, most))
}

/// No more than so many characters of a text.
pub(super) fn beginning(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// [`sentence`] in the cell of a table.
pub(super) fn sentence_in_cell(text: &str) -> String {
    words(text, code_in_cell)
}

fn words(text: &str, code: fn(&str) -> String) -> String {
    let text = bounded(text);
    let mut pieces: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (piece, after) = match quoted(rest) {
            Some((before, inner, after)) => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                (format!("{before}{}{}", code(inner), &after[..end]), &after[end..])
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (word(&rest[..end], pieces.is_empty(), code), &rest[end..])
            }
        };
        pieces.push(piece);
        rest = after.trim_start();
    }
    if pieces.is_empty() { code("") } else { pieces.join(" ") }
}

const OPENING: &[char] = &['(', '"', '\''];
const CLOSING: &[char] = &['.', ',', ';', ':', ')', '!', '?', '"', '\''];

/// A phrase in backticks at the beginning of a text: what stands before it, the phrase, and everything after it. Only
/// where it reads as one: between spaces, brackets and the marks of a sentence.
fn quoted(text: &str) -> Option<(&str, &str, &str)> {
    let opens = text.find('`')?;
    let (before, inner) = (&text[..opens], &text[opens + 1..]);
    if !before.chars().all(|character| OPENING.contains(&character)) {
        return None;
    }
    let closes = inner.find('`')?;
    let (inner, after) = (&inner[..closes], &inner[closes + 1..]);
    let marks = after.split(char::is_whitespace).next().unwrap_or_default();
    let is_phrase = !inner.trim().is_empty() && marks.chars().all(|character| CLOSING.contains(&character));
    is_phrase.then_some((before, inner, after))
}

fn word(word: &str, is_first: bool, code: fn(&str) -> String) -> String {
    let core = word.trim_start_matches(OPENING);
    let before = &word[..word.len() - core.len()];
    let core = core.trim_end_matches(CLOSING);
    let after = &word[before.len() + core.len()..];
    if core.is_empty() {
        return code(word);
    }
    // At the beginning of a line, `1.` and `1)` would begin a list.
    let is_ordinal = is_first && core.chars().all(|character| character.is_ascii_digit()) && !after.is_empty();
    if is_plain(core) && !is_ordinal { word.to_owned() } else { format!("{before}{}{after}", code(core)) }
}

/// Whether a word is one that neither a parser nor a forge makes anything of: letters, with single hyphens or apostrophes
/// between them; or a number that is too short for a commit. Letters with digits may be a commit or `JIRA-1`, and seven
/// letters from `a` to `f` are a commit, too.
fn is_plain(core: &str) -> bool {
    if ["–", "—", "…", "%"].contains(&core) {
        return true;
    }
    let is_number = core.chars().all(|character| character.is_ascii_digit()) && core.len() <= 6;
    let is_letters = core.split(['-', '\'', '’']).all(|part| {
        !part.is_empty() && part.chars().all(|letter| letter.is_alphabetic() && !escape::is_hidden(letter))
    });
    let is_commit = core.len() >= 7 && core.chars().all(|character| character.is_ascii_hexdigit());
    is_number || (is_letters && !is_commit)
}

/// A link whose address is percent-encoded already, and cannot end the brackets around it.
pub(super) fn link(text: &'static str, address: &url::Url) -> Option<String> {
    let is_web = ["http", "https"].contains(&address.scheme());
    let address = address.as_str().replace('\\', "%5C").replace('<', "%3C").replace('>', "%3E").replace('&', "&amp;");
    let is_plain = address.chars().all(|character| character.is_ascii_graphic());
    (is_web && is_plain && address.len() <= LONGEST_LINK).then(|| format!("[{text}](<{address}>)"))
}

/// A longer address is no link to a run.
const LONGEST_LINK: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_is_longer_than_what_is_in_it() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" a "), "`  a  `");
        assert_eq!(code("a\n# b"), "`a\\n# b`");
        assert_eq!(code(""), "`\"\"`");
        assert_eq!(code_in_cell("a|b"), "`a\\u{7c}b`");
    }

    #[test]
    fn words_stay_words_and_the_rest_is_code() {
        for (text, expected) in [
            ("prune is on for app: what was applied", "prune is on for app: what was applied"),
            ("from ./apps and is not", "from `./apps` and is not"),
            ("say `--workloads delete`, or (`keep`).", "say `--workloads delete`, or (`keep`)."),
            ("ping @team, fixes #1 GH-1 org/repo#1", "ping `@team`, fixes `#1` `GH-1` `org/repo#1`"),
            ("see www.x.io. or a@b.c", "see `www.x.io`. or `a@b.c`"),
            ("deadbeef defaced 1234567 48 h", "`deadbeef` `defaced` `1234567` 48 h"),
            ("1. one", "`1`. one"),
            ("- [x] a", "`-` `[x]` a"),
            ("a ` b", "a `` ` `` b"),
            ("`a` `b", "`a` `` `b ``"),
            ("it's multi-tenancy -- x", "it's multi-tenancy `--` x"),
            ("$x$ :smile: *b* _i_ ~s~", "`$x$` `:smile`: `*b*` `_i_` `~s~`"),
            ("<b> &lt; \\ |", "`<b>` `&lt`; `\\` `|`"),
            ("", "`\"\"`"),
        ] {
            assert_eq!(sentence(text), expected, "{text}");
        }
    }

    #[test]
    fn only_web_addresses_are_linked_and_they_stay_within_their_brackets() {
        let shown = |text: &str| link("run", &text.parse().unwrap());
        assert_eq!(
            shown("https://x.io/a b?c=<>\\&d").as_deref(),
            Some("[run](<https://x.io/a%20b?c=%3C%3E%5C&amp;d>)")
        );
        assert_eq!(shown("javascript:alert(1)"), None);
        assert_eq!(shown(&format!("https://x.io/{}", "x".repeat(3000))), None);
    }
}
