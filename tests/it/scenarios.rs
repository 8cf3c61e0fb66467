//! What goes wrong on the way, and what an operator is told: which resource failed, which object is to blame, what the
//! controller said, what to do, and what was left alone because of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::plan::{ApplyReport, Choices, EventKind, Failure, Options, Outcome, Step, WaitFor};
use arcflux::sim::{self, Scenario};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::simulated::{Placeholders, World, options};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const EXTENSION: &str = "rg-edge/store-001/extension";
const CONFIGURATION: &str = "rg-edge/store-001/flux/flux-system";

/// A new world in which that goes wrong, and what an apply of the quickstart came to.
async fn applied(scenario: Scenario) -> (World, ApplyReport) {
    let world = World::with(QUICKSTART, sim::Settings { scenario: Some(scenario), ..sim::Settings::default() });
    let plan = world.plan(QUICKSTART).await;
    let report = world.apply(&plan).await;
    (world, report)
}

/// The failure of the one resource that failed.
#[track_caller]
fn failure(report: &ApplyReport, address: &str) -> Failure {
    let failures: Vec<(String, &Failure)> =
        report.failures().map(|(resource, failure)| (resource.address.to_string(), failure)).collect();
    assert_eq!(failures.iter().map(|(address, _)| address.as_str()).collect::<Vec<_>>(), [address], "{failures:#?}");
    failures[0].1.clone()
}

/// What became of a resource.
fn outcome<'a>(report: &'a ApplyReport, address: &str) -> &'a Outcome {
    &report.resources.iter().find(|resource| resource.address.to_string() == address).unwrap().outcome
}

/// The resource that a skipped one is skipped for.
fn skipped_for(report: &ApplyReport, address: &str) -> String {
    match outcome(report, address) {
        Outcome::Skipped { because: Some(cause) } => cause.to_string(),
        other => panic!("{address} is not skipped for another: {other:?}"),
    }
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[tokio::test]
async fn a_wrong_branch() {
    let (world, report) = applied(Scenario::WrongBranch).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "not_compliant");
    says(&failure.message, &["GitRepository flux-system", "GitOperationFailed", "couldn't find remote ref"]);
    says(&failure.message, &["refs/heads/main"]);
    says(failure.hint.as_deref().unwrap(), &["branch"]);
    assert!(!failure.message.contains("DependencyNotReady"), "an effect is not the cause: {}", failure.message);
    assert!(report.wrote());
    assert!(matches!(outcome(&report, EXTENSION), Outcome::Applied));
    let again = world.plan(QUICKSTART).await;
    assert!(!again.has_changes());
    assert!(again.notes.iter().any(|note| note.code == "not_compliant" && note.message.contains("remote ref")));
}

#[tokio::test]
async fn failed_authentication() {
    let (_, report) = applied(Scenario::AuthenticationFailed).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "not_compliant");
    says(&failure.message, &["GitRepository flux-system", "authentication required"]);
    says(failure.hint.as_deref().unwrap(), &["httpsUser", "httpsKey"]);
}

#[tokio::test]
async fn compliant_after_a_while_converges() {
    let (world, report) = applied(Scenario::CompliantAfterAWhile).await;
    assert!(report.converged(), "{report:#?}");
    let again = world.plan(QUICKSTART).await;
    assert!(!again.has_changes() && !again.waits());
}

#[tokio::test]
async fn statuses_from_before_the_write_prove_nothing() {
    let (world, report) = applied(Scenario::StaleStatuses).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "timed_out");
    says(&failure.message, &["20m", "no status has been reported since the last write"]);
    // Both times, so that one sees whether the agent is late or silent.
    says(&failure.message, &["last status 20", "last write 20"]);
    says(failure.hint.as_deref().unwrap(), &["arcflux status"]);
    assert!(report.resources.iter().all(|resource| !resource.goes_on), "every operation was seen to its end");
    assert!(!world.plan(QUICKSTART).await.has_changes(), "nothing is left to write");
}

#[tokio::test]
async fn two_revisions_are_both_named() {
    let (world, report) = applied(Scenario::TwoRevisions).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "timed_out");
    says(&failure.message, &["Kustomization flux-system-", "is at revision main@sha1:", "the source is at main@sha1:"]);
    let revisions: Vec<&str> = failure.message.split("main@sha1:").skip(1).map(|rest| &rest[..40]).collect();
    assert_eq!(revisions.len(), 2);
    assert_ne!(revisions[0], revisions[1]);
    assert!(!world.plan(QUICKSTART).await.has_changes());
}

