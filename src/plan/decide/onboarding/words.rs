//! What a reviewer is told about connecting a cluster, and what is refused.

use super::Onboarding;
use crate::kinds::cluster::Silence;
use crate::kinds::onboarding::{Via, Whose, regions};
use crate::kinds::resource_group::same_region;
use crate::model::{Agents, ConnectedAs, ContextReading, LiveState, ResourceId, Sight};
use crate::plan::decide::Decision;
use crate::plan::{ChartFrom, Options};

impl Onboarding<'_> {
    /// Says what a reviewer should know. Effects are the same for whoever has not looked; what was seen is a note.
    pub(super) fn explain(&self, options: &Options, decision: &mut Decision) {
        let (spec, address) = (self.spec, &self.node.address);
        let context = &spec.context;
        match spec.via {
            Via::Native => {
                let chart = match options.chart {
                    ChartFrom::Service => "the chart that Azure names",
                    ChartFrom::Local => "the chart that whoever applies gives",
                };
                decision.consequence(
                    "agents_installed",
                    format!(
                        "the Arc agents are installed on the cluster of the context `{context}`, with {chart}: the helm release azure-arc in the namespace azure-arc-release, with rights on the whole cluster"
                    ),
                );
            }
            Via::Az => decision
                .consequence("az_runs", format!("this is run: `az {}`", shell_words(&spec.az_connect(&self.node.id)))),
        }
        match self.context {
            None => decision.note(
                address,
                "not_looked_at",
                format!(
                    "nobody has looked at the cluster of the context `{context}`: with `--allow-cluster`, the plan says whether it can be connected"
                ),
            ),
            Some(ContextReading::Unreachable(_)) => {}
            Some(ContextReading::Seen(sight)) => {
                let Sight { version, distribution, infrastructure, agents, .. } = &**sight;
                let agents = match (agents, self.whose()) {
                    (None, _) => "no Arc agents".to_owned(),
                    (Some(Agents { release, .. }), Some(Whose::Others(_))) => format!("Arc agents ({release})"),
                    (Some(Agents { release, .. }), _) => {
                        format!("Arc agents ({release}), which are taken away first")
                    }
                };
                decision.note(
                    address,
                    "seen",
                    format!(
                        "the cluster of the context `{context}` runs Kubernetes {version}, looks like {distribution} on {infrastructure}, and has {agents}"
                    ),
                );
            }
        }
    }

    /// Refuses to connect what cannot be, or must not.
    pub(super) fn refuse(&self, live: &LiveState, decision: &mut Decision) {
        let (spec, address) = (self.spec, &self.node.address);
        let region = spec.region();
        let registration = self.node.id.segment_after("subscriptions").map(ResourceId::subscription);
        let registration = registration.and_then(|root| live.body(&root.provider("Microsoft.Kubernetes")));
        if let Some(offered) = registration.and_then(regions)
            && !offered.iter().any(|offered| same_region(offered, &region))
        {
            decision.refuse(
                address,
                "location_not_offered",
                format!("Azure keeps no records of connected clusters in {region}"),
                format!("name one of these as `location`: {}", offered.join(", ")),
            );
        }
        let sight = match self.context {
            None => return,
            Some(ContextReading::Unreachable(why)) => {
                return decision.refuse(
                    address,
                    "context_unreachable",
                    format!("the cluster of the context `{}` cannot be looked at: {why}", spec.context),
                    "name the context as `kubectl config get-contexts` does, and the kubeconfig with `--kubeconfig FILE`"
                        .to_owned(),
                );
            }
            Some(ContextReading::Seen(sight)) => sight,
        };
        if let Some(Whose::Others(other)) = self.whose() {
            self.refuse_other(other, decision);
        }
        if !sight.has_linux_node {
            decision.refuse(
                address,
                "no_linux_node",
                "the cluster has no node that runs Linux, and the Arc agents run nowhere else".to_owned(),
                "add a Linux node".to_owned(),
            );
        }
        if !sight.forbidden.is_empty() {
            decision.refuse(
                address,
                "forbidden_on_cluster",
                format!("whoever the context `{}` stands for may not {}", spec.context, sight.forbidden.join(", ")),
                "use a context of somebody who is cluster-admin".to_owned(),
            );
        }
    }

    /// The context reaches another cluster than the one that the spec names.
    pub(super) fn refuse_other(&self, other: &ConnectedAs, decision: &mut Decision) {
        let ConnectedAs { subscription, resource_group, name } = other;
        decision.refuse(
            &self.node.address,
            "context_is_other_cluster",
            format!(
                "the cluster of the context `{}` is connected already, as {name} in {resource_group} of the subscription {subscription}",
                self.spec.context
            ),
            format!(
                "name its own context, or disconnect it first: `az connectedk8s delete -n {name} -g {resource_group} --subscription {subscription}`"
            ),
        );
    }

    /// Adds to the decision about a record that stays whatever the look at the cluster tells.
    pub(in crate::plan::decide) fn check_what_stays(&self, decision: &mut Decision) {
        let (spec, address) = (self.spec, &self.node.address);
        match (self.context, self.silence()) {
            (None, Some(Silence::NeverConnected)) => decision.note(
                address,
                "not_looked_at",
                format!(
                    "nobody has looked at the cluster of the context `{}`: with `--allow-cluster`, the plan says whether its agents are installed, and connects it again where they are not",
                    spec.context
                ),
            ),
            (Some(ContextReading::Unreachable(why)), _) => decision.note(
                address,
                "context_unreachable",
                format!("the cluster of the context `{}` could not be looked at: {why}", spec.context),
            ),
            (Some(ContextReading::Seen(_)) | None, _) => self.refuse_another_cluster(decision),
        }
    }

    /// The cluster of the context must be the one that the record stands for, where somebody looked: agents that speak
    /// for another one, or a record that other agents keep alive, say that it is not.
    pub(super) fn refuse_another_cluster(&self, decision: &mut Decision) {
        let is_known = matches!(self.silence(), None | Some(Silence::Offline | Silence::Other(_)));
        match self.whose() {
            Some(Whose::Others(other)) => self.refuse_other(other, decision),
            Some(Whose::Nobodys | Whose::Unknown) if is_known && self.record.is_some() => decision.refuse(
                &self.node.address,
                "name_taken",
                format!(
                    "{} is the record of another cluster than that of the context `{}`, whose agents do not speak for it",
                    self.node.id.name(),
                    self.spec.context
                ),
                "give the cluster another name, or name the context of the one that is connected".to_owned(),
            ),
            Some(Whose::Nobodys | Whose::Unknown | Whose::Ours { .. }) | None => {}
        }
    }
}

/// Arguments as a shell takes them.
pub(super) fn shell_words(arguments: &[String]) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=,@%+".contains(character);
    let word = |argument: &String| match !argument.is_empty() && argument.chars().all(is_plain) {
        true => argument.clone(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    };
    arguments.iter().map(word).collect::<Vec<_>>().join(" ")
}
