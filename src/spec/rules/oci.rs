//! Rules about an OCI source (`../shared/facts/domain.md` §4.12).

use super::super::codes;
use super::super::node::{Entry, Node};
use super::super::report::Report;
use super::source;

pub(super) fn check(entry: &Entry, report: &mut Report) {
    let oci = &entry.node;
    check_ref(oci, report);
    let url = source::url(oci, &["oci"], "oci://REGISTRY/REPOSITORY", report);
    if let (Some(url), Some(node)) = (&url, oci.get("url")) {
        let last = url.path().rsplit('/').next().unwrap_or_default();
        if last.is_empty() {
            report.add_once(
                codes::BAD_URL
                    .at(node.span, "the URL names no repository")
                    .with_hint("write `oci://REGISTRY/REPOSITORY`"),
            );
        } else if last.contains([':', '@']) {
            report.add_once(
                codes::BAD_URL
                    .at(node.span, "the URL names a revision")
                    .with_hint("say the revision by `tag`, `semver` or `digest`"),
            );
        }
    }
    source::one_way_to_sign_in(oci, &["useWorkloadIdentity", "localAuthRef"].map(|key| said(oci, key)), report);
    if oci.entry("localAuthRef").is_some()
        && let Some(tls) = oci.entry("tlsConfig")
    {
        report.add_once(
            codes::LOCAL_AUTH_EXCLUSIVE
                .at(tls.key_span, "`tlsConfig` does not go with `localAuthRef`")
                .with_hint("the Kubernetes secret holds everything; keep one of the two"),
        );
    }
    if let Some(tls) = oci.get("tlsConfig") {
        source::both_or_neither(tls, ["clientCertificate", "privateKey"], report);
    }
    if let Some(url) = url {
        source::check_encryption(oci, &url, &["tlsConfig"], report);
    }
    if let Some(verify) = oci.entry("verify") {
        check_verify(verify, report);
    }
}

/// The key, where it says something: `useWorkloadIdentity: false` is the default written out.
fn said<'a>(oci: &Node, key: &'a str) -> &'a str {
    let is_off = oci.get(key).is_some_and(|node| node.to_json() == serde_json::Value::Bool(false));
    if is_off { "" } else { key }
}

/// At most one of tag, semver and digest.
fn check_ref(oci: &Node, report: &mut Report) {
    let mut refs: Vec<&Entry> = ["tag", "semver", "digest"].iter().filter_map(|key| oci.entry(key)).collect();
    refs.sort_by_key(|entry| entry.key_span);
    if let [first, rest @ ..] = refs.as_slice() {
        for second in rest {
            report.add_once(
                codes::TWO_REFS
                    .at(second.key_span, format!("`{}` is given as well as `{}`", second.key, first.key))
                    .with_hint("keep one of `tag`, `semver` and `digest`"),
            );
        }
    }
}

/// A signature that is checked against nobody's key or identity proves that somebody signed.
fn check_verify(verify: &Entry, report: &mut Report) {
    let is_given =
        |key: &str| verify.node.get(key).is_some_and(|node| !node.entries().is_empty() || !node.items().is_empty());
    if verify.node.is_map() && !is_given("verificationConfig") && !is_given("matchOidcIdentity") {
        report.add_once(
            codes::ANYBODY_SIGNS
                .at(verify.key_span, "the signature is not held against any key or identity")
                .with_hint("add `verificationConfig:` with public keys, or `matchOidcIdentity:`"),
        );
    }
}
