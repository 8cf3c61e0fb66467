//! What goes, in which order, and what is looked at before: from the plan to what is written.

use std::time::Duration;

use arcflux::graph::{self, Want};
use arcflux::model::{Listing, Reading};
use arcflux::plan::{self, Choices, Options, Outcome, Plan, Step, Until, Workloads};
use arcflux::sim::{self, Scenario};
use serde_json::{Value, json};

use crate::binary::{AT_ONCE, Place};
use crate::simulated::{Placeholders, World, desired, options, written};
use crate::world;

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const AKS: &str = include_str!("../../specs/aks.yaml");
const CONFIGURATION: &str = "rg-edge/store-001/flux/flux-system";
const EXTENSION: &str = "rg-edge/store-001/extension";

fn forced(addresses: &[&str]) -> Options {
    let force_delete = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Options { choices: Choices { force_delete, ..Choices::default() }, ..options() }
}

/// The quickstart, up and running.
async fn converged() -> World {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    world
}

/// What was asked since `from`, with its parameters: verb, last segment, whether it was forced.
fn asked(world: &World, from: usize) -> Vec<String> {
    let log = world.sim.requests().into_iter().skip(from).filter(|logged| logged.method != "GET");
    log.map(|logged| {
        let (path, query) = logged.target.split_once('?').unwrap();
        let force = if query.contains("forceDelete=true") { " forced" } else { "" };
        format!("{} {}{force}", logged.method, path.rsplit('/').next().unwrap_or_default())
    })
    .collect()
}

/// Makes a configuration as somebody else would.
fn make_another(world: &World, plan: &Plan, name: &str) {
    let cluster = plan.resource_changes.iter().find_map(|change| change.cluster.clone()).unwrap();
    let url = format!(
        "{cluster}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/{name}?api-version=2025-04-01"
    );
    let body = json!({"properties": {
        "scope": "cluster", "namespace": name, "sourceKind": "GitRepository",
        "gitRepository": {"url": "https://github.com/team/b", "repositoryRef": {"branch": "main"}},
        "kustomizations": {"b": {"path": "./b", "prune": true}},
    }});
    assert_eq!(world.curl("PUT", &url, &body).0, 201);
}

#[tokio::test]
async fn workloads_are_kept_by_switching_prune_off_before() {
    let world = converged().await;
    let from = world.sim.requests().len();
    let choices = Choices { workloads: Some(Workloads::Keep), ..Choices::default() };
    let plan = world.destroy_plan(QUICKSTART, &Options { choices, ..options() }).await;
    let report = world.apply(&plan).await;
    assert!(report.converged(), "{report:#?}");
    assert_eq!(asked(&world, from), ["PATCH flux-system", "DELETE flux-system", "DELETE flux"]);
    let configuration = plan.resource_changes.iter().find(|change| change.address.to_string() == CONFIGURATION);
    let [
        Step::Patch { body, .. },
        Step::Wait { until: Until::Provisioned, .. },
        Step::Delete { .. },
        Step::Wait { .. },
    ] = configuration.unwrap().steps.as_slice()
    else {
        panic!("{configuration:#?}");
    };
    for name in ["app", "infrastructure"] {
        assert_eq!(
            body["properties"]["kustomizations"][name],
            json!({"prune": false}),
            "what was picked up is waited for"
        );
    }
}

#[tokio::test]
async fn a_configuration_that_somebody_made_since_the_plan_keeps_the_extension() {
    let world = converged().await;
    let plan = world.destroy_plan(QUICKSTART, &options()).await;
    make_another(&world, &plan, "team-b");
    let from = world.sim.requests().len();
    let report = world.apply(&plan).await;
    let failures: Vec<_> = report.failures().collect();
    let [(resource, failure)] = failures.as_slice() else { panic!("{report:#?}") };
    assert_eq!((resource.address.to_string().as_str(), failure.code.as_str()), (EXTENSION, "moved"));
    assert!(failure.message.contains("fluxConfigurations now that the plan does not know of: team-b"), "{failure:?}");
    assert_eq!(asked(&world, from), ["DELETE flux-system"], "the extension is not touched");
}

#[tokio::test]
async fn what_the_list_still_shows_of_the_deleted_keeps_nothing() {
    let world = converged().await;
    let plan = world.destroy_plan(QUICKSTART, &options()).await;
    let extension = plan.resource_changes.iter().find(|change| change.address.to_string() == EXTENSION).unwrap();
    let [Step::Expect { id, only, .. }, Step::Delete { force: false, .. }, Step::Wait { until: Until::Gone, .. }] =
        extension.steps.as_slice()
    else {
        panic!("{extension:#?}");
    };
    assert!(id.as_str().ends_with("/fluxConfigurations"), "{id}");
    assert_eq!(only, &["flux-system"]);
}

#[test]
fn without_the_list_of_configurations_the_extension_stays() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    for (collection, listing) in &mut live.listings {
        if collection.as_str().ends_with("fluxConfigurations") {
            *listing = Listing::Denied("no".to_owned());
        }
    }
    let errors = plan::destroy(&world::graph(&desired), &live, &desired.expanded, &world::options()).unwrap_err();
    assert!(errors.iter().any(|error| error.message.contains("may not be listed")), "{errors:?}");
}

