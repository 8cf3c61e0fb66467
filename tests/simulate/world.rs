//! One seed, one world: clusters, a spec, how the spec is edited, secrets, neighbours, and what Azure is like.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use arcflux::apply::{SecretError, SecretResolver};
use arcflux::model::{Secret, SecretRef};
use arcflux::plan::{Choices, OfflineClusters, WaitFor, Workloads};
use arcflux::sim::quirks::Quirks;
use arcflux::sim::{
    self, Found, GitReference, Repositories, Scenario, Seed, SeedCluster, SeedClusterType, SeedGroup, Simulator,
};
use base64::Engine as _;
use fastrand::Rng;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

pub(crate) const SUBSCRIPTION: &str = "3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20";

const CONFIGURATIONS: &str = "providers/Microsoft.KubernetesConfiguration/fluxConfigurations";
const EXTENSIONS: &str = "providers/Microsoft.KubernetesConfiguration/extensions";

/// One cluster of the world.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) is_managed: bool,
}

impl Cluster {
    /// Its path.
    pub(crate) fn id(&self) -> String {
        let kind = match self.is_managed {
            true => "Microsoft.ContainerService/managedClusters",
            false => "Microsoft.Kubernetes/connectedClusters",
        };
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{}/providers/{kind}/{}", self.group, self.name)
    }

    pub(crate) fn configuration(&self, name: &str) -> String {
        format!("{}/{CONFIGURATIONS}/{name}", self.id())
    }

    pub(crate) fn extension(&self, name: &str) -> String {
        format!("{}/{EXTENSIONS}/{name}", self.id())
    }
}

/// What one seed decides before anything runs.
pub(crate) struct World {
    pub(crate) clusters: Vec<Cluster>,
    /// The spec as it is first.
    pub(crate) first: Value,
    /// The spec as it is then, and what was done to it.
    pub(crate) second: Value,
    pub(crate) edits: Vec<&'static str>,
    /// Whether the second spec is planned against the first.
    pub(crate) has_base: bool,
    pub(crate) choices: Choices,
    /// What exists beside, by path; none of it is ever named.
    pub(crate) neighbours: Vec<String>,
    pub(crate) secrets: SecretStore,
    pub(crate) git: Git,
    pub(crate) settings: sim::Settings,
}

/// The values of the secrets, also those that there were before.
#[derive(Clone, Default)]
pub(crate) struct SecretStore(Arc<Mutex<Values>>);

#[derive(Default)]
struct Values {
    current: BTreeMap<SecretRef, String>,
    all: BTreeSet<String>,
}

impl SecretStore {
    fn put(&self, secret: SecretRef, value: String) {
        let mut values = self.0.lock().unwrap();
        values.all.insert(value.clone());
        values.current.insert(secret, value);
    }

    pub(crate) fn value(&self, secret: &SecretRef) -> Option<String> {
        self.0.lock().unwrap().current.get(secret).cloned()
    }

    /// Every value that was ever sent.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().all.iter().cloned().collect()
    }
}

impl SecretResolver for SecretStore {
    fn resolve(&self, secret: &SecretRef) -> Result<Secret, SecretError> {
        match self.value(secret) {
            Some(value) => Ok(Secret::new(value)),
            None => Err(SecretError { secret: secret.clone(), reason: "it is not set".to_owned() }),
        }
    }
}

/// The repositories: every path is there that is not said to be missing.
#[derive(Clone, Default)]
pub(crate) struct Git(Arc<Mutex<BTreeSet<String>>>);

impl Git {
    pub(crate) fn lose(&self, path: &str) {
        self.0.lock().unwrap().insert(path.to_owned());
    }

    pub(crate) fn find_again(&self) {
        self.0.lock().unwrap().clear();
    }
}

impl Repositories for Git {
    fn find(&self, _url: &str, _reference: &GitReference, path: &str) -> Found {
        match self.0.lock().unwrap().contains(path) {
            true => Found::PathMissing,
            false => Found::Unbound,
        }
    }
}

