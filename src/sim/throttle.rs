//! The token buckets of a subscription, on the simulator's clock.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;

use super::durations;
use super::settings::{Bucket, Limits};
use super::state::{Level, Subscription};

/// What a request took from its bucket.
#[derive(Debug)]
pub(crate) enum Taken {
    /// A token was there. What is left is told in the header named here.
    Token { header: &'static str, remaining: u32 },
    /// The bucket is empty for another so many seconds.
    Empty { seconds: u64 },
}

/// Takes a token for a request with `method`.
pub(crate) fn take(subscription: &mut Subscription, limits: &Limits, method: &Method, now: Timestamp) -> Taken {
    let (name, header, bucket) = if *method == Method::GET || *method == Method::HEAD {
        ("reads", "x-ms-ratelimit-remaining-subscription-reads", limits.reads)
    } else if *method == Method::DELETE {
        ("deletes", "x-ms-ratelimit-remaining-subscription-deletes", limits.deletes)
    } else {
        ("writes", "x-ms-ratelimit-remaining-subscription-writes", limits.writes)
    };
    let full = Level { tokens: f64::from(bucket.capacity), at: now };
    let level = subscription.buckets.entry(name.to_owned()).or_insert(full);
    level.tokens = refilled(*level, bucket, now);
    level.at = now;
    if level.tokens >= 1.0 {
        level.tokens -= 1.0;
        Taken::Token { header, remaining: whole(level.tokens) }
    } else {
        let missing = 1.0 - level.tokens;
        let wait = Duration::from_secs_f64(missing / f64::from(bucket.refill_per_second.max(1)));
        Taken::Empty { seconds: wait.as_secs() + 1 }
    }
}

fn refilled(level: Level, bucket: Bucket, now: Timestamp) -> f64 {
    let elapsed = durations::between(level.at, now).as_secs_f64();
    (level.tokens + elapsed * f64::from(bucket.refill_per_second)).min(f64::from(bucket.capacity))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a level lies between nothing and a u32 capacity"
)]
fn whole(tokens: f64) -> u32 {
    tokens.max(0.0) as u32
}
