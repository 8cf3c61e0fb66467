//! Which change is next: pure, and the same for the same plan and the same ends, in whatever order those come.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Address, ResourceId};
use crate::plan::{Change, Outcome, Step, Until};

/// The changes of a plan, between their start and their end. Each step costs the logarithm of their number, and what a
/// change sets free.
pub(super) struct Schedule<'p, U> {
    changes: &'p [Change],
    /// Of each change, how many that it needs have not ended.
    open: Vec<usize>,
    /// Of each change, those that need it.
    dependants: Vec<Vec<usize>>,
    /// Why a change cannot be made, once that is known.
    causes: Vec<Option<Cause>>,
    decided: Vec<bool>,
    /// Those about which is decided without any work.
    idle: BTreeSet<usize>,
    /// Those that may start, in the order of the plan.
    ready: BTreeSet<usize>,
    clusters: BTreeMap<&'p ResourceId, Cluster<U>>,
}

/// One write at a time: who has the turn, and who waits for it.
struct Cluster<U> {
    is_taken: bool,
    parked: BTreeSet<usize>,
    /// What the one before has left behind.
    left: Option<U>,
}

impl<U> Default for Cluster<U> {
    fn default() -> Self {
        Self { is_taken: false, parked: BTreeSet::new(), left: None }
    }
}

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// A resource that it needs failed, or one that this one needs.
    Failed(Address),
    /// The run was interrupted.
    Interrupted,
}

/// What is next.
#[derive(Debug, PartialEq)]
pub(super) enum Next<U> {
    /// This change starts. Where it takes the turn on its cluster, with what the one before has left behind.
    Start {
        /// Its position in the plan.
        change: usize,
        /// Whether it has the turn on its cluster.
        has_turn: bool,
        /// What was left behind there.
        left: Option<U>,
    },
    /// This change has ended, without any work.
    Never {
        /// Its position in the plan.
        change: usize,
        /// What became of it.
        outcome: Outcome,
    },
}

impl<'p, U> Schedule<'p, U> {
    pub(super) fn of(changes: &'p [Change]) -> Self {
        let positions: BTreeMap<&Address, usize> =
            changes.iter().enumerate().map(|(position, change)| (&change.address, position)).collect();
        let mut open = vec![0; changes.len()];
        let mut dependants = vec![Vec::new(); changes.len()];
        for (position, change) in changes.iter().enumerate() {
            // A need outside the plan was not selected: it is taken as met.
            let needs: BTreeSet<usize> =
                change.needs.iter().filter_map(|needs| positions.get(needs).copied()).collect();
            open[position] = needs.len();
            needs.into_iter().for_each(|needed| dependants[needed].push(position));
        }
        let clusters =
            changes.iter().filter_map(|change| Some((change.cluster.as_ref()?, Cluster::default()))).collect();
        let mut schedule = Self {
            changes,
            open,
            dependants,
            causes: vec![None; changes.len()],
            decided: vec![false; changes.len()],
            idle: BTreeSet::new(),
            ready: BTreeSet::new(),
            clusters,
        };
        let free: Vec<usize> = (0..changes.len()).filter(|position| schedule.open[*position] == 0).collect();
        free.into_iter().for_each(|position| schedule.set_free(position));
        schedule
    }

    /// What is next, if anything is before one of those under way has ended. `has_room` says whether one more may be
    /// under way.
    pub(super) fn next(&mut self, is_interrupted: bool, has_room: bool) -> Option<Next<U>> {
        if let Some(change) = self.idle.pop_first() {
            let cause = self.causes[change].clone();
            let outcome = match &cause {
                // Nothing was to be done, so nothing is left undone.
                _ if self.changes[change].steps.is_empty() => Outcome::Unchanged,
                Some(Cause::Failed(because)) => Outcome::Skipped { because: Some(because.clone()) },
                Some(Cause::Interrupted) | None => Outcome::Skipped { because: None },
            };
            self.end(change, cause);
            return Some(Next::Never { change, outcome });
        }
        if is_interrupted {
            let change = self.ready.pop_first().or_else(|| self.unpark())?;
            self.end(change, Some(Cause::Interrupted));
            return Some(Next::Never { change, outcome: Outcome::Skipped { because: None } });
        }
        while let Some(change) = self.ready.first().copied().filter(|_| has_room) {
            self.ready.remove(&change);
            let Some(cluster) = turn(&self.changes[change]).and_then(|cluster| self.clusters.get_mut(cluster)) else {
                self.decided[change] = true;
                return Some(Next::Start { change, has_turn: false, left: None });
            };
            if cluster.is_taken {
                cluster.parked.insert(change);
                continue;
            }
            cluster.is_taken = true;
            self.decided[change] = true;
            return Some(Next::Start { change, has_turn: true, left: cluster.left.take() });
        }
        None
    }

    /// A change has ended: well, or with what keeps those that need it from being made.
    pub(super) fn end(&mut self, change: usize, cause: Option<Cause>) {
        self.decided[change] = true;
        for dependant in std::mem::take(&mut self.dependants[change]) {
            self.open[dependant] -= 1;
            if self.decided[dependant] {
                continue;
            }
            if let (Some(cause), None) = (&cause, &self.causes[dependant]) {
                self.causes[dependant] = Some(cause.clone());
            }
            if self.causes[dependant].is_some() || self.open[dependant] == 0 {
                self.set_free(dependant);
            }
        }
    }

    /// The turn on the cluster of `change` is free again.
    pub(super) fn release(&mut self, change: usize, left: Option<U>) {
        let cluster = self.changes[change].cluster.as_ref();
        let Some(cluster) = cluster.and_then(|cluster| self.clusters.get_mut(cluster)) else { return };
        cluster.is_taken = false;
        cluster.left = left;
        self.ready.extend(cluster.parked.pop_first());
    }

    fn set_free(&mut self, change: usize) {
        let has_work = !self.changes[change].steps.is_empty() && self.causes[change].is_none();
        if has_work { self.ready.insert(change) } else { self.idle.insert(change) };
    }

    fn unpark(&mut self) -> Option<usize> {
        self.clusters.values_mut().find_map(|cluster| cluster.parked.pop_first())
    }
}

/// The cluster on which a change takes the turn: where it writes, or waits for an operation that somebody else has begun.
fn turn(change: &Change) -> Option<&ResourceId> {
    let takes_turn = |step: &Step| match step {
        Step::Register { .. } | Step::Put { .. } | Step::Patch { .. } | Step::Delete { .. } => true,
        Step::Wait { until: Until::Provisioned | Until::Gone, .. } => true,
        Step::Expect { .. } | Step::Wait { until: Until::Registered | Until::Connected | Until::Compliant(_), .. } => false,
    };
    change.cluster.as_ref().filter(|_| change.steps.iter().any(takes_turn))
}
