//! What somebody should look at in the spec itself.

use super::inert::{code, sentence};
use super::page::{Page, Place};
use super::sections::{LeftOut, left_out};
use crate::plan::SpecWarning;

/// Adds it. It comes before what is lost is put down, so it takes no more than a small part of the room.
pub(super) fn warnings(page: &mut Page, warnings: &[SpecWarning]) {
    let items: Vec<String> = warnings
        .iter()
        .map(|SpecWarning { code: name, message, hint, line }| {
            let place = line.map_or_else(|| "The spec".to_owned(), |line| format!("Line {line} of the spec"));
            let hint = hint.as_ref().map(|hint| format!(">   - Hint: {}\n", sentence(hint))).unwrap_or_default();
            format!("> - {place}, {}: {}\n{hint}", code(name), sentence(message))
        })
        .collect();
    if items.is_empty() {
        return;
    }
    let counted = if items.len() == 1 { "1 warning".to_owned() } else { format!("{} warnings", items.len()) };
    let head = format!("> [!IMPORTANT]\n> **{counted} about the spec**\n>\n");
    page.list(Place::Warnings, 8, &head, &items, |shown, all| format!("{}\n", left_out(shown, all, LeftOut::InQuote)));
}
