//! The binary with the embedded simulator: what everybody does first.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::binary::{AT_ONCE, Place, SPECS, spec};

const APPLY: &[&str] = &["apply", "--auto-approve"];

fn converged() -> Place {
    let place = Place::quickstart();
    place.sim(APPLY).ends_with(0);
    place
}

#[test]
fn plan_apply_plan() {
    let place = Place::quickstart();
    let first = place.sim(&["plan", "--detailed-exitcode"]).ends_with(2);
    let first = first.shows("Plan: 3 to add, 0 to change, 0 to destroy.");
    let order: Vec<&str> = first.out.lines().filter_map(|line| line.strip_prefix("  # ")).collect();
    assert_eq!(
        order,
        [
            "provider/Microsoft.KubernetesConfiguration will be registered",
            "rg-edge/store-001/extension will be created",
            "rg-edge/store-001/flux/flux-system will be created"
        ]
    );
    let applied = place.sim(APPLY).ends_with(0);
    assert!(applied.out.starts_with(&first.out), "an apply shows the plan that `plan` showed");
    let applied = applied.shows("Apply complete! Resources: 3 added, 0 changed, 0 destroyed.");
    for (once, done) in [("Registering...", "Registration complete"), ("Creating...", "Creation complete after")] {
        assert!(applied.err.contains(once) && applied.err.contains(done), "{}", applied.err);
    }
    let second = place.sim(&["plan", "--detailed-exitcode"]).ends_with(0);
    let third = place.sim(&["plan", "--detailed-exitcode"]).ends_with(0);
    assert_eq!(second.out, third.out);
    second.shows("No changes. Your clusters match the specification.");
    place.sim(&["apply"]).ends_with(0).shows("No changes.");
}

#[test]
fn every_spec_converges_and_can_be_taken_down() {
    for name in SPECS {
        let place = Place::empty();
        place.write("arcflux.yaml", &spec(name));
        place.sim(&["plan", "--detailed-exitcode"]).ends_with(2);
        place.sim(APPLY).ends_with(0).shows("Apply complete!");
        place.sim(&["plan", "--detailed-exitcode"]).ends_with(0).shows("No changes.");
        place.sim(&["status"]).ends_with(0);
        place.sim(&["destroy", "--auto-approve"]).ends_with(0).shows("Destroy complete!");
        place.sim(&["plan", "--destroy", "--detailed-exitcode"]).ends_with(0);
    }
}

#[test]
fn two_applies_at_once_do_not_undo_each_other() {
    let place = Place::quickstart();
    let arguments = ["apply", "--auto-approve", "--cloud", "sim", "--sim-pace", "1000"];
    let (one, other) = (place.start(&arguments), place.start(&arguments));
    for ran in [one.finish(), other.finish()] {
        // Whoever comes second finds the world moved, or everything done.
        assert!(matches!(ran.code, Some(0 | 3 | 4)), "{}\n{}", ran.out, ran.err);
        assert!(ran.code == Some(0) || ran.out.contains("the plan builds on a state that is gone"), "{}", ran.out);
    }
    place.sim(APPLY).ends_with(0);
    place.sim(&["plan", "--detailed-exitcode"]).ends_with(0).shows("No changes.");
}

#[test]
fn one_path_edited_is_one_changed_line_and_one_write() {
    let place = converged();
    let edited = place.read("arcflux.yaml").replace("retail/ApplicationRegistrations", "retail/Applications");
    place.write("arcflux.yaml", &edited);
    let plan = place.sim(&["plan"]).ends_with(0).shows("Plan: 0 to add, 1 to change, 0 to destroy.");
    let changed: Vec<&str> =
        plan.out.lines().filter(|line| line.trim_start().starts_with("~ kustomizations")).collect();
    assert_eq!(changed.len(), 1, "{}", plan.out);
    assert_eq!(plan.out.lines().filter(|line| line.contains(" -> ")).count(), 1, "{}", plan.out);
    let applied = place.run(&[APPLY, &AT_ONCE, &["--verbose"]].concat()).ends_with(0);
    let writes = |method: &str| applied.err.lines().filter(|line| line.starts_with(method)).count();
    assert_eq!((writes("PUT"), writes("PATCH"), writes("POST"), writes("DELETE")), (1, 0, 0, 0), "{}", applied.err);
    place.sim(&["plan"]).ends_with(0).shows("No changes.");
    place.sim(&["status"]).ends_with(0).shows("1 of 1 configurations compliant");
}