#[tokio::test]
async fn flux_v1_has_an_operator_of_its_own_and_keeps_nothing() {
    let world = converged().await;
    let plan = world.plan(QUICKSTART).await;
    let cluster = plan.resource_changes.iter().find_map(|change| change.cluster.clone()).unwrap();
    let url = format!(
        "{cluster}/providers/Microsoft.KubernetesConfiguration/sourceControlConfigurations/old?api-version=2022-03-01"
    );
    let body = json!({"properties": {"repositoryUrl": "https://github.com/o/old", "operatorNamespace": "old"}});
    assert!(world.curl("PUT", &url, &body).0 < 300);
    let plan = world.destroy_plan(QUICKSTART, &options()).await;
    assert_eq!(plan.refusals, []);
    assert!(world.apply(&plan).await.converged());
}

#[tokio::test]
async fn what_is_forced_is_gone_at_once_and_only_what_was_named_is_forced() {
    let world = converged().await;
    let plain = world.destroy_plan(QUICKSTART, &options()).await;
    let plan = world.destroy_plan(QUICKSTART, &forced(&[CONFIGURATION])).await;
    assert_ne!(plan.digest, plain.digest, "it is part of what is agreed to");
    let change = plan.resource_changes.iter().find(|change| change.address.to_string() == CONFIGURATION).unwrap();
    let codes: Vec<&str> = change.consequences.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["orphaned"]);
    assert!(change.consequences[0].message.contains("app, infrastructure applied"), "{:?}", change.consequences);
    assert!(plan.notes.iter().any(|note| note.code == "forced_on_a_connected_cluster"), "{:?}", plan.notes);
    let from = world.sim.requests().len();
    let report = world.apply(&plan).await;
    assert!(report.converged(), "{report:#?}");
    assert_eq!(asked(&world, from), ["DELETE flux-system forced", "DELETE flux"]);
    // Made again, it is met: what was named is gone.
    let again = world.destroy_plan(QUICKSTART, &forced(&[CONFIGURATION])).await;
    assert_eq!(again.refusals, []);
    assert!(!again.has_changes());
}

#[tokio::test]
async fn only_what_the_plan_deletes_can_be_forced() {
    let world = converged().await;
    for address in ["rg-edge/store-001/flux/other", "rg-edge/store-001", "rg-edge", "rg-edge/store-001/flux/*"] {
        let plan = world.destroy_plan(QUICKSTART, &forced(&[address])).await;
        let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
        assert_eq!(codes, ["not_to_be_deleted"], "{address}");
        assert!(plan.refusals[0].message.contains(CONFIGURATION), "{:?}", plan.refusals);
    }
    let plan = world.try_plan(QUICKSTART, &forced(&[CONFIGURATION])).await.unwrap();
    assert_eq!(plan.refusals[0].code, "not_to_be_deleted", "nobody wants it to go");
    assert!(!plan.has_changes());
}

/// A plan on a cluster that is silent in this way.
fn on_a_silent_cluster(state: &str, choices: Choices) -> Plan {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::edit_cluster(&desired, &mut live, |body| body["properties"]["connectivityStatus"] = json!(state));
    let options = Options { choices, ..world::options() };
    plan::destroy(&world::graph(&desired), &live, &desired.expanded, &options).unwrap()
}

#[test]
fn a_silent_cluster_is_waited_for_before_anything_is_deleted_on_it() {
    for (state, keep) in [("Offline", None), ("Offline", Some(Workloads::Keep)), ("Connecting", None)] {
        let plan = on_a_silent_cluster(state, Choices { workloads: keep, ..Choices::default() });
        assert_eq!(plan.refusals, []);
        for change in plan.resource_changes.iter().filter(|change| change.writes()) {
            let [Step::Wait { id, until: Until::Connected, .. }, ..] = change.steps.as_slice() else {
                panic!("{change:#?}")
            };
            assert_eq!(Some(id), change.cluster.as_ref());
        }
        assert!(plan.notes.iter().any(|note| note.message.contains("`--force-delete ADDRESS`")), "{:?}", plan.notes);
    }
}

#[test]
fn azures_record_goes_whatever_the_cluster_does() {
    let force_delete = || vec![CONFIGURATION.parse().unwrap(), EXTENSION.parse().unwrap()];
    for state in ["Offline", "Expired", "AgentNotInstalled"] {
        for offline in [plan::OfflineClusters::Fail, plan::OfflineClusters::Skip] {
            let plan =
                on_a_silent_cluster(state, Choices { offline, force_delete: force_delete(), ..Choices::default() });
            assert_eq!((plan.refusals.len(), plan.deferred_changes.len()), (0, 0), "{state}: {:?}", plan.refusals);
            let steps: Vec<&Step> = plan.resource_changes.iter().flat_map(|change| &change.steps).collect();
            assert!(!steps.iter().any(|step| matches!(step, Step::Wait { until: Until::Connected, .. })), "{steps:#?}");
            assert_eq!(steps.iter().filter(|step| step.is_forced()).count(), 2);
        }
    }
}

