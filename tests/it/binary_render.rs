//! `arcflux render` through the binary: on standard output, into files, and against a cluster.

use std::collections::BTreeMap;
use std::sync::Mutex;

use arcflux::cluster::{ClusterError, Installation, Kubernetes, ObjectName};
use arcflux::fetch;
use arcflux::flux::{self, Fate, Object};
use arcflux::model::Sight;
use arcflux::spec::{self, Inputs};
use arcflux::view::{Style, manifests};
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::binary::{Place, spec};
use crate::snapshots;
use crate::stub_cluster::{CONTEXT, StubCluster};

#[test]
fn one_cluster_goes_to_standard_output_and_needs_nothing() {
    let ran = Place::quickstart().run(&["render"]).ends_with(0).says("nothing of Azure is rendered");
    assert_eq!(ran.out.matches("kind: Kustomization\n").count(), 2);
    assert!(ran.out.ends_with('\n') && ran.out.starts_with("# Flux on rg-edge/store-001"));
}

#[test]
fn several_clusters_go_to_a_file_each() {
    let place = Place::empty();
    place.write("arcflux.yaml", &spec("fleet"));
    let refused = place.run(&["render"]).ends_with(64).says("--out-dir DIR").says("rg-north/store-001");
    assert_eq!(refused.out, "");
    place.run(&["render", "--out-dir", "out/flux"]).ends_with(0).says("Wrote 3 files to out/flux.");
    let names = |place: &Place| {
        let mut names: Vec<String> = std::fs::read_dir(place.path("out/flux"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&place), ["aks-lab.yaml", "store-001.yaml", "store-002.yaml"]);
    let one = place.run(&["render", "--only", "rg-south/store-002"]).ends_with(0);
    assert_eq!(one.out, place.read("out/flux/store-002.yaml"));
    place.run(&["render", "--only", "rg-nowhere/*"]).ends_with(1).says("selects no configuration of this spec");
    let same = "clusters:\n  a: {name: store, resourceGroup: rg-a}\n  b: {name: STORE, resourceGroup: rg-b}\n";
    let quickstart = spec("quickstart").replace("resourceGroup: rg-edge", "").replace("./clusters/store-001/", "./");
    let (head, rest) = quickstart.split_once("cluster:\n").unwrap();
    let (_, rest) = rest.split_once("extension:\n").unwrap();
    place.write("same.yaml", &format!("{head}{same}extension:\n{rest}"));
    place.run(&["render", "-f", "same.yaml", "--out-dir", "same"]).ends_with(0);
    assert!(place.path("same/rg-a.store.yaml").exists() && place.path("same/rg-b.STORE.yaml").exists());
}

#[test]
fn what_is_for_a_cluster_is_given_with_one() {
    let place = Place::quickstart();
    place.run(&["render", "--detailed-exitcode"]).ends_with(64);
    place.run(&["render", "--diff-against", "c", "--out-dir", "d"]).ends_with(64);
    place.run(&["render", "--diff-against", "c"]).ends_with(1);
}

/// A cluster in memory: objects by kind and name.
#[derive(Default)]
struct InMemory(Mutex<BTreeMap<String, Value>>);

fn key(kind: &str, namespace: Option<&str>, name: &str) -> String {
    format!("{kind} {}/{name}", namespace.unwrap_or_default())
}

impl InMemory {
    fn apply(&self, object: &Object) {
        let mut live = object.body.clone();
        live["metadata"]["uid"] = json!("6b86b273");
        live["status"] = json!({"observedGeneration": 1});
        self.0.lock().unwrap().insert(key(object.kind(), object.namespace(), object.name()), live);
    }

    fn edit(&self, key: &str, pointer: &str, value: Value) {
        let mut objects = self.0.lock().unwrap();
        *objects.get_mut(key).unwrap().pointer_mut(pointer).unwrap() = value;
    }
}

#[async_trait]
impl Kubernetes for InMemory {
    async fn look(&self, _: &str) -> Result<Sight, ClusterError> {
        panic!("only objects are read")
    }

    async fn object(&self, context: &str, object: &ObjectName) -> Result<Option<Value>, ClusterError> {
        assert_eq!(context, "edge");
        let ObjectName { api_version: _, kind, namespace, name } = object;
        Ok(self.0.lock().unwrap().get(&key(kind, namespace.as_deref(), name)).cloned())
    }

    async fn helm(&self) -> Result<String, ClusterError> {
        panic!("nothing is installed")
    }

    async fn install_agents(&self, _: &str, _: &Installation) -> Result<(), ClusterError> {
        panic!("nothing is written")
    }

    async fn remove_agents(&self, _: &str) -> Result<(), ClusterError> {
        panic!("nothing is written")
    }

    async fn az(&self, _: &[String]) -> Result<(), ClusterError> {
        panic!("nothing is run")
    }
}

async fn fates<'a>(objects: &'a [Object], cluster: &InMemory) -> Vec<(&'a Object, Fate)> {
    let names: Vec<ObjectName> = objects
        .iter()
        .map(|object| ObjectName {
            api_version: object.api_version().to_owned(),
            kind: object.kind().to_owned(),
            namespace: object.namespace().map(str::to_owned),
            name: object.name().to_owned(),
        })
        .collect();
    let live = fetch::objects(&names, "edge", cluster).await.unwrap();
    objects.iter().zip(live).map(|(object, live)| (object, flux::difference(object, live.as_ref()))).collect()
}

