//! What a simulator is started with.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::authorization::Grant;
use super::endpoints::Told;
use super::offers::Offers;
use super::quirks::Quirks;
use super::repositories::Repositories;
use super::scenario::Scenario;

/// What a simulator is started with. None of it is kept in the state file.
#[derive(Clone)]
pub struct Settings {
    /// What a new state holds, one entry for each subscription; nothing when empty. A state file that exists is never
    /// seeded.
    pub seeds: Vec<Seed>,
    /// Whether the agents of clusters that are connected have to be installed
    /// ([`Simulator::install_agents`](super::Simulator::install_agents)); else they come by themselves.
    pub installs_agents: bool,
    /// What goes wrong.
    pub scenario: Option<Scenario>,
    /// Answers to what is not known about Azure.
    pub quirks: Quirks,
    /// What the simulated Flux finds in git; every repository is unbound when absent.
    pub repositories: Option<Arc<dyn Repositories>>,
    /// The simulator's time when the state is new.
    pub start: Timestamp,
    /// Resources per page of a list.
    pub page_size: usize,
    /// Requests allowed per subscription.
    pub limits: Limits,
    /// The api-versions that there are.
    pub offers: Offers,
    /// What the cloud tells of its endpoints.
    pub told: Told,
    /// What the caller is told that they may do, one entry for each role.
    pub grants: Vec<Grant>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seeds: Vec::new(),
            installs_agents: false,
            scenario: None,
            quirks: Quirks::default(),
            repositories: None,
            // 2026-01-01T00:00:00Z, so that runs without a clock of their own are alike.
            start: Timestamp::constant(1_767_225_600, 0),
            page_size: 1000,
            limits: Limits::default(),
            offers: Offers::default(),
            told: Told::default(),
            grants: vec![Grant::everything()],
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("seeds", &self.seeds)
            .field("installs_agents", &self.installs_agents)
            .field("scenario", &self.scenario)
            .field("quirks", &self.quirks)
            .field("repositories", &self.repositories.as_ref().map(|_| "bound"))
            .field("start", &self.start)
            .field("page_size", &self.page_size)
            .field("limits", &self.limits)
            .field("offers", &self.offers)
            .field("told", &self.told)
            .field("grants", &self.grants)
            .finish()
    }
}

/// The token buckets of one subscription, as Azure Resource Manager documents them since 2024.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// GET and HEAD.
    pub reads: Bucket,
    /// PUT, PATCH and POST.
    pub writes: Bucket,
    /// DELETE.
    pub deletes: Bucket,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reads: Bucket { capacity: 250, refill_per_second: 25 },
            writes: Bucket { capacity: 200, refill_per_second: 10 },
            deletes: Bucket { capacity: 200, refill_per_second: 10 },
        }
    }
}

/// One token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Requests that may come at once.
    pub capacity: u32,
    /// Requests that are allowed again with each second of the simulator's clock.
    pub refill_per_second: u32,
}

/// What stands in one subscription before the first request: groups and clusters, connected, `Microsoft.Kubernetes`
/// registered, `Microsoft.KubernetesConfiguration` and `Microsoft.ContainerService` not, no extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// Subscription id.
    pub subscription: String,
    /// Tenant id; a fixed one when absent. A simulator has one tenant: the last seed that names one says which.
    pub tenant: Option<String>,
    /// Resource groups.
    pub groups: Vec<SeedGroup>,
    /// Clusters. The group of each is created with it when `groups` does not name it.
    pub clusters: Vec<SeedCluster>,
}

/// A resource group of a [`Seed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedGroup {
    /// Name.
    pub name: String,
    /// Region, such as `westeurope`.
    pub location: String,
}

/// A cluster of a [`Seed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedCluster {
    /// Name of its resource group.
    pub resource_group: String,
    /// Name.
    pub name: String,
    /// Which resource type it is.
    pub cluster_type: SeedClusterType,
    /// Region, such as `westeurope`.
    pub location: String,
}

/// Resource type of a [`SeedCluster`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedClusterType {
    /// `Microsoft.Kubernetes/connectedClusters`.
    ConnectedClusters,
    /// `Microsoft.ContainerService/managedClusters`.
    ManagedClusters,
}
