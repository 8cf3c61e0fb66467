//! What no single resource can see: how much a plan changes at once, and whether it is about what it was meant for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::decide::Decision;
use super::{Action, Options, Reason, Refusal};
use crate::graph::{Absence, Graph, Node, Want};
use crate::kinds::Kind;
use crate::model::{Limit, ResourceId};
use crate::spec::Limits;

/// What holds where nobody says anything.
const USUAL: Limit = Limit::Percent(30);

/// How many live configurations there must be for a share to mean something.
const SHARES_FROM: usize = 10;

/// Why the plan as a whole is refused.
pub(super) fn refusals(graph: &Graph, decided: &[(&Node, Decision)], spec: &Value, options: &Options) -> Vec<Refusal> {
    let mut refusals = other_place(graph, decided, spec, options);
    let managed: Vec<&(&Node, Decision)> = decided
        .iter()
        .filter(|(node, decision)| node.kind == Kind::FluxConfiguration && !decision.before.is_null())
        .collect();
    // A template that loses a kustomization takes its workloads off the whole fleet: that is a deletion, too.
    let takes_away = |decision: &Decision| match decision.action {
        Action::Delete | Action::Replace => true,
        Action::Update => decision.removes_kustomizations,
        Action::NoOp | Action::Read | Action::Create => false,
    };
    let deleted = managed.iter().filter(|(_, decision)| takes_away(decision)).count();
    let is_update = |decision: &Decision| decision.action == Action::Update && !takes_away(decision);
    let updated = managed.iter().filter(|(_, decision)| is_update(decision)).count();
    // What the spec itself names to be deleted is wanted just so.
    let unnamed = managed
        .iter()
        .filter(|(_, decision)| decision.action == Action::Delete && decision.reason != Reason::AbsentInSpec);
    refusals.extend(nothing_wanted(graph, unnamed.count(), options));
    let Limits { max_delete, max_update } = graph.policy().limits;
    let most_deleted = options.choices.max_delete.or(max_delete).unwrap_or(USUAL);
    let most_updated = options.choices.max_update.or(max_update).unwrap_or(USUAL);
    let exceeds = |some: usize, limit: Limit| match limit {
        Limit::Percent(_) if managed.len() < SHARES_FROM => false,
        Limit::Percent(_) | Limit::Count(_) => limit.is_exceeded_by(some, managed.len()),
    };
    let delete_flag = format!("`--max-delete {deleted}`");
    let update_flag = format!("`--max-update {updated}`");
    let both = deleted + updated;
    if exceeds(deleted, most_deleted) {
        let what = "deleted, replaced or lose a kustomization";
        refusals.push(too_many("too_many_deletes", deleted, managed.len(), what, most_deleted, &delete_flag));
    }
    if exceeds(updated, most_updated) {
        refusals.push(too_many("too_many_updates", updated, managed.len(), "updated", most_updated, &update_flag));
    }
    // Two halves that each pass are one whole that does not, unless a limit was raised to let all of it pass.
    if !exceeds(deleted, most_deleted)
        && !exceeds(updated, most_updated)
        && [most_deleted, most_updated, USUAL].iter().all(|limit| exceeds(both, *limit))
    {
        let flags = format!("`--max-delete {both}` or `--max-update {both}`");
        refusals.push(too_many("too_many_changes", both, managed.len(), "changed or deleted", USUAL, &flags));
    }
    refusals
}

fn too_many(code: &str, some: usize, all: usize, what: &str, limit: Limit, flag: &str) -> Refusal {
    let share = some * 1000 / all.max(1);
    Refusal {
        code: code.to_owned(),
        address: None,
        message: format!(
            "{some} of {all} live configurations would be {what} ({}.{} %), and the limit is {limit}",
            share / 10,
            share % 10
        ),
        hint: format!("if that is meant, allow it with {flag}"),
    }
}

/// A spec that wants nothing, and deletes.
fn nothing_wanted(graph: &Graph, deleted: usize, options: &Options) -> Option<Refusal> {
    let wants_something = graph.nodes().iter().any(|node| matches!(node.want, Want::Configuration(_)));
    let is_allowed = options.choices.max_delete.is_some();
    (!wants_something && deleted > 0 && !is_allowed).then(|| Refusal {
        code: "nothing_wanted".to_owned(),
        address: None,
        message: format!("the spec wants no configuration at all, and the plan would delete {deleted}"),
        hint: format!("if that is meant, allow it with `--max-delete {deleted}`"),
    })
}

/// A base that is about another tenant, or about a subscription that the spec does not name, is most likely not the base
/// of this spec.
fn other_place(graph: &Graph, decided: &[(&Node, Decision)], spec: &Value, options: &Options) -> Vec<Refusal> {
    let refusal = |code: &str, message: String, hint: &str| Refusal {
        code: code.to_owned(),
        address: None,
        message,
        hint: hint.to_owned(),
    };
    let mut refusals = Vec::new();
    let tenant = |spec: &Value| spec.get("tenant").and_then(Value::as_str).map(str::to_ascii_lowercase);
    if let (Some(wanted), Some(before)) = (tenant(spec), options.base.as_ref().and_then(tenant))
        && wanted != before
    {
        refusals.push(refusal(
            "other_tenant",
            format!("the base is for the tenant {before}, and the spec for {wanted}"),
            "give the base that the spec was made from",
        ));
    }
    let subscription = |id: &ResourceId| id.segment_after("subscriptions").unwrap_or_default().to_ascii_lowercase();
    let is_of_base = |node: &Node| match node.want {
        Want::Absent(Absence::DroppedSinceBase) | Want::Dropped(_) => true,
        Want::Absent(Absence::Declared | Absence::Unmanaged)
        | Want::Registered
        | Want::Group(_)
        | Want::Cluster(..)
        | Want::Extension(..)
        | Want::Configuration(_) => false,
    };
    let named: BTreeSet<String> =
        graph.nodes().iter().filter(|node| !is_of_base(node)).map(|node| subscription(&node.id)).collect();
    let deletes = decided.iter().filter(|(_, decision)| decision.action == Action::Delete);
    let foreign: BTreeSet<String> =
        deletes.map(|(node, _)| subscription(&node.id)).filter(|found| !named.contains(found)).collect();
    if !named.is_empty() && !foreign.is_empty() {
        let names: Vec<&str> = foreign.iter().map(String::as_str).collect();
        refusals.push(refusal(
            "other_subscription",
            format!("the base is about a subscription that the spec does not name any more: {}", names.join(", ")),
            "take down what is there with the spec that declares it: `arcflux destroy -f OLD`",
        ));
    }
    refusals
}
