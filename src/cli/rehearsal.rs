//! Clusters for rehearsals: with the embedded simulator, every context reaches one that has nothing on it, until Arc agents
//! are installed there. No kubeconfig is read and no program runs.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::cluster::{AgentKeys, ClusterError, Installation, KeyError, Kubernetes, ObjectName};
use crate::kinds::cluster::ClusterType;
use crate::model::{Agents, ConnectedAs, ResourceId, Secret, Sight};
use crate::sim::{self, Simulator};

/// The clusters of the embedded simulator.
pub(super) struct Rehearsal(pub(super) Simulator);

/// A key pair that is only a name: real ones take a while, and nobody signs in with these.
pub(super) fn keys() -> Result<AgentKeys, KeyError> {
    let name = format!("simulated-{}", uuid::Uuid::new_v4().simple());
    Ok(AgentKeys { public_key: name.clone(), private_key: Secret::new(name) })
}

#[async_trait]
impl Kubernetes for Rehearsal {
    async fn look(&self, context: &str) -> Result<Sight, ClusterError> {
        let agents = self.0.agents(context).map(|found| {
            let id: Option<ResourceId> = found.cluster.parse().ok();
            let part = |key: &str| id.as_ref()?.segment_after(key).map(str::to_owned);
            let speaks_for = || {
                Some(ConnectedAs {
                    subscription: part("subscriptions")?,
                    resource_group: part("resourceGroups")?,
                    name: part("connectedClusters")?,
                })
            };
            Agents { release: found.release, connected_as: speaks_for() }
        });
        Ok(Sight {
            version: "v1.33.1".to_owned(),
            distribution: "generic".to_owned(),
            infrastructure: "generic".to_owned(),
            has_linux_node: true,
            forbidden: Vec::new(),
            agents,
        })
    }

    async fn object(&self, _context: &str, _object: &ObjectName) -> Result<Option<Value>, ClusterError> {
        Ok(None)
    }

    async fn helm(&self) -> Result<String, ClusterError> {
        Ok("v3.17.2 (simulated)".to_owned())
    }

    async fn install_agents(&self, context: &str, installation: &Installation) -> Result<(), ClusterError> {
        let global = |key: &str| installation.values.pointer(&format!("/global/{key}")).and_then(Value::as_str);
        let (Some(subscription), Some(group), Some(name)) =
            (global("subscriptionId"), global("resourceGroupName"), global("resourceName"))
        else {
            return Err(refused("the values of the chart do not say for which cluster the agents speak"));
        };
        self.install(context, &record(subscription, group, name), installation.private_key.reveal());
        Ok(())
    }

    async fn remove_agents(&self, context: &str) -> Result<(), ClusterError> {
        self.0.remove_agents(context);
        Ok(())
    }

    /// Does what `az connectedk8s connect` and `az connectedk8s delete` do.
    async fn az(&self, arguments: &[String]) -> Result<(), ClusterError> {
        let option = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1).map(String::as_str)
        };
        let (Some(subscription), Some(group), Some(name), Some(context)) =
            (option("--subscription"), option("--resource-group"), option("--name"), option("--kube-context"))
        else {
            return Err(refused("`az` is not told which cluster it is about"));
        };
        let id = record(subscription, group, name);
        if arguments.get(1).is_some_and(|verb| verb == "delete") {
            self.send("DELETE", &id, &Value::Null)?;
            self.0.remove_agents(context);
            return Ok(());
        }
        let keys = keys().map_err(|error| refused(&error.to_string()))?;
        let location = option("--location").unwrap_or_default();
        let properties = json!({"agentPublicKeyCertificate": keys.public_key});
        let body = json!({"location": location, "identity": {"type": "SystemAssigned"}, "properties": properties});
        self.send("PUT", &id, &body)?;
        self.install(context, &id, &keys.public_key);
        Ok(())
    }
}

impl Rehearsal {
    fn install(&self, context: &str, cluster: &ResourceId, key: &str) {
        let agents =
            sim::Agents { release: "deployed".to_owned(), cluster: cluster.to_string(), public_key: key.to_owned() };
        self.0.install_agents(context, agents);
    }

    fn send(&self, method: &str, id: &ResourceId, body: &Value) -> Result<(), ClusterError> {
        let version = ClusterType::ConnectedClusters.api_version();
        let request = http::Request::builder().method(method).uri(format!("{}{id}?api-version={version}", sim::ORIGIN));
        let request = request.header("content-type", "application/json").body(body.to_string().into_bytes().into());
        let answer = self.0.handle(request.map_err(|error| refused(&error.to_string()))?);
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(refused(&String::from_utf8_lossy(answer.body()))),
        }
    }
}

fn record(subscription: &str, group: &str, name: &str) -> ResourceId {
    let group = ResourceId::subscription(subscription).resource_group(group);
    group.resource(ClusterType::ConnectedClusters.resource_type(), name)
}

fn refused(why: &str) -> ClusterError {
    ClusterError { message: format!("the simulated cluster: {why}"), hint: None }
}
