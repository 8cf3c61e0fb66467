//! Connecting clusters to Azure Arc, connecting them again, and taking the connection away
//! (`../shared/facts/az-cli-behaviour.md` §3).
//!
//! What was seen of a cluster itself refuses and explains; the steps are the same for whoever has not looked, as long as
//! nothing unexpected is there. So a plan can be reviewed where the cluster is out of reach, and applied where it is not.

mod away;
mod words;

use serde_json::{Value, json};

use super::configuration::wanted;
use super::credentials::{Stored, stored};
use super::{Decision, Obstacle, listed, unchanged, wait};
use crate::diff::{clean, compare};
use crate::graph::{Graph, Node, Want, part_of};
use crate::kinds::cluster::{ClusterType, Connectivity, Silence, connection_state, connectivity, since_last_contact};
use crate::kinds::onboarding::{OnboardSpec, Via, Whose};
use crate::kinds::state::{ProvisioningState, provisioning_state};
use crate::kinds::{cluster, extension, flux_configuration};
use crate::model::{ContextReading, LiveState, Missing, Part, Reading, ResourceId, Sight};
use crate::plan::{Action, KnownAgents, Modified, Options, Reason, Step, Until};

/// A cluster that the spec says how to connect, and what is known of it.
pub(super) struct Onboarding<'a> {
    node: &'a Node,
    spec: &'a OnboardSpec,
    /// Azure's record.
    record: Option<&'a Value>,
    /// What looking at the cluster itself gave; `None` where nobody looked.
    context: Option<&'a ContextReading>,
}

/// What is to be done about the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// There is no record: the cluster is connected.
    Connect,
    /// The record is on its way out: the cluster is connected once it is gone.
    ConnectOnceGone,
    /// The record is of no use any more: it goes, and the cluster is connected again.
    ConnectAgain,
    /// The record stays as it is.
    Leave,
}

impl<'a> Onboarding<'a> {
    /// `None` where the spec does not say how to connect the cluster, or the record may not be read.
    pub(super) fn of(node: &'a Node, live: &'a LiveState) -> Option<Self> {
        let spec = node.want.onboarding()?;
        let record = match live.readings.get(&node.id) {
            Some(Reading::Present(body)) => Some(body),
            Some(Reading::Missing(_)) | None => None,
            Some(Reading::Denied(_)) => return None,
        };
        Some(Self { node, spec, record, context: live.contexts.get(&node.id) })
    }

