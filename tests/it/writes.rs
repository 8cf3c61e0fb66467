//! What becomes of writes: without an answer, in the way of others, accepted and not applied.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::http::{Request, Response};
use arcflux::plan::{ApplyReport, Choices, EventKind, Failure, Options, Outcome, Workloads, Written};
use arcflux::sim::quirks::{OverlappingWrite, Quirks};
use arcflux::sim::{self, Scenario};
use serde_json::{Value, json};

use crate::meddling::{Deed, Meddling, answer, is, text, with_body};
use crate::simulated::{Placeholders, World, options};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const CONFIGURATION: &str = "rg-edge/store-001/flux/flux-system";
const EXTENSION: &str = "rg-edge/store-001/extension";
const FLUX: &str = "/fluxConfigurations/flux-system";

/// Does that to the first `times` requests of this method that end so.
fn first(
    times: usize,
    method: &'static str,
    end: &'static str,
    mut deed: impl FnMut(&Request) -> Deed + Send + 'static,
) -> impl FnMut(&Request) -> Deed + Send + 'static {
    let mut left = times;
    move |request| {
        if left == 0 || !is(request, method, end) {
            return Deed::Pass;
        }
        left -= 1;
        deed(request)
    }
}

fn written<'a>(report: &'a ApplyReport, address: &str) -> Vec<(&'a str, Option<u16>)> {
    let resource = report.resources.iter().find(|one| one.address.to_string() == address).unwrap();
    resource.writes.iter().map(|Written { method, status, .. }| (method.as_str(), *status)).collect()
}

#[track_caller]
fn failure(report: &ApplyReport, address: &str) -> Failure {
    let failures: Vec<_> = report.failures().collect();
    let [(resource, failure)] = failures.as_slice() else { panic!("{report:#?}") };
    assert_eq!(resource.address.to_string(), address);
    (*failure).clone()
}

/// The writes that the simulator got, whose path ends so.
fn got(world: &World, method: &str, end: &str) -> usize {
    let is_it =
        |line: &String| line.starts_with(method) && line.to_ascii_lowercase().ends_with(&end.to_ascii_lowercase());
    world.writes_since(0).iter().filter(|line| is_it(line)).count()
}

/// Whether somebody was told that this is waited for.
fn told(world: &World, what: &str) -> bool {
    world
        .events
        .lock()
        .unwrap()
        .iter()
        .any(|event| matches!(&event.kind, EventKind::ApplyProgress { waiting_for, .. } if waiting_for == what))
}

async fn converged(world: &World, spec: &str) -> ApplyReport {
    let report = world.apply(&world.plan(spec).await).await;
    assert!(report.converged(), "{report:#?}");
    let again = world.plan(spec).await;
    assert!(!again.has_changes() && !again.waits());
    report
}

fn edited() -> String {
    QUICKSTART.replace("retail/ApplicationRegistrations", "retail/Next")
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_sent_again() {
    for deed in [|_: &Request| Deed::LoseAnswer, |_: &Request| Deed::ActAndAnswer(text(504, "<html>late</html>"))] {
        for (method, end, address) in [
            ("PUT", FLUX, CONFIGURATION),
            ("PUT", "/extensions/flux", EXTENSION),
            ("POST", "/register", "provider/Microsoft.KubernetesConfiguration"),
        ] {
            let world = Meddling::with(&World::of(QUICKSTART), first(1, method, end, deed));
            let report = converged(&world, QUICKSTART).await;
            let writes = written(&report, address);
            assert_eq!(writes.len(), 1, "{writes:?}");
            assert!(matches!(writes[0].1, None | Some(504)), "{writes:?}");
            assert_eq!(got(&world, method, end), 1);
            assert!(told(&world, "what became of the write"));
        }
    }
}

#[tokio::test]
async fn a_write_that_got_lost_is_sent_again() {
    for (method, end, address) in [
        ("PUT", FLUX, CONFIGURATION),
        ("PUT", "/extensions/flux", EXTENSION),
        ("POST", "/register", "provider/Microsoft.KubernetesConfiguration"),
    ] {
        let world = Meddling::with(&World::of(QUICKSTART), first(2, method, end, |_| Deed::LoseRequest));
        let report = converged(&world, QUICKSTART).await;
        let statuses: Vec<bool> = written(&report, address).iter().map(|(_, status)| status.is_some()).collect();
        assert_eq!(statuses, [false, false, true]);
        assert_eq!(got(&world, method, end), 1);
    }
}

#[tokio::test]
async fn a_deletion_whose_answer_or_request_is_lost() {
    for (deed, writes) in [(true, 1), (false, 2)] {
        let world = World::of(QUICKSTART);
        world.converge(QUICKSTART).await;
        let deed = move |_: &Request| if deed { Deed::LoseAnswer } else { Deed::LoseRequest };
        let meddled = Meddling::with(&world, first(1, "DELETE", FLUX, deed));
        let report = meddled.apply(&world.destroy_plan(QUICKSTART, &options()).await).await;
        assert!(report.converged(), "{report:#?}");
        assert_eq!(written(&report, CONFIGURATION).len(), writes);
        assert_eq!(got(&world, "DELETE", FLUX), 1);
    }
}

#[tokio::test]
async fn a_patch_whose_answer_is_lost() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let meddled = Meddling::with(&world, first(1, "PATCH", "/extensions/flux", |_| Deed::LoseAnswer));
    let report = converged(&meddled, &QUICKSTART.replace("multiTenancy: false", "multiTenancy: true")).await;
    assert_eq!(written(&report, EXTENSION), [("PATCH", None)]);
}

