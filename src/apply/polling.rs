//! When a wait looks again. Reads are scarce for a fleet: ARM allows 25 a second for everything
//! (`../shared/facts/domain.md` §5), so looks come when an end is likely, and no more often than they help.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::plan::Until;

/// Up to so many open waits everybody looks often: that is some six reads a second.
const FEW: usize = 40;

/// How long to wait before the next look, when the write was `elapsed` ago, what is waited for usually takes `typical`
/// from then, and so many waits are open.
///
/// With few waits the first looks are early, and near the usual end they come every few seconds: what takes 110 seconds is
/// noticed within nine more. With many, the first look is when most are over, some seconds after the usual end.
pub(super) fn pause(elapsed: Duration, typical: Duration, open: usize) -> Duration {
    let seconds = Duration::from_secs;
    if open > FEW {
        let first = typical + typical / 14;
        return match elapsed {
            _ if elapsed < first => (first - elapsed).max(seconds(3)),
            _ if elapsed < typical * 2 => (typical / 6).clamp(seconds(5), seconds(30)),
            _ => (elapsed / 6).clamp(seconds(30), seconds(60)),
        };
    }
    let near = typical * 3 / 4;
    match elapsed {
        _ if elapsed < near => (elapsed / 2).clamp(seconds(3), seconds(15)).min(near - elapsed).max(seconds(3)),
        _ if elapsed < typical * 3 / 2 => (typical / 12).clamp(seconds(3), seconds(10)),
        _ => (elapsed / 8).clamp(seconds(10), seconds(30)),
    }
}

/// Whether a look would come too early to be worth a read.
pub(super) fn is_early(elapsed: Duration, typical: Duration, open: usize) -> bool {
    open > FEW && elapsed < typical
}

/// Whether the end of a write is asked of the resource alone, and not of the operation before: what was sent is compared
/// with the resource in any case, so with many waits the one read does for both.
pub(super) fn asks_resource_alone(until: &Until, open: usize) -> bool {
    match until {
        Until::Provisioned => open > FEW,
        Until::Registered | Until::Connected | Until::Compliant(_) | Until::Gone => false,
    }
}

/// How many waits are open.
#[derive(Debug, Default)]
pub(super) struct OpenWaits(AtomicUsize);

/// One of them, until it is dropped.
pub(super) struct Open<'a>(&'a AtomicUsize);

impl OpenWaits {
    pub(super) fn open(&self) -> Open<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Open(&self.0)
    }
}

impl Open<'_> {
    /// How many there are with this one.
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the looks come, in seconds after the write, until one is at `end` or later.
    fn looks(typical: u64, end: u64, open: usize) -> Vec<u64> {
        let mut at = Duration::ZERO;
        let mut looks = Vec::new();
        while at.as_secs() < end {
            at += pause(at, Duration::from_secs(typical), open);
            looks.push(at.as_secs());
        }
        looks
    }

    #[test]
    fn a_few_waits_notice_an_end_soon() {
        for (typical, end, most) in [(30, 30, 3), (60, 60, 5), (90, 95, 8), (110, 110, 9), (110, 125, 9), (90, 140, 12)]
        {
            let last = *looks(typical, end, 1).last().unwrap();
            assert!(last - end <= most, "{typical}, {end}: noticed at {last}");
        }
        assert_eq!(looks(110, 20, 1), [3, 6, 9, 13, 20]);
    }

    /// Registration, extension, configuration and reconciliation of one cluster, one after the other.
    #[test]
    fn a_chain_of_waits_is_noticed_within_its_margin() {
        for open in [1, FEW, FEW + 1, 4000] {
            let noticed: u64 = [(30, 30), (90, 95), (110, 110)]
                .iter()
                .map(|(typical, end)| *looks(*typical, *end, open).last().unwrap())
                .sum();
            assert!(noticed * 100 <= 235 * 110, "{open}: {noticed}");
        }
    }

    #[test]
    fn many_waits_read_little() {
        for (typical, end) in [(30, 30), (60, 60), (90, 95), (110, 110)] {
            assert_eq!(looks(typical, end, 1000).len(), 1, "{typical}, {end}");
        }
        assert!(looks(90, 20 * 60, 1000).len() < 30);
    }

    #[test]
    fn a_long_wait_is_looked_at_every_half_minute() {
        let looks = looks(90, 45 * 60, 1);
        assert!(looks.windows(2).all(|two| two[1] - two[0] <= 30) && looks.len() < 120, "{looks:?}");
    }

    #[test]
    fn many_writes_are_followed_with_one_read_each() {
        assert!(asks_resource_alone(&Until::Provisioned, FEW + 1));
        assert!(!asks_resource_alone(&Until::Provisioned, FEW), "a few hear of what an operation says");
        assert!(!asks_resource_alone(&Until::Gone, FEW + 1), "nothing is left to be compared");
    }

    #[test]
    fn no_pause_is_nothing() {
        for open in [1, 1000] {
            for elapsed in 0..2000 {
                assert!(pause(Duration::from_secs(elapsed), Duration::from_secs(60), open) >= Duration::from_secs(3));
            }
        }
    }

    #[test]
    fn a_wait_is_open_until_it_is_dropped() {
        let waits = OpenWaits::default();
        let one = waits.open();
        let two = waits.open();
        assert_eq!((one.count(), two.count()), (2, 2));
        drop(two);
        assert_eq!(one.count(), 1);
    }
}
