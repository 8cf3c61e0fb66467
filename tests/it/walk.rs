//! The walk of one value, stage by stage: from the line of a spec to the answer that it is live.

use std::sync::{Arc, Mutex};

use arcflux::graph;
use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::kinds::flux_configuration;
use arcflux::model::FieldPath;
use arcflux::plan::{self, EventKind, Reason, Step, Until};
use arcflux::view::{self, Format, Style};
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::simulated::{World, desired, options};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const BEFORE: &str = "./clusters/store-001/retail/ApplicationRegistrations";
const AFTER: &str = "./clusters/store-001/retail/Next";
const ADDRESS: &str = "rg-edge/store-001/flux/flux-system";

/// A transport that keeps the writes that pass through it.
struct Tap<T> {
    inner: T,
    writes: Mutex<Vec<(String, Value)>>,
}

#[async_trait]
impl<T: Transport> Transport for Tap<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method() != "GET" {
            let line = format!("{} {}", request.method(), request.uri());
            let body = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
            self.writes.lock().unwrap().push((line, body));
        }
        self.inner.send(request).await
    }
}

#[expect(clippy::print_stdout, reason = "the walk is there to be read")]
fn stage(name: &str, what: &str) {
    println!("{name:<22} {what}");
}

#[tokio::test]
async fn one_value_walks_from_the_spec_to_the_cluster_and_back() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let text = QUICKSTART.replace(BEFORE, AFTER);
    let below = FieldPath::of(["kustomizations", "app", "path"]);
    let path = FieldPath::dotted("properties.kustomizations.app.path");

    let desired = desired(&text);
    let cluster = &desired.clusters[0];
    let span = cluster.configuration_span("flux-system", &below).unwrap();
    let line = text.lines().nth(usize::try_from(span.line).unwrap() - 1).unwrap().trim();
    stage("spec::load", &format!("line {}: {line}", span.line));
    assert_eq!(line, format!("path: {AFTER}"));

    let typed = &cluster.configurations["flux-system"];
    let body = flux_configuration::body(typed).json;
    stage("kinds", &format!("{path} = {}", path.get(&body).unwrap()));
    assert_eq!(path.get(&body), Some(&json!(AFTER)));

    let graph = graph::build(&desired).unwrap();
    let node = graph.nodes().iter().find(|node| node.address.to_string() == ADDRESS).unwrap();
    let needs: Vec<String> = node.needs.iter().map(ToString::to_string).collect();
    stage("graph::build", &format!("{ADDRESS} after {}", needs.join(", ")));
    assert_eq!(needs, ["rg-edge/store-001/extension"]);

    let live = world.live(&graph).await;
    let found = live.body(&node.id).and_then(|body| path.get(body)).unwrap();
    stage("fetch::live_state", &format!("live {found}"));
    assert_eq!(found, &json!(BEFORE));

    let plan = plan::make(&graph, &live, &desired.expanded, &options()).unwrap();
    let writing: Vec<&plan::Change> = plan.resource_changes.iter().filter(|change| change.writes()).collect();
    let [change] = writing.as_slice() else { panic!("{writing:?}") };
    let [field] = change.fields.as_slice() else { panic!("{:?}", change.fields) };
    stage("plan::make, diff", &format!("{}: {} -> {}", field.path, json!(field.before), json!(field.after)));
    assert_eq!((&field.path, &field.before, &field.after), (&path, &Some(json!(BEFORE)), &Some(json!(AFTER))));
    assert_eq!(change.action_reason, Reason::FieldsDiffer);

    let steps: Vec<&str> = change.steps.iter().map(step_name).collect();
    stage("plan::make, steps", &steps.join(", "));
    assert_eq!(steps, ["put", "wait provisioned", "wait compliant"]);

    let shown = view::plan::render(&plan, Format::Text, &Style { colour: false, width: 160 });
    let changed: Vec<&str> = shown.lines().filter(|line| line.contains(AFTER) && line.contains(BEFORE)).collect();
    stage("view::plan", changed[0].trim());
    assert!(changed[0].trim().starts_with('~'), "{shown}");

    let tap = Arc::new(Tap { inner: world.sim.transport(), writes: Mutex::default() });
    let tapped = world.through(tap.clone());
    let report = tapped.apply(&plan).await;
    assert!(report.converged(), "{report:#?}");
    let writes = tap.writes.lock().unwrap().clone();
    let [(line, sent)] = writes.as_slice() else { panic!("{writes:?}") };
    stage("apply, arm, http", &format!("{line}: {}", path.get(sent).unwrap()));
    assert!(line.starts_with("PUT ") && line.contains(node.id.as_str()) && line.ends_with("?api-version=2025-04-01"));
    assert_eq!(path.get(sent), Some(&json!(AFTER)));

    let events = tapped.events.lock().unwrap().clone();
    let status = events.iter().find_map(|event| match &event.kind {
        EventKind::Accepted { method, status, .. } if method == "PUT" => Some(*status),
        _ => None,
    });
    stage("event", &format!("accepted with {}", status.unwrap()));
    assert_eq!(status, Some(200));
    assert!(matches!(events.last().unwrap().kind, EventKind::ApplyComplete { .. }));

    let live = world.live(&graph).await;
    let read_back = live.body(&node.id).unwrap();
    let state = |name: &str| read_back["properties"][name].as_str().unwrap_or_default();
    let states = (state("provisioningState"), state("complianceState"));
    stage("read back", &format!("{} ({}, {})", path.get(read_back).unwrap(), states.0, states.1));
    assert_eq!(path.get(read_back), Some(&json!(AFTER)));
    assert_eq!(states, ("Succeeded", "Compliant"));

    let again = plan::make(&graph, &live, &desired.expanded, &options()).unwrap();
    stage("the next plan", "no changes");
    assert!(!again.has_changes() && !again.waits());
}

fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Register { .. } => "register",
        Step::Put { .. } => "put",
        Step::Patch { .. } => "patch",
        Step::Delete { .. } => "delete",
        Step::Expect { .. } => "expect",
        Step::Look { .. } => "look",
        Step::Connect { .. } => "connect",
        Step::InstallAgents { .. } => "install agents",
        Step::RemoveAgents { .. } => "remove agents",
        Step::Az { .. } => "az",
        Step::Wait { until, .. } => match until {
            Until::Registered => "wait registered",
            Until::Provisioned => "wait provisioned",
            Until::Connected => "wait connected",
            Until::Compliant(_) => "wait compliant",
            Until::Gone => "wait gone",
        },
    }
}
