//! The resource kinds: one file each, holding everything Azure-specific about it as data and small functions.

pub mod adoption;
pub mod api_versions;
pub mod cluster;
pub mod cluster_features;
pub mod compliance;
pub mod extension;
pub mod extension_versions;
pub mod flux_configuration;
pub mod flux_settings;
mod live_body;
pub mod offered_versions;
pub mod onboarding;
pub mod permissions;
pub mod provider;
pub mod remedies;
pub mod resource_group;
pub mod secret_values;
pub mod state;
pub mod words;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{FieldPath, Rules, SecretRef};
use cluster::ClusterType;

pub use live_body::Unsayable;

/// The registry: every kind that arcflux reads or writes. Nothing else is ever written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The registration of a resource provider.
    ProviderRegistration,
    /// A resource group.
    ResourceGroup,
    /// A cluster connected to Azure Arc.
    ConnectedCluster,
    /// An AKS cluster.
    ManagedCluster,
    /// The `microsoft.flux` extension of a cluster.
    Extension,
    /// A flux configuration of a cluster.
    FluxConfiguration,
}

impl Kind {
    /// Every kind, in order of creation.
    pub const ALL: [Self; 6] = [
        Self::ProviderRegistration,
        Self::ResourceGroup,
        Self::ConnectedCluster,
        Self::ManagedCluster,
        Self::Extension,
        Self::FluxConfiguration,
    ];

    /// The kind of a cluster.
    #[must_use]
    pub const fn of_cluster(cluster_type: ClusterType) -> Self {
        match cluster_type {
            ClusterType::ConnectedClusters => Self::ConnectedCluster,
            ClusterType::ManagedClusters => Self::ManagedCluster,
        }
    }

    /// The kind of the resources of a full type such as `Microsoft.Kubernetes/connectedClusters`, whatever its case.
    #[must_use]
    pub fn of_type(resource_type: &str) -> Option<Self> {
        [
            (ClusterType::ConnectedClusters.resource_type(), Self::ConnectedCluster),
            (ClusterType::ManagedClusters.resource_type(), Self::ManagedCluster),
            (extension::RESOURCE_TYPE, Self::Extension),
            (flux_configuration::RESOURCE_TYPE, Self::FluxConfiguration),
        ]
        .into_iter()
        .find_map(|(known, kind)| known.eq_ignore_ascii_case(resource_type).then_some(kind))
    }

    /// The word for one of them in messages: `fluxConfiguration`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::ProviderRegistration => "provider",
            Self::ResourceGroup => "resourceGroup",
            Self::ConnectedCluster => "connectedCluster",
            Self::ManagedCluster => "managedCluster",
            Self::Extension => "extension",
            Self::FluxConfiguration => "fluxConfiguration",
        }
    }

    /// The api-version that arcflux reads and writes it with, where a spec pins no other.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::ProviderRegistration => provider::API_VERSION,
            Self::ResourceGroup => resource_group::API_VERSION,
            Self::ConnectedCluster => ClusterType::ConnectedClusters.api_version(),
            Self::ManagedCluster => ClusterType::ManagedClusters.api_version(),
            Self::Extension => extension::API_VERSION,
            Self::FluxConfiguration => flux_configuration::API_VERSION,
        }
    }

    /// What Azure does to its fields.
    #[must_use]
    pub const fn rules(self) -> Rules {
        match self {
            Self::ProviderRegistration => &[],
            Self::ResourceGroup => resource_group::RULES,
            Self::ConnectedCluster | Self::ManagedCluster => cluster::RULES,
            Self::Extension => extension::RULES,
            Self::FluxConfiguration => flux_configuration::RULES,
        }
    }
}

/// ARM's envelope: the object that holds what a resource type defines itself, beside what all resources have.
pub(crate) const ENVELOPE: &str = "properties";

/// A path as people read it: without ARM's `properties`, which every body has.
#[must_use]
pub fn shown_path(path: &FieldPath) -> FieldPath {
    path.without_prefix(&FieldPath::dotted(ENVELOPE))
}

/// A body that a spec asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// Everything that may be shown.
    pub json: Value,
    /// Where the values go that may not.
    pub holes: Vec<Hole>,
}

/// A place in a body for a secret that is read at apply time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hole {
    /// The field that gets the value.
    pub path: FieldPath,
    /// Where the value is read.
    pub secret: SecretRef,
    /// Where the value may be used: the URL of the source that it signs in to, or, of a setting, the address of the
    /// extension.
    pub destination: String,
    /// How ARM wants the value.
    #[serde(default)]
    pub encoding: Encoding,
}

/// How ARM wants a secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Encoding {
    /// The base64 of the value.
    #[default]
    Base64,
    /// The value itself.
    Raw,
}
