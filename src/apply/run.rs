//! When a change may start: what it needs is done, and its cluster is free.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::Mutex;

use super::change::{End, Runner, Work};
use super::polling::OpenWaits;
use super::{Interrupt, Secrets, Timeouts};
use crate::arm::ArmClient;
use crate::model::{Address, ResourceId};
use crate::plan::{ApplyReport, Change, Event, EventKind, Outcome, Plan, ResourceOutcome};

/// How an apply runs.
pub struct Settings<'a> {
    /// How many changes are under way at once, waits included. Without a limit, ARM's own are what bounds them.
    pub parallelism: Option<usize>,
    /// How long waits may take.
    pub timeouts: Timeouts,
    /// The values of the plan's secrets.
    pub secrets: &'a Secrets,
    /// Receives what happens.
    pub events: &'a (dyn Fn(Event) + Sync),
    /// The wish to stop.
    pub interrupt: &'a Interrupt,
}

/// Carries out `plan`, which must be applyable. Resources that need nothing from each other go side by side; one that
/// needs a failed one is skipped, and the rest goes on.
pub async fn run(plan: &Plan, arm: &ArmClient, settings: &Settings<'_>) -> ApplyReport {
    let clusters: BTreeMap<&ResourceId, Arc<Mutex<()>>> = plan
        .resource_changes
        .iter()
        .filter_map(|change| Some((change.cluster.as_ref()?, Arc::new(Mutex::new(())))))
        .collect();
    let planned: BTreeMap<&Address, &Change> =
        plan.resource_changes.iter().map(|change| (&change.address, change)).collect();
    let runner = Runner { arm, settings, plan, waits: OpenWaits::default() };
    let mut waiting: Vec<&Change> = plan.resource_changes.iter().collect();
    let mut outcomes: BTreeMap<&Address, Outcome> = BTreeMap::new();
    let mut ends: BTreeMap<&Address, End> = BTreeMap::new();
    let mut running = FuturesUnordered::new();
    loop {
        while let Some((change, start)) = next(&mut waiting, &outcomes, &planned, settings, running.len()) {
            match start {
                Start::Now => {
                    let lock = change.cluster.as_ref().and_then(|cluster| clusters.get(cluster)).cloned();
                    let work = Work { change, lock };
                    let runner = &runner;
                    running.push(async move { (&change.address, runner.carry_out(work).await) });
                }
                Start::Never(outcome) => {
                    if let Outcome::Skipped { because } = &outcome {
                        runner.tell(&change.address, EventKind::ApplySkipped { because: because.clone() });
                    }
                    outcomes.insert(&change.address, outcome);
                }
            }
        }
        match running.next().await {
            Some((address, end)) => {
                outcomes.insert(address, end.outcome.clone());
                ends.insert(address, end);
            }
            None => break,
        }
    }
    let resources = plan
        .resource_changes
        .iter()
        .map(|change| {
            let outcome = outcomes.remove(&change.address).unwrap_or(Outcome::Skipped { because: None });
            let (started_at, elapsed_seconds, writes) = match ends.remove(&change.address) {
                Some(end) => (Some(end.started_at), end.elapsed_seconds, end.writes),
                None => (None, 0, Vec::new()),
            };
            let (address, action) = (change.address.clone(), change.change.actions);
            ResourceOutcome { address, action, outcome, started_at, elapsed_seconds, writes }
        })
        .collect();
    let deferred = plan.deferred_changes.iter().map(|change| change.address.clone()).collect();
    ApplyReport { resources, deferred, interrupted: settings.interrupt.is_requested(), usage: arm.usage() }
}

enum Start {
    Now,
    Never(Outcome),
}

/// Takes the first change out of `waiting` about which something can be done now.
fn next<'p>(
    waiting: &mut Vec<&'p Change>,
    outcomes: &BTreeMap<&Address, Outcome>,
    planned: &BTreeMap<&Address, &Change>,
    settings: &Settings<'_>,
    running: usize,
) -> Option<(&'p Change, Start)> {
    let position = waiting.iter().position(|change| {
        // A need outside the plan was not selected: it is taken as met.
        let ready = change.needs.iter().all(|needs| outcomes.contains_key(needs) || !planned.contains_key(needs));
        let failed = failed_need(change, outcomes, planned).is_some();
        let has_room = change.steps.is_empty() || settings.parallelism.is_none_or(|limit| running < limit.max(1));
        failed || (ready && has_room)
    })?;
    let change = waiting.remove(position);
    let start = if let Some(cause) = failed_need(change, outcomes, planned) {
        match change.steps.is_empty() {
            // Nothing was to be done, so nothing is left undone.
            true => Start::Never(Outcome::Unchanged),
            false => Start::Never(Outcome::Skipped { because: Some(cause) }),
        }
    } else if change.steps.is_empty() {
        Start::Never(Outcome::Unchanged)
    } else if settings.interrupt.is_requested() {
        Start::Never(Outcome::Skipped { because: None })
    } else {
        Start::Now
    };
    Some((change, start))
}

/// The resource at the root of why this change cannot be made. What had nothing to do itself is looked through: what it
/// stands on may have failed.
fn failed_need(
    change: &Change,
    outcomes: &BTreeMap<&Address, Outcome>,
    planned: &BTreeMap<&Address, &Change>,
) -> Option<Address> {
    change.needs.iter().find_map(|needs| match outcomes.get(needs)? {
        Outcome::Failed { .. } => Some(needs.clone()),
        Outcome::Skipped { because } => Some(because.clone().unwrap_or_else(|| needs.clone())),
        Outcome::Unchanged => failed_need(planned.get(needs)?, outcomes, planned),
        Outcome::Reached | Outcome::Applied => None,
    })
}
