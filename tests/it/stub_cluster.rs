//! A Kubernetes cluster for tests: the part of its API that arcflux and helm use, over TLS on loopback, with a kubeconfig
//! that reaches it; and a helm and an `az` that write down how they were called.
//!
//! Objects lie in a map by their path. What is put there by a test is what is answered; deleting a namespace deletes what
//! is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use arcflux::cluster::Tools;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::protobuf;

/// The context of the cluster; the kubeconfig has others, too, which cannot be reached.
pub(crate) const CONTEXT: &str = "store-001";

/// The token of the kubeconfig: a secret that no other program may be handed.
pub(crate) const TOKEN: &str = "stub-cluster-token-3f0c";

/// A cluster, its kubeconfig and its programs. All is gone when it is dropped.
pub(crate) struct StubCluster {
    state: Arc<Mutex<Stored>>,
    silence: Arc<Notify>,
    directory: tempfile::TempDir,
    url: String,
    server: tokio::task::JoinHandle<()>,
}

/// What is in the cluster, and how it behaves.
#[derive(Default)]
pub(crate) struct Stored {
    /// Objects by their path: `/api/v1/namespaces/azure-arc`.
    pub(crate) objects: BTreeMap<String, Value>,
    /// What access reviews deny: `create clusterrolebindings`.
    pub(crate) denied: BTreeSet<String>,
    /// Beginnings of `METHOD path` that are answered with 403.
    pub(crate) forbidden: Vec<String>,
    /// Paths of objects that a finalizer holds: deleting one does not take it away.
    pub(crate) held: BTreeSet<String>,
    /// Beginnings of `METHOD path` that are never answered.
    pub(crate) silent: Vec<String>,
    /// `METHOD path?query`, in the order in which they came.
    pub(crate) requests: Vec<String>,
    programs: PathBuf,
}

/// How a program was called.
pub(crate) struct Called {
    /// Its arguments, without its own name.
    pub(crate) arguments: Vec<String>,
    /// Its whole environment, `NAME=VALUE`.
    pub(crate) environment: Vec<String>,
    /// What it read from its standard input.
    pub(crate) input: String,
}

