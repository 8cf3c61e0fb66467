//! Rules about an Azure Blob source (`../shared/facts/arm-contracts.md` §1.7, `../shared/facts/domain.md` §4.12).

use super::super::codes;
use super::super::node::{Entry, Node};
use super::super::report::Report;
use super::source;
use crate::kinds::cluster::ClusterType;

const WAYS: [&str; 5] = ["servicePrincipal", "accountKey", "sasToken", "managedIdentity", "localAuthRef"];

pub(super) fn check(entry: &Entry, cluster_type: Option<ClusterType>, report: &mut Report) {
    let blob = &entry.node;
    let url = source::url(blob, &["https", "http"], "https://ACCOUNT.blob.core.windows.net", report);
    source::one_way_to_sign_in(blob, &WAYS, report);
    if let Some(principal) = blob.entry("servicePrincipal") {
        check_principal(principal, report);
    }
    match cluster_type {
        Some(ClusterType::ConnectedClusters) => {
            if let Some(identity) = blob.entry("managedIdentity") {
                report.add_once(
                    codes::IDENTITY_ON_ARC
                        .at(
                            identity.key_span,
                            "a cluster connected to Azure Arc has no managed identity to sign in with",
                        )
                        .with_hint("use `servicePrincipal`, `sasToken`, `accountKey` or `localAuthRef`"),
                );
            }
        }
        Some(ClusterType::ManagedClusters) | None => {}
    }
    if let Some(url) = url {
        source::check_encryption(blob, &url, &["accountKey", "sasToken", "servicePrincipal"], report);
    }
}

/// Exactly one of a secret and a certificate; a password belongs to a certificate.
fn check_principal(entry: &Entry, report: &mut Report) {
    let principal: &Node = &entry.node;
    source::one_way_to_sign_in(principal, &["clientSecret", "clientCertificate"], report);
    let (secret, certificate) = (principal.entry("clientSecret"), principal.entry("clientCertificate"));
    if secret.is_none() && certificate.is_none() && principal.is_map() {
        report.add_once(
            codes::HALF_A_SIGN_IN
                .at(entry.key_span, "the service principal has neither a secret nor a certificate")
                .with_hint("add `clientSecret:` or `clientCertificate:`"),
        );
    }
    if let (Some(password), None) = (principal.entry("clientCertificatePassword"), certificate) {
        report.add_once(
            codes::HALF_A_SIGN_IN
                .at(password.key_span, "`clientCertificatePassword` is given without `clientCertificate`")
                .with_hint("add `clientCertificate:`, or take it out"),
        );
    }
}
