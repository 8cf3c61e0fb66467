//! Rules about pinned api-versions: what a spec says, the pinned version must have.

use super::super::codes;
use super::super::node::{Entry, Node};
use super::super::report::Report;
use crate::kinds::Kind;
use crate::kinds::api_versions::Newer;

/// Checks what is said of one resource of `kind`, when its api-version is pinned.
pub(super) fn check(node: &Node, kind: Kind, pins: &Node, report: &mut Report) {
    let key = match kind {
        Kind::FluxConfiguration => "fluxConfigurations",
        Kind::Extension => "extensions",
        Kind::ConnectedCluster => "connectedClusters",
        Kind::ProviderRegistration | Kind::ResourceGroup | Kind::ManagedCluster => return,
    };
    let Some(pinned) = pins.text_of(key) else { return };
    for newer in Newer::of(kind).iter().filter(|newer| !newer.is_in(pinned)) {
        let steps: Vec<&str> = newer.path.split('.').collect();
        let mut found = Vec::new();
        collect(node, &steps, &mut found);
        for entry in found.into_iter().filter(|entry| !newer.says_nothing(&entry.node.to_json())) {
            let what = newer.word.map_or_else(|| format!("`{}`", entry.key), |word| format!("`{}: {word}`", entry.key));
            report.add_once(
                codes::NEWER_THAN_PIN
                    .at(entry.key_span, format!("{what} needs the api-version {}, and {pinned} is pinned", newer.since))
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
