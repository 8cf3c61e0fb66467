//! What a spec asks for.

use std::collections::BTreeMap;

use crate::kinds::cluster::ClusterSpec;
use crate::kinds::extension::ExtensionSpec;
use crate::kinds::flux_configuration::ConfigurationSpec;
use crate::kinds::resource_group::ResourceGroupSpec;

/// Everything that a spec asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// The tenant that the token must be of, when the spec names one.
    pub tenant: Option<String>,
    /// Conventions that the spec follows.
    pub profile: Option<Profile>,
    /// The clusters.
    pub clusters: Vec<DesiredCluster>,
    /// The long form.
    pub expanded: serde_json::Value,
}

/// A convention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Coral.
    Coral,
}

/// What is asked for on one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredCluster {
    /// Its key in `clusters`.
    pub key: Option<String>,
    /// The subscription id.
    pub subscription: String,
    /// The resource group.
    pub resource_group: ResourceGroupSpec,
    /// The cluster.
    pub cluster: ClusterSpec,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The resource providers to register.
    pub providers: Vec<String>,
    /// The extension.
    pub extension: ExtensionSpec,
    /// The configurations by name.
    pub configurations: BTreeMap<String, ConfigurationSpec>,
}
