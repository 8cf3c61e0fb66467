//! Graph and live state → plan.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decide::{self, Decision, Deferral, Obstacle};
use super::{
    Action, Change, ChartFrom, Consequence, DeferredChange, Delta, Estimate, FORMAT_VERSION, Mode, Note, Plan, Reason,
    Refusal, Step, digest, limits, sensitive, unmanaged,
};
use crate::diff::FieldChange;
use crate::graph::{Graph, Node, Want};
use crate::kinds::Kind;
use crate::model::{Address, Digest, Glob, Limit, LiveState, ResourceId, SecretRef, without_url_secrets};
use crate::spec::UnmanagedPolicy;

/// What a user decides beside the spec.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The ARM endpoint: scheme, host and port.
    pub origin: String,
    /// The tenant that was signed in to, where the token told; else the one that the spec names.
    pub tenant: Option<String>,
    /// The spec as it was before, in its long form: that of the base of the graph.
    pub base: Option<Value>,
    /// Decisions that are part of the plan.
    pub choices: Choices,
    /// Hosts that credentials which stay in place may be used for, beside the live one.
    pub allow_auth_hosts: Vec<String>,
    /// Which secrets may be sent where.
    pub secrets: SecretPolicy,
    /// Where the chart of Arc agents is from.
    pub chart: ChartFrom,
}

impl Options {
    /// Whether the secrets of a resource are sent although nothing else differs. What is planned for only because
    /// something needs it is not asked for.
    pub(super) fn resends_secrets(&self, address: &Address) -> bool {
        self.choices.resend_secrets && is_selected(address, &self.choices.only)
    }

    /// Whether Azure's record alone is taken away, where the resource goes.
    pub(super) fn is_forced(&self, address: &Address) -> bool {
        self.choices.force_delete.contains(address)
    }
}

/// Decisions that are part of the plan: they shape its steps, and are made again when a saved plan is. What a secret or
/// a credential may be used for is not among them: whoever applies says that anew.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Choices {
    /// The addresses to plan for, with what they need (to destroy: with what needs them); all where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Glob>,
    /// How far an apply waits.
    pub wait: WaitFor,
    /// What becomes of workloads whose kustomization or configuration goes away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workloads: Option<Workloads>,
    /// Whether a configuration may be deleted and created again.
    pub allow_replace: bool,
    /// What becomes of changes on clusters that do not talk to Azure.
    pub offline: OfflineClusters,
    /// Whether the secrets that the spec gives are sent although nothing else differs.
    pub resend_secrets: bool,
    /// What is taken out of Azure alone, by its exact address, for clusters that never come back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub force_delete: Vec<Address>,
    /// Whether a destruction disconnects the clusters, too, that the spec says how to connect.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disconnect: bool,
    /// How many live configurations may be deleted, replaced, or lose a kustomization, instead of what the spec says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_delete: Option<Limit>,
    /// How many live configurations may be updated, instead of what the spec says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_update: Option<Limit>,
}

/// What becomes of changes on clusters that do not talk to Azure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfflineClusters {
    /// They are planned, and an apply fails at them.
    #[default]
    Fail,
    /// They are deferred: listed, and left for another time.
    Skip,
}

/// How far an apply waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// Only where something else needs the end of an operation.
    Nothing,
    /// Until ARM's operations have ended.
    Provisioned,
    /// Until Flux has reconciled every configuration.
    #[default]
    Compliant,
}

/// What becomes of workloads that a kustomization with prune on applied, when it goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Workloads {
    /// Flux deletes them.
    Delete,
    /// They stay: prune is switched off first.
    Keep,
}

/// Which secrets may be sent where.
#[derive(Debug, Clone, PartialEq)]
pub enum SecretPolicy {
    /// Placeholders are sent: nothing real is read, so anything goes. For the simulator.
    Placeholders,
    /// Only these.
    Granted(Vec<SecretGrant>),
}

/// One allowed pair: `env:NAME@https://host`, `file:PATH@https://host`, `env:NAME@rg/cluster/flux/config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretGrant {
    /// The secret.
    pub secret: SecretRef,
    /// A server (scheme, host, port) or the address of a configuration or extension.
    pub destination: String,
}

