//! How long an apply takes, told before it begins: the same order and the same limits, with usual lengths.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Change, Step, Until, typical};
use crate::model::{Address, Metered, ResourceId};

/// What an apply of a plan asks of Azure at the least, and how long that takes when everything takes as long as it usually
/// does. The digest does not hold it: it follows from what the digest holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// Seconds from the first request to the end of the last wait.
    pub seconds: u64,
    /// How many of these seconds there are only because of Azure's limits on requests.
    pub throttled_seconds: u64,
    /// GET.
    pub reads: u64,
    /// PUT, PATCH and POST.
    pub writes: u64,
    /// DELETE.
    pub deletes: u64,
}

impl Estimate {
    /// The estimate for these changes; `None` when an apply of them does nothing.
    pub(super) fn of(changes: &[Change]) -> Option<Self> {
        if changes.iter().all(|change| change.steps.is_empty()) {
            return None;
        }
        let limited = Run::of(changes, true);
        let seconds = limited.end.as_secs();
        let total =
            |metered| limited.sent.iter().filter(|((_, kind), _)| *kind == metered).map(|(_, sent)| sent.count).sum();
        Some(Self {
            seconds,
            throttled_seconds: seconds.saturating_sub(Run::of(changes, false).end.as_secs()),
            reads: total(Metered::Reads),
            writes: total(Metered::Writes),
            deletes: total(Metered::Deletes),
        })
    }
}

/// How long it usually takes until the Arc agents are installed (`../shared/facts/az-cli-behaviour.md` §3, step 19).
const INSTALLATION: Duration = Duration::from_secs(180);

/// What a change does next.
enum Move<'p> {
    /// Takes its cluster, when that is free: writes on one cluster go one at a time.
    Enter,
    /// Sends a request.
    Send(&'p ResourceId, Metered),
    /// Waits until so long after its last write, or from now where there was none.
    Pass(Duration),
    /// Lets go of its cluster.
    Leave,
}

fn moves(change: &Change) -> VecDeque<Move<'_>> {
    let mut moves = VecDeque::new();
    let mut wrote = false;
    let mut write = |moves: &mut VecDeque<_>, id, metered| {
        moves.push_back(Move::Enter);
        if change.precondition.is_some() && !std::mem::replace(&mut wrote, true) {
            moves.push_back(Move::Send(id, Metered::Reads));
        }
        moves.push_back(Move::Send(id, metered));
    };
    for step in &change.steps {
        match step {
            Step::Register { id, .. } | Step::Put { id, .. } | Step::Patch { id, when: None, .. } => {
                write(&mut moves, id, Metered::Writes);
            }
            Step::Connect { id, .. } => write(&mut moves, id, Metered::Writes),
            Step::Delete { id, .. } => write(&mut moves, id, Metered::Deletes),
            Step::Look { .. } | Step::RemoveAgents { .. } => {}
            Step::InstallAgents { .. } | Step::Az { .. } => moves.extend([Move::Enter, Move::Pass(INSTALLATION)]),
            // Whether the patch is sent is found out when it comes to it.
            Step::Expect { id, .. } | Step::Patch { id, when: Some(_), .. } => {
                moves.push_back(Move::Send(id, Metered::Reads));
            }
            Step::Wait { id, until, .. } => {
                if matches!(until, Until::Compliant(_)) {
                    moves.push_back(Move::Leave);
                }
                moves.extend([Move::Pass(typical(until, change.kind)), Move::Send(id, Metered::Reads)]);
            }
        }
    }
    moves.push_back(Move::Leave);
    moves
}

/// An apply, played through. Times count from its start.
struct Run<'p> {
    is_limited: bool,
    /// By subscription and kind.
    sent: BTreeMap<(Option<String>, Metered), Sent>,
    /// Where each change stands.
    tracks: Vec<Track<'p>>,
    clusters: BTreeMap<&'p ResourceId, Cluster>,
    /// When which change goes on.
    agenda: BinaryHeap<Reverse<(Duration, usize)>>,
    end: Duration,
}

