//! Every field of the API, from a spec to ARM and back: what is declared converges, planning again finds nothing to do,
//! and one changed value is one line.

use arcflux::plan::Plan;
use arcflux::sim;

use crate::simulated::{World, fields};

/// A spec for one Arc-connected cluster.
fn spec(configurations: &str) -> String {
    format!(
        "apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-edge
cluster:
  name: store-001
{configurations}"
    )
}

/// Brings `before` about, then asks for `before` with one text replaced: the plan that makes the difference, which
/// must converge.
async fn edited(before: &str, from: &str, to: &str) -> (World, Plan) {
    let world = World::of(before);
    world.converge(before).await;
    let after = before.replacen(from, to, 1);
    assert_ne!(after, before, "{from}");
    let plan = world.converge(&after).await;
    (world, plan)
}

async fn assert_one_line(before: &str, from: &str, to: &str, field: &str) {
    let (_, plan) = edited(before, from, to).await;
    assert_eq!(fields(&plan), [field], "{from} -> {to}");
}

fn consequences(plan: &Plan) -> Vec<&str> {
    let all = plan.resource_changes.iter().flat_map(|change| &change.consequences);
    all.map(|consequence| consequence.code.as_str()).collect()
}

const BEHAVIOUR: &str = "configurations:
  apps:
    namespace: apps
    suspend: false
    waitForReconciliation: true
    reconciliationWaitDuration: 30m
    gitRepository:
      url: https://github.com/contoso/gitops
      branch: main
    kustomizations:
      app:
        path: ./apps
        postBuild:
          substitute:
            REGION: north
          substituteFrom:
            - kind: ConfigMap
              name: cluster-values
            - kind: Secret
              name: cluster-secrets
              optional: true
";

#[tokio::test]
async fn how_a_configuration_behaves_is_one_line_each() {
    let substitutes = "kustomizations.app.postBuild.substituteFrom";
    for (from, to, field) in [
        ("waitForReconciliation: true", "waitForReconciliation: false", "waitForReconciliation"),
        ("reconciliationWaitDuration: 30m", "reconciliationWaitDuration: 31m", "reconciliationWaitDuration"),
        ("name: cluster-values", "name: other-values", substitutes),
        ("kind: ConfigMap", "kind: Secret", substitutes),
        ("optional: true", "optional: false", substitutes),
        ("REGION: north", "REGION: south", "kustomizations.app.postBuild.substitute.REGION"),
    ] {
        assert_one_line(&spec(BEHAVIOUR), from, to, field).await;
    }
}

#[tokio::test]
async fn a_wait_of_the_same_length_is_no_difference() {
    let world = World::of(&spec(BEHAVIOUR));
    world.converge(&spec(BEHAVIOUR)).await;
    assert!(!world.plan(&spec(BEHAVIOUR).replace("30m", "1800s")).await.has_changes());
}

#[tokio::test]
async fn a_suspended_configuration_is_not_waited_for_and_wakes_up_again() {
    let suspended = spec(BEHAVIOUR).replace("suspend: false", "suspend: true");
    let (world, plan) = edited(&spec(BEHAVIOUR), "suspend: false", "suspend: true").await;
    assert_eq!(fields(&plan), ["suspend"]);
    assert_eq!(consequences(&plan), ["suspend"]);
    let id = plan.resource_changes.last().unwrap().id.to_string();
    let (_, live) = world.curl("GET", &format!("{id}?api-version=2025-04-01"), &serde_json::Value::Null);
    assert_eq!(live["properties"]["complianceState"], "Suspended");
    let plan = world.converge(&suspended.replace("suspend: true", "suspend: false")).await;
    assert_eq!(fields(&plan), ["suspend"]);
    assert_eq!(consequences(&plan), ["resume"]);
}

#[tokio::test]
async fn arm_gives_up_waiting_for_flux_after_the_duration() {
    let text = spec(BEHAVIOUR).replace("reconciliationWaitDuration: 30m", "reconciliationWaitDuration: 2m");
    let scenario = Some(sim::Scenario::CompliantAfterAWhile);
    let world = World::with(&text, sim::Settings { scenario, ..sim::Settings::default() });
    let report = world.apply(&world.plan(&text).await).await;
    assert!(!report.converged(), "{report:#?}");
}
