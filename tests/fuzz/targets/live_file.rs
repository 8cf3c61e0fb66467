//! Any JSON as a live state: what it says is planned from, and shown. The first byte names the spec.

#![no_main]

use arcflux::model::{LiveState, Reading};
use arcflux::snapshot::{Answer, Snapshot};
use arcflux_fuzz::{mutate, pipeline};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::after_head(1, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Some((head, text)) = data.split_first() else { return };
    let Ok(document) = serde_json::from_slice(text) else { return };
    let Ok(snapshot) = Snapshot::from_json(document) else { return };
    let (desired, graph) = pipeline::wanted(usize::from(*head));
    let choice = text.len();
    if let Ok(live) = snapshot.live_state(&graph.reads(), &graph.contexts()) {
        pipeline::judge(desired, graph, &live, choice);
    }
    // Whatever id an answer has: it is what the spec's own resources are said to be.
    let mut live: LiveState = pipeline::empty(graph);
    let mut bodies = snapshot.reads.iter().filter_map(|read| match &read.answer {
        Answer::Present(body) => Some(serde_json::Value::Object(body.clone())),
        Answer::Items(_) | Answer::Missing | Answer::ParentMissing(_) | Answer::Denied(_) => None,
    });
    for node in graph.nodes() {
        let Some(body) = bodies.next() else { break };
        live.readings.insert(node.id.clone(), Reading::Present(body));
    }
    pipeline::judge(desired, graph, &live, choice);
});