#[tokio::test]
async fn a_write_that_never_gets_an_answer_ends() {
    let world = Meddling::with(&World::of(QUICKSTART), first(99, "PUT", FLUX, |_| Deed::LoseRequest));
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "outcome_unknown");
    assert!(failure.message.contains("it has not taken effect so far"), "{}", failure.message);
    assert_eq!(written(&report, CONFIGURATION), [("PUT", None); 4]);
    let outcome = &report.resources.last().unwrap().outcome;
    assert!(matches!(outcome, Outcome::Failed { wrote: true, .. }), "it may have been written: {outcome:?}");
}

#[tokio::test]
async fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let plan = world.plan(&edited()).await;
    let url = format!("{}?api-version=2025-04-01", plan.resource_changes.last().unwrap().id);
    let sim = World::through(&world, Arc::new(world.sim.transport()));
    let meddled = Meddling::with(
        &world,
        first(1, "PUT", FLUX, move |_| {
            let edit = json!({"properties": {"sourceKind": "GitRepository",
            "gitRepository": {"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "main"}},
            "kustomizations": {"app": {"prune": false}}}});
            assert_eq!(sim.curl("PATCH", &url, &edit).0, 202);
            Deed::LoseRequest
        }),
    );
    let report = meddled.apply(&plan).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "moved");
    assert!(failure.message.contains("kustomizations.app.prune"), "{}", failure.message);
    assert!(told(&meddled, "another operation to end"), "their operation is waited for first");
    assert_eq!(got(&world, "PUT", FLUX), 1, "the creation alone");
}

/// The quickstart with a secret.
fn with_https_key() -> String {
    QUICKSTART.replace("  branch: main", "  branch: main\n  httpsUser: git\n  httpsKey: {env: GIT_TOKEN}")
}

#[tokio::test]
async fn ids_that_quote_a_secret_tell_it_to_nobody() {
    // What the simulation of secrets resolves to; a server may put anything into its headers.
    const QUOTED: &str = "placeholder of env:GIT_TOKEN";
    for status in [None, Some(400)] {
        let spec = with_https_key();
        let world = World::of(&spec);
        let quoting = |mut response: Response| {
            response.headers_mut().insert("x-ms-correlation-request-id", QUOTED.parse().unwrap());
            let url = format!("{}/operations/{QUOTED}?api-version=1", arcflux::sim::ORIGIN);
            response.headers_mut().insert("azure-asyncoperation", url.parse().unwrap());
            response
        };
        let deed = move |_: &Request| match status {
            None => Deed::Change(quoting),
            Some(status) => Deed::Answer(quoting(answer(status, &json!({"error": {"code": "Odd", "message": "no"}})))),
        };
        let meddled = Meddling::with(&world, first(1, "PUT", FLUX, deed));
        let report = meddled.apply(&world.plan(&spec).await).await;
        let told = format!("{report:?} {:?}", meddled.events.lock().unwrap());
        assert!(!told.contains(QUOTED) && told.contains("(not an id)"), "{told}");
    }
}

