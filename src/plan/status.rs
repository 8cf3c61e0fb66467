//! How what a spec declares is doing: graph and live state → status.

use serde::Serialize;
use serde_json::Value;

use crate::graph::{Graph, Node, Want, part_of};
use crate::kinds::Kind;
use crate::kinds::cluster::{self, ClusterType, Connectivity, connection_state, connectivity};
use crate::kinds::compliance::{Cause, Compliance, Fault, KustomizationState, compliance, kustomization_states};
use crate::kinds::extension::{self, is_flux};
use crate::kinds::flux_configuration::{ConfigurationSpec, Source, kustomization_order};
use crate::kinds::remedies::remedy;
use crate::kinds::state::{ProvisioningState, provisioning_state};
use crate::model::{Address, LiveState, Part, Reading, without_url_secrets};

/// How the declared clusters, their extensions and configurations are doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct StatusReport {
    /// Whether everything is as it should be.
    pub compliant: bool,
    /// The declared clusters, in order of the graph.
    pub clusters: Vec<ClusterStatus>,
}

/// How one cluster is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ClusterStatus {
    /// Its name for people.
    pub address: Address,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// ARM's word for its connection (`Connected`, `Offline`, `Running`…), or why it is not known.
    pub state: String,
    /// Whether its agents talk to Azure.
    pub ready: bool,
    /// The version of the Arc agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// When the Arc agents were last heard of, in ARM's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_heartbeat: Option<String>,
    /// The `microsoft.flux` extension; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<ExtensionStatus>,
    /// The declared configurations.
    pub configurations: Vec<ConfigurationStatus>,
}

/// How the `microsoft.flux` extension of a cluster is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ExtensionStatus {
    /// The name of its ARM resource.
    pub name: String,
    /// The version that is installed, or asked for where none is reported yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// ARM's word: `Succeeded`, `Creating`, `Failed`…
    pub provisioning_state: String,
    /// Whether it is installed and nothing is going on.
    pub ready: bool,
}

/// How one configuration is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ConfigurationStatus {
    /// Its name for people.
    pub address: Address,
    /// ARM's word: `Succeeded`, `Creating`, `Failed`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    /// ARM's word: `Compliant`, `Non-Compliant`, `Pending`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compliance_state: Option<String>,
    /// The revision that the source has fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synced_revision: Option<String>,
    /// What it comes down to.
    pub verdict: Verdict,
    /// The declared kustomizations, each after what it depends on.
    pub kustomizations: Vec<KustomizationState>,
}

/// What the status of a configuration comes down to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Verdict {
    /// Everything declared is applied, at one revision.
    Compliant,
    /// Flux leaves it alone, as the spec says.
    Suspended,
    /// Not yet, and nothing is wrong so far.
    Waiting {
        /// What is waited for.
        waiting_for: String,
    },
    /// Something has failed.
    Failing {
        /// The first object that failed.
        cause: Cause,
        /// What to do about it, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        remedy: Option<String>,
    },
    /// There is nothing to judge.
    Unknown {
        /// Why.
        message: String,
    },
}

impl Verdict {
    /// Whether the configuration is as the spec wants it.
    #[must_use]
    pub const fn is_as_wanted(&self) -> bool {
        match self {
            Self::Compliant | Self::Suspended => true,
            Self::Waiting { .. } | Self::Failing { .. } | Self::Unknown { .. } => false,
        }
    }
}

impl StatusReport {
    /// Reads the status of everything that `graph` declares.
    #[must_use]
    pub fn of(graph: &Graph, live: &LiveState) -> Self {
        let clusters: Vec<ClusterStatus> = graph
            .nodes()
            .iter()
            .filter_map(|node| match &node.want {
                Want::Cluster(cluster_type, _) => Some(cluster_status(graph, node, *cluster_type, live)),
                Want::Registered
                | Want::Group(_)
                | Want::Extension(..)
                | Want::Configuration(_)
                | Want::Absent(_)
                | Want::Dropped(_) => None,
            })
            .collect();
        Self { compliant: clusters.iter().all(ClusterStatus::is_compliant), clusters }
    }

    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_compliant(&self) -> bool {
        self.compliant
    }
}

