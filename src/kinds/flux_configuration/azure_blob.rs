//! The Azure Blob source: a container of a storage account.

use serde::{Deserialize, Serialize};

use super::super::adoption::Adopting;
use super::super::live_body::LiveBody;
use super::super::{Encoding, Hole, Unsayable};
use crate::model::{FieldPath, Seconds, SecretRef};

/// A container of an Azure storage account, and how to sign in to it: by at most one of `servicePrincipal`,
/// `accountKey`, `sasToken`, `managedIdentity` and `localAuthRef`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AzureBlobSpec {
    /// The blob endpoint of the storage account.
    #[schemars(extend("examples" = ["https://contosogitops.blob.core.windows.net"]))]
    pub url: String,
    /// The name of the container.
    #[schemars(length(min = 1, max = 63), extend("examples" = ["manifests"]))]
    pub container_name: String,
    /// How often Flux looks for new blobs.
    #[serde(default = "Seconds::ten_minutes")]
    pub interval: Seconds,
    /// How long Flux waits for one download.
    #[serde(default = "Seconds::ten_minutes")]
    pub timeout: Seconds,
    /// Signs in as an application of Microsoft Entra.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_principal: Option<ServicePrincipalSpec>,
    /// Signs in with a key of the storage account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_key: Option<SecretRef>,
    /// Signs in with a shared access signature. When it expires, Flux stops fetching without a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sas_token: Option<SecretRef>,
    /// Signs in with a managed identity. Only AKS clusters have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_identity: Option<ManagedIdentitySpec>,
    /// The name of a Kubernetes secret in the configuration's namespace that holds the credentials. It excludes every
    /// other way to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
    pub local_auth_ref: Option<String>,
}

/// An application of Microsoft Entra, with exactly one of a secret and a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServicePrincipalSpec {
    /// The application's (client) id.
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"), extend("examples" = ["0f6d2c1b-7a3e-4c58-9b1d-2e5f8a7c6d40"]))]
    pub client_id: String,
    /// The id of the tenant that the application signs in to.
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"), extend("examples" = ["7d0b1f5a-93c4-4a52-8f0e-61c2b7a4d9e3"]))]
    pub tenant_id: String,
    /// A secret of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretRef>,
    /// A certificate of the application with its private key, in PEM form. arcflux encodes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<SecretRef>,
    /// The password of the certificate's private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_password: Option<SecretRef>,
    /// Whether the certificate's chain is sent along, for sign-in by subject name and issuer.
    #[serde(default)]
    pub client_certificate_send_chain: bool,
}

/// A managed identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedIdentitySpec {
    /// The client id of the identity.
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"), extend("examples" = ["5b9a3e7d-1c42-4f86-a0d9-8e6b2f4c7135"]))]
    pub client_id: String,
}

/// Where the secrets go: inline, raw but for the certificate (`../shared/facts/arm-contracts.md` §1.4,
/// `../shared/facts/domain.md` §4.9).
pub(super) fn holes(spec: &AzureBlobSpec) -> Vec<Hole> {
    let AzureBlobSpec { account_key, sas_token, service_principal, .. } = spec;
    let principal = service_principal.as_ref();
    let of_principal =
        |secret: fn(&ServicePrincipalSpec) -> &Option<SecretRef>| principal.and_then(|one| secret(one).as_ref());
    [
        ("accountKey", Encoding::Raw, account_key.as_ref()),
        ("sasToken", Encoding::Raw, sas_token.as_ref()),
        ("servicePrincipal.clientSecret", Encoding::Raw, of_principal(|one| &one.client_secret)),
        ("servicePrincipal.clientCertificate", Encoding::Base64, of_principal(|one| &one.client_certificate)),
        (
            "servicePrincipal.clientCertificatePassword",
            Encoding::Raw,
            of_principal(|one| &one.client_certificate_password),
        ),
    ]
    .into_iter()
    .filter_map(|(key, encoding, secret)| {
        Some(Hole {
            path: FieldPath::dotted(&format!("properties.azureBlob.{key}")),
            secret: secret?.clone(),
            destination: spec.url.clone(),
            encoding,
        })
    })
    .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AzureBlob<'a> {
    url: &'a str,
    container_name: &'a str,
    timeout_in_seconds: u32,
    sync_interval_in_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_principal: Option<ServicePrincipal<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_identity: Option<ManagedIdentity<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_auth_ref: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServicePrincipal<'a> {
    client_id: &'a str,
    tenant_id: &'a str,
    client_certificate_send_chain: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManagedIdentity<'a> {
    client_id: &'a str,
}

