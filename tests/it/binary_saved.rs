//! Saved plans through the binary: shown, applied, resumed, and refused when they are not what would be done.

use serde_json::Value;

use crate::binary::{AT_ONCE, Place, Server};

const CONFIGURATION: &str = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-edge/providers/\
                             Microsoft.Kubernetes/connectedClusters/store-001/providers/\
                             Microsoft.KubernetesConfiguration/fluxConfigurations/flux-system";

/// What somebody does to a saved plan.
type Edit = fn(&mut Value);

/// The quickstart with its plan saved, and nothing applied.
fn planned() -> Place {
    let place = Place::quickstart();
    place.sim(&["plan", "--out", "plan.json"]).ends_with(0).says("Saved the plan to plan.json.");
    place
}

/// A place where one path of the applied quickstart was edited, and the plan for that saved.
fn edit_planned() -> Place {
    let place = Place::quickstart();
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    let edited = place.read("arcflux.yaml").replace("retail/ApplicationRegistrations", "retail/Applications");
    place.write("arcflux.yaml", &edited);
    place.sim(&["plan", "--out", "plan.json"]).ends_with(0);
    place
}

fn edited(place: &Place, edit: impl FnOnce(&mut Value)) {
    let mut plan: Value = serde_json::from_str(&place.read("plan.json")).unwrap();
    edit(&mut plan);
    place.write("plan.json", &format!("{plan:#}"));
}

fn index_of(plan: &Value, address: &str) -> usize {
    plan["resource_changes"].as_array().unwrap().iter().position(|change| change["address"] == address).unwrap()
}

#[test]
fn a_saved_plan_is_shown_as_it_was_and_applied_without_the_spec() {
    let place = Place::quickstart();
    let planned = place.sim(&["plan", "--out", "plan.json"]).ends_with(0);
    std::fs::remove_file(place.path("arcflux.yaml")).unwrap();
    let shown = place.run(&["show", "plan.json"]).ends_with(0).says("Planned by arcflux");
    assert_eq!(shown.out, planned.out);
    let from_input = place.run_with_input(&["show", "-"], &place.read("plan.json")).ends_with(0);
    assert_eq!(from_input.out, planned.out);
    let json = place.run(&["show", "plan.json", "--format", "json"]).ends_with(0);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["digest"], planned.digest());
    place.run(&["show", "plan.json", "--format", "mermaid"]).ends_with(0).shows("flowchart");
    // Nobody is asked: a saved plan was agreed to. The spec is not read, though it is named by default.
    let applied = place.sim(&["apply", "plan.json", "--expect", &planned.digest()]).ends_with(0);
    applied.shows("Apply complete! Resources: 3 added, 0 changed, 0 destroyed.");
    // It is done: the remainder of the plan is empty.
    place.sim(&["apply", "plan.json"]).ends_with(0).shows("No changes.");
}

#[test]
fn only_the_expected_digest_is_applied() {
    let place = planned();
    let other = format!("sha256:{}", "0".repeat(64));
    let refused = place.sim(&["apply", "--auto-approve", "--expect", &other]).ends_with(3);
    refused.says("this plan has the digest sha256:").says(&other);
    place.sim(&["apply", "plan.json", "--expect", &other]).ends_with(3).says("plan.json has the digest");
    let digest = place.sim(&["plan"]).ends_with(0).shows("Plan: 3 to add").digest();
    place.sim(&["apply", "--auto-approve", "--expect", &digest]).ends_with(0).shows("3 added");
}

