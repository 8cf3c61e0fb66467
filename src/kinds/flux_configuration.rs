//! `Microsoft.KubernetesConfiguration/fluxConfigurations`: a source, and the kustomizations applied from it.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::{Deserialize, Serialize};

use super::{Body, Hole};
use crate::model::{FieldPath, Habit, Rule, Rules, Scalar, Seconds, SecretRef};

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

/// The resource type, below a cluster.
pub const RESOURCE_TYPE: &str = "Microsoft.KubernetesConfiguration/fluxConfigurations";

/// The newest stable api-version (`../shared/contracts/Microsoft.KubernetesConfiguration/stable/2025-04-01`).
pub const API_VERSION: &str = "2025-04-01";

/// What the service does to each field (`../shared/facts/az-cli-behaviour.md` §5, `../shared/facts/arm-contracts.md`
/// §1.3–§1.5 and §10).
pub const RULES: Rules = &[
    read_only("id"),
    read_only("name"),
    read_only("type"),
    read_only("systemData"),
    Rule { path: "properties.scope", habit: Habit::ImmutableWord(Some("cluster")) },
    Rule { path: "properties.namespace", habit: Habit::Immutable(Some("default")) },
    Rule { path: "properties.sourceKind", habit: Habit::Word(Some("GitRepository")) },
    Rule { path: "properties.suspend", habit: Habit::Default(Scalar::Bool(false)) },
    plain("properties.gitRepository.url"),
    ten_minutes("properties.gitRepository.timeoutInSeconds"),
    ten_minutes("properties.gitRepository.syncIntervalInSeconds"),
    plain("properties.gitRepository.repositoryRef.branch"),
    plain("properties.gitRepository.repositoryRef.tag"),
    plain("properties.gitRepository.repositoryRef.semver"),
    plain("properties.gitRepository.repositoryRef.commit"),
    Rule { path: "properties.gitRepository.sshKnownHosts", habit: Habit::Base64Text },
    plain("properties.gitRepository.httpsUser"),
    Rule { path: "properties.gitRepository.httpsCACert", habit: Habit::Base64Text },
    plain("properties.gitRepository.localAuthRef"),
    // Sent as `Generic`, returned as `generic`; hidden by api-versions up to 2023-05-01.
    Rule { path: "properties.gitRepository.provider", habit: Habit::Word(Some("Generic")) },
    // The other sources: the spec cannot say them yet, so finding one is a difference.
    plain("properties.bucket"),
    plain("properties.azureBlob"),
    plain("properties.ociRepository"),
    read_only("properties.kustomizations.*.name"),
    Rule { path: "properties.kustomizations.*.path", habit: Habit::Default(Scalar::Text("")) },
    Rule { path: "properties.kustomizations.*.dependsOn", habit: Habit::Set },
    ten_minutes("properties.kustomizations.*.timeoutInSeconds"),
    ten_minutes("properties.kustomizations.*.syncIntervalInSeconds"),
    plain("properties.kustomizations.*.retryIntervalInSeconds"),
    Rule { path: "properties.kustomizations.*.prune", habit: Habit::Default(Scalar::Bool(false)) },
    Rule { path: "properties.kustomizations.*.force", habit: Habit::Default(Scalar::Bool(false)) },
    // Hidden by api-versions before 2023-05-01.
    Rule { path: "properties.kustomizations.*.wait", habit: Habit::Default(Scalar::Bool(true)) },
    plain("properties.kustomizations.*.postBuild.substitute.*"),
    plain("properties.kustomizations.*.postBuild.substituteFrom"),
    Rule { path: "properties.configurationProtectedSettings", habit: Habit::Secrets },
    Rule { path: "properties.waitForReconciliation", habit: Habit::Default(Scalar::Bool(false)) },
    plain("properties.reconciliationWaitDuration"),
    read_only("properties.statuses"),
    read_only("properties.repositoryPublicKey"),
    read_only("properties.sourceSyncedCommitId"),
    read_only("properties.sourceUpdatedAt"),
    read_only("properties.statusUpdatedAt"),
    read_only("properties.complianceState"),
    read_only("properties.provisioningState"),
    read_only("properties.errorMessage"),
];

const fn plain(path: &'static str) -> Rule {
    Rule { path, habit: Habit::Plain }
}

const fn read_only(path: &'static str) -> Rule {
    Rule { path, habit: Habit::ReadOnly }
}

const fn ten_minutes(path: &'static str) -> Rule {
    Rule { path, habit: Habit::Default(Scalar::Int(600)) }
}

/// The fields that PATCH cannot carry (`FluxConfigurationPatch` in the API document): a change of one needs a PUT.
pub const PUT_ONLY: &[&str] = &["properties.waitForReconciliation", "properties.reconciliationWaitDuration"];

