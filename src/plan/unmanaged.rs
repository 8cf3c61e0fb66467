//! Live configurations that the spec does not name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Unmanaged;
use crate::graph::{Absence, Graph, Node, Want, part_of};
use crate::kinds::{Kind, flux_configuration};
use crate::model::{Address, LiveState, Part, Reading, ResourceId};

/// A live configuration that nothing in the graph names.
pub(super) struct Found<'a> {
    address: Address,
    id: ResourceId,
    cluster: &'a Node,
    body: &'a Value,
}

/// Everything on the clusters of `selected` that neither it nor `graph` names, in order of address.
pub(super) fn on_clusters_of<'a>(selected: &'a Graph, graph: &Graph, live: &'a LiveState) -> Vec<Found<'a>> {
    let declared: BTreeSet<_> = graph.nodes().iter().chain(selected.nodes()).map(|node| &node.id).collect();
    let mut found: BTreeMap<ResourceId, Found<'_>> = BTreeMap::new();
    for cluster in selected.nodes().iter().filter(|node| matches!(node.want, Want::Cluster(..))) {
        for body in live.items(&cluster.id.collection(flux_configuration::RESOURCE_TYPE)) {
            let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
            let id = cluster.id.named_resource(flux_configuration::RESOURCE_TYPE, name);
            let address = part_of(&cluster.address, Part::Configuration(name.to_owned()));
            let (Some(id), Some(address)) = (id, address) else { continue };
            // Pages may repeat an item, and ARM may spell its name in another case there.
            let is_repeated = found.get(&id).is_some_and(|known| known.address <= address);
            if !declared.contains(&id) && !is_repeated {
                found.insert(id.clone(), Found { address, id, cluster, body });
            }
        }
    }
    let mut found: Vec<Found<'_>> = found.into_values().collect();
    found.sort_by(|one, other| one.address.cmp(&other.address));
    found
}

/// As the plan lists them.
pub(super) fn listed(found: Vec<Found<'_>>) -> Vec<Unmanaged> {
    found.into_iter().map(|Found { address, id, .. }| Unmanaged { address, id }).collect()
}

/// As resources that must not be there, with what is known of them: a list shows all of a configuration that a deletion
/// has to know.
pub(super) fn to_be_deleted(
    found: Vec<Found<'_>>,
    selected: &Graph,
    is_asked_for: impl Fn(&Address) -> bool,
) -> (Vec<Node>, Vec<(ResourceId, Reading)>) {
    found
        .into_iter()
        .filter(|one| is_asked_for(&one.address))
        .map(|Found { address, id, cluster, body }| {
            let node = Node {
                address,
                id: id.clone(),
                kind: Kind::FluxConfiguration,
                api_version: selected.api_version(Kind::FluxConfiguration).to_owned(),
                want: Want::Absent(Absence::Unmanaged),
                base: None,
                needs: part_of(&cluster.address, Part::Extension).into_iter().collect(),
                cluster: cluster.cluster.clone(),
            };
            (node, (id, Reading::Present(body.clone())))
        })
        .unzip()
}
