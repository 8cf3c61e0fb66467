//! Desired → a dependency graph of ARM resources, and the order in which they are handled.
//!
//! ARM enforces no order (`../shared/facts/domain.md`, finding 1): a configuration without an extension is accepted and
//! hangs. So every edge is ours: providers → resource group → cluster → extension → configurations.

mod build;
mod order;

use std::collections::{BTreeMap, BTreeSet};

use crate::kinds::Kind;
use crate::kinds::api_versions::ApiVersions;
use crate::kinds::cluster::ClusterType;
use crate::kinds::extension::ExtensionSpec;
use crate::kinds::flux_configuration::ConfigurationSpec;
use crate::kinds::onboarding::OnboardSpec;
use crate::kinds::resource_group::ResourceGroupSpec;
use crate::kinds::{extension, flux_configuration};
use crate::model::{Address, Part, Read, ReadMethod, ResourceId};
use crate::spec::Policy;

pub use build::{build, build_since};
pub use order::waves;

/// Resources and what each of them needs, in an order in which everything comes after what it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    /// Where each address stands among the nodes.
    places: BTreeMap<Address, usize>,
    /// What needs each of the nodes.
    dependants: BTreeMap<Address, Vec<Address>>,
    /// The api-versions to talk to Azure with.
    api_versions: ApiVersions,
    /// What the spec allows.
    policy: Policy,
}

/// One resource that a spec speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name for people.
    pub address: Address,
    /// Its ARM id. For an extension, the id that it would be created with.
    pub id: ResourceId,
    /// Its kind.
    pub kind: Kind,
    /// The api-version that it is read and written with.
    pub api_version: String,
    /// What the spec wants of it.
    pub want: Want,
    /// What the base, the spec as it was before, wanted of it; `None` where there is no base, or nothing of it in there.
    pub base: Option<Want>,
    /// What must be done before, in order of address.
    pub needs: Vec<Address>,
    /// The cluster that it is, or lies on: writes on one cluster go one at a time.
    pub cluster: Option<ResourceId>,
}

/// What a spec wants of a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Want {
    /// A provider that is registered.
    Registered,
    /// A resource group that exists.
    Group(ResourceGroupSpec),
    /// A cluster that exists: a reference, unless the spec says how it is connected.
    Cluster(ClusterType, Option<Box<OnboardSpec>>),
    /// The `microsoft.flux` extension on a cluster of this type.
    Extension(Box<ExtensionSpec>, ClusterType),
    /// A flux configuration.
    Configuration(Box<ConfigurationSpec>),
    /// A flux configuration that must not be there.
    Absent(Absence),
    /// A cluster that the base had and the spec has not: a reference, for what is to be taken off it. It need not exist.
    Dropped(ClusterType),
}

impl Want {
    /// How the cluster is connected, where that is what the spec says.
    #[must_use]
    pub fn onboarding(&self) -> Option<&OnboardSpec> {
        match self {
            Self::Cluster(_, onboarding) => onboarding.as_deref(),
            Self::Registered
            | Self::Group(_)
            | Self::Extension(..)
            | Self::Configuration(_)
            | Self::Absent(_)
            | Self::Dropped(_) => None,
        }
    }

    /// The configuration that is wanted, where that is what is.
    #[must_use]
    pub fn configuration(&self) -> Option<&ConfigurationSpec> {
        match self {
            Self::Configuration(spec) => Some(spec),
            Self::Registered
            | Self::Group(_)
            | Self::Cluster(..)
            | Self::Extension(..)
            | Self::Absent(_)
            | Self::Dropped(_) => None,
        }
    }
}

/// Why a flux configuration must not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// The spec says `state: absent`.
    Declared,
    /// The base had it, and the spec does not.
    DroppedSinceBase,
    /// Nobody names it, and the spec says `unmanaged: delete`.
    Unmanaged,
}

/// Why no graph could be built. A spec that passed its own rules cannot cause one of these, save by naming one resource
/// twice in ways that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two descriptions of one resource that do not agree.
    #[error("{address} is described twice, and the descriptions differ; describe it once, or the same way")]
    Contradiction {
        /// The resource.
        address: Address,
    },
    /// A cluster of the base that the spec has as another type: one name for two clusters.
    #[error(
        "{address} is a cluster of another type in the base, and configurations would be deleted there; take them down with \
         the spec that declares them: `arcflux destroy -f OLD`"
    )]
    OtherCluster {
        /// The cluster.
        address: Address,
    },
    /// Resources that need each other.
    #[error("these need each other, so none can come first: {}", cycle.iter().map(ToString::to_string).collect::<Vec<_>>().join(" -> "))]
    Cycle {
        /// The resources, each needing the next; the first stands again at the end.
        cycle: Vec<Address>,
    },
    /// A need that nothing in the graph meets.
    #[error("{address} needs {needs}, which the spec does not declare")]
    Unmet {
        /// The resource.
        address: Address,
        /// What it needs.
        needs: Address,
    },
}

/// The resource type of Flux v1 configurations, which must not be on a cluster with Flux v2
/// (`../shared/facts/domain.md` §2, E15).
pub const FLUX_V1: &str = "Microsoft.KubernetesConfiguration/sourceControlConfigurations";

/// The api-version that `az` lists Flux v1 configurations with (`../shared/facts/az-cli-behaviour.md` §0).
const FLUX_V1_API_VERSION: &str = "2022-03-01";

