//! Recorded traffic, replayed into the simulator: status, headers and body of each answer are compared after masking
//! what differs from one run to the next. Where the simulator answers otherwise on purpose, `tests/replay-exceptions.json`
//! says so with a reason; an exception that nothing needs fails the test.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arcflux::sim::{ORIGIN, Seed, SeedCluster, SeedClusterType, SeedGroup, Settings, Simulator};
use serde_json::{Value, json};

use crate::sim_fixture::{Read, configuration, flux_target, register, send, settings, with_flux};

/// Headers that are compared. The recordings keep few others, and none of those says anything about behaviour.
const HEADERS: [&str; 7] = [
    "azure-asyncoperation",
    "location",
    "retry-after",
    "etag",
    "content-type",
    "api-supported-versions",
    "x-ms-failure-cause",
];

/// Hosts of the recordings that the simulator stands in for.
const MANAGEMENT: &str = "https://management.azure.com";

struct Recording {
    file: &'static str,
    /// What stood before the first request.
    given: Given,
    /// What happens before the interaction of that number.
    before: &'static [(u64, Before)],
    /// Interactions that are replayed; all when empty.
    only: &'static [u64],
}

#[derive(Clone, Copy, PartialEq)]
enum Given {
    Group,
    Cluster,
    ClusterWithFlux,
    ClusterWithExtension(&'static str, &'static str),
}

#[derive(Clone, Copy)]
enum Before {
    /// The cluster is deleted.
    ParentDeleted,
    /// Minutes pass.
    Minutes(u64),
}

const fn recording(file: &'static str, given: Given) -> Recording {
    Recording { file, given, before: &[], only: &[] }
}

const RECORDINGS: [Recording; 15] = [
    recording("azure-service-operator/Extension_20241101_CRUD.2025-03-26.json", Given::Cluster),
    recording("azure-service-operator/Extension_CRUD.2023-11-14.json", Given::Cluster),
    recording("azure-service-operator/Extension_ProtectedSettings_20241101.2025-03-26.json", Given::Cluster),
    Recording {
        before: &[(69, Before::ParentDeleted)],
        ..recording("azure-service-operator/FluxConfiguration_20241101_CRUD.2025-03-26.json", Given::Cluster)
    },
    recording("azure-service-operator/FluxConfiguration_CRUD.2024-10-14.json", Given::ClusterWithFlux),
    recording("azure-powershell/AzConnectedKubernetes.2022-10-17.create.2022-10-01-preview.json", Given::Group),
    recording(
        "azure-powershell/AzKubernetesConfigurationFlux.2022-04-18.fluxExtensionCreate.2022-03-01.json",
        Given::Cluster,
    ),
    recording(
        "azure-powershell/AzKubernetesExtension.2023-05-12.connectedCluster.patch.2022-11-01.json",
        Given::ClusterWithExtension("srjcf8", "azuremonitor-containers"),
    ),
    recording("azure-cli-extensions/aks-preview.test_aks_extension.2025-05-09.1e5bba48.json", Given::Cluster),
    recording("azure-cli-extensions/k8s-extension.test_k8s_extension.2023-10-11.05b07fb1.json", Given::Cluster),
    recording(
        "azure-cli-extensions/k8s-configuration.test_k8s_configuration_success.2022-03-30.4298d1af.json",
        Given::Cluster,
    ),
    recording("azure-cli-extensions/provider-register.apic-extension.test_create_service.json", Given::Group),
    Recording {
        before: &[(58, Before::Minutes(5))],
        only: &[21, 53, 54, 55, 58, 61, 88, 92, 93, 94, 99, 100],
        ..recording("azure-cli-extensions/connectedk8s.test_connectedk8s.2022-10-20.d9996898.json", Given::Group)
    },
    Recording {
        only: &[21, 24, 25, 26, 31, 32],
        ..recording("azure-cli-extensions/connectedk8s.test_forcedelete.2023-02-17.93db3885.json", Given::Group)
    },
    Recording {
        only: &[22, 24, 25, 28, 29],
        ..recording("azure-cli-extensions/vme.test_vme_upgrade_live.2025-06-05.b4d79adf.json", Given::Group)
    },
];

struct Exception {
    file: String,
    seq: Option<u64>,
    place: String,
    used: Cell<bool>,
}

impl Exception {
    fn covers(&self, file: &str, seq: u64, place: &str) -> bool {
        let covers = (self.file == "*" || file.ends_with(&self.file))
            && self.seq.is_none_or(|own| own == seq)
            && matches(&self.place, place);
        if covers {
            self.used.set(true);
        }
        covers
    }
}

/// Whether a place lies at or below a pattern, in which `*` stands for any one segment.
fn matches(pattern: &str, place: &str) -> bool {
    let mut places = place.split('/');
    pattern.split('/').all(|part| places.next().is_some_and(|place| part == "*" || part == place))
}

