use serde_json::json;

use super::*;

const SHA: &str = "0123456789012345678901234567890123456789";

fn condition(status: &str, reason: &str, message: &str) -> Value {
    json!([{"type": "Ready", "status": status, "reason": reason, "message": message}])
}

fn live(app: Value) -> Value {
    json!({
        "systemData": {"lastModifiedAt": "2026-01-01T00:00:00Z"},
        "properties": {
            "provisioningState": "Succeeded", "complianceState": "Compliant",
            "statusUpdatedAt": "2026-01-01T00:02:00Z", "sourceSyncedCommitId": format!("main@sha1:{SHA}"),
            "statuses": [
                {"kind": "GitRepository", "name": "c", "statusConditions": condition("True", "Succeeded", "stored")},
                {"kind": "Kustomization", "name": "c-app", "statusConditions": app},
            ],
        },
    })
}

fn judged(live: &Value) -> Compliance {
    compliance("c", &["app".to_owned()], None, live)
}

fn applied(revision: &str) -> Value {
    condition("True", "ReconciliationSucceeded", &format!("Applied revision: {revision}"))
}

#[test]
fn reconciled_needs_every_kustomization_at_the_synced_revision() {
    let revision = format!("main@sha1:{SHA}");
    assert_eq!(judged(&live(applied(&revision))), Compliance::Reconciled { revision });
    assert!(matches!(judged(&live(applied("main@sha1:other"))), Compliance::Progressing(_)));
    let two = ["app".to_owned(), "infra".to_owned()];
    assert!(matches!(
        compliance("c", &two, None, &live(applied(&format!("main@sha1:{SHA}")))),
        Compliance::Progressing(_)
    ));
}

#[test]
fn a_pinned_commit_must_be_the_synced_one() {
    let body = live(applied(&format!("main@sha1:{SHA}")));
    let names = ["app".to_owned()];
    assert!(matches!(compliance("c", &names, Some(SHA), &body), Compliance::Reconciled { .. }));
    assert!(matches!(compliance("c", &names, Some(&"f".repeat(40)), &body), Compliance::Progressing(_)));
}

#[test]
fn a_suspended_configuration_is_neither_reconciled_nor_failing() {
    let mut body = live(condition("False", "ArtifactFailed", "kustomization path not found"));
    body["properties"]["suspend"] = json!(true);
    assert_eq!(judged(&body), Compliance::Suspended);
}

#[test]
fn a_status_from_before_the_write_proves_nothing() {
    let mut body = live(applied(&format!("main@sha1:{SHA}")));
    body["systemData"]["lastModifiedAt"] = json!("2026-01-01T00:03:00Z");
    assert!(matches!(judged(&body), Compliance::Progressing(_)));
}

#[test]
fn an_expected_revision_may_name_its_branch() {
    let body = live(applied(&format!("main@sha1:{SHA}")));
    let names = ["app".to_owned()];
    let expected = format!("main@sha1:{}", SHA.to_uppercase());
    assert!(matches!(compliance("c", &names, Some(&expected), &body), Compliance::Reconciled { .. }));
}

#[test]
fn a_source_without_a_revision_is_not_reconciled() {
    let mut body = live(condition("True", "ReconciliationSucceeded", ""));
    body["properties"]["sourceSyncedCommitId"] = Value::Null;
    assert!(matches!(judged(&body), Compliance::Progressing(_)));
}

#[track_caller]
fn fault(body: &Value, order: &[&str]) -> Fault {
    let order: Vec<String> = order.iter().map(|name| (*name).to_owned()).collect();
    match compliance("c", &order, None, body) {
        Compliance::Failing(fault) => fault,
        other => panic!("{other:?}"),
    }
}

fn add(body: &mut Value, status: Value) {
    body["properties"]["statuses"].as_array_mut().unwrap().push(status);
}

fn release(name: &str, by: &str, reason: &str, message: &str) -> Value {
    json!({
        "kind": "HelmRelease", "name": name, "appliedBy": {"name": by, "namespace": "c"},
        "statusConditions": condition("False", reason, message),
        "helmReleaseProperties": {"failureCount": 3, "installFailureCount": 2, "upgradeFailureCount": 0},
    })
}

#[test]
fn a_release_is_blamed_before_the_kustomization_that_waits_for_it_in_vain() {
    let unhealthy = "health check failed after 10m0s: timeout waiting for: [HelmRelease/apps/web status: 'Failed']";
    let mut body = live(condition("False", "HealthCheckFailed", unhealthy));
    add(&mut body, release("web", "c-app", "InstallFailed", "Helm install failed: host is required"));
    let fault = fault(&body, &["app"]);
    assert_eq!(
        (fault.cause.kind.as_str(), fault.cause.name.as_str(), fault.is_terminal),
        ("HelmRelease", "web", false)
    );
    assert!(fault.cause.message.ends_with("(Helm has failed 3 times, 2 of them to install, 0 to upgrade)"));
}

