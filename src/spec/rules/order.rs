//! Rules about `dependsOn`: the names exist, and the order has a beginning.

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::super::codes;
use super::super::node::{Entry, Node};
use super::super::report::Report;
use super::super::suggest::did_you_mean_or_list;
use crate::model::Diagnostic;

/// Checks the order of the entries of `map`. `kind` is what messages call one; `configuration` is the configuration that
/// they belong to, when they are kustomizations.
pub(super) fn check(kind: &str, map: &Node, configuration: Option<&str>, report: &mut Report) {
    let entries = map.entries();
    let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    let mut graph: DiGraph<(), ()> = DiGraph::new();
    for _ in entries {
        graph.add_node(());
    }
    for (from, entry) in entries.iter().enumerate() {
        for item in dependencies(entry) {
            let Some(name) = item.text() else { continue };
            match names.iter().position(|known| *known == name) {
                Some(to) if to == from => {
                    report.add_once(codes::SELF_DEPENDENCY.at(item.span, format!("{kind} `{name}` depends on itself")));
                }
                Some(to) => {
                    graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
                }
                None => report.add_once(unknown(kind, item, name, &entry.key, &names, configuration)),
            }
        }
    }
    for circle in tarjan_scc(&graph).into_iter().filter(|members| members.len() > 1) {
        let members: Vec<usize> = circle.into_iter().map(NodeIndex::index).collect();
        report_circle(kind, entries, &members, report);
    }
}

fn dependencies(entry: &Entry) -> &[Node] {
    entry.node.get("dependsOn").map(Node::items).unwrap_or_default()
}

fn unknown(kind: &str, item: &Node, name: &str, own: &str, names: &[&str], configuration: Option<&str>) -> Diagnostic {
    let others: Vec<&str> = names.iter().copied().filter(|known| *known != own).collect();
    let diagnostic = codes::UNKNOWN_DEPENDENCY.at(item.span, format!("there is no {kind} `{name}` here"));
    let without_prefix = configuration
        .and_then(|configuration| name.strip_prefix(configuration)?.strip_prefix('-'))
        .filter(|rest| names.contains(rest));
    diagnostic.with_hint(match without_prefix {
        Some(rest) => format!("write `{rest}`: Azure puts the name of the configuration before it"),
        None => did_you_mean_or_list(name, &others),
    })
}

/// Names a circle in order, beginning with the entry that stands first in the text.
fn report_circle(kind: &str, entries: &[Entry], members: &[usize], report: &mut Report) {
    let Some(start) = members.iter().copied().min() else { return };
    // Walk inside the circle, always to the first dependency in it, until a place comes again.
    let mut walk = vec![start];
    let round = loop {
        let Some(next) = walk.last().and_then(|at| {
            dependencies(&entries[*at])
                .iter()
                .filter_map(|item| entries.iter().position(|entry| item.text() == Some(entry.key.as_str())))
                .find(|to| to != at && members.contains(to))
        }) else {
            return;
        };
        if let Some(position) = walk.iter().position(|seen| *seen == next) {
            break &walk[position..];
        }
        walk.push(next);
    };
    let (Some(first), Some(second)) = (round.first(), round.get(1)) else { return };
    let mut names: Vec<&str> = round.iter().map(|index| entries[*index].key.as_str()).collect();
    names.push(&entries[*first].key);
    let span = dependencies(&entries[*first])
        .iter()
        .find(|item| item.text() == Some(entries[*second].key.as_str()))
        .map_or(entries[*first].key_span, |item| item.span);
    report.add_once(
        codes::DEPENDENCY_CYCLE
            .at(span, format!("the order of these {kind}s is a circle: {}", names.join(" → ")))
            .with_hint("take one of these `dependsOn` out"),
    );
}
