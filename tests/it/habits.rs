//! Whatever a spec says, what the service makes of it is no difference: a model of its habits, as the recordings show
//! them, thrown at generated specs of every kind. Whatever one field is changed to, in the spec or by hand, that field
//! shows and no other. And what nobody knows is listed once and sent back.

use std::collections::BTreeSet;

use arcflux::diff::{compare, normalise};
use arcflux::kinds::extension::{self, ExtensionSpec};
use arcflux::kinds::flux_configuration::{self, ConfigurationSpec, Provider};
use arcflux::kinds::{Body, Kind};
use arcflux::model::{FieldPath, Listing, LiveState, Reading, Segment};
use arcflux::plan::{Plan, Step};
use arcflux::spec::Desired;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::edits::{EDITS, EXTENSION_EDITS};
use crate::generated;
use crate::simulated::fields;
use crate::{explain, world};

/// What the service does to a body on one occasion.
#[derive(Debug, Clone)]
struct Habits {
    /// Answers null where nothing was sent; else leaves the key out, as older api-versions do.
    nulls: bool,
    /// Leaves out what the caller could have known: the documented defaults.
    hides_defaults: bool,
    /// Writes words in lower case.
    lower_case: bool,
    /// Turns the order of lists without order, and of the keys of maps, around.
    turns_around: bool,
    /// Writes whole numbers as `600.0`.
    fractions: bool,
    /// Shows the keys of secrets.
    echoes: bool,
    /// The api-version that it is asked at.
    api_version: &'static str,
}

/// Optional members: null where nothing was sent, by the place that they are in.
const NULLABLE: &[(&str, &[&str])] = &[
    (
        "properties",
        &["gitRepository", "bucket", "azureBlob", "ociRepository", "reconciliationWaitDuration", "errorMessage"],
    ),
    ("properties.gitRepository", &["sshKnownHosts", "httpsUser", "httpsCACert", "localAuthRef"]),
    ("properties.gitRepository.repositoryRef", &["branch", "tag", "semver", "commit"]),
    ("properties.bucket", &["accessKey", "localAuthRef"]),
    ("properties.azureBlob", &["servicePrincipal", "accountKey", "sasToken", "managedIdentity", "localAuthRef"]),
    ("properties.azureBlob.servicePrincipal", &["clientSecret", "clientCertificate"]),
    (
        "properties.ociRepository",
        &["repositoryRef", "layerSelector", "verify", "serviceAccountName", "tlsConfig", "localAuthRef"],
    ),
    ("properties.ociRepository.repositoryRef", &["tag", "semver", "digest"]),
    ("properties.ociRepository.layerSelector", &["mediaType", "operation"]),
    ("properties.ociRepository.verify", &["verificationConfig", "matchOidcIdentity"]),
    ("properties.kustomizations.*", &["dependsOn", "retryIntervalInSeconds", "postBuild"]),
    ("properties.kustomizations.*.postBuild", &["substitute", "substituteFrom"]),
];

/// Documented defaults (`../shared/facts/domain.md` §1.6), which older api-versions hide when they are new.
const DEFAULTS: &[(&str, &str)] = &[
    ("properties.scope", "\"cluster\""),
    ("properties.suspend", "false"),
    ("properties.waitForReconciliation", "false"),
    ("properties.gitRepository.timeoutInSeconds", "600"),
    ("properties.gitRepository.syncIntervalInSeconds", "600"),
    ("properties.gitRepository.provider", "\"Generic\""),
    ("properties.bucket.insecure", "true"),
    ("properties.bucket.timeoutInSeconds", "600"),
    ("properties.azureBlob.syncIntervalInSeconds", "600"),
    ("properties.azureBlob.servicePrincipal.clientCertificateSendChain", "false"),
    ("properties.ociRepository.insecure", "false"),
    ("properties.ociRepository.useWorkloadIdentity", "false"),
    ("properties.ociRepository.layerSelector.operation", "\"extract\""),
    ("properties.kustomizations.*.path", "\"\""),
    ("properties.kustomizations.*.prune", "false"),
    ("properties.kustomizations.*.force", "false"),
    ("properties.kustomizations.*.wait", "true"),
    ("properties.kustomizations.*.postBuild.substituteFrom.*.optional", "false"),
];

