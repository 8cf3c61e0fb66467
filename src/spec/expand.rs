//! The long form of a document: short forms moved to where they belong, and every default written out. Places are kept:
//! what is filled in has the place of the key that it is filled in under.

use std::sync::LazyLock;

use serde_json::{Value as Json, json};

use super::node::{Entry, Node, Value};
use super::provenance::Provenance;
use super::schema::{self, PUBLISHED};
use crate::kinds::cluster::{ClusterSpec, ClusterType};
use crate::kinds::extension::ExtensionSpec;
use crate::kinds::flux_configuration::{ConfigurationSpec, KustomizationSpec};
use crate::model::{FieldPath, Span};

/// The configuration that `repo` and `kustomizations` stand for, and its namespace.
pub(super) const SHORT_FORM_CONFIGURATION: &str = "flux-system";

/// The keys of the long form.
const KEYS: [&str; 11] = [
    "apiVersion",
    "tenant",
    "subscription",
    "resourceGroup",
    "cluster",
    "clusters",
    "providers",
    "extension",
    "configurations",
    "apiVersions",
    "policy",
];

/// The long form of `document`. What is wrong in it is left as it is: the rules speak about it.
pub(super) fn expand(document: &Node) -> Node {
    let mut long = Node::map_at(Vec::new(), document.span);
    for key in KEYS {
        let Some(entry) = document.entry(key) else {
            match key {
                "extension" => {
                    long.add(Entry::made(key, document.span, filled(None, &EXTENSION_DEFAULTS, document.span)));
                }
                "configurations" => long.add(Entry::made(key, document.span, Node::map_at(Vec::new(), document.span))),
                _ => {}
            }
            continue;
        };
        let node = match key {
            "resourceGroup" => resource_group(&entry.node),
            "cluster" => filled(Some(&entry.node), &CLUSTER_DEFAULTS, entry.node.span),
            "clusters" => each(&entry.node, cluster_entry),
            "extension" => filled(Some(&entry.node), &EXTENSION_DEFAULTS, entry.node.span),
            "configurations" => each(&entry.node, |entry| configuration(&entry.node)),
            _ => entry.node.clone(),
        };
        long.add(Entry { node, ..entry.clone() });
    }
    add_short_form(document, &mut long);
    add_providers(&mut long);
    sort_keys(&mut long, &FieldPath::default());
    long
}

