//! What no schema can say: rules about a whole document, and about each cluster after substitution. Each rule asks the
//! tree for what it needs and says nothing about a value that is missing or of the wrong type: the schema did.

pub(super) mod allowed;
pub(super) mod blob;
pub(super) mod bucket;
pub(super) mod document;
pub(super) mod extension;
pub(super) mod git;
pub(super) mod keys;
pub(super) mod oci;
pub(super) mod onboarding;
pub(super) mod order;
pub(super) mod paths;
pub(super) mod presence;
pub(super) mod settings;
pub(super) mod source;
pub(super) mod substitutes;
pub(super) mod versions;

use std::collections::BTreeSet;

pub use self::versions::NewerField;
use super::clusters::ClusterTree;
use super::codes;
use super::desired::Profile;
use super::expand::cluster_type;
use super::forms::{bad_duration, is_duration_key};
use super::node::{Entry, Node, Value};
use super::report::Report;
use crate::kinds::Kind;
use crate::kinds::cluster::ClusterType;
use crate::model::Seconds;

/// The most characters that the names of a configuration and of one of its kustomizations may have together.
const MAX_NAMES_TOGETHER: usize = 62;

/// Checks every cluster.
pub(super) fn check(expanded: &Node, clusters: &[ClusterTree], report: &mut Report) {
    let names: BTreeSet<&str> =
        clusters.iter().filter_map(|cluster| cluster.tree.get("cluster")?.text_of("name")).collect();
    document::check_clusters(expanded, clusters, report);
    onboarding::check_contexts(clusters, report);
    for configuration in expanded.get("configurations").map(Node::entries).unwrap_or_default() {
        presence::check_state(&configuration.node, report);
    }
    for cluster in clusters {
        let cluster_type = cluster.tree.get("cluster").and_then(|own| own.text_of("type")).and_then(cluster_type);
        let pins = cluster.tree.get("apiVersions");
        if let Some(own) = cluster.tree.get("cluster") {
            onboarding::check(own, pins, report);
        }
        if let Some(extension) = cluster.tree.get("extension") {
            extension::check(extension, report);
            if let Some(own) = extension.get("configurationSettings") {
                settings::check(own, cluster_type, report);
            }
            if let Some(pins) = pins {
                versions::check(extension, Kind::Extension, pins, report);
            }
        }
        let profile = cluster.tree.get("policy").and_then(|policy| policy.text_of("profile")).and_then(Profile::named);
        let Some(configurations) = cluster.tree.get("configurations") else { continue };
        order::check("configuration", configurations, None, report);
        for configuration in configurations.entries() {
            let layout = paths::Layout {
                cluster: cluster.tree.get("cluster").and_then(|own| own.text_of("name")),
                names: &names,
                profile,
            };
            let before = report.len();
            check_configuration(configuration, &layout, cluster_type, report);
            allowed::check(&configuration.node, before, report);
            if let Some(pins) = pins {
                versions::check(&configuration.node, Kind::FluxConfiguration, pins, report);
            }
        }
    }
}

/// What the clusters say that older api-versions lack, each place once.
pub(super) fn newer(clusters: &[ClusterTree]) -> Vec<NewerField> {
    let mut all: Vec<NewerField> = Vec::new();
    for ClusterTree { tree, .. } in clusters {
        let extension = tree.get("extension").map(|node| versions::newer(node, Kind::Extension));
        let configurations = tree.get("configurations").map(Node::entries).unwrap_or_default();
        let configurations = configurations.iter().map(|entry| versions::newer(&entry.node, Kind::FluxConfiguration));
        let onboard = tree.get("cluster").and_then(|cluster| cluster.get("onboard"));
        let onboard = onboard.map(|node| versions::newer(node, Kind::ConnectedCluster));
        all.extend(extension.into_iter().chain(onboard).chain(configurations).flatten());
    }
    all.sort_by(|one, other| one.order().cmp(&other.order()));
    all.dedup();
    all
}

fn check_configuration(
    configuration: &Entry,
    layout: &paths::Layout<'_>,
    cluster_type: Option<ClusterType>,
    report: &mut Report,
) {
    layout.check_names(configuration, report);
    check_durations(&configuration.node, report);
    check_wait(&configuration.node, report);
    presence::check_ignored(&configuration.node, report);
    source::check(configuration, cluster_type, report);
    let Some(kustomizations) = configuration.node.get("kustomizations") else { return };
    order::check("kustomization", kustomizations, Some(&configuration.key), report);
    for kustomization in kustomizations.entries() {
        check_names_together(configuration, kustomization, report);
        check_durations(&kustomization.node, report);
        substitutes::check(&kustomization.node, report);
        layout.check_path(kustomization, report);
    }
}

fn check_names_together(configuration: &Entry, kustomization: &Entry, report: &mut Report) {
    let length = configuration.key.chars().count() + kustomization.key.chars().count();
    if length > MAX_NAMES_TOGETHER {
        report.add_once(
            codes::NAMES_TOO_LONG_TOGETHER
                .at(
                    kustomization.key_span,
                    format!(
                        "the names `{}` and `{}` have {length} characters together; they may have {MAX_NAMES_TOGETHER}",
                        configuration.key, kustomization.key
                    ),
                )
                .with_hint("shorten one of them"),
        );
    }
}

/// A duration of a wait that is not asked for.
fn check_wait(configuration: &Node, report: &mut Report) {
    let waits = configuration.get("waitForReconciliation").is_some_and(|node| matches!(node.value, Value::Bool(true)));
    if let Some(duration) = configuration.entry("reconciliationWaitDuration").filter(|_| !waits) {
        report.add_once(
            codes::WAIT_DURATION_ALONE
                .at(duration.key_span, "`reconciliationWaitDuration` does nothing without `waitForReconciliation`")
                .with_hint("add `waitForReconciliation: true`, or take it out"),
        );
    }
}

/// The schema knows the form of a duration; its range is only known here.
fn check_durations(node: &Node, report: &mut Report) {
    for entry in node.entries().iter().filter(|entry| is_duration_key(&entry.key)) {
        if let Some(text) = entry.node.text()
            && text.parse::<Seconds>().is_err()
        {
            report.add_once(bad_duration(&entry.key, text, entry.node.span));
        }
    }
}