/// The body that a spec asks for, and where its secrets go.
#[must_use]
pub fn body(spec: &ConfigurationSpec) -> Body {
    let ConfigurationSpec { namespace, scope, depends_on: _, git_repository, kustomizations } = spec;
    let properties = Properties {
        scope: *scope,
        namespace,
        source_kind: "GitRepository",
        suspend: false,
        git_repository: GitRepository::from(git_repository),
        kustomizations: kustomizations.iter().map(|(name, spec)| (name.as_str(), Kustomization::from(spec))).collect(),
    };
    Body { json: serde_json::json!({ "properties": properties }), holes: holes(git_repository) }
}

/// The names of the kustomizations, each after everything that it depends on; by name where that leaves a choice.
#[must_use]
pub fn kustomization_order(spec: &ConfigurationSpec) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    let mut left: Vec<(&String, &KustomizationSpec)> = spec.kustomizations.iter().collect();
    while !left.is_empty() {
        let next = left.iter().position(|(_, kustomization)| {
            kustomization
                .depends_on
                .iter()
                .all(|needs| order.contains(needs) || !spec.kustomizations.contains_key(needs))
        });
        // A cycle cannot pass the rules of a spec; should one come, names decide.
        let (name, _) = left.remove(next.unwrap_or(0));
        order.push(name.clone());
    }
    order
}

/// Where the secrets of a source go: base64 in `configurationProtectedSettings`
/// (`../shared/facts/az-cli-behaviour.md` §1.5).
fn holes(spec: &GitRepositorySpec) -> Vec<Hole> {
    [("httpsKey", &spec.https_key), ("sshPrivateKey", &spec.ssh_private_key)]
        .into_iter()
        .filter_map(|(key, secret)| {
            let secret = secret.clone()?;
            let path = FieldPath::dotted("properties.configurationProtectedSettings").key(key);
            Some(Hole { path, secret, destination: spec.url.clone() })
        })
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    scope: Scope,
    namespace: &'a str,
    source_kind: &'a str,
    suspend: bool,
    git_repository: GitRepository<'a>,
    kustomizations: BTreeMap<&'a str, Kustomization<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GitRepository<'a> {
    url: &'a str,
    timeout_in_seconds: u32,
    sync_interval_in_seconds: u32,
    repository_ref: RepositoryRef<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssh_known_hosts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    https_user: Option<&'a str>,
    #[serde(rename = "httpsCACert", skip_serializing_if = "Option::is_none")]
    https_ca_cert: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_auth_ref: Option<&'a str>,
    provider: Provider,
}

#[derive(Serialize)]
struct RepositoryRef<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    semver: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kustomization<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    depends_on: &'a [String],
    timeout_in_seconds: u32,
    sync_interval_in_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_interval_in_seconds: Option<u32>,
    prune: bool,
    force: bool,
    wait: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_build: Option<PostBuild<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostBuild<'a> {
    substitute: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a GitRepositorySpec> for GitRepository<'a> {
    fn from(spec: &'a GitRepositorySpec) -> Self {
        let GitRepositorySpec {
            url,
            branch,
            tag,
            semver,
            commit,
            interval,
            timeout,
            provider,
            https_user,
            https_key: _,
            ssh_private_key: _,
            ssh_known_hosts,
            https_ca_cert,
            local_auth_ref,
        } = spec;
        Self {
            url,
            timeout_in_seconds: timeout.get(),
            sync_interval_in_seconds: interval.get(),
            repository_ref: RepositoryRef {
                branch: branch.as_deref(),
                tag: tag.as_deref(),
                semver: semver.as_deref(),
                commit: commit.as_deref(),
            },
            ssh_known_hosts: ssh_known_hosts.as_deref().map(base64_text),
            https_user: https_user.as_deref(),
            https_ca_cert: https_ca_cert.as_deref().map(base64_text),
            local_auth_ref: local_auth_ref.as_deref(),
            provider: *provider,
        }
    }
}

impl<'a> From<&'a KustomizationSpec> for Kustomization<'a> {
    fn from(spec: &'a KustomizationSpec) -> Self {
        let KustomizationSpec { path, depends_on, interval, timeout, retry_interval, prune, force, wait, post_build } =
            spec;
        Self {
            path,
            depends_on,
            timeout_in_seconds: timeout.get(),
            sync_interval_in_seconds: interval.get(),
            retry_interval_in_seconds: retry_interval.map(Seconds::get),
            prune: *prune,
            force: *force,
            wait: *wait,
            post_build: post_build.as_ref().map(|PostBuildSpec { substitute }| PostBuild { substitute }),
        }
    }
}

/// Whether ARM holds this text in base64 ([`GitRepositorySpec::ssh_known_hosts`], [`GitRepositorySpec::https_ca_cert`];
/// `../shared/facts/az-cli-behaviour.md` §1.5).
#[must_use]
pub fn is_base64_text(path: &FieldPath) -> bool {
    RULES.iter().any(|rule| matches!(rule.habit, Habit::Base64Text) && rule.names(path))
}

/// Base64 of a text without white space at its ends, as `az` sends the content of a file.
fn base64_text(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text.trim())
}
