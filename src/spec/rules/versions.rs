//! Rules about api-versions: what a spec says, the version that it is said in must have. Pins are known here; what a cloud
//! offers is known later, and asked of [`NewerField`]s then.

use super::super::codes;
use super::super::node::{Entry, Node};
use super::super::report::Report;
use crate::kinds::Kind;
use crate::kinds::api_versions::{ApiVersions, Newer};
use crate::model::{Diagnostic, Span};

/// Something that a spec says and older api-versions lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewerField {
    kind: Kind,
    /// The field, with its value where only that is newer.
    what: String,
    newer: Newer,
    /// Where it stands.
    span: Span,
}

impl NewerField {
    /// By place, and by what is said there.
    pub(super) fn order(&self) -> (usize, &str) {
        (self.span.start, &self.what)
    }

    /// The problem with it where its kind is talked about in these versions, if it is one.
    pub(in super::super) fn problem(&self, versions: &ApiVersions) -> Option<Diagnostic> {
        let Self { kind, what, newer, span } = self;
        let version = versions.pin(*kind).filter(|version| !newer.is_in(version))?;
        let message = format!("{what} needs the api-version {}, and this cloud offers {version}", newer.since);
        Some(codes::NEWER_THAN_VERSION.at(*span, message).with_hint("take it out, or ask for a newer version there"))
    }
}

/// What is said of one resource of `kind` that older api-versions lack.
pub(in super::super) fn newer(node: &Node, kind: Kind) -> Vec<NewerField> {
    let mut all = Vec::new();
    for newer in Newer::of(kind) {
        let steps: Vec<&str> = newer.path.split('.').collect();
        let mut found = Vec::new();
        collect(node, &steps, &mut found);
        for entry in found.into_iter().filter(|entry| !newer.says_nothing(&entry.node.to_json())) {
            let what = newer.word.map_or_else(|| format!("`{}`", entry.key), |word| format!("`{}: {word}`", entry.key));
            all.push(NewerField { kind, what, newer: *newer, span: entry.key_span });
        }
    }
    all
}

/// Checks what is said of one resource of `kind`, when its api-version is pinned.
pub(super) fn check(node: &Node, kind: Kind, pins: &Node, report: &mut Report) {
    let key = match kind {
        Kind::FluxConfiguration => "fluxConfigurations",
        Kind::Extension => "extensions",
        Kind::ConnectedCluster => "connectedClusters",
        Kind::ProviderRegistration | Kind::ResourceGroup | Kind::ManagedCluster => return,
    };
    let Some(pinned) = pins.text_of(key) else { return };
    for NewerField { kind: _, what, newer, span } in newer(node, kind) {
        if !newer.is_in(pinned) {
            report.add_once(
                codes::NEWER_THAN_VERSION
                    .at(span, format!("{what} needs the api-version {}, and {pinned} is pinned", newer.since))
                    .with_hint(format!("write `{key}: {}` under `apiVersions`, or take it out", newer.since)),
            );
        }
    }
}

/// Every entry that `steps` lead to; `*` stands for any key.
fn collect<'a>(node: &'a Node, steps: &[&str], found: &mut Vec<&'a Entry>) {
    let [step, rest @ ..] = steps else { return };
    for entry in node.entries().iter().filter(|entry| *step == "*" || entry.key == *step) {
        match rest {
            [] => found.push(entry),
            _ => collect(&entry.node, rest, found),
        }
    }
}
