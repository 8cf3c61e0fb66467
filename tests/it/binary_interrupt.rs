//! Ctrl-C and kill in the middle of an apply, and the run after it.

#![cfg(unix)]

use std::net::TcpListener;

use serde_json::Value;

use crate::binary::{Place, Running};

/// Slow enough to be caught in the middle, also on a busy machine, and fast enough for a test.
const PACED: [&str; 6] = ["apply", "--auto-approve", "--cloud", "sim", "--sim-pace", "50"];

/// Flux takes five minutes of the simulator's clock longer, so that its work can be caught in the middle too.
const SLOW_FLUX: [&str; 2] = ["--sim-scenario", "compliant-after-a-while"];

/// An apply that has begun to install the extension.
fn in_the_middle(place: &Place) -> Running {
    let mut running = place.start(&PACED);
    running.wait_for("rg-edge/store-001/extension: Still creating...");
    running
}

fn converges(place: &Place) {
    place.sim(&["apply", "--auto-approve"]).ends_with(0).shows("Apply complete!");
    place.sim(&["plan", "--detailed-exitcode"]).ends_with(0).shows("No changes.");
    place.sim(&["status"]).ends_with(0);
}

#[test]
fn the_first_interrupt_drains() {
    let place = Place::quickstart();
    let running = in_the_middle(&place);
    running.signal("INT");
    let ran = running.finish().ends_with(130).says("Interrupt received. Finishing what Azure has accepted");
    let ran = ran.says("rg-edge/store-001/extension: Creation complete");
    let ran = ran.says("rg-edge/store-001/flux/flux-system: Skipped, because the run was interrupted");
    let ran = ran.shows("Apply interrupted: 0 failed, 1 skipped. Resources: 2 added, 0 changed, 0 destroyed.");
    ran.shows("Run the same command again: it goes on from where this run stopped.");
    place.sim(&["plan"]).ends_with(0).shows("Plan: 1 to add, 0 to change, 0 to destroy.");
    converges(&place);
}

#[test]
fn an_interrupted_wait_for_flux_is_cut_short() {
    let place = Place::quickstart();
    let mut running = place.start(&[&PACED[..], &SLOW_FLUX].concat());
    running.wait_for("flux-system: Still creating... [1m");
    running.signal("TERM");
    let ran = running.finish().ends_with(130);
    ran.shows("rg-edge/store-001/flux/flux-system: creation failed").shows("the wait for Flux was cut short");
    converges(&place);
}

#[test]
fn the_second_interrupt_exits_at_once_and_names_what_goes_on() {
    let place = Place::quickstart();
    // So slow that draining would outlast the test.
    let mut running = place.start(&["apply", "--auto-approve", "--cloud", "sim", "--sim-pace", "20"]);
    running.wait_for("rg-edge/store-001/extension: Still creating...");
    running.signal("INT");
    running.wait_for("Interrupt received.");
    running.signal("INT");
    let ran = running.finish().ends_with(130);
    let ran = ran.says("Exiting now. In flight, and going on without us:");
    ran.says("  rg-edge/store-001/extension: PUT, operation ");
    converges(&place);
}

#[test]
fn killed_at_any_moment_it_converges_when_run_again() {
    for moment in [
        "KubernetesConfiguration: Registering...",
        "extension: Creating...",
        "flux-system: Creating...",
        "flux-system: Still creating... [1m",
    ] {
        let place = Place::quickstart();
        let mut running = place.start(&[&PACED[..], &SLOW_FLUX].concat());
        running.wait_for(moment);
        running.signal("KILL");
        assert_eq!(running.finish().code, None, "{moment}");
        let state: Result<Value, _> = serde_json::from_str(&place.read(".arcflux/sim.json"));
        assert!(state.is_ok(), "{moment}: the state file is whole");
        converges(&place);
    }
}

#[test]
fn an_interrupted_stream_of_events_ends_with_its_report() {
    let place = Place::quickstart();
    let mut running = place.start(&[&PACED[..], &["--format", "json", "--verbose"]].concat());
    running.wait_for("extensions/flux");
    running.signal("INT");
    let ran = running.finish().ends_with(130);
    let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["interrupted"]), (&Value::from("apply_report"), &Value::from(true)));
}

#[test]
fn a_signal_before_anything_is_written_ends_the_run() {
    for signal in ["INT", "TERM"] {
        let place = Place::quickstart();
        // Somebody who takes calls and never says a word.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let reported = ["--format", "json", "--report", "report.json"];
        place.write("report.json", "of another run");
        let running = place.start(&[&["apply", "--auto-approve", "--arm-endpoint", &endpoint], &reported[..]].concat());
        let _call = listener.accept().unwrap();
        running.signal(signal);
        let ran = running.finish().ends_with(130).says("Interrupted. Nothing was written.");
        let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
        let report: Value = serde_json::from_str(&place.read("report.json")).unwrap();
        assert_eq!(last, report);
        assert_eq!((&report["ending"], &report["exit_code"]), (&Value::from("interrupted"), &Value::from(130)));
        assert_eq!((&report["interrupted"], &report["resources"]), (&Value::from(true), &Value::Array(Vec::new())));
    }
}

#[test]
fn a_signal_ends_what_only_reads() {
    let place = Place::quickstart();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let running = place.start(&["plan", "--arm-endpoint", &endpoint]);
    let _call = listener.accept().unwrap();
    running.signal("INT");
    running.finish().ends_with(130).says("Interrupted. Nothing was written.");
}
