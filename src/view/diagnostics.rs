//! Problems of a spec, for people and for programs.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::escape::source_line;
use super::{Style, json};
use crate::model::{Diagnostic, Severity, Span};

/// Problems as text: for each its code, message, place, the line with a mark under it, and what to do; then how many.
///
/// `masked` is the source with its secrets starred out. With no problems the text is empty.
#[must_use]
pub fn render_text(diagnostics: &[Diagnostic], file: &str, masked: &str, style: &Style) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() }.term_width(style.width);
    let file = source_line(file);
    let mut text = String::new();
    for diagnostic in diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group =
            Group::with_title(level.primary_title(source_line(&diagnostic.message)).id(diagnostic.code.to_string()));
        group = match diagnostic.span {
            None => group.element(Origin::path(file.clone())),
            Some(span) => {
                let line = usize::try_from(span.line).unwrap_or(usize::MAX);
                let column = usize::try_from(span.column).unwrap_or(usize::MAX);
                let place = Origin::path(file.clone()).line(line).char_column(column);
                match snippet(span, masked) {
                    None => group.element(place),
                    Some((shown, range)) => {
                        let column_as_shown = shown[..range.start].chars().count() + 1;
                        let snippet =
                            Snippet::source(shown).line_start(line).annotation(AnnotationKind::Primary.span(range));
                        if column_as_shown == column {
                            group.element(snippet.path(file.clone()))
                        } else {
                            // Escapes take more room than what they stand for; the place is that of the source.
                            group.element(place).element(snippet)
                        }
                    }
                }
            }
        };
        if let Some(hint) = &diagnostic.hint {
            group = group.element(Level::HELP.message(source_line(hint)));
        }
        let _ = writeln!(text, "{}\n", renderer.render(&[group]));
    }
    text.push_str(&summary(diagnostics));
    text.push('\n');
    text
}

/// How many bytes of a line are shown on each side of the mark, and of the mark itself.
const MAX_CONTEXT: usize = 500;

/// The last character boundary at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// The line that a span begins on, escaped, and where in it the span is. Only that line is shown: the source around it
/// is the author's, and they have it. `None` when there is no such line to show.
fn snippet(span: Span, masked: &str) -> Option<(String, std::ops::Range<usize>)> {
    let before = masked.get(..span.start)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = masked.get(start..)?.split('\n').next()?;
    let line_end = start + line.trim_end_matches('\r').len();
    let mark_start = span.start.min(line_end);
    let mark_end = span.end.clamp(mark_start, line_end);
    // Of a very long line only the part around the mark.
    let start = boundary(masked, start.max(mark_start.saturating_sub(MAX_CONTEXT)));
    let mark_end = boundary(masked, mark_end.min(mark_start.saturating_add(MAX_CONTEXT)));
    let line_end = boundary(masked, line_end.min(mark_end.saturating_add(MAX_CONTEXT)));
    let shown = [start..mark_start, mark_start..mark_end, mark_end..line_end]
        .map(|range| source_line(&masked.get(range).unwrap_or_default().replace('\u{feff}', "")));
    let [before, marked, after] = shown;
    (!(before.is_empty() && marked.is_empty() && after.is_empty()))
        .then(|| (format!("{before}{marked}{after}"), before.len()..before.len() + marked.len()))
}

/// `2 errors, 1 warning`.
#[must_use]
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity: Severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let words = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let parts: Vec<String> = [Severity::Error, Severity::Warning]
        .into_iter()
        .filter_map(|severity| words(count(severity), &severity.to_string()))
        .collect();
    if parts.is_empty() { "no problems".to_owned() } else { parts.join(", ") }
}

/// Problems for programs, as a JSON document with a line feed at its end: an array of objects with `code`, `severity`,
/// `message`, `hint`, `file`, `line` and `column`. Lines and columns are integers from 1; `hint`, `line` and `column` are
/// `null` where there is none.
#[must_use]
pub fn render_json(diagnostics: &[Diagnostic], file: &str) -> String {
    let problems: Value = diagnostics
        .iter()
        .map(|Diagnostic { code, severity, message, hint, span }| {
            json!({
                "code": code,
                "severity": severity,
                "message": message,
                "hint": hint,
                "file": file,
                "line": span.map(|span| span.line),
                "column": span.map(|span| span.column),
            })
        })
        .collect();
    json::pretty(&problems)
}
