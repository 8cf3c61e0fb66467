//! What the simulator remembers: the resources of every subscription, the operations on them, and the clock.
//!
//! Everything here is data that can be written to a file. Keys of maps are lower-case names, because ARM compares names
//! without case; each value keeps the name as it was first written. No secret is ever part of it: only its key is kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::agents::Agents;
use super::durations;
use super::settings::{Seed, SeedClusterType, Settings};
use super::trouble::{Fate, Silence};

/// Version of the state's shape. A file with a higher one was written by a newer arcflux.
pub(crate) const FORMAT: u32 = 1;

/// The tenant of every subscription, unless the seed names another.
const TENANT: &str = "7a1c3e5f-0b2d-4c6e-8f90-a1b2c3d4e5f6";

/// Namespace of the ids that the simulator makes up, so that a run can be repeated to the byte.
const IDS: Uuid = Uuid::from_u128(0x6172_6366_6c75_7800_7369_6d00_0000_0001);

/// Everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) format: u32,
    pub(crate) now: Timestamp,
    /// Counts the ids made so far.
    pub(crate) serial: u64,
    pub(crate) tenant: String,
    pub(crate) subscriptions: BTreeMap<String, Subscription>,
    /// Every operation ever started, by id: they stay readable after their resource is gone.
    pub(crate) operations: BTreeMap<String, Operation>,
    /// How the next operations go, by the path of their resource in lower case; as usual where there is none.
    #[serde(default)]
    pub(crate) fates: BTreeMap<String, Vec<Fate>>,
    /// The Arc agents on clusters themselves, by whatever the cluster is called outside of Azure.
    #[serde(default)]
    pub(crate) agents: BTreeMap<String, Agents>,
}

/// One subscription. One that nobody has written to is answered as an empty one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    /// Providers whose registration was ever touched; any other is not registered.
    pub(crate) providers: BTreeMap<String, Registration>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) buckets: BTreeMap<String, Level>,
}

/// Fill level of a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Level {
    pub(crate) tokens: f64,
    pub(crate) at: Timestamp,
}

/// Registration of one resource provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Registration {
    NotRegistered,
    Registering { until: Timestamp },
    Registered,
    Unregistering { until: Timestamp },
    Unregistered,
}

impl Registration {
    /// ARM's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NotRegistered => "NotRegistered",
            Self::Registering { .. } => "Registering",
            Self::Registered => "Registered",
            Self::Unregistering { .. } => "Unregistering",
            Self::Unregistered => "Unregistered",
        }
    }
}

/// A resource group and what is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) tags: Option<Value>,
    pub(crate) managed_by: Option<String>,
    pub(crate) deletion: Option<Pending>,
    pub(crate) clusters: BTreeMap<String, Cluster>,
}

/// Which kind of cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ClusterKind {
    Connected,
    Managed,
}

impl ClusterKind {
    /// Namespace and type as documented.
    pub(crate) fn resource_type(self) -> &'static str {
        match self {
            Self::Connected => "Microsoft.Kubernetes/connectedClusters",
            Self::Managed => "Microsoft.ContainerService/managedClusters",
        }
    }

    /// The namespace alone.
    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::Connected => "Microsoft.Kubernetes",
            Self::Managed => "Microsoft.ContainerService",
        }
    }

    /// The type as KubernetesConfiguration spells it in the operation URLs that it makes.
    pub(crate) fn in_operation_urls(self) -> &'static str {
        match self {
            Self::Connected => "ConnectedClusters",
            Self::Managed => "ManagedClusters",
        }
    }

    /// Key of a cluster of this kind named `name` in its group.
    pub(crate) fn key(self, name: &str) -> String {
        format!("{}/{}", self.in_operation_urls(), name).to_lowercase()
    }
}

/// A connected or managed cluster with the resources that hang on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) kind: ClusterKind,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) tags: Option<Value>,
    pub(crate) identity: Option<Value>,
    /// Top-level members besides the ones named here (`kind`, `sku`).
    pub(crate) extras: Map<String, Value>,
    pub(crate) properties: Map<String, Value>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) provisioning: Provisioning,
    pub(crate) pending: Option<Pending>,
    /// Since when agents report from it; none have yet when absent.
    pub(crate) online_since: Option<Timestamp>,
    pub(crate) extensions: BTreeMap<String, Extension>,
    pub(crate) configurations: BTreeMap<String, FluxConfiguration>,
    pub(crate) source_control: BTreeMap<String, SourceControlConfiguration>,
    /// When its agents are silent.
    #[serde(default)]
    pub(crate) silences: Vec<Silence>,
    /// How its agents come to be there.
    #[serde(default)]
    pub(crate) arrival: Arrival,
    /// Until when nothing happens by itself, as far as is known: spares looking at thousands of clusters again.
    #[serde(skip)]
    pub(crate) quiet_until: Option<Timestamp>,
}

/// How the agents of a connected cluster come to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Arrival {
    /// By themselves, as if whoever made the record had installed them.
    #[default]
    Expected,
    /// Somebody has to install them with the record's key.
    Awaited,
    /// Somebody has.
    Installed { at: Timestamp },
}

/// ARM's `provisioningState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Provisioning {
    Accepted,
    Creating,
    Updating,
    Deleting,
    Succeeded,
    Failed,
}

impl Provisioning {
    /// ARM's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// The operation that is running on a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) operation: String,
    pub(crate) started: Timestamp,
    pub(crate) deletes: bool,
    #[serde(default)]
    pub(crate) fate: Fate,
}

/// An operation as its status URL shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    /// The word shown while it runs.
    pub(crate) running: String,
    /// Id of the resource, for the providers that show it.
    pub(crate) resource: String,
    pub(crate) started: Timestamp,
    pub(crate) end: Option<End>,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) at: Timestamp,
    pub(crate) outcome: Outcome,
}