impl Graph {
    fn new(nodes: Vec<Node>, api_versions: ApiVersions, policy: Policy) -> Self {
        let mut dependants: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
        for node in &nodes {
            for needs in &node.needs {
                dependants.entry(needs.clone()).or_default().push(node.address.clone());
            }
        }
        let places = nodes.iter().enumerate().map(|(place, node)| (node.address.clone(), place)).collect();
        Self { nodes, places, dependants, api_versions, policy }
    }

    /// What needs `address`, in the order of the nodes.
    #[must_use]
    pub fn dependants(&self, address: &Address) -> &[Address] {
        self.dependants.get(address).map(Vec::as_slice).unwrap_or_default()
    }

    /// What the spec allows.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The api-version to talk to a kind with.
    #[must_use]
    pub fn api_version(&self, kind: Kind) -> &str {
        self.api_versions.of(kind)
    }

    /// The api-versions that are named, by the spec or since.
    #[must_use]
    pub const fn api_versions(&self) -> &ApiVersions {
        &self.api_versions
    }

    /// The same graph, read and written with other api-versions.
    #[must_use]
    pub fn with_api_versions(&self, api_versions: ApiVersions) -> Self {
        let at = |node: &Node| Node { api_version: api_versions.of(node.kind).to_owned(), ..node.clone() };
        Self::new(self.nodes.iter().map(at).collect(), api_versions.clone(), self.policy.clone())
    }

    /// The kinds that are read for a plan of this graph.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<Kind> {
        let mut kinds: BTreeSet<Kind> = self.nodes.iter().map(|node| node.kind).collect();
        if self.nodes.iter().any(|node| matches!(node.want, Want::Cluster(..))) {
            kinds.extend([Kind::Extension, Kind::FluxConfiguration]);
        }
        kinds
    }

    /// The graph with some nodes more, at its end: nothing needs them, and what they need is in it.
    #[must_use]
    pub fn with(self, nodes: Vec<Node>) -> Self {
        let Self { nodes: mut all, places: _, dependants: _, api_versions, policy } = self;
        all.extend(nodes);
        Self::new(all, api_versions, policy)
    }

    /// The nodes, each after everything that it needs.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node with this address.
    #[must_use]
    pub fn node(&self, address: &Address) -> Option<&Node> {
        self.places.get(address).map(|place| &self.nodes[*place])
    }

    /// The part of the graph that `keep` selects, with everything that it needs.
    #[must_use]
    pub fn select(&self, keep: impl Fn(&Address) -> bool) -> Self {
        let mut wanted: BTreeSet<&Address> = BTreeSet::new();
        for node in self.nodes.iter().rev() {
            if wanted.contains(&node.address) || keep(&node.address) {
                wanted.insert(&node.address);
                wanted.extend(&node.needs);
            }
        }
        self.of(self.nodes.iter().filter(|node| wanted.contains(&node.address)).cloned().collect())
    }

    /// The part of the graph that `keep` selects, with everything that needs it: what must go before it can.
    #[must_use]
    pub fn select_dependants(&self, keep: impl Fn(&Address) -> bool) -> Self {
        let mut selected: BTreeSet<&Address> = BTreeSet::new();
        for node in &self.nodes {
            if keep(&node.address) || node.needs.iter().any(|needs| selected.contains(needs)) {
                selected.insert(&node.address);
            }
        }
        self.of(self.nodes.iter().filter(|node| selected.contains(&node.address)).cloned().collect())
    }

    /// The same graph with other nodes.
    fn of(&self, nodes: Vec<Node>) -> Self {
        Self::new(nodes, self.api_versions.clone(), self.policy.clone())
    }

    /// The clusters that the spec says how to connect, each with the context that reaches it.
    #[must_use]
    pub fn contexts(&self) -> Vec<(&ResourceId, &str)> {
        self.nodes.iter().filter_map(|node| Some((&node.id, node.want.onboarding()?.context.as_str()))).collect()
    }

    /// Every read that a plan of this graph needs. All ids are known beforehand, so all can be sent at once.
    #[must_use]
    pub fn reads(&self) -> Vec<Read> {
        let mut reads: Vec<Read> = self.nodes.iter().flat_map(|node| node_reads(node, &self.api_versions)).collect();
        reads.sort();
        reads.dedup();
        reads
    }
}

fn node_reads(node: &Node, versions: &ApiVersions) -> Vec<Read> {
    let get = || Read { id: node.id.clone(), method: ReadMethod::Get, api_version: node.api_version.clone() };
    let list = |resource_type, method, api_version: &str| Read {
        id: node.id.collection(resource_type),
        method,
        api_version: api_version.to_owned(),
    };
    match &node.want {
        Want::Registered | Want::Group(_) | Want::Configuration(_) | Want::Absent(_) | Want::Dropped(_) => vec![get()],
        // The extension is found by its type, so it is listed, not read by its name.
        Want::Extension(..) => Vec::new(),
        Want::Cluster(..) => vec![
            get(),
            list(extension::RESOURCE_TYPE, ReadMethod::List, versions.of(Kind::Extension)),
            list(flux_configuration::RESOURCE_TYPE, ReadMethod::List, versions.of(Kind::FluxConfiguration)),
            list(FLUX_V1, ReadMethod::ListIfSupported, FLUX_V1_API_VERSION),
        ],
    }
}

/// The address of a part of the cluster that `address` is or lies on.
#[must_use]
pub fn part_of(address: &Address, part: Part) -> Option<Address> {
    match address {
        Address::Cluster { subscription, resource_group, cluster, part: _ } => Some(Address::Cluster {
            subscription: subscription.clone(),
            resource_group: resource_group.clone(),
            cluster: cluster.clone(),
            part,
        }),
        Address::Provider { .. } | Address::ResourceGroup { .. } => None,
    }
}
