//! Clusters: references that must exist, unless the spec says how they are connected.

use std::collections::BTreeSet;

use serde_json::Value;

use super::onboarding::Onboarding;
use super::{Decision, Obstacle, listed, wait};
use crate::graph::{FLUX_V1, Graph, Node, Want};
use crate::kinds::cluster::{
    CHANGES_KEPT_HOURS, ClusterType, Connectivity, Silence, certificate_expiry, connection_state, connectivity,
    is_certificate_old, last_contact, since_last_contact,
};
use crate::kinds::state::{ProvisioningState, provisioning_state};
use crate::kinds::{extension, flux_configuration};
use crate::model::{Address, LiveState, Missing, Reading};
use crate::plan::{Action, Options, Reason, Until};

pub(super) fn towards(
    node: &Node,
    cluster_type: ClusterType,
    graph: &Graph,
    live: &LiveState,
    options: &Options,
) -> Result<Decision, Obstacle> {
    let onboarding = Onboarding::of(node, live);
    if let Some(onboarding) = &onboarding
        && let Some(decision) = onboarding.towards(graph, live, options)?
    {
        return Ok(decision);
    }
    let error = |message: String, hint: String| Err(Obstacle { message, hint });
    let body = match live.readings.get(&node.id) {
        Some(Reading::Present(body)) => body,
        Some(Reading::Denied(message)) => return Err(denied(message)),
        Some(Reading::Missing(_)) if is_group_to_be_created(node, graph, live) => {
            return Ok(missing(node, cluster_type));
        }
        Some(Reading::Missing(_)) | None => {
            return error("the cluster does not exist".to_owned(), how_to_create(node, cluster_type));
        }
    };
    if matches!(provisioning_state(body), ProvisioningState::InFlight(state) if state.eq_ignore_ascii_case("Deleting"))
    {
        return error("the cluster is being deleted".to_owned(), "take it out of the spec".to_owned());
    }
    for resource_type in [extension::RESOURCE_TYPE, flux_configuration::RESOURCE_TYPE] {
        listed(&node.id, resource_type, live)?;
    }
    let mut decision = connection(node, cluster_type, body);
    if let Some(onboarding) = onboarding {
        onboarding.check_what_stays(&mut decision);
    }
    let flux_v1: BTreeSet<&str> = live
        .items(&node.id.collection(FLUX_V1))
        .iter()
        .filter_map(|item| item.get("name").and_then(Value::as_str))
        .collect();
    if !flux_v1.is_empty() {
        decision.refuse(
            &node.address,
            "flux_v1_present",
            format!(
                "Flux v1 configurations are on the cluster, and Flux v2 cannot be beside them: {}",
                Vec::from_iter(flux_v1).join(", ")
            ),
            "delete them first: `az k8s-configuration delete`".to_owned(),
        );
    }
    Ok(decision)
}

/// Whether the spec creates the group that the cluster is to be in.
fn is_group_to_be_created(node: &Node, graph: &Graph, live: &LiveState) -> bool {
    graph.nodes().iter().filter(|other| node.needs.contains(&other.address)).any(|group| {
        matches!(&group.want, Want::Group(spec) if spec.location.is_some())
            && matches!(live.readings.get(&group.id), Some(Reading::Missing(Missing::Itself)))
    })
}

/// A first look, before anything is there: the plan is shown whole, so that it can be reviewed, and refused.
fn missing(node: &Node, cluster_type: ClusterType) -> Decision {
    let mut decision = Decision { action: Action::Read, ..Decision::nothing(Reason::NotFound) };
    decision.refuse(
        &node.address,
        "cluster_missing",
        "the cluster does not exist, and neither does its resource group; nothing can be written to it yet".to_owned(),
        how_to_begin(node, cluster_type),
    );
    decision
}

pub(super) fn denied(message: &str) -> Obstacle {
    Obstacle {
        message: format!("the cluster may not be read: {message}"),
        hint: "ask for the role Reader on the cluster, or sign in as somebody who has it".to_owned(),
    }
}

/// Whether the cluster talks to Azure; apply waits until it does.
pub(super) fn connection(node: &Node, cluster_type: ClusterType, body: &Value) -> Decision {
    let mut decision = Decision { action: Action::Read, ..Decision::nothing(Reason::Reference) };
    explain(&mut decision, &node.address, cluster_type, body);
    if let Connectivity::NotReady(_) = connectivity(cluster_type, body) {
        decision.reason = Reason::ClusterNotReady;
        decision.steps = vec![wait(&node.id, node.api_version.as_str(), Until::Connected)];
    }
    decision
}