fn recordings() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings");
    path.is_dir().then_some(path)
}

#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
fn skipped(test: &str) {
    eprintln!("SKIPPED: {test}: ../shared/recordings is not beside the repository");
}

fn parsed(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a readable file");
    serde_json::from_str(&text).expect("a JSON file")
}

fn exceptions() -> Vec<Exception> {
    let listed = parsed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay-exceptions.json"));
    let listed = listed.as_array().cloned().expect("a list");
    listed
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().map(str::to_owned);
            assert!(text("reason").is_some_and(|reason| reason.len() > 20), "every exception has a reason: {entry}");
            Exception {
                file: text("file").expect("a file"),
                seq: entry["seq"].as_u64(),
                place: text("where").expect("a place"),
                used: Cell::new(false),
            }
        })
        .collect()
}

#[test]
fn recorded_traffic_is_answered_alike() {
    let Some(folder) = recordings() else {
        return skipped("recorded_traffic_is_answered_alike");
    };
    let exceptions = exceptions();
    let mut differences = Vec::new();
    for recording in &RECORDINGS {
        replay(&folder, recording, &exceptions, &mut differences);
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    let unused: Vec<String> = exceptions
        .iter()
        .filter(|exception| !exception.used.get())
        .map(|exception| format!("{} {:?} {}", exception.file, exception.seq, exception.place))
        .collect();
    assert!(unused.is_empty(), "exceptions that nothing needs:\n{}", unused.join("\n"));
}

fn replay(folder: &Path, recording: &Recording, exceptions: &[Exception], differences: &mut Vec<String>) {
    let text = fs::read_to_string(folder.join(recording.file)).expect("a recording");
    // Registration was recorded of a provider that the simulator has not.
    let text = text.replace("Microsoft.ApiCenter", "Microsoft.KubernetesConfiguration");
    let document: Value = serde_json::from_str(&text).expect("a recording");
    let interactions = document["interactions"].as_array().expect("interactions");
    let sim = prepared(recording, interactions);
    let mut urls = BTreeMap::new();
    let mut replayed = 0;
    for (index, interaction) in interactions.iter().enumerate() {
        let seq = interaction["seq"].as_u64().unwrap_or(index as u64);
        if !recording.only.is_empty() && !recording.only.contains(&seq) {
            continue;
        }
        let url = interaction["request"]["url"].as_str().expect("a URL");
        for (_, before) in recording.before.iter().filter(|(number, _)| *number == seq) {
            match before {
                Before::Minutes(minutes) => sim.advance(Duration::from_secs(60 * minutes)),
                Before::ParentDeleted => {
                    let parent = url.split("/providers/Microsoft.KubernetesConfiguration").next().expect("a parent");
                    let parent = format!("{}?api-version=2025-08-01", parent.replace(MANAGEMENT, ORIGIN));
                    assert_eq!(send(&sim, "DELETE", &parent, None).status, 202);
                    sim.advance(Duration::from_secs(60));
                }
            }
        }
        let recorded = &interaction["response"];
        let target = urls.get(url).cloned().unwrap_or_else(|| url.replace(MANAGEMENT, ORIGIN));
        let method = interaction["request"]["method"].as_str().expect("a method");
        let body = Some(&interaction["request"]["body"]).filter(|body| !body.is_null());
        if method == "GET" {
            wait_until_alike(&sim, &target, recorded);
        }
        for _ in 0..interaction["repeat"].as_u64().unwrap_or(1) {
            let simulated = send(&sim, method, &target, body);
            for (place, recorded, simulated) in compare(recorded, &simulated) {
                let is_expected = exceptions.iter().filter(|one| one.covers(recording.file, seq, &place)).count() > 0;
                if !is_expected {
                    let file = recording.file;
                    let line = format!("{file} {seq} {place}\n    recorded  {recorded}\n    simulated {simulated}");
                    if !differences.contains(&line) {
                        differences.push(line);
                    }
                }
            }
            for name in ["azure-asyncoperation", "location"] {
                if let (Some(recorded), Some(simulated)) = (recorded["headers"][name].as_str(), simulated.header(name))
                {
                    urls.insert(recorded.to_owned(), simulated.to_owned());
                }
            }
        }
        replayed += 1;
    }
    assert!(replayed > 1, "{}: {replayed} interactions", recording.file);
}

/// A simulator that holds what the recording takes for granted.
fn prepared(recording: &Recording, interactions: &[Value]) -> Simulator {
    let first_of = |segment: &str| {
        interactions.iter().find_map(|interaction| {
            let url = interaction["request"]["url"].as_str()?;
            let mut parts = url.split(['/', '?']).skip_while(|part| !part.eq_ignore_ascii_case(segment));
            parts.nth(1).map(str::to_owned)
        })
    };
    let group = first_of("resourceGroups").unwrap_or_else(|| "rg".to_owned());
    let managed = first_of("managedClusters");
    let (cluster_type, cluster) = match &managed {
        Some(name) => (SeedClusterType::ManagedClusters, Some(name.clone())),
        None => (SeedClusterType::ConnectedClusters, first_of("connectedClusters")),
    };
    let subscription = first_of("subscriptions").expect("a subscription");
    let clusters = match (recording.given, cluster) {
        (Given::Group, _) | (_, None) => Vec::new(),
        (_, Some(name)) => {
            vec![SeedCluster { resource_group: group.clone(), name, cluster_type, location: "eastus".to_owned() }]
        }
    };
    let seed = Seed {
        subscription: subscription.clone(),
        tenant: None,
        groups: vec![SeedGroup { name: group.clone(), location: "eastus".to_owned() }],
        clusters: clusters.clone(),
    };
    let sim = Simulator::in_memory(Settings { seeds: vec![seed], ..Settings::default() });
    if recording.file.contains("provider-register") {
        return sim;
    }
    for namespace in ["Microsoft.KubernetesConfiguration", "Microsoft.ContainerService"] {
        let target = format!("/subscriptions/{subscription}/providers/{namespace}/register?api-version=2024-03-01");
        assert_eq!(send(&sim, "POST", &target, None).status, 200);
    }
    sim.advance(Duration::from_secs(60));
    let extension = match recording.given {
        Given::Group | Given::Cluster => None,
        Given::ClusterWithFlux => Some(("flux", "microsoft.flux")),
        Given::ClusterWithExtension(name, kind) => Some((name, kind)),
    };
    if let (Some((name, kind)), Some(cluster)) = (extension, clusters.first()) {
        let parent = match cluster.cluster_type {
            SeedClusterType::ConnectedClusters => "Microsoft.Kubernetes/connectedClusters",
            SeedClusterType::ManagedClusters => "Microsoft.ContainerService/managedClusters",
        };
        let target = format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/{parent}/{}/providers/\
             Microsoft.KubernetesConfiguration/extensions/{name}?api-version=2024-11-01",
            cluster.name
        );
        let body = json!({"properties": {"extensionType": kind}});
        assert_eq!(send(&sim, "PUT", &target, Some(&body)).status, 201);
        sim.advance(Duration::from_secs(120));
    }
    sim
}

