//! An ARM, or something in front of it, that answers what Azure never would: nothing it says leads a write elsewhere,
//! hides what exists, or breaks the process.

use std::sync::Arc;

use arcflux::arm::{ArmClient, ArmError, FixedToken, Origin};
use arcflux::http::{Clock as _, Request, Response, Transport, TransportError};
use arcflux::kinds::{extension, flux_configuration};
use arcflux::model::{Listing, LiveState, Reading, ResourceId, Secret};
use arcflux::plan::{self, Plan, PlanError, Step};
use arcflux::spec::Desired;
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::scripted::{Reply, Script, VirtualClock, client};
use crate::simulated::World;
use crate::world::{self, bare, converged, quickstart};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");

/// Names that would make another id of the one that they are put into.
const NAMES: [&str; 8] = [
    "flux/providers/Microsoft.Authorization/locks/x",
    "../../other/providers/Microsoft.KubernetesConfiguration/extensions/flux",
    "..",
    "",
    "flux?api-version=1",
    "flux#",
    "flux%2f..",
    "flux\u{1b}[2J",
];

fn towards(desired: &Desired, live: &LiveState) -> Result<Plan, Vec<PlanError>> {
    plan::make(&world::graph(desired), live, &desired.expanded, &world::options())
}

fn away(desired: &Desired, live: &LiveState) -> Result<Plan, Vec<PlanError>> {
    plan::destroy(&world::graph(desired), live, &desired.expanded, &world::options())
}

/// The list of a type on the cluster.
fn listing<'a>(live: &'a mut LiveState, resource_type: &str) -> &'a mut Listing {
    let found = live.listings.iter_mut().find(|(collection, _)| collection.as_str().ends_with(resource_type));
    found.map(|(_, listing)| listing).unwrap()
}

