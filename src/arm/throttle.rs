//! When a request may be sent: ARM's token buckets, kept in step with what ARM says, and a cap on what is under way.
//!
//! Those who wait stand in a queue for each bucket, and go in the order in which they came; polls stand in another one,
//! and leave some tokens to the rest. Whoever is dropped while it waits leaves its queue, and nothing behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::{Method, StatusCode};
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::request::Call;
use crate::http::message::header;
use crate::http::{Clock, Response, retry};
use crate::model::{Bucket, Metered};

/// How many requests are under way at once. ARM answers in well under a second, so this many are more than its buckets
/// let through even right after a start; and where it does not answer, sockets and memory stay bounded.
const IN_FLIGHT: usize = 64;

/// How many read tokens polls leave to other reads: a fifth of the bucket. A write comes with reads of its own (what it
/// builds on, what became of it); polls of a large fleet alone can use up the bucket, and would starve the writes.
const POLL_RESERVE: u32 = Metered::Reads.allowance().capacity / 5;

/// How long the first of the waiting polls leaves the reserve alone. Then the next token is its own: so nearly one in five
/// of those that come back is for polls, however busy others keep the bucket.
const POLL_YIELDS_FOR: Duration = Duration::from_millis(5 * 1000 / Metered::Reads.allowance().refill_per_second as u64);

/// Lets requests through. Shared by all clones of a client.
pub(super) struct Throttle {
    clock: Arc<dyn Clock>,
    /// How long a second of ARM's is on the clock.
    scale: f64,
    started: Timestamp,
    lanes: Mutex<BTreeMap<LaneKey, Arc<Lane>>>,
    in_flight: Semaphore,
    held: Mutex<Held>,
}

/// A subscription in lower case, or none for the tenant; and a kind of request.
type LaneKey = (Option<String>, Metered);

/// A bucket and those who wait for it.
struct Lane {
    bucket: Mutex<Bucket>,
    queue: tokio::sync::Mutex<()>,
    polls: tokio::sync::Mutex<()>,
    /// Whether the first of the polls has yielded for long enough.
    poll_is_due: AtomicBool,
}

/// How long somebody was held back: while several are, the time counts once.
#[derive(Default)]
struct Held {
    back: usize,
    since: Timestamp,
    total: Duration,
}

/// The leave to send one request, for as long as it is under way.
pub(super) struct Admission<'a> {
    lane: Arc<Lane>,
    metered: Metered,
    in_subscription: bool,
    _permit: Option<SemaphorePermit<'a>>,
}

/// Counts as held back for as long as it lives.
struct HeldBack<'a>(&'a Throttle);

impl Throttle {
    pub(super) fn new(clock: Arc<dyn Clock>, scale: f64) -> Self {
        let started = clock.now();
        let (lanes, held) = (Mutex::default(), Mutex::default());
        Self { clock, scale, started, lanes, in_flight: Semaphore::new(IN_FLIGHT), held }
    }