/// Moves the clock to just before an answer that the recording shows as final.
fn wait_until_alike(sim: &Simulator, target: &str, recorded: &Value) {
    let places = ["/status", "/registrationState", "/properties/provisioningState", "/properties/connectivityStatus"];
    let finals = ["Succeeded", "Failed", "Registered", "Connected"];
    for _ in 0..900 {
        let simulated = send(sim, "GET", target, None);
        let waits = places.iter().any(|place| {
            let wanted = recorded["body"].pointer(place).and_then(Value::as_str).unwrap_or_default();
            finals.contains(&wanted) && simulated.status == 200 && simulated.text(place) != wanted
        });
        let goes = recorded["status"] == 404 && simulated.status == 200;
        if !waits && !goes {
            return;
        }
        sim.advance(Duration::from_secs(1));
    }
}

/// Places at which a recorded and a simulated answer differ after masking.
fn compare(recorded: &Value, simulated: &Read) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    if recorded["status"] != simulated.status {
        let texts = (recorded["status"].to_string(), format!("{} {}", simulated.status, simulated.body));
        found.push(("status".to_owned(), texts.0, texts.1));
        return found;
    }
    for name in HEADERS {
        // Which versions a provider supports grows with its age: that it says so is what is compared.
        let masked = |text: &str| {
            if name == "api-supported-versions" { "<versions>".to_owned() } else { masked_url(text) }
        };
        let recorded = recorded["headers"][name].as_str().map(masked);
        let simulated = simulated.header(name).map(masked);
        if recorded != simulated {
            found.push((format!("header/{name}"), format!("{recorded:?}"), format!("{simulated:?}")));
        }
    }
    compare_values("body", &recorded["body"], &simulated.body, &mut found);
    found
}

fn compare_values(place: &str, recorded: &Value, simulated: &Value, found: &mut Vec<(String, String, String)>) {
    match (recorded, simulated) {
        (Value::Object(one), Value::Object(other)) => {
            let mut names: Vec<&String> =
                one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))).collect();
            names.sort();
            for name in names {
                let place = format!("{place}/{name}");
                match (one.get(name), other.get(name)) {
                    (Some(one), Some(other)) => compare_values(&place, one, other, found),
                    (Some(one), None) => found.push((place, one.to_string(), "absent".to_owned())),
                    (None, Some(other)) => found.push((place, "absent".to_owned(), other.to_string())),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare_values(&format!("{place}/{index}"), one, other, found);
            }
        }
        (Value::String(one), Value::String(other)) if masked(one) == masked(other) => {}
        (one, other) if one == other => {}
        (one, other) => found.push((place.to_owned(), one.to_string(), other.to_string())),
    }
}

