//! What Azure answered to recorded writes, planned against a spec that says what those writes said, at the api-version of
//! the recording and at the newest: nothing differs, and when one field of the spec changes, that field differs and no
//! other.

use std::collections::{BTreeMap, BTreeSet};

use arcflux::graph::Want;
use arcflux::kinds::Kind;
use arcflux::kinds::api_versions::ApiVersions;
use arcflux::kinds::cluster::{ClusterSpec, ClusterType};
use arcflux::kinds::extension::{self, ExtensionSpec, MULTI_TENANCY};
use arcflux::kinds::flux_configuration::{
    self, ConfigurationSpec, GitRepositorySpec, KustomizationSpec, Presence, Provider, Scope,
};
use arcflux::kinds::resource_group::ResourceGroupSpec;
use arcflux::model::{Listing, LiveState, Reading, Seconds};
use arcflux::plan::Plan;
use arcflux::spec::{Desired, DesiredCluster, Policy};
use serde_json::{Value, json};

use crate::edits::{EDITS, EXTENSION_EDITS};
use crate::simulated::fields;
use crate::{recorded, world};

/// Folders of recordings in which real traffic stands.
const FOLDERS: [&str; 3] = ["azure-service-operator", "azure-powershell", "azure-cli-extensions"];

/// A recorded PUT with every body in which the service showed what it made of it: its own answer, those of the GETs
/// that followed, and its items in lists.
struct Pair {
    file: String,
    api_version: String,
    put: Value,
    answers: Vec<Value>,
    target: Target,
}

impl Pair {
    /// The last answer: everything has its final value.
    fn got(&self) -> &Value {
        self.answers.last().unwrap()
    }

    /// The api-versions to plan with: the recorded one, and the newest.
    fn api_versions(&self) -> [ApiVersions; 2] {
        let recorded = || Some(self.api_version.clone());
        let pinned = ApiVersions { flux_configurations: recorded(), extensions: recorded(), ..ApiVersions::default() };
        [pinned, ApiVersions::default()]
    }
}

/// What a recorded URL names.
#[derive(Clone, PartialEq)]
struct Target {
    subscription: String,
    group: String,
    cluster_type: ClusterType,
    cluster: String,
    collection: String,
    /// `None` for the collection itself.
    name: Option<String>,
}

impl Target {
    fn of(url: &str) -> Option<Self> {
        let path = url.split_once("://")?.1.split('?').next()?;
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let (head, tail) = parts.split_at_checked(8)?;
        let (provider, collection, name) = match tail {
            ["providers", provider, collection] => (provider, collection, None),
            ["providers", provider, collection, name] => (provider, collection, Some((*name).to_owned())),
            _ => return None,
        };
        let cluster_type = match head[6].to_ascii_lowercase().as_str() {
            "connectedclusters" => ClusterType::ConnectedClusters,
            "managedclusters" => ClusterType::ManagedClusters,
            _ => return None,
        };
        Some(Self {
            subscription: head[1].to_owned(),
            group: head[3].to_owned(),
            cluster_type,
            cluster: head[7].to_owned(),
            collection: format!("{provider}/{collection}"),
            name,
        })
    }

    fn collection(&self) -> Self {
        Self { name: None, ..self.clone() }
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap()
    }
}

/// Every recorded PUT of a resource type that succeeded, with what the service answered.
fn pairs(resource_type: &str) -> Option<Vec<Pair>> {
    let mut pairs: Vec<Pair> = Vec::new();
    for folder in FOLDERS {
        for (file, interactions) in recorded::traffic(folder)? {
            let mut of_file: Vec<Pair> = Vec::new();
            for interaction in &interactions {
                collect(resource_type, &file, interaction, &mut of_file);
            }
            pairs.append(&mut of_file);
        }
    }
    Some(pairs)
}

fn collect(resource_type: &str, file: &str, interaction: &Value, pairs: &mut Vec<Pair>) {
    let (request, response) = (&interaction["request"], &interaction["response"]);
    let url = request["url"].as_str().unwrap_or_default();
    let Some(target) = Target::of(url).filter(|target| target.collection.eq_ignore_ascii_case(resource_type)) else {
        return;
    };
    if response["status"].as_u64().is_none_or(|status| status >= 300) {
        return;
    }
    let body = response["body"].clone();
    match (request["method"].as_str(), &target.name) {
        (Some("PUT"), Some(_)) => {
            let (_, api_version) = url.split_once("api-version=").unwrap();
            pairs.push(Pair {
                file: file.to_owned(),
                api_version: api_version.split('&').next().unwrap().to_owned(),
                put: request["body"].clone(),
                answers: vec![body],
                target,
            });
        }
        (Some("GET"), Some(_)) => {
            if let Some(pair) = pairs.iter_mut().rev().find(|pair| pair.target == target) {
                pair.answers.push(body);
            }
        }
        (Some("GET"), None) => {
            for item in body["value"].as_array().into_iter().flatten() {
                let is_listed = |pair: &&mut Pair| {
                    pair.target.collection() == target && item["name"].as_str() == pair.target.name.as_deref()
                };
                if let Some(pair) = pairs.iter_mut().rev().find(is_listed) {
                    // Before the last GET, which shows the final values.
                    let last = pair.answers.len() - 1;
                    pair.answers.insert(last, item.clone());
                }
            }
        }
        (Some(_) | None, Some(_) | None) => {}
    }
}

