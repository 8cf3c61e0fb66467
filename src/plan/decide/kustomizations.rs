//! Kustomizations as they are live: what goes when one goes, and how its workloads are kept.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Decision, wait};
use crate::graph::Node;
use crate::kinds::flux_configuration::SOURCE_MEMBERS;
use crate::model::ResourceId;
use crate::plan::{Consequence, Step, Until};

/// A kustomization as it is live.
pub(super) struct Live<'a> {
    pub(super) name: &'a str,
    pub(super) path: &'a str,
    pub(super) prune: bool,
    /// What ARM knows of what it applied: kind and name.
    applied: Vec<String>,
}

/// Every kustomization of a live configuration, by name: the map has no order.
pub(super) fn live_kustomizations(live: &Value) -> Vec<Live<'_>> {
    let configuration = live.get("name").and_then(Value::as_str).unwrap_or_default();
    let mut applied = applied(live);
    let map = live.pointer("/properties/kustomizations").and_then(Value::as_object);
    let mut all: Vec<Live<'_>> = map
        .into_iter()
        .flatten()
        .filter(|(_, body)| !body.is_null())
        .map(|(name, body)| {
            let applied = applied.remove(format!("{configuration}-{name}").as_str()).unwrap_or_default();
            Live {
                name,
                path: body.get("path").and_then(Value::as_str).unwrap_or_default(),
                prune: body.get("prune").and_then(Value::as_bool).unwrap_or(false),
                applied,
            }
        })
        .collect();
    all.sort_by_key(|one| one.name);
    all
}

/// What ARM knows of what each kustomization applied, by its name in the cluster; gone through once, however many there are
/// of either.
fn applied(live: &Value) -> BTreeMap<&str, Vec<String>> {
    let mut applied: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for status in live.pointer("/properties/statuses").and_then(Value::as_array).into_iter().flatten() {
        let text = |pointer| status.pointer(pointer).and_then(Value::as_str);
        if let (Some(by), Some(kind), Some(name)) = (text("/appliedBy/name"), text("/kind"), text("/name")) {
            applied.entry(by).or_default().push(format!("{kind} {name}"));
        }
    }
    applied.values_mut().for_each(|objects| objects.sort());
    applied
}

/// Says what it means that a kustomization goes away.
pub(super) fn removal_consequence(decision: &mut Decision, kustomization: &Live<'_>, keep: bool) {
    let Live { name, path, prune, applied } = kustomization;
    let from = if path.is_empty() { "the top of the repository" } else { path };
    if *prune && !keep {
        let known = known_objects(applied);
        let [before, after] = Consequence::PRUNES;
        decision.consequence(
            "garbage_collection",
            format!("{before}{name}{after}everything applied from {from} will be deleted{known}"),
        );
    } else {
        let first = if *prune { format!("prune is switched off for {name} first: ") } else { String::new() };
        decision.consequence(
            "workloads_left",
            format!("{first}what {name} applied from {from} stays in the cluster, and nothing reconciles it any more"),
        );
    }
}

/// How many Flux objects are named at most: a kustomization of a platform has applied hundreds.
const MOST_NAMED: usize = 10;

/// What ARM knows of what was applied, as the end of a sentence: Flux objects only, never what they stand for.
fn known_objects(applied: &[String]) -> String {
    let named = applied.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let known = Consequence::KNOWN_OBJECTS;
    match applied.len() {
        0 => String::new(),
        1 => format!("{known}this Flux object: {named}"),
        count if count <= MOST_NAMED => format!("{known}these {count} Flux objects: {named}"),
        count => format!("{known}these {count} Flux objects: {named}, and {} more", count - MOST_NAMED),
    }
}

/// Switches prune off for some live kustomizations and waits until the cluster knows. PATCH wants the source block,
/// else ARM answers `Invalid source kind match` (`../shared/facts/domain.md` S37): the live one, unchanged.
pub(super) fn prune_off(node: &Node, before: &Value, names: &[&str]) -> [Step; 2] {
    let api_version = node.api_version.as_str();
    let mut properties = source_block(&before["properties"]);
    let off: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!({"prune": false}))).collect();
    properties.insert("kustomizations".to_owned(), Value::Object(off));
    let id: &ResourceId = &node.id;
    let patch = Step::Patch {
        id: id.clone(),
        api_version: api_version.to_owned(),
        body: json!({ "properties": properties }),
        holes: Vec::new(),
        when: None,
    };
    [patch, wait(id, api_version, Until::Provisioned)]
}

/// What a PATCH must say of the source: its kind and the whole of its description.
pub(super) fn source_block(properties: &Value) -> Map<String, Value> {
    ["sourceKind"]
        .into_iter()
        .chain(SOURCE_MEMBERS)
        .filter_map(|key| Some((key.to_owned(), properties.get(key)?.clone())))
        .collect()
}