impl StubCluster {
    /// A cluster of one k3s node, without agents.
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (authority, config) = certificate();
        let url = format!("https://{}", tcp.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Stored { programs: directory.path().to_owned(), ..Stored::default() }));
        let silence = Arc::new(Notify::new());
        let router = Router::new().fallback(answer).with_state((Arc::clone(&state), Arc::clone(&silence)));
        let listener = Tls { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) };
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        write_kubeconfig(directory.path(), &url, &authority);
        write_programs(directory.path());
        let stub = Self { state, silence, directory, url, server };
        stub.put("/api/v1/namespaces/default", json!({}));
        stub.put("/api/v1/nodes/node-1", linux_node("k3s://node-1"));
        stub
    }

    /// Returns once a request has come that is never answered.
    pub(crate) async fn silenced(&self) {
        self.silence.notified().await;
    }

    /// `https://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    /// The directory of the stub `helm` and the stub `az`, to stand first on PATH.
    pub(crate) fn bin(&self) -> PathBuf {
        self.directory.path().join("bin")
    }

    /// All that is needed to reach it, in an environment that holds secrets which programs must not see.
    pub(crate) fn tools(&self) -> Tools {
        let path = format!("{}:/usr/bin:/bin", self.bin().display());
        let home = self.directory.path().display().to_string();
        let environment =
            [("PATH", path.as_str()), ("HOME", &home), ("GITHUB_TOKEN", "ghs_secret"), ("HELM_DRIVER", "sql")];
        Tools {
            kubeconfig: vec![self.kubeconfig()],
            helm: "helm".into(),
            az: "az".into(),
            environment: environment.map(|(name, value)| (name.into(), value.into())).to_vec(),
        }
    }

    /// What is in it, to be looked at or changed.
    pub(crate) fn state(&self) -> MutexGuard<'_, Stored> {
        let mut state = self.state.lock().unwrap();
        state.follow_helm();
        state
    }

    /// Puts an object at `path`, with what every object has.
    pub(crate) fn put(&self, path: &str, object: Value) {
        self.state.lock().unwrap().put(path, object);
    }

    /// Puts a revision of the agents' release there, in the state that helm calls `status`.
    pub(crate) fn put_release(&self, revision: u32, status: &str) {
        self.state.lock().unwrap().put_release(revision, status);
    }

    /// Puts the agents there, for the connected cluster of this subscription, resource group and name.
    pub(crate) fn put_agents(&self, subscription: &str, resource_group: &str, name: &str) {
        let mut state = self.state.lock().unwrap();
        state.put_release(1, "deployed");
        state.put_namespaces();
        state.put_clusterconfig(subscription, resource_group, name);
    }

    /// The version that the stub helm says it is.
    pub(crate) fn helm_is(&self, version: &str) {
        std::fs::write(self.directory.path().join("helm-version"), version).unwrap();
    }

    /// From now on helm fails and says this; `None`: it no longer does.
    pub(crate) fn helm_fails(&self, complaint: Option<&str>) {
        fails(&self.directory.path().join("helm-fails"), complaint);
    }

    /// The same for `az`.
    pub(crate) fn az_fails(&self, complaint: Option<&str>) {
        fails(&self.directory.path().join("az-fails"), complaint);
    }

    /// How `program` (`helm`, `az`) was called, each time, in order. `helm version` does not count.
    pub(crate) fn calls(&self, program: &str) -> Vec<Called> {
        let place = |number: usize| self.directory.path().join(format!("{program}-{number}"));
        let lines = |text: Vec<u8>| {
            let text = String::from_utf8(text).unwrap();
            text.split('\0').filter(|one| !one.is_empty()).map(str::to_owned).collect::<Vec<String>>()
        };
        let read = |place: PathBuf| Called {
            // `/bin/sh FILE ARGUMENTS…`
            arguments: lines(std::fs::read(place.join("cmdline")).unwrap()).split_off(2),
            environment: lines(std::fs::read(place.join("environ")).unwrap()),
            input: std::fs::read_to_string(place.join("input")).unwrap(),
        };
        (1..).map(place).take_while(|place| place.join("done").exists()).map(read).collect()
    }
}

impl Drop for StubCluster {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A Linux node of this `providerID`.
pub(crate) fn linux_node(provider: &str) -> Value {
    json!({
        "metadata": {"labels": {"kubernetes.io/os": "linux"}},
        "spec": {"providerID": provider},
        "status": {"nodeInfo": {"operatingSystem": "linux", "kubeletVersion": "v1.33.5+k3s1"}},
    })
}

fn fails(marker: &Path, complaint: Option<&str>) {
    match complaint {
        Some(complaint) => std::fs::write(marker, complaint).unwrap(),
        None => std::fs::remove_file(marker).unwrap(),
    }
}

impl Stored {
    /// Puts an object at `path`.
    pub(crate) fn put(&mut self, path: &str, mut object: Value) {
        let (collection, name) = path.rsplit_once('/').unwrap();
        let (api_version, rest) = match collection.strip_prefix("/apis/") {
            Some(rest) => {
                let mut parts = rest.splitn(3, '/');
                (format!("{}/{}", parts.next().unwrap(), parts.next().unwrap()), parts.next().unwrap())
            }
            None => ("v1".to_owned(), collection.strip_prefix("/api/v1/").unwrap()),
        };
        let plural = rest.rsplit('/').next().unwrap();
        object["apiVersion"] = api_version.clone().into();
        if let Some(resource) = RESOURCES.iter().find(|row| row.0 == api_version && row.2 == plural) {
            object["kind"] = resource.1.into();
        }
        object["metadata"]["name"] = name.into();
        if let Some(inside) = rest.strip_prefix("namespaces/").filter(|inside| inside.contains('/')) {
            object["metadata"]["namespace"] = inside.split('/').next().unwrap().into();
        }
        object["metadata"]["uid"] = format!("00000000-0000-4000-8000-{:012}", self.objects.len()).into();
        object["metadata"]["resourceVersion"] = (self.requests.len() + 1).to_string().into();
        object["metadata"]["creationTimestamp"] = "2026-11-01T00:00:00Z".into();
        self.objects.insert(path.to_owned(), object);
    }

