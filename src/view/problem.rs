//! What a command could not do.

use super::Style;
use super::style::Tone;

/// Errors, each a paragraph, and what to do next. Further lines of a message stay lines of their own, indented. Ends
/// with a line feed.
#[must_use]
pub fn render(messages: &[String], hint: Option<&str>, style: &Style) -> String {
    let paragraph = |label: &str, tone: Tone, text: &str| {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let plain = style.sentence(&format!("{label}: "), "  ", first);
        let lines = rest.lines().map(|line| style.sentence("  ", "    ", line.trim()));
        plain.replacen(label, &style.paint(tone, label), 1) + &lines.collect::<String>()
    };
    let errors = messages.iter().map(|message| paragraph("Error", Tone::Bad, message));
    errors.chain(hint.map(|hint| paragraph("Hint", Tone::Heading, hint))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_list_stay_lines() {
        let text = render(&["none worked\n  one: a\n  two: b".to_owned()], None, &Style::PLAIN);
        assert_eq!(text, "Error: none worked\n  one: a\n  two: b\n");
    }

    #[test]
    fn hostile_words_of_a_server_are_inert() {
        let text = render(&["no: \u{1b}[2Jgone".to_owned()], Some("look"), &Style::PLAIN);
        assert_eq!(text, "Error: no: \\u{1b}[2Jgone\nHint: look\n");
    }
}