/// Puts the keys of every mapping in the order of the schema; names that an author chose keep theirs.
fn sort_keys(node: &mut Node, path: &FieldPath) {
    match &mut node.value {
        Value::Map(entries) => {
            let known = schema::keys_at(&PUBLISHED.schema, path);
            // A key that is not known stays behind those that are.
            let place = |key: &str| known.iter().position(|known| *known == key).unwrap_or(known.len());
            entries.sort_by_key(|entry| place(&entry.key));
            entries.iter_mut().for_each(|entry| sort_keys(&mut entry.node, &path.key(&entry.key)));
        }
        Value::List(items) => {
            items.iter_mut().enumerate().for_each(|(index, item)| sort_keys(item, &path.index(index)));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unresolved => {}
    }
}

/// Moves `repo` and `kustomizations` to the configuration that they stand for.
fn add_short_form(document: &Node, long: &mut Node) {
    let (repo, kustomizations) = (document.entry("repo"), document.entry("kustomizations"));
    let Some(first) = repo.or(kustomizations) else { return };
    let namespace = Node::text_at(SHORT_FORM_CONFIGURATION, first.key_span).because(Provenance::ShortForm);
    let mut entries = vec![Entry::made("namespace", first.key_span, namespace)];
    for (key, entry) in [("gitRepository", repo), ("kustomizations", kustomizations)] {
        entries.extend(entry.map(|entry| Entry { key: key.to_owned(), ..entry.clone() }));
    }
    let configuration = configuration(&Node::map_at(entries, first.key_span).because(Provenance::ShortForm));
    let Value::Map(top) = &mut long.value else { return };
    let Some(configurations) = top.iter_mut().find(|entry| entry.key == "configurations") else { return };
    configurations.node.add(Entry::made(SHORT_FORM_CONFIGURATION, first.key_span, configuration));
}

/// Writes out the providers that a single cluster needs. Those of several clusters follow from each cluster's type.
fn add_providers(long: &mut Node) {
    let Some(cluster) = long.get("cluster") else { return };
    let span = cluster.span;
    if let Some(cluster_type) = cluster.text_of("type").and_then(cluster_type) {
        long.add(Entry::made("providers", span, providers(cluster_type, span)));
    }
}

/// The providers that a cluster type needs.
pub(super) fn providers(cluster_type: ClusterType, span: Span) -> Node {
    let of_cluster = match cluster_type {
        ClusterType::ConnectedClusters => "Microsoft.Kubernetes",
        ClusterType::ManagedClusters => "Microsoft.ContainerService",
    };
    let names = [of_cluster, "Microsoft.KubernetesConfiguration"];
    let derived = |name: &&str| Node::text_at(*name, span).because(Provenance::Derived);
    Node::written(Value::List(names.iter().map(derived).collect()), span).because(Provenance::Derived)
}

/// The cluster type that a word names.
pub(super) fn cluster_type(word: &str) -> Option<ClusterType> {
    serde_json::from_value(Json::from(word)).ok()
}

fn each(map: &Node, change: impl Fn(&Entry) -> Node) -> Node {
    match map.map() {
        Some(entries) => {
            let changed = entries.iter().map(|entry| Entry { node: change(entry), ..entry.clone() }).collect();
            Node::map_at(changed, map.span).because(map.provenance.clone())
        }
        None => map.clone(),
    }
}

fn resource_group(node: &Node) -> Node {
    match node.value {
        Value::Text(_) => Node::map_at(vec![Entry::made("name", node.span, node.clone())], node.span),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Unresolved => {
            node.clone()
        }
    }
}

fn cluster_entry(entry: &Entry) -> Node {
    let mut node = match &entry.node.value {
        Value::Map(_) => each(&entry.node, |inner| match inner.key.as_str() {
            "resourceGroup" => resource_group(&inner.node),
            _ => inner.node.clone(),
        }),
        _ => return entry.node.clone(),
    };
    let name = Node::text_at(entry.key.clone(), entry.key_span).because(Provenance::Derived);
    node.add(Entry::made("name", entry.key_span, name));
    filled(Some(&node), &CLUSTER_DEFAULTS, entry.key_span)
}

fn configuration(node: &Node) -> Node {
    let node = filled(Some(node), &CONFIGURATION_DEFAULTS, node.span);
    each(&node, |entry| match entry.key.as_str() {
        "kustomizations" => each(&entry.node, |kustomization| {
            filled(Some(&kustomization.node), &KUSTOMIZATION_DEFAULTS, kustomization.key_span)
        }),
        _ => entry.node.clone(),
    })
}

/// `node` with the defaults that it does not name.
fn filled(node: Option<&Node>, defaults: &Json, span: Span) -> Node {
    let Some(node) = node else { return Node::of_default(defaults, span) };
    let mut filled = node.clone();
    merge(&mut filled, defaults, span);
    filled
}

fn merge(node: &mut Node, defaults: &Json, span: Span) {
    let (Value::Map(entries), Some(defaults)) = (&mut node.value, defaults.as_object()) else { return };
    for (key, default) in defaults {
        match entries.iter_mut().find(|entry| &entry.key == key) {
            Some(entry) => merge(&mut entry.node, default, entry.key_span),
            // A mapping of defaults stands for one that the author must write.
            None if default.is_object() => {}
            None => entries.push(Entry::made(key, span, Node::of_default(default, span))),
        }
    }
}

/// What a spec type makes of a value in which only `required` is given, without what is required: its defaults.
fn defaults<T: serde::Serialize + serde::de::DeserializeOwned>(required: Json, drop: &[&str]) -> Json {
    let mut value = serde_json::from_value::<T>(required).and_then(serde_json::to_value).unwrap_or_default();
    for pointer in drop {
        if let Some((parent, key)) = pointer.rsplit_once('/')
            && let Some(map) = value.pointer_mut(parent).and_then(Json::as_object_mut)
        {
            map.shift_remove(key);
        }
    }
    value
}

pub(super) static CLUSTER_DEFAULTS: LazyLock<Json> = LazyLock::new(|| {
    defaults::<ClusterSpec>(json!({"name": "", "onboard": {"context": ""}}), &["/name", "/onboard/context"])
});
pub(super) static EXTENSION_DEFAULTS: LazyLock<Json> = LazyLock::new(|| defaults::<ExtensionSpec>(json!({}), &[]));
pub(super) static KUSTOMIZATION_DEFAULTS: LazyLock<Json> =
    LazyLock::new(|| defaults::<KustomizationSpec>(json!({}), &[]));
pub(super) static CONFIGURATION_DEFAULTS: LazyLock<Json> = LazyLock::new(|| {
    defaults::<ConfigurationSpec>(
        json!({
            "gitRepository": {"url": ""},
            "bucket": {"url": "", "bucketName": ""},
            "azureBlob": {"url": "", "containerName": "", "servicePrincipal": {"clientId": "", "tenantId": ""}},
            "ociRepository": {"url": "", "layerSelector": {}},
            "kustomizations": {},
        }),
        &[
            "/gitRepository/url",
            "/bucket/url",
            "/bucket/bucketName",
            "/azureBlob/url",
            "/azureBlob/containerName",
            "/azureBlob/servicePrincipal/clientId",
            "/azureBlob/servicePrincipal/tenantId",
            "/ociRepository/url",
            "/kustomizations",
        ],
    )
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_come_from_the_spec_types() {
        let onboard = json!({"oidcIssuer": false, "workloadIdentity": false, "via": "native"});
        assert_eq!(*CLUSTER_DEFAULTS, json!({"type": "connectedClusters", "onboard": onboard}));
        assert_eq!(*EXTENSION_DEFAULTS, json!({"name": "flux"}));
        assert_eq!(CONFIGURATION_DEFAULTS["scope"], "cluster");
        assert_eq!(CONFIGURATION_DEFAULTS["gitRepository"]["interval"], "10m");
        assert_eq!(CONFIGURATION_DEFAULTS["bucket"], json!({"insecure": false, "interval": "10m", "timeout": "10m"}));
        assert_eq!(CONFIGURATION_DEFAULTS["ociRepository"]["layerSelector"], json!({"operation": "extract"}));
        assert_eq!(KUSTOMIZATION_DEFAULTS["wait"], true);
    }
}
