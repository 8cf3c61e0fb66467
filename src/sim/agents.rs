//! The Arc agents on clusters themselves: what `helm` does there, and how Azure hears of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::route::{self, Route};
use super::simulator::Simulator;
use super::state::{Arrival, Cluster};
use super::trouble::Silence;
use super::world::World;

/// The Arc agents on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agents {
    /// Helm's word for the state of their release: `deployed`, `pending-install`…
    pub release: String,
    /// The connected cluster that they speak for: a path below a subscription.
    pub cluster: String,
    /// The public half of the key that they sign in with, as the record of their cluster holds it.
    pub public_key: String,
}

impl Simulator {
    /// The agents on the cluster that is called `name` outside of Azure.
    #[must_use]
    pub fn agents(&self, name: &str) -> Option<Agents> {
        self.read(|state| state.agents.get(name).cloned())
    }

    /// Installs agents on the cluster that is called `name` outside of Azure, over those that are there. Once their
    /// release is `deployed`, Azure hears of the cluster that they speak for, if its record has their key.
    pub fn install_agents(&self, name: &str, agents: Agents) {
        self.disturb_world(|world| {
            world.silence_agents(name);
            let now = world.state.now;
            if let Some(cluster) = world.record_of(&agents.cluster)
                && agents.release == "deployed"
                && has_key(cluster, &agents.public_key)
            {
                cluster.arrival = Arrival::Installed { at: now };
                cluster.silences.retain(|silence| silence.until < Timestamp::MAX);
            }
            world.state.agents.insert(name.to_owned(), agents);
        });
    }

    /// Takes the agents off the cluster that is called `name` outside of Azure. The record of their cluster stays, and
    /// nothing is heard any more.
    pub fn remove_agents(&self, name: &str) {
        self.disturb_world(|world| {
            world.silence_agents(name);
            world.state.agents.remove(name);
        });
    }
}

fn has_key(cluster: &Cluster, public_key: &str) -> bool {
    cluster.properties.get("agentPublicKeyCertificate").and_then(Value::as_str) == Some(public_key)
}

impl World<'_> {
    fn record_of(&mut self, path: &str) -> Option<&mut Cluster> {
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        match route::read(&segments) {
            Route::Cluster(path) => self.cluster_mut(&path).ok(),
            _ => None,
        }
    }

    /// What the agents on a cluster have said so far is all that they say.
    fn silence_agents(&mut self, name: &str) {
        let now = self.state.now;
        let Some(Agents { cluster, public_key, .. }) = self.state.agents.get(name).cloned() else { return };
        let Some(cluster) = self.record_of(&cluster).filter(|cluster| has_key(cluster, &public_key)) else { return };
        match cluster.online_since {
            None => cluster.arrival = Arrival::Awaited,
            Some(_) => cluster.silences.push(Silence { from: now, until: Timestamp::MAX }),
        }
    }
}
