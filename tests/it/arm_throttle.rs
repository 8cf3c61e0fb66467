//! How the client keeps within ARM's limits, in virtual time: what goes out when, in which order, and who waits for whom.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::arm::{ArmClient, FixedToken};
use arcflux::http::{Clock, Origin, Request, Response, SystemClock, Transport, TransportError};
use arcflux::model::{ResourceId, Secret, Usage};
use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use crate::scripted::ARM;

/// The clock of a paused runtime: it jumps on when everybody waits.
struct PausedClock(Instant);

impl PausedClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[async_trait]
impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(self.elapsed()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}

/// What the server saw of one request.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    at: Duration,
}

type Answer = Box<dyn Fn(usize) -> Response + Send + Sync>;

/// A server that answers after a while, and counts.
struct Server {
    clock: Arc<PausedClock>,
    latency: Duration,
    answer: Answer,
    seen: Mutex<Vec<Seen>>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

/// Counts down again also when the request is given up.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Transport for Server {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        let _under_way = UnderWay(&self.under_way);
        self.most_under_way.fetch_max(now, Ordering::SeqCst);
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(Seen {
                line: format!("{} {}", request.method(), request.uri().path()),
                at: self.clock.elapsed(),
            });
            seen.len()
        };
        SystemClock.sleep(self.latency).await;
        Ok((self.answer)(number))
    }
}

