//! The problems found so far.

use std::collections::HashSet;

use crate::model::{Code, Diagnostic, Severity, Span};

/// Collects problems, each once.
#[derive(Debug, Default)]
pub(super) struct Report {
    diagnostics: Vec<Diagnostic>,
    seen: HashSet<(Code, Option<Span>)>,
}

impl Report {
    /// Takes a problem of the document as it is written.
    pub(super) fn add(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.seen.insert((diagnostic.code, diagnostic.span));
            self.diagnostics.push(diagnostic);
        }
    }

    /// Takes a problem of one cluster, unless the same kind of problem is known at the same place: from the document as
    /// it is written, or from another cluster.
    pub(super) fn add_once(&mut self, diagnostic: Diagnostic) {
        if self.seen.insert((diagnostic.code, diagnostic.span)) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Everything, in the order of the text.
    pub(super) fn sorted(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
        self.diagnostics
    }
}
