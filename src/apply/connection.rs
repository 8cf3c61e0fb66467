//! What is done to a cluster itself when it is connected to Azure Arc, or taken off it: the steps that reach the cluster,
//! and the record that is sent with a key made for it (`../shared/facts/az-cli-behaviour.md` §3).

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use super::change::{Progress, Runner};
use super::failures::{failure, interrupted, moved};
use super::standing::CONNECTED_BY_OTHERS;
use crate::arm::{Cloud, azure_environment};
use crate::cluster::{
    AgentFacts, AgentKeys, AgentProxy, ClusterError, Installation, KeyError, Kubernetes, agent_values,
};
use crate::kinds::onboarding::{self, AgentSettings, ClusterHole, ClusterValue, ProxySpec, Whose};
use crate::model::{Agents, ConnectedAs, ResourceId, Secret, Sight};
use crate::plan::{Action, ChartFrom, Failure, KnownAgents};

/// What reaches clusters themselves. An apply of a plan that does not reach any needs none.
pub struct ClusterAccess<'a> {
    /// The clusters.
    pub kubernetes: &'a dyn Kubernetes,
    /// Makes the key pair of a cluster's agents.
    pub keys: &'a (dyn Fn() -> Result<AgentKeys, KeyError> + Sync),
    /// Gives the chart of the agents.
    pub charts: &'a dyn Charts,
}

/// The chart of the Arc agents.
#[async_trait]
pub trait Charts: Send + Sync {
    /// The chart to install, for the cluster with this live record.
    async fn chart(&self, from: ChartFrom, record: &Value) -> Result<Chart, ClusterError>;
}

/// A chart, and what its values come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// A directory, an archive, or `oci://REGISTRY/PATH:VERSION`.
    pub reference: String,
    /// The values that the service gives, by their path.
    pub settings: BTreeMap<String, Value>,
    /// The values that whoever applies gives: a mapping.
    pub file: Option<Value>,
}

/// What is known of a cluster itself, and of its agents' key, while it is being connected.
#[derive(Default)]
pub(super) struct Connection {
    sight: Option<Sight>,
    /// In memory only: when the run ends, nobody has the private half but the agents.
    keys: Option<AgentKeys>,
}

impl Connection {
    /// The public half of the key that was made.
    pub(super) fn public_key(&self) -> Option<&str> {
        self.keys.as_ref().map(|keys| keys.public_key.as_str())
    }

    /// `body` with everything in it that is only known now.
    pub(super) fn fill(&self, body: &Value, holes: &[ClusterHole]) -> Value {
        let mut filled = body.clone();
        for ClusterHole { path, value } in holes {
            let sight = self.sight.as_ref();
            let found = match value {
                ClusterValue::PublicKey => self.public_key(),
                ClusterValue::Distribution => sight.map(|sight| sight.distribution.as_str()),
                ClusterValue::Infrastructure => sight.map(|sight| sight.infrastructure.as_str()),
            };
            if let Some(found) = found {
                path.set(&mut filled, Value::from(found));
            }
        }
        filled
    }
}