#[tokio::test]
async fn an_offline_cluster_is_not_waited_for() {
    let (world, report) = applied(Scenario::AgentOffline).await;
    let failure = failure(&report, "rg-edge/store-001");
    assert_eq!(failure.code, "cluster_not_ready");
    says(&failure.message, &["Offline", "last heard of at"]);
    says(failure.hint.as_deref().unwrap(), &["az connectedk8s troubleshoot"]);
    for address in [EXTENSION, CONFIGURATION] {
        assert_eq!(skipped_for(&report, address), "rg-edge/store-001");
    }
    let writes = world.writes_since(0);
    assert!(writes.iter().all(|write| write.ends_with("/register")), "nothing is written below it: {writes:?}");
}

#[tokio::test]
async fn an_extension_that_cannot_be_installed() {
    let (world, report) = applied(Scenario::ExtensionInstallFailed).await;
    let failure = failure(&report, EXTENSION);
    assert_eq!(failure.code, "operation_failed");
    let listed =
        world.curl("GET", &format!("{}?api-version=2025-03-01", extension_id(&world).await), &serde_json::Value::Null);
    let said = listed.1["properties"]["statuses"][0]["message"].as_str().unwrap().to_owned();
    says(&failure.message, &[&said]);
    assert_eq!(skipped_for(&report, CONFIGURATION), EXTENSION);
    // The next plan repairs it rather than calling it done.
    let again = world.plan(QUICKSTART).await;
    assert!(again.notes.iter().any(|note| note.code == "extension_failed" && note.message.contains(&said)));
    assert!(again.has_changes());
}

async fn extension_id(world: &World) -> String {
    let plan = world.plan(QUICKSTART).await;
    plan.resource_changes.iter().find(|change| change.address.to_string() == EXTENSION).unwrap().id.to_string()
}

#[tokio::test]
async fn an_operation_that_never_ends() {
    let (world, report) = applied(Scenario::OperationStuck).await;
    let stuck = failure(&report, CONFIGURATION);
    assert_eq!(stuck.code, "timed_out");
    assert!(report.resources.iter().any(|resource| resource.goes_on), "{report:#?}");
    says(&stuck.message, &["10m", "Creating"]);
    says(stuck.hint.as_deref().unwrap(), &["--timeout"]);
    // The next run waits for it and writes nothing.
    let again = world.plan(QUICKSTART).await;
    assert!(!again.has_changes() && again.waits());
    let report = world.apply_with(&again, Some(Duration::from_secs(60)), &Placeholders).await;
    let stuck = failure(&report, CONFIGURATION);
    assert_eq!(stuck.code, "timed_out");
    says(&stuck.message, &["after 1m:"]);
}

#[tokio::test]
async fn who_waits_for_nothing_is_not_told_of_a_wait() {
    let (world, _) = applied(Scenario::OperationStuck).await;
    for (wait, waits) in [(WaitFor::Nothing, false), (WaitFor::Provisioned, true), (WaitFor::Compliant, true)] {
        let choices = Choices { wait, ..Choices::default() };
        let plan = world.try_plan(QUICKSTART, &Options { choices, ..options() }).await.unwrap();
        assert_eq!((plan.has_changes(), plan.waits()), (false, waits));
        let note = plan.notes.iter().find(|note| note.code == "operation_in_flight").unwrap();
        says(&note.message, &["Creating"]);
        assert_eq!(note.message.contains("waits"), waits, "{}", note.message);
    }
}

/// Lets the installation of an extension take so long: until then, whoever asks is told that it goes on.
struct SlowInstallation {
    inner: sim::InProcess,
    sim: sim::Simulator,
    takes: Duration,
    began: Mutex<Option<Timestamp>>,
}