/// Clusters stay; what is taken off one that does not talk to Azure stays on it for as long.
pub(super) fn away(
    node: &Node,
    cluster_type: ClusterType,
    live: &LiveState,
    options: &Options,
) -> Result<Decision, Obstacle> {
    let onboarding = Onboarding::of(node, live).map(|onboarding| onboarding.away(live, options)).transpose()?;
    let mut decision = onboarding.flatten().unwrap_or_else(|| Decision::nothing(Reason::Reference));
    if let Some(body) = live.body(&node.id) {
        explain(&mut decision, &node.address, cluster_type, body);
    }
    Ok(decision)
}

/// Says what becomes of what is written to a cluster in this state. Times are ARM's: how long ago they are is not told
/// here, for the same live state makes the same plan.
fn explain(decision: &mut Decision, address: &Address, cluster_type: ClusterType, body: &Value) {
    let expiry = certificate_expiry(body);
    let silence = match connectivity(cluster_type, body) {
        Connectivity::NotReady(silence) => silence,
        Connectivity::Ready => {
            if let (Some(expiry), Some(heard)) = (expiry, last_contact(body))
                && is_certificate_old(body, expiry, heard)
            {
                decision.note(
                    address,
                    "certificate_not_renewed",
                    format!(
                        "the certificate of the cluster's agents expires at {expiry}, and they should have renewed it by now; once it has expired, the cluster has to be deleted and connected again"
                    ),
                );
            }
            return;
        }
    };
    let state = format!("{}{}", connection_state(cluster_type, body), since_last_contact(body));
    let message = match &silence {
        Silence::Offline => {
            let until = expiry
                .map(|expiry| format!(". It can come back by itself until its certificate expires at {expiry}"))
                .unwrap_or_default();
            format!(
                "the cluster is {state}: nothing is written to it until it talks to Azure again. The service would keep a change for {CHANGES_KEPT_HOURS} h only, and then it would have to be applied again{until}"
            )
        }
        Silence::Expired => {
            let when = expiry.map(|expiry| format!(" (at {expiry})")).unwrap_or_default();
            format!(
                "the cluster is {state}: its certificate has expired{when}, so nothing reaches it any more. Delete its record, connect it again, and apply again"
            )
        }
        Silence::NeverConnected => format!(
            "the cluster is {state}, and has never been heard of: nothing is written to it until its agents talk to Azure. If they do not within minutes, `az connectedk8s troubleshoot` looks for the cause"
        ),
        Silence::AgentNotInstalled => format!(
            "the cluster is {state}: there is nobody to take a change up. Connect it with `az connectedk8s connect`"
        ),
        Silence::Stopped => format!(
            "the cluster is {state}: nothing is written to it until somebody starts it. The service would keep a change for {CHANGES_KEPT_HOURS} h only, and then it would have to be applied again"
        ),
        Silence::Other(_) => {
            format!("the cluster is {state}: nothing is written to it until it talks to Azure again")
        }
    };
    decision.note(address, silence.code(), message);
}

/// The way from nothing to a cluster.
fn how_to_begin(node: &Node, cluster_type: ClusterType) -> String {
    let group = node.id.segment_after("resourceGroups").unwrap_or_default();
    let name = node.id.name();
    let then = match cluster_type {
        ClusterType::ConnectedClusters => {
            format!("connect the cluster: `az connectedk8s connect -g {group} -n {name}`")
        }
        ClusterType::ManagedClusters => format!("create the cluster: `az aks create -g {group} -n {name}`"),
    };
    format!("create the group (`arcflux apply --only {group}`), then {then}")
}

fn how_to_create(node: &Node, cluster_type: ClusterType) -> String {
    let group = node.id.segment_after("resourceGroups").unwrap_or_default();
    let name = node.id.name();
    match cluster_type {
        ClusterType::ConnectedClusters => format!(
            "connect it first: `az connectedk8s connect -g {group} -n {name}`, or say how with `onboard` in the spec"
        ),
        ClusterType::ManagedClusters => format!(
            "check its name and resource group (`az aks show -g {group} -n {name}`); arcflux does not create clusters"
        ),
    }
}
