//! What the simulator's tests share: a seeded simulator and requests in a line each.

use std::time::Duration;

use arcflux::http::{Request, Response};
use arcflux::sim::{ORIGIN, Seed, SeedCluster, SeedClusterType, SeedGroup, Settings, Simulator};
use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const CLUSTER: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg1/providers/\
                           Microsoft.Kubernetes/connectedClusters/arc1";
pub(crate) const FLUX_VERSION: &str = "2025-04-01";
pub(crate) const EXTENSION_VERSION: &str = "2025-03-01";

/// One group with one connected cluster.
pub(crate) fn seed() -> Seed {
    Seed {
        subscription: SUBSCRIPTION.to_owned(),
        tenant: None,
        groups: vec![SeedGroup { name: "rg1".to_owned(), location: "westeurope".to_owned() }],
        clusters: vec![SeedCluster {
            resource_group: "rg1".to_owned(),
            name: "arc1".to_owned(),
            cluster_type: SeedClusterType::ConnectedClusters,
            location: "westeurope".to_owned(),
        }],
    }
}

pub(crate) fn settings() -> Settings {
    Settings { seeds: vec![seed()], ..Settings::default() }
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Read {
    pub(crate) fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("a JSON body") };
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or(&Value::Null)
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    pub(crate) fn property(&self, name: &str) -> &Value {
        self.at(&format!("/properties/{name}"))
    }
}

pub(crate) fn request(method: &str, target: &str, body: Option<&Value>) -> Request {
    let uri = if target.starts_with("http") { target.to_owned() } else { format!("{ORIGIN}{target}") };
    let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    http::Request::builder().method(method).uri(uri).body(body).expect("a valid request")
}

pub(crate) fn send(sim: &Simulator, method: &str, target: &str, body: Option<&Value>) -> Read {
    Read::of(sim.handle(request(method, target, body)))
}

pub(crate) fn get(sim: &Simulator, target: &str) -> Read {
    send(sim, "GET", target, None)
}

pub(crate) fn flux_target(name: &str) -> String {
    format!(
        "{CLUSTER}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/{name}?api-version={FLUX_VERSION}"
    )
}

pub(crate) fn extension_target(name: &str) -> String {
    format!("{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions/{name}?api-version={EXTENSION_VERSION}")
}

pub(crate) fn register(sim: &Simulator, namespace: &str) {
    let target = format!("/subscriptions/{SUBSCRIPTION}/providers/{namespace}/register?api-version=2024-03-01");
    assert_eq!(send(sim, "POST", &target, None).text("/registrationState"), "Registering");
    sim.advance(Duration::from_secs(31));
}

/// A seeded simulator with the provider registered and Flux installed.
pub(crate) fn with_flux(settings: Settings) -> Simulator {
    let sim = Simulator::in_memory(settings);
    register(&sim, "Microsoft.KubernetesConfiguration");
    let body = json!({"properties": {"extensionType": "microsoft.flux"}, "identity": {"type": "SystemAssigned"}});
    assert_eq!(send(&sim, "PUT", &extension_target("flux"), Some(&body)).status, 201);
    sim.advance(Duration::from_secs(100));
    sim
}

/// A configuration with two kustomizations, the second after the first.
pub(crate) fn configuration() -> Value {
    json!({"properties": {
        "scope": "cluster",
        "namespace": "flux-system",
        "sourceKind": "GitRepository",
        "gitRepository": {"url": "https://github.com/o/r", "repositoryRef": {"branch": "main"}},
        "kustomizations": {
            "infrastructure": {"path": "./infra", "prune": true},
            "app": {"path": "./app", "prune": true, "dependsOn": ["infrastructure"]},
        },
    }})
}

/// The condition of one type on the status of one object.
pub(crate) fn condition<'a>(read: &'a Read, object: &str, kind: &str) -> &'a Value {
    static ABSENT: Value = Value::Null;
    let list = |value: &'a Value| value.as_array().map_or(&[][..], Vec::as_slice);
    list(read.property("statuses"))
        .iter()
        .find(|status| status["name"] == object)
        .and_then(|status| list(&status["statusConditions"]).iter().find(|condition| condition["type"] == kind))
        .unwrap_or(&ABSENT)
}