/// Words whose letter case the service changes, or may.
const WORDS: &[&str] = &[
    "properties.scope",
    "properties.sourceKind",
    "properties.gitRepository.provider",
    "properties.azureBlob.servicePrincipal.clientId",
    "properties.azureBlob.managedIdentity.clientId",
    "properties.ociRepository.layerSelector.operation",
    "properties.ociRepository.verify.provider",
];

/// Does `change` to every object that `place` leads to; `*` stands for any key or item.
fn at(body: &mut Value, place: &str, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    let (step, rest) = place.split_once('.').map_or((place, ""), |(step, rest)| (step, rest));
    match body {
        Value::Object(object) if step.is_empty() => change(object),
        Value::Object(object) if step == "*" => object.values_mut().for_each(|value| at(value, rest, change)),
        Value::Object(object) => object.get_mut(step).into_iter().for_each(|value| at(value, rest, change)),
        Value::Array(items) if step == "*" => items.iter_mut().for_each(|value| at(value, rest, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}

fn in_parent(body: &mut Value, path: &str, change: &mut dyn FnMut(&mut Map<String, Value>, &str)) {
    let (place, key) = path.rsplit_once('.').unwrap();
    at(body, place, &mut |object| change(object, key));
}

impl Habits {
    /// The body of a GET after a PUT of `sent`.
    fn answer(&self, name: &str, sent: &Body) -> Value {
        let mut body = sent.json.clone();
        if self.echoes {
            for path in sent.holes.iter().map(|hole| &hole.path) {
                path.set(&mut body, json!(""));
            }
        }
        for (path, default) in DEFAULTS.iter().filter(|_| self.hides_defaults) {
            let default: Value = serde_json::from_str(default).unwrap();
            in_parent(&mut body, path, &mut |object, key| {
                if object.get(key) == Some(&default) {
                    object.remove(key);
                }
            });
        }
        for path in WORDS.iter().filter(|_| self.lower_case) {
            in_parent(&mut body, path, &mut |object, key| {
                if let Some(Value::String(word)) = object.get_mut(key) {
                    *word = word.to_ascii_lowercase();
                }
            });
        }
        for (place, keys) in NULLABLE.iter().filter(|_| self.nulls) {
            at(&mut body, place, &mut |object| {
                for key in keys.iter().filter(|key| self.api_version > "2023" || **key != "postBuild") {
                    object.entry(*key).or_insert(Value::Null);
                }
            });
        }
        at(&mut body, "properties.kustomizations", &mut |kustomizations| {
            kustomizations.iter_mut().for_each(|(name, kustomization)| kustomization["name"] = json!(name));
        });
        for (key, value) in [
            ("provisioningState", json!("Succeeded")),
            ("complianceState", json!("Non-Compliant")),
            ("repositoryPublicKey", json!("")),
            ("sourceSyncedCommitId", json!("main@sha1:53fa7285e937c6a01d616b8ecffa4afa864a09f0")),
            ("sourceUpdatedAt", json!("2026-01-01T00:00:10+00:00")),
            ("statusUpdatedAt", json!("2026-01-01T00:00:20+00:00")),
            ("statuses", json!([{"name": name, "kind": "GitRepository", "statusConditions": null}])),
        ] {
            body["properties"][key] = value;
        }
        body["id"] = json!(format!("/Subscriptions/x/fluxConfigurations/{name}"));
        body["name"] = json!(name);
        body["type"] = json!("Microsoft.KubernetesConfiguration/fluxConfigurations");
        body["systemData"] = json!({"createdBy": null, "lastModifiedAt": "2026-01-01T00:00:00+00:00"});
        self.respelled("", &body)
    }

    fn respelled(&self, name: &str, value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let mut entries: Vec<(String, Value)> =
                    object.iter().map(|(key, value)| (key.clone(), self.respelled(key, value))).collect();
                if self.turns_around {
                    entries.reverse();
                }
                Value::Object(entries.into_iter().collect())
            }
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.respelled(name, item)).collect();
                // Of these the later ones win.
                if self.turns_around && name != "substituteFrom" {
                    items.reverse();
                }
                Value::Array(items)
            }
            Value::Number(number) if self.fractions => json!(number.as_f64()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    /// The spec without what the api-version lacks, as the rules of a spec demand.
    fn possible(&self, mut spec: ConfigurationSpec) -> ConfigurationSpec {
        let is_newer = |provider: Provider| match provider {
            Provider::Generic => false,
            Provider::Azure => self.api_version < "2024-11-01",
            Provider::GitHub => self.api_version < "2025-04-01",
        };
        if let Some(git) = spec.git_repository.as_mut().filter(|git| is_newer(git.provider)) {
            git.provider = Provider::Generic;
        }
        if self.api_version < "2023-05-01" {
            spec.wait_for_reconciliation = false;
            spec.reconciliation_wait_duration = None;
            for kustomization in spec.kustomizations.values_mut() {
                kustomization.wait = true;
                kustomization.post_build = None;
            }
        }
        spec
    }

    fn has_source_of(&self, spec: &ConfigurationSpec) -> bool {
        spec.oci_repository.is_none() || self.api_version >= "2024-11-01"
    }
}

fn habits() -> impl Strategy<Value = Habits> {
    let api_versions = select(vec!["2025-04-01", "2025-04-01", "2024-11-01", "2023-05-01", "2022-11-01"]);
    (any::<[bool; 6]>(), api_versions).prop_map(
        |([nulls, hides_defaults, lower_case, turns_around, fractions, echoes], api_version)| Habits {
            nulls,
            hides_defaults,
            lower_case,
            turns_around,
            fractions,
            echoes,
            api_version,
        },
    )
}

/// What a spec asks for at the api-version.
fn sent(spec: &ConfigurationSpec, habits: &Habits) -> Body {
    flux_configuration::body(spec).for_version(Kind::FluxConfiguration, habits.api_version)
}

fn desired(spec: &ConfigurationSpec, habits: &Habits) -> Desired {
    let mut desired = world::quickstart();
    desired.api_versions.flux_configurations = Some(habits.api_version.to_owned());
    *world::configuration(&mut desired) = spec.clone();
    desired
}

/// Plans `wanted` where the configuration is `live`.
fn plan_against(wanted: &ConfigurationSpec, live: Value, habits: &Habits) -> Plan {
    let desired = desired(wanted, habits);
    let mut state: LiveState = world::converged(&desired);
    state.readings.insert(world::configuration_id(&desired), Reading::Present(live));
    explain::assert_agreement(&desired, &state);
    world::plan(&desired, &state, &world::options())
}

/// Plans `wanted` where the service has made what it makes of `written`.
fn plan(wanted: &ConfigurationSpec, written: &ConfigurationSpec, habits: &Habits) -> Plan {
    plan_against(wanted, habits.answer("flux-system", &sent(written, habits)), habits)
}

/// Every value of a body: the paths of everything that is not an object.
fn leaves(path: &FieldPath, value: &Value, found: &mut Vec<FieldPath>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| leaves(&path.key(key), value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            found.push(path.clone());
        }
    }
}

/// Another value of the same type.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(items) => {
            let mut items = items.clone();
            match items.last_mut().unwrap() {
                Value::Object(last) => last.values_mut().for_each(|value| *value = other(value)),
                last => *last = other(last),
            }
            json!(items)
        }
        Value::Null | Value::Object(_) => panic!("not sent: {value}"),
    }
}

