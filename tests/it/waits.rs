//! Waits: how soon an end is noticed, what is told meanwhile, and what happens when the cluster falls silent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arcflux::apply::Interrupt;
use arcflux::graph;
use arcflux::http::{Patience, Request, Response, Transport, TransportError};
use arcflux::plan::{self, ApplyReport, EventKind, ExpectedRevision, Failure};
use arcflux::sim::{self, Scenario};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::simulated::{Placeholders, World, desired};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const EXTENSION: &str = "rg-edge/store-001/extension";
const CONFIGURATION: &str = "rg-edge/store-001/flux/flux-system";

/// Lets the world say something else than it does: gets the method, the path in lower case, how long ago the first request
/// was, and the body.
struct Told<F> {
    inner: sim::InProcess,
    sim: sim::Simulator,
    began: Timestamp,
    tell: F,
}

#[async_trait]
impl<F: Fn(&str, SignedDuration, String) -> String + Send + Sync> Transport for Told<F> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.uri().path().to_ascii_lowercase();
        let (parts, body) = self.inner.send(request).await?.into_parts();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let text = (self.tell)(&path, self.sim.now().duration_since(self.began), text);
        Ok(Response::from_parts(parts, text.into()))
    }
}

fn told<F: Fn(&str, SignedDuration, String) -> String + Send + Sync + 'static>(world: &World, tell: F) -> World {
    let (inner, sim) = (world.sim.transport(), world.sim.clone());
    let began = sim.now();
    world.through(Arc::new(Told { inner, sim, began, tell }))
}