#[test]
fn what_a_kustomization_made_before_it_failed_is_not_to_blame() {
    let mut body = live(condition("False", "BuildFailed", "kustomize build failed: no such file"));
    add(&mut body, release("web", "c-app", "InstallFailed", "Helm install failed: host is required"));
    assert_eq!(fault(&body, &["app"]).cause.name, "c-app");
}

#[test]
fn releases_are_blamed_in_the_order_of_what_applied_them() {
    let revision = format!("main@sha1:{SHA}");
    let mut body = live(applied(&revision));
    add(&mut body, json!({"kind": "Kustomization", "name": "c-infra", "statusConditions": applied(&revision)}));
    add(&mut body, release("a-web", "c-app", "InstallFailed", "Helm install failed: x"));
    add(&mut body, release("z-ingress", "c-infra", "InstallFailed", "Helm install failed: x"));
    add(&mut body, release("a-nested", "team-a", "InstallFailed", "Helm install failed: x"));
    assert_eq!(fault(&body, &["infra", "app"]).cause.name, "z-ingress");
}

#[test]
fn a_failure_that_stays_is_not_hidden_by_one_that_may_pass() {
    let mut body = live(condition("False", "ArtifactFailed", "kustomization path not found"));
    add(
        &mut body,
        json!({
            "kind": "Kustomization", "name": "c-infra",
            "statusConditions": condition("False", "HealthCheckFailed", "health check failed after 1m"),
        }),
    );
    let fault = fault(&body, &["infra", "app"]);
    assert_eq!((fault.cause.name.as_str(), fault.is_terminal), ("c-app", true));
}

#[test]
fn nothing_is_blamed_before_a_source_that_could_not_be_fetched() {
    let mut body = live(condition("False", "ArtifactFailed", "kustomization path not found"));
    body["properties"]["statuses"][0]["statusConditions"] =
        condition("False", "GitOperationFailed", "dial tcp 10.0.0.1:443: i/o timeout");
    let fault = fault(&body, &["app"]);
    assert_eq!((fault.cause.kind.as_str(), fault.is_terminal), ("GitRepository", false));
}

#[test]
fn what_flux_does_not_try_again_stays() {
    let mut body = live(condition("False", "ReconciliationFailed", "something new"));
    assert!(!fault(&body, &["app"]).is_terminal);
    let conditions = body["properties"]["statuses"][1]["statusConditions"].as_array_mut().unwrap();
    conditions.push(json!({"type": "Stalled", "status": "True", "reason": "x", "message": "x"}));
    assert!(fault(&body, &["app"]).is_terminal);
}

#[test]
fn a_failure_stands_since_it_began_and_not_since_before_the_last_write() {
    let mut body = live(condition("False", "BuildFailed", "kustomize build failed"));
    let mut since = |time: &str| {
        body["properties"]["statuses"][1]["statusConditions"][0]["lastTransitionTime"] = json!(time);
        fault(&body, &["app"]).stood.as_secs()
    };
    assert_eq!(since("2026-01-01T00:01:00Z"), 60);
    assert_eq!(since("2025-12-31T00:00:00Z"), 120, "the write was two minutes before the report");
}

#[test]
fn flux_tries_again_as_often_as_the_slowest_part_says() {
    let mut body = live(condition("False", "BuildFailed", "kustomize build failed"));
    body["properties"]["gitRepository"] = json!({"syncIntervalInSeconds": 60});
    body["properties"]["kustomizations"] =
        json!({"app": {"syncIntervalInSeconds": 600, "retryIntervalInSeconds": 120, "timeoutInSeconds": 900}});
    assert_eq!(fault(&body, &["app"]).attempts_every.as_secs(), 120);
    body["properties"]["kustomizations"]["app"]["retryIntervalInSeconds"] = Value::Null;
    assert_eq!(fault(&body, &["app"]).attempts_every.as_secs(), 600);
    body["properties"]["gitRepository"] = Value::Null;
    body["properties"]["ociRepository"] = json!({"syncIntervalInSeconds": 3600});
    assert_eq!(fault(&body, &["app"]).attempts_every.as_secs(), 3600);
    assert_eq!(longest_timeout_seconds(&body), 900);
}

#[test]
fn an_artifact_that_is_still_to_come_is_waited_for() {
    let body = live(condition("False", "ArtifactFailed", "Source artifact not found, retrying in 30s"));
    assert!(matches!(judged(&body), Compliance::Progressing(_)));
}

#[test]
fn the_first_failing_ancestor_is_to_blame() {
    let mut body = live(condition("False", "DependencyNotReady", "dependency 'c/c-infra' is not ready"));
    assert!(matches!(judged(&body), Compliance::Progressing(_)));
    body["properties"]["statuses"].as_array_mut().unwrap().push(json!({
        "kind": "Kustomization", "name": "c-infra",
        "statusConditions": condition("False", "ArtifactFailed", "kustomization path not found"),
    }));
    let order = ["infra".to_owned(), "app".to_owned()];
    match compliance("c", &order, None, &body) {
        Compliance::Failing(fault) => assert_eq!(fault.cause.name, "c-infra"),
        other => panic!("{other:?}"),
    }
}
