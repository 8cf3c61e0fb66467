//! The binary against `arcflux sim serve`, over TCP.

use serde_json::Value;

use crate::binary::{Place, Server};

const APPLY: &[&str] = &["apply", "--auto-approve"];

fn serve(place: &Place, more: &[&str]) -> Server {
    Server::start(place, &[&["--seed", "arcflux.yaml", "--speed", "2000"], more].concat())
}

#[test]
fn plan_apply_plan_over_tcp() {
    let place = Place::quickstart();
    let server = serve(&place, &[]);
    server.run(&place, &["plan", "--detailed-exitcode"]).ends_with(2).shows("Plan: 3 to add").says(&server.url);
    server.run(&place, &["status"]).ends_with(4).shows("extension: not installed").shows("does not exist");
    server.run(&place, APPLY).ends_with(0).shows("Resources: 3 added, 0 changed, 0 destroyed.");
    let second = server.run(&place, &["plan", "--detailed-exitcode"]).ends_with(0);
    assert_eq!(second.out, server.run(&place, &["plan", "--detailed-exitcode"]).ends_with(0).out);
    second.shows("No changes.");
    let status = server.run(&place, &["status"]).ends_with(0);
    status.shows("app ready Applied revision: main@sha1:").shows("1 of 1 configurations compliant");
    let json = server.run(&place, &["status", "--format", "json"]).ends_with(0);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(report["compliant"], true);
    assert_eq!(report["clusters"][0]["configurations"][0]["verdict"]["result"], "compliant");
    server.run(&place, &["destroy", "--auto-approve"]).ends_with(0).shows("2 destroyed");
    let json = server.run(&place, &["status", "--format", "json"]).ends_with(4);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(report["compliant"], false);
    assert!(!place.path(".arcflux").exists(), "the embedded simulator was not used");
}

#[test]
fn a_failure_is_told_by_apply_and_by_status() {
    let place = Place::quickstart();
    let server = serve(&place, &["--sim-scenario", "wrong-branch"]);
    let failed = server.run(&place, APPLY).ends_with(4);
    failed.shows("couldn't find remote ref").shows("hint: check `branch` or `tag`").shows("1 failed, 0 skipped");
    let status = server.run(&place, &["status"]).ends_with(4);
    status.shows("couldn't find remote ref").shows("0 of 1 configurations compliant");
    let json = server.run(&place, &["status", "--format", "json"]).ends_with(4);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    let verdict = &report["clusters"][0]["configurations"][0]["verdict"];
    assert_eq!(verdict["result"], "failing", "{report:#}");
    assert_eq!(verdict["cause"]["kind"], "GitRepository");
}

#[test]
fn what_cannot_be_reached_is_told_once() {
    let place = Place::quickstart();
    let gone = {
        let server = serve(&place, &[]);
        server.url.clone()
    };
    let ran = place.run(&["plan", "--arm-endpoint", &gone, "--poll-scale", "0.001"]).ends_with(1);
    assert_eq!(ran.err.matches("Error: ").count(), 1, "{}", ran.err);
    ran.says("no response to GET /subscriptions/").says("cannot connect to 127.0.0.1:");
}

#[test]
fn plain_http_goes_to_this_machine_only() {
    let place = Place::quickstart();
    let refused = place.run(&["plan", "--arm-endpoint", "http://example.com"]).ends_with(64);
    refused.says("`http://example.com` is plain http to another machine: a token would cross the network in the clear");
    let refused = Place::quickstart().with("ARCFLUX_ARM_ENDPOINT", "http://example.com").run(&["status"]).ends_with(64);
    refused.says("is plain http to another machine");
}

#[test]
fn without_credentials_everything_that_was_tried_is_told_once() {
    // The machine's identity endpoint is said to be on loopback, so that the test does not look for one on the network.
    let place = Place::quickstart()
        .with("PATH", "/nowhere")
        .with("IDENTITY_ENDPOINT", "http://127.0.0.1:1/")
        .with("IDENTITY_HEADER", "none");
    for command in ["plan", "status", "apply", "destroy"] {
        let ran = place.run(&[command, "--arm-endpoint", "https://management.azure.com"]).ends_with(1);
        assert_eq!(ran.err.matches("Error: ").count(), 1, "{}", ran.err);
        let ran = ran.says("cannot sign in to Azure: no credential gave a token");
        let tried = ran.err.lines().filter_map(|line| line.strip_prefix("  - ")?.split(':').next());
        let tried: Vec<&str> = tried.collect();
        assert_eq!(tried, ["workload-identity", "azure-pipelines", "environment", "az-cli", "managed-identity"]);
    }
    let named = place.run(&["plan", "--arm-endpoint", "https://127.0.0.1:1", "--auth", "environment"]).ends_with(1);
    named.says("AZURE_CLIENT_SECRET").says("not set");
    place.run(&["plan", "--auth", "password"]).ends_with(64).says("az-cli");
}

#[test]
fn no_token_goes_over_plain_http_however_its_scheme_is_written() {
    let place = Place::quickstart();
    let server = Server::start(&place, &["--seed", "arcflux.yaml"]);
    let url = server.url.replace("http://", "HTTP://");
    // Nobody is signed in here: that would fail.
    place.run(&["plan", "--arm-endpoint", &url]).ends_with(0).shows("Plan: 3 to add");
}

#[test]
fn an_audience_is_said_only_where_it_is_not_known() {
    let place = Place::quickstart();
    for where_to in [["--cloud", "usgov"], ["--arm-endpoint", "https://management.usgovcloudapi.net/"]] {
        let refused = place.run(&[&["plan", "--audience", "https://a.example"], &where_to[..]].concat()).ends_with(64);
        refused.says(
            "`--audience` is for an `--arm-endpoint` that is not known, and https://management.usgovcloudapi.net is",
        );
    }
}