/// What an operation ended as.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Succeeded,
    Failed { code: String, message: String },
    Canceled,
}

/// An extension instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extension {
    pub(crate) name: String,
    pub(crate) properties: Map<String, Value>,
    pub(crate) identity: Option<Value>,
    pub(crate) extras: Map<String, Value>,
    pub(crate) principal: String,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) provisioning: Provisioning,
    pub(crate) pending: Option<Pending>,
    /// When it last became usable.
    pub(crate) ready_since: Option<Timestamp>,
    pub(crate) failure: Option<String>,
}

impl Extension {
    /// Whether this is Flux. Types compare without case.
    pub(crate) fn is_flux(&self) -> bool {
        self.properties
            .get("extensionType")
            .and_then(Value::as_str)
            .is_some_and(|name| name.eq_ignore_ascii_case("microsoft.flux"))
    }
}

/// A flux configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FluxConfiguration {
    pub(crate) name: String,
    pub(crate) properties: Map<String, Value>,
    /// Keys of protected settings, and paths of inline secrets, that are set. Never a value.
    pub(crate) secrets: BTreeSet<String>,
    /// A stored ssh key was dropped by a PUT: the key pair that the cluster made instead is nobody's deploy key.
    pub(crate) ssh_key_lost: bool,
    /// As [`Self::ssh_key_lost`], of the account key or signature of a blob source, which leaves no other trace.
    #[serde(default)]
    pub(crate) blob_key_lost: bool,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) provisioning: Provisioning,
    pub(crate) pending: Option<Pending>,
    pub(crate) report: Report,
}

/// A Flux v1 configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SourceControlConfiguration {
    pub(crate) name: String,
    pub(crate) properties: Map<String, Value>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

/// What the cluster has reported about a flux configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) compliance: Option<String>,
    pub(crate) statuses: Vec<Value>,
    pub(crate) revision: Option<String>,
    pub(crate) source_updated: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    /// When the reconciliation that is under way began.
    pub(crate) reconciling_since: Option<Timestamp>,
    /// When the cluster reports next.
    pub(crate) next: Option<Timestamp>,
}

impl State {
    /// A new state: empty, or with what the seeds name.
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut state = Self {
            format: FORMAT,
            now: settings.start,
            serial: 0,
            tenant: TENANT.to_owned(),
            subscriptions: BTreeMap::new(),
            operations: BTreeMap::new(),
            fates: BTreeMap::new(),
            agents: BTreeMap::new(),
        };
        for seed in &settings.seeds {
            state.plant(seed);
        }
        state
    }

    /// An id nobody has had yet.
    pub(crate) fn new_id(&mut self) -> String {
        self.serial += 1;
        Uuid::new_v5(&IDS, &self.serial.to_be_bytes()).to_string()
    }

    /// The subscription, made if nobody has written to it yet.
    pub(crate) fn subscription_mut(&mut self, id: &str) -> &mut Subscription {
        self.subscriptions
            .entry(id.to_lowercase())
            .or_insert_with(|| Subscription { id: id.to_owned(), ..Subscription::default() })
    }

    fn plant(&mut self, seed: &Seed) {
        if let Some(tenant) = &seed.tenant {
            self.tenant.clone_from(tenant);
        }
        let now = self.now;
        for group in &seed.groups {
            self.plant_group(&seed.subscription, &group.name, &group.location);
        }
        for planted in &seed.clusters {
            let principal = self.new_id();
            let tenant = self.tenant.clone();
            let group = self.plant_group(&seed.subscription, &planted.resource_group, &planted.location);
            let created = durations::before(now, std::time::Duration::from_secs(86_400));
            let (kind, properties) = match planted.cluster_type {
                SeedClusterType::ConnectedClusters => (ClusterKind::Connected, planted_connected()),
                SeedClusterType::ManagedClusters => (ClusterKind::Managed, planted_managed()),
            };
            let cluster = Cluster {
                kind,
                name: planted.name.clone(),
                location: planted.location.clone(),
                tags: None,
                identity: Some(serde_json::json!({
                    "principalId": principal, "tenantId": tenant, "type": "SystemAssigned",
                })),
                extras: Map::new(),
                properties,
                created,
                modified: created,
                provisioning: Provisioning::Succeeded,
                pending: None,
                online_since: Some(created),
                extensions: BTreeMap::new(),
                configurations: BTreeMap::new(),
                source_control: BTreeMap::new(),
                silences: Vec::new(),
                arrival: Arrival::Expected,
                quiet_until: None,
            };
            group.clusters.entry(kind.key(&planted.name)).or_insert(cluster);
        }
        let providers = &mut self.subscription_mut(&seed.subscription).providers;
        providers.insert("microsoft.kubernetes".to_owned(), Registration::Registered);
    }

    fn plant_group(&mut self, subscription: &str, name: &str, location: &str) -> &mut Group {
        self.subscription_mut(subscription).groups.entry(name.to_lowercase()).or_insert_with(|| Group {
            name: name.to_owned(),
            location: location.to_owned(),
            tags: None,
            managed_by: None,
            deletion: None,
            clusters: BTreeMap::new(),
        })
    }
}

fn planted_connected() -> Map<String, Value> {
    let mut properties = Map::new();
    for (name, value) in
        [("agentPublicKeyCertificate", "MIICCgKCAgEA"), ("distribution", "k3s"), ("infrastructure", "generic")]
    {
        properties.insert(name.to_owned(), Value::from(value));
    }
    properties
}

fn planted_managed() -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("kubernetesVersion".to_owned(), Value::from("1.33"));
    properties.insert("dnsPrefix".to_owned(), Value::from("sim"));
    properties
}
