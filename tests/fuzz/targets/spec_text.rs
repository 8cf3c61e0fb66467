//! Any text as a spec: it is refused with places, or planned, shown, and loaded again from what a saved plan keeps of it.

#![no_main]

use arcflux::graph;
use arcflux::model::{Severity, Source};
use arcflux::spec::{self, Inputs};
use arcflux::view::{self, Style};
use arcflux_fuzz::pipeline;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let outcome = spec::load_bytes("arcflux.yaml", bytes, &Inputs::default());
    let refused = outcome.diagnostics.iter().any(|found| found.severity == Severity::Error);
    assert_eq!(outcome.desired.is_none(), refused);
    for found in &outcome.diagnostics {
        let span = found.span.expect("every problem has a place");
        assert!(span.start <= span.end && span.end <= bytes.len(), "{found:?}");
    }
    let _shown = view::diagnostics::render_text(&outcome.diagnostics, "a", &outcome.masked, &Style::PLAIN);
    let _shown = view::diagnostics::render_json(&outcome.diagnostics, "a");
    let _shown = view::sarif::render(&outcome.diagnostics, "a");
    let Some(desired) = outcome.desired else { return };
    let _long_form = spec::to_yaml(&desired.expanded);

    let kept = Source { name: "plan.json".to_owned(), text: format!("{:#}", desired.expanded) };
    let again = spec::load(&kept, &Inputs::default());
    let again = again.desired.unwrap_or_else(|| panic!("what a saved plan keeps is refused: {:?}", again.diagnostics));
    assert_eq!(again.expanded, desired.expanded, "what a saved plan keeps is another spec");

    let Ok(graph) = graph::build(&desired) else { return };
    // Enough of a fleet to see what one does.
    if graph.nodes().len() <= 60 {
        pipeline::judge(&desired, &graph, &pipeline::empty(&graph), bytes.len());
    }
});
