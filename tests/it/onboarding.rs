//! Connecting clusters, in process, against the simulator and a cluster in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arcflux::apply::{self, Interrupt, Secrets, Timeouts};
use arcflux::fetch;
use arcflux::graph;
use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::kinds::Kind;
use arcflux::model::LiveState;
use arcflux::plan::{self, Action, ApplyReport, Choices, Options, Outcome, Plan, Precondition};
use arcflux::sim::{self, Seed, SeedGroup};
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::simulated::{Placeholders, World, desired, options, written};
use crate::site::{CONTEXT, Death, Dying, Fault, Site};

const ONBOARD: &str = include_str!("../../specs/onboard.yaml");
const SUBSCRIPTION: &str = "3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20";
const CLUSTER: &str = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-edge/providers/Microsoft.Kubernetes/connectedClusters/store-001";

/// A world with the group, and a cluster that nobody has connected.
fn world() -> World {
    let group = SeedGroup { name: "rg-edge".to_owned(), location: "westeurope".to_owned() };
    let seed = Seed { subscription: SUBSCRIPTION.to_owned(), tenant: None, groups: vec![group], clusters: Vec::new() };
    World::with(ONBOARD, sim::Settings { seeds: vec![seed], installs_agents: true, ..sim::Settings::default() })
}

/// A world in which somebody has made a record, and lost its key.
fn with_a_lost_key() -> World {
    let world = world();
    let body = json!({"location": "westeurope", "identity": {"type": "SystemAssigned"},
        "properties": {"agentPublicKeyCertificate": "lost"}});
    assert_eq!(record_is_put(&world, &body), 201);
    world.sim.advance(std::time::Duration::from_secs(60));
    world
}

fn record_is_put(world: &World, body: &Value) -> u16 {
    world.curl("PUT", &format!("{CLUSTER}?api-version=2026-05-01"), body).0
}

fn record(world: &World) -> Option<Value> {
    let (status, body) = world.curl("GET", &format!("{CLUSTER}?api-version=2026-05-01"), &Value::Null);
    (status == 200).then_some(body)
}

/// What is live, and what is seen of the cluster where somebody looks.
async fn live(world: &World, site: Option<&Site>) -> LiveState {
    let graph = graph::build(&desired(ONBOARD)).unwrap();
    let mut live = world.live(&graph).await;
    if let Some(site) = site {
        live.contexts = fetch::contexts(&graph.contexts(), site).await;
    }
    live
}

async fn planned(world: &World, site: Option<&Site>) -> Plan {
    let desired = desired(ONBOARD);
    let graph = graph::build(&desired).unwrap();
    plan::make(&graph, &live(world, site).await, &desired.expanded, &options()).unwrap()
}

async fn destruction(world: &World, site: &Site) -> Plan {
    let desired = desired(ONBOARD);
    let graph = graph::build(&desired).unwrap();
    let choices = Choices { disconnect: true, ..Choices::default() };
    let options = Options { choices, ..options() };
    plan::destroy(&graph, &live(world, Some(site)).await, &desired.expanded, &options).unwrap()
}

async fn applied(world: &World, plan: &Plan, site: &Site) -> ApplyReport {
    let secrets = Secrets::read(plan, &Placeholders, world.arm.now()).unwrap();
    let interrupt = Interrupt::default();
    let settings = apply::Settings {
        parallelism: None,
        timeouts: Timeouts { all: None },
        secrets: &secrets,
        events: &|event| world.events.lock().unwrap().push(event),
        interrupt: &interrupt,
        clusters: Some(&site.access()),
    };
    apply::run(plan, &world.arm, &settings).await
}

/// Looks, plans, applies, and finds nothing left to do.
async fn converge(world: &World, site: &Site) -> Plan {
    let plan = planned(world, Some(site)).await;
    assert_eq!(plan.refusals, [], "the plan is refused");
    let report = applied(world, &plan, site).await;
    assert!(report.converged(), "{report:#?}");
    let again = planned(world, Some(site)).await;
    assert!(!again.has_changes() && !again.waits(), "the second plan is not empty: {:#?}", written(&again));
    assert_eq!(record(world).unwrap()["properties"]["connectivityStatus"], "Connected");
    plan
}

fn failure(report: &ApplyReport) -> (String, String) {
    let failed = report.resources.iter().find_map(|one| match &one.outcome {
        Outcome::Failed { failure, .. } => Some((failure.code.clone(), failure.message.clone())),
        _ => None,
    });
    failed.unwrap_or_else(|| panic!("{report:#?}"))
}

