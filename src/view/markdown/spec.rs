//! What somebody should look at in the spec itself.

use super::inert::{code, sentence, sentence_within};
use super::list::{Item, List};
use super::losses;
use super::page::Place;
use super::sections::CUT;
use crate::plan::SpecWarning;

/// It, where there is something.
pub(super) fn warnings(warnings: &[SpecWarning]) -> Option<List> {
    let items: Vec<Item> = warnings
        .iter()
        .map(|SpecWarning { code: name, message, hint, line }| {
            let place = line.map_or_else(|| "The spec".to_owned(), |line| format!("Line {line} of the spec"));
            let head = format!("> - {place}, {}: ", code(name));
            let hint = hint.as_ref().map(|hint| format!(">   - Hint: {}\n", sentence(hint))).unwrap_or_default();
            let whole = format!("{head}{}\n{hint}", sentence(message));
            Item::bounded(whole, || format!("{head}{}\n", sentence_within(message, CUT)))
        })
        .collect();
    if items.is_empty() {
        return None;
    }
    let counted = if items.len() == 1 { "1 warning".to_owned() } else { format!("{} warnings", items.len()) };
    let head = format!("> [!IMPORTANT]\n> **{counted} about the spec**\n>\n");
    Some(losses::quoted(Place::Warnings, 8, head, items))
}