/// A cluster that falls silent as soon as the plan is made, in this state, until so many minutes later. Meanwhile nothing
/// on it comes to an end.
fn silent_from_the_write_on(world: &World, state: &'static str, minutes: i64) -> World {
    told(world, move |path, since, text| {
        let is_silent = since > SignedDuration::from_secs(25) && since < SignedDuration::from_mins(minutes);
        match is_silent {
            true if path.ends_with("/connectedclusters/store-001") => {
                text.replace(r#""connectivityStatus":"Connected""#, &format!(r#""connectivityStatus":"{state}""#))
            }
            true if path.contains("/extensions/flux") => text
                .replace(r#""provisioningState":"Succeeded""#, r#""provisioningState":"Creating""#)
                .replace(r#""status":"Succeeded""#, r#""status":"Creating""#),
            _ => text,
        }
    })
}

fn failure(report: &ApplyReport, address: &str) -> (Failure, i64) {
    let (resource, failure) = report.failures().next().unwrap();
    assert_eq!(resource.address.to_string(), address);
    (failure.clone(), resource.elapsed_seconds)
}

#[tokio::test]
async fn a_cluster_that_falls_silent_is_named_and_not_waited_for_to_the_end() {
    let world = World::of(QUICKSTART);
    let world = silent_from_the_write_on(&world, "Offline", 600);
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let (failure, seconds) = failure(&report, EXTENSION);
    assert_eq!(failure.code, "cluster_not_ready");
    for part in ["the cluster is Offline, last heard of at 20", "48 h", "Creating"] {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
    assert!(failure.hint.unwrap().contains("az connectedk8s troubleshoot"));
    assert!((8 * 60..10 * 60).contains(&seconds), "given up after {seconds} s");
    // Whoever watches is told before it is given up.
    let events = world.events.lock().unwrap();
    assert!(events.iter().any(|event| {
        matches!(&event.kind, EventKind::ApplyProgress { status, .. } if status.starts_with("Creating; the cluster is Offline"))
    }));
}

#[tokio::test]
async fn a_cluster_that_comes_back_is_waited_for() {
    let world = World::of(QUICKSTART);
    let world = silent_from_the_write_on(&world, "Offline", 7);
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    assert!(report.converged(), "{report:#?}");
}

#[tokio::test]
async fn more_patience_is_given_to_a_silent_cluster_too() {
    let world = World::of(QUICKSTART);
    let world = silent_from_the_write_on(&world, "Offline", 25);
    let plan = world.plan(QUICKSTART).await;
    let report = world.apply_with(&plan, Some(Duration::from_secs(2 * 3600)), &Placeholders).await;
    assert!(report.converged(), "{report:#?}");
}

#[tokio::test]
async fn a_cluster_that_cannot_come_back_is_given_up_at_once() {
    let world = World::of(QUICKSTART);
    let world = silent_from_the_write_on(&world, "Expired", 600);
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let (failure, seconds) = failure(&report, EXTENSION);
    assert_eq!(failure.code, "cluster_not_ready");
    assert!(failure.message.contains("the cluster is Expired"), "{}", failure.message);
    assert!(failure.hint.unwrap().contains("az connectedk8s delete"));
    assert!(seconds < 5 * 60, "{seconds}");
}

#[tokio::test]
async fn a_silent_cluster_is_named_when_the_time_is_up_before_it_is_late() {
    let world = World::of(QUICKSTART);
    let world = silent_from_the_write_on(&world, "Offline", 600);
    let plan = world.plan(QUICKSTART).await;
    let report = world.apply_with(&plan, Some(Duration::from_secs(60)), &Placeholders).await;
    let (failure, _) = failure(&report, EXTENSION);
    assert_eq!(failure.code, "cluster_not_ready");
    assert!(failure.message.contains("the cluster is Offline"), "{}", failure.message);
}

/// Registration, extension, operation of the configuration, and what its chain of two kustomizations takes.
const CHAIN_SECONDS: i64 = 30 + 95 + 60 + 50 + 8;

#[tokio::test]
async fn an_end_is_noticed_soon() {
    let world = World::of(QUICKSTART);
    let plan = world.plan(QUICKSTART).await;
    let before = world.sim.now();
    assert!(world.apply(&plan).await.converged());
    let seconds = world.sim.now().duration_since(before).as_secs();
    assert!(seconds * 100 <= CHAIN_SECONDS * 115, "{seconds} s for a chain of {CHAIN_SECONDS} s");
}

#[tokio::test]
async fn something_is_told_every_half_minute() {
    let settings = sim::Settings { scenario: Some(Scenario::StaleStatuses), ..sim::Settings::default() };
    let world = World::with(QUICKSTART, settings);
    world.apply(&world.plan(QUICKSTART).await).await;
    let events = world.events.lock().unwrap();
    let mut told: BTreeMap<String, Timestamp> = BTreeMap::new();
    for event in events.iter() {
        if let Some(before) = told.insert(event.address.to_string(), event.at) {
            let silence = event.at.duration_since(before);
            assert!(silence <= SignedDuration::from_secs(31), "{silence:?} before {event:?}");
        }
    }
}

#[tokio::test]
async fn an_old_failure_is_believed_when_it_is_reported_again() {
    let settings = sim::Settings { scenario: Some(Scenario::WrongBranch), ..sim::Settings::default() };
    let world = World::with(QUICKSTART, settings);
    world.apply(&world.plan(QUICKSTART).await).await;
    // Three intervals later, four minutes before the next report.
    world.sim.advance(Duration::from_secs(36 * 60));
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let (resource, failure) = report.failures().next().unwrap();
    assert_eq!(failure.code, "not_compliant");
    assert!(!report.wrote());
    assert!(resource.elapsed_seconds <= 10 * 60 + 30, "{}", resource.elapsed_seconds);
    assert!(failure.hint.as_deref().unwrap().contains("`branch`"));
}

#[tokio::test]
async fn a_failure_that_may_pass_is_waited_for_to_the_end() {
    let world = World::of(QUICKSTART);
    let world = told(&world, |path, _, text| match path.contains("/fluxconfigurations/flux-system") {
        true => text
            .replace(
                r#""message":"Applied revision"#,
                r#""message":"health check failed after 10m0s: timeout waiting for: [Deployment/web]"#,
            )
            .replace(
                r#""reason":"ReconciliationSucceeded","status":"True""#,
                r#""reason":"HealthCheckFailed","status":"False""#,
            ),
        false => text,
    });
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let (resource, failure) = report.failures().next().unwrap();
    assert_eq!(failure.code, "timed_out");
    assert!(failure.message.contains("not done after 20m: Kustomization flux-system-"), "{}", failure.message);
    assert!(failure.message.contains("(HealthCheckFailed)"), "{}", failure.message);
    assert!(failure.hint.as_deref().unwrap().contains("kubectl describe"), "{failure:?}");
    assert!(resource.elapsed_seconds >= 20 * 60);
}

#[tokio::test]
async fn a_long_timeout_of_a_kustomization_gives_more_patience() {
    let spec = QUICKSTART.replace("    prune: true\n  app", "    prune: true\n    timeout: 40m\n  app");
    let settings = sim::Settings { scenario: Some(Scenario::StaleStatuses), ..sim::Settings::default() };
    let world = World::with(&spec, settings);
    let report = world.apply(&world.plan(&spec).await).await;
    let (_, failure) = report.failures().next().unwrap();
    assert!(failure.message.contains("not done after 1h20m"), "{}", failure.message);
}

#[tokio::test]
async fn what_arm_refuses_comes_with_a_remedy() {
    struct Refusing(sim::InProcess);
    #[async_trait]
    impl Transport for Refusing {
        async fn send(&self, request: Request) -> Result<Response, TransportError> {
            if request.method() != "PUT" {
                return self.0.send(request).await;
            }
            let body = r#"{"error":{"code":"AuthorizationFailed","message":"The client 'x' does not have authorization to perform action 'Microsoft.KubernetesConfiguration/extensions/write' over scope 's'."}}"#;
            let mut response = Response::new(body.into());
            *response.status_mut() = http::StatusCode::FORBIDDEN;
            Ok(response)
        }
    }
    let world = World::of(QUICKSTART);
    let world = world.through(Arc::new(Refusing(world.sim.transport())));
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let (failure, _) = failure(&report, EXTENSION);
    assert_eq!(failure.code, "rejected");
    assert!(failure.hint.unwrap().contains("Kubernetes Extension Contributor"));
}

/// The world of the quickstart, reconciled, and what an apply comes to that expects this revision.
async fn expecting(revision: impl Fn(&str) -> String) -> ApplyReport {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let graph = graph::build(&desired(QUICKSTART)).unwrap();
    let mut plan = world.plan(QUICKSTART).await;
    assert!(!plan.waits());
    let (id, version) = plan
        .resource_changes
        .iter()
        .find(|change| change.address.to_string() == CONFIGURATION)
        .map(|change| (change.id.to_string(), change.api_version.clone()))
        .unwrap();
    let (_, live) = world.curl("GET", &format!("{id}?api-version={version}"), &serde_json::Value::Null);
    let synced = live["properties"]["sourceSyncedCommitId"].as_str().unwrap();
    let (before, digest) = (plan.clone(), plan.computed_digest());
    let expected: ExpectedRevision = revision(synced).parse().unwrap();
    assert!(plan::expect_revisions(&mut plan, &graph, std::slice::from_ref(&expected)).is_empty());
    assert!(plan.waits() && !plan.has_changes() && before != plan);
    assert_eq!(plan.digest, digest, "what is written is the same");
    world.apply(&plan).await
}

#[tokio::test]
async fn the_expected_revision_must_be_the_synced_one() {
    let report = expecting(str::to_owned).await;
    assert!(report.converged() && !report.wrote(), "{report:#?}");
    let report = expecting(|_| format!("*/flux/flux-system=main@sha1:{}", "f".repeat(40))).await;
    let (_, failure) = report.failures().next().unwrap();
    assert_eq!(failure.code, "timed_out");
    assert!(
        failure.message.contains(&format!("and is expected at main@sha1:{}", "f".repeat(40))),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_revision_of_no_configuration_is_a_mistake() {
    let world = World::of(QUICKSTART);
    let graph = graph::build(&desired(QUICKSTART)).unwrap();
    let mut plan = world.plan(QUICKSTART).await;
    let expected: ExpectedRevision = format!("rg-west/*={}", "f".repeat(40)).parse().unwrap();
    let before = plan.clone();
    assert_eq!(plan::expect_revisions(&mut plan, &graph, std::slice::from_ref(&expected)), [&expected]);
    assert_eq!(plan, before);
}

/// A server that takes every call and answers none, from the first accepted write on. Whoever is silent takes time.
struct Silent {
    inner: sim::InProcess,
    sim: sim::Simulator,
    has_written: std::sync::atomic::AtomicBool,
    interrupt: Interrupt,
    interrupts: bool,
}

#[async_trait]
impl Transport for Silent {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        use std::sync::atomic::Ordering::SeqCst;
        if !self.has_written.load(SeqCst) {
            let is_write = request.method() == "PUT";
            let answer = self.inner.send(request).await;
            self.has_written.store(is_write, SeqCst);
            return answer;
        }
        if self.interrupts {
            self.interrupt.request();
        }
        let Patience(patience) = request.extensions().get().copied().unwrap_or(Patience(Duration::from_secs(100)));
        self.sim.advance(patience);
        Err(TransportError::Broken { host: "management.azure.com".to_owned(), source: "silence".into() })
    }
}

/// What a run came to whose server falls silent, and how long after the write it ended.
async fn silent(interrupts: bool) -> (Failure, SignedDuration) {
    let world = World::of(QUICKSTART);
    let plan = world.plan(QUICKSTART).await;
    let interrupt = Interrupt::default();
    let (inner, sim) = (world.sim.transport(), world.sim.clone());
    let has_written = std::sync::atomic::AtomicBool::new(false);
    let through = world.through(Arc::new(Silent { inner, sim, has_written, interrupt: interrupt.clone(), interrupts }));
    let report = through.apply_until(&plan, &interrupt).await;
    let events = through.events.lock().unwrap();
    let written = events.iter().rfind(|event| matches!(event.kind, EventKind::Accepted { .. })).unwrap().at;
    let (_, failure) = report.failures().next().unwrap();
    (failure.clone(), world.sim.now().duration_since(written))
}

#[tokio::test]
async fn a_wait_ends_in_time_though_nobody_answers() {
    let (failure, after) = silent(false).await;
    assert!(after <= SignedDuration::from_mins(21), "{after:?}");
    assert!(failure.message.contains("silence"), "{failure:?}");
}

#[tokio::test]
async fn whoever_wants_to_stop_does_not_wait_for_a_server_that_is_silent() {
    let (failure, after) = silent(true).await;
    assert_eq!(failure.code, "interrupted", "{failure:?}");
    assert!(after <= SignedDuration::from_mins(8), "{after:?}");
}
