//! Secrets and other credentials: what is stored, what may be sent, and where it may be led.

use serde_json::Value;
use url::Url;

use crate::diff::FieldChange;
use crate::kinds::Hole;
use crate::kinds::flux_configuration::{ConfigurationSpec, Provider};
use crate::model::{Address, FieldPath, SecretRef};
use crate::plan::SecretPolicy;

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

/// Whether the live configuration has a stored secret that the wanted one goes on using.
pub(super) fn stored(spec: &ConfigurationSpec, live: &Value) -> Stored {
    let wanted = &spec.git_repository;
    let text = |key: &str| live.pointer(&format!("/properties/gitRepository/{key}")).and_then(Value::as_str);
    let echoed: Vec<&str> = live
        .pointer("/properties/configurationProtectedSettings")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    let is_ssh = |url: &str| url.starts_with("ssh://") || url.starts_with("git@");

    let https_live = text("httpsUser").is_some_and(|user| !user.is_empty()) || echoed.contains(&"httpsKey");
    let https_wanted = wanted.https_user.is_some();
    let ssh_live = (text("url").is_some_and(is_ssh) && text("localAuthRef").is_none_or(str::is_empty))
        || echoed.contains(&"sshPrivateKey");
    let ssh_wanted = is_ssh(&wanted.url) && wanted.local_auth_ref.is_none();
    let foreign = echoed.iter().any(|key| *key != "httpsKey" && *key != "sshPrivateKey");

    let uses = [
        (https_live && https_wanted, wanted.https_key.is_some()),
        (ssh_live && ssh_wanted, wanted.ssh_private_key.is_some()),
        (foreign, false),
    ];
    match uses.into_iter().filter(|(used, _)| *used).map(|(_, supplied)| supplied).min() {
        None => Stored::Nothing,
        Some(true) => Stored::Supplied,
        Some(false) => Stored::NotSupplied,
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

/// Whether the change, which is of these fields, leads a credential that stays in place to another scheme, host or port, or weakens how the
/// server is recognised.
pub(super) fn aimed_elsewhere(
    spec: &ConfigurationSpec,
    live: &Value,
    fields: &[FieldChange],
    stored: &Stored,
) -> Option<Danger> {
    let wanted = &spec.git_repository;
    let credentials = if *stored == Stored::NotSupplied {
        "a stored secret"
    } else if wanted.local_auth_ref.is_some() {
        "a secret of the cluster"
    } else if wanted.provider != Provider::Generic {
        "an identity of the cluster"
    } else {
        return None;
    };
    let live_url = live.pointer("/properties/gitRepository/url").and_then(Value::as_str).unwrap_or_default();
    let (old, new) = (server(live_url), server(&wanted.url));
    let source = FieldPath::dotted("properties.gitRepository");
    let trust_differs = |key: &str| fields.iter().any(|field| field.path == source.key(key));
    let what = if old != new {
        format!("the server ({old} -> {new})")
    } else if trust_differs("sshKnownHosts") {
        "which host keys are trusted".to_owned()
    } else if trust_differs("httpsCACert") {
        "which certificate authority is trusted".to_owned()
    } else {
        return None;
    };
    let host = Url::parse(&wanted.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    Some(Danger { what, host, credentials })
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
