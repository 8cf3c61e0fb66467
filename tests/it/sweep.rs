//! Every change of one field, carried out: by PUT, and by PATCH where a secret is stored that the spec does not supply;
//! and every spec taken down again.

use arcflux::graph;
use arcflux::plan::{self, Choices, Options, Plan, Workloads};
use arcflux::sim::{self, Quirks};
use arcflux::spec::Desired;
use serde_json::json;

use crate::edits::EDITS;
use crate::simulated::{World, desired, fields, options, written};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const LONG_FORM: &str = include_str!("../../specs/long-form.yaml");
const FLEET: &str = include_str!("../../specs/fleet.yaml");
const AKS: &str = include_str!("../../specs/aks.yaml");

/// Edits after which the configuration could not become compliant: they name what is not there, or contradict the rest.
const IMPOSSIBLE: &[&str] = &["dependsOn", "httpsUser", "tag", "semver"];

/// What a user may have to allow, allowed.
fn allowing() -> Options {
    let choices = Choices { allow_replace: true, workloads: Some(Workloads::Delete), ..Choices::default() };
    Options { choices, allow_auth_hosts: vec!["git.contoso.com".to_owned()], ..options() }
}

async fn planned(world: &World, desired: &Desired) -> Plan {
    let graph = graph::build(desired).unwrap();
    plan::make(&graph, &world.live(&graph).await, &json!({}), &allowing()).unwrap()
}

/// Makes every edit of `original`, each in a new world, and applies it. What the plans refused, by edit.
async fn sweep(original: &str, change: impl Fn(&mut Desired)) -> Vec<(&'static str, String)> {
    let mut refused = Vec::new();
    for edit in EDITS.iter().filter(|edit| !IMPOSSIBLE.contains(&edit.name)) {
        let world = World::of(original);
        world.converge(original).await;
        let mut desired = desired(original);
        change(&mut desired);
        let path = edit.make(desired.clusters[0].configurations.values_mut().next().unwrap());
        let plan = planned(&world, &desired).await;
        assert_eq!(fields(&plan), [path], "{}", edit.name);
        if let Some(refusal) = plan.refusals.first() {
            refused.push((edit.name, refusal.code.clone()));
            continue;
        }
        let report = world.apply(&plan).await;
        assert!(report.converged(), "{}: {report:#?}", edit.name);
        let again = planned(&world, &desired).await;
        assert!(!again.has_changes() && !again.waits(), "{}: {:?} {:?}", edit.name, written(&again), fields(&again));
    }
    refused
}

#[tokio::test]
async fn every_edit_without_a_secret_is_carried_out() {
    assert_eq!(sweep(QUICKSTART, |_| {}).await, []);
}

#[tokio::test]
async fn every_edit_beside_a_stored_key_is_carried_out_or_refused() {
    let with_key = QUICKSTART.replace(
        "url: https://github.com/contoso/gitops",
        "url: ssh://git@git.contoso.com/gitops\n  sshPrivateKey: {file: key}\n  sshKnownHosts: git.contoso.com ssh-rsa AAAA",
    );
    let without_key = |desired: &mut Desired| {
        let configuration = desired.clusters[0].configurations.values_mut().next().unwrap();
        configuration.git_repository.as_mut().unwrap().ssh_private_key = None;
    };
    let refused = sweep(&with_key, without_key).await;
    let lost = |name| (name, "stored_secret_would_be_lost".to_owned());
    assert_eq!(refused, [lost("scope"), lost("namespace")]);
}

#[tokio::test]
async fn a_spec_is_taken_down_under_every_quirk() {
    for (name, quirks) in Quirks::all_variants() {
        taken_down(QUICKSTART, quirks, Workloads::Keep, name).await;
    }
    for spec in [LONG_FORM, FLEET, AKS] {
        for workloads in [Workloads::Delete, Workloads::Keep] {
            taken_down(spec, Quirks::default(), workloads, "default").await;
        }
    }
}

async fn taken_down(spec: &str, quirks: Quirks, workloads: Workloads, name: &str) {
    let world = World::with(spec, sim::Settings { quirks, ..sim::Settings::default() });
    world.converge(spec).await;
    let options = Options { choices: Choices { workloads: Some(workloads), ..Choices::default() }, ..options() };
    let plan = world.destroy_plan(spec, &options).await;
    assert_eq!(plan.refusals, []);
    let report = world.apply(&plan).await;
    assert!(report.converged(), "{name}: {report:#?}");
    let again = world.destroy_plan(spec, &options).await;
    assert!(!again.has_changes() && !again.waits(), "{name}: {:?}", written(&again));
}
