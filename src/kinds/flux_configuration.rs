//! `Microsoft.KubernetesConfiguration/fluxConfigurations`: a source, and the kustomizations applied from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Seconds, SecretRef};

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
    /// The git repository to apply from.
    pub git_repository: GitRepositorySpec,
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

/// A git repository, the revision to follow, and how to sign in to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitRepositorySpec {
    /// Where the repository is: `https://`, `http://` or `ssh://`. The short form `git@host:path` is not a URL that
    /// Flux can use: write `ssh://git@host/path`. Credentials never stand in the URL.
    #[schemars(extend("examples" = ["https://github.com/contoso/gitops"]))]
    pub url: String,
    /// The branch to follow. Exactly one of `branch`, `tag` and `semver`; a `commit` goes with a branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["main"]))]
    pub branch: Option<String>,
    /// The tag to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["v1.2.3"]))]
    pub tag: Option<String>,
    /// A range of semantic versions: the newest tag inside it is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[-0-9A-Za-z.*<>=!~^|, +]*[0-9xX*][-0-9A-Za-z.*<>=!~^|, +]*$"), extend("examples" = [">=1.0.0 <2.0.0"]))]
    pub semver: Option<String>,
    /// The commit to stay at: all 40 hexadecimal digits. It needs the `branch` that it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9a-f]{40}$"))]
    pub commit: Option<String>,
    /// How often Flux looks for new commits.
    #[serde(default = "Seconds::ten_minutes")]
    pub interval: Seconds,
    /// How long Flux waits for one fetch.
    #[serde(default = "Seconds::ten_minutes")]
    pub timeout: Seconds,
    /// How Flux signs in: `Generic` with the secrets given here, `Azure` with a managed identity at Azure DevOps,
    /// `GitHub` with a GitHub App.
    #[serde(default)]
    pub provider: Provider,
    /// The user name for `https://`; goes with `httpsKey`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub https_user: Option<String>,
    /// The password or access token for `https://`; goes with `httpsUser`. Write the value raw, not base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https_key: Option<SecretRef>,
    /// The private key for `ssh://`, in PEM form. Without it, Azure makes a key pair and shows the public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_private_key: Option<SecretRef>,
    /// The host keys of the server, as `ssh-keyscan` prints them. Needed for `ssh://` hosts that Azure does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub ssh_known_hosts: Option<String>,
    /// The certificate authority of the server, in PEM form, for `https://` servers with a private one.
    #[serde(default, rename = "httpsCACert", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub https_ca_cert: Option<String>,
    /// The name of a Kubernetes secret in the configuration's namespace that holds the credentials. It excludes every
    /// other way to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
    pub local_auth_ref: Option<String>,
}

/// How Flux signs in to a git server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Provider {
    /// With the secrets of the configuration, or not at all.
    #[default]
    Generic,
    /// With a managed identity, at Azure DevOps.
    Azure,
    /// As a GitHub App.
    GitHub,
}

/// A directory of the repository that Flux builds and applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KustomizationSpec {
    /// The directory, relative to the top of the repository. Empty means the whole repository.
    #[serde(default)]
    #[schemars(extend("examples" = ["./clusters/store-001/apps"]))]
    pub path: String,
    /// Kustomizations of the same configuration that must be ready before this one is applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// How often Flux applies again, also when nothing changed.
    #[serde(default = "Seconds::ten_minutes")]
    pub interval: Seconds,
    /// How long building, applying and health checks may take.
    #[serde(default = "Seconds::ten_minutes")]
    pub timeout: Seconds,
    /// How soon Flux tries again after a failure; by default after `interval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Seconds>,
    /// Whether Flux deletes what it applied once it is gone from the directory, or the kustomization is gone.
    #[serde(default)]
    pub prune: bool,
    /// Whether Flux deletes and recreates objects whose change the cluster refuses.
    #[serde(default)]
    pub force: bool,
    /// Whether Flux waits until what it applied is healthy.
    #[serde(default = "default_wait")]
    pub wait: bool,
    /// Values that Flux puts in place of `${NAME}` in the manifests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_build: Option<PostBuildSpec>,
}

/// Variable substitution after the build of a kustomization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostBuildSpec {
    /// Values by variable name. They can be read back by everyone who may read the configuration: no secrets here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": "^[_A-Za-z][_A-Za-z0-9]*$"}, "examples" = [{"REGION": "north"}]))]
    pub substitute: BTreeMap<String, String>,
}

fn default_namespace() -> String {
    "default".to_owned()
}

fn default_wait() -> bool {
    true
}
