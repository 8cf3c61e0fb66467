//! Plans that meet another world than the one they were made from: at once before a write, and after they were saved.

use std::time::Duration;

use arcflux::plan::{Deviation, Outcome, Plan, deviations};
use serde_json::{Value, json};

use crate::simulated::{World, fields, written};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");

/// The quickstart with one other path.
fn edited() -> String {
    QUICKSTART.replace("retail/ApplicationRegistrations", "retail/Next")
}

/// The URL of what a plan calls by this address.
fn url(plan: &Plan, address: &str) -> String {
    let change = plan.resource_changes.iter().find(|change| change.address.to_string() == address).unwrap();
    format!("{}?api-version={}", change.id, change.api_version)
}

/// Edits the configuration as somebody with `az` would, and lets it take effect.
fn edit_by_hand(world: &World, plan: &Plan, kustomization: &Value) {
    let edit = json!({"properties": {
        "sourceKind": "GitRepository",
        "gitRepository": {"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "main"}},
        "kustomizations": {"app": kustomization},
    }});
    assert_eq!(world.curl("PATCH", &url(plan, "rg-edge/store-001/flux/flux-system"), &edit).0, 202);
    world.sim.advance(Duration::from_secs(300));
}

/// A saved plan, read back.
fn saved(plan: &Plan) -> Plan {
    serde_json::from_str(&serde_json::to_string(plan).unwrap()).unwrap()
}

/// Applies a plan, which must be refused with one failure `moved` and nothing written; the failure's message.
async fn moved(world: &World, plan: &Plan) -> String {
    let before = world.sim.requests().len();
    let report = world.apply(plan).await;
    let failures: Vec<_> = report.failures().map(|(_, failure)| failure.clone()).collect();
    assert_eq!(failures.len(), 1, "{report:#?}");
    assert_eq!(failures[0].code, "moved");
    assert!(failures[0].hint.as_deref().unwrap_or_default().contains("plan again"));
    assert!(!report.wrote());
    assert_eq!(world.writes_since(before), [""; 0]);
    failures[0].message.clone()
}

#[tokio::test]
async fn a_field_that_moved_between_plan_and_apply_stops_the_write_and_is_named() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let plan = world.plan(&edited()).await;
    edit_by_hand(&world, &plan, &json!({"prune": false}));
    let message = moved(&world, &plan).await;
    assert!(message.contains(": kustomizations.app.prune"), "{message}");
    assert!(message.contains("changed at 20"), "{message}");
    // Planned again, it is carried out.
    world.converge(&edited()).await;
}

#[tokio::test]
async fn a_setting_of_the_extension_that_moved_is_named() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let plan = world.plan(&QUICKSTART.replace("multiTenancy: false", "multiTenancy: true")).await;
    let edit = json!({"properties": {"configurationSettings": {"image-automation-controller.enabled": "true"}}});
    assert_eq!(world.curl("PATCH", &url(&plan, "rg-edge/store-001/extension"), &edit).0, 202);
    world.sim.advance(Duration::from_secs(300));
    let message = moved(&world, &plan).await;
    assert!(message.contains("image-automation-controller.enabled"), "{message}");
}

#[tokio::test]
async fn what_came_to_be_is_not_created_over() {
    let world = World::of(QUICKSTART);
    let plan = world.plan(QUICKSTART).await;
    world.converge(&QUICKSTART.replace("multiTenancy: false", "multiTenancy: true")).await;
    let before = world.sim.requests().len();
    let report = world.apply(&plan).await;
    let extension =
        &report.resources.iter().find(|one| one.address.to_string().ends_with("/extension")).unwrap().outcome;
    let Outcome::Failed { failure, wrote: false } = extension else { panic!("{report:#?}") };
    assert_eq!(failure.code, "moved");
    assert!(failure.message.contains("it exists now"), "{}", failure.message);
    let writes = world.writes_since(before);
    assert!(writes.iter().all(|write| write.ends_with("/register")), "{writes:?}");
}

#[tokio::test]
async fn what_somebody_else_has_done_is_not_done_again() {
    let world = World::of(QUICKSTART);
    let plan = world.plan(QUICKSTART).await;
    world.converge(QUICKSTART).await;
    let before = world.sim.requests().len();
    let report = world.apply(&plan).await;
    assert!(report.converged(), "{report:#?}");
    let reached = report.resources.iter().filter(|one| one.outcome == Outcome::Reached).count();
    assert!(reached >= 2, "{report:#?}");
    let writes = world.writes_since(before);
    assert!(writes.iter().all(|write| write.ends_with("/register")), "{writes:?}");
}