    fn seen(&self) -> Option<&'a Sight> {
        match self.context? {
            ContextReading::Seen(sight) => Some(sight),
            ContextReading::Unreachable(_) => None,
        }
    }

    /// Whose agents are on the cluster, where somebody looked.
    fn whose(&self) -> Option<Whose<'a>> {
        self.seen().map(|sight| Whose::of(sight.agents.as_ref(), &self.node.id))
    }

    fn silence(&self) -> Option<Silence> {
        match connectivity(ClusterType::ConnectedClusters, self.record?) {
            Connectivity::Ready => None,
            Connectivity::NotReady(silence) => Some(silence),
        }
    }

    fn course(&self) -> Course {
        let Some(record) = self.record else { return Course::Connect };
        if let ProvisioningState::InFlight(state) = provisioning_state(record)
            && state.eq_ignore_ascii_case("Deleting")
        {
            return Course::ConnectOnceGone;
        }
        match (self.silence(), self.whose()) {
            (Some(Silence::Expired | Silence::AgentNotInstalled), _) => Course::ConnectAgain,
            // Whoever made the record held the key of its agents; where those are not there, nobody does.
            (
                Some(Silence::NeverConnected),
                Some(Whose::Nobodys | Whose::Unknown | Whose::Others(_) | Whose::Ours { is_deployed: false }),
            ) => Course::ConnectAgain,
            (Some(Silence::NeverConnected), Some(Whose::Ours { is_deployed: true }) | None)
            | (Some(Silence::Offline | Silence::Stopped | Silence::Other(_)) | None, _) => Course::Leave,
        }
    }

    /// Whether everything on the record goes with it.
    fn takes_everything_along(&self) -> bool {
        matches!(self.course(), Course::ConnectAgain | Course::ConnectOnceGone)
    }

    /// What connects the cluster, or connects it again; `None` where its record stays as it is.
    pub(super) fn towards(
        &self,
        graph: &Graph,
        live: &LiveState,
        options: &Options,
    ) -> Result<Option<Decision>, Obstacle> {
        let mut decision = match self.course() {
            Course::Leave => return Ok(None),
            Course::Connect => {
                let mut steps = vec![self.look(KnownAgents::Nobodys)];
                // What is left of another time, when the record is gone.
                if matches!(self.whose(), Some(Whose::Ours { .. } | Whose::Unknown)) {
                    steps = self.clear();
                }
                steps.extend(self.connect(options));
                Decision::create(&self.spec.record().0, steps)
            }
            Course::ConnectOnceGone => {
                let mut steps = vec![self.gone()];
                steps.extend(self.clear());
                steps.extend(self.connect(options));
                let mut decision = Decision::create(&self.spec.record().0, steps);
                decision.precondition = None;
                decision.reason = Reason::OperationInFlight;
                let message =
                    "the record of the cluster is being deleted; apply waits until it is gone, and connects the cluster"
                        .to_owned();
                decision.note(&self.node.address, "operation_in_flight", message);
                decision
            }
            Course::ConnectAgain => self.connect_again(graph, live, options)?,
        };
        self.explain(options, &mut decision);
        self.refuse(live, &mut decision);
        Ok(Some(decision))
    }

    fn connect_again(&self, graph: &Graph, live: &LiveState, options: &Options) -> Result<Decision, Obstacle> {
        let Some(record) = self.record else { return Ok(Decision::nothing(Reason::NotFound)) };
        let before = clean(cluster::RULES, record);
        let after = self.spec.record().0;
        let clear = self.clear();
        let (look, remove) = clear.split_at(1);
        let mut steps = look.to_vec();
        steps.extend([self.delete(), self.gone()]);
        steps.extend_from_slice(remove);
        steps.extend(self.connect(options));
        let mut decision = Decision {
            action: Action::Replace,
            precondition: Some(unchanged(&before)),
            modified: Modified::of(record),
            // Nothing of the old one is kept.
            fields: compare(&json!({}), &after),
            before,
            after,
            steps,
            ..Decision::nothing(Reason::ClusterNotReady)
        };
        let state = connection_state(ClusterType::ConnectedClusters, record);
        let along = self.goes_along(live)?;
        let along = match along.as_slice() {
            [] => String::new(),
            names => format!(", and everything on it: {}", names.join(", ")),
        };
        decision.consequence(
            "record_replaced",
            format!(
                "Azure's record of the cluster ({state}{}) goes{along}. What the spec declares is created again",
                since_last_contact(record)
            ),
        );
        self.refuse_losses(graph, live, &mut decision)?;
        Ok(decision)
    }

    /// What the record has on it, and loses.
    fn goes_along(&self, live: &LiveState) -> Result<Vec<String>, Obstacle> {
        let mut names = Vec::new();
        for (resource_type, word) in
            [(extension::RESOURCE_TYPE, "extension"), (flux_configuration::RESOURCE_TYPE, "flux")]
        {
            let found = listed(&self.node.id, resource_type, live)?;
            names.extend(found.into_iter().map(|(id, _)| format!("{word}/{}", id.name())));
        }
        Ok(names)
    }

    /// What goes along with the record must be in the spec, and everything that the spec does not say of it with it.
    fn refuse_losses(&self, graph: &Graph, live: &LiveState, decision: &mut Decision) -> Result<(), Obstacle> {
        let address = &self.node.address;
        let is_declared = |id: &ResourceId| {
            let part = Part::Configuration(id.name().to_owned());
            part_of(address, part).is_some_and(|address| graph.node(&address).is_some())
                || graph.nodes().iter().any(|node| node.id == *id)
        };
        let mut others = Vec::new();
        for (id, _) in listed(&self.node.id, flux_configuration::RESOURCE_TYPE, live)? {
            if !is_declared(&id) {
                others.push(format!("flux/{}", id.name()));
            }
        }
        for (id, body) in listed(&self.node.id, extension::RESOURCE_TYPE, live)? {
            if !extension::is_flux(body) {
                others.push(format!("extension/{}", id.name()));
            }
        }
        if !others.is_empty() {
            decision.refuse(
                address,
                "others_would_go",
                format!("the record of the cluster would take along what the spec does not declare: {}", others.join(", ")),
                "declare configurations in the spec (`arcflux export` writes what is there), and take other extensions away yourself: they have to be created again after the cluster was connected"
                    .to_owned(),
            );
        }
        let on_it =
            graph.dependants(address).iter().flat_map(|needing| graph.dependants(needing).iter().chain([needing]));
        for node in on_it.filter_map(|address| graph.node(address)) {
            if let (Want::Configuration(spec), Some(live)) = (&node.want, live.body(&node.id))
                && stored(spec, live, &wanted(node, spec).json) == Stored::NotSupplied
            {
                decision.refuse(
                    &node.address,
                    "stored_secret_would_be_lost",
                    "the configuration goes with the record of its cluster, and with it a stored secret that the spec does not give"
                        .to_owned(),
                    "give the secret in the spec, beside the source's `url`".to_owned(),
                );
            }
        }
        Ok(())
    }

    /// The steps from no record to a cluster that talks to Azure.
    fn connect(&self, options: &Options) -> Vec<Step> {
        let Self { node, spec, .. } = self;
        let (id, api_version) = (node.id.clone(), node.api_version.clone());
        let connected = wait(&node.id, &node.api_version, Until::Connected);
        if spec.via == Via::Az {
            return vec![Step::Az { arguments: spec.az_connect(&id), id }, connected];
        }
        let (body, holes) = spec.record();
        vec![
            Step::Connect { id: id.clone(), api_version, body, holes },
            wait(&node.id, &node.api_version, Until::Provisioned),
            Step::InstallAgents { id, context: spec.context.clone(), chart: options.chart, settings: spec.agents() },
            connected,
        ]
    }

    /// The steps that look at the agents on the cluster and take them away. `az` does that itself.
    fn clear(&self) -> Vec<Step> {
        let mut steps = vec![self.look(KnownAgents::Ours)];
        if self.spec.via == Via::Native {
            steps.push(self.remove_agents());
        }
        steps
    }

    fn look(&self, agents: KnownAgents) -> Step {
        Step::Look { id: self.node.id.clone(), context: self.spec.context.clone(), agents }
    }

    fn remove_agents(&self) -> Step {
        Step::RemoveAgents { id: self.node.id.clone(), context: self.spec.context.clone() }
    }

    fn delete(&self) -> Step {
        Step::Delete { id: self.node.id.clone(), api_version: self.node.api_version.clone(), force: false }
    }

    fn gone(&self) -> Step {
        wait(&self.node.id, &self.node.api_version, Until::Gone)
    }
}

/// What is live of a part of a cluster once the cluster was connected again: nothing. `None` where its record stays.
pub(super) fn live_once_connected(node: &Node, graph: &Graph, live: &LiveState) -> Option<LiveState> {
    let on = graph.node(&part_of(&node.address, Part::Itself)?).filter(|on| on.address != node.address)?;
    if !Onboarding::of(on, live)?.takes_everything_along() {
        return None;
    }
    let mut none = LiveState::empty(live.as_of);
    none.readings.insert(on.id.clone(), Reading::Missing(Missing::Itself));
    none.readings
        .insert(node.id.clone(), Reading::Missing(Missing::Parent("the cluster is connected again".to_owned())));
    Some(none)
}
