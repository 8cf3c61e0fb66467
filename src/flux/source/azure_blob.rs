//! `Bucket` of the provider `azure`: a container of a storage account. Which keys of a Secret Flux reads is in its
//! documentation of the provider.

use serde_json::json;

use super::super::Place;
use super::super::secret::{Needed, public};
use super::{Draft, Made};
use crate::kinds::flux_configuration::{AzureBlobSpec, ManagedIdentitySpec, ServicePrincipalSpec};

pub(super) fn render(place: &Place<'_>, spec: &AzureBlobSpec) -> Made {
    let AzureBlobSpec {
        url,
        container_name,
        interval,
        timeout,
        service_principal,
        account_key,
        sas_token,
        managed_identity,
        local_auth_ref,
    } = spec;
    let mut draft = Draft::new(place, "Bucket", *interval, *timeout);
    draft.say("provider", json!("azure"));
    draft.say("bucketName", json!(container_name));
    draft.say("endpoint", json!(url));
    let needed = Needed::of_protected_settings(place);
    if let Some(name) = local_auth_ref {
        draft.need_local(name, "`accountKey`; or `sasKey`; or `tenantId`, `clientId` and `clientSecret`");
    } else if let Some(principal) = service_principal {
        draft.need("secretRef", &of_principal(needed, principal));
    } else if let Some(key) = account_key {
        draft.need("secretRef", &needed.secret("accountKey", "the key of the storage account", Some(key)));
    } else if let Some(token) = sas_token {
        draft.need("secretRef", &needed.secret("sasKey", "the shared access signature", Some(token)));
    } else if let Some(ManagedIdentitySpec { client_id }) = managed_identity {
        draft.refer("secretRef", public(place, "protected-parameters", &[("clientId", client_id)]));
        draft.notes.push("a managed identity is a machine's: only virtual machines of Azure have one".to_owned());
    }
    draft.made()
}

fn of_principal<'a>(needed: Needed<'a>, principal: &ServicePrincipalSpec) -> Needed<'a> {
    let ServicePrincipalSpec {
        client_id,
        tenant_id,
        client_secret,
        client_certificate,
        client_certificate_password,
        client_certificate_send_chain,
    } = principal;
    let mut needed = needed.literal("tenantId", tenant_id).literal("clientId", client_id);
    if let Some(secret) = client_secret {
        needed = needed.secret("clientSecret", "the secret of the application", Some(secret));
    }
    if let Some(certificate) = client_certificate {
        needed =
            needed.secret("clientCertificate", "the certificate and its private key, in PEM form", Some(certificate));
    }
    if let Some(password) = client_certificate_password {
        needed = needed.secret("clientCertificatePassword", "the password of the private key", Some(password));
    }
    if *client_certificate_send_chain {
        needed = needed.literal("clientCertificateSendChain", "true");
    }
    needed
}