#[tokio::test]
async fn a_cluster_is_connected_and_everything_brought_onto_it() {
    let world = world();
    let site = Site::new(&world.sim);
    let plan = converge(&world, &site).await;
    let agents = world.sim.agents(CONTEXT).unwrap();
    let record = record(&world).unwrap();
    assert_eq!(record["properties"]["agentPublicKeyCertificate"], agents.public_key.as_str());
    assert_eq!(record["properties"]["distribution"], "k3s");
    assert_eq!(record["properties"]["infrastructure"], "generic");
    assert_eq!((record["location"].as_str(), agents.cluster.as_str()), (Some("westeurope"), CLUSTER));
    let values = site.values.lock().unwrap();
    let [values] = values.as_slice() else { panic!("{values:?}") };
    assert_eq!(
        *values,
        json!({
            "global": {"subscriptionId": SUBSCRIPTION, "resourceGroupName": "rg-edge", "resourceName": "store-001",
                "location": "westeurope", "azureEnvironment": "AZUREPUBLICCLOUD", "kubernetesDistro": "k3s",
                "kubernetesInfra": "generic", "tenantId": record["identity"]["tenantId"]},
            "systemDefaultValues": {"spnOnboarding": false, "clusterconnect-agent": {"enabled": true},
                "azureArcAgents": {"autoUpdate": true}},
            "extra": "hunter2-value",
        })
    );
    let told = format!("{}{:?}", serde_json::to_string(&plan).unwrap(), world.events.lock().unwrap());
    assert!(!told.contains("hunter2") && !told.contains(&agents.public_key));
}

#[tokio::test]
async fn whoever_has_not_looked_plans_the_same() {
    let world = world();
    let site = Site::new(&world.sim);
    let (seen, unseen) = (planned(&world, Some(&site)).await, planned(&world, None).await);
    assert_eq!(seen.digest, unseen.digest);
    let report = applied(&world, &unseen, &site).await;
    assert!(report.converged(), "{report:#?}");
}

/// Kills an apply at every step, each time in a world of its own, and runs it again. The number of steps.
async fn killed_everywhere(begin: impl Fn() -> World, ends: impl AsyncFn(&World, &Site)) -> usize {
    for fatal in 0.. {
        let world = begin();
        let death = Death::at(fatal);
        let site = Site { death: Arc::clone(&death), ..Site::new(&world.sim) };
        let dying = world.through(Arc::new(Dying(world.sim.transport(), Arc::clone(&death))));
        let ended = tokio::select! {
            () = ends(&dying, &site) => true,
            () = death.comes() => false,
        };
        ends(&world, &Site::new(&world.sim)).await;
        if ended {
            return fatal;
        }
    }
    0
}

#[tokio::test]
async fn killed_at_any_step_and_run_again() {
    let ends = async |world: &World, site: &Site| drop(converge(world, site).await);
    let steps = killed_everywhere(world, ends).await;
    assert!(steps > 30, "{steps} steps");
}

#[tokio::test]
async fn killed_at_any_step_of_connecting_again_and_run_again() {
    let ends = async |world: &World, site: &Site| {
        converge(world, site).await;
        assert_ne!(record(world).unwrap()["properties"]["agentPublicKeyCertificate"], "lost");
    };
    let steps = killed_everywhere(with_a_lost_key, ends).await;
    assert!(steps > 30, "{steps} steps");
}

#[tokio::test]
async fn killed_at_any_step_of_disconnecting_and_run_again() {
    // Connecting is no part of what is killed: each world gets as far in a runtime of its own.
    let connected = || {
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let world = world();
                converge(&world, &Site::new(&world.sim)).await;
                world
            })
        })
        .join()
        .unwrap()
    };
    let ends = async |world: &World, site: &Site| {
        let plan = destruction(world, site).await;
        assert_eq!(plan.refusals, []);
        let report = applied(world, &plan, site).await;
        assert!(report.converged(), "{report:#?}");
        assert_eq!((record(world), world.sim.agents(CONTEXT)), (None, None));
        let again = destruction(world, site).await;
        assert!(!again.has_changes() && !again.waits(), "{:#?}", written(&again));
    };
    let steps = killed_everywhere(connected, ends).await;
    assert!(steps > 10, "{steps} steps");
}

#[tokio::test]
async fn a_record_whose_key_nobody_has_is_replaced() {
    let world = with_a_lost_key();
    let site = Site::new(&world.sim);
    let unseen = planned(&world, None).await;
    let cluster = |plan: &Plan| {
        let changes = plan.resource_changes.iter();
        changes.filter(|one| one.address.to_string() == "rg-edge/store-001").map(|one| one.change.actions).next()
    };
    // Whoever has not looked waits: the agents may be on their way.
    assert_eq!(
        (cluster(&unseen), cluster(&planned(&world, Some(&site)).await)),
        (Some(Action::Read), Some(Action::Replace))
    );
    converge(&world, &site).await;
}

#[tokio::test]
async fn helm_that_fails_is_told_of_and_the_next_run_goes_on() {
    let world = world();
    let failing = Site { fault: Some(Fault::HelmFails), ..Site::new(&world.sim) };
    let plan = planned(&world, Some(&failing)).await;
    let report = applied(&world, &plan, &failing).await;
    let (code, message) = failure(&report);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("agents_not_installed", "helm: timed out waiting for the condition")
    );
    assert!(report.resources.iter().any(|one| matches!(&one.outcome, Outcome::Skipped { because: Some(_) })));
    let plan = converge(&world, &Site::new(&world.sim)).await;
    assert_eq!(plan.counts().replace, 1);
}

