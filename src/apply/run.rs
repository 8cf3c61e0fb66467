//! Carries out a plan: starts each change when it is its turn, and tells what became of all.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::change::{End, Runner};
use super::polling::OpenWaits;
use super::schedule::{Cause, Next, Schedule};
use super::turn::Turn;
use super::{ClusterAccess, Interrupt, Secrets, Timeouts};
use crate::arm::ArmClient;
use crate::model::Address;
use crate::plan::{ApplyReport, Change, DeferredChange, Event, EventKind, Outcome, Plan, ResourceOutcome};

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
    /// What reaches clusters themselves, where they may be touched.
    pub clusters: Option<&'a ClusterAccess<'a>>,
}

/// Carries out `plan`, which must be applyable. Resources that need nothing from each other go side by side, those of one
/// cluster one after the other as long as ARM is at work; one that needs a failed one is skipped, and the rest goes on.
///
/// Everything happens in this one future: nothing is left behind when it is dropped but what ARM has accepted, and one
/// executor, clock and source of random numbers make the same run again.
pub async fn run(plan: &Plan, arm: &ArmClient, settings: &Settings<'_>) -> ApplyReport {
    let changes = plan.resource_changes.as_slice();
    let arm = arm.clone().abandoning(settings.interrupt.clone());
    let api_versions = changes.iter().map(|change| (&change.id, change.api_version.as_str())).collect();
    let runner = Runner { arm: &arm, settings, api_versions, waits: OpenWaits::default() };
    let (releases, mut released) = mpsc::unbounded_channel();
    let mut schedule = Schedule::of(changes);
    let mut ends: Vec<Option<End>> = changes.iter().map(|_| None).collect();
    let mut running = FuturesUnordered::new();
    loop {
        let has_room = settings.parallelism.is_none_or(|limit| running.len() < limit.max(1));
        match schedule.next(settings.interrupt.is_requested(), has_room) {
            Some(Next::Start { change, has_turn, left }) => {
                let turn = has_turn.then(|| Turn { change, left, releases: releases.clone() });
                let runner = &runner;
                running.push(async move { (change, runner.carry_out(&changes[change], turn).await) });
            }
            Some(Next::Never { change, outcome }) => {
                if let Outcome::Skipped { because } = &outcome {
                    runner.tell(&changes[change].address, EventKind::ApplySkipped { because: because.clone() });
                }
                ends[change] = Some(End::of_nothing(outcome));
            }
            // Nothing is under way and nothing may start: then no turn is taken that was not given back.
            None if running.is_empty() => match released.try_recv() {
                Ok((change, left)) => schedule.release(change, left),
                Err(_) => break,
            },
            None => tokio::select! {
                biased;
                Some((change, left)) = released.recv() => schedule.release(change, left),
                Some((change, end)) = running.next() => {
                    schedule.end(change, cause(&changes[change], &end.outcome));
                    ends[change] = Some(end);
                }
            },
        }
    }
    let deferrals: BTreeMap<&Address, &DeferredChange> =
        plan.deferred_changes.iter().map(|deferred| (&deferred.address, deferred)).collect();
    let resource = |(change, end): (&Change, Option<End>)| match deferrals.get(&change.address) {
        Some(deferred) => ResourceOutcome { action: deferred.actions, ..resource_outcome(change, deferral(deferred)) },
        None => resource_outcome(change, end),
    };
    let resources = changes.iter().zip(ends).map(resource).collect();
    let deferred = plan.deferred_changes.iter().map(|change| change.address.clone()).collect();
    ApplyReport { resources, deferred, interrupted: settings.interrupt.is_requested(), usage: arm.usage() }
}

/// What keeps those that need a change that ended so from being made.
fn cause(change: &Change, outcome: &Outcome) -> Option<Cause> {
    match outcome {
        Outcome::Failed { .. } => Some(Cause::Failed(change.address.clone())),
        Outcome::Skipped { because: Some(because) } => Some(Cause::Failed(because.clone())),
        Outcome::Skipped { because: None } => Some(Cause::Interrupted),
        Outcome::Unchanged | Outcome::Reached | Outcome::Applied | Outcome::Deferred { .. } => None,
    }
}

/// The end of what is left for another time.
fn deferral(deferred: &DeferredChange) -> Option<End> {
    Some(End::of_nothing(Outcome::Deferred { reason: deferred.reason.clone() }))
}

fn resource_outcome(change: &Change, end: Option<End>) -> ResourceOutcome {
    let (address, action) = (change.address.clone(), change.change.actions);
    let end = end.unwrap_or_else(|| End::of_nothing(Outcome::Skipped { because: None }));
    let End { outcome, started_at, elapsed_seconds, writes, goes_on } = end;
    ResourceOutcome { address, action, outcome, started_at, elapsed_seconds, writes, goes_on }
}