impl<'a> From<&'a AzureBlobSpec> for AzureBlob<'a> {
    fn from(spec: &'a AzureBlobSpec) -> Self {
        let AzureBlobSpec {
            url,
            container_name,
            interval,
            timeout,
            service_principal,
            account_key: _,
            sas_token: _,
            managed_identity,
            local_auth_ref,
        } = spec;
        Self {
            url,
            container_name,
            timeout_in_seconds: timeout.get(),
            sync_interval_in_seconds: interval.get(),
            service_principal: service_principal.as_ref().map(ServicePrincipal::from),
            managed_identity: managed_identity
                .as_ref()
                .map(|ManagedIdentitySpec { client_id }| ManagedIdentity { client_id }),
            local_auth_ref: local_auth_ref.as_deref(),
        }
    }
}

impl<'a> From<&'a ServicePrincipalSpec> for ServicePrincipal<'a> {
    fn from(spec: &'a ServicePrincipalSpec) -> Self {
        let ServicePrincipalSpec {
            client_id,
            tenant_id,
            client_secret: _,
            client_certificate: _,
            client_certificate_password: _,
            client_certificate_send_chain,
        } = spec;
        Self { client_id, tenant_id, client_certificate_send_chain: *client_certificate_send_chain }
    }
}

/// The spec of a live container. Account keys and shared access signatures leave no trace, so which of the two is stored
/// cannot be known: neither is asked for, and what is stored stays.
pub(super) fn of_live(live: &LiveBody<'_>, adopting: &mut Adopting<'_>) -> Result<AzureBlobSpec, Unsayable> {
    let url = live.required_text("url")?;
    let managed_identity = live
        .object("managedIdentity")?
        .map(|identity| Ok(ManagedIdentitySpec { client_id: identity.required_text("clientId")? }))
        .transpose()?;
    let service_principal =
        live.object("servicePrincipal")?.map(|principal| principal_of_live(&principal, &url, adopting)).transpose()?;
    let local_auth_ref = live.text("localAuthRef")?;
    if service_principal.is_none() && managed_identity.is_none() && local_auth_ref.is_none() {
        adopting.remark(
            "an account key or a shared access signature may be stored in Azure, which shows neither; it is not in the \
             spec, and updates leave it in place (add `accountKey` or `sasToken` to be able to send the configuration \
             whole)",
        );
    }
    Ok(AzureBlobSpec {
        container_name: live.required_text("containerName")?,
        interval: live.seconds_or_ten_minutes("syncIntervalInSeconds")?,
        timeout: live.seconds_or_ten_minutes("timeoutInSeconds")?,
        service_principal,
        account_key: None,
        sas_token: None,
        managed_identity,
        local_auth_ref,
        url,
    })
}

/// A service principal needs a secret or a certificate. Only a certificate has a chain to send; otherwise which of the
/// two is stored cannot be known, and a secret is the commoner.
fn principal_of_live(
    live: &LiveBody<'_>,
    url: &str,
    adopting: &mut Adopting<'_>,
) -> Result<ServicePrincipalSpec, Unsayable> {
    let client_certificate_send_chain = live.flag("clientCertificateSendChain", false)?;
    let has_certificate = client_certificate_send_chain || live.has("clientCertificate");
    let mut reference = |key: &str| adopting.reference("azureBlob.servicePrincipal", key, Some(url));
    let client_secret = (!has_certificate).then(|| reference("clientSecret"));
    let client_certificate = has_certificate.then(|| reference("clientCertificate"));
    if !has_certificate {
        adopting.remark(
            "whether the service principal signs in with a secret or a certificate is not shown; write \
             `clientCertificate` in the place of `clientSecret` if it is one",
        );
    }
    Ok(ServicePrincipalSpec {
        client_id: live.required_text("clientId")?,
        tenant_id: live.required_text("tenantId")?,
        client_secret,
        client_certificate,
        client_certificate_password: None,
        client_certificate_send_chain,
    })
}