#[tokio::test]
async fn agents_that_are_never_heard_of_are_waited_for_in_vain() {
    let world = world();
    let site = Site { fault: Some(Fault::NeverHeardOf), ..Site::new(&world.sim) };
    let plan = planned(&world, Some(&site)).await;
    let (code, message) = failure(&applied(&world, &plan, &site).await);
    assert_eq!(code, "timed_out", "{message}");
    assert!(message.contains("Connecting"), "{message}");
    // They are deployed, so the next run waits for them, and writes nothing.
    let next = planned(&world, Some(&site)).await;
    assert_eq!(written(&next).first().map(String::as_str), Some("Read rg-edge/store-001"));
}

#[tokio::test]
async fn what_has_moved_since_the_plan_stops_it_before_anything_is_written() {
    let world = world();
    let site = Site::new(&world.sim);
    let plan = planned(&world, Some(&site)).await;
    let others = sim::Agents {
        release: "deployed".to_owned(),
        cluster: CLUSTER.replace("store-001", "kiosk-7"),
        public_key: "other".to_owned(),
    };
    world.sim.install_agents(CONTEXT, others);
    let (code, message) = failure(&applied(&world, &plan, &site).await);
    assert_eq!(code, "moved");
    assert!(message.contains("connected as kiosk-7 in rg-edge"), "{message}");
    assert_eq!(record(&world), None);
    let refused = planned(&world, Some(&site)).await;
    assert_eq!(refused.refusals[0].code, "context_is_other_cluster");

    // Somebody else was faster.
    world.sim.remove_agents(CONTEXT);
    let body = json!({"location": "westeurope", "properties": {"agentPublicKeyCertificate": "theirs"}});
    record_is_put(&world, &body);
    let (code, message) = failure(&applied(&world, &plan, &site).await);
    assert_eq!((code.as_str(), message.contains("it exists now")), ("moved", true), "{message}");
}

#[tokio::test]
async fn agents_of_others_that_come_between_the_look_and_helm_are_left_alone() {
    let world = world();
    let site = Site { fault: Some(Fault::OthersComeFirst), ..Site::new(&world.sim) };
    let plan = planned(&world, Some(&site)).await;
    let (code, message) = failure(&applied(&world, &plan, &site).await);
    assert_eq!(code, "moved");
    assert!(message.contains("connected as kiosk-7 in rg-edge"), "{message}");
    assert!(world.sim.agents(CONTEXT).unwrap().cluster.ends_with("kiosk-7"));
}

#[tokio::test]
async fn a_record_that_another_run_sends_meanwhile_is_no_success_of_this_one() {
    let world = world();
    let site = Site { fault: Some(Fault::RecordSentAgain), ..Site::new(&world.sim) };
    let plan = planned(&world, Some(&site)).await;
    let (code, message) = failure(&applied(&world, &plan, &site).await);
    assert_eq!(
        (code.as_str(), message.contains("somebody else has connected the cluster")),
        ("moved", true),
        "{message}"
    );
}

/// Loses the answer to the first PUT of the cluster's record.
struct Losing<T>(T, AtomicBool);

#[async_trait]
impl<T: Transport> Transport for Losing<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_it =
            request.method() == "PUT" && request.uri().path() == CLUSTER && !self.1.swap(true, Ordering::SeqCst);
        let answer = self.0.send(request).await;
        if is_it { Err(TransportError::Broken { host: "sim".to_owned(), source: "reset".into() }) } else { answer }
    }
}

#[tokio::test]
async fn a_record_whose_answer_was_lost_is_known_by_its_key() {
    let world = world();
    let site = Site::new(&world.sim);
    let losing = world.through(Arc::new(Losing(world.sim.transport(), AtomicBool::new(false))));
    converge(&losing, &site).await;
    let puts = world
        .sim
        .requests()
        .into_iter()
        .filter(|one| one.method == "PUT" && one.target.starts_with(&format!("{CLUSTER}?")));
    assert_eq!(puts.count(), 1);
}

#[test]
fn what_agents_report_moves_no_plan_and_another_key_does() {
    let record = |key: &str, state: &str, version: &str| {
        json!({"id": CLUSTER, "name": "store-001", "type": "microsoft.kubernetes/connectedclusters", "location": "westeurope",
            "systemData": {"lastModifiedAt": version}, "properties": {"agentPublicKeyCertificate": key,
            "connectivityStatus": state, "provisioningState": "Succeeded", "agentVersion": version, "offering": version,
            "kubernetesVersion": version, "totalNodeCount": version, "totalCoreCount": version, "miscellaneousProperties":
            {"at": version}, "arcAgentProfile": {"agentState": version}, "lastConnectivityTime": version,
            "managedIdentityCertificateExpirationTime": version}})
    };
    let kind = Kind::ConnectedCluster;
    let then = Precondition::stays(kind, Some(&record("key", "Expired", "1")));
    assert_eq!(then.violation(kind, Some(&record("key", "Expired", "2"))), None);
    let moved = |now: &Value| then.violation(kind, Some(now)).unwrap();
    assert!(moved(&record("other", "Expired", "1")).ends_with("changed at 1: agentPublicKeyCertificate"));
    assert!(moved(&record("key", "Connected", "1")).ends_with("connectivityStatus"));
}