fn response(status: u16, headers: &[(&'static str, &str)]) -> Response {
    let mut response = Response::new(Bytes::from_static(b"{}"));
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

struct World {
    arm: ArmClient,
    server: Arc<Server>,
}

impl World {
    /// A server that answers request number `n`, counted from 1, with `answer(n)`.
    fn answering(latency: u64, answer: impl Fn(usize) -> Response + Send + Sync + 'static) -> Self {
        let clock = Arc::new(PausedClock(Instant::now()));
        let server = Arc::new(Server {
            clock: clock.clone(),
            latency: Duration::from_millis(latency),
            answer: Box::new(answer),
            seen: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
        });
        let token = Arc::new(FixedToken::new(Secret::new("token".to_owned())));
        let arm = ArmClient::new(server.clone(), clock, token, Origin::parse(ARM).unwrap()).jitter(Arc::new(|| 0.5));
        Self { arm, server }
    }

    fn new(latency: u64) -> Self {
        Self::answering(latency, |_| response(200, &[]))
    }

    fn read(&self, name: &str) -> impl Future<Output = ()> + use<> {
        let (arm, id) = (self.arm.clone(), id("s", name));
        async move {
            arm.get(&id, "1").await.unwrap();
        }
    }

    fn poll(&self, name: &str) -> impl Future<Output = ()> + use<> {
        let (arm, id) = (self.arm.clone(), id("s", name));
        async move {
            arm.poll(&id, "1", Duration::MAX).await.unwrap();
        }
    }

    fn reads(&self, name: &str, count: usize) -> impl Future<Output = Vec<()>> + use<> {
        join_all((0..count).map(|_| self.read(name)).collect::<Vec<_>>())
    }

    fn polls(&self, count: usize) -> impl Future<Output = Vec<()>> + use<> {
        join_all((0..count).map(|_| self.poll("poll")).collect::<Vec<_>>())
    }

    /// The moments at which requests went out whose line ends with `end`.
    fn sent(&self, end: &str) -> Vec<Duration> {
        let seen = self.server.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.line.ends_with(end)).map(|seen| seen.at).collect()
    }

    fn elapsed(&self) -> Duration {
        self.server.clock.elapsed()
    }
}

fn id(subscription: &str, name: &str) -> ResourceId {
    ResourceId::subscription(subscription).resource_group(name)
}

/// Whether no window of `sent` holds more than the bucket and what came back in it.
#[track_caller]
fn assert_within(sent: &[Duration], capacity: f64, refill: f64) {
    for (first, from) in sent.iter().enumerate() {
        for (last, to) in sent.iter().enumerate().skip(first) {
            let count = f64::from(u32::try_from(last - first + 1).unwrap());
            let allowed = capacity + (*to - *from).as_secs_f64() * refill;
            assert!(count <= allowed + 1e-6, "{count} requests from {from:?} to {to:?}");
        }
    }
}

#[track_caller]
fn assert_about(measured: Duration, seconds: f64) {
    assert!((measured.as_secs_f64() - seconds).abs() < 0.5, "{measured:?} is not about {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn no_more_goes_out_than_arm_takes_and_no_less() {
    let world = World::new(100);
    world.reads("a", 600).await;
    assert_within(&world.sent("a"), 250.0, 25.0);
    assert_about(world.elapsed(), (600.0 - 250.0) / 25.0);
    let Usage { reads, writes, deletes, retries, throttled_seconds } = world.arm.usage();
    assert_eq!((reads, writes, deletes, retries), (600, 0, 0, 0));
    assert!((13..=14).contains(&throttled_seconds), "held back for {throttled_seconds} s, each second counted once");
}

#[tokio::test(start_paused = true)]
async fn at_most_so_many_requests_are_under_way() {
    let world = World::new(5000);
    world.reads("a", 200).await;
    assert_eq!(world.server.most_under_way.load(Ordering::SeqCst), 64);
    assert_eq!(world.arm.usage().throttled_seconds, 0, "the cap is not ARM's limit");
}

#[tokio::test(start_paused = true)]
async fn each_kind_and_each_subscription_has_its_own_bucket() {
    let world = World::new(50);
    let writes = |subscription: &'static str, count: usize| {
        let arm = world.arm.clone();
        join_all((0..count).map(move |_| {
            let arm = arm.clone();
            async move { arm.put(&id(subscription, "put"), "1", &json!({})).await.unwrap() }
        }))
    };
    let deletes = join_all((0..300).map(|_| {
        let arm = world.arm.clone();
        async move { arm.delete(&id("S", "delete"), "1").await.unwrap() }
    }));
    tokio::join!(writes("s", 300), writes("other", 300), deletes, world.reads("a", 100));
    assert_about(world.elapsed(), (300.0 - 200.0) / 10.0);
    let (ours, others) = ("PUT /subscriptions/s/resourceGroups/put", "PUT /subscriptions/other/resourceGroups/put");
    for line in [ours, others, "DELETE /subscriptions/S/resourceGroups/delete"] {
        assert_eq!(world.sent(line).len(), 300, "{line}");
        assert_within(&world.sent(line), 200.0, 10.0);
    }
    let Usage { reads, writes, deletes, .. } = world.arm.usage();
    assert_eq!((reads, writes, deletes), (100, 600, 300));
    assert_eq!(world.arm.usage().throttled_seconds, 10, "three queues at a time are counted once");
}

#[tokio::test(start_paused = true)]
async fn requests_go_in_the_order_in_which_they_came() {
    let world = World::new(10);
    let names: Vec<String> = (0..300).map(|number| format!("n{number:03}")).collect();
    join_all(names.iter().map(|name| world.read(name))).await;
    let seen: Vec<String> = world.server.seen.lock().unwrap().iter().map(|seen| seen.line.clone()).collect();
    assert!(seen.is_sorted(), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_429_holds_everybody_back_and_then_they_come_one_after_the_other() {
    let world = World::answering(10, |number| match number {
        1 => response(429, &[("retry-after", "20")]),
        _ => response(200, &[]),
    });
    let first = world.read("first");
    let others = async {
        SystemClock.sleep(Duration::from_millis(50)).await;
        world.reads("other", 50).await;
    };
    tokio::join!(first, others);
    // Nobody ran into it, and a little was added to what was asked for.
    let sent = world.sent("other");
    assert!(sent.iter().all(|at| (20.0..23.0).contains(&at.as_secs_f64())), "{sent:?}");
    assert_within(&sent, 1.0, 25.0);
    let Usage { reads, retries, throttled_seconds, .. } = world.arm.usage();
    assert_eq!((reads, retries), (52, 1));
    assert!((20..=23).contains(&throttled_seconds), "{throttled_seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_429_of_one_kind_does_not_hold_back_another() {
    let world = World::answering(10, |number| match number {
        1 => response(429, &[("retry-after", "60")]),
        _ => response(200, &[]),
    });
    let id = id("s", "put");
    let body = json!({});
    let put = world.arm.put(&id, "1", &body);
    let read = async {
        SystemClock.sleep(Duration::from_millis(50)).await;
        world.read("a").await;
        world.elapsed()
    };
    let (put, read) = tokio::join!(put, read);
    put.unwrap();
    assert!(read < Duration::from_secs(1) && world.elapsed() > Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_429_that_asks_for_nothing_is_a_pause_and_one_that_asks_for_an_hour_an_error() {
    let world = World::answering(10, |number| match number {
        1 => response(429, &[]),
        2 => response(429, &[("retry-after", "3600")]),
        _ => response(200, &[]),
    });
    let error = world.arm.get(&id("s", "a"), "1").await.unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 429);
    assert_about(world.elapsed(), 15.0);
    // It holds nobody else back for that hour.
    world.read("b").await;
    assert_about(world.elapsed(), 15.0);
}

#[tokio::test(start_paused = true)]
async fn arm_is_believed_when_it_says_that_less_is_left_and_not_when_it_says_more() {
    for (header, told, at_once) in [
        ("x-ms-ratelimit-remaining-subscription-reads", "4", 5),
        ("x-ms-ratelimit-remaining-subscription-reads", "11999", 249),
        ("x-ms-ratelimit-remaining-subscription-global-reads", "4", 249),
        ("x-ms-ratelimit-remaining-subscription-writes", "4", 249),
        ("x-ms-ratelimit-remaining-subscription-reads", "few", 249),
    ] {
        let world = World::answering(0, move |number| match number {
            1 => response(200, &[(header, told)]),
            _ => response(200, &[]),
        });
        world.read("first").await;
        let now = world.elapsed();
        world.reads("a", 300).await;
        let count = world.sent("a").iter().filter(|at| **at - now < Duration::from_millis(20)).count();
        assert!(count.abs_diff(at_once) <= 1, "{header}: {told}: {count} at once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_lies_outside_of_subscriptions_is_counted_for_the_tenant() {
    let world = World::answering(0, |_| response(200, &[("x-ms-ratelimit-remaining-tenant-reads", "0")]));
    let provider: ResourceId = "/providers/Microsoft.Kubernetes/locations/x/operationStatuses/y".parse().unwrap();
    world.arm.get(&provider, "1").await.unwrap();
    world.arm.get(&provider, "1").await.unwrap();
    world.arm.get(&provider, "1").await.unwrap();
    assert!(world.elapsed() >= Duration::from_millis(40));
    // The subscription's bucket is another one.
    let now = world.elapsed();
    world.reads("a", 250).await;
    assert_eq!(world.elapsed(), now);
}

#[tokio::test(start_paused = true)]
async fn polls_leave_a_reserve_to_other_reads() {
    let world = World::new(10);
    let polls = world.polls(1000);
    let reads = async {
        SystemClock.sleep(Duration::from_secs(5)).await;
        let began = world.elapsed();
        world.reads("a", 40).await;
        world.elapsed() - began
    };
    let (_, took) = tokio::join!(polls, reads);
    assert!(took < Duration::from_millis(100), "reads waited {took:?} behind polls");
    assert_eq!(world.sent("poll").iter().filter(|at| at.as_secs() < 1).count(), 224);
    // What comes back is all for polls when nobody else needs it.
    assert_about(world.elapsed(), (1040.0 - 250.0 + 50.0) / 25.0);
}

#[tokio::test(start_paused = true)]
async fn polls_are_not_starved_for_ever() {
    let world = World::new(10);
    let polls = async {
        SystemClock.sleep(Duration::from_millis(1)).await;
        world.polls(250).await;
        world.elapsed()
    };
    // Reads without end: each that is answered is followed by another.
    let readers = async {
        join_all((0..300).map(|_| async {
            while world.elapsed() < Duration::from_secs(200) {
                world.read("a").await;
            }
        }))
        .await
    };
    let (done, _) = tokio::join!(polls, readers);
    // Nearly a fifth of what comes back is theirs.
    assert!(done < Duration::from_secs(70), "polls took {done:?} beside other reads");
    assert_within(&world.sent(""), 250.0, 25.0);
    let beside = world.sent("a").iter().filter(|at| **at < done).count();
    assert!(beside > 1250, "{beside} other reads in {done:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_waiting_leaves_nothing_behind() {
    let world = World::new(10);
    world.reads("a", 250).await;
    for _ in 0..3 {
        // They wait in both queues, and one of each for a token, and are dropped there.
        let waiting = async { tokio::join!(world.reads("dropped", 50), world.polls(50)) };
        tokio::select! {
            biased;
            _ = waiting => panic!("there were no tokens for them"),
            () = SystemClock.sleep(Duration::from_millis(350)) => {}
        }
    }
    let began = world.elapsed();
    world.read("b").await;
    let took = world.elapsed() - began;
    assert!(took < Duration::from_millis(100), "the next one waited {took:?}");
    // Nobody waits: the time that counts as held back stands still.
    let held = world.arm.usage().throttled_seconds;
    SystemClock.sleep(Duration::from_secs(100)).await;
    assert_eq!(world.arm.usage().throttled_seconds, held);

    // And under way: all places are free again.
    let world = World::new(3_600_000);
    tokio::select! {
        biased;
        _ = world.reads("dropped", 100) => panic!("the server answers in an hour"),
        () = SystemClock.sleep(Duration::from_secs(1)) => {}
    }
    assert_eq!(world.sent("dropped").len(), 64);
    let next = world.reads("next", 64);
    tokio::select! {
        biased;
        _ = next => panic!("the server answers in an hour"),
        () = SystemClock.sleep(Duration::from_secs(1)) => {}
    }
    assert_eq!(world.sent("next").len(), 64);
}

#[tokio::test(start_paused = true)]
async fn scaled_waits_scale_the_limits_with_them() {
    for (scale, seconds) in [(0.1, 1.4), (2.0, 28.0)] {
        let World { arm, server } = World::new(1);
        let world = World { arm: arm.poll_scale(scale), server };
        world.reads("a", 600).await;
        assert_about(world.elapsed(), seconds);
        assert_within(&world.sent("a"), 250.0, 25.0 / scale);
    }
}
