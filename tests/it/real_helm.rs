//! A real helm, run by the code that runs it in production, on the stub cluster, with a chart that has the names of values of
//! the agents' chart: installed, killed halfway, taken up, removed.
//!
//! `tests/witness/helm.sh` fetches helm and names it in `ARCFLUX_HELM`; without that nothing is run here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arcflux::cluster::{
    AgentFacts, AgentKeys, AgentProxy, Clusters, Installation, Kubernetes as _, Tools, agent_values,
};
use arcflux::http::SystemClock;
use arcflux::model::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::stub_cluster::{CONTEXT, StubCluster};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/witness/chart/azure-arc-k8sagents");

#[expect(clippy::disallowed_methods, reason = "where helm is, is said from outside of the test")]
#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn helm() -> Option<PathBuf> {
    let helm = std::env::var_os("ARCFLUX_HELM").map(PathBuf::from);
    if helm.is_none() {
        eprintln!("SKIPPED: ARCFLUX_HELM names no helm (tests/witness/helm.sh)");
    }
    helm
}

fn clusters(stub: &StubCluster, helm: &Path) -> Arc<Clusters> {
    Arc::new(Clusters::new(Tools { helm: helm.to_owned(), ..stub.tools() }, Arc::new(SystemClock)))
}

fn values(distribution: &str) -> Value {
    let proxy = AgentProxy {
        https: Some("http://proxy.contoso.com:3128"),
        skip_range: Some("10.0.0.0/8,.svc,kubernetes.default.svc"),
        certificate: Some("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
        ..AgentProxy::default()
    };
    let facts = AgentFacts {
        subscription: "3f0c1e52-6f5a-4c39-9a53-1f2d7b8f4a10",
        resource_group: "0815",
        name: "store-001",
        location: "westeurope",
        tenant: "7a1c3e5f-0b2d-4c6e-8f90-a1b2c3d4e5f6",
        azure_environment: "AZUREPUBLICCLOUD",
        distribution,
        infrastructure: "generic",
        proxy: Some(proxy),
        private_link: false,
    };
    let settings = json!({
        "global.resourceGroupName": "0815",
        "systemDefaultValues.azureArcAgents.autoUpdate": "False",
    });
    agent_values(&facts, &settings.as_object().unwrap().clone().into_iter().collect(), None)
}

fn installation(keys: &AgentKeys, distribution: &str) -> Installation {
    let private_key = Secret::new(keys.private_key.reveal().to_owned());
    Installation { chart: CHART.to_owned(), values: values(distribution), private_key }
}

fn status(stub: &StubCluster) -> Vec<String> {
    let state = stub.state();
    let releases = state.objects.values().filter(|object| object["type"] == "helm.sh/release.v1");
    releases.map(|object| object["metadata"]["labels"]["status"].as_str().unwrap().to_owned()).collect()
}

/// Where a line of `key` stands while helm runs: in the arguments or the environment of any process, or in a file that helm
/// may have written.
fn exposed(key: &str, stub: &StubCluster) -> Vec<PathBuf> {
    let lines: Vec<&[u8]> = key.lines().filter(|line| line.len() > 30).map(str::as_bytes).collect();
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        processes.flat_map(|process| [process.join("cmdline"), process.join("environ")]).collect();
    let mut directories = vec![stub.bin().parent().unwrap().to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { directories.push(path) } else { files.push(path) }
        }
    }
    let has_one = |text: Vec<u8>| lines.iter().any(|line| text.windows(line.len()).any(|part| part == *line));
    files.retain(|file| std::fs::read(file).is_ok_and(has_one));
    files
}