/// Why there is no plan: the world is not one in which the spec could become true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address}: {message}")]
pub struct PlanError {
    /// What it is about.
    pub address: Address,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Plans what brings the live state to what the spec says.
///
/// `spec` is the long form, kept in the plan so that a saved plan can be made again.
///
/// # Errors
///
/// Every [`PlanError`] there is.
pub fn make(graph: &Graph, live: &LiveState, spec: &Value, options: &Options) -> Result<Plan, Vec<PlanError>> {
    let selected = select(graph, Mode::Apply, &options.choices.only);
    match graph.policy().unmanaged {
        UnmanagedPolicy::Report => apply(graph, &selected, live, spec, options),
        UnmanagedPolicy::Delete => {
            let is_asked_for = |address: &Address| is_selected(address, &options.choices.only);
            let found = unmanaged::on_clusters_of(&selected, graph, live);
            let (unwanted, bodies) = unmanaged::to_be_deleted(found, &selected, is_asked_for);
            let mut live = live.clone();
            live.readings.extend(bodies);
            apply(graph, &selected.with(unwanted), &live, spec, options)
        }
    }
}

fn apply(
    graph: &Graph,
    selected: &Graph,
    live: &LiveState,
    spec: &Value,
    options: &Options,
) -> Result<Plan, Vec<PlanError>> {
    let decided = decide_all(selected, |node| decide::towards(node, selected, live, options))?;
    let limits = limits::refusals(graph, &decided, spec, options);
    let mut plan = assemble(Mode::Apply, graph, selected, live, spec, options, decided);
    plan.refusals.extend(limits);
    plan.seal();
    Ok(plan)
}

/// Plans what takes down everything that the spec declares on its clusters: configurations, then the extension. The
/// clusters, their groups and the registrations stay.
///
/// # Errors
///
/// Every [`PlanError`] there is.
pub fn destroy(graph: &Graph, live: &LiveState, spec: &Value, options: &Options) -> Result<Plan, Vec<PlanError>> {
    let selected = select(graph, Mode::Destroy, &options.choices.only);
    let decided = decide_all(&selected, |node| decide::away(node, &selected, live, options))?;
    let mut plan = assemble(Mode::Destroy, graph, &selected, live, spec, options, decided);
    plan.resource_changes.reverse();
    plan.seal();
    Ok(plan)
}

/// The nodes to plan for: on the way up, what is asked for and what that needs; on the way down, what is asked for and
/// what needs that.
fn select(graph: &Graph, mode: Mode, only: &[Glob]) -> Graph {
    match mode {
        Mode::Apply | Mode::Destroy if only.is_empty() => graph.clone(),
        Mode::Apply => graph.select(|address| is_selected(address, only)),
        Mode::Destroy => graph.select_dependants(|address| is_selected(address, only)),
    }
}

fn is_selected(address: &Address, only: &[Glob]) -> bool {
    only.is_empty() || only.iter().any(|glob| glob.matches(&address.to_string()))
}

fn decide_all(
    graph: &Graph,
    decide: impl Fn(&Node) -> Result<Decision, Obstacle>,
) -> Result<Vec<(&Node, Decision)>, Vec<PlanError>> {
    let mut decided = Vec::new();
    let mut errors = Vec::new();
    // What stands in the way of a cluster stands in the way of everything on it, and is told once.
    let mut closed: Vec<&ResourceId> = Vec::new();
    for node in graph.nodes() {
        match decide(node) {
            Ok(decision) => decided.push((node, decision)),
            Err(_) if node.cluster.as_ref().is_some_and(|cluster| closed.contains(&cluster)) => {}
            Err(Obstacle { message, hint }) => {
                errors.push(PlanError { address: node.address.clone(), message, hint });
                if matches!(node.want, Want::Cluster(..)) {
                    closed.push(&node.id);
                }
            }
        }
    }
    if errors.is_empty() { Ok(decided) } else { Err(errors) }
}

fn assemble(
    mode: Mode,
    graph: &Graph,
    selected: &Graph,
    live: &LiveState,
    spec: &Value,
    options: &Options,
    decided: Vec<(&Node, Decision)>,
) -> Plan {
    let masked = |fields: Vec<FieldChange>| fields.into_iter().map(sensitive::masked_change).collect();
    let mut refusals: Vec<Refusal> = Vec::new();
    let mut notes: Vec<Note> = Vec::new();
    let mut changes: Vec<Change> = Vec::new();
    let mut deferred: Vec<DeferredChange> = Vec::new();
    refusals.extend(not_to_be_deleted(&decided, options));
    for (node, decision) in decided {
        let is_forced = decision.steps.iter().any(Step::is_forced);
        let needs = match mode {
            // Azure's record goes without the cluster and what else is on it.
            Mode::Apply if is_forced => Vec::new(),
            Mode::Apply => node.needs.clone(),
            Mode::Destroy => selected.dependants(&node.address).to_vec(),
        };
        let Decision {
            id,
            action,
            reason,
            before,
            after,
            replace_paths,
            fields,
            ignored,
            drift,
            modified,
            unchanged,
            ..
        } = decision;
        // Services and controllers quote the URLs that they fail at.
        refusals.extend(decision.refusals.into_iter().map(|refusal| Refusal {
            message: without_url_secrets(&refusal.message),
            hint: without_url_secrets(&refusal.hint),
            ..refusal
        }));
        notes.extend(
            decision.notes.into_iter().map(|note| Note { message: without_url_secrets(&note.message), ..note }),
        );
        deferred.extend(decision.deferred.map(|Deferral { action, reason, message }| DeferredChange {
            address: node.address.clone(),
            kind: node.kind,
            actions: action,
            reason: reason.to_owned(),
            message: without_url_secrets(&message),
        }));
        let bound = digest::bound(&node.address, action, &decision.steps, decision.precondition.as_ref());
        changes.push(Change {
            address: node.address.clone(),
            id: id.unwrap_or_else(|| node.id.clone()),
            kind: node.kind,
            api_version: node.api_version.clone(),
            change: Delta {
                actions: action,
                before: sensitive::masked(&before),
                after: sensitive::masked(&after),
                replace_paths,
            },
            action_reason: reason,
            modified: modified.filter(|_| !fields.is_empty() || !drift.is_empty()),
            fields: masked(fields),
            ignored: masked(ignored),
            drift: masked(drift),
            unchanged,
            secrets: decision.secrets,
            consequences: decision
                .consequences
                .into_iter()
                .map(|one| Consequence { message: without_url_secrets(&one.message), ..one })
                .collect(),
            needs,
            cluster: node.cluster.clone(),
            steps: decision.steps,
            precondition: decision.precondition,
            fingerprint: Digest::of(&bound).hex().to_owned(),
        });
    }
    let mut plan = Plan {
        format_version: FORMAT_VERSION.to_owned(),
        arcflux_version: env!("CARGO_PKG_VERSION").to_owned(),
        origin: options.origin.clone(),
        tenant: options.tenant.clone(),
        mode,
        choices: options.choices.clone(),
        timestamp: None,
        digest: digest::plan_digest(&options.origin, options.tenant.as_deref(), mode, &options.choices, &[], &[], &[]),
        applyable: false,
        estimate: None,
        ages: Vec::new(),
        resource_changes: changes,
        deferred_changes: deferred,
        refusals,
        notes,
        unmanaged: unmanaged::listed(unmanaged::on_clusters_of(selected, graph, live)),
        spec: spec.clone(),
        spec_source: None,
        base: options.base.clone(),
    };
    plan.seal();
    plan
}

/// What is named to be taken out of Azure alone, and is not deleted by this plan. What is gone by now may be named: a plan
/// is made again until nothing is left.
fn not_to_be_deleted(decided: &[(&Node, Decision)], options: &Options) -> Vec<Refusal> {
    let is_met = |(node, decision): &(&Node, Decision)| {
        let can_go = matches!(node.kind, Kind::Extension | Kind::FluxConfiguration);
        let is_gone = can_go && decision.action == Action::NoOp && decision.reason == Reason::NotFound;
        is_gone || decision.steps.iter().any(Step::is_forced)
    };
    let unmet = options
        .choices
        .force_delete
        .iter()
        .filter(|address| !decided.iter().any(|one| one.0.address == **address && is_met(one)));
    let deleted: Vec<String> = decided
        .iter()
        .filter(|(_, decision)| decision.action == Action::Delete)
        .map(|(node, _)| node.address.to_string())
        .collect();
    let what = match deleted.as_slice() {
        [] => "it deletes nothing".to_owned(),
        few @ ([_] | [_, _] | [_, _, _]) => format!("it deletes {}", few.join(", ")),
        [one, two, three, more @ ..] => format!("it deletes {one}, {two}, {three} and {} more", more.len()),
    };
    unmet
        .map(|address| Refusal {
            code: "not_to_be_deleted".to_owned(),
            address: Some(address.clone()),
            message: format!("`--force-delete {address}` names something that this plan does not delete; {what}"),
            hint: "name what the plan deletes, by its exact address, or leave `--force-delete` out".to_owned(),
        })
        .collect()
}

impl Plan {
    /// Computes what follows from the changes: the digest, whether an apply may start, and what it takes.
    fn seal(&mut self) {
        self.estimate = Estimate::of(&self.resource_changes);
        self.digest = self.computed_digest();
        self.applyable = self.refusals.is_empty() && self.waits();
    }

    /// The digest of the plan as it stands. A saved plan whose own digest differs was tampered with.
    #[must_use]
    pub fn computed_digest(&self) -> Digest {
        let bound: Vec<(&Address, &str)> = self
            .resource_changes
            .iter()
            .filter(|change| change.change.actions != Action::NoOp && change.change.actions != Action::Read)
            .map(|change| (&change.address, change.fingerprint.as_str()))
            .collect();
        let deferred: Vec<_> = self.deferred_changes.iter().map(|one| (&one.address, one.actions)).collect();
        let Self { origin, mode, choices, refusals, .. } = self;
        digest::plan_digest(origin, self.tenant.as_deref(), *mode, choices, &bound, &deferred, refusals)
    }
}
