//! `Microsoft.KubernetesConfiguration/extensions` of the type `microsoft.flux`: the Flux installation of a cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Body;
use super::cluster::ClusterType;
use crate::model::{Habit, Rule, Rules};

/// The one `microsoft.flux` extension of a cluster. What is not named here is left as it is found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtensionSpec {
    /// The name that the extension is created with. An extension that exists is found by its type, whatever its name.
    #[serde(default = "default_name")]
    #[schemars(length(max = 253), regex(pattern = r"^[a-zA-Z0-9][-.a-zA-Z0-9]*$"))]
    pub name: String,
    /// Whether Flux keeps each namespace to itself (the service's default is `true`). With `false`, Flux objects may
    /// refer to objects in other namespaces and the controllers act as cluster administrators: this weakens isolation
    /// for every configuration on the cluster. Layouts whose Flux objects cross namespaces need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_tenancy: Option<bool>,
    /// Settings of the extension. Every value is a text, booleans and numbers too. Settings that are not named here are
    /// left as they are found.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"image-automation-controller.enabled": "true"}]))]
    pub configuration_settings: BTreeMap<String, String>,
}

fn default_name() -> String {
    "flux".to_owned()
}

/// The resource type, below a cluster.
pub const RESOURCE_TYPE: &str = "Microsoft.KubernetesConfiguration/extensions";

/// The newest stable api-version (`../shared/contracts/Microsoft.KubernetesConfiguration/stable/2025-03-01`).
pub const API_VERSION: &str = "2025-03-01";

/// The value of `extensionType` by which the extension is found, compared without case.
pub const EXTENSION_TYPE: &str = "microsoft.flux";

/// The setting behind [`ExtensionSpec::multi_tenancy`].
pub const MULTI_TENANCY: &str = "multiTenancy.enforce";

/// What the service does to each field (`../shared/facts/az-cli-behaviour.md` §5, `../shared/facts/arm-contracts.md`
/// §2.3). Only what the spec names is compared; the rest is kept as found.
pub const RULES: Rules = &[
    read_only("id"),
    read_only("name"),
    read_only("type"),
    read_only("systemData"),
    kept("identity.type"),
    read_only("identity.principalId"),
    read_only("identity.tenantId"),
    kept("plan"),
    read_only("managedBy"),
    Rule { path: "properties.extensionType", habit: Habit::ImmutableWord(None) },
    kept("properties.autoUpgradeMode"),
    kept("properties.autoUpgradeMinorVersion"),
    kept("properties.releaseTrain"),
    kept("properties.version"),
    kept("properties.scope"),
    kept("properties.configurationSettings.*"),
    Rule { path: "properties.configurationProtectedSettings", habit: Habit::Secrets },
    read_only("properties.currentVersion"),
    read_only("properties.provisioningState"),
    read_only("properties.statuses"),
    read_only("properties.errorInfo"),
    read_only("properties.customLocationSettings"),
    read_only("properties.packageUri"),
    read_only("properties.aksAssignedIdentity"),
    read_only("properties.isSystemExtension"),
    read_only("properties.managementDetails"),
    read_only("properties.additionalDetails"),
    read_only("properties.extensionState"),
    // Undeclared, seen at 2022-03-01.
    read_only("properties.installState"),
];

const fn kept(path: &'static str) -> Rule {
    Rule { path, habit: Habit::KeepFound }
}

const fn read_only(path: &'static str) -> Rule {
    Rule { path, habit: Habit::ReadOnly }
}

/// What the spec says of an extension that may exist already: its type, and the settings that it names.
#[must_use]
pub fn body(spec: &ExtensionSpec) -> Body {
    let ExtensionSpec { name: _, multi_tenancy, configuration_settings } = spec;
    let mut settings = configuration_settings.clone();
    if let Some(enforce) = multi_tenancy {
        settings.insert(MULTI_TENANCY.to_owned(), enforce.to_string());
    }
    let json = json!({ "properties": { "extensionType": EXTENSION_TYPE, "configurationSettings": settings } });
    Body { json, holes: Vec::new() }
}

/// What a new extension is created with beside [`body`]: automatic minor upgrades, and on Arc-connected clusters the
/// identity without which the installation fails (`../shared/facts/domain.md` §1.2). AKS wants no identity.
#[must_use]
pub fn creation_defaults(cluster_type: ClusterType) -> Value {
    match cluster_type {
        ClusterType::ConnectedClusters => {
            json!({ "identity": { "type": "SystemAssigned" }, "properties": { "autoUpgradeMinorVersion": true } })
        }
        ClusterType::ManagedClusters => json!({ "properties": { "autoUpgradeMinorVersion": true } }),
    }
}

/// Whether this live extension is the Flux one.
#[must_use]
pub fn is_flux(live: &Value) -> bool {
    live.pointer("/properties/extensionType")
        .and_then(Value::as_str)
        .is_some_and(|found| found.eq_ignore_ascii_case(EXTENSION_TYPE))
}

/// The version of a live extension: the installed one (`currentVersion`), else the one asked for.
#[must_use]
pub fn version(live: &Value) -> Option<&str> {
    let text = |pointer: &str| live.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("/properties/currentVersion").or_else(|| text("/properties/version"))
}