impl ClusterStatus {
    fn is_compliant(&self) -> bool {
        let verdicts = self.configurations.iter().all(|one| one.verdict.is_as_wanted());
        self.ready && self.extension.as_ref().is_some_and(|extension| extension.ready) && verdicts
    }
}

fn cluster_status(graph: &Graph, node: &Node, cluster_type: ClusterType, live: &LiveState) -> ClusterStatus {
    let body = live.body(&node.id);
    let (state, ready) = match body {
        None => (absence(live.readings.get(&node.id)), false),
        Some(body) => {
            (connection_state(cluster_type, body).to_owned(), connectivity(cluster_type, body) == Connectivity::Ready)
        }
    };
    let extension = part_of(&node.address, Part::Extension);
    let on_it = extension.iter().flat_map(|extension| graph.dependants(extension));
    let configurations = on_it.filter_map(|address| graph.node(address));
    ClusterStatus {
        address: node.address.clone(),
        kind: node.kind,
        state,
        ready,
        agent_version: body.and_then(cluster::agent_version).map(str::to_owned),
        last_heartbeat: body.and_then(cluster::last_heartbeat).map(str::to_owned),
        extension: live
            .items(&node.id.collection(extension::RESOURCE_TYPE))
            .iter()
            .find(|item| is_flux(item))
            .map(extension_status),
        configurations: configurations
            .filter_map(|other| Some(configuration_status(other, other.want.configuration()?, live)))
            .collect(),
    }
}

fn extension_status(live: &Value) -> ExtensionStatus {
    let (provisioning_state, ready) = provisioning(live);
    ExtensionStatus {
        name: live.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        version: extension::version(live).map(str::to_owned),
        provisioning_state,
        ready,
    }
}

fn configuration_status(node: &Node, spec: &ConfigurationSpec, live: &LiveState) -> ConfigurationStatus {
    let Some(body) = live.body(&node.id) else {
        return ConfigurationStatus {
            address: node.address.clone(),
            provisioning_state: None,
            compliance_state: None,
            synced_revision: None,
            verdict: Verdict::Unknown { message: absence(live.readings.get(&node.id)) },
            kustomizations: Vec::new(),
        };
    };
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let order = kustomization_order(spec);
    let name = node.id.name();
    ConfigurationStatus {
        address: node.address.clone(),
        provisioning_state: Some(provisioning(body).0),
        compliance_state: text("/properties/complianceState"),
        synced_revision: text("/properties/sourceSyncedCommitId"),
        verdict: match compliance(name, &order, Source::of(spec).and_then(Source::commit), body) {
            Compliance::Reconciled { revision: _ } => Verdict::Compliant,
            Compliance::Progressing(waiting_for) => Verdict::Waiting { waiting_for: without_url_secrets(&waiting_for) },
            Compliance::Failing(Fault { cause, .. }) => Verdict::Failing {
                remedy: remedy(&cause.reason, &cause.message),
                cause: Cause { message: without_url_secrets(&cause.message), ..cause },
            },
            Compliance::Suspended if spec.suspend => Verdict::Suspended,
            Compliance::Suspended => Verdict::Waiting { waiting_for: "somebody has suspended it".to_owned() },
        },
        kustomizations: kustomization_states(name, &order, body),
    }
}

/// ARM's word, and whether it is the good one.
fn provisioning(live: &Value) -> (String, bool) {
    match provisioning_state(live) {
        ProvisioningState::Succeeded => ("Succeeded".to_owned(), true),
        ProvisioningState::Failed(state) | ProvisioningState::InFlight(state) => (state, false),
    }
}

fn absence(reading: Option<&Reading>) -> String {
    match reading {
        Some(Reading::Denied(message)) => format!("may not be read: {message}"),
        Some(Reading::Missing(_)) => "does not exist".to_owned(),
        Some(Reading::Present(_)) | None => "was not read".to_owned(),
    }
}
