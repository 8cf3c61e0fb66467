//! `render`: the objects of a spec, as recorded, as the custom resource definitions of Flux have them, and read back.
//!
//! Each folder under `tests/cases/render` holds a spec; its snapshot is everything that is rendered of it, and what is told
//! beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arcflux::flux::{self, Manifests};
use arcflux::graph;
use arcflux::kinds::Kind;
use arcflux::model::Address;
use arcflux::spec::{self, Desired, DesiredCluster, Inputs};
use arcflux::view::{Style, manifests};
use serde_json::{Value, json};

use crate::spec_cases::with_settings;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn load(text: &str) -> Desired {
    let outcome = spec::load_bytes("arcflux.yaml", text.as_bytes(), &Inputs::default());
    outcome.desired.unwrap_or_else(|| panic!("{:?}", outcome.diagnostics))
}

/// The cases, and the specs that are checked in.
fn specs() -> Vec<(String, String)> {
    let files = |folder: &str| {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let cases = files("tests/cases/render").into_iter().map(|folder| (folder.clone(), folder.join("arcflux.yaml")));
    let checked_in = ["specs", "specs/gallery"].into_iter().flat_map(files).filter(|path| path.is_file());
    cases
        .chain(checked_in.map(|path| (path.with_extension(""), path)))
        .map(|(name, path)| {
            (name.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn rendered(cluster: &DesiredCluster) -> Manifests {
    flux::render(cluster, &cluster.configurations.keys().cloned().collect())
}

fn address(desired: &Desired, cluster: &DesiredCluster) -> Address {
    let graph = graph::build(desired).unwrap();
    let node = graph
        .nodes()
        .iter()
        .find(|node| matches!(node.kind, Kind::ConnectedCluster | Kind::ManagedCluster) && node.id == cluster.id());
    node.unwrap().address.clone()
}

/// The objects that a stream of YAML holds.
fn read(yaml: &str) -> Vec<Value> {
    let documents = yaml.split("\n---\n").skip(1);
    documents
        .map(|document| serde_yaml::from_str(document).unwrap_or_else(|error| panic!("{error}\n{document}")))
        .collect()
}

#[test]
fn cases_are_as_recorded() {
    let recorded: BTreeSet<&str> = [
        "multi-tenancy-on",
        "namespace-scope",
        "git-sign-ins",
        "kustomizations",
        "hostile",
        "quickstart",
        "everything",
    ]
    .into();
    with_settings(|| {
        for (name, text) in specs().into_iter().filter(|(name, _)| recorded.contains(name.as_str())) {
            let desired = load(&text);
            let [cluster] = desired.clusters.as_slice() else { panic!("{name} has one cluster") };
            let (manifests, address) = (rendered(cluster), address(&desired, cluster));
            let told = manifests::notes(&address, &manifests, &Style::PLAIN);
            let shown = format!("{}\n{told}", manifests::yaml(&address, &manifests));
            insta::assert_snapshot!(format!("render__{name}"), shown);
        }
    });
}

#[test]
fn what_is_written_reads_back_as_it_was() {
    let mut count = 0;
    for (name, text) in specs() {
        let desired = load(&text);
        for cluster in &desired.clusters {
            let manifests = rendered(cluster);
            let yaml = manifests::yaml(&address(&desired, cluster), &manifests);
            let bodies: Vec<&Value> = manifests.objects.iter().map(|object| &object.body).collect();
            assert_eq!(read(&yaml).iter().collect::<Vec<_>>(), bodies, "{name}");
            assert!(
                !yaml.chars().any(|c| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c))),
                "{name}"
            );
            assert!(
                !yaml.contains("##vso[") && !yaml.lines().any(|line| line.trim_start().starts_with("::")),
                "{name}"
            );
            count += bodies.len();
        }
    }
    assert!(count > 300, "{count}");
}

#[test]
fn hostile_texts_reach_flux_as_they_are() {
    let (_, text) = specs().into_iter().find(|(name, _)| name == "hostile").unwrap();
    let desired = load(&text);
    let cluster = &desired.clusters[0];
    let objects = read(&manifests::yaml(&address(&desired, cluster), &rendered(cluster)));
    let kustomization = objects.iter().find(|object| object["kind"] == "Kustomization").unwrap();
    let spec = &cluster.configurations["no"].kustomizations["1e3"];
    assert_eq!(kustomization["spec"]["postBuild"]["substitute"], json!(spec.post_build.as_ref().unwrap().substitute));
    assert_eq!(kustomization["metadata"], json!({"name": "no-1e3", "namespace": "123"}));
    assert_eq!(kustomization["spec"]["path"], json!("./a: b #c"));
}

/// Whatever is referred to is either rendered or told, and whatever needs something comes after it.
#[test]
fn objects_come_after_what_they_need() {
    const ORDER: [&str; 9] = [
        "Namespace",
        "ServiceAccount",
        "ClusterRoleBinding",
        "RoleBinding",
        "Secret",
        "GitRepository",
        "Bucket",
        "OCIRepository",
        "Kustomization",
    ];
    for (name, text) in specs() {
        for cluster in &load(&text).clusters {
            let manifests = rendered(cluster);
            let mut known: BTreeSet<(&str, Option<&str>, &str)> = BTreeSet::new();
            for object in &manifests.objects {
                assert!(ORDER.contains(&object.kind()), "{name}: {}", object.kind());
                let spec = &object.body["spec"];
                let here = object.namespace();
                let mut needed: Vec<(&str, Option<&str>, &str)> = Vec::new();
                if let Some(source) = spec.get("sourceRef") {
                    needed.push((source["kind"].as_str().unwrap(), here, source["name"].as_str().unwrap()));
                }
                for one in spec["dependsOn"].as_array().into_iter().flatten() {
                    needed.push(("Kustomization", here, one["name"].as_str().unwrap()));
                }
                if spec["serviceAccountName"] == "flux-applier" {
                    needed.push(("ServiceAccount", here, "flux-applier"));
                }
                for one in needed {
                    assert!(known.contains(&one), "{name}: {one:?}");
                }
                for key in ["secretRef", "certSecretRef"] {
                    let Some(secret) = spec[key]["name"].as_str() else { continue };
                    let is_told = object.remarks.iter().any(|remark| remark.contains(&format!("/{secret}")));
                    assert!(is_told || known.contains(&("Secret", here, secret)), "{name}: {secret}");
                }
                assert!(known.insert((object.kind(), here, object.name())), "{name}: twice {}", object.name());
            }
        }
    }
}

#[test]
fn no_secret_is_rendered() {
    for (name, text) in specs() {
        for cluster in &load(&text).clusters {
            for object in rendered(cluster).objects.iter().filter(|object| object.kind() == "Secret") {
                let keys: BTreeSet<&str> =
                    object.body["data"].as_object().unwrap().keys().map(String::as_str).collect();
                let public = ["ca.crt", "clientId", "cosign.pub"];
                assert!(keys.iter().all(|key| public.contains(key)), "{name}: {keys:?}");
            }
        }
    }
}

/// A definition of Flux as a schema that refuses what it does not know, as an API server that is asked to would.
fn strict(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut strict: serde_json::Map<String, Value> =
                members.iter().map(|(key, value)| (key.clone(), strict(value))).collect();
            let is_closed = members.get("properties").is_some_and(Value::is_object)
                && members.get("type") == Some(&json!("object"))
                && !members.contains_key("additionalProperties")
                && !members.contains_key("x-kubernetes-preserve-unknown-fields");
            if is_closed {
                strict.insert("additionalProperties".to_owned(), json!(false));
            }
            Value::Object(strict)
        }
        Value::Array(items) => items.iter().map(strict).collect(),
        other => other.clone(),
    }
}

/// The custom resource definitions of Flux, by api-version and kind; `None` where they are not beside the repository.
#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn definitions() -> Option<BTreeMap<(String, String), jsonschema::Validator>> {
    let folder = root().join("../shared/contracts/flux-crds");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: {} is not there, so nothing is compared with the definitions of Flux", folder.display());
        return None;
    };
    let mut found = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let definition: Value = serde_yaml::from_str(&text).unwrap();
        let (group, kind) = (&definition["spec"]["group"], &definition["spec"]["names"]["kind"]);
        for version in definition["spec"]["versions"].as_array().unwrap() {
            let api_version = format!("{}/{}", group.as_str().unwrap(), version["name"].as_str().unwrap());
            let mut schema = strict(&version["schema"]["openAPIV3Schema"]);
            // What every object has is not in a definition.
            schema["properties"]["metadata"] = json!({
                "type": "object", "required": ["name", "namespace"], "additionalProperties": false,
                "properties": {"name": {"type": "string", "maxLength": 63}, "namespace": {"type": "string", "maxLength": 63}},
            });
            let validator = jsonschema::validator_for(&schema).unwrap();
            found.insert((api_version, kind.as_str().unwrap().to_owned()), validator);
        }
    }
    Some(found)
}