#[tokio::test]
async fn a_secret_is_certain_to_be_sent() {
    let spec = with_https_key();
    for (lose_answer, puts) in [(true, 1), (false, 1)] {
        let world = World::of(&spec);
        let deed = move |_: &Request| if lose_answer { Deed::LoseAnswer } else { Deed::LoseRequest };
        let meddled = Meddling::with(&world, first(1, "PUT", FLUX, deed));
        let report = meddled.apply(&world.plan(&spec).await).await;
        assert!(report.converged(), "{report:#?}");
        assert_eq!(got(&world, "PUT", FLUX), puts);
        // Sent again although nothing else differs: what is live says nothing then, but when it was written.
        let choices = Choices { resend_secrets: true, ..Choices::default() };
        let plan = world.try_plan(&spec, &Options { choices, ..options() }).await.unwrap();
        let meddled = Meddling::with(&world, first(1, "PUT", FLUX, deed));
        let report = meddled.apply(&plan).await;
        assert!(report.converged(), "{report:#?}");
        assert_eq!(got(&world, "PUT", FLUX), puts + 1);
        assert_eq!(written(&report, CONFIGURATION).len(), if lose_answer { 1 } else { 2 });
    }
}

#[tokio::test]
async fn an_operation_of_somebody_else_is_waited_for_and_what_it_did_is_looked_at() {
    let spec = QUICKSTART.replace("multiTenancy: false", "multiTenancy: true");
    for (theirs, code) in [("true", None), ("false", Some("moved"))] {
        let world = World::of(QUICKSTART);
        world.converge(QUICKSTART).await;
        let plan = world.plan(&spec).await;
        let extension = plan.resource_changes.iter().find(|change| change.address.to_string() == EXTENSION).unwrap();
        let url = format!("{}?api-version=2025-03-01", extension.id);
        let settings = json!({"multiTenancy.enforce": theirs, "image-automation-controller.enabled": "true"});
        let settings = if code.is_none() { json!({"multiTenancy.enforce": "true"}) } else { settings };
        let edit = json!({"properties": {"configurationSettings": settings}});
        assert_eq!(world.curl("PATCH", &url, &edit).0, 202);
        let report = world.apply(&plan).await;
        assert!(told(&world, "another operation to end"));
        assert_eq!(got(&world, "PATCH", "/extensions/flux"), 1, "theirs");
        match code {
            None => {
                assert!(report.converged(), "{report:#?}");
                let outcomes: Vec<_> = report.resources.iter().map(|one| &one.outcome).collect();
                assert!(outcomes.contains(&&Outcome::Reached), "{outcomes:?}");
            }
            Some(code) => assert_eq!(failure(&report, EXTENSION).code, code),
        }
    }
}

#[tokio::test]
async fn a_write_that_is_not_possible_now_is_sent_later() {
    let busy = |_: &Request| {
        let error =
            json!({"error": {"code": "AnotherOperationInProgress", "message": "Another operation is in progress."}});
        Deed::Answer(answer(409, &error))
    };
    let world = Meddling::with(&World::of(QUICKSTART), first(9, "PUT", FLUX, busy));
    let report = converged(&world, QUICKSTART).await;
    let statuses: Vec<_> = written(&report, CONFIGURATION).into_iter().map(|(_, status)| status.unwrap()).collect();
    assert_eq!(statuses, [409, 409, 409, 409, 409, 409, 409, 409, 409, 201]);
    assert!(told(&world, "another operation to end"));
    // Not for ever.
    let world = Meddling::with(&World::of(QUICKSTART), first(9999, "PUT", FLUX, busy));
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "timed_out");
    assert!(failure.message.starts_with("not written: after 10m still"), "{}", failure.message);
}

fn without_prune(request: &Request) -> Deed {
    Deed::Instead(with_body(request, |body| body["properties"]["kustomizations"]["app"]["prune"] = json!(false)))
}

#[tokio::test]
async fn what_was_accepted_and_not_applied_is_sent_once_more() {
    let world = Meddling::with(&World::of(QUICKSTART), first(1, "PUT", FLUX, without_prune));
    let report = converged(&world, QUICKSTART).await;
    assert_eq!(written(&report, CONFIGURATION).len(), 2);
    assert!(told(&world, "the write to take effect"));
}

#[tokio::test]
async fn what_is_never_applied_is_said_with_what_is_live() {
    let world = Meddling::with(&World::of(QUICKSTART), first(99, "PUT", FLUX, without_prune));
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "not_applied");
    assert_eq!(failure.message, "accepted but not applied: kustomizations.app.prune, live is false; it was sent twice");
    assert_eq!(written(&report, CONFIGURATION).len(), 2);
    let outcome = &report.resources.last().unwrap().outcome;
    assert!(matches!(outcome, Outcome::Failed { wrote: true, .. }));
}

