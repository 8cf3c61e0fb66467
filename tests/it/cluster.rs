//! Clusters through a kubeconfig, against the stub cluster: what is seen, how the agents come and go, what is said when it
//! does not work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arcflux::cluster::{AgentKeys, ClusterError, Clusters, Installation, Kubernetes as _, ObjectName, Tools};
use arcflux::http::Clock;
use arcflux::model::{Agents, ConnectedAs, Secret, Sight};
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::stub_cluster::{CONTEXT, StubCluster, TOKEN, linux_node};

/// Time limits do not end on it, and pauses of a few seconds are over at once.
#[derive(Default)]
struct Impatient(AtomicUsize);

#[async_trait]
impl Clock for Impatient {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    async fn sleep(&self, duration: Duration) {
        if duration > Duration::from_secs(5) {
            std::future::pending::<()>().await;
        }
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn clusters(tools: Tools) -> Clusters {
    Clusters::new(tools, Arc::new(Impatient::default()))
}

fn of(stub: &StubCluster) -> Clusters {
    clusters(stub.tools())
}

fn said(error: &ClusterError) -> String {
    format!("{error}\nhint: {}", error.hint.as_deref().unwrap_or("none"))
}

fn installation(keys: &AgentKeys) -> Installation {
    Installation {
        chart: "oci://mcr.microsoft.com/azurearck8s/v2/azure-arc-k8sagents:1.26.0".to_owned(),
        values: json!({"global": {"subscriptionId": "s", "resourceGroupName": "rg-edge", "resourceName": "store-001"}}),
        private_key: Secret::new(keys.private_key.reveal().to_owned()),
    }
}

/// Something like a key, which takes no second to make.
fn keys() -> AgentKeys {
    let text = "-----BEGIN RSA PRIVATE KEY-----\nMIIJKAIBAAKCAgEA0123456789abcdef\n-----END RSA PRIVATE KEY-----\n";
    AgentKeys { public_key: String::new(), private_key: Secret::new(text.to_owned()) }
}

fn connected_as(name: &str) -> ConnectedAs {
    ConnectedAs { subscription: "s".to_owned(), resource_group: "rg-edge".to_owned(), name: name.to_owned() }
}

#[tokio::test]
async fn a_cluster_without_agents() {
    let stub = StubCluster::start().await;
    let expected = Sight {
        version: "v1.33.5+k3s1".to_owned(),
        distribution: "k3s".to_owned(),
        infrastructure: "generic".to_owned(),
        has_linux_node: true,
        forbidden: Vec::new(),
        agents: None,
    };
    assert_eq!(of(&stub).look(CONTEXT).await.unwrap(), expected);
    let state = stub.state();
    let writes = |request: &&String| !request.starts_with("GET ") && !request.contains("/selfsubjectaccessreviews");
    assert_eq!(state.requests.iter().find(writes), None, "looking changes nothing");
}

#[tokio::test]
async fn agents_and_whom_they_speak_for() {
    let stub = StubCluster::start().await;
    stub.put_agents("s", "rg-edge", "store-007");
    let agents = of(&stub).look(CONTEXT).await.unwrap().agents.unwrap();
    assert_eq!(agents, Agents { release: "deployed".to_owned(), connected_as: Some(connected_as("store-007")) });
    stub.put_release(2, "pending-upgrade");
    stub.state().objects.remove("/api/v1/namespaces/azure-arc/configmaps/azure-clusterconfig");
    let agents = of(&stub).look(CONTEXT).await.unwrap().agents.unwrap();
    assert_eq!(agents, Agents { release: "pending-upgrade".to_owned(), connected_as: None });
}

#[tokio::test]
async fn what_is_not_allowed_is_named() {
    let stub = StubCluster::start().await;
    stub.state().denied.extend(["create clusterrolebindings".to_owned(), "create secrets".to_owned()]);
    stub.state().forbidden.push("GET /api/v1/nodes".to_owned());
    let sight = of(&stub).look(CONTEXT).await.unwrap();
    assert_eq!(sight.forbidden, ["create clusterrolebindings", "create secrets in azure-arc-release", "list nodes"]);
    assert_eq!((sight.distribution.as_str(), sight.has_linux_node), ("generic", true));
}

#[tokio::test]
async fn nodes_of_another_kind() {
    let stub = StubCluster::start().await;
    stub.put("/api/v1/nodes/node-1", json!({"metadata": {"labels": {"kubernetes.io/os": "windows"}}}));
    assert!(!of(&stub).look(CONTEXT).await.unwrap().has_linux_node);
    let mut node = linux_node("azure:///subscriptions/s/node");
    node["metadata"]["labels"]["kubernetes.azure.com/node-image-version"] = "AKSUbuntu".into();
    stub.put("/api/v1/nodes/node-2", node);
    let sight = of(&stub).look(CONTEXT).await.unwrap();
    assert_eq!((sight.distribution.as_str(), sight.infrastructure.as_str()), ("aks", "azure"));
    assert!(sight.has_linux_node);
}

#[tokio::test]
async fn a_user_that_a_program_signs_in() {
    let stub = StubCluster::start().await;
    assert_eq!(of(&stub).look("by-program").await.unwrap().version, "v1.33.5+k3s1");
    std::fs::write(stub.bin().join("sign-in"), "#!/bin/sh\necho a-token\necho 'your session has ended' >&2\nexit 3\n")
        .unwrap();
    let error = said(&of(&stub).look("by-program").await.unwrap_err());
    assert!(error.contains("your session has ended") && error.contains("cannot be signed in to"), "{error}");
    assert!(!error.contains("a-token"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_reached_says_why_and_what_to_do() {
    let stub = StubCluster::start().await;
    let clusters = of(&stub);
    let mut texts = Vec::new();
    for context in ["nobody", "gone", "untrusted", "store-01", "elsewhere"] {
        texts.push(said(&clusters.look(context).await.unwrap_err()).replace(stub.url(), "https://127.0.0.1:6443"));
    }
    stub.state().forbidden.push("GET /api/v1/secrets".to_owned());
    texts.push(said(&clusters.look(CONTEXT).await.unwrap_err()).replace(stub.url(), "https://127.0.0.1:6443"));
    for kubeconfig in [vec![], vec!["/nowhere/config".into()], vec![stub.bin().join("helm")]] {
        let error = said(&self::clusters(Tools { kubeconfig, ..stub.tools() }).look(CONTEXT).await.unwrap_err());
        texts.push(error.replace(&stub.bin().display().to_string(), "bin"));
    }
    crate::snapshots::check("cluster-unreachable", &texts.join("\n\n"));
}

#[tokio::test]
async fn any_object_is_found_by_what_its_manifest_calls_it() {
    let stub = StubCluster::start().await;
    let path = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";
    stub.put(path, json!({"spec": {"url": "https://github.com/contoso/gitops"}}));
    let clusters = of(&stub);
    let ask = async |api_version: &str, kind: &str, namespace: Option<&str>, name: &str| {
        let name = ObjectName {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        clusters.object(CONTEXT, &name).await.unwrap()
    };
    let flux = "source.toolkit.fluxcd.io/v1";
    let found = ask(flux, "GitRepository", Some("flux-system"), "flux-system").await.unwrap();
    assert_eq!(found["spec"]["url"], "https://github.com/contoso/gitops");
    assert_eq!(ask(flux, "GitRepository", Some("flux-system"), "other").await, None);
    assert_eq!(ask(flux, "Bucket", Some("flux-system"), "flux-system").await, None);
    assert_eq!(ask("helm.toolkit.fluxcd.io/v2", "HelmRelease", Some("flux-system"), "app").await, None);
    assert_eq!(ask("v1", "Namespace", None, "default").await.unwrap()["kind"], "Namespace");
}

#[tokio::test]
async fn the_agents_are_installed_and_the_key_is_in_no_argument_variable_or_file() {
    let stub = StubCluster::start().await;
    let keys = AgentKeys::generate().unwrap();
    of(&stub).install_agents(CONTEXT, &installation(&keys)).await.unwrap();
    let calls = stub.calls("helm");
    let [call] = calls.as_slice() else { panic!("{} calls", calls.len()) };
    assert_eq!(
        call.arguments.join(" "),
        "upgrade azure-arc oci://mcr.microsoft.com/azurearck8s/v2/azure-arc-k8sagents --install \
         --namespace azure-arc-release --kube-context store-001 --create-namespace --values - --version 1.26.0 \
         --wait --timeout 1200s --output json"
    );
    let names: Vec<&str> = call.environment.iter().filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
    assert!(names.contains(&"KUBECONFIG") && names.contains(&"PATH"), "{names:?}");
    for unwanted in ["GITHUB_TOKEN", "HELM_DRIVER"] {
        assert!(!names.contains(&unwanted), "{names:?}");
    }
    let private = keys.private_key.reveal();
    for line in private.lines().filter(|line| line.len() > 30).chain([TOKEN, "ghs_secret"]) {
        assert!(!call.arguments.iter().chain(&call.environment).any(|text| text.contains(line)));
    }
    let values: Value = serde_json::from_str(&call.input).unwrap();
    assert_eq!(values["global"]["onboardingPrivateKey"], private);
    assert_eq!(values["global"]["resourceName"], "store-001");
    let agents = of(&stub).look(CONTEXT).await.unwrap().agents.unwrap();
    assert_eq!(agents, Agents { release: "deployed".to_owned(), connected_as: Some(connected_as("store-001")) });
}

#[tokio::test]
async fn what_another_run_left_half_done_is_taken_up() {
    for (before, expected) in [
        (&[(1, "pending-install")][..], ["uninstall", "upgrade"].as_slice()),
        (&[(1, "deployed"), (2, "pending-upgrade")], &["rollback", "upgrade"]),
        (&[(1, "superseded"), (2, "deployed"), (3, "pending-rollback")], &["rollback", "upgrade"]),
        (&[(1, "failed"), (2, "pending-upgrade")], &["uninstall", "upgrade"]),
        (&[(1, "uninstalling")], &["uninstall", "upgrade"]),
        (&[(1, "failed")], &["upgrade"]),
        (&[(1, "deployed")], &["upgrade"]),
    ] {
        let stub = StubCluster::start().await;
        for (revision, status) in before {
            stub.put_release(*revision, status);
        }
        of(&stub).install_agents(CONTEXT, &installation(&keys())).await.unwrap();
        let verbs: Vec<String> = stub.calls("helm").into_iter().map(|call| call.arguments[0].clone()).collect();
        assert_eq!(verbs, expected, "{before:?}");
    }
}

#[tokio::test]
async fn a_helm_that_fails_is_quoted_without_the_key() {
    let stub = StubCluster::start().await;
    let keys = keys();
    let echo = format!("Error: cannot parse: {}\ncontext deadline exceeded\n", keys.private_key.reveal());
    stub.helm_fails(Some(&echo));
    let error = said(&of(&stub).install_agents(CONTEXT, &installation(&keys)).await.unwrap_err());
    assert_eq!(
        error,
        "helm cannot install the Arc agents: Error: cannot parse: (secret); (secret); (secret); context deadline exceeded\n\
         hint: see what they wait for: kubectl --context store-001 get pods -n azure-arc"
    );
    stub.helm_fails(None);
    of(&stub).install_agents(CONTEXT, &installation(&keys)).await.unwrap();
}

#[tokio::test]
async fn a_helm_that_will_not_do() {
    let stub = StubCluster::start().await;
    let keys = keys();
    let mut texts = Vec::new();
    for version in ["v2.17.0", "v3.7.2", "v5.0.0", "helm?"] {
        stub.helm_is(version);
        texts.push(said(&of(&stub).install_agents(CONTEXT, &installation(&keys)).await.unwrap_err()));
    }
    let tools = Tools { helm: "/nowhere/helm".into(), ..stub.tools() };
    texts.push(said(&clusters(tools).install_agents(CONTEXT, &installation(&keys)).await.unwrap_err()));
    crate::snapshots::check("cluster-helm", &texts.join("\n\n"));
    for version in ["v3.8.0", "v4.1.4"] {
        stub.helm_is(version);
        of(&stub).install_agents(CONTEXT, &installation(&keys)).await.unwrap();
    }
    assert_eq!(stub.calls("helm").len(), 2);
}

#[tokio::test]
async fn the_agents_are_removed_with_all_that_is_theirs() {
    let stub = StubCluster::start().await;
    stub.put_agents("s", "rg-edge", "store-001");
    let flux = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/fluxconfigs.clusterconfig.azure.com";
    stub.put(flux, json!({}));
    of(&stub).remove_agents(CONTEXT).await.unwrap();
    assert_eq!(
        stub.calls("helm")[0].arguments.join(" "),
        "uninstall azure-arc --namespace azure-arc-release --kube-context store-001 --wait --timeout 1200s"
    );
    let left: Vec<String> = stub.state().objects.keys().cloned().collect();
    assert_eq!(left, ["/api/v1/namespaces/default", "/api/v1/nodes/node-1", flux]);
    // Once more: there is nothing to do.
    of(&stub).remove_agents(CONTEXT).await.unwrap();
    assert_eq!(stub.calls("helm").len(), 1);
}

#[tokio::test]
async fn a_removal_that_stopped_halfway_is_taken_up_and_one_that_is_held_is_told() {
    let stub = StubCluster::start().await;
    stub.put_agents("s", "rg-edge", "store-001");
    stub.helm_fails(Some("Error: uninstall: Release not loaded: azure-arc: release: not found"));
    let namespace = "/api/v1/namespaces/azure-arc";
    stub.state().held.insert(namespace.to_owned());
    let error =
        said(&of(&stub).remove_agents(CONTEXT).await.unwrap_err()).replace(stub.url(), "https://127.0.0.1:6443");
    assert_eq!(
        error,
        "the cluster of context `store-001` (https://127.0.0.1:6443/): the namespace azure-arc is being deleted, and something \
         holds it\nhint: see `finalizers` and `conditions` in it: kubectl get namespace azure-arc -o yaml"
    );
    stub.state().held.clear();
    of(&stub).remove_agents(CONTEXT).await.unwrap();
    assert!(!stub.state().objects.contains_key(namespace));
}

#[tokio::test]
async fn az_is_run_with_its_arguments_and_quoted_when_it_fails() {
    let stub = StubCluster::start().await;
    let arguments = ["connectedk8s", "connect", "-n", "store-001", "-g", "rg-edge"].map(str::to_owned);
    of(&stub).az(&arguments).await.unwrap();
    let [call] = stub.calls("az").try_into().ok().unwrap();
    assert_eq!(call.arguments, arguments);
    assert!(call.environment.contains(&format!("KUBECONFIG={}", stub.kubeconfig().display())));
    assert!(!call.environment.iter().any(|pair| pair.starts_with("GITHUB_TOKEN")));
    stub.az_fails(Some("ERROR: Please run 'az login' to setup account.\n\u{1b}[0m"));
    let error = said(&of(&stub).az(&arguments).await.unwrap_err());
    assert_eq!(
        error,
        "`az connectedk8s connect` failed: ERROR: Please run 'az login' to setup account.; \\u{1b}[0m\n\
         hint: run it by hand, with the arguments that the plan shows"
    );
}
