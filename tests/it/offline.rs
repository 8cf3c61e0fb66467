//! Clusters that do not talk to Azure, and secrets that are sent again: from the plan to what is written.

use arcflux::plan::{self, Action, Choices, OfflineClusters, Options, Reason, WaitFor};
use arcflux::sim::{self, Scenario};
use serde_json::json;

use crate::simulated::{World, options, written};
use crate::world;

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");

fn skip() -> Options {
    Options { choices: Choices { offline: OfflineClusters::Skip, ..Choices::default() }, ..options() }
}

fn offline(spec: &str) -> World {
    World::with(spec, sim::Settings { scenario: Some(Scenario::AgentOffline), ..sim::Settings::default() })
}

#[tokio::test]
async fn what_is_deferred_is_listed_and_everything_else_is_carried_out() {
    let world = offline(QUICKSTART);
    let plan = world.try_plan(QUICKSTART, &skip()).await.unwrap();
    let deferred: Vec<String> = plan.deferred_changes.iter().map(|one| one.address.to_string()).collect();
    assert_eq!(deferred, ["rg-edge/store-001/extension", "rg-edge/store-001/flux/flux-system"]);
    assert!(plan.deferred_changes.iter().all(|one| one.reason == "cluster_offline" && one.actions == Action::Create));
    assert_eq!(written(&plan), ["Create provider/Microsoft.KubernetesConfiguration"]);
    assert_eq!(plan.counts().create, 1, "what is deferred is not counted");
    let report = world.apply(&plan).await;
    assert!(report.converged(), "{report:#?}");
    assert_eq!(report.deferred.len(), 2);
    assert!(world.writes_since(0).iter().all(|write| write.ends_with("/register")));
    // What is left is still what the spec asks for, and nothing to wait for.
    let again = world.try_plan(QUICKSTART, &skip()).await.unwrap();
    assert!(!again.has_changes() && !again.waits() && again.differs() && !again.applyable);
}

#[tokio::test]
async fn what_is_deferred_is_bound_by_the_digest() {
    let world = offline(QUICKSTART);
    let before = world.try_plan(QUICKSTART, &skip()).await.unwrap();
    let mut without = before.clone();
    without.deferred_changes.pop();
    assert_ne!(without.computed_digest(), before.digest);
    let mut reworded = before.clone();
    reworded.deferred_changes[0].message = "the cluster is Offline, last heard of some other time".to_owned();
    assert_eq!(reworded.computed_digest(), before.digest, "the time of the last contact moves all the time");
}

#[tokio::test]
async fn the_choice_alone_changes_nothing_about_a_connected_cluster() {
    let world = World::of(QUICKSTART);
    let plain = world.plan(QUICKSTART).await;
    let skipping = world.try_plan(QUICKSTART, &skip()).await.unwrap();
    assert_eq!(plain.digest, skipping.digest);
}

#[test]
fn a_destruction_leaves_what_is_on_a_silent_cluster() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::edit_cluster(&desired, &mut live, |body| body["properties"]["connectivityStatus"] = json!("Offline"));
    let skip = Options { choices: skip().choices, ..world::options() };
    let plan = plan::destroy(&world::graph(&desired), &live, &desired.expanded, &skip).unwrap();
    assert!(!plan.has_changes());
    assert_eq!(plan.deferred_changes.len(), 2);
    assert!(plan.deferred_changes.iter().all(|one| one.actions == Action::Delete));
    assert!(plan.notes.iter().any(|note| note.code == "cluster_offline"));
}

const SECRETS: &str = "
apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-edge
cluster: {name: store-001}
extension:
  multiTenancy: false
  configurationProtectedSettings:
    registry.password: {env: REGISTRY_PASSWORD}
repo:
  url: https://github.com/contoso/gitops
  branch: main
  httpsUser: git
  httpsKey: {env: GIT_TOKEN}
kustomizations:
  app: {path: ./app}
";

fn resend(only: &[&str]) -> Options {
    let only = only.iter().map(|glob| glob.parse().unwrap()).collect();
    Options { choices: Choices { resend_secrets: true, only, ..Choices::default() }, ..options() }
}

#[tokio::test]
async fn secrets_are_sent_again_when_that_is_asked_for_and_then_nothing_is_left_to_do() {
    let world = World::of(SECRETS);
    world.converge(SECRETS).await;
    let from = world.sim.requests().len();
    let plan = world.try_plan(SECRETS, &resend(&[])).await.unwrap();
    assert_eq!(
        written(&plan),
        ["Update rg-edge/store-001/extension", "Update rg-edge/store-001/flux/flux-system"],
        "nothing else is"
    );
    for change in plan.resource_changes.iter().filter(|change| change.writes()) {
        assert_eq!(change.action_reason, Reason::SecretsResent);
        assert!(change.fields.is_empty());
        assert!(change.secrets[0].because.contains("--resend-secrets"), "{}", change.secrets[0].because);
    }
    let report = world.apply(&plan).await;
    assert!(report.converged(), "{report:#?}");
    let writes = world.writes_since(from);
    let verbs: Vec<&str> = writes.iter().map(|write| write.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(verbs, ["PATCH", "PUT"], "the extension in part, the configuration whole: {writes:?}");
    let after = world.plan(SECRETS).await;
    assert!(!after.has_changes() && !after.waits());
}

#[tokio::test]
async fn only_what_is_selected_gets_its_secrets_again() {
    let world = World::of(SECRETS);
    world.converge(SECRETS).await;
    let plan = world.try_plan(SECRETS, &resend(&["rg-edge/store-001/flux/*"])).await.unwrap();
    assert_eq!(written(&plan), ["Update rg-edge/store-001/flux/flux-system"], "its extension is only needed by it");
}

#[tokio::test]
async fn a_change_and_a_resend_are_one_step() {
    let world = World::of(SECRETS);
    world.converge(SECRETS).await;
    let changed = SECRETS.replace("./app", "./next").replace("multiTenancy: false", "multiTenancy: true");
    let options = resend(&[]);
    let options = Options { choices: Choices { wait: WaitFor::Provisioned, ..options.choices }, ..options };
    let plan = world.try_plan(&changed, &options).await.unwrap();
    for change in plan.resource_changes.iter().filter(|change| change.writes()) {
        assert_eq!(change.action_reason, Reason::FieldsDiffer);
        assert_eq!(change.steps.iter().filter(|step| step.writes()).count(), 1, "{:#?}", change.steps);
        assert_eq!(change.secrets.len(), 1);
    }
}
