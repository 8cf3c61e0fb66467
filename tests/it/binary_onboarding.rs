//! The real binary connects a cluster: ARM is the simulator behind TCP, the cluster answers as Kubernetes does, helm is a
//! stub. The agents come up when they have the key of the record.

#![cfg(unix)]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};
use std::time::Duration;

use arcflux::http::{Clock as _, SystemClock};
use arcflux::sim::{self, Seed, SeedGroup, Simulator};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::binary::{Place, Ran};
use crate::gateway::Gateway;
use crate::simulated::World;
use crate::stub_cluster::{CONTEXT, StubCluster};

const ONBOARD: &str = include_str!("../../specs/onboard.yaml");
const SUBSCRIPTION: &str = "3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20";
const CLUSTER: &str = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-edge/providers/Microsoft.Kubernetes/connectedClusters/store-001";

/// Far more than any command takes; one that hangs fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the stub helm, and ends when somebody has made the agents come up with what it was given. Where it is to hang, it
/// says so and lives as long as whoever has started it.
const HELM: &str = r#"#!/bin/sh
if [ "$1" != upgrade ]; then exec '@STUB@' "$@"; fi
if [ -e '@PLACE@/hangs' ]; then
    echo hangs > '@PLACE@/says'
    while kill -0 "$PPID" 2>/dev/null; do sleep 0.05; done
    exit 1
fi
cat > '@PLACE@/given'
'@STUB@' "$@" < '@PLACE@/given'
echo installed > '@PLACE@/says'
read -r answer < '@PLACE@/hears'
"#;

/// A world of its own, with everything in it.
struct Scene {
    world: World,
    cluster: StubCluster,
    place: Place,
    /// Where the stub helm says what it does.
    helm: tempfile::TempDir,
}

