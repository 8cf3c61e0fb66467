//! One cluster out of a document: its own settings over the shared ones, every reference replaced.

use super::codes;
use super::expand;
use super::node::{Entry, Node, Value};
use super::report::Report;
use super::substitute::{CLUSTER_PROPERTIES, Scope, Slot};
use super::yaml::Places;

/// How many values the clusters of one spec may have together. Five thousand clusters of a hundred kustomizations each
/// stay below it.
const MAX_VALUES: usize = 5_000_000;

/// Everything about one cluster, as a tree in the shape of [`super::document::ClusterDocument`].
pub(super) struct ClusterTree {
    /// Its key under `clusters:`.
    pub(super) key: Option<String>,
    /// What messages call it.
    pub(super) label: String,
    pub(super) tree: Node,
}

/// The clusters of an expanded document. Where it has none, one with nothing known about it, so that the rules about
/// everything else still run.
pub(super) fn clusters(expanded: &Node, places: &Places<'_>, report: &mut Report) -> Vec<ClusterTree> {
    if let Some(entries) = expanded.get("clusters").and_then(Node::map) {
        let shared: usize =
            ["extension", "configurations"].iter().filter_map(|key| expanded.get(key)).map(Node::count).sum();
        if shared.saturating_mul(entries.len()) > MAX_VALUES {
            let message =
                format!("{} clusters of {shared} values each are more than one spec may stand for", entries.len());
            report.add(
                codes::LIMIT.at(expanded.entry("clusters").map_or(expanded.span, |entry| entry.key_span), message),
            );
            return Vec::new();
        }
        return entries.iter().map(|entry| of_entry(expanded, &entry.node, Some(entry), places, report)).collect();
    }
    let nothing = Node::map_at(Vec::new(), expanded.span);
    vec![of_entry(expanded, expanded.get("cluster").unwrap_or(&nothing), None, places, report)]
}

fn of_entry(
    expanded: &Node,
    own: &Node,
    entry: Option<&Entry>,
    places: &Places<'_>,
    report: &mut Report,
) -> ClusterTree {
    let label =
        entry.map(|entry| entry.key.clone()).or_else(|| own.text_of("name").map(str::to_owned)).unwrap_or_default();
    let mut scope = Scope {
        places,
        cluster_label: Some(&label),
        cluster: CLUSTER_PROPERTIES.iter().map(|name| (*name, Slot::Later)).collect(),
        values: entry.map(|entry| entry.node.get("values").map(Node::entries).unwrap_or_default()),
    };
    let mut tree = Node::map_at(Vec::new(), own.span);
    let mut cluster = Node::map_at(Vec::new(), own.span);
    // In this order each may use those before it.
    for (index, property) in CLUSTER_PROPERTIES.into_iter().enumerate() {
        let shared = match property {
            "subscription" | "resourceGroup" => expanded.entry(property),
            _ => None,
        };
        let declared = match property {
            "subscription" | "resourceGroup" if entry.is_none() => None,
            _ => own.entry(property),
        };
        let Some(entry) = declared.or(shared) else {
            scope.cluster[index].1 = Slot::Unknown;
            continue;
        };
        let node = scope.apply(&entry.node, report);
        let value = if property == "resourceGroup" { node.get("name") } else { Some(&node) };
        scope.cluster[index].1 = match value.filter(|value| value.text().is_some()) {
            Some(value) => Slot::Known(value.clone()),
            None => Slot::Unknown,
        };
        let place = if matches!(property, "name" | "type") { &mut cluster } else { &mut tree };
        place.add(Entry { node, ..entry.clone() });
    }
    let cluster_type = cluster.text_of("type").and_then(expand::cluster_type);
    if let Some(onboard) = own.entry("onboard") {
        let mut node = scope.apply(&onboard.node, report);
        // A cluster's record is kept where its group is, unless the spec says otherwise.
        if let Some(group) = tree.get("resourceGroup").and_then(|group| group.entry("location"))
            && node.is_map()
            && node.entry("location").is_none()
        {
            node.add(group.clone());
        }
        cluster.add(Entry { node, ..onboard.clone() });
    }
    tree.add(Entry::made("cluster", own.span, cluster));
    let labels = own.get("labels").filter(|_| entry.is_some());
    let labels = labels.map_or_else(|| Node::map_at(Vec::new(), own.span), |labels| scope.apply(labels, report));
    tree.add(Entry::made("labels", own.span, labels));
    match expanded.entry("providers") {
        Some(entry) => tree.add(Entry { node: scope.apply(&entry.node, report), ..entry.clone() }),
        None => {
            let providers = cluster_type.map_or(Node::written(Value::Unresolved, own.span), |cluster_type| {
                expand::providers(cluster_type, own.span)
            });
            tree.add(Entry::made("providers", own.span, providers));
        }
    }
    let shared = Scope { places, cluster_label: None, cluster: Vec::new(), values: None };
    for key in ["tenant", "policy", "apiVersions"] {
        if let Some(entry) = expanded.entry(key) {
            tree.add(Entry { node: shared.apply(&entry.node, report), ..entry.clone() });
        }
    }
    for key in ["extension", "configurations"] {
        if let Some(entry) = expanded.entry(key) {
            tree.add(Entry { node: scope.apply(&entry.node, report), ..entry.clone() });
        }
    }
    set_absent_aside(&mut tree);
    ClusterTree { key: entry.map(|entry| entry.key.clone()), label, tree }
}

/// Moves the names of configurations that must not be there out of those that must: nothing else is asked of them.
fn set_absent_aside(tree: &mut Node) {
    let span = tree.span;
    let mut absent = Vec::new();
    if let Value::Map(entries) = &mut tree.value
        && let Some(configurations) = entries.iter_mut().find(|entry| entry.key == "configurations")
        && let Value::Map(configurations) = &mut configurations.node.value
    {
        configurations.retain(|entry| {
            let is_absent = entry.node.text_of("state") == Some("absent");
            if is_absent {
                absent.push(Node::text_at(entry.key.clone(), entry.key_span));
            }
            !is_absent
        });
    }
    tree.add(Entry::made("absent", span, Node::written(Value::List(absent), span)));
}