/// The keys of an object, each of which must be one that the converter reads: a field that it passed over would prove
/// nothing.
#[track_caller]
fn only(object: &Value, known: &[&str]) {
    let keys: BTreeSet<&str> = object.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    let unread: Vec<&&str> = keys.iter().filter(|key| !known.contains(key)).collect();
    assert!(unread.is_empty(), "the recording says what the converter does not read: {unread:?}");
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn seconds(value: &Value) -> Option<Seconds> {
    Seconds::new(u32::try_from(value.as_u64()?).unwrap())
}

/// The spec that says what a recorded PUT of a configuration said.
fn configuration_spec(put: &Value) -> ConfigurationSpec {
    let properties = &put["properties"];
    only(put, &["name", "properties"]);
    only(properties, &["scope", "namespace", "sourceKind", "gitRepository", "kustomizations"]);
    assert_eq!(properties["sourceKind"], "GitRepository");
    let git = &properties["gitRepository"];
    only(git, &["url", "repositoryRef", "provider"]);
    only(&git["repositoryRef"], &["branch", "tag", "semver", "commit"]);
    ConfigurationSpec {
        namespace: text(&properties["namespace"]).unwrap_or_else(|| "default".to_owned()),
        scope: if properties["scope"] == "namespace" { Scope::Namespace } else { Scope::Cluster },
        depends_on: Vec::new(),
        state: Presence::Present,
        protect: false,
        ignore: Vec::new(),
        allow: Vec::new(),
        suspend: false,
        wait_for_reconciliation: false,
        reconciliation_wait_duration: None,
        bucket: None,
        azure_blob: None,
        oci_repository: None,
        git_repository: Some(GitRepositorySpec {
            url: text(&git["url"]).unwrap(),
            branch: text(&git["repositoryRef"]["branch"]),
            tag: text(&git["repositoryRef"]["tag"]),
            semver: text(&git["repositoryRef"]["semver"]),
            commit: text(&git["repositoryRef"]["commit"]),
            interval: Seconds::ten_minutes(),
            timeout: Seconds::ten_minutes(),
            provider: match git["provider"].as_str() {
                None | Some("Generic") => Provider::Generic,
                Some(other) => panic!("a provider that the converter does not read: {other}"),
            },
            https_user: None,
            https_key: None,
            ssh_private_key: None,
            ssh_known_hosts: None,
            https_ca_cert: None,
            local_auth_ref: None,
        }),
        kustomizations: properties["kustomizations"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, body)| (name.clone(), kustomization_spec(body)))
            .collect(),
    }
}

fn kustomization_spec(body: &Value) -> KustomizationSpec {
    let known = ["path", "dependsOn", "syncIntervalInSeconds", "timeoutInSeconds", "prune", "force", "wait"];
    only(body, &known);
    let dependencies = body["dependsOn"].as_array().into_iter().flatten();
    KustomizationSpec {
        path: text(&body["path"]).unwrap_or_default(),
        depends_on: dependencies.map(|name| text(name).unwrap()).collect(),
        interval: seconds(&body["syncIntervalInSeconds"]).unwrap_or(Seconds::ten_minutes()),
        timeout: seconds(&body["timeoutInSeconds"]).unwrap_or(Seconds::ten_minutes()),
        retry_interval: None,
        prune: body["prune"].as_bool().unwrap_or(false),
        force: body["force"].as_bool().unwrap_or(false),
        wait: body["wait"].as_bool().unwrap_or(true),
        post_build: None,
    }
}

/// The spec that says what a recorded PUT of an extension said, as far as a spec speaks of it: release namespace,
/// identity and protected settings are not the spec's, and must not show.
fn extension_spec(name: &str, put: &Value) -> ExtensionSpec {
    let properties = &put["properties"];
    only(put, &["name", "identity", "properties"]);
    let said = ["extensionType", "configurationSettings", "autoUpgradeMinorVersion"];
    let unsaid = ["scope", "configurationProtectedSettings"];
    only(properties, &[said.as_slice(), unsaid.as_slice()].concat());
    let settings = properties["configurationSettings"].as_object().into_iter().flatten();
    let mut settings: BTreeMap<String, String> =
        settings.map(|(key, value)| (key.clone(), text(value).unwrap())).collect();
    let multi_tenancy = settings.remove(MULTI_TENANCY).map(|enforce| enforce == "true");
    ExtensionSpec {
        name: name.to_owned(),
        multi_tenancy,
        configuration_settings: settings,
        auto_upgrade_minor_version: properties["autoUpgradeMinorVersion"].as_bool(),
        ..ExtensionSpec::default()
    }
}

