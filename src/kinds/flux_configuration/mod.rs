//! `Microsoft.KubernetesConfiguration/fluxConfigurations`: a source, and the kustomizations applied from it.

mod azure_blob;
mod bucket;
mod git;
mod ignore;
mod kustomization;
mod oci_repository;
mod rules;
mod source;

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::adoption::{Adopted, Adopting, SecretNames};
use super::live_body::LiveBody;
use super::{Body, Unsayable};
use crate::model::{FieldPattern, Seconds, iso8601_seconds};
use azure_blob::AzureBlob;
use bucket::Bucket;
use git::GitRepository;
use kustomization::Kustomization;
use oci_repository::OciRepository;

pub use azure_blob::{AzureBlobSpec, ManagedIdentitySpec, ServicePrincipalSpec};
pub use bucket::BucketSpec;
pub use git::{GitRepositorySpec, Provider};
pub use ignore::{NotIgnorable, ignorable};
pub use kustomization::{KustomizationSpec, PostBuildSpec, SubstituteFromSpec, SubstituteKind, kustomization_order};
pub use oci_repository::{
    LayerOperation, LayerSelectorSpec, OciRepositorySpec, OidcIdentitySpec, TlsConfigSpec, VerifyProvider, VerifySpec,
};
pub use rules::{RULES, is_base64_text};
pub use source::{SOURCE_MEMBERS, Source};

/// A flux configuration. About it the spec is the whole truth: what is not named here has its documented default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigurationSpec {
    /// The Kubernetes namespace that the Flux objects live in; it is created if it is missing. It cannot change after
    /// creation. (ARM takes 253 characters, Kubernetes 63 and no dots.)
    #[serde(default = "default_namespace")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), extend("examples" = ["flux-system"]))]
    pub namespace: String,
    /// What Flux may change: the whole cluster, or only the configuration's namespace. It cannot change after creation.
    #[serde(default)]
    pub scope: Scope,
    /// Other configurations of this cluster that must be compliant before this one is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// Whether the configuration must be there. With `absent` it is deleted where it exists; what else is said of it is
    /// kept for the day it comes back.
    #[serde(default, skip_serializing_if = "Presence::is_present")]
    pub state: Presence,
    /// Whether a plan that deletes the configuration, or replaces it, is refused. To delete it, take this out first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub protect: bool,
    /// Fields that are left as they are found, by the names that a plan shows; `*` stands for any name. Exactly these: a
    /// field beside or below an ignored one is compared as ever. The plan counts what is ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["kustomizations.*.prune"]]))]
    pub ignore: Vec<FieldPattern>,
    /// Codes of problems of this configuration that are accepted, such as `AF065`. `arcflux explain-code` says which can
    /// be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^AF[0-9]{3}$")), extend("examples" = [["AF065"]]))]
    pub allow: Vec<String>,
    /// Whether Flux leaves the configuration alone: nothing is fetched, applied or deleted until it is taken back. Apply
    /// does not wait for a suspended configuration to be compliant.
    #[serde(default)]
    pub suspend: bool,
    /// Whether ARM's own operation lasts until Flux has reconciled, and fails when it does not. Apply waits for Flux
    /// in any case; this is for other clients that look at the provisioning state.
    #[serde(default)]
    pub wait_for_reconciliation: bool,
    /// How long ARM's own operation waits for Flux, with `waitForReconciliation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciliation_wait_duration: Option<Seconds>,
    /// The git repository to apply from. Exactly one of `gitRepository`, `bucket`, `azureBlob` and `ociRepository`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_repository: Option<GitRepositorySpec>,
    /// The bucket to apply from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<BucketSpec>,
    /// The container of an Azure storage account to apply from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure_blob: Option<AzureBlobSpec>,
    /// The repository of a container registry to apply from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci_repository: Option<OciRepositorySpec>,
    /// What to apply from the source, by name.
    #[schemars(extend(
        "minProperties" = 1,
        "propertyNames" = {"minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"}
    ))]
    pub kustomizations: BTreeMap<String, KustomizationSpec>,
}

/// What the Flux controllers of a configuration may change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// Everything in the cluster.
    #[default]
    Cluster,
    /// Only the namespace of the configuration.
    Namespace,
}

impl Scope {
    const ALL: [Self; 2] = [Self::Cluster, Self::Namespace];
}

/// Whether a configuration must be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Presence {
    /// It is created where it is missing, and kept as the spec says.
    #[default]
    Present,
    /// It is deleted where it exists.
    Absent,
}

impl Presence {
    /// For serde, which hands a reference.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_present(&self) -> bool {
        match self {
            Self::Present => true,
            Self::Absent => false,
        }
    }
}

fn default_namespace() -> String {
    "default".to_owned()
}

/// The resource type, below a cluster.
pub const RESOURCE_TYPE: &str = "Microsoft.KubernetesConfiguration/fluxConfigurations";

/// The newest stable api-version (`../shared/contracts/Microsoft.KubernetesConfiguration/stable/2025-04-01`).
pub const API_VERSION: &str = "2025-04-01";