impl Runner<'_> {
    fn clusters(&self) -> Result<&ClusterAccess<'_>, Failure> {
        self.settings.clusters.ok_or_else(|| {
            failure("cluster_not_allowed", "not done: clusters themselves may not be touched".to_owned(), None)
        })
    }

    /// Looks at the cluster and at its record, and goes on only when both are as the plan knows them.
    pub(super) async fn look_at_cluster<'p>(
        &self,
        id: &'p ResourceId,
        context: &str,
        known: KnownAgents,
        progress: &mut Progress<'p>,
    ) -> Result<(), Failure> {
        let looked = self.unless_interrupted(self.clusters()?.kubernetes.look(context)).await;
        let sight = looked.ok_or_else(|| interrupted("the cluster was not looked at"))?;
        let sight = sight.map_err(|error| not_done(error, "cluster_unreachable"))?;
        let connects = progress.change.change.actions != Action::Delete;
        if let Some(what) = unexpected(&sight, id, known, connects) {
            return Err(moved(&what));
        }
        progress.connection.sight = Some(sight);
        if let Some(precondition) = progress.change.precondition.as_ref().filter(|_| !progress.wrote) {
            let live = self.read(id, &progress.change.api_version, progress).await?;
            if let Some(violation) = precondition.violation(progress.change.kind, live.as_ref()) {
                return Err(moved(&violation));
            }
            progress.live = Some((id, live));
        }
        Ok(())
    }

    /// Makes the key pair of the agents, which is the first thing that the record needs.
    pub(super) fn make_keys(&self, progress: &mut Progress<'_>) -> Result<(), Failure> {
        if progress.connection.keys.is_none() {
            let keys = (self.clusters()?.keys)();
            let keys = keys.map_err(|error| failure("no_key", format!("not connected: {error}"), None))?;
            progress.connection.keys = Some(keys);
        }
        Ok(())
    }

    /// Installs the agents with the key that belongs to the record.
    pub(super) async fn install_agents<'p>(
        &self,
        id: &'p ResourceId,
        context: &str,
        from: ChartFrom,
        settings: &AgentSettings,
        progress: &mut Progress<'p>,
    ) -> Result<(), Failure> {
        let clusters = self.clusters()?;
        if self.settings.interrupt.is_requested() {
            return Err(interrupted("the agents were not installed"));
        }
        let Some(keys) = &progress.connection.keys else {
            return Err(failure("no_key", "the agents were not installed: their key was not made".to_owned(), None));
        };
        let record = self.own_record(id, progress).await?;
        self.tell_of_wait(progress, "the agents", "helm installs the agents");
        let chart = clusters.charts.chart(from, &record).await;
        let chart = chart.map_err(|error| not_done(error, "no_chart"))?;
        // Minutes may have passed since the plan's look: nobody else's agents are installed over.
        self.look_again(id, context, true).await?;
        let values = self.values(id, settings, &record, &chart, &progress.connection);
        let private_key = Secret::new(keys.private_key.reveal().to_owned());
        let installation = Installation { chart: chart.reference, values, private_key };
        progress.wrote = true;
        let done = clusters.kubernetes.install_agents(context, &installation).await;
        progress.live = None;
        done.map_err(|error| not_done(error, "agents_not_installed"))?;
        // Helm takes minutes, in which another run may have sent a record with another key: then these agents are nobody's.
        self.own_record(id, progress).await.map(|_| ())
    }

    /// The record, as long as it is the one whose key is ours.
    async fn own_record(&self, id: &ResourceId, progress: &Progress<'_>) -> Result<Value, Failure> {
        let record = self.read(id, &progress.change.api_version, progress).await?;
        let Some(record) = record else { return Err(moved("the record of the cluster does not exist any more")) };
        match onboarding::public_key(&record) == progress.connection.public_key() {
            true => Ok(record),
            false => Err(moved(CONNECTED_BY_OTHERS)),
        }
    }

    /// Looks once more, just before something is done on the cluster that could be another one's.
    async fn look_again(&self, id: &ResourceId, context: &str, connects: bool) -> Result<(), Failure> {
        let sight = self.clusters()?.kubernetes.look(context).await;
        let sight = sight.map_err(|error| not_done(error, "cluster_unreachable"))?;
        match unexpected(&sight, id, KnownAgents::Ours, connects) {
            Some(what) => Err(moved(&what)),
            None => Ok(()),
        }
    }

    /// The values of the agents' chart.
    fn values(
        &self,
        id: &ResourceId,
        settings: &AgentSettings,
        record: &Value,
        chart: &Chart,
        connection: &Connection,
    ) -> Value {
        let AgentSettings { location, distribution, infrastructure, proxy, private_link } = settings;
        let part = |key: &str| id.segment_after(key).unwrap_or_default();
        let found = |sight: fn(&Sight) -> &str| connection.sight.as_ref().map(sight).unwrap_or_default();
        let origin = self.arm.origin().to_string();
        let cloud = Cloud::ALL.into_iter().find(|cloud| cloud.endpoint() == origin).unwrap_or(Cloud::Public);
        let facts = AgentFacts {
            subscription: part("subscriptions"),
            resource_group: part("resourceGroups"),
            name: id.name(),
            location,
            // The identity of the record is one of the tenant of its subscription.
            tenant: record.pointer("/identity/tenantId").and_then(Value::as_str).unwrap_or_default(),
            azure_environment: azure_environment(cloud),
            distribution: distribution.as_deref().unwrap_or_else(|| found(|sight| &sight.distribution)),
            infrastructure: infrastructure.as_deref().unwrap_or_else(|| found(|sight| &sight.infrastructure)),
            proxy: proxy.as_ref().map(|ProxySpec { https, http, skip_range, cert }| AgentProxy {
                https: https.as_deref(),
                http: http.as_deref(),
                skip_range: skip_range.as_deref(),
                certificate: cert.as_deref(),
            }),
            private_link: *private_link,
        };
        agent_values(&facts, &chart.settings, chart.file.as_ref())
    }

    /// Takes the agents off the cluster.
    pub(super) async fn remove_agents(
        &self,
        id: &ResourceId,
        context: &str,
        progress: &mut Progress<'_>,
    ) -> Result<(), Failure> {
        let clusters = self.clusters()?;
        if self.settings.interrupt.is_requested() {
            return Err(interrupted("the agents were not taken off the cluster"));
        }
        self.look_again(id, context, false).await?;
        self.tell_of_wait(progress, "the agents to go", "helm takes the agents away");
        progress.wrote = true;
        let done = clusters.kubernetes.remove_agents(context).await;
        // It takes minutes, in which others may write.
        progress.live = None;
        done.map_err(|error| not_done(error, "agents_not_removed"))
    }

    /// Runs `az`.
    pub(super) async fn run_az(&self, arguments: &[String], progress: &mut Progress<'_>) -> Result<(), Failure> {
        let clusters = self.clusters()?;
        if self.settings.interrupt.is_requested() {
            return Err(interrupted("`az` was not run"));
        }
        self.tell_of_wait(progress, "az", "az is at work");
        progress.wrote = true;
        let done = clusters.kubernetes.az(arguments).await;
        progress.written = Some(self.arm.now());
        progress.live = None;
        done.map_err(|error| not_done(error, "az_failed"))
    }
}

/// What of a cluster does not let it be connected, or is not what the plan knows of.
fn unexpected(sight: &Sight, cluster: &ResourceId, known: KnownAgents, connects: bool) -> Option<String> {
    if let Whose::Others(ConnectedAs { subscription, resource_group, name }) = Whose::of(sight.agents.as_ref(), cluster)
    {
        return Some(format!(
            "its context reaches a cluster that is connected as {name} in {resource_group} of the subscription {subscription}"
        ));
    }
    match (&sight.agents, known) {
        (Some(Agents { release, .. }), KnownAgents::Nobodys) => {
            Some(format!("there are Arc agents on the cluster now ({release})"))
        }
        (None, KnownAgents::Nobodys) | (_, KnownAgents::Ours) if connects && !sight.has_linux_node => {
            Some("no node of the cluster runs Linux".to_owned())
        }
        (None, KnownAgents::Nobodys) | (_, KnownAgents::Ours) => None,
    }
}

fn not_done(error: ClusterError, code: &str) -> Failure {
    failure(code, error.message, error.hint)
}
