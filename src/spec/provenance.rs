//! How the values of a spec came to be what they are: what explanations, and remarks on the lines of a spec, draw on.

use super::node::{Node, Value};
use super::substitute::references;
use crate::model::Span;

/// How a value came into the long form of a spec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Provenance {
    /// It is written in the spec, at its place.
    #[default]
    Written,
    /// It is written at its place, with references to these environment variables.
    Environment(Vec<String>),
    /// It is a default of the format, filled in under the key at its place.
    Default,
    /// `repo` or `kustomizations`, whichever stands at its place, is short for it.
    ShortForm,
    /// It follows from what is written at its place: the name of a cluster from its key, the providers from its type.
    Derived,
}

/// Where a value of the long form comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where in the text.
    pub span: Span,
    /// How it got from there to the long form.
    pub provenance: Provenance,
    /// The references in it that are replaced for each cluster, without `${` and `}`: `values.region`.
    pub references: Vec<String>,
}

impl Place {
    pub(super) fn of(node: &Node) -> Self {
        let references = match &node.value {
            Value::Text(text) => references(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Unresolved => {
                Vec::new()
            }
        };
        Self { span: node.span, provenance: node.provenance.clone(), references }
    }
}
