//! How text is laid out and coloured.

use anstyle::{AnsiColor, Effects};

use super::escape;

/// What a terminal, or what stands in for one, can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are written. Everything can be understood without them.
    pub colour: bool,
    /// The width in columns that sentences are wrapped at. Lines that hold values are never wrapped.
    pub width: usize,
}

/// What a piece of text means, which decides its colour: Terraform's, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something comes to be, or is well.
    Good,
    /// Something changes, or needs a look.
    Change,
    /// Something goes away, or is wrong.
    Bad,
    /// A heading.
    Heading,
    /// An aside.
    Quiet,
}

/// The longest sentence from elsewhere, in characters: some services answer with pages of text.
const SENTENCE_LIMIT: usize = 1500;

impl Style {
    /// No colour, 100 columns: for logs and files.
    pub const PLAIN: Self = Self { colour: false, width: 100 };

    /// `text` in the colour of `tone`. The text must be inert already.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Change => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
            Tone::Heading => anstyle::Style::new().effects(Effects::BOLD),
            Tone::Quiet => anstyle::Style::new().effects(Effects::DIMMED),
        };
        format!("{style}{text}{style:#}")
    }

    /// A sentence, made inert and wrapped: `first` stands before its first line and `rest` before every other. Ends with
    /// a line feed.
    pub(super) fn sentence(self, first: &str, rest: &str, text: &str) -> String {
        let mut out = String::new();
        let mut line = first.to_owned();
        let mut column = first.chars().count();
        let mut is_empty = true;
        for word in bounded(text).split_whitespace() {
            let word = escape::line(word);
            let length = word.chars().count();
            if !is_empty && column + 1 + length > self.width {
                out.push_str(&line);
                out.push('\n');
                line = rest.to_owned();
                column = rest.chars().count();
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
                column += 1;
            }
            line.push_str(&word);
            column += length;
            is_empty = false;
        }
        out.push_str(line.trim_end());
        out.push('\n');
        out
    }
}

/// A sentence that is not wrapped: inert and bounded, on one line.
pub(super) fn unwrapped(text: &str) -> String {
    let style = Style { colour: false, width: usize::MAX };
    style.sentence("", "", text).trim_end().to_owned()
}

pub(super) fn bounded(text: &str) -> String {
    let length = text.chars().count();
    if length <= SENTENCE_LIMIT {
        return text.to_owned();
    }
    let kept: String = text.chars().take(SENTENCE_LIMIT).collect();
    format!("{kept}… ({} more characters)", length - SENTENCE_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Style = Style { colour: false, width: 20 };

    #[test]
    fn sentences_are_wrapped_between_words_and_line_feeds_in_them_are_spaces() {
        assert_eq!(NARROW.sentence("- ", "  ", "one two three\nfour five six"), "- one two three four\n  five six\n");
        assert_eq!(NARROW.sentence("", "", &"x".repeat(30)), format!("{}\n", "x".repeat(30)));
        assert_eq!(NARROW.sentence("a: ", "", ""), "a:\n");
    }

    #[test]
    fn a_page_of_text_is_cut() {
        let text = Style::PLAIN.sentence("", "", &"word ".repeat(20_000));
        assert!(text.chars().count() < 1800);
        assert!(text.ends_with("… (98500 more characters)\n"), "{text}");
    }

    #[test]
    fn colour_is_only_written_when_asked_for() {
        assert_eq!(NARROW.paint(Tone::Bad, "x"), "x");
        assert_eq!(Style { colour: true, width: 80 }.paint(Tone::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
