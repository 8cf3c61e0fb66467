//! YAML text in, [`Desired`] out, or every problem at once with its place; and JSON values back to YAML.
//!
//! ```text
//! text ─yaml→ tree with places ─conform→ published schema ─expand→ long form
//!      ─clusters→ one tree per cluster, references replaced ─conform→ strict schema ─rules→ Desired
//! ```
//!
//! Every step works on the tree, so that a problem points at what its author wrote, also after expansion. A step passes
//! over what an earlier one refused: one wrong type hides nothing else. Nothing here reads files or the environment.

mod clusters;
pub mod codes;
mod conform;
mod desired;
mod document;
mod expand;
mod export;
mod forms;
mod mask;
mod node;
mod provenance;
mod readable;
mod report;
mod rules;
mod schema;
mod starter;
mod substitute;
mod yaml;

use std::sync::Arc;

pub use desired::{Desired, DesiredCluster, Limits, Policy, Profile, Spans, UnmanagedPolicy};
pub use export::Draft;
pub use provenance::{Place, Provenance};
pub use readable::{is_plain, readable_yaml, to_yaml};
pub use rules::NewerField;
pub use schema::schema;
pub use starter::starter;
pub use substitute::Inputs;

use self::document::ClusterDocument;
use self::node::Node;
use self::report::Report;
use self::yaml::Places;
use crate::kinds::api_versions::ApiVersions;
use crate::model::{Diagnostic, Source, Span};

/// The largest spec that is read, in bytes. ARM's own limit for one request body is the same 4 MiB.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What loading a spec gives.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What the spec wants; `None` when there is an error.
    pub desired: Option<Desired>,
    /// Every problem, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The source with stars for everything that must not be shown, for snippets. It has the length and the lines of the
    /// source; it is empty when the source is not text, or does not say that it is a spec.
    pub masked: String,
}

/// Loads a spec from the bytes of a file.
///
/// Bytes that are not UTF-8, or too many, are a problem in the outcome like every other.
#[must_use]
pub fn load_bytes(name: &str, bytes: &[u8], inputs: &Inputs) -> Outcome {
    if bytes.len() > MAX_BYTES {
        return too_large();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => load(&Source { name: name.to_owned(), text: text.to_owned() }, inputs),
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let span = Places::new(valid).span(valid.len(), valid.len());
            let diagnostic = codes::NOT_UTF8
                .at(span, "the file is not UTF-8 from here on")
                .with_hint("save it as UTF-8; UTF-16 is what some editors on Windows write");
            Outcome { desired: None, diagnostics: vec![diagnostic], masked: String::new() }
        }
    }
}

/// Loads a spec.
#[must_use]
pub fn load(source: &Source, inputs: &Inputs) -> Outcome {
    let text = &source.text;
    if text.len() > MAX_BYTES {
        return too_large();
    }
    let places = Places::new(text);
    let mut tree = match yaml::parse(&places) {
        Ok(tree) => tree,
        Err(diagnostic) => {
            return match is_meant(text) {
                true => Outcome { desired: None, diagnostics: vec![diagnostic], masked: mask::masked_by_line(text) },
                false => Outcome { desired: None, diagnostics: vec![unquoted(diagnostic)], masked: String::new() },
            };
        }
    };
    let masked = if is_meant(text) { mask::masked(text, &tree) } else { String::new() };
    let mut report = Report::default();
    rules::keys::check(&mut tree, &mut report);
    let desired = interpret(&tree, &places, inputs, &mut report);
    let desired = desired.filter(|_| !report.has_errors());
    let desired = desired.map(|desired| Desired { file: source.name.clone(), ..desired });
    let diagnostics = report.sorted();
    let diagnostics = if is_meant(text) { diagnostics } else { diagnostics.into_iter().map(unquoted).collect() };
    Outcome { desired, diagnostics, masked }
}

/// What is told of a text that may be no spec at all: these quote nothing of it.
const TOLD_OF_ANYTHING: [&codes::Row; 6] = [
    &codes::YAML_SYNTAX,
    &codes::EMPTY,
    &codes::TOO_MANY,
    &codes::MISSING_KEY,
    &codes::API_VERSION,
    &codes::CLUSTER_CHOICE,
];

/// A problem without what it quotes.
fn unquoted(diagnostic: Diagnostic) -> Diagnostic {
    if TOLD_OF_ANYTHING.iter().any(|row| row.code == diagnostic.code) {
        return diagnostic;
    }
    let row = codes::TABLE.iter().find(|row| row.code == diagnostic.code);
    Diagnostic { message: row.map_or(diagnostic.message, |row| row.title.to_owned()), hint: None, ..diagnostic }
}

/// Whether a text is meant for a spec: it has a line that files of others have not. Nothing of another is quoted: what a
/// pull request calls its spec may be a link to a file of the machine that plans, and what is wrong with it ends in a
/// comment.
fn is_meant(text: &str) -> bool {
    const KEYS: [&str; 2] = ["resourceGroup:", "kustomizations:"];
    text.lines().any(|line| {
        let has_version = line.split_once("apiVersion").is_some_and(|(_, rest)| rest.contains("arcflux"));
        has_version || KEYS.iter().any(|key| line.starts_with(key))
    })
}

/// How large a file is in all is not known: whoever reads it stops at the limit.
fn too_large() -> Outcome {
    let start = Span { start: 0, end: 0, line: 1, column: 1 };
    let message = format!("the file has more than {MAX_BYTES} bytes, the most that a spec may have");
    Outcome { desired: None, diagnostics: vec![codes::TOO_LARGE.at(start, message)], masked: String::new() }
}

/// From a tree without duplicate keys to what it wants. The result is usable only if nothing was reported.
fn interpret(tree: &Node, places: &Places<'_>, inputs: &Inputs, report: &mut Report) -> Option<Desired> {
    for diagnostic in conform::check(tree, &schema::PUBLISHED, places) {
        report.add(diagnostic);
    }
    if !tree.is_map() {
        return None;
    }
    rules::document::check(tree, report);
    let expanded = expand::expand(&substitute::environment(tree, inputs, places, report));
    let clusters = clusters::clusters(&expanded, places, report);
    for cluster in &clusters {
        for diagnostic in conform::check(&cluster.tree, &schema::STRICT, places) {
            // What a cluster lacks is said by the rules, in words that know where it can be given.
            if !(diagnostic.code == codes::MISSING_KEY.code && diagnostic.span == Some(cluster.tree.span)) {
                report.add_once(diagnostic);
            }
        }
    }
    rules::check(&expanded, &clusters, report);
    if report.has_errors() {
        return None;
    }
    let spans = Arc::new(Spans::of(&expanded));
    let mut desired = Desired {
        file: String::new(),
        newer: rules::newer(&clusters),
        tenant: None,
        policy: Policy::default(),
        api_versions: ApiVersions::default(),
        clusters: Vec::new(),
        expanded: expanded.to_json(),
    };
    for cluster in clusters {
        match serde_json::from_value::<ClusterDocument>(cluster.tree.to_json()) {
            Ok(document) => {
                // Nothing about these differs between clusters.
                desired.tenant.clone_from(&document.tenant);
                desired.policy.clone_from(&document.policy);
                desired.api_versions.clone_from(&document.api_versions);
                desired.clusters.push(DesiredCluster::new(cluster.key, document, Arc::clone(&spans)));
            }
            // The strict schema and the rules are at least as strict as the types; this says so if they are not.
            Err(error) => {
                report.add(codes::WRONG_FORM.at(cluster.tree.span, format!("cluster `{}`: {error}", cluster.label)));
            }
        }
    }
    Some(desired)
}