#[tokio::test]
async fn what_would_change_reads_like_this() {
    let outcome = spec::load_bytes("arcflux.yaml", spec("quickstart").as_bytes(), &Inputs::default());
    let cluster = &outcome.desired.unwrap().clusters[0];
    let objects = flux::render(cluster, &cluster.configurations.keys().cloned().collect()).objects;
    let live = InMemory::default();
    let shown = |fates: &[(&Object, Fate)]| manifests::differences("store-001", fates, &Style::PLAIN);
    snapshots::check("render-diff-new", &shown(&fates(&objects, &live).await));
    objects.iter().for_each(|object| live.apply(object));
    let same = fates(&objects, &live).await;
    assert!(same.iter().all(|(_, fate)| *fate == Fate::Keep), "{same:?}");
    live.edit("Kustomization flux-system/flux-system-app", "/spec/suspend", json!(true));
    live.edit("Kustomization flux-system/flux-system-app", "/spec/dependsOn", json!([]));
    let one = shown(&fates(&objects, &live).await);
    assert!(include_str!("../../README.md").contains(&one), "the README should show:\n{one}");
    live.edit("GitRepository flux-system/flux-system", "/spec/ref", json!({"branch": "hotfix", "tag": "v1"}));
    live.edit("GitRepository flux-system/flux-system", "/spec/interval", json!("10m0s"));
    live.edit("ClusterRoleBinding /flux-applier-flux-system", "/roleRef/name", json!("view"));
    live.0.lock().unwrap().remove("Namespace /flux-system");
    snapshots::check("render-diff", &shown(&fates(&objects, &live).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_compared_with_and_nothing_is_written_to_it() {
    let stub = StubCluster::start().await;
    let place = Place::quickstart().with("KUBECONFIG", stub.kubeconfig().to_str().unwrap());
    let diff = ["render", "--diff-against", CONTEXT, "--detailed-exitcode"];
    let new = place.run(&diff).ends_with(2);
    new.shows("to add, 0 to change").shows("GitRepository flux-system/flux-system would be created");
    let all = place.run(&["render", "--diff-against", CONTEXT]).ends_with(0);
    assert!(all.out.contains("would be created"));
    let kubeconfig = stub.kubeconfig();
    let named = Place::quickstart();
    let named = named.run(&["render", "--diff-against", CONTEXT, "--kubeconfig", kubeconfig.to_str().unwrap()]);
    assert_eq!(named.ends_with(0).out, all.out);
    place.run(&["render", "--diff-against", "store-01"]).ends_with(1).says("the kubeconfig has no context `store-01`");
    let requests = stub.state().requests.clone();
    assert!(!requests.is_empty() && requests.iter().all(|request| request.starts_with("GET ")), "{requests:?}");
}
