//! Any JSON as a saved plan: it is shown, and held against what would be planned now from the spec that it keeps.

#![no_main]

use arcflux::graph;
use arcflux::model::Source;
use arcflux::plan::{self, Plan};
use arcflux::spec::{self, Inputs};
use arcflux::view::{self, Format, Style};
use arcflux_fuzz::{mutate, pipeline};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::after_head(0, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    // In two steps, as the command line does it.
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(data) else { return };
    let Ok(saved) = serde_json::from_value::<Plan>(document) else { return };
    for format in Format::ALL {
        let shown = view::plan::render(&saved, format, &Style::PLAIN);
        assert!(!shown.contains('\u{1b}'), "an escape character is shown");
    }
    let _digest = saved.computed_digest();
    let source = Source { name: "plan.json".to_owned(), text: format!("{:#}", saved.spec) };
    let Some(desired) = spec::load(&source, &Inputs::default()).desired else { return };
    let base = saved.base.as_ref().and_then(|base| {
        let source = Source { name: "plan.json".to_owned(), text: format!("{base:#}") };
        spec::load(&source, &Inputs::default()).desired
    });
    let Ok(graph) = graph::build_since(&desired, base.as_ref()) else { return };
    let options =
        plan::Options { choices: saved.choices.clone(), base: saved.base.clone(), ..pipeline::options(false) };
    let Ok(fresh) = plan::make(&graph, &pipeline::empty(&graph), &desired.expanded, &options) else { return };
    let deviations = plan::deviations(&saved, &fresh);
    // What may be carried out is what would be planned now, to the last step.
    if deviations.is_empty() {
        for change in fresh.resource_changes.iter().filter(|change| change.writes()) {
            let planned = saved.resource_changes.iter().find(|planned| planned.address == change.address);
            let planned = planned.expect("a change that nobody has planned is not a remainder");
            assert_eq!(planned.fingerprint, change.fingerprint);
            assert_eq!(serde_json::to_value(&planned.steps).ok(), serde_json::to_value(&change.steps).ok());
        }
    }
});