impl World {
    pub(crate) fn of(rng: &mut Rng) -> Self {
        let clusters = clusters(rng);
        let secrets = SecretStore::default();
        let mut first = spec(rng, &clusters, &secrets);
        let mut choices = Choices {
            wait: match rng.u8(0..10) {
                0 => WaitFor::Nothing,
                1 => WaitFor::Provisioned,
                _ => WaitFor::Compliant,
            },
            offline: if rng.u8(0..4) == 0 { OfflineClusters::Skip } else { OfflineClusters::Fail },
            workloads: Some(if rng.bool() { Workloads::Delete } else { Workloads::Keep }),
            allow_replace: true,
            ..Choices::default()
        };
        let mut second = first.clone();
        let mut edits = Vec::new();
        for _ in 0..rng.u8(1..4) {
            let edit = EDITS[rng.usize(0..EDITS.len())];
            if (edit.make)(&mut second, &secrets, &mut choices, rng) {
                edits.push(edit.name);
            }
        }
        let has_base = rng.u8(0..3) != 0;
        if clusters.len() > 1 && rng.u8(0..4) == 0 {
            // The last cluster joins later.
            let name = &clusters[clusters.len() - 1].name;
            first["clusters"].as_object_mut().unwrap().shift_remove(name);
            edits.push("a cluster joins");
        }
        let git = Git::default();
        let settings = sim::Settings {
            seeds: vec![seed(&clusters)],
            scenario: if rng.u8(0..12) == 0 { Some(Scenario::ALL[rng.usize(0..Scenario::ALL.len())]) } else { None },
            quirks: quirks(rng),
            repositories: Some(Arc::new(git.clone())),
            page_size: if rng.u8(0..4) == 0 { 2 } else { 1000 },
            limits: if rng.u8(0..6) == 0 { scarce(rng) } else { sim::Limits::default() },
            ..sim::Settings::default()
        };
        Self { clusters, first, second, edits, has_base, choices, neighbours: Vec::new(), secrets, git, settings }
    }

    /// Puts what others have there into the simulator: resources on the clusters of the spec and on one beside it.
    pub(crate) fn plant_neighbours(&mut self, sim: &Simulator, rng: &mut Rng) {
        if rng.u8(0..3) == 0 {
            return;
        }
        for namespace in ["Microsoft.KubernetesConfiguration", "Microsoft.ContainerService"] {
            let path = format!("/subscriptions/{SUBSCRIPTION}/providers/{namespace}/register");
            by_hand(sim, &Method::POST, &path, "2024-03-01", &Value::Null);
        }
        sim.advance(std::time::Duration::from_secs(60));
        let deletes_unmanaged = self.second["policy"]["unmanaged"] == json!("delete");
        let mut homes = vec![foreign()];
        homes.extend(self.clusters.iter().filter(|_| rng.bool()).cloned());
        for home in homes {
            let monitor = json!({"identity": {"type": "SystemAssigned"}, "properties": {
                "extensionType": "microsoft.azuremonitor.containers", "configurationSettings": {"a": "1"},
            }});
            let path = home.extension("monitor");
            by_hand(sim, &Method::PUT, &path, "2025-03-01", &monitor);
            self.neighbours.push(path);
            if home.group == "rg-foreign" || !deletes_unmanaged {
                let others = json!({"properties": {
                    "scope": "cluster", "namespace": "others", "sourceKind": "GitRepository",
                    "gitRepository": {"url": "https://github.com/others/repo", "repositoryRef": {"branch": "main"}},
                    "kustomizations": {"theirs": {"path": "./theirs", "prune": true}},
                }});
                let path = home.configuration("others");
                by_hand(sim, &Method::PUT, &path, "2025-04-01", &others);
                self.neighbours.push(path);
            }
        }
        sim.advance(std::time::Duration::from_secs(600));
    }

    /// The configurations that either spec names, with the clusters that they are on.
    pub(crate) fn managed_configurations(&self) -> Vec<String> {
        let names: BTreeSet<&String> = [&self.first, &self.second]
            .into_iter()
            .filter_map(|spec| spec["configurations"].as_object())
            .flat_map(Map::keys)
            .collect();
        self.clusters.iter().flat_map(|cluster| names.iter().map(|name| cluster.configuration(name))).collect()
    }