#[tokio::test]
async fn what_went_away_is_not_updated() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let plan = world.plan(&edited()).await;
    world.curl("DELETE", &url(&plan, "rg-edge/store-001/flux/flux-system"), &Value::Null);
    world.sim.advance(Duration::from_secs(300));
    let message = moved(&world, &plan).await;
    assert!(message.contains("it does not exist any more"), "{message}");
}

#[tokio::test]
async fn a_saved_plan_is_the_same_plan_as_long_as_nothing_but_statuses_moves() {
    let world = World::of(QUICKSTART);
    for (spec, wait) in [(QUICKSTART.to_owned(), 0), (edited(), 86_400)] {
        let plan = saved(&world.plan(&spec).await);
        assert!(plan.has_changes());
        assert_eq!(plan.computed_digest(), plan.digest);
        world.sim.advance(Duration::from_secs(wait));
        let fresh = world.plan(&spec).await;
        assert_eq!(deviations(&plan, &fresh), []);
        assert_eq!(fresh.digest, plan.digest);
        world.converge(&spec).await;
    }
}

#[tokio::test]
async fn the_remainder_of_a_saved_plan_is_in_it() {
    let world = World::of(QUICKSTART);
    let plan = saved(&world.plan(QUICKSTART).await);
    // What an apply that was killed left behind: the extension, and not yet the configuration.
    let mut first_part = plan.clone();
    first_part.resource_changes.retain(|change| !change.address.to_string().contains("/flux/"));
    assert!(world.apply(&first_part).await.converged());
    let fresh = world.plan(QUICKSTART).await;
    assert_eq!(written(&fresh), ["Create rg-edge/store-001/flux/flux-system"]);
    assert_eq!(deviations(&plan, &fresh), []);
    assert_ne!(fresh.digest, plan.digest);
    assert!(world.apply(&fresh).await.converged());
    assert_eq!(deviations(&plan, &world.plan(QUICKSTART).await), []);
}

#[tokio::test]
async fn what_moved_since_a_plan_was_saved_is_named() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let plan = saved(&world.plan(&edited()).await);
    edit_by_hand(&world, &plan, &json!({"prune": false}));
    let fresh = world.plan(&edited()).await;
    let found = deviations(&plan, &fresh);
    let [Deviation { address, message }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(address.to_string(), "rg-edge/store-001/flux/flux-system");
    assert_eq!(message, "changed since the plan was made: kustomizations.app.prune");
}

#[tokio::test]
async fn a_value_that_is_not_shown_is_not_shown_when_it_moved_either() {
    let with_token = |text: &str| {
        text.replace(
            "    prune: true\n    dependsOn",
            "    prune: true\n    postBuild: {substitute: {API_TOKEN: first}}\n    dependsOn",
        )
    };
    let world = World::of(QUICKSTART);
    world.converge(&with_token(QUICKSTART)).await;
    let plan = world.plan(&with_token(&edited())).await;
    edit_by_hand(&world, &plan, &json!({"postBuild": {"substitute": {"API_TOKEN": "second"}}}));
    let message = moved(&world, &plan).await;
    assert!(message.contains("a value that is not shown changed at 20"), "{message}");
    let found = deviations(&saved(&plan), &world.plan(&with_token(&edited())).await);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "changed since the plan was made: a value that is not shown");
}

#[tokio::test]
async fn a_change_that_a_saved_plan_does_not_have_is_a_deviation() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let plan = saved(&world.plan(QUICKSTART).await);
    assert!(!plan.has_changes());
    edit_by_hand(&world, &plan, &json!({"path": "./by-hand"}));
    let fresh = world.plan(QUICKSTART).await;
    assert_eq!(fields(&fresh), ["kustomizations.app.path"]);
    let found = deviations(&plan, &fresh);
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("updated in place"), "{}", found[0].message);
}

#[tokio::test]
async fn a_saved_plan_that_was_tampered_with_shows_it() {
    let world = World::of(QUICKSTART);
    let plan = world.plan(QUICKSTART).await;
    let text = serde_json::to_string(&plan).unwrap();
    let fingerprint = &plan.resource_changes.last().unwrap().fingerprint;
    let tampered: Plan = serde_json::from_str(&text.replace(fingerprint.as_str(), &"0".repeat(64))).unwrap();
    assert_ne!(tampered.computed_digest(), tampered.digest);
    let elsewhere: Plan = serde_json::from_str(&text.replace(&plan.origin, "https://elsewhere.example")).unwrap();
    assert_ne!(elsewhere.computed_digest(), elsewhere.digest);
    let found = deviations(&tampered, &world.plan(QUICKSTART).await);
    assert_eq!(found.len(), 1, "what cannot be a fresh change deviates from one: {found:?}");
}
