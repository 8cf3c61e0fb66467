//! What a plan costs: how many requests, and how many of them must wait for another's answer.

use std::sync::{Arc, Mutex};

use arcflux::http::Clock as _;
use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::model::Usage;
use arcflux::sim;
use arcflux::sim::quirks::{Paging, Quirks};
use async_trait::async_trait;

use crate::simulated::World;

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const FLEET: &str = include_str!("../../specs/fleet.yaml");

/// A transport that counts, and measures depth: a request is one deeper than the deepest one that had been answered
/// before it was sent.
struct Recorder<T> {
    inner: T,
    seen: Mutex<Seen>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Seen {
    requests: Vec<String>,
    deepest_answered: usize,
    depth: usize,
}

/// How often the engine may go on before an answer comes: an answer in no time would hide what goes out together.
const TURNS: usize = 8;

#[async_trait]
impl<T: Transport> Transport for Recorder<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let own = {
            let mut seen = self.seen.lock().unwrap();
            seen.requests.push(request.method().to_string());
            let own = seen.deepest_answered + 1;
            seen.depth = seen.depth.max(own);
            own
        };
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        let answer = self.inner.send(request).await;
        let mut seen = self.seen.lock().unwrap();
        seen.deepest_answered = seen.deepest_answered.max(own);
        answer
    }
}

/// What a plan that changes nothing sends.
async fn no_op_plan(spec: &str, settings: sim::Settings) -> Seen {
    let world = World::with(spec, settings);
    world.converge(spec).await;
    let recorder = Arc::new(Recorder { inner: world.sim.transport(), seen: Mutex::default() });
    let plan = world.through(recorder.clone()).plan(spec).await;
    assert!(!plan.has_changes() && !plan.waits());
    let seen = recorder.seen.lock().unwrap().clone();
    assert!(seen.requests.iter().all(|method| method == "GET"), "a plan only reads: {:?}", seen.requests);
    seen
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the numbers are worth seeing")]
async fn the_reads_of_one_cluster_go_out_at_once() {
    let seen = no_op_plan(QUICKSTART, sim::Settings::default()).await;
    println!("a plan of the quickstart sends {} requests, {} deep", seen.requests.len(), seen.depth);
    // Two providers, the group, the cluster with its three lists, one configuration.
    assert_eq!((seen.requests.len(), seen.depth), (8, 1));
}

#[tokio::test]
async fn a_page_is_one_deeper() {
    let quirks = Quirks { paging: Paging::EmptyPageFirst, ..Quirks::default() };
    let seen = no_op_plan(QUICKSTART, sim::Settings { quirks, ..sim::Settings::default() }).await;
    assert_eq!(seen.depth, 2);
}

#[tokio::test]
async fn a_plan_that_changes_everything_only_reads_too() {
    for spec in [QUICKSTART, FLEET] {
        let world = World::of(spec);
        let recorder = Arc::new(Recorder { inner: world.sim.transport(), seen: Mutex::default() });
        let plan = world.through(recorder.clone()).plan(spec).await;
        assert!(plan.has_changes());
        let seen = recorder.seen.lock().unwrap().clone();
        assert!(seen.requests.iter().all(|method| method == "GET"), "{:?}", seen.requests);
    }
}

/// The quickstart on so many clusters.
fn fleet(clusters: usize) -> String {
    let names: String = (0..clusters).map(|number| format!("  edge-{number:04}: {{}}\n")).collect();
    let (before, rest) = QUICKSTART.split_once("cluster:\n").unwrap();
    let after = &rest[rest.find("extension:").unwrap()..];
    format!("{before}clusters:\n{names}{after}").replace("store-001", "${cluster.name}")
}

#[tokio::test]
async fn a_plan_of_a_fleet_takes_as_long_as_arm_takes_for_its_reads_and_is_never_turned_away() {
    let clusters = 150;
    let spec = fleet(clusters);
    let world = World::of(&spec);
    let clock = world.sim.clock(1.0);
    let began = clock.now();
    let plan = world.plan(&spec).await;
    let seconds = clock.now().duration_since(began).as_secs();
    // Two providers, the group; each cluster with its three lists, and one configuration.
    let reads = 3 + 5 * clusters as u64;
    let Usage { reads: sent, writes, deletes, retries, throttled_seconds } = world.arm.usage();
    assert_eq!((sent, writes, deletes, retries), (reads, 0, 0, 0));
    assert_eq!(plan.counts().create, 1 + 2 * clusters);
    let least = i64::try_from((reads - 250) / 25).unwrap();
    assert!((least..=least + 2).contains(&seconds), "{seconds} s for {reads} reads");
    assert!(throttled_seconds > 0);
}
