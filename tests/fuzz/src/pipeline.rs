//! From text to everything that is shown, through the engine's own stages.

use std::sync::LazyLock;

use arcflux::graph::{self, Graph, Want};
use arcflux::model::{Listing, LiveState, Missing, ReadMethod, Reading, Source};
use arcflux::plan::{self, Choices, DriftReport, Options, Plan, SecretPolicy, SpecText, StatusReport, Workloads};
use arcflux::spec::{self, Desired, Inputs};
use arcflux::view::{self, Format, Style};
use serde_json::json;

/// Where live states are said to be from.
pub const ORIGIN: &str = "https://management.azure.com";

/// The specs that are planned for where the input is not one.
pub const SPECS: [&str; 3] = [
    include_str!("../../../specs/quickstart.yaml"),
    include_str!("../../../specs/everything.yaml"),
    include_str!("../../../specs/long-form.yaml"),
];

/// A narrow terminal with colours: everything that can be wrapped or painted is.
const NARROW: Style = Style { colour: true, width: 40 };

/// What the specs in [`SPECS`] want, loaded once.
static WANTED: LazyLock<Vec<(Desired, Graph)>> = LazyLock::new(|| SPECS.into_iter().map(load).collect());

/// What a spec in [`SPECS`] wants.
#[must_use]
pub fn wanted(spec: usize) -> &'static (Desired, Graph) {
    &WANTED[spec % SPECS.len()]
}

fn load(text: &str) -> (Desired, Graph) {
    let outcome = spec::load(&Source { name: "arcflux.yaml".to_owned(), text: text.to_owned() }, &Inputs::default());
    let desired = outcome.desired.expect("a spec of the repository is valid");
    let graph = graph::build(&desired).expect("a spec of the repository has an order");
    (desired, graph)
}

/// How a plan is asked for.
#[must_use]
pub fn options(generous: bool) -> Options {
    let choices =
        Choices { allow_replace: generous, workloads: generous.then_some(Workloads::Keep), ..Choices::default() };
    Options {
        origin: ORIGIN.to_owned(),
        tenant: None,
        base: None,
        choices,
        allow_auth_hosts: Vec::new(),
        secrets: SecretPolicy::Placeholders,
        chart: arcflux::plan::ChartFrom::Service,
    }
}

/// The groups and clusters that a spec names, connected, and nothing on them.
#[must_use]
pub fn empty(graph: &Graph) -> LiveState {
    let mut live = LiveState::empty("2026-11-22T08:00:00Z".parse().expect("an instant"));
    for node in graph.nodes() {
        let reading = match &node.want {
            Want::Registered => Reading::Present(json!({"registrationState": "Registered"})),
            Want::Group(_) => Reading::Present(json!({"name": node.id.name(), "location": "westeurope"})),
            Want::Cluster(..) => Reading::Present(json!({"name": node.id.name(), "properties": {
                "provisioningState": "Succeeded", "connectivityStatus": "Connected", "agentVersion": "1.28.3",
                "lastConnectivityTime": "2026-11-22T07:58:12Z",
            }})),
            Want::Extension(..) | Want::Configuration(_) | Want::Absent(_) | Want::Dropped(_) => continue,
        };
        live.readings.insert(node.id.clone(), reading);
    }
    for read in graph.reads() {
        match read.method {
            ReadMethod::Get => {
                live.readings.entry(read.id).or_insert(Reading::Missing(Missing::Itself));
            }
            ReadMethod::List | ReadMethod::ListIfSupported => {
                live.listings.insert(read.id, Listing::Items(Vec::new()));
            }
        }
    }
    live
}

/// Shows a plan in every way, and reads it back from its JSON.
pub fn show(plan: &Plan) {
    for format in Format::ALL {
        let plain = view::plan::render(plan, format, &Style::PLAIN);
        assert!(!plain.contains('\u{1b}'), "an escape character is shown");
        let _coloured = view::plan::render(plan, format, &NARROW);
    }
    let drift = DriftReport::of(plan);
    for format in [Format::Text, Format::Json] {
        let _shown = view::drift::render(&drift, format, &Style::PLAIN);
    }
    let text = serde_json::to_string(plan).expect("a plan can be written");
    let again: Plan = serde_json::from_str(&text).expect("a plan that was written can be read");
    assert_eq!(again.computed_digest(), plan.computed_digest(), "the digest is not that of the file");
    assert_eq!(plan::deviations(&again, plan), [], "a plan is not what its file says");
}

/// Plans from one live state, and shows what can be said about it. Of all that can be asked, `choice` asks for some:
/// to do everything each time would be slow.
pub fn judge(desired: &Desired, graph: &Graph, live: &LiveState, choice: usize) {
    let make = if choice & 1 == 0 { plan::make } else { plan::destroy };
    match make(graph, live, &desired.expanded, &options(choice & 2 != 0)) {
        Ok(plan) => {
            assert_eq!(plan.digest, plan.computed_digest());
            show(&plan);
        }
        Err(errors) => assert!(!errors.is_empty()),
    }
    let _ages = plan::ages(graph, live);
    let status = StatusReport::of(graph, live);
    for format in [Format::Text, Format::Json] {
        let _shown = view::status::render(&status, format, &NARROW);
    }
    let Some(node) = graph.nodes().get(choice % graph.nodes().len().max(1)) else { return };
    let Ok(target) = plan::locate(graph, &node.address.to_string()) else { return };
    let text = SpecText { file: "arcflux.yaml", masked: "" };
    if let Ok(explanation) = plan::explain(desired, graph, live, &target, None, text) {
        let _shown = view::explain::render_text(&explanation, &NARROW);
        let _shown = view::explain::render_json(&explanation);
    }
}
