//! Kubernetes clusters themselves: what a kubeconfig, `helm` and `az` reach. For onboarding, `doctor` and
//! `render --diff-against`.
//!
//! [`Kubernetes`] is the one seam: in production it is the network and two programs, in the engine's tests a cluster in
//! memory. Nothing here decides whether something is to be done; that stands in the plan.

mod agent_values;
mod api;
mod helm;
mod keys;
mod kubeconfig;
mod look;
mod nodes;
mod object;
mod program;
mod reach;
mod release;
mod removal;

use async_trait::async_trait;
use serde_json::Value;

use crate::model::{Secret, Sight};

pub use agent_values::{AgentFacts, AgentProxy, agent_values};
pub use keys::{AgentKeys, KeyError};
pub use program::is_passed_on;
pub use reach::{Clusters, Tools};

/// The helm release of the Arc agents, as `az connectedk8s connect` names it (`../shared/facts/az-cli-behaviour.md` §3,
/// step 18).
pub const RELEASE: &str = "azure-arc";

/// The namespace in which helm keeps that release.
pub const RELEASE_NAMESPACE: &str = "azure-arc-release";

/// The namespace of the agents.
pub const AGENTS_NAMESPACE: &str = "azure-arc";

/// The clusters that a kubeconfig reaches, by context.
#[async_trait]
pub trait Kubernetes: Send + Sync {
    /// Looks at a cluster. Reads only.
    async fn look(&self, context: &str) -> Result<Sight, ClusterError>;

    /// One object; `None` where there is none, or nothing of its kind. Reads only.
    async fn object(&self, context: &str, object: &ObjectName) -> Result<Option<Value>, ClusterError>;

    /// Installs the Arc agents, or brings the release there is to what `installation` says, and waits until helm says that
    /// they run. What stands half done from another time is taken up.
    async fn install_agents(&self, context: &str, installation: &Installation) -> Result<(), ClusterError>;

    /// Takes the Arc agents away: the release, its namespaces and its custom resource definitions. Where there are none,
    /// nothing is done.
    async fn remove_agents(&self, context: &str) -> Result<(), ClusterError>;

    /// Runs `az` with these arguments, which hold no secret.
    async fn az(&self, arguments: &[String]) -> Result<(), ClusterError>;
}

/// The name of an object of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// `source.toolkit.fluxcd.io/v1`, or `v1`.
    pub api_version: String,
    /// `GitRepository`.
    pub kind: String,
    /// Its namespace; `None` for what is in none.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// What is handed to helm.
#[derive(Debug)]
pub struct Installation {
    /// The chart: a directory, an archive, or `oci://REGISTRY/PATH:VERSION`.
    pub chart: String,
    /// The values, without secrets: a mapping.
    pub values: Value,
    /// The private key of the agents, in PEM form. It goes to helm's standard input, never into an argument
    /// or a file.
    pub private_key: Secret,
}

/// Why a cluster, `helm` or `az` did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ClusterError {
    /// What failed, and why.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}
