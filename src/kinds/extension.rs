//! `Microsoft.KubernetesConfiguration/extensions` of the type `microsoft.flux`: the Flux installation of a cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
