//! Nothing is left out: `specs/everything.yaml` uses every key of the format, and with it arcflux writes every field
//! that the published API documents let a client write.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arcflux::kinds::cluster::ClusterType;
use arcflux::kinds::{Body, extension, flux_configuration};
use arcflux::model::{FieldPath, Segment};
use arcflux::spec;
use serde_json::Value;

use crate::simulated::{World, desired};

/// Connecting a cluster takes a cluster: its keys are in a case of their own, for the other spec is applied as it is.
const ONBOARD: &str = include_str!("../cases/spec/onboard/arcflux.yaml");
const EVERYTHING: &str = include_str!("../../specs/everything.yaml");

/// Keys that one spec cannot have beside the rest.
const EXCLUDED: [(&str, &str); 7] = [
    ("the top", "cluster"),                       // `clusters` is there.
    ("ClusterSpec", "name"),                      // Below `cluster`.
    ("ClusterSpec", "type"),                      // Below `cluster`.
    ("ClusterSpec", "onboard"),                   // Below `cluster`.
    ("ExtensionSpec", "autoUpgradeMinorVersion"), // `autoUpgradeMode` says it.
    ("ExtensionSpec", "releaseTrain"),            // Says nothing while upgrades are off.
    ("Policy", "profile"),                        // Allows one configuration only.
];

type Key = (String, String);

/// The object schemas behind `schema`, each with the name of its definition.
fn objects<'a>(root: &'a Value, schema: &'a Value, name: &str) -> Vec<(String, &'a Value)> {
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap();
        return objects(root, root.pointer(target.trim_start_matches('#')).unwrap(), name);
    }
    match schema["anyOf"].as_array() {
        Some(branches) => branches.iter().flat_map(|branch| objects(root, branch, name)).collect(),
        None => vec![(name.to_owned(), schema)],
    }
}

/// Every key that `document` uses, by the definition that has it.
fn used(root: &Value, schema: &Value, name: &str, document: &Value, keys: &mut BTreeSet<Key>) {
    for (name, schema) in objects(root, schema, name) {
        for (key, value) in document.as_object().into_iter().flatten() {
            if let Some(property) = schema["properties"].get(key) {
                keys.insert((name.clone(), key.clone()));
                used(root, property, &format!("{name}.{key}"), value, keys);
            } else if schema["additionalProperties"].is_object() {
                used(root, &schema["additionalProperties"], &format!("{name}.*"), value, keys);
            }
        }
        for item in document.as_array().into_iter().flatten() {
            used(root, &schema["items"], &format!("{name}[]"), item, keys);
        }
    }
}

#[test]
fn the_example_of_everything_uses_every_key() {
    let schema = spec::schema();
    let mut found = BTreeSet::new();
    for text in [EVERYTHING, ONBOARD] {
        used(&schema, &schema, "the top", &yaml(text), &mut found);
    }
    let definitions = schema["$defs"].as_object().unwrap().iter().map(|(name, inner)| (name.as_str(), inner));
    let missing: BTreeSet<Key> = definitions
        .chain([("the top", &schema)])
        .flat_map(|(name, inner)| {
            let keys = inner["properties"].as_object().into_iter().flatten();
            keys.map(|(key, _)| (name.to_owned(), key.clone())).collect::<Vec<Key>>()
        })
        .filter(|key| !found.contains(key))
        .collect();
    assert_eq!(missing, EXCLUDED.map(|(name, key)| (name.to_owned(), key.to_owned())).into());
}

/// The document as it is written, not as it is expanded.
fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[tokio::test]
async fn the_example_of_everything_converges_and_plans_nothing_again() {
    let world = World::of(EVERYTHING);
    world.converge(EVERYTHING).await;
}

/// What a client may write and arcflux does not, with the reason.
const NOT_WRITTEN: [&str; 8] = [
    "identity.type",                              // Sent on creation, by the cluster's type, not by the spec.
    "managedBy",                                  // For services that install extensions on a user's behalf.
    "properties.scope.namespace.targetNamespace", // Flux is installed for a whole cluster only.
    "properties.aksAssignedIdentity.type",        // AKS chooses it, with the rest of it.
    "properties.aksAssignedIdentity.clientId",
    "properties.aksAssignedIdentity.objectId",
    "properties.aksAssignedIdentity.resourceId",
    "properties.statuses", // Reported by the service; the document does not mark it read-only.
];