    /// The paths of kustomizations that either spec names, as they are on each cluster.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = BTreeSet::new();
        for spec in [&self.first, &self.second] {
            for configuration in spec["configurations"].as_object().into_iter().flat_map(Map::values) {
                for kustomization in configuration["kustomizations"].as_object().into_iter().flat_map(Map::values) {
                    let path = kustomization["path"].as_str().unwrap_or_default();
                    for cluster in &self.clusters {
                        paths.insert(path.replace("${cluster.name}", &cluster.name));
                    }
                }
            }
        }
        paths.into_iter().collect()
    }
}

/// A cluster beside those of the spec.
fn foreign() -> Cluster {
    Cluster { name: "foreign-001".to_owned(), group: "rg-foreign".to_owned(), is_managed: false }
}

/// One request that somebody else makes; whether it was accepted.
pub(crate) fn by_hand(sim: &Simulator, method: &Method, path: &str, version: &str, body: &Value) -> StatusCode {
    let bytes = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let request = http::Request::builder()
        .method(method)
        .uri(format!("{}{path}?api-version={version}", sim::ORIGIN))
        .header("content-type", "application/json")
        .body(bytes.into())
        .unwrap();
    sim.handle_as_of(request, sim.now()).status()
}

/// A resource as it is, without leaving a trace.
pub(crate) fn peek(sim: &Simulator, path: &str, version: &str) -> Option<Value> {
    let uri = format!("{}{path}?api-version={version}", sim::ORIGIN);
    let answer = sim.peek(http::Request::get(uri).body(bytes::Bytes::new()).unwrap());
    answer.status().is_success().then(|| serde_json::from_slice(answer.body()).unwrap())
}

fn clusters(rng: &mut Rng) -> Vec<Cluster> {
    let count = match rng.u8(0..10) {
        0..5 => 1,
        5..8 => 2,
        8 => 3,
        _ => rng.usize(4..6),
    };
    (1..=count)
        .map(|number| Cluster {
            name: format!("store-{number:03}"),
            group: if rng.u8(0..4) == 0 { "rg-south".to_owned() } else { "rg-north".to_owned() },
            is_managed: rng.u8(0..4) == 0,
        })
        .collect()
}

fn seed(clusters: &[Cluster]) -> Seed {
    let mut all = clusters.to_vec();
    all.push(foreign());
    let groups: BTreeSet<&String> = all.iter().map(|cluster| &cluster.group).collect();
    let location = || "westeurope".to_owned();
    Seed {
        subscription: SUBSCRIPTION.to_owned(),
        tenant: None,
        groups: groups.into_iter().map(|name| SeedGroup { name: name.clone(), location: location() }).collect(),
        clusters: all
            .iter()
            .map(|cluster| SeedCluster {
                resource_group: cluster.group.clone(),
                name: cluster.name.clone(),
                cluster_type: match cluster.is_managed {
                    true => SeedClusterType::ManagedClusters,
                    false => SeedClusterType::ConnectedClusters,
                },
                location: location(),
            })
            .collect(),
    }
}

fn quirks(rng: &mut Rng) -> Quirks {
    let variants = Quirks::all_variants();
    match rng.u8(0..4) {
        0 | 1 => Quirks::default(),
        2 => variants[rng.usize(0..variants.len())].1,
        _ => {
            // Each answer from a variant of its own.
            let mut any = || variants[rng.usize(0..variants.len())].1;
            Quirks {
                put_over_existing: any().put_over_existing,
                omitted_kustomizations: any().omitted_kustomizations,
                extension_settings_patch: any().extension_settings_patch,
                flux_protected_settings: any().flux_protected_settings,
                provider_when_omitted: any().provider_when_omitted,
                immutable_change: any().immutable_change,
                without_extension: any().without_extension,
                overlapping_write: any().overlapping_write,
                unregistered_read: any().unregistered_read,
                delete_missing: any().delete_missing,
                paging: any().paging,
            }
        }
    }
}

fn scarce(rng: &mut Rng) -> sim::Limits {
    let mut bucket =
        |capacity: std::ops::Range<u32>| sim::Bucket { capacity: rng.u32(capacity), refill_per_second: rng.u32(1..4) };
    sim::Limits { reads: bucket(10..60), writes: bucket(2..10), deletes: bucket(2..10) }
}

/// Text that is nobody's but this secret's.
fn noise(rng: &mut Rng, length: usize) -> String {
    (0..length).map(|_| rng.alphanumeric()).collect()
}

