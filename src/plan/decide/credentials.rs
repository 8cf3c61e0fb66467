//! Secrets and other credentials: what is stored, what may be sent, and where it may be led.

use serde_json::Value;
use url::Url;

use crate::diff::FieldChange;
use crate::kinds::Hole;
use crate::kinds::flux_configuration::{AzureBlobSpec, ConfigurationSpec, GitRepositorySpec, SOURCE_MEMBERS, Source};
use crate::model::{Address, FieldPath, SecretRef};
use crate::plan::SecretPolicy;

/// Why a secret is sent although nothing says that it differs.
pub(super) const RESEND: &str = "`--resend-secrets` asks for it: a new value cannot be told from the one in place";

/// What is known of a live configuration's stored secret. Secrets are never returned, so it is presumed from signs: a
/// user name, an ssh source without a secret of the cluster, an echoed key (`DESIGN.md`, choice 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// There is none, or none that the wanted configuration uses.
    Nothing,
    /// There is one, and the spec supplies it.
    Supplied,
    /// There is one, and the spec does not supply it: a PUT would lose it.
    NotSupplied,
}

/// The protected settings that a source's secrets are known under.
const KNOWN_SETTINGS: [&str; 3] = ["httpsKey", "sshPrivateKey", "bucketSecretKey"];

/// Whether the live configuration has a stored secret that it goes on using when it is as in `after`: as the spec says,
/// with what that leaves as it is found. Another kind of source uses none of the old one's.
pub(super) fn stored(spec: &ConfigurationSpec, live: &Value, after: &Value) -> Stored {
    let echoed: Vec<&str> = live
        .pointer("/properties/configurationProtectedSettings")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    let foreign = echoed.iter().any(|key| !KNOWN_SETTINGS.contains(key));
    let uses = match Source::of(spec) {
        None => Vec::new(),
        Some(source @ Source::GitRepository(git)) => {
            git_secrets(git, &BodySource::of(live, source.member()), &BodySource::of(after, source.member()), &echoed)
        }
        Some(source @ Source::Bucket(bucket)) => {
            let (live, after) = (BodySource::of(live, source.member()), BodySource::of(after, source.member()));
            let is_live = live.has("accessKey") || echoed.contains(&"bucketSecretKey");
            vec![(live.exists() && is_live && after.has("accessKey"), bucket.bucket_secret_key.is_some())]
        }
        Some(source @ Source::AzureBlob(blob)) => {
            blob_secrets(blob, &BodySource::of(live, source.member()), &BodySource::of(after, source.member()))
        }
        // What is sent of a TLS configuration is what the spec names: there is no way to name a part and keep another.
        Some(Source::OciRepository(_)) => Vec::new(),
    };
    let uses = uses.into_iter().chain([(foreign, false)]);
    match uses.filter(|(used, _)| *used).map(|(_, supplied)| supplied).min() {
        None => Stored::Nothing,
        Some(true) => Stored::Supplied,
        Some(false) => Stored::NotSupplied,
    }
}

/// The secrets of a git source: whether each is in use before and after, and whether the spec supplies it.
fn git_secrets(
    wanted: &GitRepositorySpec,
    live: &BodySource<'_>,
    after: &BodySource<'_>,
    echoed: &[&str],
) -> Vec<(bool, bool)> {
    let is_ssh = |url: &str| url.starts_with("ssh://") || url.starts_with("git@");
    let uses_key = |source: &BodySource<'_>| source.text("url").is_some_and(is_ssh) && !source.has("localAuthRef");
    let https_live = live.has("httpsUser") || echoed.contains(&"httpsKey");
    let ssh_live = uses_key(live) || echoed.contains(&"sshPrivateKey");
    vec![
        (https_live && after.has("httpsUser"), wanted.https_key.is_some()),
        (ssh_live && uses_key(after), wanted.ssh_private_key.is_some()),
    ]
}

/// The secrets of a blob source. Keys and signatures leave no trace: a live source that shows no way to sign in may
/// have one, and is presumed to.
fn blob_secrets(wanted: &AzureBlobSpec, live: &BodySource<'_>, after: &BodySource<'_>) -> Vec<(bool, bool)> {
    let AzureBlobSpec { service_principal, account_key, sas_token, .. } = wanted;
    let shows_none = |source: &BodySource<'_>| {
        !["servicePrincipal", "managedIdentity", "localAuthRef"].iter().any(|key| source.has(key))
    };
    let supplies_key = account_key.is_some() || sas_token.is_some();
    let supplies_principal =
        service_principal.as_ref().is_some_and(|one| one.client_secret.is_some() || one.client_certificate.is_some());
    vec![
        (live.exists() && shows_none(live) && shows_none(after), supplies_key),
        (live.has("servicePrincipal") && after.has("servicePrincipal"), supplies_principal),
    ]
}

/// The source of one kind in a body, if that is the kind there is.
struct BodySource<'a>(Option<&'a Value>);

impl<'a> BodySource<'a> {
    fn of(live: &'a Value, member: &str) -> Self {
        Self(live.get("properties").and_then(|properties| properties.get(member)).filter(|source| source.is_object()))
    }

    /// Whichever there is.
    fn any(live: &'a Value) -> Option<Self> {
        SOURCE_MEMBERS.iter().map(|member| Self::of(live, member)).find(Self::exists)
    }

