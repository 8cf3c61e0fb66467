//! Rules about a document as a whole, and about its clusters side by side.

use std::collections::BTreeMap;

use super::super::clusters::ClusterTree;
use super::super::codes;
use super::super::expand::{SHORT_FORM_CONFIGURATION, cluster_type};
use super::super::node::Node;
use super::super::report::Report;
use crate::kinds::cluster::ClusterType;
use crate::model::Span;

/// Rules about the document as it is written.
pub(in super::super) fn check(document: &Node, report: &mut Report) {
    match (document.entry("cluster"), document.entry("clusters")) {
        (Some(cluster), Some(clusters)) => {
            let second = cluster.key_span.max(clusters.key_span);
            report.add(
                codes::CLUSTER_CHOICE
                    .at(second, "the spec has both `cluster` and `clusters`")
                    .with_hint("move the cluster into `clusters`"),
            );
        }
        (None, None) => report.add(
            codes::CLUSTER_CHOICE
                .at(document.span, "the spec names no cluster")
                .with_hint("add `cluster:` with its `name`, or `clusters:` for several"),
        ),
        (Some(_), None) => {}
        (None, Some(clusters)) if clusters.node.map().is_some_and(<[_]>::is_empty) => {
            report.add(codes::CLUSTER_CHOICE.at(clusters.key_span, "`clusters` names no cluster"));
        }
        (None, Some(_)) => {}
    }
    check_short_form(document, report);
    check_scopes(document, report);
}

/// Whether every configuration of the long form says its scope. The short form stands for one.
fn check_scopes(document: &Node, report: &mut Report) {
    let Some(configurations) = document.get("configurations") else { return };
    for configuration in configurations.entries() {
        let node = &configuration.node;
        let says = node.entry("scope").is_some() || node.text_of("state") == Some("absent");
        let code = codes::SCOPE_NOT_SAID.code.to_string();
        let allows = || {
            let allowed = node.get("allow").map(Node::items).unwrap_or_default();
            allowed.iter().any(|item| item.text() == Some(code.as_str()))
        };
        if node.is_map() && !says && !allows() {
            report.add(
                codes::SCOPE_NOT_SAID
                    .at(configuration.key_span, format!("`{}` does not say its scope, and gets `cluster`", configuration.key))
                    .with_hint("write `scope: cluster` if it may act as cluster administrator, or `scope: namespace` if it may change its own namespace only"),
            );
        }
    }
}

fn check_short_form(document: &Node, report: &mut Report) {
    match (document.entry("repo"), document.entry("kustomizations")) {
        (Some(repo), None) => report.add(
            codes::SUGAR_CLASH
                .at(repo.key_span, "`repo` is given without `kustomizations`")
                .with_hint("add `kustomizations:` with what to apply from it"),
        ),
        (None, Some(kustomizations)) => report.add(
            codes::SUGAR_CLASH
                .at(kustomizations.key_span, "`kustomizations` is given without `repo`")
                .with_hint("add `repo:` with the `url` to apply them from"),
        ),
        (None, None) => return,
        (Some(_), Some(_)) => {}
    }
    let declared =
        document.get("configurations").and_then(|configurations| configurations.entry(SHORT_FORM_CONFIGURATION));
    if let Some(entry) = declared {
        report.add(
            codes::SUGAR_CLASH
                .at(entry.key_span, "`flux-system` is declared twice: here, and by `repo` and `kustomizations`")
                .with_hint("keep one of the two"),
        );
    }
}

/// Rules about the clusters of an expanded document.
pub(in super::super) fn check_clusters(expanded: &Node, clusters: &[ClusterTree], report: &mut Report) {
    if expanded.get("cluster").is_none() && expanded.get("clusters").is_none() {
        return;
    }
    let mut ids: BTreeMap<(String, String, ClusterType, String), &ClusterTree> = BTreeMap::new();
    let mut groups: BTreeMap<(String, String), (&Node, Span)> = BTreeMap::new();
    for cluster in clusters {
        for key in ["subscription", "resourceGroup"] {
            if cluster.tree.entry(key).is_none() {
                report.add(
                    codes::NO_SUBSCRIPTION_OR_GROUP
                        .at(cluster.tree.span, format!("cluster `{}` has no `{key}`", cluster.label))
                        .with_hint(format!("add `{key}:` at the top of the spec")),
                );
            }
        }
        if let Some(id) = id(&cluster.tree) {
            match ids.get(&id) {
                None => {
                    ids.insert(id, cluster);
                }
                Some(first) => {
                    let message = format!("`{}` and `{}` are the same cluster", first.label, cluster.label);
                    report.add(codes::SAME_CLUSTER_TWICE.at(cluster.tree.span, message));
                }
            }
        }
        check_group(&cluster.tree, &mut groups, report);
    }
}

fn id(cluster: &Node) -> Option<(String, String, ClusterType, String)> {
    Some((
        cluster.text_of("subscription")?.to_ascii_lowercase(),
        cluster.get("resourceGroup")?.text_of("name")?.to_ascii_lowercase(),
        cluster_type(cluster.get("cluster")?.text_of("type")?)?,
        cluster.get("cluster")?.text_of("name")?.to_ascii_lowercase(),
    ))
}

/// One group cannot be in two places, nor have two values of one tag.
fn check_group<'a>(cluster: &'a Node, groups: &mut BTreeMap<(String, String), (&'a Node, Span)>, report: &mut Report) {
    let Some(group) = cluster.get("resourceGroup") else { return };
    let (Some(subscription), Some(name)) = (cluster.text_of("subscription"), group.text_of("name")) else { return };
    let key = (subscription.to_ascii_lowercase(), name.to_ascii_lowercase());
    match groups.get(&key) {
        None => {
            groups.insert(key, (group, group.span));
        }
        Some((first, place)) if !agree(first, group) => report.add_once(
            codes::GROUP_DECLARED_TWICE
                .at(group.span, format!("the resource group `{name}` is declared otherwise for another cluster"))
                .with_hint(format!("the other declaration is on line {}", place.line)),
        ),
        Some(_) => {}
    }
}

fn agree(first: &Node, second: &Node) -> bool {
    ["location", "tags"].iter().all(|key| match (first.get(key), second.get(key)) {
        (Some(first), Some(second)) => first.to_json() == second.to_json(),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    })
}
