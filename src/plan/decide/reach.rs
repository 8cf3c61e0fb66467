//! What becomes of a decision about a cluster that does not talk to Azure: the service would keep a change for 48 hours,
//! and the secrets in it for less (`../shared/facts/domain.md` §5).

use super::{Decision, Deferral, wait};
use crate::graph::{Graph, Node};
use crate::kinds::Kind;
use crate::kinds::cluster::{CHANGES_KEPT_HOURS, ClusterType, Connectivity, Silence};
use crate::kinds::cluster::{connection_state, connectivity_at, since_last_contact};
use crate::model::{Address, LiveState, ResourceId};
use crate::plan::{Action, OfflineClusters, Options, Reason, Step, Until};

/// Notes on what an apply would do. What is deferred it does not.
const ON_STEPS: [&str; 2] = ["operation_in_flight", "stored_secret_kept"];

/// `decision`, as the cluster that it is about allows.
pub(super) fn within(node: &Node, live: &LiveState, options: &Options, decision: Decision) -> Decision {
    let Some(cluster) = &node.cluster else { return decision };
    // Azure's record goes without the cluster.
    if decision.is_forced() {
        return decision;
    }
    match (connectivity_at(cluster, live), options.choices.offline) {
        (None | Some(Connectivity::Ready), _) => decision,
        (Some(Connectivity::NotReady(silence)), OfflineClusters::Fail) => {
            refused(&node.address, &silence, &state(cluster, live), decision)
        }
        (Some(Connectivity::NotReady(silence)), OfflineClusters::Skip) => {
            deferred(&silence, &state(cluster, live), decision)
        }
    }
}

/// `Offline, last heard of at …`
fn state(cluster: &ResourceId, live: &LiveState) -> String {
    let (Some(cluster_type), Some(body)) = (ClusterType::of_id(cluster), live.body(cluster)) else {
        return String::new();
    };
    format!("{}{}", connection_state(cluster_type, body), since_last_contact(body))
}

/// `decision` to take something down, which begins with a wait for a cluster that does not talk to Azure: on the way down
/// nothing else waits for it, and what is deleted there would stay `Deleting` (`../shared/facts/domain.md` §2).
pub(super) fn once_connected(node: &Node, graph: &Graph, live: &LiveState, mut decision: Decision) -> Decision {
    let cluster = node.cluster.as_ref().filter(|_| !decision.steps.is_empty() && !decision.is_forced());
    let Some((cluster, cluster_type)) = cluster.and_then(|id| Some((id, ClusterType::of_id(id)?))) else {
        return decision;
    };
    if let Some(Connectivity::NotReady(_)) = connectivity_at(cluster, live) {
        let api_version = graph.api_version(Kind::of_cluster(cluster_type));
        decision.steps.insert(0, wait(cluster, api_version, Until::Connected));
    }
    decision
}

/// What cannot take effect, or would be lost, is not begun.
fn refused(address: &Address, silence: &Silence, state: &str, mut decision: Decision) -> Decision {
    if decision.action == Action::Delete {
        decision.note(
            address,
            "deletion_waits_for_cluster",
            "it is deleted once the cluster talks to Azure; if it never will again, `--force-delete ADDRESS` takes Azure's record alone away, and leaves what is in the cluster"
                .to_owned(),
        );
    }
    let secrets: Vec<String> =
        decision.steps.iter().flat_map(Step::holes).map(|hole| hole.secret.to_string()).collect();
    if !decision.steps.iter().any(Step::writes) {
        return decision;
    }
    if *silence == Silence::Expired {
        decision.refuse(
            address,
            silence.code(),
            format!("the cluster is {state}, and its certificate has expired: what is written never reaches it"),
            format!("{}, or leave it out for now with `--offline skip`", silence.remedy()),
        );
    } else if !secrets.is_empty() {
        decision.refuse(
            address,
            "secret_to_silent_cluster",
            format!(
                "{} would be sent for a cluster that does not fetch it ({state}), and the service keeps secrets for less than {CHANGES_KEPT_HOURS} h",
                secrets.join(", ")
            ),
            format!("{}, or leave the cluster out for now with `--offline skip`", silence.remedy()),
        );
    }
    decision
}

/// Nothing is written, and nothing waited for; what would have been done is told.
fn deferred(silence: &Silence, state: &str, decision: Decision) -> Decision {
    let mut notes = decision.notes;
    notes.retain(|note| !ON_STEPS.contains(&note.code.as_str()));
    if !decision.steps.iter().any(Step::writes) {
        return Decision { steps: Vec::new(), refusals: Vec::new(), notes, ..decision };
    }
    let Decision { id, action, before, unchanged, unknown, drift, modified, .. } = decision;
    Decision {
        id,
        after: before.clone(),
        before,
        unchanged,
        unknown,
        drift,
        modified,
        notes,
        deferred: Some(Deferral { action, reason: silence.code(), message: format!("the cluster is {state}") }),
        ..Decision::nothing(Reason::ClusterNotReady)
    }
}
