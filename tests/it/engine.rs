//! plan → apply → plan, on the simulator.

use std::collections::BTreeMap;

use arcflux::plan::{Choices, EventKind, Options, Workloads};
use arcflux::sim::{self, Quirks};
use serde_json::json;

use crate::simulated::{World, fields, options, written};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const LONG_FORM: &str = include_str!("../../specs/long-form.yaml");
const FLEET: &str = include_str!("../../specs/fleet.yaml");
const AKS: &str = include_str!("../../specs/aks.yaml");
const RUNBOOK: &str = include_str!("../../specs/runbook.yaml");
const EVERYTHING: &str = include_str!("../../specs/everything.yaml");

#[tokio::test]
async fn the_quickstart_converges_and_the_second_plan_is_empty() {
    let world = World::of(QUICKSTART);
    let plan = world.converge(QUICKSTART).await;
    assert_eq!(
        written(&plan),
        [
            "Create provider/Microsoft.KubernetesConfiguration",
            "Create rg-edge/store-001/extension",
            "Create rg-edge/store-001/flux/flux-system",
        ]
    );
}

#[tokio::test]
async fn one_edited_path_is_one_line_and_one_write() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let before = world.sim.requests().len();
    let edited = QUICKSTART.replace("retail/ApplicationRegistrations", "retail/Next");
    let plan = world.converge(&edited).await;
    assert_eq!(fields(&plan), ["kustomizations.app.path"]);
    assert_eq!(world.writes_since(before).len(), 1);
}

#[tokio::test]
async fn a_hand_edit_shows() {
    let world = World::of(QUICKSTART);
    let plan = world.converge(QUICKSTART).await;
    let id = plan.resource_changes.last().unwrap().id.to_string();
    let url = format!("{id}?api-version=2025-04-01");
    let source = json!({"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "main"}});
    let edit = json!({"properties": {
        "sourceKind": "GitRepository", "gitRepository": source, "kustomizations": {"app": {"prune": false}}
    }});
    let (status, _) = world.curl("PATCH", &url, &edit);
    assert_eq!(status, 202);
    world.sim.advance(std::time::Duration::from_secs(300));
    assert_eq!(fields(&world.plan(QUICKSTART).await), ["kustomizations.app.prune"]);
}

#[tokio::test]
async fn destroy_leaves_the_cluster_and_the_group() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let plan = world.destroy_plan(QUICKSTART, &options()).await;
    assert_eq!(written(&plan), ["Delete rg-edge/store-001/flux/flux-system", "Delete rg-edge/store-001/extension"]);
    let report = world.apply(&plan).await;
    assert!(report.converged(), "{report:#?}");
    let again = world.destroy_plan(QUICKSTART, &options()).await;
    assert!(!again.has_changes());
    assert_eq!(written(&world.plan(QUICKSTART).await).len(), 2, "only the extension and the configuration are gone");
}

#[tokio::test]
async fn a_removed_kustomization_needs_a_word_about_its_workloads() {
    let spec = QUICKSTART.to_owned();
    let world = World::of(&spec);
    world.converge(&spec).await;
    let without = &spec[..spec.find("  app:").unwrap()];
    let plan = world.plan(without).await;
    assert_eq!(fields(&plan), ["kustomizations.app"]);
    assert_eq!(plan.refusals[0].code, "needs_workloads_choice");
    for workloads in [Workloads::Delete, Workloads::Keep] {
        let world = World::of(&spec);
        world.converge(&spec).await;
        let choices = Choices { workloads: Some(workloads), ..Choices::default() };
        world.converge_with(without, &Options { choices, ..options() }).await;
    }
}

#[tokio::test]
async fn a_change_of_scope_is_a_replace_and_must_be_allowed() {
    let world = World::of(LONG_FORM);
    world.converge(LONG_FORM).await;
    let moved = LONG_FORM.replacen("scope: cluster", "scope: namespace", 1);
    assert_ne!(moved, LONG_FORM);
    let plan = world.plan(&moved).await;
    assert_eq!(plan.refusals[0].code, "replace_not_allowed");
    let choices = Choices { allow_replace: true, ..Choices::default() };
    world.converge_with(&moved, &Options { choices, ..options() }).await;
}

#[tokio::test]
async fn every_spec_converges_under_every_quirk() {
    for spec in [QUICKSTART, LONG_FORM, FLEET, AKS, RUNBOOK, EVERYTHING] {
        for (name, quirks) in Quirks::all_variants() {
            let world = World::with(spec, sim::Settings { quirks, ..sim::Settings::default() });
            let plan = world.try_plan(spec, &options()).await.unwrap();
            let report = world.apply(&plan).await;
            assert!(report.converged(), "{name}: {report:#?}");
            let again = world.plan(spec).await;
            assert!(!again.has_changes() && !again.waits(), "{name}: {:?} {:?}", written(&again), fields(&again));
        }
    }
}

#[tokio::test]
async fn one_write_at_a_time_per_cluster_and_many_clusters_at_once() {
    const SPEC: &str = "\
apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-edge
clusters: {store-001: {}, store-002: {}}
configurations:
  one: &any
    namespace: any
    gitRepository: {url: https://github.com/contoso/gitops, branch: main}
    kustomizations: {app: {path: ./apps}}
  two: *any
  three: *any
";
    let world = World::of(SPEC);
    world.converge(SPEC).await;
    // Per cluster, the resource that was written last and may still be on its way in ARM.
    let mut writing: BTreeMap<String, String> = BTreeMap::new();
    let (mut side_by_side, mut beside_flux) = (0, 0);
    for event in world.events.lock().unwrap().iter() {
        let address = event.address.to_string();
        let Some(cluster) = address.split('/').nth(1).filter(|cluster| cluster.starts_with("store-")) else { continue };
        match &event.kind {
            EventKind::Accepted { .. } => {
                side_by_side += writing.keys().filter(|other| *other != cluster).count();
                writing.insert(cluster.to_owned(), address);
            }
            EventKind::ApplyProgress { waiting_for, .. } if waiting_for == "provisioning" => {
                assert_eq!(writing.get(cluster), Some(&address), "it was not done when the next one was written");
            }
            EventKind::ApplyProgress { .. } => {
                beside_flux += writing.get(cluster).filter(|other| **other != address).iter().count();
            }
            EventKind::ApplyComplete { .. } => {
                writing.retain(|_, written| *written != address);
            }
            EventKind::ApplyStart { .. } | EventKind::ApplyErrored { .. } | EventKind::ApplySkipped { .. } => {}
        }
    }
    assert!(side_by_side > 0, "the clusters waited for each other");
    assert!(beside_flux > 0, "a write waited for Flux, which keeps nobody");
}
