//! Signs of life while Azure is slow: what was last heard of each resource, said again when nothing is heard.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::console::Console;
use crate::arm::{ArmClient, HeldUp};
use crate::http::Clock;
use crate::model::{Address, Seconds};
use crate::plan::{Action, Event, EventKind};

/// After how long of silence something is said of a resource. Looked at every [`TICK`], so that half a minute is the longest
/// silence.
const BEAT: SignedDuration = SignedDuration::from_secs(25);
/// How often that is looked at.
pub(super) const TICK: Duration = Duration::from_secs(5);

/// Says again and again what the reading of a live state waits for.
pub(super) async fn while_reading(arm: &ArmClient, clock: &dyn Clock, console: &Console) -> Infallible {
    let began = arm.now();
    loop {
        clock.sleep(BEAT.unsigned_abs()).await;
        let now = arm.now();
        let why = held_up(arm.held_up(), now).unwrap_or_else(|| "Azure answers slowly".to_owned());
        console.tell(&format!("Still reading... [{} elapsed, {why}]", length(now.duration_since(began))));
    }
}

/// What holds everything up, in a few words.
fn held_up(HeldUp { limited_until, unanswered_since }: HeldUp, now: Timestamp) -> Option<String> {
    if let Some(until) = limited_until {
        let is_long = until.duration_since(now) > SignedDuration::from_secs(2);
        let until = if is_long { format!(" until {until:.0}") } else { String::new() };
        return Some(format!("held back by Azure's limits{until}"));
    }
    let silence = now.duration_since(unanswered_since?);
    (silence >= BEAT).then(|| format!("Azure has not answered for {}", length(silence)))
}

fn length(duration: SignedDuration) -> String {
    u32::try_from(duration.as_secs()).ok().and_then(Seconds::new).map_or("0s".to_owned(), |length| length.to_string())
}

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

    /// What to say at `now` of the resources of which nothing was said for a while: what holds them up, or else what was last
    /// heard of them.
    pub(super) fn beat(&mut self, now: Timestamp, by: HeldUp) -> Vec<Event> {
        let held_up = held_up(by, now);
        let silent = self.0.iter_mut().filter(|(_, known)| now.duration_since(known.heard) >= BEAT);
        silent
            .map(|(address, known)| {
                known.heard = now;
                let kind = EventKind::ApplyProgress {
                    action: known.action,
                    waiting_for: known.waiting_for.clone(),
                    status: held_up.clone().unwrap_or_else(|| known.status.clone()),
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

    const FREE: HeldUp = HeldUp { limited_until: None, unanswered_since: None };

    #[test]
    fn what_holds_a_resource_up_is_said_instead_of_what_was_heard_last() {
        let mut heartbeat = Heartbeat::default();
        let address: Address = "rg-edge".parse().unwrap();
        let kind = EventKind::ApplyStart { action: Action::Create };
        heartbeat.follow(&Event { at: at(0), address, kind });
        let mut said = |now, by| match heartbeat.beat(at(now), by).remove(0).kind {
            EventKind::ApplyProgress { status, .. } => status,
            other => panic!("{other:?}"),
        };
        let silent = HeldUp { unanswered_since: Some(at(0)), ..FREE };
        assert_eq!(said(90, silent), "Azure has not answered for 1m30s");
        let limited = HeldUp { limited_until: Some(at(600)), ..silent };
        assert_eq!(said(120, limited), format!("held back by Azure's limits until {}", at(600)));
        assert_eq!(said(600, limited), "held back by Azure's limits");
        assert_eq!(said(630, HeldUp { unanswered_since: Some(at(620)), ..FREE }), "nothing heard yet");
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
        assert_eq!(heartbeat.beat(at(24), FREE), []);
        hear(&mut heartbeat, 29, &one, progress("Creating"));
        let said: Vec<(Address, EventKind)> =
            heartbeat.beat(at(30), FREE).into_iter().map(|event| (event.address, event.kind)).collect();
        let silent = EventKind::ApplyProgress {
            action: Action::Delete,
            waiting_for: "Azure".to_owned(),
            status: "nothing heard yet".to_owned(),
            elapsed_seconds: 30,
        };
        assert_eq!(said, [(two.clone(), silent)]);
        assert_eq!(heartbeat.beat(at(31), FREE), [], "it was said a second ago");
        hear(&mut heartbeat, 40, &two, EventKind::ApplyComplete { action: Action::Delete, elapsed_seconds: 40 });
        let said = heartbeat.beat(at(90), FREE);
        assert_eq!(said.len(), 1);
        assert_eq!((&said[0].address, said[0].at), (&one, at(90)));
        assert!(
            matches!(&said[0].kind, EventKind::ApplyProgress { status, elapsed_seconds: 90, .. } if status == "Creating")
        );
    }
}