#[test]
fn a_kustomization_that_goes_away_needs_a_word_about_its_workloads() {
    let place = converged();
    let text = place.read("arcflux.yaml");
    let (without, _) = text.split_once("  app:").unwrap();
    place.write("arcflux.yaml", without);
    let refused = place.sim(&["plan"]).ends_with(3);
    let refused = refused.shows("everything applied from ./clusters/store-001/retail/ApplicationRegistrations");
    refused.shows("Refused: rg-edge/store-001/flux/flux-system").shows("`--workloads delete`, or `--workloads keep`");
    place.sim(APPLY).ends_with(3).says("nothing was written");
    place.sim(&["status"]).ends_with(0);
    let deleted = place.sim(&["apply", "--auto-approve", "--workloads", "delete"]).ends_with(0);
    deleted.shows("Apply complete! Resources: 0 added, 1 changed, 0 destroyed.");
    place.sim(&["plan", "--detailed-exitcode"]).ends_with(0);
}

#[test]
fn destroy_leaves_the_cluster_and_its_group() {
    let place = converged();
    place.sim(&["destroy"]).ends_with(3).says("no terminal to ask on");
    let planned = place.sim(&["plan", "--destroy", "--detailed-exitcode"]).ends_with(2);
    let other = format!("sha256:{}", "0".repeat(64));
    place.sim(&["destroy", "--auto-approve", "--expect", &other]).ends_with(3).says("this plan has the digest");
    place.sim(&["status"]).ends_with(0);
    let destroyed = place.sim(&["destroy", "--auto-approve", "--expect", &planned.digest()]).ends_with(0);
    assert!(destroyed.out.starts_with(&planned.out), "a destroy shows the plan that `plan --destroy` showed");
    destroyed.shows("Destroy complete! Resources: 2 destroyed.");
    let status = place.sim(&["status"]).ends_with(4);
    status.shows("rg-edge/store-001 (connectedCluster): Connected").shows("extension: not installed");
    place.sim(&["destroy", "--auto-approve"]).ends_with(0);
    place.sim(&["plan"]).ends_with(0).shows("Plan: 2 to add, 0 to change, 0 to destroy.");
}

#[test]
fn nobody_to_ask_is_a_refusal_with_the_way_out() {
    let place = Place::quickstart();
    let refused = place.sim(&["apply"]).ends_with(3).says("there is no terminal to ask on; nothing was written");
    refused.says("give `--auto-approve`, or apply a saved plan");
    place.sim(&["plan"]).ends_with(0).shows("Plan: 3 to add");
    // What is piped in is not an answer.
    place.run_with_input(&[&["apply"][..], &AT_ONCE].concat(), "yes\n").ends_with(3);
}

#[test]
fn an_empty_simulator_has_no_cluster_to_plan_for() {
    let place = Place::quickstart();
    let error = place.sim(&["plan", "--sim-empty"]).ends_with(1);
    assert!(error.err.contains("rg-edge"), "{}", error.err);
    assert_eq!(error.out, "");
}

#[test]
fn a_state_that_was_begun_for_another_spec_is_told() {
    let place = Place::quickstart();
    place.sim(&["plan"]).ends_with(0);
    place.write("arcflux.yaml", &spec("runbook"));
    place.sim(&["plan"]).ends_with(1).says(".arcflux/sim.json").says("--sim-state FILE");
    place.sim(&["plan", "--sim-state", "another.json"]).ends_with(0);
}