fn secret(name: &str, kind: &str, secrets: &SecretStore, rng: &mut Rng) -> Value {
    let reference = match rng.bool() {
        true => SecretRef::Env(name.to_uppercase().replace('-', "_")),
        false => SecretRef::File(format!("secrets/{name}")),
    };
    secrets.put(reference.clone(), value_for(kind, rng));
    serde_json::to_value(reference).unwrap()
}

/// A value that looks like a real one.
fn value_for(kind: &str, rng: &mut Rng) -> String {
    let length = rng.usize(12..40);
    match kind {
        "sshPrivateKey" => {
            let lines: Vec<String> = (0..4).map(|_| noise(rng, 60)).collect();
            format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", lines.join("\n"))
        }
        "accountKey" => {
            let bytes: Vec<u8> = (0..64).map(|_| rng.u8(..)).collect();
            base64::engine::general_purpose::STANDARD.encode(bytes)
        }
        "sasToken" => format!("sv=2024-11-04&se=2031-01-01&sp=rl&sig={}%2B{}%3D", noise(rng, 20), noise(rng, 20)),
        "setting" => format!("{}\n\"{}\\{}", noise(rng, length), noise(rng, 6), noise(rng, 8)),
        // Passwords have what is escaped in JSON, in URLs and in HTML.
        _ => match rng.bool() {
            true => format!("ghp_{}", noise(rng, length)),
            false => format!("{}/+&=\"<\\%{}", noise(rng, 6), noise(rng, length)),
        },
    }
}

fn spec(rng: &mut Rng, clusters: &[Cluster], secrets: &SecretStore) -> Value {
    let mut entries = Map::new();
    for cluster in clusters {
        let kind = if cluster.is_managed { "managedClusters" } else { "connectedClusters" };
        entries.insert(cluster.name.clone(), json!({"type": kind, "resourceGroup": cluster.group}));
    }
    let mut extension = Map::new();
    if rng.u8(0..3) != 0 {
        extension.insert("multiTenancy".to_owned(), json!(rng.bool()));
    }
    if rng.u8(0..3) == 0 {
        extension.insert("configurationSettings".to_owned(), json!({"helm-controller.detectDrift": "true"}));
    }
    if rng.u8(0..4) == 0 {
        let reference = secret("registry", "setting", secrets, rng);
        extension.insert("configurationProtectedSettings".to_owned(), json!({"registry.password": reference}));
    }
    let mut configurations = Map::new();
    let mut earlier: Vec<String> = Vec::new();
    for name in &["platform", "retail", "billing", "audit"][..rng.usize(1..=if clusters.len() > 2 { 2 } else { 4 })] {
        configurations.insert((*name).to_owned(), configuration(name, &earlier, secrets, rng));
        earlier.push((*name).to_owned());
    }
    let mut spec = json!({
        "apiVersion": "arcflux/v1",
        "subscription": SUBSCRIPTION,
        "clusters": entries,
        "configurations": configurations,
        "policy": {"limits": {"maxDelete": "100%", "maxUpdate": "100%"}},
    });
    if !extension.is_empty() {
        spec["extension"] = Value::Object(extension);
    }
    spec
}