/// A URL without its host, its signature and its ids; other text as [`masked`].
fn masked_url(text: &str) -> String {
    let Some((_, rest)) = text.split_once("://") else { return masked(text) };
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !["t=", "c=", "s=", "h="].iter().any(|name| pair.starts_with(name)))
        .collect();
    format!("{}?{}", masked(path), query.join("&"))
}

/// Text with what differs from run to run masked: ids, instants, commits, hashes, people.
fn masked(text: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | ':' | '.' | '@' | '+' | '_');
    let mut result = String::new();
    let mut word = String::new();
    for letter in text.chars() {
        if is_word(letter) {
            word.push(letter);
        } else {
            result.push_str(&masked_word(&word));
            word.clear();
            result.push(letter);
        }
    }
    result.push_str(&masked_word(&word));
    result
}

fn masked_word(word: &str) -> String {
    let hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = word.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| hex(part, part.len())) {
        return "<id>".to_owned();
    }
    if word.len() >= 20 && word.get(4..5) == Some("-") && word.get(10..11) == Some("T") {
        return "<instant>".to_owned();
    }
    if let Some((start, commit)) = word.rsplit_once("sha1:")
        && hex(commit, 40)
    {
        return format!("{start}sha1:<commit>");
    }
    if hex(word, 64) {
        return "<hash>".to_owned();
    }
    if word.contains('@') && word.contains('.') && !word.contains("sha1") {
        return "<person>".to_owned();
    }
    word.to_owned()
}

#[test]
fn the_requests_of_the_official_cli_are_answered_as_it_expects() {
    let Some(folder) = recordings() else {
        return skipped("the_requests_of_the_official_cli_are_answered_as_it_expects");
    };
    for (file, least) in [("k8s-configuration-2.3.0.json", 9), ("k8s-extension-1.8.0.json", 8)] {
        let document = parsed(&folder.join("az-cli-client-side").join(file));
        let scenarios = document["scenarios"].as_array().expect("scenarios");
        // A scenario with an error is one that the client itself refuses.
        let accepted: Vec<&Value> = scenarios.iter().filter(|scenario| scenario.get("error").is_none()).collect();
        assert!(accepted.len() >= least, "{file}: {} scenarios", accepted.len());
        for scenario in accepted {
            replay_client(scenario);
        }
    }
}

/// Sends what the official CLI sent in one scenario, and compares the statuses that it expects.
fn replay_client(scenario: &Value) {
    let name = scenario["scenario"].as_str().expect("a name");
    let exchanges = scenario["http"].as_array().expect("exchanges");
    let writes = |method: &str, what: &str| {
        exchanges.iter().any(|exchange| {
            exchange["method"] == method && exchange["url"].as_str().is_some_and(|url| url.contains(what))
        })
    };
    let sim = if writes("PUT", "/extensions/") {
        let sim = Simulator::in_memory(settings());
        register(&sim, "Microsoft.KubernetesConfiguration");
        sim
    } else {
        with_flux(settings())
    };
    if writes("PATCH", "/fluxConfigurations/") || writes("DELETE", "/fluxConfigurations/") {
        let mut body = configuration();
        body["properties"]["kustomizations"] = json!({"a": {"path": "./a", "prune": true}, "b": {"path": "./b"}});
        assert_eq!(send(&sim, "PUT", &flux_target("c2"), Some(&body)).status, 201);
        sim.advance(Duration::from_secs(200));
    }
    send_exchanges(&sim, name, exchanges);
}

/// Sends the requests of a scenario. Polls go to where the simulator said, when the operation is over.
pub(crate) fn send_exchanges(sim: &Simulator, name: &str, exchanges: &[Value]) {
    let mut operation = None;
    for exchange in exchanges {
        let url = exchange["url"].as_str().expect("a URL");
        let is_poll = url.contains("/operations/");
        let target = if is_poll {
            sim.advance(Duration::from_secs(120));
            operation.clone().expect("an operation was started")
        } else {
            url.replace(MANAGEMENT, ORIGIN)
        };
        let body = Some(&exchange["body"]).filter(|body| !body.is_null());
        let answer = send(sim, exchange["method"].as_str().expect("a method"), &target, body);
        assert_eq!(exchange["status"], answer.status, "{name}: {url}: {}", answer.body);
        if is_poll {
            assert_eq!(answer.text("/status"), "Succeeded", "{name}");
        }
        operation = answer.header("azure-asyncoperation").map(str::to_owned).or(operation);
    }
}