/// Every object whose members the service names: no map of the user's own.
fn structures(path: &FieldPath, value: &Value, found: &mut Vec<FieldPath>) {
    const MAPS: [&str; 4] = ["kustomizations", "substitute", "verificationConfig", "configurationProtectedSettings"];
    match value {
        Value::Object(object) => {
            let is_map = matches!(path.segments().last(), Some(Segment::Key(key)) if MAPS.contains(&key.as_str()));
            if !is_map {
                found.push(path.clone());
            }
            object.iter().for_each(|(key, value)| structures(&path.key(key), value, found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| structures(&path.index(index), item, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The bodies that a plan writes, whichever way.
fn bodies(plan: &Plan) -> Vec<&Value> {
    let steps = plan.resource_changes.iter().flat_map(|change| &change.steps);
    steps
        .filter_map(|step| match step {
            Step::Put { body, .. } | Step::Patch { body, when: None, .. } => Some(body),
            _ => None,
        })
        .collect()
}

/// The extension as a GET shows it.
fn shown(spec: &ExtensionSpec, habits: &Habits) -> Value {
    let mut body = extension::body(spec, "").json;
    let added = json!({
        "name": "flux", "identity": if habits.nulls { Value::Null } else { json!({"type": "SystemAssigned", "principalId": "p"}) },
        "systemData": {"createdBy": null},
        "properties": {
            "currentVersion": "1.19.5", "provisioningState": "Succeeded", "statuses": [], "aksAssignedIdentity": null,
            "isSystemExtension": false, "configurationProtectedSettings": if habits.echoes { json!({"k": ""}) } else { json!({}) },
        },
    });
    for (key, value) in [
        ("autoUpgradeMinorVersion", json!(true)),
        ("releaseTrain", json!("Stable")),
        ("version", Value::Null),
        ("scope", json!({"cluster": {"releaseNamespace": "flux-system"}})),
        ("configurationSettings", json!({})),
    ] {
        let properties = body["properties"].as_object_mut().unwrap();
        properties.entry(key).or_insert(value);
    }
    for (key, value) in added.as_object().unwrap() {
        match value {
            Value::Object(members) => members.iter().for_each(|(member, value)| body[key][member] = value.clone()),
            _ => body[key] = value.clone(),
        }
    }
    for word in ["extensionType", "releaseTrain", "autoUpgradeMode"].iter().filter(|_| habits.lower_case) {
        if let Some(Value::String(word)) = body["properties"].get_mut(*word) {
            *word = word.to_ascii_uppercase();
        }
    }
    body["properties"]["configurationSettings"]["a-foreign-one"] = json!("kept");
    habits.respelled("", &body)
}

fn plan_extension(wanted: &ExtensionSpec, live: Value) -> Plan {
    let mut desired = world::quickstart();
    desired.clusters[0].extension = wanted.clone();
    let mut state = world::converged(&desired);
    let collection = state.listings.keys().find(|id| id.to_string().ends_with("/extensions")).unwrap().clone();
    state.listings.insert(collection, Listing::Items(vec![live]));
    explain::assert_agreement(&desired, &state);
    world::plan(&desired, &state, &world::options())
}

fn unknown(plan: &Plan) -> Vec<&str> {
    plan.notes.iter().filter(|note| note.code == "unknown_field").map(|note| note.message.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_service_does_to_a_configuration_is_no_difference(spec in generated::configuration(), habits in habits()) {
        prop_assume!(habits.has_source_of(&spec));
        let spec = habits.possible(spec);
        let plan = plan(&spec, &spec, &habits);
        prop_assert_eq!(fields(&plan), [""; 0]);
        prop_assert!(!plan.has_changes());
        prop_assert_eq!(unknown(&plan), [""; 0]);
    }

    #[test]
    fn one_changed_field_is_one_difference_whatever_the_service_does(
        spec in generated::git_configuration(),
        habits in habits(),
        edit in select((0..EDITS.len()).collect::<Vec<_>>()),
    ) {
        let habits = Habits { api_version: "2025-04-01", ..habits };
        let mut changed = spec.clone();
        let path = EDITS[edit].make(&mut changed);
        prop_assert_eq!(fields(&plan(&changed, &spec, &habits)), [path]);
    }

    #[test]
    fn one_hand_edit_is_one_difference_whatever_the_service_does(
        spec in generated::configuration(),
        habits in habits(),
        which in any::<Index>(),
    ) {
        prop_assume!(habits.has_source_of(&spec));
        let spec = habits.possible(spec);
        let sent = sent(&spec, &habits);
        let mut paths = Vec::new();
        leaves(&FieldPath::default(), &sent.json, &mut paths);
        let path = which.get(&paths);
        let mut live = habits.answer("flux-system", &sent);
        path.set(&mut live, other(path.get(&sent.json).unwrap()));
        let line = path.to_string().trim_start_matches("properties.").to_owned();
        let plan = plan_against(&spec, live, &habits);
        prop_assert_eq!(fields(&plan), [line]);
        prop_assert_eq!(unknown(&plan), [""; 0]);
    }

    #[test]
    fn what_nobody_knows_is_listed_once_and_sent_back(
        spec in generated::configuration(),
        habits in habits(),
        which in any::<Index>(),
    ) {
        prop_assume!(habits.has_source_of(&spec));
        let spec = habits.possible(spec);
        let sent = sent(&spec, &habits);
        let mut live = habits.answer("flux-system", &sent);
        let mut places = Vec::new();
        structures(&FieldPath::default(), &sent.json, &mut places);
        let news = json!({"deep": [1, null, {}], "text": ""});
        which.get(&places).key("arcfluxNews").set(&mut live, news.clone());

        let plan = plan_against(&spec, live.clone(), &habits);
        prop_assert_eq!(fields(&plan), [""; 0]);
        prop_assert!(!plan.has_changes());
        prop_assert_eq!(unknown(&plan).len(), 1);

        let mut changed = spec;
        changed.suspend = !changed.suspend;
        let plan = plan_against(&changed, live, &habits);
        prop_assert_eq!(fields(&plan), ["suspend"]);
        for body in bodies(&plan) {
            let text = body.to_string();
            prop_assert_eq!(text.matches("arcfluxNews").count(), 1, "{}", text);
            prop_assert!(text.contains(&format!("\"arcfluxNews\":{news}")), "{}", text);
        }
        prop_assert_eq!(bodies(&plan).len(), 1);
    }

    #[test]
    fn normalising_again_changes_nothing(spec in generated::configuration(), habits in habits(), which in any::<Index>()) {
        let rules = Kind::FluxConfiguration.rules();
        let sent = sent(&spec, &habits);
        let mut paths = Vec::new();
        leaves(&FieldPath::default(), &sent.json, &mut paths);
        let path = which.get(&paths);
        let mut live = habits.answer("flux-system", &sent);
        path.set(&mut live, other(path.get(&sent.json).unwrap()));
        let once = normalise(rules, &live, &sent.json, &[]);
        let twice = normalise(rules, &once.before, &once.after, &[]);
        prop_assert_eq!(&once.before, &twice.before);
        prop_assert_eq!(&once.after, &twice.after);
        // The other way round the same fields differ.
        let paths = |one: &Value, other: &Value| -> BTreeSet<FieldPath> {
            compare(one, other).into_iter().map(|field| field.path).collect()
        };
        let back = normalise(rules, &once.after, &once.before, &[]);
        prop_assert_eq!(paths(&once.before, &once.after), paths(&back.before, &back.after));
    }

    #[test]
    fn what_the_service_does_to_an_extension_is_no_difference(spec in generated::extension(), habits in habits()) {
        let plan = plan_extension(&spec, shown(&spec, &habits));
        prop_assert_eq!(fields(&plan), [""; 0]);
        prop_assert!(!plan.has_changes());
        prop_assert_eq!(unknown(&plan), [""; 0]);
    }

    #[test]
    fn one_changed_field_of_an_extension_is_one_difference(
        spec in generated::extension(),
        habits in habits(),
        which in any::<Index>(),
    ) {
        let edit = which.get(EXTENSION_EDITS);
        let mut changed = spec.clone();
        (edit.change)(&mut changed);
        prop_assert_eq!(fields(&plan_extension(&changed, shown(&spec, &habits))), [edit.path]);
    }

    #[test]
    fn one_hand_edit_of_an_extension_is_one_difference(
        spec in generated::extension(),
        habits in habits(),
        which in any::<Index>(),
    ) {
        let sent = extension::body(&spec, "").json;
        let mut paths = Vec::new();
        leaves(&FieldPath::default(), &sent["properties"], &mut paths);
        // An extension of another type is not the one that is looked for.
        paths.retain(|path| path.to_string() != "extensionType");
        prop_assume!(!paths.is_empty());
        let path = which.get(&paths);
        let mut live = shown(&spec, &habits);
        path.set(&mut live["properties"], other(path.get(&sent["properties"]).unwrap()));
        prop_assert_eq!(fields(&plan_extension(&spec, live)), [path.to_string()]);
    }
}
