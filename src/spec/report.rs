//! The problems found so far.

use std::collections::HashSet;

use super::codes;
use crate::model::{Code, Diagnostic, Severity, Span};

/// The most problems that are told of one spec. A person stops reading long before; a file with more is hostile.
pub(super) const MAX_PROBLEMS: usize = 1_000;

/// The most characters of a message or a hint: both can quote the spec.
const MAX_MESSAGE: usize = 400;

/// Collects problems, each once.
#[derive(Debug, Default)]
pub(super) struct Report {
    diagnostics: Vec<Diagnostic>,
    places: HashSet<(Code, Option<Span>)>,
    told: HashSet<(Code, Option<Span>, String)>,
}

impl Report {
    /// Takes a problem of the document as it is written.
    pub(super) fn add(&mut self, diagnostic: Diagnostic) {
        self.places.insert((diagnostic.code, diagnostic.span));
        if self.told.insert((diagnostic.code, diagnostic.span, diagnostic.message.clone())) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Takes a problem of one cluster, unless the same kind of problem is known at the same place: from the document as
    /// it is written, or from another cluster.
    pub(super) fn add_once(&mut self, diagnostic: Diagnostic) {
        if !self.is_known(diagnostic.code, diagnostic.span) {
            self.add(diagnostic);
        }
    }

    /// Whether this kind of problem is known at this place.
    pub(super) fn is_known(&self, code: Code, span: Option<Span>) -> bool {
        self.places.contains(&(code, span))
    }

    /// How many problems are told so far.
    pub(super) fn len(&self) -> usize {
        self.diagnostics.len()
    }

    /// Takes back the problems with these codes that came after the first `before`.
    pub(super) fn allow(&mut self, before: usize, codes: &[Code]) {
        let mut position = 0;
        self.diagnostics.retain(|diagnostic| {
            position += 1;
            position <= before || !codes.contains(&diagnostic.code)
        });
    }

    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Everything, in the order of the text.
    pub(super) fn sorted(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
        if let Some(span) = self.diagnostics.get(MAX_PROBLEMS).and_then(|diagnostic| diagnostic.span) {
            self.diagnostics.truncate(MAX_PROBLEMS);
            self.diagnostics.push(
                codes::TOO_MANY
                    .at(span, format!("more than {MAX_PROBLEMS} problems: the rest is not listed"))
                    .with_hint("correct these first"),
            );
        }
        for diagnostic in &mut self.diagnostics {
            shorten(&mut diagnostic.message);
            diagnostic.hint.iter_mut().for_each(shorten);
        }
        self.diagnostics
    }
}

fn shorten(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(MAX_MESSAGE) {
        text.truncate(at);
        text.push('…');
    }
}