#[async_trait]
impl Transport for SlowInstallation {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.uri().path().to_ascii_lowercase();
        if request.method() == "PUT" && path.contains("/extensions/") {
            *self.began.lock().unwrap() = Some(self.sim.now());
        }
        let response = self.inner.send(request).await?;
        let is_going =
            self.began.lock().unwrap().is_some_and(|began| {
                self.sim.now().duration_since(began) < SignedDuration::try_from(self.takes).unwrap()
            });
        if !is_going || !path.contains("/extensions") {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let text = text.replace(r#""provisioningState":"Succeeded""#, r#""provisioningState":"Creating""#);
        let text = text.replace(r#""status":"Succeeded""#, r#""status":"Creating""#);
        Ok(Response::from_parts(parts, text.into()))
    }
}

#[tokio::test]
async fn an_installation_of_three_quarters_of_an_hour() {
    let slow = |world: &World| SlowInstallation {
        inner: world.sim.transport(),
        sim: world.sim.clone(),
        takes: Duration::from_secs(45 * 60),
        began: Mutex::default(),
    };
    let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
    // With the patience for it, it is waited for, and told of all the while.
    let world = World::of(QUICKSTART);
    let slowed = world.through(Arc::new(slow(&world)));
    let report = slowed.apply_with(&slowed.plan(QUICKSTART).await, minutes(60), &Placeholders).await;
    assert!(report.converged(), "{report:#?}");
    let told = slowed.events.lock().unwrap().iter().filter(|event| {
        matches!(&event.kind, EventKind::ApplyProgress { elapsed_seconds, .. } if *elapsed_seconds > 20 * 60 && event.address.to_string() == EXTENSION)
    }).count();
    assert!(told > 20, "{told}");
    // Without, it is left to go on, and the next run waits for it and writes nothing to it again.
    let world = World::of(QUICKSTART);
    let slowed = world.through(Arc::new(slow(&world)));
    let report = slowed.apply_with(&slowed.plan(QUICKSTART).await, minutes(40), &Placeholders).await;
    let stuck = failure(&report, EXTENSION);
    assert_eq!(stuck.code, "timed_out");
    says(&stuck.message, &["40m", "Creating"]);
    says(stuck.hint.as_deref().unwrap(), &["--timeout"]);
    let again = slowed.plan(QUICKSTART).await;
    assert!(again.notes.iter().any(|note| note.code == "operation_in_flight" && note.message.contains("Creating")));
    let before = world.sim.requests().len();
    let report = slowed.apply_with(&again, minutes(40), &Placeholders).await;
    assert!(report.converged(), "{report:#?}");
    let writes = world.writes_since(before);
    assert!(writes.iter().all(|write| !write.contains("/extensions/")), "{writes:?}");
}

#[tokio::test]
async fn a_cluster_that_fails_does_not_stop_the_others() {
    let fleet = include_str!("../../specs/fleet.yaml");
    let world = World::of(fleet);
    let plan = world.plan(fleet).await;
    // One cluster's extension comes to be behind the plan's back, and not as planned, so its creation is refused.
    let extensions: Vec<_> =
        plan.resource_changes.iter().filter(|change| change.address.to_string().ends_with("/extension")).collect();
    let mut first = plan.clone();
    first.resource_changes.retain(|change| {
        change.address == extensions[0].address || change.address.to_string().starts_with("provider/")
    });
    assert!(extensions.len() > 1);
    for step in first.resource_changes.iter_mut().flat_map(|change| &mut change.steps) {
        if let Step::Put { body, .. } = step {
            body["properties"]["autoUpgradeMinorVersion"] = false.into();
        }
    }
    assert!(world.apply(&first).await.converged());
    let report = world.apply(&plan).await;
    let moved = failure(&report, &extensions[0].address.to_string());
    assert_eq!(moved.code, "moved");
    for resource in &report.resources {
        let is_its_own =
            resource.address.to_string().starts_with(&extensions[0].address.to_string().replace("/extension", "/flux"));
        let is_skipped = matches!(resource.outcome, Outcome::Skipped { .. });
        assert_eq!(is_skipped, is_its_own, "{}: {:?}", resource.address, resource.outcome);
    }
    world.converge(fleet).await;
}

#[tokio::test]
async fn a_wait_ends_when_its_patience_does_and_not_with_the_poll_after_it() {
    let settings = sim::Settings { scenario: Some(Scenario::StaleStatuses), ..sim::Settings::default() };
    let world = World::with(QUICKSTART, settings);
    let plan = world.plan(QUICKSTART).await;
    let patience = Duration::from_secs(130);
    let report = world.apply_with(&plan, Some(patience), &Placeholders).await;
    says(&failure(&report, CONFIGURATION).message, &["not done after 2m10s"]);
    let events = world.events.lock().unwrap();
    let looks: Vec<i64> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::ApplyProgress { waiting_for, elapsed_seconds, .. } if waiting_for == "Flux" => {
                Some(*elapsed_seconds)
            }
            _ => None,
        })
        .collect();
    assert_eq!(looks.last().unwrap() - looks[0], 130, "{looks:?}");
}
