//! What a command could not do.

use super::Style;
use super::style::Tone;

/// Errors, each a paragraph; `details`, each an item of a list below them; and what to do next. Ends with a line feed.
#[must_use]
pub fn render(messages: &[String], details: &[String], hint: Option<&str>, style: &Style) -> String {
    let paragraph = |label: &str, tone: Tone, text: &str| {
        let plain = style.sentence(&format!("{label}: "), "  ", text);
        plain.replacen(label, &style.paint(tone, label), 1)
    };
    let errors = messages.iter().map(|message| paragraph("Error", Tone::Bad, message));
    let items = details.iter().map(|detail| style.sentence("  - ", "    ", detail));
    errors.chain(items).chain(hint.map(|hint| paragraph("Hint", Tone::Heading, hint))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_words_of_a_server_are_inert() {
        let text = render(&["no: \u{1b}[2Jgone".to_owned()], &[], Some("look"), &Style::PLAIN);
        assert_eq!(text, "Error: no: \\u{1b}[2Jgone\nHint: look\n");
    }

    #[test]
    fn details_are_a_list_below_the_errors() {
        let details = ["one: not set".to_owned(), "two:\nError: forged".to_owned()];
        let text = render(&["none worked".to_owned()], &details, None, &Style::PLAIN);
        assert_eq!(text, "Error: none worked\n  - one: not set\n  - two: Error: forged\n");
    }
}
