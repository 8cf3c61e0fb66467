//! Rules about connecting a cluster to Azure Arc.

use std::collections::BTreeMap;

use url::Url;

use super::super::clusters::ClusterTree;
use super::super::codes;
use super::super::expand::cluster_type;
use super::super::node::{Node, Value};
use super::super::report::Report;
use super::versions;
use crate::kinds::Kind;
use crate::kinds::cluster::ClusterType;

/// Each cluster has a context of its own.
pub(super) fn check_contexts(clusters: &[ClusterTree], report: &mut Report) {
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    for ClusterTree { label, tree, .. } in clusters {
        let context = tree.get("cluster").and_then(|cluster| cluster.get("onboard")?.get("context"));
        let Some((node, context)) = context.and_then(|node| Some((node, node.text()?))) else { continue };
        match found.get(context) {
            None => drop(found.insert(context, label)),
            Some(other) => report.add_once(
                codes::CONTEXT_OF_TWO
                    .at(node.span, format!("the clusters `{other}` and `{label}` have the same context `{context}`"))
                    .with_hint("give each its own, such as `${cluster.name}`"),
            ),
        }
    }
}

pub(super) fn check(cluster: &Node, pins: Option<&Node>, report: &mut Report) {
    let Some(entry) = cluster.entry("onboard") else { return };
    let onboard = &entry.node;
    if cluster.text_of("type").and_then(cluster_type) == Some(ClusterType::ManagedClusters) {
        report.add_once(
            codes::NOTHING_TO_CONNECT
                .at(entry.key_span, "an AKS cluster is not connected to Azure Arc")
                .with_hint("take `onboard` out, or write `type: connectedClusters`"),
        );
        return;
    }
    if onboard.is_map() && onboard.entry("location").is_none() {
        report.add_once(
            codes::MISSING_KEY
                .at(entry.key_span, "nothing says in which region the cluster's record is kept")
                .with_hint("add `location: westeurope` here, or to `resourceGroup`"),
        );
    }
    if let Some(pins) = pins {
        versions::check(onboard, Kind::ConnectedCluster, pins, report);
    }
    // They become arguments of programs: `az` reads the file that a word after `@` names, and a word after `-` is an option.
    let words = ["context", "location", "distribution", "infrastructure"].iter().filter_map(|key| onboard.get(key));
    for node in words.chain(onboard.get("proxy").and_then(|proxy| proxy.get("skipRange"))) {
        if node.text().is_some_and(|text| text.starts_with(['@', '-'])) {
            report.add_once(
                codes::WRONG_FORM
                    .at(node.span, "a value that begins with `@` or `-` would be more than a word to `az` and `helm`")
                    .with_hint("write it without that"),
            );
        }
    }
    let Some(proxy) = onboard.get("proxy") else { return };
    for node in ["https", "http"].iter().filter_map(|key| proxy.get(key)) {
        let url = node.text().and_then(|text| Url::parse(text).ok());
        if url.is_some_and(|url| url.password().is_some() || !url.username().is_empty()) {
            report.add_once(
                codes::URL_CREDENTIALS
                    .at(node.span, "the URL of the proxy holds credentials")
                    .with_hint("leave them out: the values of the agents' chart may hold them (`--chart-values FILE`)"),
            );
        }
    }
    if let Some(cert) = proxy.entry("cert")
        && onboard.text_of("via") == Some("az")
    {
        report.add_once(
            codes::CERTIFICATE_BY_AZ
                .at(cert.key_span, "`az` takes the certificate of a proxy from a file")
                .with_hint("take `via: az` out: arcflux itself hands the certificate to the agents"),
        );
    }
    if let Some(cert) = proxy.get("cert")
        && matches!(cert.value, Value::Text(_))
        && !cert.text().is_some_and(|text| text.contains("-----BEGIN CERTIFICATE-----"))
    {
        report.add_once(
            codes::WRONG_FORM
                .at(cert.span, "`cert` is not a certificate in PEM form")
                .with_hint("write the whole text, from `-----BEGIN CERTIFICATE-----` on, after `cert: |`"),
        );
    }
}
