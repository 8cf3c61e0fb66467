//! The engine in process against the simulator, in virtual time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::apply::{self, Interrupt, SecretError, SecretResolver, Secrets, Timeouts};
use arcflux::arm::{ArmClient, FixedToken};
use arcflux::fetch;
use arcflux::graph::{self, Graph};
use arcflux::http::{Origin, Transport};
use arcflux::kinds::cluster::ClusterType;
use arcflux::model::{LiveState, Secret, SecretRef, Source};
use arcflux::plan::{self, ApplyReport, Choices, Event, Options, Plan, PlanError, SecretPolicy};
use arcflux::sim::{self, Seed, SeedCluster, SeedClusterType, SeedGroup, Simulator};
use arcflux::spec::{self, Desired, Inputs};
use serde_json::Value;

/// A simulator, and a client of it.
pub(crate) struct World {
    pub(crate) sim: Simulator,
    pub(crate) arm: ArmClient,
    pub(crate) events: Mutex<Vec<Event>>,
}

/// Every secret is the same word, as long as it is a reference.
pub(crate) struct Placeholders;

impl SecretResolver for Placeholders {
    fn resolve(&self, secret: &SecretRef) -> Result<Secret, SecretError> {
        Ok(Secret::placeholder(format!("placeholder of {secret}")))
    }
}

/// What a spec wants, which must be valid.
pub(crate) fn desired(text: &str) -> Desired {
    let source = Source { name: "arcflux.yaml".to_owned(), text: text.to_owned() };
    let outcome = spec::load(&source, &Inputs::default());
    outcome.desired.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics))
}

/// What users decide when they decide nothing.
pub(crate) fn options() -> Options {
    Options {
        origin: sim::ORIGIN.to_owned(),
        tenant: None,
        base: None,
        choices: Choices::default(),
        allow_auth_hosts: Vec::new(),
        secrets: SecretPolicy::Placeholders,
        chart: arcflux::plan::ChartFrom::Service,
    }
}

impl World {
    /// A world that holds the groups and clusters that `spec` names.
    pub(crate) fn of(spec: &str) -> Self {
        Self::with(spec, sim::Settings::default())
    }

    /// The same, with settings; a seed among them wins.
    pub(crate) fn with(spec: &str, settings: sim::Settings) -> Self {
        let seeds = if settings.seeds.is_empty() { vec![seed(&desired(spec))] } else { settings.seeds.clone() };
        let sim = Simulator::in_memory(sim::Settings { seeds, ..settings });
        let arm = client(&sim, Arc::new(sim.transport()));
        Self { sim, arm, events: Mutex::new(Vec::new()) }
    }

    /// The same world, reached through another transport.
    pub(crate) fn through(&self, transport: Arc<dyn Transport>) -> Self {
        let sim = self.sim.clone();
        Self { arm: client(&sim, transport), sim, events: Mutex::new(Vec::new()) }
    }

    pub(crate) async fn live(&self, graph: &Graph) -> LiveState {
        fetch::live_state(&graph.reads(), &self.arm).await.unwrap()
    }

    pub(crate) async fn try_plan(&self, spec: &str, options: &Options) -> Result<Plan, Vec<PlanError>> {
        let desired = desired(spec);
        let graph = graph::build(&desired).unwrap();
        plan::make(&graph, &self.live(&graph).await, &desired.expanded, options)
    }

    pub(crate) async fn plan(&self, spec: &str) -> Plan {
        self.try_plan(spec, &options()).await.unwrap()
    }