#[derive(Default)]
struct Sent {
    count: u64,
    /// When the bucket is full again.
    full_at: Duration,
}

struct Track<'p> {
    cluster: Option<&'p ResourceId>,
    moves: VecDeque<Move<'p>>,
    /// How many of the changes that it needs are not done.
    needs: usize,
    /// Who needs it.
    dependants: Vec<usize>,
    /// When its last write was sent.
    wrote: Option<Duration>,
    has_cluster: bool,
}

#[derive(Default)]
struct Cluster {
    is_taken: bool,
    waiting: VecDeque<usize>,
}

impl<'p> Run<'p> {
    fn of(changes: &'p [Change], is_limited: bool) -> Self {
        let planned: BTreeMap<&Address, usize> =
            changes.iter().enumerate().map(|(index, change)| (&change.address, index)).collect();
        let needs = |change: &'p Change| change.needs.iter().filter_map(|needed| planned.get(needed).copied());
        let tracks = changes.iter().map(|change| Track {
            cluster: change.cluster.as_ref(),
            moves: moves(change),
            needs: needs(change).count(),
            dependants: Vec::new(),
            wrote: None,
            has_cluster: false,
        });
        let (tracks, agenda) = (tracks.collect(), BinaryHeap::new());
        let (sent, clusters, end) = (BTreeMap::new(), BTreeMap::new(), Duration::ZERO);
        let mut run = Self { is_limited, sent, tracks, clusters, agenda, end };
        for (index, change) in changes.iter().enumerate() {
            for needed in needs(change) {
                run.tracks[needed].dependants.push(index);
            }
            if run.tracks[index].needs == 0 {
                run.agenda.push(Reverse((Duration::ZERO, index)));
            }
        }
        while let Some(Reverse((now, index))) = run.agenda.pop() {
            run.go_on(index, now);
        }
        run
    }

    /// Makes the next move of a change, or ends it.
    fn go_on(&mut self, index: usize, now: Duration) {
        let track = &mut self.tracks[index];
        let then = match track.moves.front() {
            None => {
                self.end = self.end.max(now);
                for dependant in std::mem::take(&mut track.dependants) {
                    let dependant_track = &mut self.tracks[dependant];
                    dependant_track.needs -= 1;
                    if dependant_track.needs == 0 {
                        self.agenda.push(Reverse((now, dependant)));
                    }
                }
                return;
            }
            Some(Move::Enter) => {
                if let (Some(cluster), false) = (track.cluster, track.has_cluster) {
                    let cluster = self.clusters.entry(cluster).or_default();
                    if cluster.is_taken {
                        cluster.waiting.push_back(index);
                        return;
                    }
                    cluster.is_taken = true;
                    track.has_cluster = true;
                }
                now
            }
            Some(Move::Leave) => {
                let cluster = track.cluster.filter(|_| std::mem::take(&mut track.has_cluster));
                if let Some(cluster) = cluster.and_then(|cluster| self.clusters.get_mut(cluster)) {
                    cluster.is_taken = false;
                    self.agenda.extend(cluster.waiting.pop_front().map(|next| Reverse((now, next))));
                }
                now
            }
            Some(Move::Pass(length)) => now.max(track.wrote.unwrap_or(now) + *length),
            Some(Move::Send(id, metered)) => {
                let subscription = id.segment_after("subscriptions").map(str::to_ascii_lowercase);
                let sent = self.sent.entry((subscription, *metered)).or_default();
                sent.count += 1;
                let at = if self.is_limited { metered.allowance().next(&mut sent.full_at, now) } else { now };
                match metered {
                    Metered::Reads => {}
                    Metered::Writes | Metered::Deletes => track.wrote = Some(at),
                }
                at
            }
        };
        track.moves.pop_front();
        self.agenda.push(Reverse((then, index)));
    }
}
