//! `OCIRepository`.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::super::secret::{Needed, public};
use super::super::{Object, Place};
use super::{Draft, Made};
use crate::kinds::flux_configuration::{
    LayerSelectorSpec, OciRepositorySpec, OidcIdentitySpec, TlsConfigSpec, VerifySpec,
};

pub(super) fn render(place: &Place<'_>, spec: &OciRepositorySpec) -> Made {
    let OciRepositorySpec {
        url,
        tag,
        semver,
        digest,
        interval,
        timeout,
        layer_selector,
        verify,
        insecure,
        use_workload_identity,
        service_account_name,
        tls_config,
        local_auth_ref,
    } = spec;
    let mut draft = Draft::new(place, "OCIRepository", *interval, *timeout);
    draft.say("url", json!(url));
    let revision: Map<String, Value> = [("tag", tag), ("semver", semver), ("digest", digest)]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?))))
        .collect();
    if !revision.is_empty() {
        draft.say("ref", Value::Object(revision));
    }
    draft.say("insecure", json!(insecure));
    if let Some(LayerSelectorSpec { media_type, operation }) = layer_selector {
        let mut selector = json!({ "operation": operation });
        if let Some(media_type) = media_type {
            selector["mediaType"] = json!(media_type);
        }
        draft.say("layerSelector", selector);
    }
    if let Some(verify) = verify {
        let keys = verified(&mut draft, verify);
        draft.secrets.extend(keys);
    }
    if *use_workload_identity {
        // Azure's own registries are the only ones that this signs in to.
        draft.say("provider", json!("azure"));
        draft.notes.push(
            "`useWorkloadIdentity` signs in to a registry of Azure with a workload identity, which the installation of \
             Flux has to have"
                .to_owned(),
        );
    }
    if let Some(name) = service_account_name {
        draft.say("serviceAccountName", json!(name));
    }
    if let Some(name) = local_auth_ref {
        draft.need_local(name, "`.dockerconfigjson`, in a Secret of the type `kubernetes.io/dockerconfigjson`");
    }
    if let Some(certificates) = tls_config {
        draft.need("certSecretRef", &of_certificates(place, certificates));
    }
    draft.made()
}

/// What must have signed the artifact, and the Secret of the keys that are trusted, where there are any.
fn verified(draft: &mut Draft<'_>, spec: &VerifySpec) -> Option<Object> {
    let VerifySpec { provider, verification_config, match_oidc_identity } = spec;
    let mut body = json!({ "provider": provider });
    if !match_oidc_identity.is_empty() {
        let identities = match_oidc_identity.iter();
        let identities =
            identities.map(|OidcIdentitySpec { issuer, subject }| json!({ "issuer": issuer, "subject": subject }));
        body["matchOIDCIdentity"] = identities.collect();
    }
    let keys: Vec<(&str, String)> =
        verification_config.iter().map(|(name, key)| (name.as_str(), decoded(key))).collect();
    let secret = (!keys.is_empty()).then(|| {
        let entries: Vec<(&str, &str)> = keys.iter().map(|(name, key)| (*name, key.as_str())).collect();
        public(draft.place, "verify", &entries)
    });
    if let Some(secret) = &secret {
        body["secretRef"] = json!({ "name": secret.name() });
    }
    draft.say("verify", body);
    secret
}

/// A public key as text: Azure takes it in base64.
fn decoded(key: &str) -> String {
    let bytes = base64::engine::general_purpose::STANDARD.decode(key.trim());
    bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| key.to_owned())
}

fn of_certificates<'a>(place: &Place<'a>, certificates: &TlsConfigSpec) -> Needed<'a> {
    let TlsConfigSpec { client_certificate, private_key, ca_certificate } = certificates;
    let mut needed = Needed::new(place, "tls");
    for (key, what, from) in [
        ("tls.crt", "the certificate that Flux signs in with", client_certificate),
        ("tls.key", "its private key", private_key),
        ("ca.crt", "the certificate authority of the registry", ca_certificate),
    ] {
        if let Some(from) = from {
            needed = needed.secret(key, what, Some(from));
        }
    }
    needed
}