#[test]
fn ids_outside_the_scope_are_refused_before_the_first_request() {
    let place = Place::quickstart();
    let refused = place.sim(&["plan", "--verbose", "--scope", "**/resourceGroups/rg-other/**"]).ends_with(3);
    let refused = refused.says("outside `--scope`").says("nothing was sent");
    assert!(!refused.err.contains("GET "), "{}", refused.err);
    assert!(!place.path(".arcflux").exists(), "not even a simulator was started");
    let by_environment = Place::quickstart().with("ARCFLUX_SCOPE", "/subscriptions/0*/**");
    by_environment.sim(APPLY).ends_with(3).says("outside `--scope`");
    place.sim(&["plan", "--scope", "/subscriptions/3f0c1c5e-*/**"]).ends_with(0);
    // What would fit nothing, or more than was meant, is told at once.
    place
        .sim(&["plan", "--scope", "/subscriptions/*/resourceGroups/rg-edge**"])
        .ends_with(64)
        .says("part of a segment");
    Place::quickstart().with("ARCFLUX_SCOPE", "").sim(&["plan"]).ends_with(64).says("fits no resource id");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::quickstart();
    let mut child =
        place.command(&[&["plan"][..], &AT_ONCE].concat()).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut out = BufReader::with_capacity(16, child.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    drop(out);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(first, "arcflux will perform the following actions:\n");
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && !err.contains("panicked"), "{err}");
    // Nobody reads from the start.
    let mut child = place.command(&["schema"]).stdin(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && err.is_empty(), "{err}");
}

#[test]
fn a_wrong_command_line_ends_with_64() {
    let place = Place::quickstart();
    for arguments in [
        &["frobnicate"][..],
        &["plan", "--frmat", "json"],
        &["plan", "--format", "yaml"],
        &["apply", "--parallelism", "0"],
        &["apply", "--timeout", "soon"],
        &["apply", "--expect", "sha256:12"],
        &["plan", "--cloud", "mars"],
        &["plan", "--poll-scale", "0"],
        &["apply", "--cloud", "sim", "--sim-pace", "-1"],
        &["plan", "--allow-secret", "GIT_TOKEN"],
        &["plan", "--allow-secret", "env:GIT_TOKEN@http://github.com"],
        &["plan", "--sim-empty"],
        &["plan", "--sim-scenario", "wrong-branch", "--arm-endpoint", "http://127.0.0.1:1"],
        &["plan", "--cloud", "sim", "--repo", "https://github.com/contoso/gitops=no-such-directory"],
        &["plan", "--repo", "nonsense"],
        &["plan", "--arm-endpoint", "http://example.com"],
        &["sim", "serve", "--listen", "0.0.0.0:0"],
        &["validate", "--expand", "--format", "json"],
        &[],
    ] {
        let ran = place.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(64), ""), "{arguments:?}\n{}", ran.err);
    }
    place.run(&["plan", "--frmat", "json"]).says("a similar argument exists: '--format'");
}

#[test]
fn a_wrong_state_file_is_left_as_it_is() {
    let place = Place::quickstart();
    std::fs::create_dir(place.path(".arcflux")).unwrap();
    place.write(".arcflux/sim.json", "not a state");
    place.sim(&["plan"]).ends_with(1).says("cannot start the simulator").says("is not a simulator's state");
    assert_eq!(place.read(".arcflux/sim.json"), "not a state");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_is_lost_is_an_error_and_a_reader_that_is_gone_is_none() {
    let place = Place::quickstart();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = place.command(&["plan", "--cloud", "sim"]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("not everything could be written to standard output"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = place.command(&["plan", "--cloud", "sim"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_state_that_is_not_a_file_is_not_read() {
    let place = Place::quickstart();
    std::os::unix::fs::symlink("/dev/zero", place.path("zero.json")).unwrap();
    std::fs::create_dir(place.path("directory.json")).unwrap();
    for state in ["zero.json", "directory.json"] {
        place.sim(&["plan", "--sim-state", state]).ends_with(1).says("it is not a file");
    }
}