/// The fields that PATCH cannot carry (`FluxConfigurationPatch` in the API document): a change of one needs a PUT.
pub const PUT_ONLY: &[&str] = &["properties.waitForReconciliation", "properties.reconciliationWaitDuration"];

/// The body that a spec asks for, and where its secrets go.
#[must_use]
pub fn body(spec: &ConfigurationSpec) -> Body {
    let ConfigurationSpec {
        namespace,
        scope,
        depends_on: _,
        state: _,
        protect: _,
        ignore: _,
        allow: _,
        suspend,
        wait_for_reconciliation,
        reconciliation_wait_duration,
        git_repository,
        bucket,
        azure_blob,
        oci_repository,
        kustomizations,
    } = spec;
    let source = Source::of(spec);
    let properties = Properties {
        scope: *scope,
        namespace,
        source_kind: source.map(Source::kind),
        suspend: *suspend,
        git_repository: git_repository.as_ref().map(GitRepository::from),
        bucket: bucket.as_ref().map(Bucket::from),
        azure_blob: azure_blob.as_ref().map(AzureBlob::from),
        oci_repository: oci_repository.as_ref().map(OciRepository::from),
        kustomizations: kustomizations.iter().map(|(name, spec)| (name.as_str(), Kustomization::from(spec))).collect(),
        wait_for_reconciliation: *wait_for_reconciliation,
        reconciliation_wait_duration: reconciliation_wait_duration.map(Seconds::to_iso8601),
    };
    Body { json: serde_json::json!({ "properties": properties }), holes: source.map(Source::holes).unwrap_or_default() }
}

/// The spec of the live configuration `name`: the inverse of [`body`]. What a secret signs in with is a reference, named
/// after the configuration; `names` are the names given so far.
///
/// # Errors
///
/// What a spec cannot say, with the field.
pub fn of_live(name: &str, live: &Value, names: &mut SecretNames) -> Result<Adopted<ConfigurationSpec>, Unsayable> {
    let live = LiveBody::properties(live)?;
    let mut adopting = Adopting::configuration(name, names);
    let settings = live.object("configurationProtectedSettings")?;
    let echoed: Vec<&str> = settings.iter().flat_map(LiveBody::keys).collect();
    let [git, bucket, blob, oci] = SOURCE_MEMBERS;
    let spec = ConfigurationSpec {
        namespace: live.text("namespace")?.unwrap_or_else(default_namespace),
        scope: live.word("scope", &Scope::ALL)?.unwrap_or_default(),
        // These are the spec's own: ARM knows nothing of them.
        depends_on: Vec::new(),
        state: Presence::Present,
        protect: false,
        ignore: Vec::new(),
        allow: Vec::new(),
        suspend: live.flag("suspend", false)?,
        wait_for_reconciliation: live.flag("waitForReconciliation", false)?,
        reconciliation_wait_duration: wait_of_live(&live)?,
        git_repository: live.object(git)?.map(|source| git::of_live(&source, &echoed, &mut adopting)).transpose()?,
        bucket: live.object(bucket)?.map(|source| bucket::of_live(&source, &mut adopting)).transpose()?,
        azure_blob: live.object(blob)?.map(|source| azure_blob::of_live(&source, &mut adopting)).transpose()?,
        oci_repository: live.object(oci)?.map(|source| oci_repository::of_live(&source, &mut adopting)).transpose()?,
        kustomizations: kustomizations_of_live(&live)?,
    };
    if Source::of(&spec).is_none() {
        return Err(live.unsayable("sourceKind", "this version of arcflux knows no source in the configuration"));
    }
    Ok(adopting.adopted(spec))
}

fn kustomizations_of_live(live: &LiveBody<'_>) -> Result<BTreeMap<String, KustomizationSpec>, Unsayable> {
    let Some(map) = live.object("kustomizations")? else { return Ok(BTreeMap::new()) };
    let each = map.keys().map(|name| {
        let body = map.object(name)?;
        Ok(body.map(|body| kustomization::of_live(&body)).transpose()?.map(|spec| (name.to_owned(), spec)))
    });
    each.filter_map(Result::transpose).collect()
}

/// ARM has the wait as an ISO 8601 duration.
fn wait_of_live(live: &LiveBody<'_>) -> Result<Option<Seconds>, Unsayable> {
    let key = "reconciliationWaitDuration";
    live.text(key)?
        .map(|text| {
            let seconds = iso8601_seconds(&text).and_then(|seconds| u32::try_from(seconds).ok()).and_then(Seconds::new);
            seconds.ok_or_else(|| live.unsayable(key, "it is not a duration from 1s to 9942h3m14s"))
        })
        .transpose()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    scope: Scope,
    namespace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_kind: Option<&'static str>,
    suspend: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_repository: Option<GitRepository<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<Bucket<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azure_blob: Option<AzureBlob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oci_repository: Option<OciRepository<'a>>,
    kustomizations: BTreeMap<&'a str, Kustomization<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    wait_for_reconciliation: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reconciliation_wait_duration: Option<String>,
}

/// For serde, which hands a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Base64 of a text without white space at its ends, as `az` sends the content of a file.
fn base64_text(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text.trim())
}
