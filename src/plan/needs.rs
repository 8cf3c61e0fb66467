//! What one must be allowed to do in Azure to make a plan and to carry it out.

use std::collections::BTreeSet;

use super::{Plan, Step};
use crate::graph::{Graph, Want};
use crate::kinds::cluster::ClusterType;
use crate::kinds::permissions::{GROUP_TYPE, PROVIDER_TYPE};
use crate::model::ResourceId;

/// An action at a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The nearest scope that can be asked: a cluster, a resource group or a subscription.
    pub scope: ResourceId,
    /// The action, as a role definition has it: `Microsoft.KubernetesConfiguration/extensions/write`.
    pub action: String,
}

/// What has to be done with something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Read,
    Write,
    Delete,
    Register,
}

/// Everything that reading for a plan of `graph` needs, and what carrying out `plan` needs beside it: without a plan,
/// what any plan of the graph could.
#[must_use]
pub fn needs(graph: &Graph, plan: Option<&Plan>) -> Vec<Need> {
    let mut needs = BTreeSet::new();
    for read in graph.reads() {
        needs.extend(need(&read.id, Deed::Read));
    }
    let deeds: Vec<(&ResourceId, Deed)> = match plan {
        Some(plan) => plan.resource_changes.iter().flat_map(|change| &change.steps).map(of_step).collect(),
        None => graph.nodes().iter().filter_map(|node| Some((&node.id, of_want(&node.want)?))).collect(),
    };
    for (id, deed) in deeds {
        needs.extend(need(id, deed));
        if matches!(deed, Deed::Write | Deed::Delete) {
            needs.extend(polling(id));
        }
    }
    needs.into_iter().collect()
}

fn of_step(step: &Step) -> (&ResourceId, Deed) {
    let deed = match step {
        Step::Register { .. } => Deed::Register,
        Step::Put { .. } | Step::Patch { .. } | Step::Connect { .. } | Step::Az { .. } => Deed::Write,
        Step::Delete { .. } => Deed::Delete,
        // What is done on a cluster itself takes nothing in Azure.
        Step::Expect { .. }
        | Step::Wait { .. }
        | Step::Look { .. }
        | Step::InstallAgents { .. }
        | Step::RemoveAgents { .. } => Deed::Read,
    };
    (step.id(), deed)
}

/// What may have to be done with something that is wanted so.
const fn of_want(want: &Want) -> Option<Deed> {
    match want {
        Want::Registered => Some(Deed::Register),
        Want::Group(spec) if spec.location.is_some() => Some(Deed::Write),
        Want::Cluster(_, Some(_)) => Some(Deed::Write),
        Want::Group(_) | Want::Cluster(_, None) | Want::Dropped(_) => None,
        Want::Extension(..) | Want::Configuration(_) => Some(Deed::Write),
        Want::Absent(_) => Some(Deed::Delete),
    }
}

fn need(id: &ResourceId, deed: Deed) -> Option<Need> {
    let scope = scope(id)?;
    let action = match (id.resource_type(), deed) {
        (_, Deed::Register) => format!("{}/register/action", id.name()),
        (Some(kind), deed) => format!("{kind}/{}", word(deed)),
        (None, deed) if id.segment_after("resourceGroups").is_some() => format!("{GROUP_TYPE}/{}", word(deed)),
        (None, deed) => format!("{PROVIDER_TYPE}/{}", word(deed)),
    };
    Some(Need { scope, action })
}

const fn word(deed: Deed) -> &'static str {
    match deed {
        Deed::Read => "read",
        Deed::Write => "write",
        Deed::Delete => "delete",
        Deed::Register => "register/action",
    }
}

/// The status of operations on something lies below it, and is read with a permission of its own.
fn polling(id: &ResourceId) -> Option<Need> {
    let kind = id.resource_type().filter(|kind| kind.starts_with("Microsoft.KubernetesConfiguration/"))?;
    Some(Need { scope: scope(id)?, action: format!("{kind}/operations/read") })
}

/// The cluster, the group or the subscription that something is, or lies in.
fn scope(id: &ResourceId) -> Option<ResourceId> {
    let subscription = ResourceId::subscription(id.segment_after("subscriptions")?);
    let Some(group) = id.segment_after("resourceGroups") else { return Some(subscription) };
    let group = subscription.resource_group(group);
    let cluster = ClusterType::of_id(id).and_then(|cluster_type| {
        let resource_type = cluster_type.resource_type();
        let name = id.segment_after(resource_type.rsplit('/').next()?)?;
        group.named_resource(resource_type, name)
    });
    Some(cluster.unwrap_or(group))
}