    /// Waits until `call` may be sent.
    pub(super) async fn admit(&self, call: &Call) -> Admission<'_> {
        let metered = metered(&call.method);
        let subscription = call.subscription().map(str::to_ascii_lowercase);
        let in_subscription = subscription.is_some();
        let lane = self.lane((subscription, metered));
        let permit = if call.is_poll { self.admit_poll(&lane).await } else { self.admit_next(&lane).await };
        Admission { lane, metered, in_subscription, _permit: permit }
    }

    async fn admit_next(&self, lane: &Lane) -> Option<SemaphorePermit<'_>> {
        let _turn = lane.queue.lock().await;
        // Where a poll is due, the next token is not for this one.
        let reserve = || u32::from(lane.poll_is_due.load(Ordering::Relaxed));
        loop {
            self.sleep_until_ready(lane, reserve, Duration::MAX).await;
            if let Ok(permit) = self.take(lane, reserve()).await {
                return permit;
            }
        }
    }

    async fn admit_poll(&self, lane: &Lane) -> Option<SemaphorePermit<'_>> {
        let _turn = lane.polls.lock().await;
        let yields_until = self.at().saturating_add(POLL_YIELDS_FOR);
        while self.at() < yields_until {
            self.sleep_until_ready(lane, || POLL_RESERVE, yields_until).await;
            if let Ok(permit) = self.take(lane, POLL_RESERVE).await {
                return permit;
            }
        }
        let _due = Due::new(&lane.poll_is_due);
        loop {
            self.sleep_until_ready(lane, || 0, Duration::MAX).await;
            if let Ok(permit) = self.take(lane, 0).await {
                return permit;
            }
        }
    }

    /// Takes a place among the requests under way, and then a token: what is taken is sent.
    async fn take(&self, lane: &Lane, reserve: u32) -> Result<Option<SemaphorePermit<'_>>, Duration> {
        // The semaphore is never closed.
        let permit = self.in_flight.acquire().await.ok();
        lane.bucket().take(self.at(), reserve).map(|()| permit)
    }

    /// Waits for a token beside `reserve` ones, but not past `latest`.
    async fn sleep_until_ready(&self, lane: &Lane, reserve: impl Fn() -> u32, latest: Duration) {
        let mut held = None;
        loop {
            let at = self.at();
            let wait = lane.bucket().wait(at, reserve()).min(latest.saturating_sub(at));
            if wait.is_zero() {
                return;
            }
            held.get_or_insert_with(|| HeldBack::new(self));
            // No clock waits for less than a millisecond.
            let wait = Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1));
            self.clock.sleep(scaled(wait, self.scale)).await;
        }
    }

    /// Learns from an answer. `asked` is how long a 429 asks to wait.
    pub(super) fn answered(
        &self,
        admission: &Admission<'_>,
        response: &Response,
        asked: Option<Duration>,
        jitter: f64,
    ) {
        let scope = if admission.in_subscription { "subscription" } else { "tenant" };
        let name = format!("x-ms-ratelimit-remaining-{scope}-{}", admission.metered.name());
        let remaining = header(response.headers(), &name).and_then(|text| text.trim().parse().ok());
        let (at, mut bucket) = (self.at(), admission.lane.bucket());
        if let Some(remaining) = remaining {
            bucket.correct(at, remaining);
        }
        if response.status() == StatusCode::TOO_MANY_REQUESTS
            && let Some(pause) = retry::pause(asked, jitter)
        {
            bucket.close(at, pause);
        }
    }

    /// For how long so far somebody was held back by ARM's limits.
    pub(super) fn held_back(&self) -> Duration {
        let Held { back, since, total } = *self.held();
        if back == 0 { total } else { total + between(since, self.clock.now()) }
    }

    /// Until when nobody is let through of those who wait, where somebody does.
    pub(super) fn limited_until(&self) -> Option<Timestamp> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_waited_at = |lane: &&Arc<Lane>| lane.queue.try_lock().is_err() || lane.polls.try_lock().is_err();
        let wait = lanes.values().filter(is_waited_at).map(|lane| lane.bucket().wait(self.at(), 0)).max()?;
        self.clock.now().checked_add(scaled(wait, self.scale)).ok().filter(|_| self.held().back > 0)
    }

    fn lane(&self, key: LaneKey) -> Arc<Lane> {
        let full = || {
            let bucket = Mutex::new(Bucket::full(key.1.allowance(), self.at()));
            let (queue, polls) = (tokio::sync::Mutex::default(), tokio::sync::Mutex::default());
            Arc::new(Lane { bucket, queue, polls, poll_is_due: AtomicBool::new(false) })
        };
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(key.clone()).or_insert_with(full))
    }

    /// The time on ARM's clock, from when the throttle was made.
    fn at(&self) -> Duration {
        scaled(between(self.started, self.clock.now()), self.scale.recip())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A poll is due for as long as this lives.
struct Due<'a>(&'a AtomicBool);

impl<'a> Due<'a> {
    fn new(poll_is_due: &'a AtomicBool) -> Self {
        poll_is_due.store(true, Ordering::Relaxed);
        Self(poll_is_due)
    }
}

impl Drop for Due<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl<'a> HeldBack<'a> {
    fn new(throttle: &'a Throttle) -> Self {
        let mut held = throttle.held();
        if held.back == 0 {
            held.since = throttle.clock.now();
        }
        held.back += 1;
        Self(throttle)
    }
}

impl Drop for HeldBack<'_> {
    fn drop(&mut self) {
        let mut held = self.0.held();
        held.back -= 1;
        if held.back == 0 {
            let length = between(held.since, self.0.clock.now());
            held.total += length;
        }
    }
}

/// Which bucket a request draws from.
pub(super) fn metered(method: &Method) -> Metered {
    match *method {
        Method::GET | Method::HEAD => Metered::Reads,
        Method::DELETE => Metered::Deletes,
        _ => Metered::Writes,
    }
}

/// `duration` times `factor`.
pub(super) fn scaled(duration: Duration, factor: f64) -> Duration {
    // Exact where nothing is scaled.
    if factor == 1.0 {
        return duration;
    }
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(duration)
}

fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}
