//! References: `${env:NAME}` once for the document, `${cluster.…}` and `${values.…}` for each cluster.
//!
//! Everything else in `${…}` belongs to Flux and passes through, except where it looks like a slip of ours. `$${` is a
//! literal `${`.

use std::collections::{BTreeMap, BTreeSet};

use super::codes;
use super::node::{Entry, Node, Value};
use super::provenance::Provenance;
use super::report::Report;
use super::yaml::Places;
use crate::model::{Diagnostic, Span, did_you_mean_or_list, nearest};

/// What a spec may know of the world outside.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The environment variables that `${env:NAME}` may read and that are set.
    pub environment: BTreeMap<String, String>,
    /// The names that may be read, set or not.
    pub allowed: BTreeSet<String>,
}

/// A part of a text.
enum Piece<'a> {
    Plain(&'a str),
    /// `$${`.
    Escape,
    /// The inside of `${…}`.
    Reference(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (plain, reference) = rest.split_at(at);
        if let Some(plain) = plain.strip_suffix('$') {
            pieces.extend([Piece::Plain(plain), Piece::Escape]);
            rest = &reference[2..];
        } else if let Some(end) = reference.find('}') {
            pieces.extend([Piece::Plain(plain), Piece::Reference(&reference[2..end])]);
            rest = &reference[end + 1..];
        } else {
            break;
        }
    }
    pieces.push(Piece::Plain(rest));
    pieces.retain(|piece| !matches!(piece, Piece::Plain("")));
    pieces
}

/// The references in a text that are replaced for each cluster, without `${` and `}`.
pub(super) fn references(text: &str) -> Vec<String> {
    let is_ours = |reference: &&str| reference.starts_with("cluster.") || reference.starts_with("values.");
    let found = pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Reference(reference) => Some(reference),
        Piece::Plain(_) | Piece::Escape => None,
    });
    found.filter(is_ours).map(str::to_owned).collect()
}

/// The name in `env:NAME`. Flux has default values in the same place (`${env:=x}`): those are not names.
fn env_name(reference: &str) -> Option<&str> {
    let name = reference.strip_prefix("env:")?;
    (!name.starts_with(['=', '-', '+', '?'])).then_some(name)
}

/// Replaces `${env:…}` in every value of the document; the rest of the references stay.
pub(super) fn environment(tree: &Node, inputs: &Inputs, places: &Places<'_>, report: &mut Report) -> Node {
    tree.map_scalars(&mut |node| {
        let Some(text) = node.text().filter(|text| text.contains("${env:")) else { return node.clone() };
        let mut replaced = String::new();
        let mut unresolved = false;
        let mut names: Vec<String> = Vec::new();
        for piece in pieces(text) {
            match piece {
                Piece::Plain(plain) => replaced.push_str(plain),
                Piece::Escape => replaced.push_str("$${"),
                Piece::Reference(reference) => match env_name(reference) {
                    None => replaced.push_str(&format!("${{{reference}}}")),
                    Some(name) => match read(name, inputs, place_of(places, node.span, reference)) {
                        // What comes from outside is a text, not a template.
                        Ok(value) => {
                            replaced.push_str(&value.replace("${", "$${"));
                            names.push(name.to_owned());
                        }
                        Err(diagnostic) => {
                            report.add(diagnostic);
                            unresolved = true;
                        }
                    },
                },
            }
        }
        let value = if unresolved { Value::Unresolved } else { Value::Text(replaced) };
        let provenance = if names.is_empty() { node.provenance.clone() } else { Provenance::Environment(names) };
        Node { value, span: node.span, provenance }
    })
}

/// The place of a reference in the text that it stands in.
fn place_of(places: &Places<'_>, span: Span, reference: &str) -> Span {
    places.span_within(span, &format!("${{{reference}}}"))
}

fn read<'a>(name: &str, inputs: &'a Inputs, span: Span) -> Result<&'a str, Diagnostic> {
    match inputs.environment.get(name) {
        Some(value) if inputs.allowed.contains(name) => Ok(value),
        None if inputs.allowed.contains(name) => {
            Err(codes::ENV_NOT_SET.at(span, format!("the environment variable `{name}` is not set")))
        }
        Some(_) | None => Err(codes::ENV_NOT_ALLOWED
            .at(span, format!("the spec may not read the environment variable `{name}`"))
            .with_hint(format!("allow it with `--allow-env {name}`"))),
    }
}

