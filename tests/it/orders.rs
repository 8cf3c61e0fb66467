//! One live state, one plan, to the byte: whatever order ARM's keys, statuses and listings come in, and however often a
//! page repeats an item.

use arcflux::graph::FLUX_V1;
use arcflux::kinds::{extension, flux_configuration};
use arcflux::model::{Listing, LiveState, Reading};
use arcflux::plan::{self, Choices, Options, Plan, PlanError, Workloads};
use arcflux::spec::Desired;
use arcflux::view::{self, Format, Style};
use serde_json::{Value, json};

use crate::world;

/// The same value with the keys of every object turned around.
fn turned(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.iter().rev().map(|(key, value)| (key.clone(), turned(value))).collect(),
        Value::Array(items) => Value::Array(items.iter().map(turned).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The same state as ARM may as well have sent it.
fn turned_around(live: &LiveState) -> LiveState {
    let mut other = live.clone();
    for reading in other.readings.values_mut() {
        if let Reading::Present(body) = reading {
            if let Some(statuses) = body.pointer_mut("/properties/statuses").and_then(Value::as_array_mut) {
                statuses.reverse();
            }
            *body = turned(body);
        }
    }
    for listing in other.listings.values_mut() {
        if let Listing::Items(items) = listing {
            *items = items.iter().rev().map(turned).collect();
            let again = items.clone();
            items.extend(again);
        }
    }
    other
}

fn rendered(plan: &Plan) -> Vec<String> {
    let style = Style { colour: false, width: 100 };
    Format::ALL.map(|format| view::plan::render(plan, format, &style)).to_vec()
}

/// Configuration, extension and cluster changed by hand in every way at once.
fn disturbed() -> (Desired, LiveState) {
    let mut desired = world::quickstart();
    world::configuration(&mut desired).suspend = true;
    desired.clusters[0].extension.release_train = Some("Preview".to_owned());
    let mut live = world::converged(&world::quickstart());
    world::edit_configuration(&desired, &mut live, |body| {
        let properties = &mut body["properties"];
        properties["news"] = json!({"b": {"d": 1, "c": 2}, "a": 1});
        properties["aa"] = json!(1);
        properties["gitRepository"]["branch"] = json!("unknown here");
        for name in ["zoo", "by-hand", "kept"] {
            properties["kustomizations"][name] = json!({"prune": name != "kept", "path": "./x", "wait": false});
        }
        let status = |name: &str| {
            json!({"kind": "HelmRelease", "name": name, "appliedBy": {"name": "flux-system-zoo"}, "statusConditions": [
                {"type": "Ready", "status": "False", "reason": "InstallFailed", "message": name},
            ]})
        };
        properties["statuses"].as_array_mut().unwrap().extend(["two", "one"].map(status));
    });
    world::edit_extension(&desired, &mut live, |body| {
        body["properties"]["configurationSettings"]["z"] = json!("1");
        body["properties"]["configurationSettings"]["a"] = json!("2");
        body["properties"]["newer"] = json!(1);
        body["properties"]["new"] = json!(1);
    });
    for name in ["others", "another"] {
        world::add_unmanaged(&desired, &mut live, name);
    }
    (desired, live)
}

fn with(workloads: Option<Workloads>) -> Options {
    let choices = Choices { workloads, allow_replace: true, ..Choices::default() };
    Options { choices, ..world::options() }
}

#[test]
fn one_state_is_one_plan_in_whatever_order_it_comes() {
    let (mut desired, live) = disturbed();
    for replace in [false, true] {
        if replace {
            world::configuration(&mut desired).namespace.push('x');
        }
        for workloads in [None, Some(Workloads::Keep), Some(Workloads::Delete)] {
            let options = with(workloads);
            let plan = |live: &LiveState| world::plan(&desired, live, &options);
            assert_eq!(rendered(&plan(&live)), rendered(&plan(&turned_around(&live))));
            assert_eq!(plan(&live).digest, plan(&turned_around(&live)).digest);
        }
    }
}

#[test]
fn one_state_is_taken_down_in_one_way_in_whatever_order_it_comes() {
    let (desired, live) = disturbed();
    for workloads in [None, Some(Workloads::Keep), Some(Workloads::Delete)] {
        let graph = world::graph(&desired);
        let plan = |live: &LiveState| plan::destroy(&graph, live, &desired.expanded, &with(workloads)).unwrap();
        assert_eq!(rendered(&plan(&live)), rendered(&plan(&turned_around(&live))));
    }
}

#[test]
fn what_is_wrong_is_said_in_one_way_in_whatever_order_it_comes() {
    let (desired, mut live) = disturbed();
    let errors = |live: &LiveState| -> Vec<PlanError> {
        plan::make(&world::graph(&desired), live, &desired.expanded, &world::options()).err().unwrap_or_default()
    };
    for (id, listing) in &mut live.listings {
        let Listing::Items(items) = listing else { continue };
        if id.to_string().ends_with(extension::RESOURCE_TYPE) {
            let mut other = items[0].clone();
            other["name"] = json!("another");
            items.push(other);
        }
    }
    assert_eq!(errors(&live).len(), 1);
    assert_eq!(errors(&live), errors(&turned_around(&live)));

    let (desired, mut live) = disturbed();
    for (id, listing) in &mut live.listings {
        let Listing::Items(items) = listing else { continue };
        if id.to_string().ends_with(FLUX_V1) {
            items.extend(["v1-b", "v1-a"].map(|name| json!({"name": name})));
        }
    }
    let plan = |live: &LiveState| world::plan(&desired, live, &world::options());
    assert!(plan(&live).refusals.iter().any(|refusal| refusal.message.contains("v1-a, v1-b")));
    assert_eq!(rendered(&plan(&live)), rendered(&plan(&turned_around(&live))));
}

#[test]
fn what_is_listed_twice_is_listed_once() {
    let (desired, mut live) = disturbed();
    for (id, listing) in &mut live.listings {
        let Listing::Items(items) = listing else { continue };
        if id.to_string().ends_with(flux_configuration::RESOURCE_TYPE) {
            items.push(json!({"name": "OTHERS"}));
        }
    }
    let plan = world::plan(&desired, &turned_around(&live), &world::options());
    let unmanaged: Vec<&str> = plan.unmanaged.iter().map(|one| one.id.name()).collect();
    assert_eq!(unmanaged, ["OTHERS", "another"]);
}
