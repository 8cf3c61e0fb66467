//! The report of a run: `--report FILE`, and the last line of the stream.

use serde_json::Value;

use crate::binary::{AT_ONCE, Place, Ran};

const APPLY: &[&str] = &["apply", "--auto-approve"];

fn assert_fits(document: &Value, schema: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(schema);
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
}

/// The report that a command has left, which must fit its schema and end as the command did.
fn report(place: &Place, ran: &Ran) -> Value {
    let report: Value = serde_json::from_str(&place.read("report.json")).unwrap();
    assert_fits(&report, "report.schema.json");
    assert_eq!(report["exit_code"].as_i64(), ran.code.map(i64::from));
    assert_eq!((&report["type"], &report["format_version"]), (&Value::from("apply_report"), &Value::from("1.0")));
    report
}

fn reported(place: &Place, arguments: &[&str]) -> (Ran, Value) {
    let ran = place.sim(&[arguments, &["--report", "report.json"]].concat());
    let report = report(place, &ran);
    (ran, report)
}

/// What became of a resource.
fn resource<'a>(report: &'a Value, address: &str) -> &'a Value {
    report["resources"].as_array().unwrap().iter().find(|one| one["address"] == address).unwrap()
}

#[test]
fn a_report_tells_of_every_resource_what_became_of_it_when_and_by_which_requests() {
    let place = Place::quickstart();
    let (ran, report) = reported(&place, APPLY);
    assert_eq!(report["ending"], "converged");
    assert_eq!(report["plan"]["digest"], ran.digest());
    assert_eq!((&report["plan"]["mode"], &report["interrupted"]), (&Value::from("apply"), &Value::from(false)));
    assert_eq!(report["plan"]["origin"], "https://sim.arcflux.invalid");
    let extension = resource(&report, "rg-edge/store-001/extension");
    assert_eq!((&extension["action"][0], &extension["outcome"]["result"]), (&"create".into(), &"applied".into()));
    let [write] = extension["writes"].as_array().unwrap().as_slice() else { panic!("{extension:#}") };
    assert_eq!((&write["method"], &write["status"]), (&"PUT".into(), &201.into()));
    assert!(write["operation_id"].as_str().is_some_and(|id| !id.is_empty() && !id.contains(['?', '/'])), "{write}");
    assert!(write["correlation_id"].is_string(), "{write}");
    assert!(extension["elapsed_seconds"].as_i64() > Some(0));
    let times = [&report["started_at"], &extension["started_at"], &report["ended_at"]];
    let times: Vec<jiff::Timestamp> = times.iter().map(|time| time.as_str().unwrap().parse().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(resource(&report, "rg-edge")["outcome"]["result"], "unchanged");
    let usage = &report["usage"];
    assert_eq!((&usage["writes"], &usage["deletes"]), (&3.into(), &0.into()));
    assert!(usage["reads"].as_u64() > Some(8));
    for secret in ["sig=", "Bearer", "api-version"] {
        assert!(!place.read("report.json").contains(secret), "{secret}");
    }
}

#[test]
fn nothing_to_do_is_reported_too() {
    let place = Place::quickstart();
    place.sim(APPLY).ends_with(0);
    let (ran, report) = reported(&place, APPLY);
    ran.ends_with(0).shows("No changes.");
    assert_eq!(report["ending"], "converged");
    let results = report["resources"].as_array().unwrap().iter().map(|one| &one["outcome"]["result"]);
    assert!(results.into_iter().all(|result| result == "unchanged"), "{report:#}");
    assert_eq!(report["usage"]["writes"], 0);
}

#[test]
fn a_failure_is_reported_with_its_cause_and_whatever_was_left_for_its_sake() {
    let place = Place::quickstart();
    let (_, report) = reported(&place, &[APPLY, &["--sim-scenario", "extension-install-failed"]].concat());
    assert_eq!((&report["ending"], &report["exit_code"]), (&"incomplete".into(), &4.into()));
    let extension = &resource(&report, "rg-edge/store-001/extension")["outcome"];
    assert_eq!((&extension["result"], &extension["wrote"]), (&"failed".into(), &true.into()));
    for part in ["code", "message", "correlation_id"] {
        assert!(extension["failure"][part].as_str().is_some_and(|text| !text.is_empty()), "{part}: {extension:#}");
    }
    let configuration = &resource(&report, "rg-edge/store-001/flux/flux-system")["outcome"];
    assert_eq!(configuration["because"], "rg-edge/store-001/extension");
}

#[test]
fn a_deferral_and_a_destruction_are_reported() {
    let place = Place::quickstart();
    let offline = ["--sim-scenario", "agent-offline", "--offline", "skip", "--sim-state", "offline.json"];
    let (_, report) = reported(&place, &[APPLY, &offline].concat());
    assert_eq!(report["deferred"][0], "rg-edge/store-001/extension");
    let extension = resource(&report, "rg-edge/store-001/extension");
    assert_eq!((&extension["action"][0], &extension["outcome"]["result"]), (&"create".into(), &"deferred".into()));
    assert_eq!(extension["outcome"]["reason"], "cluster_offline");
    place.sim(APPLY).ends_with(0);
    let (_, report) = reported(&place, &["destroy", "--auto-approve"]);
    assert_eq!((&report["plan"]["mode"], &report["ending"]), (&"destroy".into(), &"converged".into()));
    assert_eq!(report["usage"]["deletes"], 2);
}

#[test]
fn what_was_never_begun_is_reported_with_the_reason() {
    let place = Place::quickstart();
    let (ran, report) = reported(&place, &["apply"]);
    ran.ends_with(3);
    assert_eq!((&report["ending"], &report["resources"]), (&"refused".into(), &Value::Array(Vec::new())));
    assert!(report["error"]["messages"][0].as_str().unwrap().contains("no terminal to ask on"), "{report:#}");
    assert!(report["error"]["hint"].is_string() && report.get("started_at").is_none(), "{report:#}");
    assert!(report["plan"]["digest"].is_string());
    // A rule refuses the plan.
    place.sim(APPLY).ends_with(0);
    let text = place.read("arcflux.yaml");
    let (without, _) = text.split_once("  app:").unwrap();
    place.write("arcflux.yaml", without);
    let (ran, report) = reported(&place, APPLY);
    ran.ends_with(3);
    assert_eq!(report["plan"]["refusals"][0]["code"], "needs_workloads_choice");
    // There is no plan.
    place.write("arcflux.yaml", "nonsense: true\n");
    let (ran, report) = reported(&place, APPLY);
    ran.ends_with(1);
    assert_eq!((&report["ending"], report.get("plan")), (&"error".into(), None));
}

#[test]
fn a_report_that_cannot_be_written_stops_everything_before_it_begins() {
    let place = Place::quickstart();
    std::fs::create_dir(place.path("directory")).unwrap();
    for (file, says) in [("no/such/report.json", "there is no directory no/such"), ("directory", "it is a directory")] {
        let refused = place.sim(&[APPLY, &["--verbose", "--report", file]].concat()).ends_with(1).says(says);
        assert!(!refused.err.contains("GET ") && refused.out.is_empty(), "{}", refused.err);
    }
    place.write("my.json", "{}");
    let over = |arguments: &[&str], what: &str| {
        place.run(arguments).ends_with(64).says(&format!("would write over {what}"));
    };
    over(&["apply", "--cloud", "sim", "--auto-approve", "--report", "arcflux.yaml"], "the spec");
    over(&["apply", "--cloud", "sim", "my.json", "--report", "./my.json"], "the saved plan");
    over(&["destroy", "--cloud", "sim", "--sim-state", "s.json", "--report", "s.json"], "the state of the simulator");
    over(&["plan", "--cloud", "sim", "--sim-state", "s.json", "--out", "s.json"], "the state of the simulator");
    over(&["plan", "--live", "my.json", "--out", "my.json"], "the live state");
    over(&["snapshot", "--cloud", "sim", "--out", "arcflux.yaml"], "the spec");
    assert_eq!(place.read("my.json"), "{}");
    place.sim(&[APPLY, &["--report", "-"]].concat()).ends_with(64).says("`--format json`");
    assert!(!place.path(".arcflux").exists(), "not even a simulator was started");
}

#[test]
fn the_stream_ends_with_the_report_whatever_happens() {
    for (arguments, ending) in [
        (&["--sim-scenario", "wrong-branch"][..], "incomplete"),
        (&["--expect", "sha256:0000000000000000000000000000000000000000000000000000000000000000"], "refused"),
        (&["-f", "missing.yaml"], "error"),
        (&[], "converged"),
    ] {
        let place = Place::quickstart();
        let both = ["--format", "json", "--report", "report.json"];
        let ran = place.run(&[APPLY, &AT_ONCE, &both, arguments].concat());
        let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
        assert_fits(&last, "event.schema.json");
        assert_eq!(last["ending"], ending, "{}", ran.err);
        assert_eq!(last, report(&place, &ran), "the file says the same");
    }
}

#[test]
fn events_tell_the_ids_of_what_was_accepted() {
    let place = Place::quickstart();
    let ran = place.sim(&[APPLY, &["--format", "json"]].concat()).ends_with(0);
    let lines = ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let accepted: Vec<Value> = lines.filter(|line| line["type"] == "accepted").collect();
    assert_eq!(accepted.len(), 3);
    assert!(accepted.iter().all(|event| event["correlation_id"].is_string()), "{accepted:#?}");
    assert_eq!(accepted.iter().filter(|event| event["operation_id"].is_string()).count(), 2, "a registration has none");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_reported_once_it_has_drained() {
    let place = Place::quickstart();
    let paced = ["--cloud", "sim", "--sim-pace", "50", "--report", "report.json"];
    let mut running = place.start(&[APPLY, &paced].concat());
    running.wait_for("rg-edge/store-001/extension: Still creating...");
    running.signal("INT");
    let ran = running.finish().ends_with(130);
    let report = report(&place, &ran);
    assert_eq!((&report["ending"], &report["interrupted"]), (&"interrupted".into(), &true.into()));
    assert_eq!(resource(&report, "rg-edge/store-001/extension")["outcome"]["result"], "applied");
    let skipped = &resource(&report, "rg-edge/store-001/flux/flux-system")["outcome"];
    assert_eq!((&skipped["result"], skipped.get("because")), (&"skipped".into(), None));
}
