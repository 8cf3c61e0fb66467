//! Any answers of ARM to a plan and its apply: statuses, headers, bodies (`arcflux_fuzz::answers` says how they are
//! written). Whatever they are, the run ends, writes nothing that the plan does not contain, and shows no secret. The
//! first byte chooses the spec, whether it was applied before, and whether it is taken down.

#![no_main]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::apply::{self, Interrupt, SecretError, SecretResolver, Secrets, Settings, Timeouts};
use arcflux::arm::{ArmClient, FixedToken};
use arcflux::fetch;
use arcflux::graph::Graph;
use arcflux::http::{Origin, Transport};
use arcflux::model::{Secret, SecretRef};
use arcflux::plan::{self, Options, Plan, Step};
use arcflux::sim::{self, Seed, SeedCluster, SeedClusterType, SeedGroup, Simulator};
use arcflux::spec::Desired;
use arcflux::view::{self, Style};
use arcflux_fuzz::{answers, pipeline};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "hunter2-and-nobody-else";
const TOKEN: &str = "t0ken-of-nobody";

struct Known;

impl SecretResolver for Known {
    fn resolve(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Ok(Secret::placeholder(SECRET.to_owned()))
    }
}

fn simulator(desired: &Desired) -> Simulator {
    let cluster = &desired.clusters[0];
    let seed = Seed {
        subscription: cluster.subscription.clone(),
        groups: vec![SeedGroup { name: cluster.resource_group.name.clone(), location: "westeurope".to_owned() }],
        clusters: vec![SeedCluster {
            resource_group: cluster.resource_group.name.clone(),
            name: cluster.cluster.name.clone(),
            cluster_type: SeedClusterType::ConnectedClusters,
            location: "westeurope".to_owned(),
        }],
        tenant: None,
    };
    Simulator::in_memory(sim::Settings { seeds: vec![seed], ..sim::Settings::default() })
}

fn client(sim: &Simulator, transport: Arc<dyn Transport>) -> ArmClient {
    let tokens = Arc::new(FixedToken::new(Secret::new(TOKEN.to_owned())));
    let origin = Origin::parse(sim::ORIGIN).expect("the simulator's origin");
    ArmClient::new(transport, Arc::new(sim.clock(f64::INFINITY)), tokens, origin).jitter(Arc::new(|| 0.5))
}

/// Applies `plan`, and gives everything that a person or a program is shown of it.
async fn carry_out(plan: &Plan, arm: &ArmClient) -> String {
    let Ok(secrets) = Secrets::read(plan, &Known, arm.now()) else { return String::new() };
    let shown = Mutex::new(String::new());
    let report = apply::run(
        plan,
        arm,
        &Settings {
            parallelism: None,
            timeouts: Timeouts { all: Some(Duration::from_secs(1800)) },
            secrets: &secrets,
            events: &|event| {
                let mut shown = shown.lock().expect("nobody panicked");
                shown.push_str(&view::apply::event_json(&event));
                shown.push_str(&view::apply::event_line(&event, &Style::PLAIN).unwrap_or_default());
            },
            interrupt: &Interrupt::default(),
            clusters: None,
        },
    )
    .await;
    let mut shown = shown.into_inner().expect("nobody panicked");
    shown.push_str(&serde_json::to_string(&report).expect("a report can be written"));
    shown.push_str(&view::apply::render_report(&report, plan.mode, &Style::PLAIN));
    shown
}

fn planned(desired: &Desired, graph: &Graph, live: &arcflux::model::LiveState, down: bool) -> Option<Plan> {
    let options = Options { origin: sim::ORIGIN.to_owned(), ..pipeline::options(true) };
    let make = if down { plan::destroy } else { plan::make };
    make(graph, live, &desired.expanded, &options).ok().filter(|plan| plan.refusals.is_empty())
}

/// Whether the plan has a step that sends this.
fn is_planned(plan: &Plan, method: &str, path: &str) -> bool {
    let steps = plan.resource_changes.iter().flat_map(|change| &change.steps).filter(|step| step.writes());
    steps.into_iter().any(|step| {
        let (verb, action) = match step {
            Step::Register { .. } => ("POST", "/register"),
            Step::Put { .. } => ("PUT", ""),
            Step::Patch { .. } => ("PATCH", ""),
            Step::Delete { .. } => ("DELETE", ""),
            Step::Connect { .. } => ("PUT", ""),
            _ => return false,
        };
        verb == method && path.eq_ignore_ascii_case(&format!("{}{action}", step.id()))
    })
}

async fn run(head: u8, input: &[u8]) {
    let (desired, graph) = pipeline::wanted(if head & 1 == 0 { 0 } else { 2 });
    let sim = simulator(desired);
    let honest = client(&sim, Arc::new(sim.transport()));
    if head & 2 != 0 {
        let live = fetch::live_state(&graph.reads(), &honest).await.expect("the simulator answers");
        let plan = planned(desired, graph, &live, false).expect("it can be planned");
        let _shown = carry_out(&plan, &honest).await;
    }
    let changed = Arc::new(answers::Changed::new(sim.transport(), answers::read(input)));
    let arm = client(&sim, changed.clone());
    let Ok(live) = fetch::live_state(&graph.reads(), &arm).await else { return };
    let Some(plan) = planned(desired, graph, &live, head & 4 != 0) else { return };
    let shown = carry_out(&plan, &arm).await;
    for (method, path) in changed.writes() {
        assert!(is_planned(&plan, &method, &path), "{method} {path} is not in the plan");
    }
    for word in [SECRET, TOKEN] {
        assert!(!shown.contains(word) || input.windows(5).any(|window| window == &word.as_bytes()[..5]), "{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "an escape character is shown");
}

fuzz_target!(|data: &[u8]| {
    let Some((head, input)) = data.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(run(*head, input));
});