fn items<'a>(live: &'a mut LiveState, resource_type: &str) -> &'a mut Vec<Value> {
    match listing(live, resource_type) {
        Listing::Items(items) => items,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_in_a_list_never_leads_a_write_elsewhere() {
    let desired = quickstart();
    for name in NAMES.iter().map(|name| json!(name)).chain([Value::Null, json!(7), json!(["flux"])]) {
        let mut live = converged(&desired);
        items(&mut live, extension::RESOURCE_TYPE)[0]["name"] = name.clone();
        items(&mut live, extension::RESOURCE_TYPE)[0]["properties"]["configurationSettings"] = json!({});
        for planned in [towards(&desired, &live), away(&desired, &live)] {
            let errors = planned.unwrap_err();
            assert!(errors[0].message.contains("is not the name of a resource"), "{name}: {errors:?}");
        }
        let mut live = converged(&desired);
        items(&mut live, flux_configuration::RESOURCE_TYPE).push(json!({ "name": name }));
        for planned in [towards(&desired, &live), away(&desired, &live)] {
            let errors = planned.unwrap_err();
            assert!(errors[0].message.contains("is not the name of a resource"), "{name}: {errors:?}");
        }
    }
}

#[test]
fn an_item_that_is_listed_twice_is_one() {
    let desired = quickstart();
    let mut live = converged(&desired);
    let extensions = items(&mut live, extension::RESOURCE_TYPE);
    let mut twin = extensions[0].clone();
    twin["name"] = json!("FLUX");
    extensions.push(twin);
    assert!(!towards(&desired, &live).unwrap().has_changes());
}

#[test]
fn what_may_not_be_read_is_not_taken_for_gone_when_everything_is_taken_down() {
    let desired = quickstart();
    for resource_type in [extension::RESOURCE_TYPE, flux_configuration::RESOURCE_TYPE] {
        let mut live = converged(&desired);
        *listing(&mut live, resource_type) = Listing::Denied("no".to_owned());
        let errors = away(&desired, &live).unwrap_err();
        assert!(errors[0].message.contains("may not be listed: no"), "{errors:?}");
    }
    let mut live = converged(&desired);
    live.readings.insert(world::configuration_id(&desired), Reading::Denied("no".to_owned()));
    let errors = away(&desired, &live).unwrap_err();
    assert!(errors[0].message.contains("may not be read: no"), "{errors:?}");
}

/// What ARM calls a resource is never what is written to.
#[test]
fn the_ids_of_answers_are_not_written_to() {
    let desired = quickstart();
    let elsewhere = "/subscriptions/other/resourceGroups/prod/providers/N/t/x";
    let mut live = converged(&desired);
    for item in [extension::RESOURCE_TYPE, flux_configuration::RESOURCE_TYPE] {
        items(&mut live, item)[0]["id"] = json!(elsewhere);
    }
    for reading in live.readings.values_mut() {
        if let Reading::Present(body) = reading {
            body["id"] = json!(elsewhere);
        }
    }
    let cluster: Vec<ResourceId> =
        world::graph(&desired).nodes().iter().filter_map(|node| node.cluster.clone()).collect();
    let plan = away(&desired, &live).unwrap();
    let written: Vec<&ResourceId> = plan
        .resource_changes
        .iter()
        .flat_map(|change| &change.steps)
        .filter(|step| step.writes())
        .map(Step::id)
        .collect();
    assert_eq!(written.len(), 2);
    assert!(written.iter().all(|id| id.as_str().starts_with(cluster[0].as_str())), "{written:?}");
}

#[test]
fn bodies_of_no_sense_break_nothing() {
    let desired = quickstart();
    for nonsense in [
        json!(null),
        json!([]),
        json!("x"),
        json!(7),
        json!({}),
        json!({"properties": []}),
        json!({"properties": {"kustomizations": [1], "statuses": {"a": 1}, "gitRepository": "x", "configurationSettings": 3}}),
        json!({"properties": {"kustomizations": {"app": 3}, "statuses": [null, 3], "gitRepository": null, "scope": []}}),
    ] {
        let mut live = converged(&desired);
        for reading in live.readings.values_mut() {
            *reading = Reading::Present(nonsense.clone());
        }
        let _judged = (towards(&desired, &live), away(&desired, &live));
        let mut live = converged(&desired);
        live.readings.insert(world::configuration_id(&desired), Reading::Present(nonsense.clone()));
        let _judged = (towards(&desired, &live), away(&desired, &live));
        let mut live = bare(&desired);
        items(&mut live, extension::RESOURCE_TYPE).push(nonsense);
        let _judged = (towards(&desired, &live), away(&desired, &live));
    }
}

/// Makes every configuration say that Flux fails, and that it tries again after the longest time there is.
struct Never<T>(T);

#[async_trait]
impl<T: Transport> Transport for Never<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_read = request.method() == "GET" && request.uri().path().contains("/fluxConfigurations/");
        let mut response = self.0.send(request).await?;
        if is_read && response.status().is_success() {
            let mut body: Value = serde_json::from_slice(response.body()).unwrap();
            body["properties"]["gitRepository"]["syncIntervalInSeconds"] = json!(u64::MAX);
            body["properties"]["statuses"][0]["statusConditions"] =
                json!([{"type": "Ready", "status": "False", "reason": "Failed", "message": "authentication required"}]);
            body["properties"]["kustomizations"]["app"]["timeoutInSeconds"] = json!(u64::MAX);
            *response.body_mut() = body.to_string().into();
        }
        Ok(response)
    }
}

#[tokio::test]
async fn an_interval_without_end_breaks_nothing() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let never = world.through(Arc::new(Never(world.sim.transport())));
    let mut plan = never.plan(QUICKSTART).await;
    // As it was left, so that nothing is written and what is reported is old.
    plan.resource_changes.retain(|change| change.address.to_string().contains("/flux/"));
    plan.resource_changes[0].steps.retain(|step| matches!(step, Step::Wait { .. }));
    let report = never.apply(&plan).await;
    let (_, failure) = report.failures().next().unwrap();
    assert_eq!(failure.code, "not_compliant", "{failure:?}");
}

