//! Nodes and edges from what a spec asks for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, GraphError, Node, Want, order};
use crate::kinds::api_versions::ApiVersions;
use crate::kinds::{Kind, extension, flux_configuration};
use crate::model::{Address, Part, ResourceId};
use crate::spec::{Desired, DesiredCluster};

/// Builds the graph.
///
/// # Errors
///
/// Every [`GraphError`] there is.
pub fn build(desired: &Desired) -> Result<Graph, Vec<GraphError>> {
    let ambiguous = ambiguous_names(desired);
    let mut nodes: BTreeMap<Address, Node> = BTreeMap::new();
    let mut address_of: BTreeMap<ResourceId, Address> = BTreeMap::new();
    let mut errors = Vec::new();
    for node in desired.clusters.iter().flat_map(|cluster| cluster_nodes(cluster, &desired.api_versions, &ambiguous)) {
        // ARM ids ignore case and addresses do not: `RG-edge` and `rg-edge` would be two nodes for one resource.
        if address_of.entry(node.id.clone()).or_insert_with(|| node.address.clone()) != &node.address {
            errors.push(GraphError::Contradiction { address: node.address });
            continue;
        }
        match nodes.get_mut(&node.address) {
            None => {
                nodes.insert(node.address.clone(), node);
            }
            Some(same) if same.want == node.want && same.id == node.id => {
                same.needs.extend(node.needs);
                same.needs.sort();
                same.needs.dedup();
            }
            Some(_) => errors.push(GraphError::Contradiction { address: node.address }),
        }
    }
    if !errors.is_empty() {
        errors.dedup();
        return Err(errors);
    }
    order::ordered(nodes).map(|nodes| Graph { nodes, api_versions: desired.api_versions.clone() })
}

/// Names without a subscription that would stand for resources in more than one: those need the prefix.
fn ambiguous_names(desired: &Desired) -> BTreeSet<String> {
    let mut subscriptions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for cluster in &desired.clusters {
        let group = cluster.resource_group.name.to_ascii_lowercase();
        let names = cluster.providers.iter().map(|provider| format!("provider/{provider}").to_ascii_lowercase());
        for name in names.chain([group]) {
            subscriptions.entry(name).or_default().insert(cluster.subscription.to_ascii_lowercase());
        }
    }
    subscriptions.into_iter().filter(|(_, found)| found.len() > 1).map(|(name, _)| name).collect()
}

fn cluster_nodes(desired: &DesiredCluster, versions: &ApiVersions, ambiguous: &BTreeSet<String>) -> Vec<Node> {
    let DesiredCluster { subscription, resource_group, cluster, providers, extension, configurations, .. } = desired;
    let prefix = |name: &str| ambiguous.contains(&name.to_ascii_lowercase()).then(|| subscription.clone());
    let root = ResourceId::subscription(subscription);
    let (group_id, cluster_id) = (desired.group_id(), desired.id());
    let group_address =
        Address::ResourceGroup { subscription: prefix(&resource_group.name), name: resource_group.name.clone() };
    let at = |part| Address::Cluster {
        subscription: prefix(&resource_group.name),
        resource_group: resource_group.name.clone(),
        cluster: cluster.name.clone(),
        part,
    };

    let mut nodes: Vec<Node> = providers
        .iter()
        .map(|namespace| Node {
            address: Address::Provider {
                subscription: prefix(&format!("provider/{namespace}")),
                namespace: namespace.clone(),
            },
            id: root.provider(namespace),
            kind: Kind::ProviderRegistration,
            api_version: versions.of(Kind::ProviderRegistration).to_owned(),
            want: Want::Registered,
            needs: Vec::new(),
            cluster: None,
        })
        .collect();
    let registered: Vec<Address> = nodes.iter().map(|node| node.address.clone()).collect();

    nodes.push(Node {
        address: group_address.clone(),
        id: group_id,
        kind: Kind::ResourceGroup,
        api_version: versions.of(Kind::ResourceGroup).to_owned(),
        want: Want::Group(resource_group.clone()),
        needs: Vec::new(),
        cluster: None,
    });
    nodes.push(Node {
        address: at(Part::Itself),
        id: cluster_id.clone(),
        kind: Kind::of_cluster(cluster.cluster_type),
        api_version: versions.of(Kind::of_cluster(cluster.cluster_type)).to_owned(),
        want: Want::Cluster(cluster.cluster_type),
        needs: vec![group_address],
        cluster: Some(cluster_id.clone()),
    });
    nodes.push(Node {
        address: at(Part::Extension),
        id: cluster_id.resource(extension::RESOURCE_TYPE, &extension.name),
        kind: Kind::Extension,
        api_version: versions.of(Kind::Extension).to_owned(),
        want: Want::Extension(Box::new(extension.clone()), cluster.cluster_type),
        needs: registered.into_iter().chain([at(Part::Itself)]).collect(),
        cluster: Some(cluster_id.clone()),
    });
    nodes.extend(configurations.iter().map(|(name, configuration)| {
        Node {
            address: at(Part::Configuration(name.clone())),
            id: cluster_id.resource(flux_configuration::RESOURCE_TYPE, name),
            kind: Kind::FluxConfiguration,
            api_version: versions.of(Kind::FluxConfiguration).to_owned(),
            want: Want::Configuration(Box::new(configuration.clone())),
            needs: [at(Part::Extension)]
                .into_iter()
                .chain(configuration.depends_on.iter().map(|other| at(Part::Configuration(other.clone()))))
                .collect(),
            cluster: Some(cluster_id.clone()),
        }
    }));
    nodes
}
