//! The keys of a spec, as types: what the published schema is generated from, and the strict form of one cluster after
//! expansion and substitution.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kinds::api_versions::ApiVersions;
use crate::kinds::cluster::{ClusterSpec, ClusterType};
use crate::kinds::extension::ExtensionSpec;
use crate::kinds::flux_configuration::{ConfigurationSpec, GitRepositorySpec, KustomizationSpec};
use crate::kinds::onboarding::OnboardSpec;
use crate::kinds::resource_group::ResourceGroupSpec;
use crate::model::Limit;

/// What one spec may say.
#[derive(schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "arcflux spec", extend("$id" = "https://raw.githubusercontent.com/arcflux/arcflux/main/schemas/spec.schema.json"))]
#[expect(dead_code, reason = "only its schema is used: a spec is read from the tree, which keeps places")]
pub(super) struct Document {
    /// The version of this format.
    api_version: ApiVersion,
    /// The tenant that the subscriptions must belong to. A guard: nothing is written to another one.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"), extend("examples" = ["7d0b1f5a-93c4-4a52-8f0e-61c2b7a4d9e3"]))]
    tenant: Option<String>,
    /// The id of the subscription that the cluster is in. Entries of `clusters` may have their own.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"), extend("examples" = ["3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20"]))]
    subscription: Option<String>,
    /// The resource group that the cluster is in: its name, or a mapping with `name`, `location` and `tags`. Entries of
    /// `clusters` may have their own.
    #[serde(default)]
    resource_group: Option<ResourceGroup>,
    /// The one cluster of this spec. For several, use `clusters`.
    #[serde(default)]
    cluster: Option<ClusterSpec>,
    /// The clusters of this spec, by name. Each gets everything that the spec declares; `${cluster.…}` and `${values.…}`
    /// make the difference.
    #[serde(default)]
    #[schemars(extend("minProperties" = 1, "propertyNames" = {"minLength": 1, "maxLength": 63, "pattern": "^[a-zA-Z0-9][-_.a-zA-Z0-9]*$"}))]
    clusters: Option<BTreeMap<String, ClusterEntry>>,
    /// The resource providers that must be registered in the subscription. By default those that the cluster's type
    /// needs: `Microsoft.KubernetesConfiguration`, and `Microsoft.Kubernetes` or `Microsoft.ContainerService`.
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^[A-Za-z0-9]+(\.[A-Za-z0-9]+)+$")), extend("examples" = [["Microsoft.Kubernetes", "Microsoft.KubernetesConfiguration"]]))]
    providers: Option<Vec<String>>,
    /// The Flux extension of the cluster. What is not named is left as it is found.
    #[serde(default)]
    extension: Option<ExtensionSpec>,
    /// Short form: the git repository of the configuration `flux-system`. It goes with `kustomizations`.
    #[serde(default)]
    repo: Option<GitRepositorySpec>,
    /// Short form: the kustomizations of the configuration `flux-system`, by name. They go with `repo`.
    #[serde(default)]
    #[schemars(extend("minProperties" = 1, "propertyNames" = {"minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"}))]
    kustomizations: Option<BTreeMap<String, KustomizationSpec>>,
    /// The flux configurations of every cluster, by name.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"}))]
    configurations: Option<BTreeMap<String, ConfigurationSpec>>,
    /// The api-versions to talk to Azure with, for clouds that do not have the newest ones. What is not named here has
    /// the newest that arcflux knows.
    #[serde(default)]
    api_versions: Option<ApiVersions>,
    /// What is allowed, and which conventions hold.
    #[serde(default)]
    policy: Option<Policy>,
}

/// The only value that this version reads.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum ApiVersion {
    #[serde(rename = "arcflux/v1")]
    V1,
}

/// A resource group, by name or declared.
#[derive(schemars::JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used: the tree is brought to the second form")]
enum ResourceGroup {
    Name(
        #[schemars(length(min = 1, max = 90), regex(pattern = r"^[-\w._()]*[-\w_()]$"), extend("examples" = ["rg-edge"]))]
         String,
    ),
    Declared(ResourceGroupSpec),
}

/// One of several clusters, and what is different about it.
#[derive(schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used: entries are read from the tree, which keeps places")]
struct ClusterEntry {
    /// The id of the subscription that this cluster is in, instead of the one at the top.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    subscription: Option<String>,
    /// The resource group that this cluster is in, instead of the one at the top.
    #[serde(default)]
    resource_group: Option<ResourceGroup>,
    /// The name of the cluster's ARM resource; by default the entry's key.
    #[serde(default)]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-zA-Z0-9][-_.a-zA-Z0-9]*$"))]
    name: Option<String>,
    /// `connectedClusters` for a cluster connected to Azure Arc, `managedClusters` for AKS.
    #[serde(rename = "type", default)]
    cluster_type: ClusterType,
    /// How this cluster is connected to Azure Arc where it is not.
    #[serde(default)]
    onboard: Option<OnboardSpec>,
    /// Values that this spec reads as `${values.NAME}`: texts, numbers, booleans.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"pattern": "^[A-Za-z_][-_A-Za-z0-9]*$"}, "examples" = [{"environment": "prod"}]))]
    values: BTreeMap<String, ScalarValue>,
    /// Labels to select clusters by.
    #[serde(default)]
    #[schemars(extend("examples" = [{"region": "north"}]))]
    labels: BTreeMap<String, String>,
}

/// A value that can stand in the middle of a text.
struct ScalarValue;

impl schemars::JsonSchema for ScalarValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ScalarValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// What is allowed, and which conventions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// A repository layout whose rules are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// What is done about configurations on these clusters that the spec does not name.
    #[serde(default)]
    pub unmanaged: UnmanagedPolicy,
    /// How much one plan may change. Options of the command line go before these.
    #[serde(default)]
    pub limits: Limits,
}

/// What is done about live configurations that a spec does not name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UnmanagedPolicy {
    /// They are listed and left alone.
    #[default]
    Report,
    /// They are deleted.
    Delete,
}

/// How many of the live configurations that a spec speaks of one plan may change: a number, or a share such as `30%`,
/// which holds from ten configurations on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// How many may be deleted, replaced, or lose a kustomization; by default `30%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["30%"]))]
    pub max_delete: Option<Limit>,
    /// How many may be updated; by default `30%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["100%"]))]
    pub max_update: Option<Limit>,
}

/// A known layout of a GitOps repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Profile {
    /// Coral: `clusters/<cluster>/<workspace>/…`, everything owned by the configuration `flux-system`.
    Coral,
}

impl Profile {
    /// The profile that a word of the spec names.
    pub(super) fn named(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// Everything about one cluster, after expansion and substitution: no references, no short forms.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClusterDocument {
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub(super) tenant: Option<String>,
    #[serde(default)]
    pub(super) policy: Policy,
    #[serde(default)]
    pub(super) api_versions: ApiVersions,
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub(super) subscription: String,
    pub(super) resource_group: ResourceGroupSpec,
    pub(super) cluster: ClusterSpec,
    pub(super) labels: BTreeMap<String, String>,
    #[schemars(inner(regex(pattern = r"^[A-Za-z0-9]+(\.[A-Za-z0-9]+)+$")))]
    pub(super) providers: Vec<String>,
    pub(super) extension: ExtensionSpec,
    #[schemars(extend("propertyNames" = {"minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"}))]
    pub(super) configurations: BTreeMap<String, ConfigurationSpec>,
    /// The names of configurations that must not be there.
    pub(super) absent: Vec<String>,
}
