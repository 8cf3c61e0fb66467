//! An ARM, or something in front of it, that answers what Azure never would: nothing it says leads a write elsewhere,
//! hides what exists, or breaks the process.

use std::sync::Arc;

use arcflux::arm::ArmError;
use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::kinds::{extension, flux_configuration};
use arcflux::model::{Listing, LiveState, Reading, ResourceId};
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
    let causes: Vec<Value> = (0..100_000).map(|number| json!({"message": format!("cause {number:09}")})).collect();
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
