//! Configurations that must not be there, and the clusters that only they are left of.

use super::configuration::{denied, is_going};
use super::kustomizations::{Live, live_kustomizations, prune_off, removal_consequence};
use super::{Decision, Obstacle, cluster, note_connected, wait};
use crate::graph::{Absence, Node, Want};
use crate::kinds::cluster::ClusterType;
use crate::kinds::flux_configuration::RULES;
use crate::model::{LiveState, Reading};
use crate::plan::{Options, Reason, Step, Until, Workloads};

/// Why a configuration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Everything that the spec declares is taken down.
    Destroyed,
    /// It alone must not be there.
    Unwanted(Absence),
}

impl Why {
    const fn reason(self) -> Reason {
        match self {
            Self::Destroyed => Reason::DestroyRequested,
            Self::Unwanted(Absence::Declared) => Reason::AbsentInSpec,
            Self::Unwanted(Absence::DroppedSinceBase) => Reason::DroppedSinceBase,
            Self::Unwanted(Absence::Unmanaged) => Reason::Unmanaged,
        }
    }
}

pub(super) fn configuration(node: &Node, why: Why, live: &LiveState, options: &Options) -> Result<Decision, Obstacle> {
    let api_version = node.api_version.as_str();
    let body = match live.readings.get(&node.id) {
        Some(Reading::Present(body)) => body,
        Some(Reading::Missing(_)) | None => return Ok(Decision::nothing(Reason::NotFound)),
        // What may not be read may well be there: its extension must not go before it.
        Some(Reading::Denied(message)) => return Err(denied(message)),
    };
    let gone = wait(&node.id, api_version, Until::Gone);
    if options.is_forced(&node.address) {
        let mut decision =
            Decision { reason: why.reason(), ..Decision::force_delete(RULES, &node.id, api_version, body) };
        refuse_protected(node, &mut decision);
        explain_record_alone(&mut decision, &live_kustomizations(body));
        note_connected(node, live, &mut decision);
        return Ok(decision);
    }
    if is_going(body) {
        return Ok(Decision { steps: vec![gone], ..Decision::nothing(Reason::OperationInFlight) });
    }
    let mut decision = Decision { reason: why.reason(), ..Decision::delete(RULES, body, Vec::new()) };
    refuse_protected(node, &mut decision);
    let all: Vec<Live<'_>> = live_kustomizations(body);
    let pruning: Vec<&str> = all.iter().filter(|one| one.prune).map(|one| one.name).collect();
    let keep = match (options.choices.workloads, why) {
        (Some(Workloads::Keep), _) => true,
        (Some(Workloads::Delete), _) | (None, Why::Destroyed) => false,
        (None, Why::Unwanted(_)) => {
            if !pruning.is_empty() {
                decision.refuse(
                    &node.address,
                    "needs_workloads_choice",
                    format!(
                        "deleting the configuration would delete the workloads of {}, because prune is on",
                        pruning.join(", ")
                    ),
                    "say what becomes of them: `--workloads delete`, or `--workloads keep`".to_owned(),
                );
            }
            false
        }
    };
    if keep && !pruning.is_empty() {
        decision.steps.extend(prune_off(node, &decision.before, &pruning));
    }
    decision.steps.push(Step::Delete { id: node.id.clone(), api_version: api_version.to_owned(), force: false });
    decision.steps.push(gone);
    for kustomization in &all {
        removal_consequence(&mut decision, kustomization, keep);
    }
    Ok(decision)
}

/// Says what it means that Azure's record of a configuration alone goes (`../shared/facts/domain.md` §1.4).
fn explain_record_alone(decision: &mut Decision, all: &[Live<'_>]) {
    let names: Vec<&str> = all.iter().map(|one| one.name).collect();
    let applied = match names.as_slice() {
        [] => String::new(),
        names => format!(", and so does everything that {} applied", names.join(", ")),
    };
    decision.consequence(
        "orphaned",
        format!(
            "only Azure's record goes: the configuration's Flux objects stay in the cluster{applied}; where Flux runs, it goes on reconciling them, and Azure does not show it"
        ),
    );
}

/// What the spec protects, or the base did: taking an entry out of a spec must not take its protection along.
fn refuse_protected(node: &Node, decision: &mut Decision) {
    let protects = |want: &Want, whose: &'static str| want.configuration().filter(|spec| spec.protect).map(|_| whose);
    let whose = protects(&node.want, "the spec").or_else(|| protects(node.base.as_ref()?, "the base"));
    if let Some(whose) = whose {
        decision.refuse(
            &node.address,
            "protected",
            format!("{whose} says `protect: true`, and the plan would delete the configuration"),
            "take `protect` out in a change of its own, and the configuration in the next".to_owned(),
        );
    }
}

/// A cluster that only the base has: nothing is asked of it but that it takes the deletions.
pub(super) fn cluster(node: &Node, cluster_type: ClusterType, live: &LiveState) -> Result<Decision, Obstacle> {
    match live.readings.get(&node.id) {
        Some(Reading::Present(body)) => Ok(cluster::connection(node, cluster_type, body)),
        Some(Reading::Missing(_)) | None => Ok(Decision::nothing(Reason::NotFound)),
        Some(Reading::Denied(message)) => Err(cluster::denied(message)),
    }
}
