//! The git source: a repository, the revision to follow, and how to sign in.

use serde::{Deserialize, Serialize};

use super::super::adoption::Adopting;
use super::super::live_body::LiveBody;
use super::super::{Encoding, Hole, Unsayable};
use super::base64_text;
use crate::model::{FieldPath, Seconds, SecretRef};

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

impl Provider {
    const ALL: [Self; 3] = [Self::Generic, Self::Azure, Self::GitHub];
}

/// Where the secrets of a source go: base64 in `configurationProtectedSettings`
/// (`../shared/facts/az-cli-behaviour.md` §1.5).
pub(super) fn holes(spec: &GitRepositorySpec) -> Vec<Hole> {
    [("httpsKey", &spec.https_key), ("sshPrivateKey", &spec.ssh_private_key)]
        .into_iter()
        .filter_map(|(key, secret)| {
            let secret = secret.clone()?;
            let path = FieldPath::dotted("properties.configurationProtectedSettings").key(key);
            Some(Hole { path, secret, destination: spec.url.clone(), encoding: Encoding::Base64 })
        })
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GitRepository<'a> {
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

/// The spec of a live git source. `echoed` are the names of protected settings that the service shows.
///
/// A user name needs its key. An ssh source may use a pair that Azure made, so a private key is only asked for where the
/// service says that one was given: without it in the spec the stored one stays.
pub(super) fn of_live(
    live: &LiveBody<'_>,
    echoed: &[&str],
    adopting: &mut Adopting<'_>,
) -> Result<GitRepositorySpec, Unsayable> {
    let url = live.required_text("url")?;
    let revision = live.object("repositoryRef")?;
    let revision = |key: &str| revision.as_ref().map_or(Ok(None), |revision| revision.text(key));
    let https_user = live.text("httpsUser")?;
    let local_auth_ref = live.text("localAuthRef")?;
    let mut reference = |key: &str| adopting.reference("gitRepository", key, Some(&url));
    let https_key = https_user.as_ref().map(|_| reference("httpsKey"));
    let ssh_private_key = echoed.contains(&"sshPrivateKey").then(|| reference("sshPrivateKey"));
    let is_ssh = url.starts_with("ssh://") || url.starts_with("git@");
    if is_ssh && ssh_private_key.is_none() && local_auth_ref.is_none() {
        adopting.remark(
            "the private key that it signs in with is stored in Azure and not in the spec; updates leave it in place \
             (add `sshPrivateKey` to be able to send the configuration whole)",
        );
    }
    Ok(GitRepositorySpec {
        branch: revision("branch")?,
        tag: revision("tag")?,
        semver: revision("semver")?,
        commit: revision("commit")?,
        interval: live.seconds_or_ten_minutes("syncIntervalInSeconds")?,
        timeout: live.seconds_or_ten_minutes("timeoutInSeconds")?,
        provider: live.word("provider", &Provider::ALL)?.unwrap_or_default(),
        https_user,
        https_key,
        ssh_private_key,
        ssh_known_hosts: live.encoded_text("sshKnownHosts")?,
        https_ca_cert: live.encoded_text("httpsCACert")?,
        local_auth_ref,
        url,
    })
}
