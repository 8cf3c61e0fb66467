//! Worlds in which a spec cannot become true, and rules that refuse an apply: each says why, and what to do.

use std::time::Duration;

use arcflux::model::Glob;
use arcflux::plan::{Action, Choices, Options, PlanError};
use arcflux::sim::{self, Seed};
use serde_json::{Value, json};

use crate::simulated::{World, desired, options, seed, written};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const AKS: &str = include_str!("../../specs/aks.yaml");
const CLUSTER: &str = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-edge/providers/\
                       Microsoft.Kubernetes/connectedClusters/store-001";

/// A world without the clusters that `spec` names, or without their groups too.
fn without_clusters(spec: &str, groups: bool) -> World {
    let Seed { groups: named, .. } = seed(&desired(spec));
    let seed = Seed { clusters: Vec::new(), groups: if groups { named } else { Vec::new() }, ..seed(&desired(spec)) };
    World::with(spec, sim::Settings { seeds: vec![seed], ..sim::Settings::default() })
}

/// The errors of a plan, by address.
async fn errors(world: &World, spec: &str) -> Vec<(String, PlanError)> {
    let errors = world.try_plan(spec, &options()).await.unwrap_err();
    errors.into_iter().map(|error| (error.address.to_string(), error)).collect()
}

fn addresses(errors: &[(String, PlanError)]) -> Vec<&str> {
    errors.iter().map(|(address, _)| address.as_str()).collect()
}

/// Writes a resource below the cluster as somebody else would, and lets it take effect.
fn put(world: &World, path: &str, body: &Value) {
    let (status, answer) =
        world.curl("PUT", &format!("{CLUSTER}/providers/Microsoft.KubernetesConfiguration/{path}"), body);
    assert!(status < 300, "{status} {answer}");
    world.sim.advance(Duration::from_secs(300));
}

fn flux_named(world: &World, name: &str) {
    let body = json!({
        "identity": {"type": "SystemAssigned"},
        "properties": {"extensionType": "Microsoft.Flux", "configurationSettings": {"multiTenancy.enforce": "false"}},
    });
    put(world, &format!("extensions/{name}?api-version=2025-03-01"), &body);
}

/// A world in which the provider is registered, so that somebody else can write.
async fn registered() -> World {
    let world = World::of(QUICKSTART);
    world.converge_with(QUICKSTART, &Options { choices: only("provider/*"), ..options() }).await;
    world
}

fn only(glob: &str) -> Choices {
    Choices { only: vec![glob.parse::<Glob>().unwrap()], ..Choices::default() }
}

#[tokio::test]
async fn a_connected_cluster_that_is_not_there() {
    let errors = errors(&without_clusters(QUICKSTART, true), QUICKSTART).await;
    assert_eq!(addresses(&errors), ["rg-edge/store-001"]);
    assert_eq!(errors[0].1.message, "the cluster does not exist");
    let hint =
        "connect it first: `az connectedk8s connect -g rg-edge -n store-001`, or say how with `onboard` in the spec";
    assert_eq!(errors[0].1.hint, hint);
}

#[tokio::test]
async fn a_managed_cluster_that_is_not_there() {
    let errors = errors(&without_clusters(AKS, true), AKS).await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].1.hint.contains("az aks show"), "{}", errors[0].1.hint);
}

#[tokio::test]
async fn a_group_that_is_not_there_needs_a_location() {
    let world = without_clusters(QUICKSTART, false);
    let errors = errors(&world, QUICKSTART).await;
    assert_eq!(addresses(&errors), ["rg-edge", "rg-edge/store-001"]);
    assert_eq!(errors[0].1.message, "the resource group does not exist");
    assert!(errors[0].1.hint.contains("location"), "{}", errors[0].1.hint);
}

