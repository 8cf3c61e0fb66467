//! The runbook that arcflux replaces: after its own recorded requests, the spec of the same content has nothing to do.

use std::time::Duration;

use arcflux::plan::Plan;
use serde_json::Value;

use crate::recorded;
use crate::sim_fixture::register;
use crate::sim_replay::send_exchanges;
use crate::simulated::{World, fields, written};

const RUNBOOK: &str = include_str!("../../specs/runbook.yaml");

/// The exchanges of a scenario of the official CLI.
fn exchanges(file: &str, scenario: &str) -> Option<Vec<Value>> {
    let document = recorded::file(&format!("az-cli-client-side/{file}"))?;
    let scenarios = document["scenarios"].as_array().unwrap();
    let found = scenarios.iter().find(|entry| entry["scenario"] == scenario);
    let found = found.unwrap_or_else(|| panic!("no scenario {scenario:?} in {file}"));
    Some(found["http"].as_array().unwrap().clone())
}

/// A world in which the runbook has been followed up to its creation of the configuration.
fn after_the_runbook() -> Option<World> {
    let exchanges = exchanges("k8s-configuration-2.3.0.json", "runbook flux create")?;
    let world = World::of(RUNBOOK);
    for namespace in ["Microsoft.KubernetesConfiguration", "Microsoft.ContainerService"] {
        register(&world.sim, namespace);
    }
    // Registered already; registering again is no mistake.
    let url = "/subscriptions/11111111-1111-1111-1111-111111111111/providers/Microsoft.Kubernetes/register";
    assert_eq!(world.curl("POST", &format!("{url}?api-version=2024-03-01"), &Value::Null).0, 200);
    send_exchanges(&world.sim, "runbook flux create", &exchanges);
    Some(world)
}

/// The plan, once Flux has had its time.
async fn settled(world: &World, spec: &str) -> Plan {
    let mut plan = world.plan(spec).await;
    for _ in 0..40 {
        assert!(!plan.has_changes(), "{:?} {:?}", written(&plan), fields(&plan));
        if !plan.waits() {
            break;
        }
        world.sim.advance(Duration::from_secs(30));
        plan = world.plan(spec).await;
    }
    plan
}

#[tokio::test]
async fn the_runbook_plans_no_changes_after_the_official_cli() {
    let Some(world) = after_the_runbook() else { return };
    let plan = settled(&world, RUNBOOK).await;
    assert!(!plan.has_changes() && !plan.waits(), "{:?} {:?}", written(&plan), fields(&plan));
    assert_eq!((plan.refusals.len(), plan.unmanaged.len()), (0, 0));
    let again = world.plan(RUNBOOK).await;
    assert_eq!(serde_json::to_vec(&plan).unwrap(), serde_json::to_vec(&again).unwrap());
}

#[tokio::test]
async fn the_last_step_of_the_runbook_is_the_setting_in_the_spec() {
    let Some(world) = after_the_runbook() else { return };
    settled(&world, RUNBOOK).await;
    let said = format!("{RUNBOOK}extension:\n  multiTenancy: false\n");
    let plan = world.plan(&said).await;
    assert_eq!(written(&plan), ["Update rg1/arc1/extension"], "the runbook is not followed to its end yet");

    let exchanges = exchanges("k8s-extension-1.8.0.json", "runbook k8s-extension update (yes)").unwrap();
    send_exchanges(&world.sim, "runbook k8s-extension update (yes)", &exchanges);
    for spec in [said.as_str(), RUNBOOK] {
        let plan = settled(&world, spec).await;
        assert!(!plan.has_changes() && !plan.waits(), "{:?} {:?}", written(&plan), fields(&plan));
    }
}
