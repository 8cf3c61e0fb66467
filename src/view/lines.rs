//! Two texts of several lines, side by side: the lines that change, with one line around them.

use similar::{Algorithm, ChangeTag, TextDiff};

use super::value;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays.
    Kept,
    /// It goes.
    Removed,
    /// It comes.
    Added,
    /// It stands for lines that stay and are not shown.
    Gap,
}

/// One line, inert and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) fate: Fate,
    pub(super) text: String,
}

/// What changes from one text to the other.
pub(super) fn changed(old: &str, new: &str) -> Vec<Line> {
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(old, new);
    // A last line without a line feed is only worth a word when the other text has one.
    let ends_differ = old.ends_with('\n') != new.ends_with('\n');
    let mut lines = Vec::new();
    for (position, group) in diff.grouped_ops(1).iter().enumerate() {
        if position > 0 {
            lines.push(Line { fate: Fate::Gap, text: "...".to_owned() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let fate = match change.tag() {
                ChangeTag::Equal => Fate::Kept,
                ChangeTag::Delete => Fate::Removed,
                ChangeTag::Insert => Fate::Added,
            };
            let text = change.value();
            let end = if ends_differ && !text.ends_with('\n') { " (no line feed at the end)" } else { "" };
            let text = text.strip_suffix('\n').unwrap_or(text);
            lines.push(Line { fate, text: format!("{}{end}", value::text_line(text)) });
        }
    }
    lines
}

/// Every line of a text that comes or goes as a whole.
pub(super) fn all(text: &str, fate: Fate) -> Vec<Line> {
    text.lines().map(|line| Line { fate, text: value::text_line(line) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_far_from_a_change_are_left_out() {
        let old = (1..=9).map(|line| format!("{line}\n")).collect::<String>();
        let new = old.replace("2\n", "two\n").replace("8\n", "");
        let shown: Vec<(Fate, String)> = changed(&old, &new).into_iter().map(|line| (line.fate, line.text)).collect();
        let expected = [
            (Fate::Kept, "1"),
            (Fate::Removed, "2"),
            (Fate::Added, "two"),
            (Fate::Kept, "3"),
            (Fate::Gap, "..."),
            (Fate::Kept, "7"),
            (Fate::Removed, "8"),
            (Fate::Kept, "9"),
        ];
        assert_eq!(shown, expected.map(|(fate, text)| (fate, text.to_owned())));
    }

    #[test]
    fn a_line_feed_at_the_end_alone_is_a_change() {
        let shown: Vec<String> = changed("a\nb", "a\nb\n").into_iter().map(|line| line.text).collect();
        assert_eq!(shown, ["a", "b (no line feed at the end)", "b"]);
    }
}