#[tokio::test]
async fn a_group_with_a_location_is_created() {
    let spec = QUICKSTART.replace("resourceGroup: rg-edge ", "resourceGroup: {name: rg-edge, location: northeurope} ");
    let world = without_clusters(QUICKSTART, false);
    let plan = world.try_plan(&spec, &options()).await.unwrap();
    let refused: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(refused, ["cluster_missing"], "only the cluster cannot be created");
    assert!(!plan.applyable && plan.refusals[0].hint.contains("az connectedk8s connect -g rg-edge -n store-001"));
    assert_eq!(plan.counts().create, 4, "the plan is whole: {:?}", written(&plan));
    let plan = world.converge_with(&spec, &Options { choices: only("rg-edge"), ..options() }).await;
    assert_eq!(written(&plan), ["Create rg-edge"]);
    let (_, group) =
        world.curl("GET", &format!("{}?api-version=2024-03-01", plan.resource_changes[0].id), &Value::Null);
    assert_eq!(group["location"], "northeurope");
}

#[tokio::test]
async fn two_flux_extensions() {
    let world = registered().await;
    flux_named(&world, "flux");
    flux_named(&world, "flux-2");
    let errors = errors(&world, QUICKSTART).await;
    assert_eq!(addresses(&errors), ["rg-edge/store-001/extension"]);
    assert!(errors[0].1.message.ends_with(": flux, flux-2"), "{}", errors[0].1.message);
    assert!(errors[0].1.hint.contains("az k8s-extension delete"));
}

#[tokio::test]
async fn an_extension_under_another_name_is_adopted() {
    let world = registered().await;
    flux_named(&world, "my-flux");
    let before = world.sim.requests().len();
    let plan = world.converge(QUICKSTART).await;
    assert_eq!(written(&plan), ["Create rg-edge/store-001/flux/flux-system"]);
    assert!(plan.notes.iter().any(|note| note.code == "adopted_name" && note.message.contains("my-flux")));
    assert_eq!(world.writes_since(before).len(), 1);
    // Its settings are changed where it is.
    let other = QUICKSTART.replace("multiTenancy: false", "multiTenancy: true");
    world.converge(&other).await;
    assert!(world.writes_since(before).last().unwrap().ends_with("/extensions/my-flux"));
}

#[tokio::test]
async fn a_configuration_of_somebody_else_is_left_alone_and_keeps_the_extension() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let body = json!({"properties": {
        "scope": "cluster", "namespace": "team-b", "sourceKind": "GitRepository",
        "gitRepository": {"url": "https://github.com/team/b", "repositoryRef": {"branch": "main"}},
        "kustomizations": {"b": {"path": "./b", "prune": true}},
    }});
    put(&world, "fluxConfigurations/team-b?api-version=2025-04-01", &body);
    let plan = world.plan(QUICKSTART).await;
    assert!(!plan.has_changes());
    let unmanaged: Vec<String> = plan.unmanaged.iter().map(|one| one.address.to_string()).collect();
    assert_eq!(unmanaged, ["rg-edge/store-001/flux/team-b"]);

    let plan = world.destroy_plan(QUICKSTART, &options()).await;
    assert_eq!(plan.refusals.len(), 1);
    assert_eq!(plan.refusals[0].code, "foreign_configurations");
    assert!(plan.refusals[0].message.ends_with(": team-b"), "{}", plan.refusals[0].message);
    assert!(!plan.applyable);
    assert!(plan.resource_changes.iter().all(|change| change.address.to_string() != "rg-edge/store-001/flux/team-b"));
    // What the spec declares can still be taken down alone.
    let plan =
        world.destroy_plan(QUICKSTART, &Options { choices: only("rg-edge/store-001/flux/*"), ..options() }).await;
    let deleted = plan.resource_changes.iter().filter(|change| change.change.actions == Action::Delete);
    let deleted: Vec<String> = deleted.map(|change| change.address.to_string()).collect();
    assert_eq!(deleted, ["rg-edge/store-001/flux/flux-system"]);
}

#[tokio::test]
async fn flux_v1_beside_flux_v2_is_refused() {
    let world = registered().await;
    let body = json!({"properties": {"repositoryUrl": "https://github.com/o/old", "operatorNamespace": "old"}});
    put(&world, "sourceControlConfigurations/old?api-version=2022-03-01", &body);
    let plan = world.plan(QUICKSTART).await;
    assert_eq!(plan.refusals.len(), 1);
    assert_eq!(plan.refusals[0].code, "flux_v1_present");
    assert!(plan.refusals[0].message.ends_with(": old"), "{}", plan.refusals[0].message);
    assert!(plan.refusals[0].hint.contains("az k8s-configuration delete"));
    assert!(!plan.applyable);
}
