//! A cluster in memory, for the engine's tests: helm's work on it is what the simulator hears of.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arcflux::apply::{Chart, Charts, ClusterAccess};
use arcflux::cluster::{AgentKeys, ClusterError, Installation, KeyError, Kubernetes, ObjectName};
use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::model::{Agents, ConnectedAs, ResourceId, Secret, Sight};
use arcflux::plan::ChartFrom;
use arcflux::sim::{self, Simulator};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::sync::Notify;

use crate::sim_fixture::send;

/// The context of the cluster.
pub(crate) const CONTEXT: &str = "store-001";

/// When a process dies: at a step of the world or of a cluster, which is taken all the same.
pub(crate) struct Death {
    passed: AtomicUsize,
    fatal: usize,
    notify: Notify,
}

impl Death {
    pub(crate) fn at(fatal: usize) -> Arc<Self> {
        Arc::new(Self { passed: AtomicUsize::new(0), fatal, notify: Notify::new() })
    }

    pub(crate) fn never() -> Arc<Self> {
        Self::at(usize::MAX)
    }

    async fn pass(&self) {
        if self.passed.fetch_add(1, Ordering::SeqCst) >= self.fatal {
            self.notify.notify_one();
            std::future::pending::<()>().await;
        }
    }

    pub(crate) async fn comes(&self) {
        self.notify.notified().await;
    }
}

/// A transport of a process that dies: the service gets the request, and nobody sees the answer.
pub(crate) struct Dying<T>(pub(crate) T, pub(crate) Arc<Death>);

#[async_trait]
impl<T: Transport> Transport for Dying<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let answer = self.0.send(request).await;
        self.1.pass().await;
        answer
    }
}

/// What goes wrong with the agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Helm gives up, and leaves a failed release behind.
    HelmFails,
    /// They are installed, and never reach Azure.
    NeverHeardOf,
    /// Those of another cluster are installed just before.
    OthersComeFirst,
    /// While helm works, somebody sends the record with another key.
    RecordSentAgain,
}

/// A cluster, as a process reaches it.
pub(crate) struct Site {
    pub(crate) sim: Simulator,
    pub(crate) death: Arc<Death>,
    pub(crate) fault: Option<Fault>,
    /// The values that helm was given.
    pub(crate) values: Mutex<Vec<Value>>,
}

impl Site {
    pub(crate) fn new(sim: &Simulator) -> Self {
        Self { sim: sim.clone(), death: Death::never(), fault: None, values: Mutex::default() }
    }

    pub(crate) fn access(&self) -> ClusterAccess<'_> {
        ClusterAccess { kubernetes: self, keys: &keys, charts: self }
    }
}

/// A new pair each time, in which the private half tells the public one.
fn keys() -> Result<AgentKeys, KeyError> {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let number = MADE.fetch_add(1, Ordering::SeqCst);
    Ok(AgentKeys { public_key: format!("public-{number}"), private_key: Secret::new(format!("hunter2-{number}")) })
}

fn public_key(private: &Secret) -> String {
    private.reveal().replace("hunter2", "public")
}

#[async_trait]
impl Kubernetes for Site {
    async fn helm(&self) -> Result<String, ClusterError> {
        Ok("v3.17.2".to_owned())
    }

    async fn look(&self, context: &str) -> Result<Sight, ClusterError> {
        self.death.pass().await;
        let agents = self.sim.agents(context).map(|agents| {
            let id: ResourceId = agents.cluster.parse().unwrap();
            let part = |key: &str| id.segment_after(key).unwrap().to_owned();
            let connected_as = ConnectedAs {
                subscription: part("subscriptions"),
                resource_group: part("resourceGroups"),
                name: part("connectedClusters"),
            };
            Agents { release: agents.release, connected_as: Some(connected_as) }
        });
        Ok(Sight {
            version: "v1.33.5+k3s1".to_owned(),
            distribution: "k3s".to_owned(),
            infrastructure: "generic".to_owned(),
            has_linux_node: true,
            forbidden: Vec::new(),
            agents,
        })
    }

    async fn object(&self, _: &str, _: &ObjectName) -> Result<Option<Value>, ClusterError> {
        Ok(None)
    }

    async fn install_agents(&self, context: &str, installation: &Installation) -> Result<(), ClusterError> {
        let Installation { chart, values, private_key } = installation;
        assert_eq!(chart, "oci://registry/agents:1");
        self.values.lock().unwrap().push(values.clone());
        let global = |key: &str| values["global"][key].as_str().unwrap();
        let cluster = ResourceId::subscription(global("subscriptionId"))
            .resource_group(global("resourceGroupName"))
            .resource("Microsoft.Kubernetes/connectedClusters", global("resourceName"));
        let agents = |release: &str, public_key: String| sim::Agents {
            release: release.to_owned(),
            cluster: cluster.to_string(),
            public_key,
        };
        self.sim.install_agents(context, agents("pending-install", public_key(private_key)));
        self.death.pass().await;
        match self.fault {
            Some(Fault::HelmFails) => {
                self.sim.install_agents(context, agents("failed", public_key(private_key)));
                let message = "helm: timed out waiting for the condition".to_owned();
                return Err(ClusterError { message, hint: Some("look at the pods".to_owned()) });
            }
            Some(Fault::NeverHeardOf) => self.sim.install_agents(context, agents("deployed", "another".to_owned())),
            Some(Fault::RecordSentAgain) => {
                self.sim.install_agents(context, agents("deployed", public_key(private_key)));
                let body = json!({"location": "westeurope", "properties": {"agentPublicKeyCertificate": "theirs"}});
                let target = format!("{cluster}?api-version=2026-05-01");
                send(&self.sim, "PUT", &target, Some(&body));
            }
            Some(Fault::OthersComeFirst) => panic!("installed over the agents of others"),
            None => self.sim.install_agents(context, agents("deployed", public_key(private_key))),
        }
        self.death.pass().await;
        Ok(())
    }

    async fn remove_agents(&self, context: &str) -> Result<(), ClusterError> {
        self.sim.remove_agents(context);
        self.death.pass().await;
        Ok(())
    }

    async fn az(&self, arguments: &[String]) -> Result<(), ClusterError> {
        panic!("az {arguments:?}")
    }
}

#[async_trait]
impl Charts for Site {
    async fn chart(&self, from: ChartFrom, record: &Value) -> Result<Chart, ClusterError> {
        assert_eq!(from, ChartFrom::Service);
        assert_eq!(record["properties"]["connectivityStatus"], "Connecting");
        if self.fault == Some(Fault::OthersComeFirst) {
            let cluster = record["id"].as_str().unwrap().replace("store-001", "kiosk-7");
            let others = sim::Agents { release: "deployed".to_owned(), cluster, public_key: "other".to_owned() };
            self.sim.install_agents(CONTEXT, others);
        }
        let settings = [
            ("global.resourceName".to_owned(), json!("another")),
            ("systemDefaultValues.azureArcAgents.autoUpdate".to_owned(), json!("True")),
        ];
        let (reference, file) = ("oci://registry/agents:1".to_owned(), Some(json!({"extra": "hunter2-value"})));
        Ok(Chart { reference, settings: settings.into(), file })
    }
}