    fn exists(&self) -> bool {
        self.0.is_some()
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.0?.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    /// Whether a text that is not empty, or an object, stands there.
    fn has(&self, key: &str) -> bool {
        self.text(key).is_some() || self.0.and_then(|source| source.get(key)).is_some_and(Value::is_object)
    }

    /// Whether a flag is on.
    fn is_on(&self, key: &str) -> bool {
        self.0.and_then(|source| source.get(key)) == Some(&Value::Bool(true))
    }

    /// Whether it signs in with an identity that the cluster has: nothing of it is sent.
    fn uses_cluster_identity(&self) -> bool {
        self.text("provider").is_some_and(|provider| !provider.eq_ignore_ascii_case("generic"))
            || self.has("managedIdentity")
            || self.is_on("useWorkloadIdentity")
            || self.has("serviceAccountName")
    }
}

/// The URL of the source in a body.
pub(super) fn url(body: &Value) -> Option<&str> {
    BodySource::any(body)?.text("url")
}

/// A credential that would be used at a server that it was not meant for.
pub(super) struct Danger {
    /// What changes.
    pub(super) what: String,
    /// The new host.
    pub(super) host: String,
    /// The credentials.
    pub(super) credentials: &'static str,
}

/// Whether the change, which is of these fields and ends at `after`, leads a credential that stays in place to another scheme, host or port,
/// or changes how the server is recognised.
pub(super) fn aimed_elsewhere(
    spec: &ConfigurationSpec,
    live: &Value,
    after: &Value,
    fields: &[FieldChange],
    stored: &Stored,
) -> Option<Danger> {
    // The spec may say to leave some of it as it is found.
    let (wanted, source) = (Source::of(spec)?, BodySource::any(after)?);
    let credentials = if *stored == Stored::NotSupplied {
        "a stored secret"
    } else if source.has("localAuthRef") {
        "a secret of the cluster"
    } else if source.uses_cluster_identity() {
        "an identity of the cluster"
    } else {
        return None;
    };
    let live = BodySource::any(live)?;
    let url = source.text("url").unwrap_or_else(|| wanted.url());
    let (old, new) = (server(live.text("url").unwrap_or_default()), server(url));
    let what = if old != new {
        format!("the server ({old} -> {new})")
    } else if let Some(trust) = changed_trust(wanted, &live, &source, fields) {
        trust.to_owned()
    } else {
        return None;
    };
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    Some(Danger { what, host, credentials })
}

/// What changes about how the server is recognised.
fn changed_trust(
    wanted: Source<'_>,
    live: &BodySource<'_>,
    after: &BodySource<'_>,
    fields: &[FieldChange],
) -> Option<&'static str> {
    if after.is_on("insecure") && !live.is_on("insecure") {
        return Some("whether the connection is encrypted");
    }
    let git = FieldPath::dotted("properties.gitRepository");
    let differs = |key: &str| fields.iter().any(|field| field.path == git.key(key));
    match wanted {
        Source::GitRepository(_) if differs("sshKnownHosts") => Some("which host keys are trusted"),
        Source::GitRepository(_) if differs("httpsCACert") => Some("which certificate authority is trusted"),
        // Its certificate authority is a secret in ARM: whether one is in place cannot be seen, so a new one counts.
        Source::OciRepository(oci) if oci.tls_config.as_ref().is_some_and(|tls| tls.ca_certificate.is_some()) => {
            (!live.has("tlsConfig")).then_some("which certificate authority is trusted")
        }
        Source::GitRepository(_) | Source::Bucket(_) | Source::AzureBlob(_) | Source::OciRepository(_) => None,
    }
}

/// Why a secret may not be sent.
pub(super) struct NotGranted {
    pub(super) message: String,
    pub(super) hint: String,
}

/// Whether the secret of `hole` may be sent for the configuration at `address`.
pub(super) fn granted(hole: &Hole, address: &Address, policy: &SecretPolicy) -> Result<(), NotGranted> {
    let destination = server(&hole.destination);
    if destination.starts_with("http://") {
        return Err(NotGranted {
            message: format!("{} would be sent to {destination} unencrypted", hole.secret),
            hint: "use an https:// or ssh:// URL".to_owned(),
        });
    }
    let grants = match policy {
        SecretPolicy::Placeholders => return Ok(()),
        SecretPolicy::Granted(grants) => grants,
    };
    let fits = |allowed: &str| allowed.eq_ignore_ascii_case(&destination) || allowed == address.to_string();
    if grants.iter().any(|grant| grant.secret == hole.secret && fits(&grant.destination)) {
        return Ok(());
    }
    let kind = match &hole.secret {
        SecretRef::Env(_) => "environment variable",
        SecretRef::File(_) => "file",
    };
    Err(NotGranted {
        message: format!("the {kind} behind {} is not allowed to go to {destination}", hole.secret),
        hint: format!("if that is meant, allow it with `--allow-secret {}@{destination}`", hole.secret),
    })
}

/// Scheme, host and port of a source: `https://github.com`, `ssh://git.contoso.com:2222`.
fn server(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else { return url.to_owned() };
    let host = parsed.host_str().unwrap_or_default();
    match parsed.port() {
        Some(port) => format!("{}://{host}:{port}", parsed.scheme()),
        None => format!("{}://{host}", parsed.scheme()),
    }
}