fn configuration(name: &str, earlier: &[String], secrets: &SecretStore, rng: &mut Rng) -> Value {
    let mut configuration = json!({"namespace": name, "scope": if rng.bool() { "cluster" } else { "namespace" }});
    let (member, source) = match rng.u8(0..10) {
        0..4 => ("gitRepository", json!({"url": format!("https://github.com/contoso/{name}"), "branch": "main"})),
        4 | 5 => (
            "gitRepository",
            json!({
                "url": format!("https://git.contoso.com/{name}"), "branch": "main", "httpsUser": "git",
                "httpsKey": secret(&format!("{name}-key"), "httpsKey", secrets, rng),
            }),
        ),
        6 => (
            "gitRepository",
            json!({
                "url": format!("ssh://git@github.com/contoso/{name}"), "branch": "main",
                "sshPrivateKey": secret(&format!("{name}-ssh"), "sshPrivateKey", secrets, rng),
            }),
        ),
        7 => (
            "bucket",
            json!({
                "url": "https://minio.contoso.com", "bucketName": name, "accessKey": "reader",
                "bucketSecretKey": secret(&format!("{name}-bucket"), "bucketSecretKey", secrets, rng),
            }),
        ),
        8 => {
            let (key, kind) = if rng.bool() { ("accountKey", "accountKey") } else { ("sasToken", "sasToken") };
            let mut blob = json!({"url": "https://contoso.blob.core.windows.net", "containerName": name});
            blob[key] = secret(&format!("{name}-blob"), kind, secrets, rng);
            ("azureBlob", blob)
        }
        _ => ("ociRepository", json!({"url": format!("oci://ghcr.io/contoso/{name}"), "tag": "v1"})),
    };
    configuration[member] = source;
    if rng.u8(0..5) == 0 {
        configuration[member]["interval"] = json!("5m");
    }
    let mut kustomizations = Map::new();
    let names = ["crds", "infra", "apps"];
    for number in 0..rng.usize(1..=3) {
        let mut kustomization =
            json!({"path": format!("./clusters/${{cluster.name}}/{name}/{}", names[number]), "prune": rng.bool()});
        if number > 0 && rng.bool() {
            kustomization["dependsOn"] = json!([names[number - 1]]);
        }
        kustomizations.insert(names[number].to_owned(), kustomization);
    }
    configuration["kustomizations"] = Value::Object(kustomizations);
    if !earlier.is_empty() && rng.u8(0..3) == 0 {
        configuration["dependsOn"] = json!([earlier[rng.usize(0..earlier.len())]]);
    }
    if rng.u8(0..10) == 0 {
        configuration["waitForReconciliation"] = json!(true);
    }
    configuration
}

/// A way to edit a spec.
#[derive(Clone, Copy)]
struct Edit {
    name: &'static str,
    make: fn(&mut Value, &SecretStore, &mut Choices, &mut Rng) -> bool,
}

/// The name of one of the configurations.
fn any_configuration(spec: &Value, rng: &mut Rng) -> Option<String> {
    let names: Vec<&String> = spec["configurations"].as_object()?.keys().collect();
    (!names.is_empty()).then(|| names[rng.usize(0..names.len())].clone())
}

/// The kustomizations of a configuration, where it has any.
fn kustomizations<'a>(spec: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    spec["configurations"][name].get_mut("kustomizations")?.as_object_mut()
}

fn any_kustomization<'a>(spec: &'a mut Value, rng: &mut Rng) -> Option<&'a mut Value> {
    let name = any_configuration(spec, rng)?;
    let kustomizations = kustomizations(spec, &name)?;
    let names: Vec<String> = kustomizations.keys().cloned().collect();
    kustomizations.get_mut(&names[rng.usize(0..names.len())])
}

/// Takes a name out of every `dependsOn`.
fn forget(members: &mut Map<String, Value>, name: &str) {
    for member in members.values_mut() {
        if let Some(needs) = member.get_mut("dependsOn").and_then(Value::as_array_mut) {
            needs.retain(|need| need != name);
        }
    }
}