#[tokio::test]
async fn what_somebody_added_meanwhile_is_not_overwritten_by_the_second_time() {
    let adds = |request: &Request| {
        Deed::Instead(with_body(request, |body| {
            body["properties"]["kustomizations"]["by-hand"] = json!({"path": "./hand", "prune": true});
        }))
    };
    let world = Meddling::with(&World::of(QUICKSTART), first(1, "PUT", FLUX, adds));
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "moved");
    assert!(failure.message.contains("somebody added kustomizations.by-hand"), "{}", failure.message);
    assert_eq!(written(&report, CONFIGURATION).len(), 1);
}

/// Answers every poll of an operation so.
fn polls(deed: impl Fn() -> Deed + Send + 'static) -> impl FnMut(&Request) -> Deed + Send + 'static {
    move |request| match request.uri().path().to_ascii_lowercase().contains("/operations/") {
        true => deed(),
        false => Deed::Pass,
    }
}

#[tokio::test]
async fn a_lost_operation_is_followed_by_its_resource() {
    for status in [403, 404, 410, 500, 503] {
        let world = Meddling::with(
            &World::of(QUICKSTART),
            polls(move || Deed::Answer(answer(status, &json!({"error": {"code": "X", "message": "x"}})))),
        );
        converged(&world, QUICKSTART).await;
    }
    for body in
        ["<html>", "{}", "{\"status\": 7}", "{\"status\":\"Failed\",\"error\":{\"code\":\"X\",\"message\":\"x\"}}"]
    {
        let world = Meddling::with(&World::of(QUICKSTART), polls(move || Deed::Answer(text(200, body))));
        converged(&world, QUICKSTART).await;
    }
    let elsewhere = |mut response: arcflux::http::Response| {
        response
            .headers_mut()
            .insert("azure-asyncoperation", "https://elsewhere.example/operations/1".parse().unwrap());
        response
    };
    let world = Meddling::with(&World::of(QUICKSTART), move |request| match request.method().as_str() {
        "PUT" => Deed::Change(elsewhere),
        _ => Deed::Pass,
    });
    converged(&world, QUICKSTART).await;
    let events = world.events.lock().unwrap();
    let says = |event: &arcflux::plan::Event| matches!(&event.kind, EventKind::ApplyProgress { status, .. } if status.contains("elsewhere.example, which is not") && status.ends_with("the resource itself is asked"));
    assert!(events.iter().any(says), "that it was not followed is said");
}

#[tokio::test]
async fn a_time_out_names_the_operation_and_how_to_look() {
    let settings = sim::Settings { scenario: Some(Scenario::OperationStuck), ..sim::Settings::default() };
    let world = World::with(QUICKSTART, settings);
    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let failure = failure(&report, CONFIGURATION);
    let operation = report.resources.last().unwrap().writes[0].operation_id.clone().unwrap();
    assert!(failure.message.starts_with("not done after 10m: Creating"), "{}", failure.message);
    assert!(failure.message.ends_with(&format!(" (operation {operation})")), "{}", failure.message);
    let hint = failure.hint.unwrap();
    assert!(
        hint.contains(
            "`arcflux status` or `az k8s-configuration flux show -n flux-system -c store-001 -g rg-edge -t connectedClusters`"
        ),
        "{hint}"
    );
}

const TWO: &str = "\
apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-edge
cluster: {name: store-001}
configurations:
  one: &any
    namespace: any
    gitRepository: {url: https://github.com/contoso/gitops, branch: main}
    kustomizations: {app: {path: ./apps}}
  two: *any
";

#[tokio::test]
async fn a_cluster_is_held_while_an_operation_goes_on_that_nobody_waits_for_any_more() {
    let settings = sim::Settings { scenario: Some(Scenario::OperationStuck), ..sim::Settings::default() };
    let world = World::with(TWO, settings);
    let report = world.apply(&world.plan(TWO).await).await;
    let failures: Vec<_> = report.failures().map(|(_, failure)| failure.clone()).collect();
    assert_eq!(failures.len(), 2, "{report:#?}");
    assert!(failures.iter().all(|failure| failure.code == "timed_out"));
    assert_eq!(
        failures[1].message,
        "not written: another operation on rg-edge/store-001/flux/one has not ended after 10m: Creating"
    );
    assert_eq!(got(&world, "PUT", "/fluxConfigurations/two"), 0);
}

#[tokio::test]
async fn without_waiting_writes_of_one_cluster_still_go_one_after_the_other() {
    let world = World::of(TWO);
    let choices = Choices { wait: arcflux::plan::WaitFor::Nothing, ..Choices::default() };
    let plan = world.try_plan(TWO, &Options { choices, ..options() }).await.unwrap();
    let report = world.apply(&plan).await;
    assert!(report.converged(), "{report:#?}");
    assert!(told(&world, "another operation to end"), "the second waits for the first");
}

#[tokio::test]
async fn an_interrupt_ends_the_wait_of_a_write_that_was_not_sent() {
    let world = World::of(QUICKSTART);
    let interrupt = arcflux::apply::Interrupt::default();
    let wish = interrupt.clone();
    let throttled = move |_: &Request| {
        wish.request();
        let mut response = answer(429, &json!({"error": {"code": "TooManyRequests", "message": "later"}}));
        response.headers_mut().insert("retry-after", "300".parse().unwrap());
        Deed::Answer(response)
    };
    let meddled = Meddling::with(&world, first(9, "PUT", "/extensions/flux", throttled));
    let before = world.sim.now();
    let report = meddled.apply_until(&world.plan(QUICKSTART).await, &interrupt).await;
    assert!(report.interrupted);
    let failure = failure(&report, EXTENSION);
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("interrupted", "interrupted: the next write was not sent")
    );
    assert_eq!(got(&world, "PUT", "/extensions/flux"), 0);
    assert!(world.sim.now().duration_since(before).as_secs() < 300, "it waited before it stopped");
}

#[tokio::test]
async fn what_was_accepted_is_waited_for_after_an_interrupt_and_nothing_more_is_sent() {
    let world = World::of(QUICKSTART);
    let interrupt = arcflux::apply::Interrupt::default();
    let wish = interrupt.clone();
    let stops = move |_: &Request| {
        wish.request();
        Deed::LoseAnswer
    };
    // Also where no answer has come: what became of it is looked at.
    let meddled = Meddling::with(&world, first(1, "PUT", "/extensions/flux", stops));
    let report = meddled.apply_until(&world.plan(QUICKSTART).await, &interrupt).await;
    let outcome = |address: &str| {
        report.resources.iter().find(|one| one.address.to_string() == address).map(|one| one.outcome.clone()).unwrap()
    };
    assert_eq!(outcome(EXTENSION), Outcome::Applied);
    assert_eq!(outcome(CONFIGURATION), Outcome::Skipped { because: None });
    assert_eq!(got(&world, "PUT", FLUX), 0);
}

#[tokio::test]
async fn an_operation_that_met_another_write_is_sent_once_more() {
    let failed = |mut response: arcflux::http::Response| {
        let mut body: Value = serde_json::from_slice(response.body()).unwrap();
        if body["properties"]["provisioningState"] == "Succeeded" {
            body["properties"]["provisioningState"] = json!("Failed");
            body["properties"]["errorMessage"] = json!(
                "Operation cannot be fulfilled on fluxconfigs \"x\": the object has been modified; please apply your changes to the latest version"
            );
        }
        *response.body_mut() = body.to_string().into();
        response
    };
    let puts = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&puts);
    let world = World::of(QUICKSTART);
    let meddled = Meddling::with(&world, move |request| {
        seen.fetch_add(usize::from(is(request, "PUT", FLUX)), Ordering::SeqCst);
        match is(request, "GET", FLUX) && seen.load(Ordering::SeqCst) == 1 {
            true => Deed::Change(failed),
            false => Deed::Pass,
        }
    });
    let report = meddled.apply(&world.plan(QUICKSTART).await).await;
    assert!(report.converged(), "{report:#?}");
    assert_eq!(puts.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn few_reads_are_spent_on_a_cluster() {
    let world = World::of(QUICKSTART);
    let reads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&reads);
    let meddled = Meddling::with(&world, move |request| {
        if request.method() == "GET" {
            seen.lock().unwrap().push(request.uri().path().rsplit('/').nth(1).unwrap_or_default().to_owned());
        }
        Deed::Pass
    });
    let plan = world.plan(QUICKSTART).await;
    let report = meddled.apply(&plan).await;
    assert!(report.converged());
    // One before the write, one after it; the others are polls of the operation and of Flux's work.
    let reads = reads.lock().unwrap();
    let of = |kind: &str| reads.iter().filter(|read| read.as_str() == kind).count();
    assert_eq!(of("extensions"), 2, "{reads:?}");
}

#[tokio::test]
async fn a_removal_that_keeps_the_workloads_is_compared_step_by_step() {
    let without = &QUICKSTART[..QUICKSTART.find("  app:").unwrap()];
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let choices = Choices { workloads: Some(Workloads::Keep), ..Choices::default() };
    let options = Options { choices, ..options() };
    let ignored =
        |request: &Request| Deed::Instead(with_body(request, |body| body["properties"]["kustomizations"] = json!({})));
    let meddled = Meddling::with(&world, first(99, "PATCH", FLUX, ignored));
    let report = meddled.apply(&world.try_plan(without, &options).await.unwrap()).await;
    let failure = failure(&report, CONFIGURATION);
    assert_eq!(failure.code, "not_applied", "{failure:?}");
    assert!(failure.message.contains("kustomizations.app.prune, live is true"), "{}", failure.message);
    assert_eq!(got(&world, "PUT", FLUX), 1, "pruning is on, and the removal would take the workloads");
    let patient = meddled.apply_with(&world.plan(QUICKSTART).await, Some(Duration::from_secs(60)), &Placeholders).await;
    assert!(patient.converged());
}

#[tokio::test]
async fn a_deletion_does_not_wait_for_an_operation_that_may_never_end() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let plan = world.destroy_plan(QUICKSTART, &options()).await;
    // Without the extension, nobody ends what is written to a configuration.
    let id = |address: &str| {
        plan.resource_changes
            .iter()
            .find(|change| change.address.to_string() == address)
            .map(|change| &change.id)
            .unwrap()
    };
    assert_eq!(world.curl("DELETE", &format!("{}?api-version=2025-03-01", id(EXTENSION)), &Value::Null).0, 202);
    world.sim.advance(Duration::from_secs(300));
    let url = format!("{}?api-version=2025-04-01", id(CONFIGURATION));
    let edit = json!({"properties": {"sourceKind": "GitRepository",
        "gitRepository": {"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "main"}},
        "kustomizations": {"app": {"prune": false}}}});
    assert_eq!(world.curl("PATCH", &url, &edit).0, 202);
    world.sim.advance(Duration::from_secs(3600));
    assert_eq!(world.curl("GET", &url, &Value::Null).1["properties"]["provisioningState"], "Updating");
    let report = world.apply(&world.destroy_plan(QUICKSTART, &options()).await).await;
    assert!(report.converged(), "{report:#?}");
}

#[tokio::test]
async fn what_stands_in_the_way_on_the_cluster_is_named_and_the_advice_helps() {
    let quirks = Quirks { overlapping_write: OverlappingWrite::RefusedOnTheCluster, ..Quirks::default() };
    let world = World::with(QUICKSTART, sim::Settings { quirks, ..sim::Settings::default() });
    let plan = world.converge(QUICKSTART).await;
    let url = |address: &str, version: &str| {
        let change = plan.resource_changes.iter().find(|change| change.address.to_string() == address).unwrap();
        format!("{}?api-version={version}", change.id)
    };
    let (extension, configuration) = (url(EXTENSION, "2025-03-01"), url(CONFIGURATION, "2025-04-01"));
    // Somebody writes a configuration while there is no Flux: it waits for the extension, and the extension for it.
    assert_eq!(world.curl("DELETE", &extension, &Value::Null).0, 202);
    world.sim.advance(Duration::from_secs(300));
    let edit = json!({"properties": {"sourceKind": "GitRepository",
        "gitRepository": {"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "next"}}}});
    assert_eq!(world.curl("PATCH", &configuration, &edit).0, 202);

    let report = world.apply(&world.plan(QUICKSTART).await).await;
    let failure = report.failures().find(|(one, _)| one.address.to_string() == EXTENSION).unwrap().1;
    assert_eq!(failure.code, "timed_out");
    assert!(failure.message.ends_with("; fluxConfiguration flux-system is Updating"), "{}", failure.message);
    let hint = failure.hint.as_deref().unwrap();
    assert!(
        hint.contains("az k8s-configuration flux delete -n flux-system -c store-001 -g rg-edge -t connectedClusters")
    );

    assert_eq!(world.curl("DELETE", &configuration, &Value::Null).0, 202);
    world.sim.advance(Duration::from_secs(300));
    converged(&world, QUICKSTART).await;
}
