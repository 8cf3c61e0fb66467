//! How many requests ARM takes: token buckets, one for each subscription and kind of request
//! (`../shared/facts/arm-contracts.md` §7.7).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The kinds of requests that ARM counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metered {
    /// GET and HEAD.
    Reads,
    /// PUT, PATCH and POST.
    Writes,
    /// DELETE.
    Deletes,
}

impl Metered {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Reads, Self::Writes, Self::Deletes];

    /// Its name, as ARM's headers have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Deletes => "deletes",
        }
    }

    /// What ARM allows of it in one subscription; outside of every subscription, a tenant has as much.
    #[must_use]
    pub const fn allowance(self) -> Allowance {
        match self {
            Self::Reads => Allowance { capacity: 250, refill_per_second: 25 },
            Self::Writes | Self::Deletes => Allowance { capacity: 200, refill_per_second: 10 },
        }
    }
}

/// The size of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many tokens it holds: requests that may come at once.
    pub capacity: u32,
    /// How many come back each second. Not nothing.
    pub refill_per_second: u32,
}

impl Allowance {
    /// When a request goes that is ready at `ready`, if all go in the order in which they are ready; `full_at` is when
    /// the bucket is full again, from the ones before. Says the same as a [`Bucket`], ahead of time.
    #[must_use]
    pub fn next(self, full_at: &mut Duration, ready: Duration) -> Duration {
        let refill = Duration::from_nanos(TOKEN.div_ceil(u64::from(self.refill_per_second)));
        let goes = ready.max(full_at.saturating_sub(refill * self.capacity.saturating_sub(1)));
        *full_at = goes.max(*full_at) + refill;
        goes
    }
}

/// One token, in the unit that levels are kept in. A token a second is then one unit a nanosecond: everything is exact.
const TOKEN: u64 = 1_000_000_000;

/// The level of one bucket over time. Times count from any moment that stays the same.
#[derive(Debug, Clone)]
pub struct Bucket {
    allowance: Allowance,
    /// In billionths of a token.
    level: u64,
    /// When that was the level.
    at: Duration,
    /// Until when ARM has said that it takes nothing.
    closed_until: Duration,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn full(allowance: Allowance, at: Duration) -> Self {
        Self { allowance, level: u64::from(allowance.capacity).saturating_mul(TOKEN), at, closed_until: at }
    }

    /// How long it is until there is a token beside `reserve` ones, if nobody takes any meanwhile. Zero when there is
    /// one now.
    #[must_use]
    pub fn wait(&mut self, at: Duration, reserve: u32) -> Duration {
        self.refill(at);
        let needed = (u64::from(reserve) + 1).saturating_mul(TOKEN);
        let missing = needed.saturating_sub(self.level);
        let refilling = Duration::from_nanos(missing.div_ceil(u64::from(self.allowance.refill_per_second)));
        self.closed_until.saturating_sub(at) + refilling
    }

    /// Takes a token, where there is one beside `reserve` ones.
    ///
    /// # Errors
    ///
    /// How long to [`wait`](Self::wait).
    pub fn take(&mut self, at: Duration, reserve: u32) -> Result<(), Duration> {
        let wait = self.wait(at, reserve);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.level -= TOKEN;
        Ok(())
    }

    /// Believes ARM when it says that fewer tokens are left. It rounds down, so there may be a part of one more. That
    /// there are more is not believed: ARM counts in several places, and another one may answer next.
    pub fn correct(&mut self, at: Duration, remaining: u32) {
        self.refill(at);
        self.level = self.level.min((u64::from(remaining) + 1).saturating_mul(TOKEN));
    }

    /// ARM takes nothing for `pause`. Then there is one token at most, and more come back at their pace: those who wait do
    /// not go all at once.
    pub fn close(&mut self, at: Duration, pause: Duration) {
        self.refill(at);
        self.closed_until = self.closed_until.max(at.saturating_add(pause));
        self.level = self.level.min(TOKEN);
    }