const CONFIG: &str = "/api/v1/namespaces/azure-arc/configmaps/azure-clusterconfig";
const KEY: &str = "/api/v1/namespaces/azure-arc/secrets/azure-arc-connect-privatekey";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_values_land_and_the_key_is_a_secret() {
    let Some(helm) = helm() else { return };
    let stub = StubCluster::start().await;
    let clusters = clusters(&stub, &helm);
    let keys = AgentKeys::generate().unwrap();
    clusters.install_agents(CONTEXT, &installation(&keys, "k3s")).await.unwrap();
    let config = stub.state().objects[CONFIG]["data"].clone();
    let expected = json!({
        "AZURE_SUBSCRIPTION_ID": "3f0c1e52-6f5a-4c39-9a53-1f2d7b8f4a10",
        "AZURE_RESOURCE_GROUP": "0815",
        "AZURE_RESOURCE_NAME": "store-001",
        "AZURE_REGION": "westeurope",
        "AZURE_TENANT_ID": "7a1c3e5f-0b2d-4c6e-8f90-a1b2c3d4e5f6",
        "AZURE_ENVIRONMENT": "AZUREPUBLICCLOUD",
        "KUBERNETES_DISTRO": "k3s",
        "KUBERNETES_INFRA": "generic",
        "CLUSTER_CONNECT": "on",
        "HTTPS_PROXY": "http://proxy.contoso.com:3128",
        "HTTP_PROXY": "",
        "NO_PROXY": "10.0.0.0/8,.svc,kubernetes.default.svc",
    });
    assert_eq!(config, expected);
    let key = stub.state().objects[KEY]["data"]["privateKey"].as_str().unwrap().to_owned();
    assert_eq!(STANDARD.decode(key).unwrap(), keys.private_key.reveal().as_bytes());
    let agents = clusters.look(CONTEXT).await.unwrap().agents.unwrap();
    assert_eq!((agents.release.as_str(), agents.connected_as.unwrap().name.as_str()), ("deployed", "store-001"));

    // Once more, with something else.
    clusters.install_agents(CONTEXT, &installation(&keys, "generic")).await.unwrap();
    assert_eq!(status(&stub), ["superseded", "deployed"]);
    assert_eq!(stub.state().objects[CONFIG]["data"]["KUBERNETES_DISTRO"], "generic");

    clusters.remove_agents(CONTEXT).await.unwrap();
    let left: Vec<String> = stub.state().objects.keys().cloned().collect();
    assert_eq!(left, ["/api/v1/namespaces/default", "/api/v1/nodes/node-1"]);
    clusters.remove_agents(CONTEXT).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_halfway_it_is_taken_up() {
    let Some(helm) = helm() else { return };
    let stub = StubCluster::start().await;
    let clusters = clusters(&stub, &helm);
    let keys = Arc::new(AgentKeys::generate().unwrap());
    for (distribution, before, after) in [
        ("k3s", &["pending-install"][..], &["deployed"][..]),
        ("generic", &["deployed", "pending-upgrade"], &["superseded", "pending-upgrade", "superseded", "deployed"]),
    ] {
        let is_silent = ["POST", "PATCH", "PUT"].map(|verb| format!("{verb} /api/v1/namespaces/azure-arc/configmaps"));
        stub.state().silent.extend(is_silent);
        let (killed, keys_of_it) = (Arc::clone(&clusters), Arc::clone(&keys));
        let run =
            tokio::spawn(async move { killed.install_agents(CONTEXT, &installation(&keys_of_it, distribution)).await });
        stub.silenced().await;
        assert_eq!(exposed(keys.private_key.reveal(), &stub), Vec::<PathBuf>::new());
        run.abort();
        assert!(run.await.unwrap_err().is_cancelled());
        stub.state().silent.clear();
        assert_eq!(status(&stub), before);
        assert_eq!(clusters.look(CONTEXT).await.unwrap().agents.unwrap().release, *before.last().unwrap());

        clusters.install_agents(CONTEXT, &installation(&keys, distribution)).await.unwrap();
        assert_eq!(status(&stub).last().unwrap(), "deployed");
        assert_eq!(status(&stub).len(), after.len(), "{:?}", status(&stub));
        assert_eq!(stub.state().objects[CONFIG]["data"]["KUBERNETES_DISTRO"], distribution);
    }
    clusters.remove_agents(CONTEXT).await.unwrap();
    assert_eq!(clusters.look(CONTEXT).await.unwrap().agents, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_helm_says_is_told_and_the_key_is_not() {
    let Some(helm) = helm() else { return };
    let stub = StubCluster::start().await;
    let keys = AgentKeys::generate().unwrap();
    stub.state()
        .forbidden
        .extend(["POST", "PATCH"].map(|verb| format!("{verb} /api/v1/namespaces/azure-arc/configmaps")));
    let error = clusters(&stub, &helm).install_agents(CONTEXT, &installation(&keys, "k3s")).await.unwrap_err().message;
    assert!(error.contains("helm cannot install the Arc agents") && error.contains("cannot do that"), "{error}");
    assert!(!keys.private_key.reveal().lines().any(|line| error.contains(line)), "{error}");
    stub.state().forbidden.clear();
    clusters(&stub, &helm).install_agents(CONTEXT, &installation(&keys, "k3s")).await.unwrap();
    assert_eq!(status(&stub).last().unwrap(), "deployed");
}