    fn put_namespaces(&mut self) {
        self.put("/api/v1/namespaces/azure-arc", json!({"status": {"phase": "Active"}}));
        self.put("/api/v1/namespaces/azure-arc-release", json!({"status": {"phase": "Active"}}));
        for name in ["connectedclusters.arc.azure.com", "extensionconfigs.clusterconfig.azure.com"] {
            self.put(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"), json!({}));
        }
    }

    fn put_release(&mut self, revision: u32, status: &str) {
        let name = format!("sh.helm.release.v1.azure-arc.v{revision}");
        let labels = json!({"owner": "helm", "name": "azure-arc", "status": status, "version": revision.to_string()});
        let secret = json!({
            "metadata": {"labels": labels},
            "type": "helm.sh/release.v1",
            "data": {"release": "Y29udGVudHMgd2l0aCBhIGtleQ=="},
        });
        self.put(&format!("/api/v1/namespaces/azure-arc-release/secrets/{name}"), secret);
    }

    fn put_clusterconfig(&mut self, subscription: &str, resource_group: &str, name: &str) {
        let data = json!({
            "AZURE_SUBSCRIPTION_ID": subscription,
            "AZURE_RESOURCE_GROUP": resource_group,
            "AZURE_RESOURCE_NAME": name,
        });
        self.put("/api/v1/namespaces/azure-arc/configmaps/azure-clusterconfig", json!({"data": data}));
    }

    /// The revisions of the release that are there.
    fn revisions(&self) -> Vec<String> {
        let is_release = |path: &&String| path.contains("/secrets/sh.helm.release.v1.azure-arc.v");
        self.objects.keys().filter(is_release).cloned().collect()
    }

    /// Brings the cluster to where the stub helm has left it.
    fn follow_helm(&mut self) {
        let marker = |name: &str| self.programs.join(name);
        let (install, uninstall, rollback) = (marker("installed"), marker("uninstalled"), marker("rolled-back"));
        if uninstall.exists() {
            std::fs::remove_file(uninstall).unwrap();
            for path in self.revisions() {
                self.objects.remove(&path);
            }
            self.objects.retain(|path, _| !path.starts_with("/api/v1/namespaces/azure-arc/"));
        }
        let next = u32::try_from(self.revisions().len()).unwrap() + 1;
        if rollback.exists() {
            std::fs::remove_file(rollback).unwrap();
            self.put_release(next, "deployed");
        }
        if let Ok(text) = std::fs::read_to_string(&install) {
            std::fs::remove_file(install).unwrap();
            let values: Value = serde_json::from_str(&text).unwrap();
            let next = u32::try_from(self.revisions().len()).unwrap() + 1;
            self.put_release(next, "deployed");
            self.put_namespaces();
            let text = |name: &str| values["global"][name].as_str().unwrap_or_default().to_owned();
            self.put_clusterconfig(&text("subscriptionId"), &text("resourceGroupName"), &text("resourceName"));
        }
    }

    fn answer(&mut self, method: &Method, path: &str, query: &str, partial: bool, body: &[u8]) -> (u16, Value) {
        if self.forbidden.iter().any(|beginning| format!("{method} {path}").starts_with(beginning)) {
            return status(403, &format!("User \"edge\" cannot do that: {method} {path}"));
        }
        if path == "/openapi/v3" {
            return (200, json!({"paths": {}}));
        }
        if path == "/version" {
            return (
                200,
                json!({"major": "1", "minor": "33", "gitVersion": "v1.33.5+k3s1", "platform": "linux/amd64"}),
            );
        }
        if path.ends_with("/selfsubjectaccessreviews") {
            let mut review: Value = serde_json::from_slice(body).unwrap();
            let asked = &review["spec"]["resourceAttributes"];
            let asked = format!("{} {}", asked["verb"].as_str().unwrap(), asked["resource"].as_str().unwrap());
            review["status"] = json!({"allowed": !self.denied.contains(&asked)});
            return (201, review);
        }
        if let Some(found) = discovery(path) {
            return found;
        }
        match *method {
            Method::GET => match self.objects.get(path) {
                Some(object) => (200, object.clone()),
                None if is_collection(path) => (200, self.list(path, query, partial)),
                None => status(404, &format!("{path} not found")),
            },
            Method::DELETE => {
                let Some(object) = self.objects.get(path).cloned() else {
                    return status(404, &format!("{path} not found"));
                };
                if !self.held.contains(path) {
                    let within = format!("{path}/");
                    self.objects.retain(|other, _| other != path && !other.starts_with(&within));
                }
                (200, object)
            }
            Method::POST => {
                let object = protobuf::object(body);
                let place = format!("{path}/{}", object["metadata"]["name"].as_str().unwrap());
                if self.objects.contains_key(&place) {
                    return status(409, &format!("{place} already exists"));
                }
                self.put(&place, object);
                (201, self.objects[&place].clone())
            }
            Method::PUT | Method::PATCH => {
                // What is applied is JSON, which is YAML.
                let change = protobuf::object(body);
                let was = self.objects.get(path).cloned();
                let mut object = self.objects.get(path).cloned().unwrap_or_default();
                if *method == Method::PUT {
                    object = change;
                } else {
                    json_patch::merge(&mut object, &change);
                }
                self.put(path, object);
                let answer = self.objects[path].clone();
                if query.contains("dryRun=All") {
                    match was {
                        Some(was) => self.objects.insert(path.to_owned(), was),
                        None => self.objects.remove(path),
                    };
                }
                (200, answer)
            }
            _ => status(405, "no such method"),
        }
    }

    /// The objects of a collection, of one namespace or of all.
    fn list(&self, path: &str, query: &str, partial: bool) -> Value {
        let plural = path.rsplit('/').next().unwrap();
        let root = path.strip_suffix(plural).unwrap();
        let is_in = |other: &str| {
            let Some((collection, _)) = other.rsplit_once('/') else { return false };
            collection == path
                || (!root.contains("/namespaces/")
                    && collection.starts_with(&format!("{root}namespaces/"))
                    && collection.ends_with(&format!("/{plural}")))
        };
        let wanted: Vec<(String, String)> = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("labelSelector="))
            .flat_map(|selector| {
                let selector = selector.replace("%3D", "=").replace("%2C", ",");
                let pairs = selector.split(',').filter_map(|pair| pair.split_once('='));
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
            })
            .collect();
        let selected =
            |object: &&Value| wanted.iter().all(|(name, value)| object["metadata"]["labels"][name] == value.as_str());
        let objects = self.objects.iter().filter(|(other, _)| is_in(other)).map(|(_, object)| object).filter(selected);
        let items: Vec<Value> = objects
            .map(|object| if partial { json!({"metadata": object["metadata"]}) } else { object.clone() })
            .collect();
        let (kind, version) = match RESOURCES.iter().find(|row| row.2 == plural) {
            Some((version, kind, ..)) if !partial => (format!("{kind}List"), *version),
            _ => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1"),
        };
        json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items})
    }
}

