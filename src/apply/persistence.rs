//! Whether a failure that Flux reports has come to stay: a first attempt often fails while what it needs is still on its
//! way, and Flux tries again (`../shared/facts/domain.md` §3).

use std::time::Duration;

use jiff::Timestamp;

use crate::kinds::compliance::Fault;

/// How long a failure is watched at least, however often it is reported: what is applied by the first attempt may be of
/// the revision before.
const AT_LEAST: Duration = Duration::from_secs(60);
/// How long a failure that was reported once is watched. Sources are tried again within seconds; what fails by what is
/// in the repository fails until that changes, and a change is reported.
const WITHOUT_ANOTHER_REPORT: Duration = Duration::from_secs(120);

/// Follows the failures that the looks of one wait see.
#[derive(Debug)]
pub(super) struct Persistence {
    /// Whether what is waited for was written by this run.
    follows_write: bool,
    /// When what was seen first had been reported.
    first_report: Option<String>,
    seen: Option<Seen>,
}

/// A failure that was there at every look since.
#[derive(Debug)]
struct Seen {
    kind: String,
    name: String,
    since: Timestamp,
    /// The report in which it was seen first.
    report: Option<String>,
}

/// What to make of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belief {
    /// It stays until somebody changes something.
    Stands,
    /// It may pass.
    MayPass,
    /// It may have been mended since it was reported: Flux has not tried again as far as is known.
    MayBeOld,
}

impl Persistence {
    pub(super) fn new(follows_write: bool) -> Self {
        Self { follows_write, first_report: None, seen: None }
    }

    /// Nothing has failed at this look, which read a report of that time.
    pub(super) fn all_is_well(&mut self, report: Option<&str>) {
        self.see_report(report);
        self.seen = None;
    }

    /// A look has seen `fault` in the report of that time. `now` and `scaled` are the times of the engine: durations are
    /// long as `scaled` makes them there.
    pub(super) fn judge(
        &mut self,
        fault: &Fault,
        report: Option<&str>,
        now: Timestamp,
        scaled: impl Fn(Duration) -> Duration,
    ) -> Belief {
        self.see_report(report);
        let is_same = |seen: &&Seen| (&seen.kind, &seen.name) == (&fault.cause.kind, &fault.cause.name);
        let (since, first) = match self.seen.as_ref().filter(is_same) {
            Some(seen) => (seen.since, seen.report.clone()),
            None => (now, report.map(str::to_owned)),
        };
        let is_reported_again = first.as_deref() != report;
        self.seen = Some(Seen { kind: fault.cause.kind.clone(), name: fault.cause.name.clone(), since, report: first });
        if !fault.is_terminal {
            return Belief::MayPass;
        }
        let lasts = |length: Duration| now >= since.checked_add(scaled(length)).unwrap_or(Timestamp::MAX);
        if self.follows_write || self.first_report.as_deref() != report {
            let has_tried_again = is_reported_again || fault.stood >= fault.attempts_every;
            let is_proven = has_tried_again && lasts(AT_LEAST);
            return if is_proven || lasts(WITHOUT_ANOTHER_REPORT) { Belief::Stands } else { Belief::MayPass };
        }
        // From before this run. It may have been mended in the repository since, which Flux sees at its next attempt.
        if lasts(WITHOUT_ANOTHER_REPORT.saturating_add(fault.attempts_every)) {
            Belief::Stands
        } else {
            Belief::MayBeOld
        }
    }

    fn see_report(&mut self, report: Option<&str>) {
        if self.first_report.is_none() {
            self.first_report = report.map(str::to_owned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::compliance::Cause;

    const EARLIER: Option<&str> = Some("2026-01-01T00:00:00Z");
    const LATER: Option<&str> = Some("2026-01-01T00:05:00Z");

    fn fault(is_terminal: bool, stood: u64) -> Fault {
        Fault {
            cause: Cause {
                kind: "Kustomization".to_owned(),
                name: "c-app".to_owned(),
                reason: "ArtifactFailed".to_owned(),
                message: "kustomization path not found".to_owned(),
            },
            is_terminal,
            stood: Duration::from_secs(stood),
            attempts_every: Duration::from_secs(600),
        }
    }

    /// What is made of a failure that looks see at these seconds in these reports; the answer to the last.
    fn belief(follows_write: bool, fault: &Fault, looks: &[(i64, Option<&str>)]) -> Belief {
        let mut persistence = Persistence::new(follows_write);
        let at = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        looks
            .iter()
            .map(|(second, report)| persistence.judge(fault, *report, at(*second), |length| length))
            .last()
            .unwrap()
    }

    #[test]
    fn when_a_failure_is_believed() {
        use Belief::{MayBeOld, MayPass, Stands};
        let (stays, passes) = (fault(true, 0), fault(false, 9000));
        let tried_often = fault(true, 600);
        for (what, follows_write, fault, looks, expected) in [
            ("at first sight", true, &stays, vec![(0, EARLIER)], MayPass),
            ("at first sight, tried often since the write", true, &tried_often, vec![(0, EARLIER)], MayPass),
            (
                "for a minute, tried often since the write",
                true,
                &tried_often,
                vec![(0, EARLIER), (60, EARLIER)],
                Stands,
            ),
            ("for a minute, in one report", true, &stays, vec![(0, EARLIER), (60, EARLIER)], MayPass),
            ("for two minutes, in one report", true, &stays, vec![(0, EARLIER), (120, EARLIER)], Stands),
            ("for half a minute, in two reports", true, &stays, vec![(0, EARLIER), (30, LATER)], MayPass),
            ("for a minute, in two reports", true, &stays, vec![(0, EARLIER), (60, LATER)], Stands),
            ("for ever, and it may pass", true, &passes, vec![(0, EARLIER), (9000, LATER)], MayPass),
            ("from before the run, for two minutes", false, &tried_often, vec![(0, EARLIER), (120, EARLIER)], MayBeOld),
            ("from before the run, to the next attempt", false, &stays, vec![(0, EARLIER), (720, EARLIER)], Stands),
            ("from before the run, reported again", false, &tried_often, vec![(0, EARLIER), (60, LATER)], Stands),
            ("from before the run, for a minute", false, &stays, vec![(0, LATER), (60, LATER)], MayBeOld),
            ("never reported with a time", true, &stays, vec![(0, None), (120, None)], Stands),
        ] {
            assert_eq!(belief(follows_write, fault, &looks), expected, "{what}");
        }
    }

    #[test]
    fn another_failure_begins_anew() {
        let mut persistence = Persistence::new(true);
        let at = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let mut other = fault(true, 0);
        "c-infra".clone_into(&mut other.cause.name);
        assert_eq!(persistence.judge(&fault(true, 0), EARLIER, at(0), |length| length), Belief::MayPass);
        assert_eq!(persistence.judge(&other, LATER, at(120), |length| length), Belief::MayPass);
        persistence.all_is_well(LATER);
        assert_eq!(persistence.judge(&other, LATER, at(300), |length| length), Belief::MayPass);
    }
}