#[test]
fn a_plan_of_a_world_that_moved_is_refused_with_the_field() {
    let place = edit_planned();
    {
        let server = Server::start(&place, &["--sim-state", ".arcflux/sim.json", "--speed", "100000"]);
        let target = format!("{CONFIGURATION}?api-version=2025-04-01");
        let (status, body) = server.send("PATCH", &target, r#"{"properties":{"suspend":true}}"#);
        assert!(status.contains(" 202 "), "{status}\n{body}");
        let hand_edit = place.sim(&["plan", "--detailed-exitcode"]).ends_with(2);
        hand_edit.shows("~ suspend").shows("true -> false");
    }
    let before = place.read(".arcflux/sim.json");
    let refused = place.sim(&["apply", "plan.json", "--verbose"]).ends_with(3);
    let refused = refused.says("plan.json is not what would be done now; nothing was written");
    let refused = refused.says("rg-edge/store-001/flux/flux-system: changed since the plan was made: suspend");
    assert!(refused.err.lines().all(|line| !line.starts_with("PUT ") && !line.starts_with("PATCH ")));
    assert_eq!(refused.out, "");
    let suspended = |text: &str| text.contains("\"suspend\": true");
    assert!(suspended(&before) && suspended(&place.read(".arcflux/sim.json")));
}

/// A hand edit that was taken back leaves the time of the last change, and nothing else that a plan depends on.
#[test]
fn a_plan_of_a_world_that_moved_and_came_back_is_applied() {
    let place = edit_planned();
    {
        let server = Server::start(&place, &["--sim-state", ".arcflux/sim.json", "--speed", "100000"]);
        let target = format!("{CONFIGURATION}?api-version=2025-04-01");
        for suspend in ["true", "false"] {
            let body = format!(r#"{{"properties":{{"suspend":{suspend}}}}}"#);
            let (status, answer) = server.send("PATCH", &target, &body);
            assert!(status.contains(" 202 "), "{status}\n{answer}");
            while !server.send("GET", &target, "").1.contains(r#""provisioningState":"Succeeded""#) {}
        }
    }
    let planned: Value = serde_json::from_str(&place.read("plan.json")).unwrap();
    let now: Value = serde_json::from_str(&place.sim(&["plan", "--format", "json"]).ends_with(0).out).unwrap();
    let modified = |plan: &Value| {
        plan["resource_changes"][index_of(plan, "rg-edge/store-001/flux/flux-system")]["modified"]["at"].clone()
    };
    assert_ne!(modified(&planned), modified(&now));
    assert_eq!(planned["digest"], now["digest"]);
    place.sim(&["apply", "plan.json"]).ends_with(0).shows("1 changed");
}

#[test]
fn an_edited_plan_is_refused() {
    let flux = "rg-edge/store-001/flux/flux-system";
    let place = planned();
    let original = place.read("plan.json");
    edited(&place, |plan| plan["digest"] = Value::from(format!("sha256:{}", "0".repeat(64))));
    place.sim(&["apply", "plan.json"]).ends_with(3).says("does not have the digest that it claims: it was edited");
    place.run(&["show", "plan.json"]).ends_with(3).says("it was edited");
    let edits: [(&str, Edit); 4] = [
        ("would be changed in another way", |plan| {
            plan["spec"]["configurations"]["flux-system"]["kustomizations"]["app"]["path"] = Value::from("./evil");
        }),
        ("its steps in the plan are not what its fingerprint stands for", |plan| {
            let index = index_of(plan, "rg-edge/store-001/flux/flux-system");
            plan["resource_changes"][index]["steps"][0]["body"]["properties"]["suspend"] = Value::from(true);
        }),
        ("its fields in the plan are not what its fingerprint stands for", |plan| {
            let index = index_of(plan, "rg-edge/store-001/flux/flux-system");
            plan["resource_changes"][index]["fields"] = Value::Array(Vec::new());
        }),
        ("for https://management.azure.com", |plan| plan["origin"] = Value::from("https://management.azure.com")),
    ];
    for (reason, edit) in edits {
        place.write("plan.json", &original);
        edited(&place, edit);
        let refused = place.sim(&["apply", "plan.json"]);
        assert_eq!(refused.code, Some(3), "{reason}: {}", refused.err);
        if !reason.starts_with("for ") {
            refused.says(reason).says(flux);
        }
    }
    place.sim(&["plan"]).ends_with(0).shows("Plan: 3 to add");
}

/// What a reviewer reads of a change is what is done, also where the digest does not depend on it.
#[test]
fn a_plan_that_reads_milder_than_it_is_is_refused() {
    let flux = "rg-edge/store-001/flux/flux-system";
    let place = edit_planned();
    let original = place.read("plan.json");
    let digest: Value = serde_json::from_str(&original).unwrap();
    let digest = digest["digest"].as_str().unwrap();
    let edits: [(&str, Edit); 7] = [
        ("bodies", |change| change["change"]["actions"] = serde_json::json!(["create"])),
        ("bodies", |change| change["change"]["after"] = Value::Null),
        ("consequences", |change| change["consequences"] = serde_json::json!([])),
        ("consequences", |change| change["consequences"][0]["message"] = Value::from("nothing is deleted")),
        ("consequences", |change| {
            let message = change["consequences"][0]["message"].as_str().unwrap();
            change["consequences"][0]["message"] = Value::from(format!("nothing; ARM knows {message}"));
        }),
        ("reasons", |change| change["action_reason"] = Value::from("registering")),
        ("ids", |change| change["api_version"] = Value::from("2000-01-01")),
    ];
    for (part, edit) in edits {
        place.write("plan.json", &original);
        edited(&place, |plan| {
            let index = index_of(plan, "rg-edge/store-001/flux/flux-system");
            assert!(!plan["resource_changes"][index]["consequences"].as_array().unwrap().is_empty());
            edit(&mut plan["resource_changes"][index]);
        });
        let refused = place.sim(&["apply", "plan.json", "--expect", digest]).ends_with(3);
        refused.says(&format!("its {part} in the plan are not what its fingerprint stands for")).says(flux);
    }
}

#[test]
fn a_part_of_a_plan_is_not_taken_out_of_it() {
    let place = planned();
    edited(&place, |plan| plan["choices"]["only"] = serde_json::json!(["provider/*"]));
    let refused = place.sim(&["apply", "plan.json"]).ends_with(3);
    refused.says("rg-edge/store-001/extension: is not in the spec that the plan holds: the plan was edited");
    let place = planned();
    edited(&place, |plan| {
        let changes = plan["resource_changes"].as_array_mut().unwrap();
        let mut twin = changes.last().unwrap().clone();
        twin["change"]["actions"] = serde_json::json!(["no-op"]);
        changes.push(twin);
    });
    place.sim(&["apply", "plan.json"]).ends_with(3).says("is in the plan more than once");
}

#[test]
fn a_refused_plan_cannot_be_made_an_allowed_one_with_the_same_digest() {
    let place = Place::quickstart();
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    let text = place.read("arcflux.yaml");
    let app = text.find("  app:").unwrap();
    place.write("arcflux.yaml", &text[..app]);
    let refused = place.sim(&["plan", "--out", "plan.json"]);
    let digest = refused.digest();
    edited(&place, |plan| {
        plan["choices"]["workloads"] = Value::from("delete");
        plan["refusals"] = serde_json::json!([]);
    });
    place.sim(&["apply", "plan.json", "--expect", &digest]).ends_with(3).says("it was edited");
    place.sim(&["apply", "--auto-approve", "--workloads", "delete", "--expect", &digest]).ends_with(3);
    let allowed = place.sim(&["plan", "--workloads", "delete"]).ends_with(0).digest();
    assert_ne!(allowed, digest);
    place.sim(&["apply", "--auto-approve", "--workloads", "delete", "--expect", &allowed]).ends_with(0);
}

/// What the base or the spec in a plan file allows was not allowed when the plan was made.
#[test]
fn a_refused_plan_is_not_allowed_by_the_base_or_the_spec_that_it_holds() {
    let edits: [(&str, Edit); 2] = [
        ("prune: true", |plan| {
            let mut base = plan["spec"].clone();
            let mut app = base["configurations"]["flux-system"]["kustomizations"]["infrastructure"].clone();
            app["path"] = Value::from("./clusters/store-001/retail/ApplicationRegistrations");
            app["dependsOn"] = serde_json::json!(["infrastructure"]);
            base["configurations"]["flux-system"]["kustomizations"]["app"] = app;
            plan["base"] = base;
        }),
        ("prune: false\npolicy: {limits: {maxDelete: 0}}", |plan| {
            plan["spec"]["policy"]["limits"]["maxDelete"] = Value::from(10);
        }),
    ];
    for (prune, edit) in edits {
        let place = Place::quickstart();
        let text = place.read("arcflux.yaml");
        let app = text.find("  app:").unwrap();
        let prunes = prune.starts_with("prune: true");
        let applied = if prunes { text.clone() } else { text.replace("prune: true", "prune: false") };
        place.write("arcflux.yaml", &applied);
        place.sim(&["apply", "--auto-approve"]).ends_with(0);
        let wanted = text[..app].replace("prune: true", prune);
        place.write("arcflux.yaml", &wanted);
        let digest = place.sim(&["plan", "--out", "plan.json"]).digest();
        edited(&place, edit);
        let refused = place.sim(&["apply", "plan.json", "--expect", &digest]).ends_with(3);
        refused.says("plan.json was refused when it was made");
        edited(&place, |plan| plan["refusals"] = serde_json::json!([]));
        place.sim(&["apply", "plan.json", "--expect", &digest]).ends_with(3).says("it was edited");
    }
}

#[test]
fn a_plan_for_another_cloud_is_refused() {
    let place = planned();
    let server = Server::start(&place, &["--seed", "arcflux.yaml", "--speed", "1000"]);
    server.run(&place, &["apply", "plan.json"]).ends_with(3).says("plan.json is for https://sim.arcflux.invalid");
}

#[test]
fn what_is_not_a_plan_of_this_format_is_told_in_a_sentence() {
    let place = planned();
    edited(&place, |plan| plan["format_version"] = Value::from("2.0"));
    for command in [&["show", "plan.json"][..], &["apply", "plan.json"]] {
        let refused = place.run(&[command, if command[0] == "apply" { &AT_ONCE } else { &[] }].concat()).ends_with(3);
        refused.says("plan.json has the plan format `2.0`, and this arcflux understands 1.0");
    }
    place.write("plan.json", "not json");
    place.run(&["show", "plan.json"]).ends_with(1).says("plan.json is not a saved plan");
    place.run(&["show", "absent.json"]).ends_with(1).says("cannot read absent.json");
}

#[test]
fn a_saved_plan_holds_its_decisions() {
    let place = planned();
    for decision in [&["--only", "*"][..], &["--workloads", "keep"], &["--allow-replace"], &["--wait", "none"]] {
        place.sim(&[&["apply", "plan.json"], decision].concat()).ends_with(64).says("a saved plan holds its decisions");
    }
    let place = Place::quickstart();
    place.sim(&["plan", "--wait", "provisioned", "--out", "plan.json"]).ends_with(0);
    place.sim(&["apply", "plan.json"]).ends_with(0).shows("3 added");
}