/// `apiVersion`, kind, plural, whether it is in a namespace.
const RESOURCES: &[(&str, &str, &str, bool)] = &[
    ("v1", "Namespace", "namespaces", false),
    ("v1", "Node", "nodes", false),
    ("v1", "Secret", "secrets", true),
    ("v1", "ConfigMap", "configmaps", true),
    ("v1", "ServiceAccount", "serviceaccounts", true),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
    ("source.toolkit.fluxcd.io/v1", "GitRepository", "gitrepositories", true),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations", true),
];

fn is_collection(path: &str) -> bool {
    RESOURCES.iter().any(|(_, _, plural, _)| path.ends_with(&format!("/{plural}")))
}

/// What is there to be asked for.
fn discovery(path: &str) -> Option<(u16, Value)> {
    let groups = || RESOURCES.iter().filter_map(|row| row.0.split_once('/')).collect::<BTreeSet<(&str, &str)>>();
    if path == "/api" {
        return Some((200, json!({"kind": "APIVersions", "versions": ["v1"]})));
    }
    if path == "/apis" {
        let group = |(group, version): (&str, &str)| {
            let version = json!({"groupVersion": format!("{group}/{version}"), "version": version});
            json!({"name": group, "versions": [version], "preferredVersion": version})
        };
        let groups: Vec<Value> = groups().into_iter().map(group).collect();
        return Some((200, json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})));
    }
    let of = match path.strip_prefix("/apis/") {
        Some(rest) => rest,
        None => path.strip_prefix("/api/")?,
    };
    let is_version = of == "v1" || (path.starts_with("/apis/") && of.split('/').count() == 2);
    if !is_version {
        return None;
    }
    let verbs = ["create", "delete", "get", "list", "patch", "update"];
    let resource = |(_, kind, plural, namespaced): &(&str, &str, &str, bool)| json!({"name": plural, "kind": kind, "namespaced": namespaced, "singularName": "", "verbs": verbs});
    let resources: Vec<Value> = RESOURCES.iter().filter(|row| row.0 == of).map(resource).collect();
    if resources.is_empty() {
        return Some(status(404, "the server could not find the requested resource"));
    }
    Some((200, json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": of, "resources": resources})))
}

fn status(code: u16, message: &str) -> (u16, Value) {
    let reason = match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "AlreadyExists",
        _ => "MethodNotAllowed",
    };
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    (code, body)
}

