//! `--only`, `--wait`, `--parallelism`, the stream of events, and no at the prompt.

use serde_json::Value;

use crate::binary::{AT_ONCE, Place, spec};

const APPLY: &[&str] = &["apply", "--auto-approve"];

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn schema() -> jsonschema::Validator {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/event.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn every_line_of_the_stream_fits_the_published_schema() {
    let schema = schema();
    for (scenario, code, last_type) in [
        (&[][..], 0, "applied"),
        (&["--sim-scenario", "wrong-branch"], 4, "failed"),
        (&["--sim-scenario", "extension-install-failed"], 4, "skipped"),
    ] {
        let place = Place::quickstart();
        let ran = place.run(&[APPLY, &AT_ONCE, &["--format", "json"], scenario].concat()).ends_with(code);
        let lines = lines(&ran.out);
        for line in &lines {
            let errors: Vec<String> = schema.iter_errors(line).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{line}: {errors:?}");
        }
        let (report, events) = lines.split_last().unwrap();
        assert_eq!(report["type"], "apply_report");
        assert!(events.iter().all(|event| event["type"] != "apply_report"));
        let outcome = &report["resources"].as_array().unwrap().last().unwrap()["outcome"]["result"];
        assert_eq!(outcome, last_type);
        assert!(ran.err.contains("Plan: 3 to add"), "the plan is shown to people");
    }
}

#[test]
fn only_what_is_selected_and_what_it_needs_is_done() {
    let place = Place::quickstart();
    let extension = ["--only", "rg-edge/store-001/extension"];
    let planned = place.sim(&[&["plan"], &extension[..]].concat()).ends_with(0).shows("Plan: 2 to add");
    assert!(!planned.out.contains("flux/flux-system"), "{}", planned.out);
    place.sim(&[APPLY, &extension].concat()).ends_with(0).shows("Resources: 2 added");
    place.sim(&["plan"]).ends_with(0).shows("Plan: 1 to add");
    let nothing = place.sim(&["plan", "--only", "rg-elsewhere/*"]);
    assert_ne!(nothing.code, Some(0), "a selection that selects nothing is a mistake: {}", nothing.out);
    nothing.says("rg-elsewhere/*");
}

#[test]
fn an_apply_waits_as_far_as_it_is_told() {
    let waited = |wait: &str| {
        let place = Place::quickstart();
        let ran = place.run(&[APPLY, &AT_ONCE, &["--wait", wait, "--format", "json"]].concat()).ends_with(0);
        let waits: Vec<String> = lines(&ran.out)
            .iter()
            .filter(|line| line["address"] == "rg-edge/store-001/flux/flux-system")
            .filter_map(|line| line["waiting_for"].as_str().map(str::to_owned))
            .collect();
        (place, waits)
    };
    let (place, waits) = waited("none");
    assert!(waits.is_empty(), "{waits:?}");
    place.sim(&["status"]).ends_with(4);
    let (place, provisioned) = waited("provisioned");
    assert!(!provisioned.is_empty());
    place.sim(&["status"]).ends_with(4);
    place.sim(&["plan"]).ends_with(0).shows("Nothing is written, but an apply waits until");
    let (place, compliant) = waited("compliant");
    assert!(compliant.len() > provisioned.len());
    place.sim(&["status"]).ends_with(0);
}

#[test]
fn one_at_a_time_is_one_at_a_time() {
    let place = Place::empty();
    place.write("arcflux.yaml", &spec("fleet"));
    let most = |arguments: &[&str]| {
        let ran = place.run(&[APPLY, &AT_ONCE, &["--format", "json"], arguments].concat()).ends_with(0);
        let (mut under_way, mut most) = (0_i32, 0_i32);
        for line in lines(&ran.out) {
            match line["type"].as_str() {
                Some("apply_start") => under_way += 1,
                Some("apply_complete") => under_way -= 1,
                _ => {}
            }
            most = most.max(under_way);
        }
        assert_eq!(under_way, 0);
        most
    };
    assert_eq!(most(&["--parallelism", "1", "--sim-state", "one.json"]), 1);
    assert_eq!(most(&["--sim-state", "many.json"]), 3);
}

#[test]
fn what_is_found_outside_the_scope_is_not_written_to() {
    let place = Place::quickstart();
    let quickstart = place.read("arcflux.yaml");
    assert!(quickstart.contains("extension:\n"));
    place.write("arcflux.yaml", &quickstart.replace("extension:\n", "extension:\n  name: other\n"));
    place.sim(APPLY).ends_with(0);
    // The extension is found by its type: the one that is there has another name than the spec says.
    place.write("arcflux.yaml", &quickstart.replace("multiTenancy: false", "multiTenancy: true"));
    let scope = "/subscriptions/*/providers/*,**/rg-edge,**/store-001,**/extensions,**/fluxConfigurations,\
                 **/sourceControlConfigurations,**/fluxConfigurations/flux-system,**/extensions/flux";
    for command in [&["plan"][..], APPLY] {
        let refused = place.sim(&[command, &["--scope", scope]].concat()).ends_with(3);
        refused.says("outside `--scope`").says("/extensions/other");
    }
    place.sim(&["plan", "--scope", &format!("{scope},**/extensions/other")]).ends_with(0).shows("1 to change");
}

#[test]
fn a_destruction_sends_no_secrets() {
    Place::quickstart().sim(&["destroy", "--resend-secrets"]).ends_with(64);
    Place::quickstart().sim(&["plan", "--destroy", "--resend-secrets"]).ends_with(64);
}

/// On a terminal, which `script` (of util-linux) stands in for.
#[cfg(target_os = "linux")]
#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
#[test]
fn who_says_no_has_written_nothing() {
    let place = Place::quickstart();
    for answer in ["no\n", "y\n", "\n"] {
        let line = format!("'{}' apply {}", env!("CARGO_BIN_EXE_arcflux"), AT_ONCE.join(" "));
        let mut command = std::process::Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(place.path(""));
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            eprintln!("SKIPPED: `script`, which gives a command a terminal, is not installed");
            return;
        };
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("Do you want to perform these actions?"), "{text}");
        assert!(text.contains("cancelled; nothing was written") && !text.contains("Apply complete"), "{text}");
    }
    place.sim(&["plan"]).ends_with(0).shows("Plan: 3 to add");
}