    pub(crate) async fn destroy_plan(&self, spec: &str, options: &Options) -> Plan {
        let desired = desired(spec);
        let graph = graph::build(&desired).unwrap();
        plan::destroy(&graph, &self.live(&graph).await, &desired.expanded, options).unwrap()
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> ApplyReport {
        self.apply_with(plan, None, &Placeholders).await
    }

    /// Applies with a patience of its own, and secrets of its own.
    pub(crate) async fn apply_with(
        &self,
        plan: &Plan,
        patience: Option<Duration>,
        resolver: &dyn SecretResolver,
    ) -> ApplyReport {
        self.apply_as(plan, patience, resolver, &Interrupt::default()).await
    }

    /// Applies until somebody wants to stop.
    pub(crate) async fn apply_until(&self, plan: &Plan, interrupt: &Interrupt) -> ApplyReport {
        self.apply_as(plan, None, &Placeholders, interrupt).await
    }

    async fn apply_as(
        &self,
        plan: &Plan,
        patience: Option<Duration>,
        resolver: &dyn SecretResolver,
        interrupt: &Interrupt,
    ) -> ApplyReport {
        let secrets = Secrets::read(plan, resolver, self.arm.now()).unwrap();
        let settings = apply::Settings {
            parallelism: None,
            timeouts: Timeouts { all: patience },
            secrets: &secrets,
            events: &|event| self.events.lock().unwrap().push(event),
            interrupt,
            clusters: None,
        };
        apply::run(plan, &self.arm, &settings).await
    }

    /// Plans, applies, and plans again: the second plan must be empty.
    pub(crate) async fn converge(&self, spec: &str) -> Plan {
        self.converge_with(spec, &options()).await
    }

    pub(crate) async fn converge_with(&self, spec: &str, options: &Options) -> Plan {
        let plan = self.try_plan(spec, options).await.unwrap();
        assert_eq!(plan.refusals, [], "the plan is refused");
        let report = self.apply(&plan).await;
        assert!(report.converged(), "{report:#?}");
        let again = self.try_plan(spec, options).await.unwrap();
        assert!(!again.has_changes() && !again.waits(), "the second plan is not empty: {:#?}", written(&again));
        plan
    }

    /// One request, as curl would send it; the body of the answer.
    pub(crate) fn curl(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut request = ::http::Request::builder().method(method).uri(format!("{}{path}", sim::ORIGIN));
        request = request.header("content-type", "application/json");
        let bytes = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let response = self.sim.handle(request.body(bytes.into()).unwrap());
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    /// The writes that the simulator has seen since `from` of its requests.
    pub(crate) fn writes_since(&self, from: usize) -> Vec<String> {
        self.sim
            .requests()
            .into_iter()
            .skip(from)
            .filter(|logged| logged.method != "GET")
            .map(|logged| format!("{} {}", logged.method, logged.target.split('?').next().unwrap_or_default()))
            .collect()
    }
}

/// A client of `sim` whose requests go through `transport`; its waits cost nothing.
fn client(sim: &Simulator, transport: Arc<dyn Transport>) -> ArmClient {
    ArmClient::new(
        transport,
        Arc::new(sim.clock(f64::INFINITY)),
        Arc::new(FixedToken::new(Secret::new("T0KEN".to_owned()))),
        Origin::parse(sim::ORIGIN).unwrap(),
    )
}

/// What a plan writes: action and address.
pub(crate) fn written(plan: &Plan) -> Vec<String> {
    plan.resource_changes
        .iter()
        .filter(|change| !change.steps.is_empty())
        .map(|change| format!("{:?} {}", change.change.actions, change.address))
        .collect()
}

/// The fields that a plan changes, without the prefix that every ARM body has.
pub(crate) fn fields(plan: &Plan) -> Vec<String> {
    plan.resource_changes
        .iter()
        .flat_map(|change| &change.fields)
        .map(|field| field.path.to_string().trim_start_matches("properties.").to_owned())
        .collect()
}

/// The groups and clusters of a spec.
pub(crate) fn seed(desired: &Desired) -> Seed {
    let first = desired.clusters.first();
    let groups: BTreeSet<&str> = desired.clusters.iter().map(|cluster| cluster.resource_group.name.as_str()).collect();
    Seed {
        subscription: first.map(|cluster| cluster.subscription.clone()).unwrap_or_default(),
        groups: groups
            .into_iter()
            .map(|name| SeedGroup { name: name.to_owned(), location: "westeurope".to_owned() })
            .collect(),
        clusters: desired
            .clusters
            .iter()
            .map(|cluster| SeedCluster {
                resource_group: cluster.resource_group.name.clone(),
                name: cluster.cluster.name.clone(),
                cluster_type: match cluster.cluster.cluster_type {
                    ClusterType::ConnectedClusters => SeedClusterType::ConnectedClusters,
                    ClusterType::ManagedClusters => SeedClusterType::ManagedClusters,
                },
                location: "westeurope".to_owned(),
            })
            .collect(),
        tenant: None,
    }
}