const EDITS: &[Edit] = &[
    Edit {
        name: "a path",
        make: |spec, _, _, rng| {
            let Some(kustomization) = any_kustomization(spec, rng) else { return false };
            kustomization["path"] = json!(format!("./clusters/${{cluster.name}}/next/{}", noise(rng, 3)));
            true
        },
    },
    Edit {
        name: "prune",
        make: |spec, _, _, rng| {
            let Some(kustomization) = any_kustomization(spec, rng) else { return false };
            kustomization["prune"] = json!(kustomization["prune"] != json!(true));
            true
        },
    },
    Edit {
        name: "an interval",
        make: |spec, _, _, rng| {
            let Some(kustomization) = any_kustomization(spec, rng) else { return false };
            kustomization["interval"] = json!("7m");
            true
        },
    },
    Edit {
        name: "a kustomization comes",
        make: |spec, _, _, rng| {
            let Some(name) = any_configuration(spec, rng) else { return false };
            let Some(kustomizations) = kustomizations(spec, &name) else { return false };
            kustomizations.insert("extra".to_owned(), json!({"path": "./extra", "prune": true}));
            true
        },
    },
    Edit {
        name: "a kustomization goes",
        make: |spec, _, _, rng| {
            let Some(name) = any_configuration(spec, rng) else { return false };
            let Some(kustomizations) = kustomizations(spec, &name) else { return false };
            if kustomizations.len() < 2 {
                return false;
            }
            let gone = kustomizations.keys().nth(rng.usize(0..kustomizations.len())).unwrap().clone();
            kustomizations.shift_remove(&gone);
            forget(kustomizations, &gone);
            true
        },
    },
    Edit {
        name: "a configuration comes",
        make: |spec, secrets, _, rng| {
            let configurations = spec["configurations"].as_object().unwrap();
            let is_there = |(_, configuration): &(&String, &Value)| configuration.get("state").is_none();
            let earlier: Vec<String> = configurations.iter().filter(is_there).map(|(name, _)| name.clone()).collect();
            if earlier.iter().any(|name| name == "fresh") {
                return false;
            }
            spec["configurations"]["fresh"] = configuration("fresh", &earlier, secrets, rng);
            true
        },
    },
    Edit {
        name: "a configuration goes",
        make: |spec, _, _, rng| {
            let Some(name) = any_configuration(spec, rng) else { return false };
            let configurations = spec["configurations"].as_object_mut().unwrap();
            let present = configurations.values().filter(|configuration| configuration.get("state").is_none());
            if present.count() < 2 {
                return false;
            }
            configurations.shift_remove(&name);
            forget(configurations, &name);
            true
        },
    },
    Edit {
        name: "a configuration is absent",
        make: |spec, _, _, rng| {
            let Some(name) = any_configuration(spec, rng) else { return false };
            let configurations = spec["configurations"].as_object_mut().unwrap();
            let present = configurations.values().filter(|configuration| configuration.get("state").is_none());
            if present.count() < 2 {
                return false;
            }
            configurations[&name] = json!({"state": "absent"});
            forget(configurations, &name);
            true
        },
    },
    Edit {
        name: "a scope",
        make: |spec, _, _, rng| {
            let Some(name) = any_configuration(spec, rng) else { return false };
            let configuration = &mut spec["configurations"][&name];
            if configuration.get("scope").is_none() {
                return false;
            }
            configuration["scope"] =
                json!(if configuration["scope"] == json!("cluster") { "namespace" } else { "cluster" });
            true
        },
    },
    Edit {
        name: "a branch",
        make: |spec, _, _, rng| {
            let Some(name) = any_configuration(spec, rng) else { return false };
            let configuration = &mut spec["configurations"][&name];
            if configuration.pointer("/gitRepository/branch").is_none() {
                return false;
            }
            configuration["gitRepository"]["branch"] = json!("release");
            true
        },
    },
    Edit {
        name: "suspended",
        make: |spec, _, _, rng| {
            let Some(name) = any_configuration(spec, rng) else { return false };
            if spec["configurations"][&name].get("state").is_some() {
                return false;
            }
            spec["configurations"][&name]["suspend"] = json!(true);
            true
        },
    },
    Edit {
        name: "multi-tenancy",
        make: |spec, _, _, _| {
            let is_on = spec["extension"]["multiTenancy"] == json!(true);
            spec["extension"]["multiTenancy"] = json!(!is_on);
            true
        },
    },
    Edit {
        name: "a setting",
        make: |spec, _, _, rng| {
            spec["extension"]["configurationSettings"] = json!({"source-controller.log-level": noise(rng, 4)});
            true
        },
    },
    Edit {
        name: "secrets are sent again",
        make: |spec, secrets, choices, rng| {
            let text = spec.to_string();
            let references: Vec<SecretRef> = secrets.0.lock().unwrap().current.keys().cloned().collect();
            for reference in references {
                // Another value of the same kind: what is there says which.
                let before = secrets.value(&reference).unwrap_or_default();
                if before.starts_with("ghp_") && text.contains("httpsKey") {
                    secrets.put(reference, value_for("httpsKey", rng));
                }
            }
            choices.resend_secrets = true;
            true
        },
    },
    Edit {
        name: "what is unmanaged goes",
        make: |spec, _, _, _| {
            spec["policy"]["unmanaged"] = json!("delete");
            true
        },
    },
    Edit { name: "nothing", make: |_, _, _, _| true },
];
