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

/// Whether the live configuration has a stored secret that the wanted one goes on using. Another kind of source uses
/// none of the old one's.
pub(super) fn stored(spec: &ConfigurationSpec, live: &Value) -> Stored {
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
        Some(Source::GitRepository(git)) => git_secrets(git, &LiveSource::of(live, "gitRepository"), &echoed),
        Some(Source::Bucket(bucket)) => {
            let live = LiveSource::of(live, "bucket");
            let is_live = live.has("accessKey") || echoed.contains(&"bucketSecretKey");
            vec![(live.exists() && is_live && bucket.access_key.is_some(), bucket.bucket_secret_key.is_some())]
        }
        Some(Source::AzureBlob(blob)) => blob_secrets(blob, &LiveSource::of(live, "azureBlob")),
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
fn git_secrets(wanted: &GitRepositorySpec, live: &LiveSource<'_>, echoed: &[&str]) -> Vec<(bool, bool)> {
    let is_ssh = |url: &str| url.starts_with("ssh://") || url.starts_with("git@");
    let https_live = live.has("httpsUser") || echoed.contains(&"httpsKey");
    let https_wanted = wanted.https_user.is_some();
    let ssh_live =
        (live.text("url").is_some_and(is_ssh) && !live.has("localAuthRef")) || echoed.contains(&"sshPrivateKey");
    let ssh_wanted = is_ssh(&wanted.url) && wanted.local_auth_ref.is_none();
    vec![
        (https_live && https_wanted, wanted.https_key.is_some()),
        (ssh_live && ssh_wanted, wanted.ssh_private_key.is_some()),
    ]
}

/// The secrets of a blob source. Keys and signatures leave no trace: a live source that shows no way to sign in may
/// have one, and is presumed to.
fn blob_secrets(wanted: &AzureBlobSpec, live: &LiveSource<'_>) -> Vec<(bool, bool)> {
    let AzureBlobSpec { service_principal, account_key, sas_token, managed_identity, local_auth_ref, .. } = wanted;
    let shows_none = !["servicePrincipal", "managedIdentity", "localAuthRef"].iter().any(|key| live.has(key));
    let wants_none = service_principal.is_none() && managed_identity.is_none() && local_auth_ref.is_none();
    let supplies_key = account_key.is_some() || sas_token.is_some();
    let principal = service_principal.as_ref();
    let supplies_principal =
        principal.is_some_and(|one| one.client_secret.is_some() || one.client_certificate.is_some());
    vec![
        (live.exists() && shows_none && wants_none, supplies_key),
        (live.has("servicePrincipal") && principal.is_some(), supplies_principal),
    ]
}

/// The live source of one kind, if that is the kind there is.
struct LiveSource<'a>(Option<&'a Value>);

impl<'a> LiveSource<'a> {
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
    let wanted = Source::of(spec)?;
    let credentials = if *stored == Stored::NotSupplied {
        "a stored secret"
    } else if wanted.local_auth_ref().is_some() {
        "a secret of the cluster"
    } else if wanted.uses_cluster_identity() {
        "an identity of the cluster"
    } else {
        return None;
    };
    let source = LiveSource::any(live)?;
    // The spec may say to leave the URL as it is found.
    let url = LiveSource::any(after).and_then(|source| source.text("url")).unwrap_or_else(|| wanted.url());
    let (old, new) = (server(source.text("url").unwrap_or_default()), server(url));
    let what = if old != new {
        format!("the server ({old} -> {new})")
    } else if let Some(trust) = changed_trust(wanted, &source, fields) {
        trust.to_owned()
    } else {
        return None;
    };
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    Some(Danger { what, host, credentials })
}

/// What changes about how the server is recognised.
fn changed_trust(wanted: Source<'_>, live: &LiveSource<'_>, fields: &[FieldChange]) -> Option<&'static str> {
    if wanted.is_insecure() && !live.is_on("insecure") {
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