/// A spec of the recorded cluster.
fn desired(target: &Target, extension: ExtensionSpec, configurations: Vec<(String, ConfigurationSpec)>) -> Desired {
    let cluster = DesiredCluster {
        spans: std::sync::Arc::default(),
        key: None,
        subscription: target.subscription.clone(),
        resource_group: ResourceGroupSpec { name: target.group.clone(), location: None, tags: BTreeMap::new() },
        cluster: ClusterSpec { name: target.cluster.clone(), cluster_type: target.cluster_type, onboard: None },
        labels: BTreeMap::new(),
        providers: target.cluster_type.providers().iter().map(|name| (*name).to_owned()).collect(),
        extension,
        configurations: configurations.into_iter().collect(),
        absent: Vec::new(),
    };
    Desired {
        file: "arcflux.yaml".to_owned(),
        newer: Vec::new(),
        tenant: None,
        policy: Policy::default(),
        api_versions: ApiVersions::default(),
        clusters: vec![cluster],
        expanded: json!({}),
    }
}

/// Everything else as the spec wants it, and `body` as it was recorded.
fn live(desired: &Desired, kind: Kind, body: &Value) -> LiveState {
    let mut live = world::converged(desired);
    let graph = world::graph(desired);
    for node in graph.nodes().iter().filter(|node| node.kind == kind) {
        let cluster = node.cluster.as_ref().unwrap();
        let resource_type = match &node.want {
            Want::Extension(..) => extension::RESOURCE_TYPE,
            Want::Configuration(_) => {
                live.readings.insert(node.id.clone(), Reading::Present(body.clone()));
                flux_configuration::RESOURCE_TYPE
            }
            Want::Registered | Want::Group(_) | Want::Cluster(..) | Want::Absent(_) | Want::Dropped(_) => {
                panic!("not recorded: {}", node.address)
            }
        };
        live.listings.insert(cluster.collection(resource_type), Listing::Items(vec![body.clone()]));
    }
    live
}

fn planned(desired: &Desired, live: &LiveState) -> Plan {
    world::plan(desired, live, &world::options())
}

/// A configuration is adopted as it was found: the plan writes nothing and has nothing to remark about its fields.
#[track_caller]
fn assert_nothing_differs(plan: &Plan, what: &str) {
    assert_eq!(fields(plan), [""; 0], "{what}");
    assert!(!plan.has_changes(), "{what}: nothing differs, and yet the plan writes");
    let unknown: Vec<&str> =
        plan.notes.iter().filter(|note| note.code == "unknown_field").map(|note| note.message.as_str()).collect();
    assert_eq!(unknown, [""; 0], "{what}: every recorded field is known");
}

fn only_flux() -> ExtensionSpec {
    ExtensionSpec { name: "flux".to_owned(), ..ExtensionSpec::default() }
}

/// The spec of a recorded configuration, at each api-version.
fn configuration_specs(pair: &Pair) -> impl Iterator<Item = Desired> + '_ {
    pair.api_versions().into_iter().map(|api_versions| {
        let wanted = vec![(pair.target.name().to_owned(), configuration_spec(&pair.put))];
        Desired { api_versions, ..desired(&pair.target, only_flux(), wanted) }
    })
}

/// The spec of a recorded extension, at each api-version.
fn extension_specs(pair: &Pair) -> impl Iterator<Item = Desired> + '_ {
    pair.api_versions().into_iter().map(|api_versions| Desired {
        api_versions,
        ..desired(&pair.target, extension_spec(pair.target.name(), &pair.put), Vec::new())
    })
}

fn flux_extensions() -> Option<Vec<Pair>> {
    let mut pairs = pairs(extension::RESOURCE_TYPE)?;
    pairs.retain(|pair| pair.put["properties"]["extensionType"] == extension::EXTENSION_TYPE);
    Some(pairs)
}

#[test]
fn every_recorded_configuration_plans_no_changes() {
    let Some(pairs) = pairs(flux_configuration::RESOURCE_TYPE) else { return };
    let versions: BTreeSet<&str> = pairs.iter().map(|pair| pair.api_version.as_str()).collect();
    assert_eq!(versions, BTreeSet::from(["2023-05-01", "2024-11-01"]));
    assert!(pairs.iter().all(|pair| pair.answers.len() >= 3), "a PUT and two GETs each");
    for pair in &pairs {
        for (desired, answer) in configuration_specs(pair).flat_map(|desired| with_answers(desired, pair)) {
            assert_nothing_differs(&planned(&desired, &live(&desired, Kind::FluxConfiguration, answer)), &pair.file);
        }
    }
}