/// What is known about a cluster at some point.
pub(super) enum Slot {
    /// Its value.
    Known(Node),
    /// It is decided after what is being replaced now.
    Later,
    /// It could not be found out, and that has been reported.
    Unknown,
}

/// What references of one cluster stand for.
pub(super) struct Scope<'a> {
    pub(super) places: &'a Places<'a>,
    /// The cluster in the words of messages; `None` for what is not about a cluster.
    pub(super) cluster_label: Option<&'a str>,
    pub(super) cluster: Vec<(&'static str, Slot)>,
    /// The entry's `values`; `None` where the spec has one `cluster`.
    pub(super) values: Option<&'a [Entry]>,
}

/// The references to a cluster, as hints name them.
const CLUSTER_REFERENCES: [&str; 4] = ["cluster.name", "cluster.type", "cluster.subscription", "cluster.resourceGroup"];

/// The properties of a cluster that a reference can name, in the order in which they are decided.
pub(super) const CLUSTER_PROPERTIES: [&str; 4] = ["name", "type", "subscription", "resourceGroup"];

impl Scope<'_> {
    /// Replaces every reference in `tree`.
    pub(super) fn apply(&self, tree: &Node, report: &mut Report) -> Node {
        self.replace(tree, false, report)
    }

    fn replace(&self, node: &Node, in_substitute: bool, report: &mut Report) -> Node {
        let value = match &node.value {
            Value::Text(text) if text.contains("${") => {
                let value = self.replace_text(text, node.span, in_substitute, report);
                return Node { value, span: node.span, provenance: node.provenance.clone() };
            }
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.replace(item, in_substitute, report)).collect())
            }
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|entry| {
                        let in_substitute = in_substitute || entry.key == "substitute";
                        Entry { node: self.replace(&entry.node, in_substitute, report), ..entry.clone() }
                    })
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unresolved => node.value.clone(),
        };
        Node { value, span: node.span, provenance: node.provenance.clone() }
    }

    fn replace_text(&self, text: &str, span: Span, in_substitute: bool, report: &mut Report) -> Value {
        let mut replaced = String::new();
        let mut unresolved = false;
        let pieces = pieces(text);
        let is_whole = matches!(pieces.as_slice(), [Piece::Reference(_)]);
        for piece in pieces {
            match piece {
                Piece::Plain(plain) => replaced.push_str(plain),
                Piece::Escape => replaced.push_str("${"),
                Piece::Reference(reference) => {
                    match self.resolve(reference, in_substitute, place_of(self.places, span, reference)) {
                        Resolved::Flux => replaced.push_str(&format!("${{{reference}}}")),
                        Resolved::Value(node) if is_whole => return node.value,
                        Resolved::Value(node) => replaced.push_str(&scalar_text(&node)),
                        Resolved::Unknown => unresolved = true,
                        Resolved::Wrong(diagnostic) => {
                            report.add_once(diagnostic);
                            unresolved = true;
                        }
                    }
                }
            }
        }
        if unresolved { Value::Unresolved } else { Value::Text(replaced) }
    }

    fn resolve(&self, reference: &str, in_substitute: bool, span: Span) -> Resolved {
        let wrong =
            |message: String, hint: String| Resolved::Wrong(codes::UNKNOWN_REFERENCE.at(span, message).with_hint(hint));
        if let Some(property) = reference.strip_prefix("cluster.") {
            let Some(label) = self.cluster_label else {
                return wrong(
                    format!("`${{{reference}}}` has no meaning here"),
                    "this is the same for every cluster".to_owned(),
                );
            };
            return match self.cluster.iter().find(|(name, _)| *name == property) {
                Some((_, Slot::Known(node))) => Resolved::Value(node.clone()),
                Some((_, Slot::Unknown)) => Resolved::Unknown,
                Some((_, Slot::Later)) => Resolved::Wrong(
                    codes::CIRCULAR_REFERENCE
                        .at(span, format!("`${{{reference}}}` is decided after this"))
                        .with_hint(format!("write the value, or take it from `values` of cluster `{label}`")),
                ),
                None => wrong(
                    format!("`${{{reference}}}` is not a property of a cluster"),
                    did_you_mean_or_list(reference, &CLUSTER_REFERENCES),
                ),
            };
        }
        if let Some(name) = reference.strip_prefix("values.") {
            return match (self.cluster_label, self.values) {
                (Some(label), Some(values)) => match values.iter().find(|entry| entry.key == name) {
                    Some(entry) if entry.node.is_map() || !entry.node.items().is_empty() => Resolved::Unknown,
                    Some(entry) if matches!(entry.node.value, Value::Null | Value::Unresolved) => Resolved::Unknown,
                    Some(entry) => Resolved::Value(entry.node.clone()),
                    None => {
                        let known: Vec<&str> = values.iter().map(|entry| entry.key.as_str()).collect();
                        wrong(
                            format!("`${{{reference}}}` is not among the values of cluster `{label}`"),
                            match nearest(name, &known) {
                                Some(known) => format!("did you mean `${{values.{known}}}`?"),
                                None => format!("add `{name}` to its `values`"),
                            },
                        )
                    }
                },
                (Some(_), None) => wrong(
                    format!("`${{{reference}}}` has no meaning in a spec for one cluster"),
                    "`values` belong to the entries of `clusters`".to_owned(),
                ),
                (None, _) => wrong(
                    format!("`${{{reference}}}` has no meaning here"),
                    "this is the same for every cluster".to_owned(),
                ),
            };
        }
        match slip_of_ours(reference) {
            Some(meant) if !in_substitute => wrong(
                format!("`${{{reference}}}` is not a reference"),
                format!("did you mean `${{{meant}}}`? Write `$${{` for a literal `${{`"),
            ),
            Some(_) | None => Resolved::Flux,
        }
    }
}

