//! Several clusters at once, on a clock on which waits that overlap take no longer than the longest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::apply::{self, Interrupt, Secrets, Timeouts};
use arcflux::arm::{ArmClient, FixedToken};
use arcflux::http::{Clock, Origin, Request, Response, SystemClock, Transport, TransportError};
use arcflux::model::Secret;
use arcflux::plan::{ApplyReport, Event, EventKind};
use arcflux::sim::{self, InProcess, Simulator};
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::simulated::{Placeholders, World};

const TWO: &str = "\
apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-edge
clusters: {slow: {}, store-001: {}, store-002: {}}
configurations:
  one: &any
    namespace: any
    gitRepository: {url: https://github.com/contoso/gitops, branch: main}
    kustomizations: {app: {path: ./apps}}
  two: *any
";

/// The simulator's clock, at the pace of tokio's, which stands still until everybody waits.
#[derive(Clone)]
struct Paused {
    sim: Simulator,
    began: Instant,
    start: Timestamp,
}

impl Paused {
    fn of(sim: &Simulator) -> Self {
        Self { sim: sim.clone(), began: Instant::now(), start: sim.now() }
    }
}

#[async_trait]
impl Clock for Paused {
    fn now(&self) -> Timestamp {
        self.start.checked_add(self.began.elapsed()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
        self.sim.advance_to(self.now());
    }
}

/// Writes to the cluster `slow` take a quarter of an hour to be answered.
struct SlowOne {
    inner: InProcess,
    clock: Paused,
}

#[async_trait]
impl Transport for SlowOne {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method() == "PUT" && request.uri().path().contains("/slow/") {
            self.clock.sleep(Duration::from_secs(900)).await;
        }
        self.clock.sleep(Duration::from_millis(80)).await;
        self.inner.send(request).await
    }
}

async fn applied(parallelism: Option<usize>) -> (ApplyReport, Vec<Event>, Timestamp) {
    let world = World::of(TWO);
    let plan = world.plan(TWO).await;
    let clock = Paused::of(&world.sim);
    let start = clock.now();
    let transport = Arc::new(SlowOne { inner: world.sim.transport(), clock: clock.clone() });
    let token = Arc::new(FixedToken::new(Secret::new("T0KEN".to_owned())));
    let arm =
        ArmClient::new(transport, Arc::new(clock), token, Origin::parse(sim::ORIGIN).unwrap()).jitter(Arc::new(|| 0.5));
    let events = Mutex::new(Vec::new());
    let secrets = Secrets::read(&plan, &Placeholders, start).unwrap();
    let settings = apply::Settings {
        parallelism,
        timeouts: Timeouts { all: None },
        secrets: &secrets,
        events: &|event| events.lock().unwrap().push(event),
        interrupt: &Interrupt::default(),
        clusters: None,
    };
    let report = apply::run(&plan, &arm, &settings).await;
    assert!(report.converged(), "{report:#?}");
    (report, events.into_inner().unwrap(), start)
}

/// After how many seconds each resource was done.
fn ends(events: &[Event], start: Timestamp) -> BTreeMap<String, i64> {
    let end = |event: &Event| match event.kind {
        EventKind::ApplyComplete { .. } => Some((event.address.to_string(), event.at.duration_since(start).as_secs())),
        _ => None,
    };
    events.iter().filter_map(end).collect()
}

#[tokio::test(start_paused = true)]
async fn a_slow_cluster_holds_nobody_up() {
    let (_, events, start) = applied(None).await;
    let ends = ends(&events, start);
    assert!(ends["rg-edge/slow/extension"] > 900);
    for (address, end) in ends.iter().filter(|(address, _)| address.contains("store-")) {
        assert!(*end < 600, "{address} was done after {end} s");
    }
    assert_eq!(ends.keys().filter(|address| address.contains("store-") && address.contains("/flux/")).count(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_same_run_happens_twice_in_the_same_order() {
    let told = |events: Vec<Event>| -> Vec<String> {
        events.iter().map(|event| format!("{} {} {:?}", event.at, event.address, event.kind)).collect()
    };
    let (_, one, _) = applied(None).await;
    let (_, other, _) = applied(None).await;
    assert_eq!(told(one), told(other));
}

#[tokio::test(start_paused = true)]
async fn no_more_are_under_way_than_may_be() {
    let (_, events, _) = applied(Some(2)).await;
    let mut under_way = 0_usize;
    let mut most = 0;
    for event in &events {
        match event.kind {
            EventKind::ApplyStart { .. } => under_way += 1,
            EventKind::ApplyComplete { .. } | EventKind::ApplyErrored { .. } => under_way -= 1,
            _ => {}
        }
        most = most.max(under_way);
    }
    assert_eq!(most, 2);
}
