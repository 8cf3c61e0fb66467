//! The dependency graph: what comes before what.

use std::fmt::Write as _;

use super::mermaid::Flowchart;
use super::{escape, value};
use crate::graph::{Graph, waves};
use crate::model::Address;

/// What a graph is rendered as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GraphFormat {
    /// The order for people: numbered groups, each of which needs only what stands above it.
    #[default]
    Text,
    /// Graphviz.
    Dot,
    /// A Mermaid flowchart.
    Mermaid,
}

/// The graph as a document that ends with a line feed. Arrows go from what comes first to what needs it.
#[must_use]
pub fn render(graph: &Graph, format: GraphFormat) -> String {
    match format {
        GraphFormat::Text => text(graph),
        GraphFormat::Dot => dot(graph),
        GraphFormat::Mermaid => mermaid(graph),
    }
}

fn text(graph: &Graph) -> String {
    let mut out = String::new();
    let waves = waves(graph);
    let width = waves.len().to_string().len();
    for (position, wave) in waves.iter().enumerate() {
        let mut number = format!("{:>width$}.", position + 1);
        for node in wave {
            // Writing into a String cannot fail.
            let _ = writeln!(out, "{number} {}", shown(&node.address));
            number = " ".repeat(width + 1);
            for needs in &node.needs {
                let _ = writeln!(out, "{number}   needs {}", shown(needs));
            }
        }
    }
    out
}

fn dot(graph: &Graph) -> String {
    // Made inert first and quoted then, so that Graphviz reads the escapes of hidden characters as plain text.
    let quoted = |address: &Address| escape::quoted(&shown(address));
    let mut out = "digraph arcflux {\n  rankdir = LR;\n  node [shape = box];\n".to_owned();
    for node in graph.nodes() {
        let _ = writeln!(out, "  {};", quoted(&node.address));
    }
    for node in graph.nodes() {
        for needs in &node.needs {
            let _ = writeln!(out, "  {} -> {};", quoted(needs), quoted(&node.address));
        }
    }
    out.push_str("}\n");
    out
}

fn mermaid(graph: &Graph) -> String {
    let mut chart = Flowchart::new();
    for node in graph.nodes() {
        chart.node(&node.address, &node.address.to_string(), "same");
    }
    for node in graph.nodes() {
        for needs in &node.needs {
            chart.edge(needs, &node.address);
        }
    }
    chart.finish()
}

fn shown(address: &Address) -> String {
    value::name(&address.to_string())
}