enum Resolved {
    /// Not ours.
    Flux,
    Value(Node),
    /// Not known, and that has been reported.
    Unknown,
    Wrong(Diagnostic),
}

/// A scalar as a part of a text.
fn scalar_text(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unresolved => String::new(),
    }
}

/// What was probably meant by a reference that is nearly one of ours. Flux's variables have no dots in their names.
fn slip_of_ours(reference: &str) -> Option<String> {
    let end = reference.find(|character: char| !character.is_ascii_alphanumeric())?;
    let (word, rest) = reference.split_at(end);
    let mut characters = rest.chars();
    let separator = characters.next()?;
    let rest = characters.as_str();
    let is_name = rest.starts_with(|character: char| character.is_ascii_alphabetic() || character == '_');
    match (word.to_ascii_lowercase().as_str(), separator) {
        ("cluster" | "clusters", '.' | ':') if is_name => Some(format!("cluster.{rest}")),
        ("value" | "values" | "var" | "vars", '.') if is_name => Some(format!("values.{rest}")),
        ("env" | "environment", '.' | ':') if is_name => Some(format!("env:{rest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_into_pieces() {
        let kinds: Vec<String> = pieces("a$${b}${c.d}e${")
            .into_iter()
            .map(|piece| match piece {
                Piece::Plain(text) => format!("plain {text}"),
                Piece::Escape => "escape".to_owned(),
                Piece::Reference(text) => format!("reference {text}"),
            })
            .collect();
        assert_eq!(kinds, ["plain a", "escape", "plain b}", "reference c.d", "plain e${"]);
    }

    #[test]
    fn flux_has_its_own_references() {
        for flux in ["REGION", "env:=prod", "ENV:-x", "cluster_name", "var:0:3", "CLUSTER"] {
            assert_eq!(slip_of_ours(flux), None, "{flux}");
        }
        assert_eq!(slip_of_ours("value.zone").as_deref(), Some("values.zone"));
        assert_eq!(slip_of_ours("Cluster.name").as_deref(), Some("cluster.name"));
        assert_eq!(slip_of_ours("ENV:HOME").as_deref(), Some("env:HOME"));
    }
}
