//! The OCI source: an artifact in a container registry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::adoption::Adopting;
use super::super::live_body::LiveBody;
use super::super::{Encoding, Hole, Unsayable};
use crate::model::{FieldPath, Seconds, SecretRef};

/// A repository of a container registry, the artifact to follow, and how to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OciRepositorySpec {
    /// Where the repository is: `oci://`, without a tag.
    #[schemars(extend("examples" = ["oci://ghcr.io/contoso/manifests"]))]
    pub url: String,
    /// The tag to follow. At most one of `tag`, `semver` and `digest`; without any, Flux follows `latest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["v1.2.3"]))]
    pub tag: Option<String>,
    /// A range of semantic versions: the newest tag inside it is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[-0-9A-Za-z.*<>=!~^|, +]*[0-9xX*][-0-9A-Za-z.*<>=!~^|, +]*$"), extend("examples" = [">=1.0.0 <2.0.0"]))]
    pub semver: Option<String>,
    /// The digest of the artifact to stay at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub digest: Option<String>,
    /// How often Flux looks for a new artifact.
    #[serde(default = "Seconds::ten_minutes")]
    pub interval: Seconds,
    /// How long Flux waits for one pull.
    #[serde(default = "Seconds::ten_minutes")]
    pub timeout: Seconds,
    /// Which layer of the artifact is used, and how; by default the first one, extracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_selector: Option<LayerSelectorSpec>,
    /// What must have signed the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<VerifySpec>,
    /// Whether Flux may talk to the registry without TLS.
    #[serde(default)]
    pub insecure: bool,
    /// Whether Flux signs in with the workload identity of its own service account, or of `serviceAccountName`.
    #[serde(default)]
    pub use_workload_identity: bool,
    /// A Kubernetes service account in the configuration's namespace whose image pull secrets, or workload identity, Flux
    /// signs in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
    pub service_account_name: Option<String>,
    /// Certificates for the connection to the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfigSpec>,
    /// The name of a Kubernetes secret in the configuration's namespace that holds the credentials, of the type
    /// `kubernetes.io/dockerconfigjson`. It excludes every other way to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
    pub local_auth_ref: Option<String>,
}

/// Which layer of an artifact is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayerSelectorSpec {
    /// The media type of the layer: the first one that has it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["application/vnd.cncf.helm.chart.content.v1.tar+gzip"]))]
    pub media_type: Option<String>,
    /// What becomes of the layer.
    #[serde(default)]
    pub operation: LayerOperation,
}

/// What becomes of a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LayerOperation {
    /// It is unpacked.
    #[default]
    Extract,
    /// It is stored as it is.
    Copy,
}

impl LayerOperation {
    const ALL: [Self; 2] = [Self::Extract, Self::Copy];
}

/// What must have signed an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifySpec {
    /// The technology of the signature.
    pub provider: VerifyProvider,
    /// Public keys that are trusted, by file name, sent as they are written. Everybody who may read the configuration can
    /// read them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"cosign.pub": "LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0K"}]))]
    pub verification_config: BTreeMap<String, String>,
    /// Identities that are trusted when the signature was made without a key. One that matches is enough.
    #[serde(default, rename = "matchOidcIdentity", skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentitySpec>,
}

/// The technology of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum VerifyProvider {
    /// Sigstore's Cosign.
    Cosign,
    /// Notary Project's Notation.
    Notation,
}

impl VerifyProvider {
    const ALL: [Self; 2] = [Self::Cosign, Self::Notation];
}

/// An identity in a signature that was made without a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OidcIdentitySpec {
    /// A regular expression that the issuer must match.
    #[schemars(length(min = 1), extend("examples" = ["^https://token\\.actions\\.githubusercontent\\.com$"]))]
    pub issuer: String,
    /// A regular expression that the subject must match.
    #[schemars(length(min = 1), extend("examples" = ["^https://github\\.com/contoso/.*$"]))]
    pub subject: String,
}

/// Certificates for a connection. ARM takes all three for secrets and shows none of them again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsConfigSpec {
    /// The certificate that Flux signs in with, in PEM form; goes with `privateKey`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<SecretRef>,
    /// The private key of the certificate, in PEM form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<SecretRef>,
    /// The certificate authority of the registry, in PEM form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<SecretRef>,
}

/// Where the secrets go: inline, base64 (`../shared/contracts`, `TlsConfigDefinition`).
pub(super) fn holes(spec: &OciRepositorySpec) -> Vec<Hole> {
    let Some(TlsConfigSpec { client_certificate, private_key, ca_certificate }) = &spec.tls_config else {
        return Vec::new();
    };
    [("clientCertificate", client_certificate), ("privateKey", private_key), ("caCertificate", ca_certificate)]
        .into_iter()
        .filter_map(|(key, secret)| {
            Some(Hole {
                path: FieldPath::dotted("properties.ociRepository.tlsConfig").key(key),
                secret: secret.clone()?,
                destination: spec.url.clone(),
                encoding: Encoding::Base64,
            })
        })
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OciRepository<'a> {
    url: &'a str,
    timeout_in_seconds: u32,
    sync_interval_in_seconds: u32,
    #[serde(skip_serializing_if = "RepositoryRef::is_empty")]
    repository_ref: RepositoryRef<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer_selector: Option<LayerSelector<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<Verify<'a>>,
    insecure: bool,
    use_workload_identity: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_auth_ref: Option<&'a str>,
}