#[tokio::test]
async fn an_error_of_countless_causes_is_told_in_a_few() {
    let causes: Vec<Value> = (0..2_000).map(|number| json!({"message": format!("cause {number:09}")})).collect();
    let body = json!({"error": {"code": "Many", "message": "many", "details": causes}});
    let id: ResourceId = "/subscriptions/s".parse().unwrap();
    let line = "GET https://management.azure.com/subscriptions/s?api-version=1";
    let script = Script::new([(line, Reply::json(400, &body))]);
    let error = client(&script, &VirtualClock::new()).get(&id, "1").await.unwrap_err();
    let ArmError::Status(refusal) = error else { panic!("{error}") };
    assert!(refusal.message.starts_with("cause 000000000; cause 000000001"), "{}", &refusal.message[..100]);
    assert!(refusal.message.len() < 5000);
}

#[tokio::test]
async fn what_is_not_a_resource_is_not_taken_for_one() {
    let id: ResourceId = "/subscriptions/s".parse().unwrap();
    let line = "GET https://management.azure.com/subscriptions/s?api-version=1";
    for body in [json!(null), json!([]), json!("x"), json!({"error": {"code": "NotFound", "message": "no"}})] {
        let script = Script::new([(line, Reply::json(200, &body))]);
        let error = client(&script, &VirtualClock::new()).get(&id, "1").await.unwrap_err();
        assert!(matches!(error, ArmError::BadBody { .. }), "{body}: {error}");
    }
}

/// Answers every request in the same way.
struct Always(Response);

#[async_trait]
impl Transport for Always {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        Ok(self.0.clone())
    }
}

