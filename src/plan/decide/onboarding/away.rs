//! Taking the connection away.

use serde_json::Value;

use super::words::shell_words;
use super::{Course, Onboarding};
use crate::kinds::onboarding::{Via, Whose};
use crate::kinds::{cluster, extension};
use crate::model::{ContextReading, LiveState};
use crate::plan::decide::{Decision, Obstacle, listed};
use crate::plan::{Action, KnownAgents, Options, Precondition, Reason, Step};

impl Onboarding<'_> {
    /// What takes the connection away, or says that it stays; `None` where there is nothing to say.
    pub(in crate::plan::decide) fn away(
        &self,
        live: &LiveState,
        options: &Options,
    ) -> Result<Option<Decision>, Obstacle> {
        let address = &self.node.address;
        if !options.choices.disconnect {
            let mut decision = Decision::nothing(Reason::Reference);
            if self.record.is_some() {
                decision.note(
                    address,
                    "stays_connected",
                    "the cluster stays connected to Azure, with its Arc agents; `--disconnect` takes both away"
                        .to_owned(),
                );
                return Ok(Some(decision));
            }
            return Ok(None);
        }
        let mut decision = match self.record {
            Some(record) => self.disconnect(record),
            // Its record is gone; what is left of it on the cluster is not.
            None if matches!(self.whose(), Some(Whose::Ours { .. })) => self.remove_leftovers(),
            None => return Ok(Some(Decision::nothing(Reason::NotFound))),
        };
        let others: Vec<String> = listed(&self.node.id, extension::RESOURCE_TYPE, live)?
            .into_iter()
            .filter(|(_, body)| !extension::is_flux(body))
            .map(|(id, _)| id.name().to_owned())
            .collect();
        if !others.is_empty() {
            decision.refuse(
                address,
                "others_would_go",
                format!(
                    "other extensions are on the cluster, and its record would take them along: {}",
                    others.join(", ")
                ),
                "delete them first: `az k8s-extension delete`".to_owned(),
            );
        }
        match self.context {
            Some(ContextReading::Unreachable(_)) => self.refuse(live, &mut decision),
            // What is being deleted already says nothing of whose it was.
            Some(ContextReading::Seen(_)) if self.course() == Course::ConnectOnceGone => {
                if let Some(Whose::Others(other)) = self.whose() {
                    self.refuse_other(other, &mut decision);
                }
            }
            Some(ContextReading::Seen(_)) => self.refuse_another_cluster(&mut decision),
            None => decision.note(
                address,
                "not_looked_at",
                format!(
                    "nobody has looked at the cluster of the context `{}`: `--allow-cluster` does",
                    self.spec.context
                ),
            ),
        }
        Ok(Some(decision))
    }

    fn remove_leftovers(&self) -> Decision {
        let mut decision = Decision {
            action: Action::Delete,
            steps: vec![self.look(KnownAgents::Ours), self.remove_agents()],
            precondition: Some(Precondition::Absent),
            ..Decision::nothing(Reason::DestroyRequested)
        };
        decision.consequence(
            "disconnected",
            format!(
                "the Arc agents that are left on the cluster of the context `{}` are taken off it",
                self.spec.context
            ),
        );
        decision
    }

    /// In the order of `az`: the record first, then the agents.
    fn disconnect(&self, record: &Value) -> Decision {
        let mut decision = Decision::delete(cluster::RULES, record, Vec::new());
        let is_going = self.course() == Course::ConnectOnceGone;
        let mut steps = vec![self.look(KnownAgents::Ours)];
        match self.spec.via {
            Via::Native => {
                steps.extend((!is_going).then(|| self.delete()));
                steps.extend([self.gone(), self.remove_agents()]);
            }
            Via::Az => {
                let id = self.node.id.clone();
                let arguments = self.spec.az_delete(&id);
                decision.consequence("az_runs", format!("this is run: `az {}`", shell_words(&arguments)));
                steps.extend([Step::Az { id, arguments }, self.gone()]);
            }
        }
        if is_going {
            decision.precondition = None;
        }
        decision.steps = steps;
        decision.consequence(
            "disconnected",
            format!(
                "Azure's record of the cluster goes, and the Arc agents are taken off the cluster of the context `{}`",
                self.spec.context
            ),
        );
        decision
    }
}