/// Every field of an API document that a client may write, dotted; `*` for keys of the client's own.
fn writable(documents: &Documents, file: &Path, schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    if schema["readOnly"] == true || schema["x-ms-mutability"].as_array().is_some_and(|all| all.len() == 1) {
        return;
    }
    if let Some(target) = schema["$ref"].as_str() {
        let (place, pointer) = target.split_once('#').unwrap();
        let file = if place.is_empty() { file.to_owned() } else { documents.shared(place) };
        let document = documents.read(&file);
        return writable(documents, &file, document.pointer(pointer).unwrap(), path, fields);
    }
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let parents = schema["allOf"].as_array().into_iter().flatten();
    parents.for_each(|parent| writable(documents, file, parent, path, fields));
    let properties = schema["properties"].as_object();
    for (key, property) in properties.into_iter().flatten() {
        writable(documents, file, property, &join(key), fields);
    }
    match &schema["additionalProperties"] {
        inner @ Value::Object(_) => writable(documents, file, inner, &join("*"), fields),
        _ if properties.is_none() && schema["allOf"].is_null() => {
            fields.insert(path.to_owned());
        }
        _ => {}
    }
}

/// The API documents, in a layout flatter than the one that their references are written for.
struct Documents {
    root: PathBuf,
}

impl Documents {
    /// The document that several others refer to.
    fn shared(&self, place: &str) -> PathBuf {
        let (_, common) = place.split_once("common").unwrap();
        let provider = if common.starts_with('-') { "" } else { "Microsoft.KubernetesConfiguration" };
        self.root.join(provider).join(format!("common{common}"))
    }

    fn read(&self, file: &Path) -> Value {
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_str(&text).unwrap()
    }
}

/// Every field that a body writes, in the same form.
fn written(body: &Body, fields: &mut BTreeSet<String>) {
    fn walk(path: &FieldPath, value: &Value, fields: &mut BTreeSet<FieldPath>) {
        match value {
            Value::Object(object) => {
                object.iter().for_each(|(key, inner)| walk(&path.key(key), inner, fields));
            }
            _ => {
                fields.insert(path.clone());
            }
        }
    }
    let mut paths: BTreeSet<FieldPath> = body.holes.iter().map(|hole| hole.path.clone()).collect();
    walk(&FieldPath::default(), &body.json, &mut paths);
    fields.extend(paths.iter().map(ToString::to_string));
}

/// Whether a field of the API, with its `*`, is one of those that are written.
fn is_written(field: &str, written: &BTreeSet<String>) -> bool {
    let wanted: FieldPath = FieldPath::dotted(field);
    written.iter().any(|path| {
        let path: FieldPath = path.parse().unwrap();
        let (path, wanted) = (path.segments(), wanted.segments());
        path.len() == wanted.len()
            && path
                .iter()
                .zip(wanted)
                .all(|(own, wanted)| matches!(wanted, Segment::Key(key) if key == "*") || own == wanted)
    })
}

fn unwritten(document: &str, definition: &str, bodies: &[Body]) -> BTreeSet<String> {
    let documents = Documents { root: Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contracts") };
    let file = documents.root.join("Microsoft.KubernetesConfiguration/stable").join(document);
    let root = documents.read(&file);
    let (mut api, mut ours) = (BTreeSet::new(), BTreeSet::new());
    writable(&documents, &file, &root["definitions"][definition], "", &mut api);
    assert!(api.len() > 10, "{api:?}");
    bodies.iter().for_each(|body| written(body, &mut ours));
    api.into_iter().filter(|field| !is_written(field, &ours) && !NOT_WRITTEN.contains(&field.as_str())).collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn every_writable_field_of_the_api_is_written() {
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contracts").is_dir() {
        eprintln!("SKIPPED: ../shared/contracts is not there, so the API documents cannot be compared with");
        return;
    }
    let everything = desired(EVERYTHING);
    let cluster = &everything.clusters[0];
    let configurations: Vec<Body> = cluster.configurations.values().map(flux_configuration::body).collect();
    assert_eq!(unwritten("2025-04-01/fluxconfiguration.json", "FluxConfiguration", &configurations), BTreeSet::new());

    let mut upgrading = cluster.extension.clone();
    upgrading.auto_upgrade_minor_version = Some(true);
    upgrading.release_train = Some("Stable".to_owned());
    let created =
        Body { json: extension::creation_defaults(&upgrading, ClusterType::ConnectedClusters), holes: Vec::new() };
    let extensions = [extension::body(&cluster.extension, ""), extension::body(&upgrading, ""), created];
    assert_eq!(unwritten("2025-03-01/extensions.json", "Extension", &extensions), BTreeSet::new());
}
