//! Characters that act on whoever reads them without being seen.

use std::fmt::Write as _;

/// Whether a character acts on a terminal or a reader without being seen, or cannot be told from a space: controls (ANSI
/// escapes begin with one), line separators, white space that is no plain space, everything that Unicode lets programs
/// show as nothing (`Default_Ignorable_Code_Point` of `DerivedCoreProperties.txt`, Unicode 17: zero-width and bidirectional
/// controls, fillers, selectors, tags), marks of annotations, and blank letters.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || matches!(character, '\u{fff9}'..='\u{fffb}' | '\u{2800}' | '\u{1d159}')
}

/// One line without hidden characters: each is written as its escape.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(&mut out, character);
    }
    out
}

/// Adds a character, as its escape where it is hidden.
pub fn push_visible(out: &mut String, character: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        hidden if is_hidden(hidden) => {
            // Writing into a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(hidden));
        }
        visible => out.push(visible),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(one_line("ma\u{34f}in"), r"ma\u{34f}in");
        for hidden in
            "\u{fff0}\u{fff8}\u{1bca0}\u{1bca3}\u{1d173}\u{1d17a}\u{a0}\u{3000}\u{2003}\u{2028}\u{2065}".chars()
        {
            assert!(is_hidden(hidden), "{:x}", u32::from(hidden));
        }
        assert!(!" aé東😀\u{301}".chars().any(is_hidden));
    }
}