#[test]
fn what_is_stuck_in_its_deletion_can_be_forced() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    for reading in live.readings.values_mut() {
        if let Reading::Present(body) = reading
            && body.pointer("/properties/kustomizations").is_some_and(Value::is_object)
        {
            body["properties"]["provisioningState"] = json!("Deleting");
        }
    }
    let made = |choices: Choices| {
        let options = Options { choices, ..world::options() };
        plan::destroy(&world::graph(&desired), &live, &desired.expanded, &options).unwrap()
    };
    let names = |plan: &Plan| written(plan).into_iter().filter(|one| one.contains("/flux/")).collect::<Vec<_>>();
    assert_eq!(names(&made(Choices::default())), [format!("NoOp {CONFIGURATION}")], "it is waited for");
    let force_delete = vec![CONFIGURATION.parse().unwrap()];
    let plan = made(Choices { force_delete, ..Choices::default() });
    assert_eq!(names(&plan), [format!("Delete {CONFIGURATION}")]);
}

#[tokio::test]
async fn a_stopped_cluster_is_asked_for_in_the_words_of_its_type() {
    let world = World::of(AKS);
    world.converge(AKS).await;
    let desired = desired(AKS);
    let graph = graph::build(&desired).unwrap();
    let mut live = world.live(&graph).await;
    let cluster = graph.nodes().iter().find(|node| matches!(node.want, Want::Cluster(..))).unwrap();
    let Some(Reading::Present(body)) = live.readings.get_mut(&cluster.id) else { panic!("no cluster") };
    body["properties"]["powerState"] = json!({"code": "Stopped"});
    let plan = plan::destroy(&graph, &live, &desired.expanded, &options()).unwrap();
    assert!(matches!(plan.resource_changes[0].steps[0], Step::Wait { until: Until::Connected, .. }));
    // Somebody has started it since.
    let report = world.apply(&plan).await;
    assert!(report.converged(), "{report:#?}");
}

#[test]
fn a_destruction_on_an_offline_cluster_fails_and_names_the_way_out_which_then_works() {
    let place = Place::quickstart();
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    let offline = |arguments: &[&str]| {
        place.run(&[arguments, &["--sim-scenario", "agent-offline", "--verbose"], &AT_ONCE].concat())
    };
    let failed = offline(&["destroy", "--auto-approve"]).ends_with(4).shows("the cluster is Offline");
    assert!(!failed.err.contains("DELETE "), "{}", failed.err);
    failed.shows("if it never will again, `--force-delete ADDRESS` takes Azure's record alone away");
    let force = ["--force-delete", CONFIGURATION, "--force-delete", EXTENSION];
    let done = offline(&[&["destroy", "--auto-approve"], &force[..]].concat()).ends_with(0);
    let done = done.shows(&format!("# {CONFIGURATION} will be taken out of Azure, and left in the cluster"));
    done.shows("Destroy complete! Resources: 2 destroyed.").says("forceDelete=true");
    offline(&[&["destroy", "--auto-approve"], &force[..]].concat()).ends_with(0).shows("No changes.");
}

#[tokio::test]
async fn a_deletion_that_does_not_end_names_the_way_out() {
    let world = converged().await;
    let plan = world.destroy_plan(QUICKSTART, &options()).await;
    let patience = Some(Duration::from_secs(1));
    let report = world.apply_with(&plan, patience, &Placeholders).await;
    let (_, failure) = report.failures().next().unwrap();
    assert_eq!(failure.code, "timed_out");
    assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains("`--force-delete ADDRESS`")), "{failure:?}");
    assert!(report.resources.iter().any(|one| matches!(&one.outcome, Outcome::Skipped { because: Some(cause) }
        if cause.to_string() == CONFIGURATION)));
}

#[tokio::test]
async fn what_must_be_absent_can_be_forced_where_everything_else_waits_for_the_cluster() {
    let absent = format!("{QUICKSTART}configurations:\n  old: {{state: absent}}\n");
    let settings = sim::Settings { scenario: Some(Scenario::AgentOffline), ..sim::Settings::default() };
    let world = World::with(&absent, settings);
    let registered = Choices { only: vec!["provider/*".parse().unwrap()], ..Choices::default() };
    world.converge_with(&absent, &Options { choices: registered, ..options() }).await;
    let plan = world.plan(&absent).await;
    make_another(&world, &plan, "old");
    let from = world.sim.requests().len();
    let plan = world.try_plan(&absent, &forced(&["rg-edge/store-001/flux/old"])).await.unwrap();
    assert_eq!(plan.refusals, [], "nothing is said of its workloads: they stay");
    let report = world.apply(&plan).await;
    assert_eq!(asked(&world, from), ["DELETE old forced"]);
    let old = report.resources.iter().find(|one| one.address.to_string().ends_with("/old")).unwrap();
    assert_eq!(old.outcome, Outcome::Applied);
    assert!(!report.converged(), "the cluster does not talk to Azure");
}