impl Scene {
    async fn set() -> Self {
        let group = SeedGroup { name: "rg-edge".to_owned(), location: "westeurope".to_owned() };
        let seed =
            Seed { subscription: SUBSCRIPTION.to_owned(), tenant: None, groups: vec![group], clusters: Vec::new() };
        let settings = sim::Settings {
            seeds: vec![seed],
            installs_agents: true,
            start: SystemClock.now(),
            ..sim::Settings::default()
        };
        let world = World::with(ONBOARD, settings);
        let (cluster, place, helm) = (StubCluster::start().await, Place::empty(), tempfile::tempdir().unwrap());
        place.write("arcflux.yaml", ONBOARD);
        for fifo in ["says", "hears"] {
            assert!(Program::new("mkfifo").arg(helm.path().join(fifo)).status().unwrap().success());
        }
        let script = HELM
            .replace("@STUB@", &cluster.bin().join("helm").display().to_string())
            .replace("@PLACE@", &helm.path().display().to_string());
        std::fs::write(helm.path().join("helm"), script).unwrap();
        std::fs::set_permissions(helm.path().join("helm"), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { world, cluster, place, helm }
    }

    fn command(&self, gateway: &Gateway, arguments: &[&str]) -> Command {
        let (url, kubeconfig, helm) =
            (gateway.url(), self.cluster.kubeconfig().display().to_string(), self.helm.path().join("helm"));
        let cluster = ["--allow-cluster", "--kubeconfig", &kubeconfig, "--helm", helm.to_str().unwrap()];
        let arguments = [arguments, &cluster, &["--arm-endpoint", &url, "--poll-scale", "0.00001"]].concat();
        let mut command = Command::from(self.place.command(&arguments));
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    async fn run(&self, gateway: &Gateway, arguments: &[&str]) -> Ran {
        let ended = self.command(gateway, arguments).output();
        let ended = tokio::time::timeout(PATIENCE, ended).await.expect("it hangs").unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
    }

    /// Makes the agents come up that helm installs, for as long as the test runs.
    fn bring_agents_up(&self) {
        let (place, sim) = (self.helm.path().to_owned(), self.world.sim.clone());
        std::thread::spawn(move || {
            while said(&place).is_some_and(|said| said == "installed\n") {
                come_up(&place, &sim);
                let hears = std::fs::OpenOptions::new().write(true).open(place.join("hears"));
                hears.and_then(|mut hears| hears.write_all(b"up\n")).unwrap();
            }
        });
    }

    fn record(&self) -> (u16, Value) {
        self.world.curl("GET", &format!("{CLUSTER}?api-version=2026-05-01"), &Value::Null)
    }

    /// Whether the private key stands anywhere but in what helm read from its standard input.
    fn keeps_the_key(&self, ran: &[&Ran]) {
        for called in self.cluster.calls("helm") {
            let seen = format!("{:?}{:?}", called.arguments, called.environment);
            assert!(!seen.contains("PRIVATE KEY"), "{seen}");
            assert_eq!(called.input.contains("BEGIN RSA PRIVATE KEY"), called.arguments[0] == "upgrade");
        }
        for text in ran.iter().flat_map(|ran| [&ran.out, &ran.err]).chain(&files_of(&self.place.path(""))) {
            assert!(!text.contains("PRIVATE KEY"), "{text}");
        }
    }
}

/// What the stub helm says next.
fn said(place: &Path) -> Option<String> {
    std::fs::read_to_string(place.join("says")).ok()
}

/// The agents sign in with the key that they were given.
fn come_up(place: &Path, sim: &Simulator) {
    let given: Value = serde_json::from_str(&std::fs::read_to_string(place.join("given")).unwrap()).unwrap();
    let pem = given["global"]["onboardingPrivateKey"].as_str().unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = KeyPair::from_der(&STANDARD.decode(body).unwrap()).unwrap();
    let agents = sim::Agents {
        release: "deployed".to_owned(),
        cluster: CLUSTER.to_owned(),
        public_key: STANDARD.encode(pair.public_key().as_ref()),
    };
    sim.install_agents(CONTEXT, agents);
}

/// Everything in the files below a place.
fn files_of(place: &Path) -> Vec<String> {
    let entries: Vec<PathBuf> = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries
        .into_iter()
        .flat_map(|path| match path.is_dir() {
            true => files_of(&path),
            false => vec![String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned()],
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_connected_and_disconnected() {
    let scene = Scene::set().await;
    let gateway = Gateway::open(&scene.world.sim, None).await;
    scene.bring_agents_up();
    let run = async |arguments: &[&str], code| scene.run(&gateway, arguments).await.ends_with(code);
    let planned = run(&["plan", "--out", "plan.json"], 0).await;
    let planned = planned.shows("rg-edge/store-001 will be connected to Azure").shows("looks like k3s");
    let applied = run(&["apply", "plan.json", "--auto-approve", "--report", "report.json"], 0).await;
    assert_eq!(scene.record().1["properties"]["connectivityStatus"], "Connected");
    assert_eq!(scene.record().1["properties"]["distribution"], "k3s");
    let [installed] =
        scene.cluster.calls("helm").try_into().unwrap_or_else(|calls: Vec<_>| panic!("{} calls", calls.len()));
    let values: Value = serde_json::from_str(&installed.input).unwrap();
    assert_eq!(values["global"]["resourceName"], "store-001");
    assert_eq!(values["global"]["tenantId"], scene.record().1["identity"]["tenantId"]);
    assert!(installed.arguments.iter().any(|argument| argument.starts_with("oci://")), "{:?}", installed.arguments);
    let again = run(&["plan"], 0).await.shows("No changes.");
    let down = run(&["destroy", "--auto-approve", "--disconnect"], 0).await;
    assert_eq!(scene.record().0, 404);
    let nothing = run(&["plan", "--destroy", "--disconnect"], 0).await.shows("No changes.");
    scene.keeps_the_key(&[&planned, &applied, &again, &down, &nothing]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_helm_and_run_again() {
    let scene = Scene::set().await;
    let gateway = Gateway::open(&scene.world.sim, None).await;
    std::fs::write(scene.helm.path().join("hangs"), "").unwrap();
    let mut child = scene.command(&gateway, &["apply", "--auto-approve"]).spawn().unwrap();
    let place = scene.helm.path().to_owned();
    let hangs = tokio::task::spawn_blocking(move || said(&place));
    assert_eq!(tokio::time::timeout(PATIENCE, hangs).await.expect("it hangs").unwrap().as_deref(), Some("hangs\n"));
    child.kill().await.unwrap();
    std::fs::remove_file(scene.helm.path().join("hangs")).unwrap();
    // What helm leaves behind when it is killed.
    scene.cluster.put_release(1, "pending-install");
    let lost = scene.record().1["properties"]["agentPublicKeyCertificate"].clone();
    assert_ne!(lost, json!(null));

    scene.bring_agents_up();
    let run = async |arguments: &[&str], code| scene.run(&gateway, arguments).await.ends_with(code);
    let planned = run(&["plan"], 0).await.shows("must be connected to Azure again").shows("pending-install");
    let applied = run(&["apply", "--auto-approve"], 0).await;
    assert_eq!(scene.record().1["properties"]["connectivityStatus"], "Connected");
    assert_ne!(scene.record().1["properties"]["agentPublicKeyCertificate"], lost);
    let again = run(&["plan"], 0).await.shows("No changes.");
    scene.keeps_the_key(&[&planned, &applied, &again]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_is_connected_elsewhere_is_refused_and_none_is_touched_unasked() {
    let scene = Scene::set().await;
    let gateway = Gateway::open(&scene.world.sim, None).await;
    let unasked = ["apply", "--auto-approve", "--arm-endpoint", &gateway.url(), "--poll-scale", "0.00001"];
    let refused = scene.place.command(&unasked).output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("give `--allow-cluster`"), "{refused:?}");
    scene.cluster.put_agents(SUBSCRIPTION, "rg-other", "kiosk-7");
    let refused = scene.run(&gateway, &["apply", "--auto-approve"]).await.ends_with(3);
    refused.shows("is connected already, as kiosk-7 in rg-other");
    assert_eq!((gateway.writes().len(), scene.cluster.calls("helm").len()), (0, 0));
}
