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
        if has_work {
            self.ready.insert(change)
        } else {
            self.idle.insert(change)
        };
    }

    fn unpark(&mut self) -> Option<usize> {
        self.clusters.values_mut().find_map(|cluster| cluster.parked.pop_first())
    }
}

/// The cluster on which a change takes the turn: where it writes, or waits for an operation that somebody else has begun.
fn turn(change: &Change) -> Option<&ResourceId> {
    let takes_turn = |step: &Step| match step {
        Step::Register { .. } | Step::Put { .. } | Step::Patch { .. } | Step::Delete { .. } => true,
        Step::Connect { .. } | Step::InstallAgents { .. } | Step::RemoveAgents { .. } | Step::Az { .. } => true,
        Step::Wait { until: Until::Provisioned | Until::Gone, .. } => true,
        Step::Expect { .. }
        | Step::Look { .. }
        | Step::Wait { until: Until::Registered | Until::Connected | Until::Compliant(_), .. } => false,
    };
    change.cluster.as_ref().filter(|_| change.steps.iter().any(takes_turn))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A change named `rg-NAME`, on `cluster` where there is one, with a write where it has work.
    fn change(name: &str, cluster: Option<&str>, has_work: bool, needs: &[&str]) -> Change {
        let id = format!("/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/{name}");
        let put = json!({"step": "put", "id": id, "api_version": "1", "body": {}});
        let steps = if has_work { json!([put]) } else { json!([]) };
        let mut change = json!({
            "address": name, "id": id, "type": "resourceGroup", "api_version": "1",
            "change": {"actions": ["create"], "before": Value::Null, "after": Value::Null},
            "action_reason": "not_found", "unchanged": 0, "needs": needs, "steps": steps, "fingerprint": "",
        });
        if let Some(cluster) = cluster {
            change["cluster"] = json!(format!("/subscriptions/x/resourceGroups/{cluster}"));
        }
        serde_json::from_value(change).unwrap()
    }

    fn started(next: Option<Next<u32>>) -> usize {
        match next {
            Some(Next::Start { change, .. }) => change,
            other => panic!("{other:?}"),
        }
    }

    fn never(next: Option<Next<u32>>) -> (usize, Outcome) {
        match next {
            Some(Next::Never { change, outcome }) => (change, outcome),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_needs_nothing_more_starts_in_the_order_of_the_plan() {
        let changes = [
            change("a", None, true, &["outside"]),
            change("b", None, true, &["a"]),
            change("c", None, true, &[]),
            change("d", None, true, &["a", "c", "c"]),
        ];
        let mut schedule = Schedule::<u32>::of(&changes);
        assert_eq!(started(schedule.next(false, true)), 0);
        assert_eq!(started(schedule.next(false, true)), 2);
        assert_eq!(schedule.next(false, true), None);
        schedule.end(2, None);
        assert_eq!(schedule.next(false, true), None);
        schedule.end(0, None);
        assert_eq!(schedule.next(false, false), None, "there is no room");
        assert_eq!(started(schedule.next(false, true)), 1);
        assert_eq!(started(schedule.next(false, true)), 3);
    }

    #[test]
    fn the_root_of_a_failure_is_named_through_what_had_nothing_to_do() {
        let changes = [
            change("a", None, true, &[]),
            change("b", None, false, &["a"]),
            change("c", None, true, &["b", "e"]),
            change("d", None, true, &["c"]),
            change("e", None, true, &[]),
        ];
        let mut schedule = Schedule::<u32>::of(&changes);
        assert_eq!((started(schedule.next(false, true)), started(schedule.next(false, true))), (0, 4));
        schedule.end(0, Some(Cause::Failed(changes[0].address.clone())));
        let skipped = || Outcome::Skipped { because: Some(changes[0].address.clone()) };
        assert_eq!(never(schedule.next(false, true)), (1, Outcome::Unchanged));
        assert_eq!(never(schedule.next(false, true)), (2, skipped()));
        assert_eq!(never(schedule.next(false, true)), (3, skipped()));
        schedule.end(4, None);
        assert_eq!(schedule.next(false, true), None);
    }

    #[test]
    fn one_at_a_time_has_the_turn_on_a_cluster_and_learns_what_the_one_before_left() {
        let changes = [
            change("a", Some("one"), true, &[]),
            change("b", Some("one"), true, &[]),
            change("c", Some("two"), true, &[]),
            change("d", Some("one"), true, &[]),
        ];
        let mut schedule = Schedule::<u32>::of(&changes);
        assert_eq!((started(schedule.next(false, true)), started(schedule.next(false, true))), (0, 2));
        assert_eq!(schedule.next(false, true), None);
        schedule.end(0, None);
        assert_eq!(schedule.next(false, true), None, "the end is not the release");
        schedule.release(0, Some(7));
        assert_eq!(schedule.next(false, true), Some(Next::Start { change: 1, has_turn: true, left: Some(7) }));
        schedule.release(1, None);
        assert_eq!(schedule.next(false, true), Some(Next::Start { change: 3, has_turn: true, left: None }));
    }

    #[test]
    fn after_an_interrupt_nothing_starts_and_nobody_is_blamed() {
        let changes = [
            change("a", Some("one"), true, &[]),
            change("b", Some("one"), true, &[]),
            change("c", None, true, &["b"]),
            change("d", None, false, &["c"]),
        ];
        let mut schedule = Schedule::<u32>::of(&changes);
        assert_eq!(started(schedule.next(false, true)), 0);
        assert_eq!(schedule.next(false, true), None);
        let skipped = || Outcome::Skipped { because: None };
        assert_eq!(never(schedule.next(true, true)), (1, skipped()));
        assert_eq!(never(schedule.next(true, true)), (2, skipped()));
        assert_eq!(never(schedule.next(true, true)), (3, Outcome::Unchanged));
        assert_eq!(schedule.next(true, true), None);
    }

    #[test]
    fn many_changes_cost_little_each() {
        let names: Vec<String> = (0..20_000).map(|number| format!("n{number}")).collect();
        let needs = |position: usize| names.get(position.wrapping_sub(1)).map(String::as_str);
        let changes: Vec<Change> = names
            .iter()
            .enumerate()
            .map(|(position, name)| change(name, None, true, &Vec::from_iter(needs(position))))
            .collect();
        let mut schedule = Schedule::<u32>::of(&changes);
        for position in 0..changes.len() {
            assert_eq!(started(schedule.next(false, true)), position);
            assert_eq!(schedule.next(false, true), None);
            schedule.end(position, None);
        }
    }
}