#[test]
fn everything_is_what_the_definitions_of_flux_say() {
    let Some(definitions) = definitions() else { return };
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    for (name, text) in specs() {
        for cluster in &load(&text).clusters {
            for object in &rendered(cluster).objects {
                let key = (object.api_version().to_owned(), object.kind().to_owned());
                let Some(definition) = definitions.get(&key) else {
                    assert!(!object.api_version().contains("fluxcd"), "{name}: {key:?}");
                    continue;
                };
                let errors: Vec<String> = definition
                    .iter_errors(&object.body)
                    .map(|error| format!("{}: {error}", error.instance_path()))
                    .collect();
                assert_eq!(errors, [""; 0], "{name}: {}", object.body);
                kinds.insert(object.kind().to_owned());
            }
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["Bucket", "GitRepository", "Kustomization", "OCIRepository"]);
}

#[test]
fn the_definitions_refuse_what_flux_does_not_know() {
    let Some(definitions) = definitions() else { return };
    let desired = load(&std::fs::read_to_string(root().join("specs/quickstart.yaml")).unwrap());
    let objects = rendered(&desired.clusters[0]).objects;
    let object = objects.iter().find(|object| object.kind() == "GitRepository").unwrap();
    let definition = &definitions[&(object.api_version().to_owned(), object.kind().to_owned())];
    assert!(definition.is_valid(&object.body));
    for (pointer, value) in
        [("/spec/intervall", json!("10m")), ("/spec/timeout", json!("1h")), ("/spec/url", json!("git@a:b"))]
    {
        let mut body = object.body.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[key] = value;
        assert!(!definition.is_valid(&body), "{pointer}");
    }
}

/// Flux labels what it applies with the name of the Kustomization, and a label has 63 characters.
#[test]
fn the_longest_names_that_a_spec_may_have_are_names_of_objects() {
    let text = |configuration: usize, kustomization: usize| {
        let (one, other) = ("a".repeat(configuration), "b".repeat(kustomization));
        format!(
            "apiVersion: arcflux/v1\nsubscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20\nresourceGroup: rg\n\
             cluster: {{name: c}}\nconfigurations:\n  {one}:\n    scope: cluster\n    gitRepository: \
             {{url: 'https://github.com/a/b', branch: main}}\n    kustomizations: {{{other}: {{path: ./x}}}}\n"
        )
    };
    let desired = load(&text(31, 31));
    let longest = rendered(&desired.clusters[0]).objects.iter().map(|object| object.name().len()).max();
    assert_eq!(longest, Some(63));
    let outcome = spec::load_bytes("arcflux.yaml", text(31, 32).as_bytes(), &Inputs::default());
    assert!(outcome.desired.is_none());
}