#[derive(Serialize)]
struct RepositoryRef<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    semver: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
}

impl RepositoryRef<'_> {
    fn is_empty(&self) -> bool {
        let Self { tag, semver, digest } = self;
        tag.is_none() && semver.is_none() && digest.is_none()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LayerSelector<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    operation: LayerOperation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verify<'a> {
    provider: VerifyProvider,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    verification_config: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    match_oidc_identity: &'a [OidcIdentitySpec],
}

impl<'a> From<&'a OciRepositorySpec> for OciRepository<'a> {
    fn from(spec: &'a OciRepositorySpec) -> Self {
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
            tls_config: _,
            local_auth_ref,
        } = spec;
        Self {
            url,
            timeout_in_seconds: timeout.get(),
            sync_interval_in_seconds: interval.get(),
            repository_ref: RepositoryRef { tag: tag.as_deref(), semver: semver.as_deref(), digest: digest.as_deref() },
            layer_selector: layer_selector.as_ref().map(|LayerSelectorSpec { media_type, operation }| LayerSelector {
                media_type: media_type.as_deref(),
                operation: *operation,
            }),
            verify: verify.as_ref().map(Verify::from),
            insecure: *insecure,
            use_workload_identity: *use_workload_identity,
            service_account_name: service_account_name.as_deref(),
            local_auth_ref: local_auth_ref.as_deref(),
        }
    }
}

impl<'a> From<&'a VerifySpec> for Verify<'a> {
    fn from(spec: &'a VerifySpec) -> Self {
        let VerifySpec { provider, verification_config, match_oidc_identity } = spec;
        Self { provider: *provider, verification_config, match_oidc_identity }
    }
}

/// The spec of a live repository of a registry.
pub(super) fn of_live(live: &LiveBody<'_>, adopting: &mut Adopting<'_>) -> Result<OciRepositorySpec, Unsayable> {
    let url = live.required_text("url")?;
    let revision = live.object("repositoryRef")?;
    let revision = |key: &str| revision.as_ref().map_or(Ok(None), |revision| revision.text(key));
    let tls_config = live.object("tlsConfig")?.and_then(|tls| tls_config_of_live(&tls, &url, adopting));
    Ok(OciRepositorySpec {
        tag: revision("tag")?,
        semver: revision("semver")?,
        digest: revision("digest")?,
        interval: live.seconds_or_ten_minutes("syncIntervalInSeconds")?,
        timeout: live.seconds_or_ten_minutes("timeoutInSeconds")?,
        layer_selector: live.object("layerSelector")?.map(|selector| selector_of_live(&selector)).transpose()?,
        verify: live
            .object("verify")?
            .filter(|verify| verify.keys().next().is_some())
            .map(|verify| verify_of_live(&verify))
            .transpose()?,
        insecure: live.flag("insecure", false)?,
        use_workload_identity: live.flag("useWorkloadIdentity", false)?,
        service_account_name: live.text("serviceAccountName")?,
        tls_config,
        local_auth_ref: live.text("localAuthRef")?,
        url,
    })
}

fn selector_of_live(live: &LiveBody<'_>) -> Result<LayerSelectorSpec, Unsayable> {
    let operation = live.word("operation", &LayerOperation::ALL)?.unwrap_or_default();
    Ok(LayerSelectorSpec { media_type: live.text("mediaType")?, operation })
}

fn verify_of_live(live: &LiveBody<'_>) -> Result<VerifySpec, Unsayable> {
    let provider = live.word("provider", &VerifyProvider::ALL)?;
    let identities = live.objects("matchOidcIdentity")?;
    Ok(VerifySpec {
        provider: provider
            .ok_or_else(|| live.unsayable("provider", "it is not set, and a spec cannot leave it out"))?,
        verification_config: live.text_map("verificationConfig")?,
        match_oidc_identity: identities.iter().map(identity_of_live).collect::<Result<_, _>>()?,
    })
}

fn identity_of_live(live: &LiveBody<'_>) -> Result<OidcIdentitySpec, Unsayable> {
    Ok(OidcIdentitySpec { issuer: live.required_text("issuer")?, subject: live.required_text("subject")? })
}

/// Certificates are never shown, at best that they are there. A reference is written for each that is; where there is a
/// configuration and nothing of it is shown, that is said.
fn tls_config_of_live(live: &LiveBody<'_>, url: &str, adopting: &mut Adopting<'_>) -> Option<TlsConfigSpec> {
    let mut given = |key: &str| live.has(key).then(|| adopting.reference("ociRepository.tlsConfig", key, Some(url)));
    let found = TlsConfigSpec {
        client_certificate: given("clientCertificate"),
        private_key: given("privateKey"),
        ca_certificate: given("caCertificate"),
    };
    let TlsConfigSpec { client_certificate, private_key, ca_certificate } = &found;
    if client_certificate.is_none() && private_key.is_none() && ca_certificate.is_none() {
        adopting.remark(
            "it has a `tlsConfig`, and Azure does not show which certificates are in it; they are not in the spec, and \
             the next update would send the configuration without them: add them before you change it",
        );
        return None;
    }
    Some(found)
}