    /// While it is closed, nothing comes back. A clock that was set back moves the bucket with it.
    fn refill(&mut self, at: Duration) {
        if at < self.at {
            self.closed_until = self.closed_until.saturating_sub(self.at - at);
        } else {
            let open = at.saturating_sub(self.at.max(self.closed_until));
            let gained = u64::try_from(open.as_nanos())
                .unwrap_or(u64::MAX)
                .saturating_mul(u64::from(self.allowance.refill_per_second));
            let full = u64::from(self.allowance.capacity).saturating_mul(TOKEN);
            self.level = self.level.saturating_add(gained).min(full);
        }
        self.at = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: Allowance = Allowance { capacity: 5, refill_per_second: 2 };

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// How many tokens can be taken at once.
    fn drained(bucket: &mut Bucket, at: Duration) -> usize {
        (0..1000).take_while(|_| bucket.take(at, 0).is_ok()).count()
    }

    #[test]
    fn a_full_bucket_gives_its_capacity_at_once_and_then_its_refill() {
        let start = seconds(100.0);
        let mut bucket = Bucket::full(SMALL, start);
        assert_eq!(drained(&mut bucket, start), 5);
        assert_eq!(bucket.take(start, 0), Err(seconds(0.5)));
        assert_eq!(bucket.take(start + seconds(0.3), 0), Err(seconds(0.2)));
        assert_eq!(drained(&mut bucket, start + seconds(0.5)), 1);
        assert_eq!(drained(&mut bucket, start + seconds(2.0)), 3);
        // It never holds more than its capacity.
        assert_eq!(drained(&mut bucket, start + seconds(1e6)), 5);
    }

    #[test]
    fn a_reserve_is_left_for_others() {
        let mut bucket = Bucket::full(SMALL, Duration::ZERO);
        for _ in 0..3 {
            bucket.take(Duration::ZERO, 2).unwrap();
        }
        assert_eq!(bucket.take(Duration::ZERO, 2), Err(seconds(0.5)));
        bucket.take(Duration::ZERO, 0).unwrap();
        assert_eq!(bucket.wait(Duration::ZERO, 2), seconds(1.0));
    }

    #[test]
    fn what_arm_says_counts_when_it_is_less() {
        let mut bucket = Bucket::full(SMALL, Duration::ZERO);
        bucket.correct(Duration::ZERO, 11_999);
        bucket.correct(Duration::ZERO, 2);
        // Two and a part of a third: told by the answer when it is not there.
        assert_eq!(drained(&mut bucket, Duration::ZERO), 3);
        bucket.correct(Duration::ZERO, 4);
        assert_eq!(drained(&mut bucket, Duration::ZERO), 0);
    }

    #[test]
    fn corrections_of_a_bucket_in_steady_use_cost_nothing() {
        let mut bucket = Bucket::full(SMALL, Duration::ZERO);
        drained(&mut bucket, Duration::ZERO);
        let taken = (1..=1000_u64).filter(|tick| {
            let at = Duration::from_millis(tick * 10);
            let taken = bucket.take(at, 0).is_ok();
            bucket.correct(at, 0);
            taken
        });
        assert_eq!(taken.count(), 20);
    }

    #[test]
    fn a_closed_bucket_gives_nothing_and_then_one_after_the_other() {
        let mut bucket = Bucket::full(SMALL, Duration::ZERO);
        bucket.close(seconds(1.0), seconds(10.0));
        // A shorter pause does not shorten it.
        bucket.close(seconds(2.0), seconds(3.0));
        assert_eq!(bucket.take(seconds(5.0), 0), Err(seconds(6.0)));
        assert_eq!(bucket.wait(seconds(5.0), 1), seconds(6.5));
        assert_eq!(drained(&mut bucket, seconds(11.0)), 1);
        assert_eq!(drained(&mut bucket, seconds(11.0)), 0);
        assert_eq!(drained(&mut bucket, seconds(12.0)), 2);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut bucket = Bucket::full(SMALL, seconds(5000.0));
        drained(&mut bucket, seconds(5000.0));
        bucket.close(seconds(5000.0), seconds(10.0));
        assert_eq!(bucket.take(seconds(100.0), 0), Err(seconds(10.5)));
        assert_eq!(drained(&mut bucket, seconds(110.5)), 1);
    }

    proptest! {
        /// Whatever is asked for when, no window holds more than the capacity and what came back in it.
        #[test]
        fn no_window_holds_more_than_the_bucket(
            steps in prop::collection::vec((0_u64..400, 0_u32..3, prop::option::of(0_u32..8)), 1..200),
        ) {
            let mut bucket = Bucket::full(SMALL, Duration::ZERO);
            let mut at = Duration::ZERO;
            let mut taken = Vec::new();
            for (millis, reserve, told) in steps {
                at += Duration::from_millis(millis);
                if let Some(told) = told {
                    bucket.correct(at, told);
                }
                if bucket.take(at, reserve).is_ok() {
                    taken.push(at);
                }
            }
            for (first, from) in taken.iter().enumerate() {
                for (last, to) in taken.iter().enumerate().skip(first) {
                    let allowed = u128::from(SMALL.capacity) * 1000
                        + (*to - *from).as_millis() * u128::from(SMALL.refill_per_second);
                    prop_assert!((last - first + 1) as u128 * 1000 <= allowed, "{:?}", taken);
                }
            }
        }

        /// What is foretold is what happens.
        #[test]
        fn a_bucket_is_foretold(gaps in prop::collection::vec(0_u64..400, 1..100)) {
            let mut bucket = Bucket::full(SMALL, Duration::ZERO);
            let mut full_at = Duration::ZERO;
            let mut ready = Duration::ZERO;
            let mut now = Duration::ZERO;
            for gap in gaps {
                ready += Duration::from_millis(gap);
                // In turn: nobody overtakes.
                now = now.max(ready);
                now += bucket.wait(now, 0);
                prop_assert_eq!(bucket.take(now, 0), Ok(()));
                prop_assert_eq!(SMALL.next(&mut full_at, ready), now);
            }
        }

        /// After the wait that it names there is a token.
        #[test]
        fn the_wait_is_long_enough(before in 0_usize..6, millis in 0_u64..3000, reserve in 0_u32..4) {
            let mut bucket = Bucket::full(SMALL, Duration::ZERO);
            for _ in 0..before {
                let _taken = bucket.take(Duration::ZERO, 0);
            }
            let at = Duration::from_millis(millis);
            let wait = bucket.wait(at, reserve);
            prop_assert_eq!(bucket.take(at + wait, reserve), Ok(()));
        }
    }
}
