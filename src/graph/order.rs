//! An order in which everything comes after what it needs, the same for the same graph.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::{Graph, GraphError, Node};
use crate::model::Address;

/// The nodes in order: of all that are ready, the smallest address comes first.
pub(super) fn ordered(nodes: BTreeMap<Address, Node>) -> Result<Vec<Node>, Vec<GraphError>> {
    let unmet: Vec<GraphError> = nodes
        .values()
        .flat_map(|node| node.needs.iter().map(move |needs| (node, needs)))
        .filter(|(_, needs)| !nodes.contains_key(*needs))
        .map(|(node, needs)| GraphError::Unmet { address: node.address.clone(), needs: needs.clone() })
        .collect();
    if !unmet.is_empty() {
        return Err(unmet);
    }
    let cycles = cycles(&nodes);
    if !cycles.is_empty() {
        return Err(cycles);
    }

    let mut missing: BTreeMap<Address, usize> =
        nodes.values().map(|node| (node.address.clone(), node.needs.len())).collect();
    let mut needed_by: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
    for node in nodes.values() {
        for needs in &node.needs {
            needed_by.entry(needs.clone()).or_default().push(node.address.clone());
        }
    }
    let mut ready: BTreeSet<Address> =
        missing.iter().filter(|(_, count)| **count == 0).map(|(address, _)| address.clone()).collect();
    let mut left = nodes;
    let mut order = Vec::with_capacity(left.len());
    while let Some(address) = ready.pop_first() {
        for dependant in needed_by.remove(&address).unwrap_or_default() {
            if let Some(count) = missing.get_mut(&dependant) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(dependant);
                }
            }
        }
        order.extend(left.remove(&address));
    }
    Ok(order)
}

/// Every group of nodes that need each other, each written as a walk that ends where it began.
fn cycles(nodes: &BTreeMap<Address, Node>) -> Vec<GraphError> {
    let mut graph: DiGraphMap<&Address, ()> = DiGraphMap::new();
    for node in nodes.values() {
        graph.add_node(&node.address);
        for needs in &node.needs {
            graph.add_edge(&node.address, needs, ());
        }
    }
    tarjan_scc(&graph)
        .into_iter()
        .filter(|members| members.len() > 1 || members.iter().any(|member| graph.contains_edge(member, member)))
        .map(|members| GraphError::Cycle { cycle: walk(&graph, &members) })
        .collect()
}

/// A walk from the smallest member back to itself, inside the members.
fn walk(graph: &DiGraphMap<&Address, ()>, members: &[&Address]) -> Vec<Address> {
    let inside: BTreeSet<&Address> = members.iter().copied().collect();
    let mut path: Vec<&Address> = inside.first().copied().into_iter().collect();
    while let Some(last) = path.last() {
        let Some(next) = graph.neighbors(last).filter(|next| inside.contains(next)).min() else { break };
        if let Some(start) = path.iter().position(|seen| *seen == next) {
            path.drain(..start);
            path.push(next);
            break;
        }
        path.push(next);
    }
    path.into_iter().cloned().collect()
}

/// The nodes by wave: a wave needs only what stands in earlier waves.
#[must_use]
pub fn waves(graph: &Graph) -> Vec<Vec<&Node>> {
    let mut wave_of: BTreeMap<&Address, usize> = BTreeMap::new();
    let mut waves: Vec<Vec<&Node>> = Vec::new();
    for node in graph.nodes() {
        let wave = node.needs.iter().filter_map(|needs| wave_of.get(needs)).map(|wave| wave + 1).max().unwrap_or(0);
        wave_of.insert(&node.address, wave);
        if waves.len() <= wave {
            waves.resize_with(wave + 1, Vec::new);
        }
        waves[wave].push(node);
    }
    waves
}
