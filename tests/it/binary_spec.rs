//! Commands about specs alone: they need no credentials, no network and no simulator.

use serde_json::Value;

use crate::binary::{Place, SPECS, spec};

#[test]
fn every_spec_is_valid_and_its_long_form_says_the_same() {
    let place = Place::empty();
    for name in SPECS {
        place.write("arcflux.yaml", &spec(name));
        let valid = place.run(&["validate"]).ends_with(0);
        assert_eq!(valid.err, "", "{name}");
        valid.shows("arcflux.yaml is valid:");
        let expanded = place.run(&["validate", "--expand"]).ends_with(0);
        place.write("expanded.yaml", &expanded.out);
        let again = place.run(&["validate", "--expand", "-f", "expanded.yaml"]).ends_with(0);
        assert_eq!(again.out, expanded.out, "{name}");
        for format in ["text", "dot", "mermaid"] {
            let graph = |file: &str| place.run(&["graph", "--format", format, "-f", file]).ends_with(0).out;
            assert_eq!(graph("arcflux.yaml"), graph("expanded.yaml"), "{name}");
        }
    }
}

#[test]
fn the_list_of_specs_is_whole() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    let mut found: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    // The one that reaches a cluster itself has tests of its own.
    found.retain(|name| name != "onboard");
    found.sort();
    assert_eq!(found, SPECS);
}

#[test]
fn problems_are_text_on_standard_error_or_json_on_standard_output() {
    let place = Place::empty();
    let wrong = spec("quickstart").replace("prune:", "purne:").replace("arcflux/v1", "arcflux/v9");
    place.write("arcflux.yaml", &wrong);
    let text = place.run(&["validate"]).ends_with(1);
    assert_eq!(text.out, "");
    let text = text.says("--> arcflux.yaml:16:5").says("purne").says("did you mean `prune`").says("3 errors");
    let json = place.run(&["validate", "--format", "json"]).ends_with(1);
    assert_eq!(json.err, "");
    let problems: Value = serde_json::from_str(&json.out).unwrap();
    let problems = problems.as_array().unwrap();
    assert_eq!(problems.len(), text.err.lines().filter(|line| line.starts_with("error[AF")).count());
    for problem in problems {
        let keys: Vec<&String> = problem.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["code", "severity", "message", "hint", "file", "line", "column"]);
        assert!(problem["line"].is_u64() && problem["column"].is_u64(), "{problem}");
        assert_eq!(problem["file"], "arcflux.yaml");
    }
    // Every other command shows the same problems, and goes no further.
    for command in [&["plan", "--cloud", "sim"][..], &["apply", "--cloud", "sim"], &["status"], &["graph"]] {
        let ran = place.run(command).ends_with(1).says("3 errors").says("arcflux.yaml is not valid");
        assert_eq!(ran.out, "");
    }
    assert!(!place.path(".arcflux").exists());
}

#[test]
fn a_spec_comes_from_standard_input_too() {
    let place = Place::empty();
    let valid = place.run_with_input(&["validate", "-f", "-"], &spec("quickstart")).ends_with(0);
    assert_eq!(valid.out, "<stdin> is valid: 1 cluster, 1 configuration.\n");
    place.run_with_input(&["validate", "-f", "-"], "").ends_with(1).says("<stdin>");
    let planned = place.run_with_input(&["plan", "--cloud", "sim", "-f", "-"], &spec("quickstart"));
    planned.ends_with(0).shows("Plan: 3 to add");
}

#[test]
fn a_file_that_is_not_there_is_told_with_the_way_on() {
    let place = Place::empty();
    for arguments in [&["validate"][..], &["plan", "--cloud", "sim"], &["validate", "--format", "json"]] {
        let ran = place.run(arguments).ends_with(1).says("there is no arcflux.yaml").says("arcflux init");
        assert_eq!(ran.out, "");
    }
    place.run(&["validate", "-f", "."]).ends_with(1).says("cannot read .");
}

#[test]
fn init_writes_a_spec_that_is_valid_and_never_overwrites() {
    let place = Place::empty();
    place.run(&["init"]).ends_with(0).says("Wrote arcflux.yaml");
    let written = place.read("arcflux.yaml");
    place.run(&["validate"]).ends_with(0).shows("is valid");
    place.run(&["init"]).ends_with(1).says("arcflux.yaml exists; it is left alone");
    assert_eq!(place.read("arcflux.yaml"), written);
    assert_eq!(place.run(&["init", "-f", "-"]).ends_with(0).out, written);
    // It is meant to be looked at with the simulator right away.
    place.sim(&["apply", "--auto-approve"]).ends_with(0).shows("Apply complete!");
}

#[test]
fn schemas_are_printed_as_they_are_checked_in() {
    let place = Place::empty();
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for name in ["spec", "plan", "event"] {
        let printed = place.run(&["schema", name]).ends_with(0);
        let kept = std::fs::read_to_string(directory.join(format!("{name}.schema.json"))).unwrap();
        assert_eq!((printed.out, printed.err), (kept, String::new()), "{name}");
    }
    assert_eq!(place.run(&["schema"]).out, place.run(&["schema", "spec"]).out);
}

#[test]
fn only_allowed_variables_are_read() {
    let place = Place::empty().with("BRANCH", "release").with("AZURE_SUBSCRIPTION_ID", "not-a-guid");
    let text = spec("quickstart").replace("branch: main ", "branch: ${env:BRANCH} ");
    place.write("arcflux.yaml", &text);
    let refused = place.run(&["validate"]).ends_with(1).says("BRANCH").says("--allow-env");
    assert!(!refused.err.contains("release"), "{}", refused.err);
    place.run(&["validate", "--expand", "--allow-env", "BRANCH"]).ends_with(0).shows("branch: release");
}