fn always(status: u16, headers: &[(&'static str, &str)], body: &str) -> (ArmClient, Arc<VirtualClock>) {
    let mut response = Response::new(body.to_owned().into());
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in headers {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    let clock = VirtualClock::new();
    let tokens = Arc::new(FixedToken::new(Secret::new("T0KEN".to_owned())));
    let origin = Origin::parse("https://management.azure.com").unwrap();
    (ArmClient::new(Arc::new(Always(response)), clock.clone(), tokens, origin), clock)
}

fn an_id() -> ResourceId {
    world::configuration_id(&quickstart())
}

#[tokio::test]
async fn a_wait_of_any_length_that_is_asked_for_breaks_nothing() {
    let lengths = [
        "0",
        "18446744073709551615",
        "-1",
        "1e9",
        "99999999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "\u{7f}",
    ];
    for (status, length) in
        [429, 500, 503, 408, 404].into_iter().flat_map(|status| lengths.map(|length| (status, length)))
    {
        let Ok(length) = http::HeaderValue::from_str(length) else { continue };
        let length = length.to_str().unwrap_or_default();
        let headers = [("retry-after", length), ("date", "Mon, 01 Jan 0001 00:00:00 GMT")];
        let (arm, clock) = always(status, &headers, "");
        let before = clock.now();
        let _told = arm.get(&an_id(), "2025-04-01").await;
        let _told = arm.put(&an_id(), "2025-04-01", &json!({})).await;
        assert!(clock.now().duration_since(before).as_hours() < 8, "{status} {length}");
    }
}

#[tokio::test]
async fn an_operation_that_tells_nothing_of_use_ends_at_the_deadline_or_before() {
    let deep = format!("{}1{}", "{\"status\":".repeat(5000), "}".repeat(5000));
    let twice = r#"{"status":"Failed","status":"InProgress","Status":"Succeeded"}"#;
    for (status, headers, body) in [
        (302, &[("location", "https://management.azure.com/elsewhere")][..], ""),
        (202, &[("retry-after", "18446744073709551615")][..], ""),
        (200, &[("retry-after", "0")][..], r#"{"status":"InProgress"}"#),
        (200, &[][..], r#"{"status":["Succeeded"]}"#),
        (200, &[][..], deep.as_str()),
        (200, &[][..], twice),
        (503, &[("retry-after", "18446744073709551615")][..], ""),
        (401, &[][..], ""),
    ] {
        let url = "https://management.azure.com/operations/1?s=SIGNATURE";
        let (starter, _) = always(201, &[("azure-asyncoperation", url)], "{}");
        let operation = starter.put(&an_id(), "2025-04-01", &json!({})).await.unwrap().operation.unwrap();
        let (arm, clock) = always(status, headers, body);
        let started = clock.now();
        let deadline = started.checked_add(std::time::Duration::from_secs(600)).unwrap();
        let error = arm.wait(&operation, deadline, &mut |_: &str| {}).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SIGNATURE"), "{error:?}");
        assert!(clock.now().duration_since(started).as_secs() < 2000, "{status} {body}: {error}");
    }
}

#[test]
fn thousands_of_items_are_planned_from() {
    let desired = quickstart();
    let mut live = converged(&desired);
    let many = (0..2_000).map(|number| json!({"name": format!("c{number}"), "kind": "Kustomization"}));
    items(&mut live, flux_configuration::RESOURCE_TYPE).extend(many.clone());
    items(&mut live, extension::RESOURCE_TYPE).extend(many);
    let status = |number: usize| {
        json!({
            "kind": "HelmRelease", "name": format!("r{number}"), "appliedBy": {"name": format!("r{}", number + 1)},
            "statusConditions": [{"type": "Ready", "status": "False", "reason": "x", "message": "y"}],
        })
    };
    world::edit_configuration(&desired, &mut live, |body| {
        let statuses = body["properties"]["statuses"].as_array_mut().unwrap();
        statuses.extend((0..20_000).map(status));
        body["properties"]["kustomizations"].as_object_mut().unwrap().extend(
            (0..500).map(|number| {
                (format!("k{number}"), json!({"path": "./a", "dependsOn": [format!("k{}", number + 1)]}))
            }),
        );
    });
    let plan = towards(&desired, &live).unwrap();
    for format in arcflux::view::Format::ALL {
        assert!(!arcflux::view::plan::render(&plan, format, &arcflux::view::Style::PLAIN).is_empty());
    }
    let _plan = away(&desired, &live).unwrap();
    let report = plan::StatusReport::of(&world::graph(&desired), &live);
    assert!(!report.is_compliant());
}

#[tokio::test]
async fn a_server_that_quotes_the_token_tells_it_to_nobody() {
    let id: ResourceId = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg".parse().unwrap();
    let line = format!("GET https://management.azure.com{id}?api-version=2024-03-01");
    let token = "eyJhbGciOiJub25lIn0.c2VjcmV0.sig";
    let quoted = format!("you sent Authorization: Bearer {token}");
    for reply in [
        Reply::json(400, &json!({"error": {"code": "Bad", "message": quoted}})),
        Reply::text(403, &format!("<html><title>{quoted}</title></html>")),
        Reply::json(400, &json!({"error": {"code": token}})).header("x-ms-correlation-request-id", token),
        Reply::json(200, &json!({"tags": {"note": quoted}})),
    ] {
        let script = Script::new([(line.as_str(), reply)]);
        let lines = Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = Arc::clone(&lines);
        let arm = ArmClient::new(
            Arc::clone(&script) as Arc<dyn Transport>,
            VirtualClock::new(),
            Arc::new(FixedToken::new(Secret::new(token.to_owned()))),
            Origin::parse("https://management.azure.com").unwrap(),
        )
        .observer(Arc::new(move |line: &str| log.lock().unwrap().push(line.to_owned())));
        let outcome = arm.get(&id, "2024-03-01").await;
        let told = match &outcome {
            Ok(reading) => format!("{reading:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        let sent = script.finished();
        assert!(sent[0].headers()["authorization"].to_str().unwrap().ends_with(token));
        let told = format!("{told} {:?}", lines.lock().unwrap());
        assert!(told.contains("access token") && !told.contains(token), "{told}");
    }
}
