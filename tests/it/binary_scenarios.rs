//! What goes wrong, by name: each scenario has its exit code and its message.

use crate::binary::{Place, Ran};

fn applied(scenario: &str, more: &[&str]) -> Ran {
    let place = Place::quickstart();
    place.sim(&[&["apply", "--auto-approve", "--sim-scenario", scenario], more].concat())
}

#[test]
fn every_scenario_is_listed_and_tested_here() {
    let listed = Place::empty().run(&["sim", "scenarios"]).ends_with(0);
    let names: Vec<&str> = listed.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        names,
        [
            "wrong-branch",
            "authentication-failed",
            "compliant-after-a-while",
            "stale-statuses",
            "two-revisions",
            "agent-offline",
            "extension-install-failed",
            "operation-stuck"
        ]
    );
    let unknown = Place::quickstart().sim(&["plan", "--sim-scenario", "bad-weather"]).ends_with(64);
    let mut unknown = unknown.says("there is no scenario named \"bad-weather\"");
    for name in names {
        unknown = unknown.says(name);
    }
}

#[test]
fn an_offline_cluster_can_be_left_for_later() {
    let done = applied("agent-offline", &["--offline", "skip"]).ends_with(0);
    let done = done.shows("Deferred until the cluster talks to Azure again:").shows("rg-edge/store-001/extension");
    done.shows("Apply complete! Resources: 1 added, 0 changed, 0 destroyed, 2 deferred.");
}

/// The extension between the cluster and the configuration has nothing to do, and does not hide that the cluster is silent.
#[test]
fn nothing_is_written_to_an_offline_cluster() {
    let place = Place::quickstart();
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    let edited = place.read("arcflux.yaml").replace("branch: main", "branch: next");
    place.write("arcflux.yaml", &edited);
    let failed = place.sim(&["apply", "--auto-approve", "--verbose", "--sim-scenario", "agent-offline"]).ends_with(4);
    let failed = failed.says("rg-edge/store-001/flux/flux-system: Skipped");
    let failed = failed.shows("Apply incomplete: 1 failed, 1 skipped. Resources: 0 added, 0 changed, 0 destroyed.");
    assert!(failed.err.lines().all(|line| !line.starts_with("PUT ") && !line.starts_with("PATCH ")), "{}", failed.err);
}

#[test]
fn wrong_branch() {
    let failed = applied("wrong-branch", &[]).ends_with(4);
    let failed = failed.shows("Error: rg-edge/store-001/flux/flux-system: creation failed");
    let failed =
        failed.shows("GitRepository flux-system (GitOperationFailed)").shows("find remote ref \"refs/heads/main\"");
    failed.shows("hint: check `branch` or `tag`").shows("Something was written before it failed");
}

#[test]
fn authentication_failed() {
    let failed = applied("authentication-failed", &[]).ends_with(4).shows("authentication required");
    failed.shows("hint: check `httpsUser` and `httpsKey`").shows("Apply incomplete: 1 failed, 0 skipped.");
}

#[test]
fn compliant_after_a_while() {
    applied("compliant-after-a-while", &[]).ends_with(0).shows("Apply complete! Resources: 3 added");
    // Patience that ends before is a failure, with a way on.
    let failed = applied("compliant-after-a-while", &["--timeout", "3m"]).ends_with(4);
    failed.shows("not done after 3m:").shows("give it longer with `--timeout`");
}

#[test]
fn stale_statuses() {
    let failed = applied("stale-statuses", &["--timeout", "4m"]).ends_with(4);
    let failed = failed.shows("not done after 4m: no status has been reported since the last write");
    failed.shows("hint: it goes on without us: look with `arcflux status`");
}

#[test]
fn two_revisions() {
    let failed = applied("two-revisions", &["--timeout", "5m"]).ends_with(4);
    failed
        .shows("not done after 5m: Kustomization flux-system-app is at revision main@sha1:")
        .shows("the source is at");
}

#[test]
fn agent_offline() {
    let failed = applied("agent-offline", &[]).ends_with(4);
    let failed = failed.shows("Error: rg-edge/store-001: wait failed").shows("the cluster is Offline");
    let failed = failed.shows("hint: bring its Arc agents back (`az connectedk8s troubleshoot`)");
    let failed = failed.shows("rg-edge/store-001/flux/flux-system, because rg-edge/store-001, which it needs");
    failed.shows("Apply incomplete: 1 failed, 2 skipped.");
}

#[test]
fn extension_install_failed() {
    let failed = applied("extension-install-failed", &[]).ends_with(4);
    let failed = failed.shows("Error: rg-edge/store-001/extension: creation failed").shows("failed to install chart");
    failed.shows("1 failed, 1 skipped");
}

#[test]
fn operation_stuck() {
    let failed = applied("operation-stuck", &["--timeout", "4m"]).ends_with(4);
    failed.shows("not done after").shows("give it longer with `--timeout`");
}

#[test]
fn what_failed_converges_once_the_cause_is_gone() {
    for scenario in ["wrong-branch", "agent-offline", "extension-install-failed", "operation-stuck"] {
        let place = Place::quickstart();
        let failing = ["apply", "--auto-approve", "--timeout", "4m", "--sim-scenario", scenario];
        place.sim(&failing).ends_with(4);
        let ran = place.sim(&["apply", "--auto-approve"]);
        assert_eq!(ran.code, Some(0), "{scenario}: {}\n{}", ran.out, ran.err);
        place.sim(&["plan", "--detailed-exitcode"]).ends_with(0).shows("No changes.");
        place.sim(&["status"]).ends_with(0);
    }
}
