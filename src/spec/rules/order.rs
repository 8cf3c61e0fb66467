//! Rules about `dependsOn`: the names exist, and the order has a beginning.

use std::collections::{HashMap, HashSet};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::super::codes;
use super::super::node::{Entry, Node};
use super::super::report::Report;
use crate::model::{Diagnostic, MOST_COMPARED, did_you_mean_or_list};

/// Checks the order of the entries of `map`. `kind` is what messages call one; `configuration` is the configuration that
/// they belong to, when they are kustomizations.
pub(super) fn check(kind: &str, map: &Node, configuration: Option<&str>, report: &mut Report) {
    let entries = map.entries();
    let places = entries.iter().enumerate().map(|(index, entry)| (entry.key.as_str(), index)).collect();
    Order { kind, configuration, entries, places }.check(report);
}

struct Order<'a> {
    kind: &'a str,
    configuration: Option<&'a str>,
    entries: &'a [Entry],
    /// The index of each name in `entries`.
    places: HashMap<&'a str, usize>,
}

impl Order<'_> {
    fn check(&self, report: &mut Report) {
        let mut graph: DiGraph<(), ()> = DiGraph::new();
        for _ in self.entries {
            graph.add_node(());
        }
        for (from, entry) in self.entries.iter().enumerate() {
            for item in dependencies(entry) {
                let Some(name) = item.text() else { continue };
                match self.places.get(name).copied() {
                    Some(to) if to == from => {
                        let message = format!("{} `{name}` depends on itself", self.kind);
                        report.add_once(codes::SELF_DEPENDENCY.at(item.span, message));
                    }
                    Some(to) => {
                        graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
                    }
                    None => report.add_once(self.unknown(entry, item, name)),
                }
            }
        }
        // Kosaraju's way of finding circles does not recurse: a chain may be as long as a file allows.
        for circle in kosaraju_scc(&graph).into_iter().filter(|members| members.len() > 1) {
            self.report_circle(&circle.into_iter().map(NodeIndex::index).collect(), report);
        }
    }

    fn unknown(&self, own: &Entry, item: &Node, name: &str) -> Diagnostic {
        let diagnostic = codes::UNKNOWN_DEPENDENCY
            .at(item.span, format!("there is no {} `{name}` here, and `{}` depends on it", self.kind, own.key));
        let without_prefix = self
            .configuration
            .and_then(|configuration| name.strip_prefix(configuration)?.strip_prefix('-'))
            .filter(|rest| self.places.contains_key(rest));
        diagnostic.with_hint(match without_prefix {
            Some(rest) => format!("write `{rest}`: Azure puts the name of the configuration before it"),
            None => {
                let names = self.entries.iter().map(|entry| entry.key.as_str());
                let others: Vec<&str> = names.filter(|known| *known != own.key).take(MOST_COMPARED).collect();
                if others.is_empty() {
                    "declare it, or take the dependency out".to_owned()
                } else {
                    did_you_mean_or_list(name, &others)
                }
            }
        })
    }

    /// Names a circle in order, beginning with the entry that stands first in the text.
    fn report_circle(&self, members: &HashSet<usize>, report: &mut Report) {
        let Some(start) = members.iter().copied().min() else { return };
        // Walk inside the circle, always to the first dependency in it, until a place comes again.
        let mut walk: Vec<(usize, &Node)> = Vec::new();
        let mut seen: HashMap<usize, usize> = HashMap::new();
        let mut at = start;
        while !seen.contains_key(&at) {
            let next = dependencies(&self.entries[at]).iter().find_map(|item| {
                let to = self.places.get(item.text()?).copied()?;
                (to != at && members.contains(&to)).then_some((to, item))
            });
            let Some((to, item)) = next else { return };
            seen.insert(at, walk.len());
            walk.push((at, item));
            at = to;
        }
        let round = &walk[seen.get(&at).copied().unwrap_or_default()..];
        let names = round.iter().map(|(index, _)| *index).chain([at]).map(|index| self.entries[index].key.as_str());
        let names: Vec<&str> = names.collect();
        let span = round.first().map_or(self.entries[at].key_span, |(_, item)| item.span);
        report.add_once(
            codes::DEPENDENCY_CYCLE
                .at(span, format!("the order of these {}s is a circle: {}", self.kind, names.join(" → ")))
                .with_hint("take one of these `dependsOn` out"),
        );
    }
}

fn dependencies(entry: &Entry) -> &[Node] {
    entry.node.get("dependsOn").map(Node::items).unwrap_or_default()
}
