//! Signs of life while Azure is slow: what was last heard of each resource, said again when nothing is heard.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::Address;
use crate::plan::{Action, Event, EventKind};

/// How long nothing is said of a resource at most.
pub(super) const BEAT: SignedDuration = SignedDuration::from_secs(30);

/// What was last heard of each resource that is being worked on.
#[derive(Debug, Default)]
pub(super) struct Heartbeat(BTreeMap<Address, UnderWay>);

#[derive(Debug)]
struct UnderWay {
    action: Action,
    started: Timestamp,
    /// When it was last spoken of.
    heard: Timestamp,
    waiting_for: String,
    status: String,
}

impl Heartbeat {
    /// Follows an event.
    pub(super) fn follow(&mut self, event: &Event) {
        let Event { at, address, kind } = event;
        match kind {
            EventKind::ApplyStart { action } => {
                let under_way = UnderWay {
                    action: *action,
                    started: *at,
                    heard: *at,
                    waiting_for: "Azure".to_owned(),
                    status: "nothing heard yet".to_owned(),
                };
                self.0.insert(address.clone(), under_way);
            }
            EventKind::ApplyProgress { action: _, waiting_for, status, elapsed_seconds: _ } => {
                if let Some(known) = self.0.get_mut(address) {
                    known.heard = *at;
                    known.waiting_for.clone_from(waiting_for);
                    known.status.clone_from(status);
                }
            }
            EventKind::Accepted { .. } => {
                if let Some(known) = self.0.get_mut(address) {
                    "accepted".clone_into(&mut known.status);
                }
            }
            EventKind::ApplyComplete { .. } | EventKind::ApplyErrored { .. } | EventKind::ApplySkipped { .. } => {
                self.0.remove(address);
            }
        }
    }

    /// What to say at `now` of the resources of which nothing was said for a while.
    pub(super) fn beat(&mut self, now: Timestamp) -> Vec<Event> {
        let silent = self.0.iter_mut().filter(|(_, known)| now.duration_since(known.heard) >= BEAT);
        silent
            .map(|(address, known)| {
                known.heard = now;
                let kind = EventKind::ApplyProgress {
                    action: known.action,
                    waiting_for: known.waiting_for.clone(),
                    status: known.status.clone(),
                    elapsed_seconds: now.duration_since(known.started).as_secs(),
                };
                Event { at: now, address: address.clone(), kind }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn only_what_is_silent_is_spoken_of_and_only_while_it_is_worked_on() {
        let mut heartbeat = Heartbeat::default();
        let (one, two): (Address, Address) = ("rg-edge".parse().unwrap(), "rg-west".parse().unwrap());
        let hear = |heartbeat: &mut Heartbeat, seconds, address: &Address, kind| {
            heartbeat.follow(&Event { at: at(seconds), address: address.clone(), kind });
        };
        let progress = |status: &str| EventKind::ApplyProgress {
            action: Action::Create,
            waiting_for: "provisioning".to_owned(),
            status: status.to_owned(),
            elapsed_seconds: 0,
        };
        hear(&mut heartbeat, 0, &one, EventKind::ApplyStart { action: Action::Create });
        hear(&mut heartbeat, 0, &two, EventKind::ApplyStart { action: Action::Delete });
        assert_eq!(heartbeat.beat(at(29)), []);
        hear(&mut heartbeat, 29, &one, progress("Creating"));
        let said: Vec<(Address, EventKind)> =
            heartbeat.beat(at(30)).into_iter().map(|event| (event.address, event.kind)).collect();
        let silent = EventKind::ApplyProgress {
            action: Action::Delete,
            waiting_for: "Azure".to_owned(),
            status: "nothing heard yet".to_owned(),
            elapsed_seconds: 30,
        };
        assert_eq!(said, [(two.clone(), silent)]);
        assert_eq!(heartbeat.beat(at(31)), [], "it was said a second ago");
        hear(&mut heartbeat, 40, &two, EventKind::ApplyComplete { action: Action::Delete, elapsed_seconds: 40 });
        let said = heartbeat.beat(at(90));
        assert_eq!(said.len(), 1);
        assert_eq!((&said[0].address, said[0].at), (&one, at(90)));
        assert!(
            matches!(&said[0].kind, EventKind::ApplyProgress { status, elapsed_seconds: 90, .. } if status == "Creating")
        );
    }
}
