//! Nodes and edges from what a spec asks for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Absence, Graph, GraphError, Node, Want, order, part_of};
use crate::kinds::api_versions::ApiVersions;
use crate::kinds::cluster::ClusterType;
use crate::kinds::{Kind, extension, flux_configuration};
use crate::model::{Address, Part, ResourceId};
use crate::spec::{Desired, DesiredCluster};

/// Builds the graph.
///
/// # Errors
///
/// Every [`GraphError`] there is.
pub fn build(desired: &Desired) -> Result<Graph, Vec<GraphError>> {
    build_since(desired, None)
}

/// Builds the graph of a spec that was another one before: what the base had and the spec has not is in it, to be taken
/// down.
///
/// # Errors
///
/// Every [`GraphError`] there is, in either of them.
pub fn build_since(desired: &Desired, base: Option<&Desired>) -> Result<Graph, Vec<GraphError>> {
    let clusters: Vec<&DesiredCluster> =
        [Some(desired), base].into_iter().flatten().flat_map(|desired| &desired.clusters).collect();
    let ambiguous = ambiguous_names(&clusters);
    let mut nodes = nodes(desired, &desired.api_versions, &ambiguous)?;
    if let Some(base) = base {
        add_base(&mut nodes, self::nodes(base, &desired.api_versions, &ambiguous)?)?;
    }
    let (api_versions, policy) = (desired.api_versions.clone(), desired.policy.clone());
    order::ordered(nodes).map(|nodes| Graph::new(nodes, api_versions, policy))
}

fn nodes(
    desired: &Desired,
    versions: &ApiVersions,
    ambiguous: &BTreeSet<String>,
) -> Result<BTreeMap<Address, Node>, Vec<GraphError>> {
    let mut nodes: BTreeMap<Address, Node> = BTreeMap::new();
    let mut address_of: BTreeMap<ResourceId, Address> = BTreeMap::new();
    let mut errors = Vec::new();
    for node in desired.clusters.iter().flat_map(|cluster| cluster_nodes(cluster, versions, ambiguous)) {
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
    errors.dedup();
    if errors.is_empty() { Ok(nodes) } else { Err(errors) }
}

/// Tells each node what the base wanted of it, and adds what only the base has: configurations, to be deleted, and the
/// clusters that they are on.
fn add_base(nodes: &mut BTreeMap<Address, Node>, base: BTreeMap<Address, Node>) -> Result<(), Vec<GraphError>> {
    let mut errors = Vec::new();
    let address_of: BTreeMap<ResourceId, Address> =
        nodes.values().map(|node| (node.id.clone(), node.address.clone())).collect();
    // By their addresses in the base.
    let mut dropped: BTreeMap<Address, Node> = BTreeMap::new();
    for node in base.values() {
        if let Some(same) = address_of.get(&node.id).and_then(|address| nodes.get_mut(address)) {
            same.base = Some(node.want.clone());
            continue;
        }
        let (Want::Configuration(_), Some(cluster)) = (&node.want, &node.cluster) else { continue };
        let mut absent =
            Node { want: Want::Absent(Absence::DroppedSinceBase), base: Some(node.want.clone()), ..node.clone() };
        // The spec may write the names of its group and cluster in other letters than the base did.
        let part = Part::Configuration(node.id.name().to_owned());
        let here = address_of.get(cluster).and_then(|on| Some((part_of(on, Part::Extension)?, part_of(on, part)?)));
        if let Some((extension, address)) = here {
            absent.needs = vec![extension];
            absent.address = address;
        } else if let Some(former) = base.values().find(|other| other.id == *cluster) {
            absent.needs = vec![former.address.clone()];
            let on = nodes.entry(former.address.clone()).or_insert_with(|| dropped_cluster(former));
            // What would be deleted on the one would stand in the place of what is wanted on the other.
            if on.id != former.id {
                errors.push(GraphError::OtherCluster { address: former.address.clone() });
            }
        }
        dropped.insert(node.address.clone(), absent);
    }
    // What depended on another one goes before it.
    let goes_before: Vec<(Address, Address)> = dropped
        .iter()
        .flat_map(|(then, node)| base[then].needs.iter().map(move |first| (first.clone(), node.address.clone())))
        .collect();
    for (later, first) in goes_before {
        if let Some(later) = dropped.get_mut(&later) {
            later.needs.push(first);
            later.needs.sort();
        }
    }
    nodes.extend(dropped.into_values().map(|node| (node.address.clone(), node)));
    errors.dedup();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn dropped_cluster(former: &Node) -> Node {
    let cluster_type = match former.want {
        Want::Cluster(cluster_type, _) => cluster_type,
        Want::Registered
        | Want::Group(_)
        | Want::Extension(..)
        | Want::Configuration(_)
        | Want::Absent(_)
        | Want::Dropped(_) => ClusterType::default(),
    };
    Node { want: Want::Dropped(cluster_type), needs: Vec::new(), ..former.clone() }
}

/// Names without a subscription that would stand for resources in more than one: those need the prefix.
fn ambiguous_names(clusters: &[&DesiredCluster]) -> BTreeSet<String> {
    let mut subscriptions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for cluster in clusters {
        let group = cluster.resource_group.name.to_ascii_lowercase();
        let names = cluster.providers.iter().map(|provider| format!("provider/{provider}").to_ascii_lowercase());
        for name in names.chain([group]) {
            subscriptions.entry(name).or_default().insert(cluster.subscription.to_ascii_lowercase());
        }
    }
    subscriptions.into_iter().filter(|(_, found)| found.len() > 1).map(|(name, _)| name).collect()
}

fn cluster_nodes(desired: &DesiredCluster, versions: &ApiVersions, ambiguous: &BTreeSet<String>) -> Vec<Node> {
    let DesiredCluster { subscription, resource_group, cluster, providers, extension, configurations, absent, .. } =
        desired;
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
            base: None,
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
        base: None,
        needs: Vec::new(),
        cluster: None,
    });
    nodes.push(Node {
        address: at(Part::Itself),
        id: cluster_id.clone(),
        kind: Kind::of_cluster(cluster.cluster_type),
        api_version: versions.of(Kind::of_cluster(cluster.cluster_type)).to_owned(),
        want: Want::Cluster(cluster.cluster_type, cluster.onboard.clone().map(Box::new)),
        base: None,
        // Whoever connects a cluster writes to a provider.
        needs: registered.iter().filter(|_| cluster.onboard.is_some()).cloned().chain([group_address]).collect(),
        cluster: Some(cluster_id.clone()),
    });
    nodes.push(Node {
        address: at(Part::Extension),
        id: cluster_id.resource(extension::RESOURCE_TYPE, &extension.name),
        kind: Kind::Extension,
        api_version: versions.of(Kind::Extension).to_owned(),
        want: Want::Extension(Box::new(extension.clone()), cluster.cluster_type),
        base: None,
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
            base: None,
            needs: [at(Part::Extension)]
                .into_iter()
                .chain(configuration.depends_on.iter().map(|other| at(Part::Configuration(other.clone()))))
                .collect(),
            cluster: Some(cluster_id.clone()),
        }
    }));
    nodes.extend(absent.iter().map(|name| Node {
        address: at(Part::Configuration(name.clone())),
        id: cluster_id.resource(flux_configuration::RESOURCE_TYPE, name),
        kind: Kind::FluxConfiguration,
        api_version: versions.of(Kind::FluxConfiguration).to_owned(),
        want: Want::Absent(Absence::Declared),
        base: None,
        needs: vec![at(Part::Extension)],
        cluster: Some(cluster_id.clone()),
    }));
    nodes
}