type Shared = (Arc<Mutex<Stored>>, Arc<Notify>);

async fn answer(State((state, silence)): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let line = format!("{} {}", head.method, head.uri.path());
    let is_silent = state.lock().unwrap().silent.iter().any(|beginning| line.starts_with(beginning));
    if is_silent {
        silence.notify_one();
        std::future::pending::<()>().await;
    }
    if head.uri.path() == "/openapi/v2" {
        // A description of nothing, in the one form that helm asks for. What is not described is not checked.
        let form = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
        return Response::builder().header("content-type", form).body(Body::empty()).unwrap();
    }
    if let Some(query) = head.uri.query().filter(|query| query.contains("watch=")) {
        return watch(&state.lock().unwrap(), head.uri.path(), query);
    }
    let body = to_bytes(body, 4 * 1024 * 1024).await.unwrap();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (code, answer) = if header("authorization") == format!("Bearer {TOKEN}") {
        let partial = header("accept").contains("as=PartialObjectMetadataList");
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        let mut state = state.lock().unwrap();
        state.requests.push(format!("{} {}", head.method, head.uri));
        state.follow_helm();
        state.answer(&head.method, path, query, partial, &body)
    } else {
        status(401, "Unauthorized")
    };
    Response::builder()
        .status(StatusCode::from_u16(code).unwrap())
        .header("content-type", "application/json")
        .body(Body::from(answer.to_string()))
        .unwrap()
}