fn with_answers(desired: Desired, pair: &Pair) -> impl Iterator<Item = (Desired, &Value)> {
    pair.answers.iter().map(move |answer| (desired.clone(), answer))
}

#[test]
fn every_recorded_flux_extension_plans_no_changes() {
    let Some(pairs) = flux_extensions() else { return };
    let versions: BTreeSet<&str> = pairs.iter().map(|pair| pair.api_version.as_str()).collect();
    assert_eq!(versions, BTreeSet::from(["2022-03-01", "2023-05-01", "2024-11-01"]));
    assert!(pairs.len() >= 6, "{} pairs of extensions", pairs.len());
    assert!(pairs.iter().map(|pair| pair.answers.len()).sum::<usize>() >= 16, "PUT, GET and LIST answers");
    for pair in &pairs {
        for (desired, answer) in extension_specs(pair).flat_map(|desired| with_answers(desired, pair)) {
            assert_nothing_differs(&planned(&desired, &live(&desired, Kind::Extension, answer)), &pair.file);
        }
    }
}

#[test]
fn one_changed_field_of_a_recorded_flux_extension_is_one_difference() {
    let Some(pairs) = flux_extensions() else { return };
    for pair in &pairs {
        for desired in extension_specs(pair) {
            let live = live(&desired, Kind::Extension, pair.got());
            let has_settings =
                pair.got()["properties"]["configurationSettings"].as_object().is_some_and(|all| !all.is_empty());
            for edit in EXTENSION_EDITS {
                let mut changed = desired.clone();
                (edit.change)(&mut changed.clusters[0].extension);
                // A map that holds nothing yet comes whole.
                let path = if has_settings { edit.path } else { edit.path.split(['[', '.']).next().unwrap() };
                let plan = planned(&changed, &live);
                assert_eq!(fields(&plan), [path], "{}: {}", pair.file, edit.path);
                assert_eq!(plan.resource_changes.iter().filter(|change| change.writes()).count(), 1, "{}", pair.file);
            }
        }
    }
}

#[test]
fn one_changed_field_of_a_recorded_configuration_is_one_difference() {
    let Some(pairs) = pairs(flux_configuration::RESOURCE_TYPE) else { return };
    for pair in &pairs {
        for as_recorded in configuration_specs(pair) {
            let pinned = as_recorded.api_versions.of(Kind::FluxConfiguration).to_owned();
            let live = live(&as_recorded, Kind::FluxConfiguration, pair.got());
            // What the pinned version lacks, no spec may say: `provider` came with 2024-11-01.
            for edit in EDITS.iter().filter(|edit| edit.name != "provider" || pinned.as_str() >= "2024-11-01") {
                let mut changed = as_recorded.clone();
                let spec = changed.clusters[0].configurations.get_mut(pair.target.name()).unwrap();
                let path = edit.make(spec);
                assert_eq!(fields(&planned(&changed, &live)), [path], "{}: {}", pair.file, edit.name);
            }
        }
    }
}

#[test]
fn one_hand_edit_of_a_recorded_configuration_is_one_difference() {
    let Some(pairs) = pairs(flux_configuration::RESOURCE_TYPE) else { return };
    for (pair, desired) in pairs.iter().flat_map(|pair| configuration_specs(pair).map(move |desired| (pair, desired))) {
        let file = &pair.file;
        let kustomization = configuration_spec(&pair.put).kustomizations.keys().next().unwrap().clone();
        let field = |name: &str| format!("kustomizations.{kustomization}.{name}");
        let edits = [
            ("suspend".to_owned(), json!(true)),
            ("gitRepository.syncIntervalInSeconds".to_owned(), json!(60)),
            ("gitRepository.localAuthRef".to_owned(), json!("by-hand")),
            ("bucket".to_owned(), json!({"url": "https://s3.example.com", "bucketName": "b"})),
            ("waitForReconciliation".to_owned(), json!(true)),
            (field("prune"), json!(true)),
            (field("postBuild"), json!({"substitute": {"REGION": "north"}})),
            ("kustomizations.by-hand".to_owned(), json!({"path": "./x", "prune": false})),
        ];
        for (path, value) in edits {
            let mut edited = pair.got().clone();
            let steps: Vec<&str> = path.split('.').collect();
            let pointer = format!("/properties/{}", steps[..steps.len() - 1].join("/"));
            edited.pointer_mut(pointer.trim_end_matches('/')).unwrap()[steps[steps.len() - 1]] = value;
            let live = live(&desired, Kind::FluxConfiguration, &edited);
            assert_eq!(fields(&planned(&desired, &live)), std::slice::from_ref(&path), "{file}: {path}");
        }
    }
}