/// What is there, where it is asked for; then nothing ever happens: who watches sees what came before.
fn watch(state: &Stored, path: &str, query: &str) -> Response {
    let mut events = Vec::new();
    if query.contains("sendInitialEvents=true") {
        let list = state.list(path, query, false);
        events.extend(list["items"].as_array().unwrap().iter().map(|item| json!({"type": "ADDED", "object": item})));
        let row = RESOURCES.iter().find(|row| path.ends_with(&format!("/{}", row.2))).unwrap();
        let end = json!({"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}});
        events.push(json!({"type": "BOOKMARK", "object": {"apiVersion": row.0, "kind": row.1, "metadata": end}}));
    }
    let lines = events.into_iter().map(|event| Ok::<_, std::convert::Infallible>(format!("{event}\n")));
    let stream = futures::StreamExt::chain(futures::stream::iter(lines), futures::stream::pending());
    Response::builder().header("content-type", "application/json").body(Body::from_stream(stream)).unwrap()
}

/// The authority's certificate in PEM form, and what the server shows.
fn certificate() -> (String, ServerConfig) {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "stub cluster CA");
    let authority_key = KeyPair::generate().unwrap();
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let leaf = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (pem, config)
}

struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            // Who does not trust the certificate hangs up.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// The context of the cluster, and others: one user is nobody, one server is gone, one certificate is not trusted, one user
/// signs in by a program.
fn write_kubeconfig(directory: &Path, url: &str, authority: &str) {
    use base64::Engine as _;
    let authority = base64::engine::general_purpose::STANDARD.encode(authority);
    let cluster = |name: &str, server: &str, authority: &str| json!({"name": name, "cluster": {"server": server, "certificate-authority-data": authority}});
    let context =
        |name: &str, cluster: &str, user: &str| json!({"name": name, "context": {"cluster": cluster, "user": user}});
    let program = directory.join("bin/sign-in");
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": program.display().to_string(),
        "interactiveMode": "Never",
    });
    let mut untrusted = cluster("untrusted", url, "");
    untrusted["cluster"].as_object_mut().unwrap().remove("certificate-authority-data");
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "gone",
        "clusters": [cluster("stub", url, &authority), cluster("gone", "https://127.0.0.1:1", &authority), untrusted],
        "users": [
            {"name": "edge", "user": {"token": TOKEN}},
            {"name": "nobody", "user": {"token": "wrong"}},
            {"name": "program", "user": {"exec": exec}},
        ],
        "contexts": [
            context(CONTEXT, "stub", "edge"),
            context("nobody", "stub", "nobody"),
            context("gone", "gone", "edge"),
            context("untrusted", "untrusted", "edge"),
            context("by-program", "stub", "program"),
        ],
    });
    std::fs::write(directory.join("kubeconfig"), kubeconfig.to_string()).unwrap();
}

/// What both programs begin with: they write down how they were called.
const RECORD: &str = r#"#!/bin/sh
set -eu
place='@DIRECTORY@'
program=$(basename "$0")
if [ "$program" = helm ] && [ "${1:-}" = version ]; then
    cat "$place/helm-version"
    exit 0
fi
number=1
while ! mkdir "$place/$program-$number" 2>/dev/null; do number=$((number + 1)); done
record="$place/$program-$number"
cat "/proc/$$/cmdline" > "$record/cmdline"
cat "/proc/$$/environ" > "$record/environ"
cat > "$record/input"
touch "$record/done"
if [ -e "$place/$program-fails" ]; then
    cat "$place/$program-fails" >&2
    exit 1
fi
"#;

/// What helm does then: it leaves word of what it did for the cluster.
const HELM: &str = r#"
case "$1" in
    upgrade) cp "$record/input" "$place/installed.new"; mv "$place/installed.new" "$place/installed" ;;
    uninstall) touch "$place/uninstalled" ;;
    rollback) touch "$place/rolled-back" ;;
    *) echo "the stub helm does not know $1" >&2; exit 2 ;;
esac
echo '{"info":{"status":"deployed"}}'
"#;

const SIGN_IN: &str = r#"#!/bin/sh
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"@TOKEN@"}}'
"#;

fn write_programs(directory: &Path) {
    let bin = directory.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let record = RECORD.replace("@DIRECTORY@", &directory.display().to_string());
    let write = |name: &str, text: &str| {
        let file = bin.join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    write("helm", &format!("{record}{HELM}"));
    write("az", &record);
    write("sign-in", &SIGN_IN.replace("@TOKEN@", TOKEN));
    std::fs::write(directory.join("helm-version"), "v3.20.1").unwrap();
}
