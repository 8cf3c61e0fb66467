//! Long-running operations: how they are waited for and how waiting ends.

use std::sync::Arc;
use std::time::Duration;

use arcflux::arm::{ArmError, Operation};
use arcflux::http::Clock;
use arcflux::model::ResourceId;
use serde_json::{Value, json};

use crate::scripted::{ARM, Reply, Script, VirtualClock, client};

const DELETE: &str = "DELETE https://management.azure.com/subscriptions/s/resourceGroups/rg?api-version=1";
const STATUS_URL: &str =
    "https://management.azure.com/subscriptions/s/ManagedClusters/mc/operations/0p-1?api-Version=1&t=6&c=a*b&s=%2BSIG";

/// Starts an operation with `started` and waits for it through `polls`, all at the URL of `started`.
struct Run {
    outcome: Result<(), ArmError>,
    statuses: Vec<String>,
    waits: Vec<u64>,
}

async fn run(started: Reply, polls: Vec<Reply>, url: &str, minutes: u64, scale: f64) -> Run {
    let poll = format!("GET {url}");
    let mut exchanges = vec![(DELETE, started)];
    exchanges.extend(polls.into_iter().map(|reply| (poll.as_str(), reply)));
    let script = Script::new(exchanges);
    let clock = VirtualClock::new();
    let client = client(&script, &clock).poll_scale(scale);
    let group = ResourceId::subscription("s").resource_group("rg");
    let operation: Operation = client.delete(&group, "1").await.unwrap().operation.unwrap();
    let deadline = clock.now().checked_add(Duration::from_secs(60 * minutes)).unwrap();
    let mut statuses = Vec::new();
    let outcome = client.wait(&operation, deadline, &mut |status| statuses.push(status.to_owned())).await;
    script.finished();
    Run { outcome, statuses, waits: clock.waits() }
}

fn async_operation() -> Reply {
    Reply::empty(202).header("azure-asyncoperation", STATUS_URL)
}

fn status(status: &str) -> Reply {
    Reply::json(200, &json!({"id": "/x", "name": "0p-1", "status": status}))
}

async fn poll_until(polls: Vec<Reply>) -> Run {
    run(async_operation(), polls, STATUS_URL, 60, 1.0).await
}

#[tokio::test]
async fn the_signed_url_is_polled_as_it_was_given_at_growing_distances() {
    let mut polls: Vec<Reply> = (0..6).map(|_| status("Deleting")).collect();
    polls.push(status("succeeded"));
    let run = poll_until(polls).await;
    run.outcome.unwrap();
    assert_eq!(run.statuses, ["Deleting"; 6]);
    assert_eq!(run.waits, [3, 5, 8, 15, 30, 30, 30]);
}

#[tokio::test]
async fn retry_after_replaces_one_delay_and_every_delay_is_scaled() {
    let started = async_operation().header("retry-after", "20");
    let polls = vec![
        status("Deleting").header("retry-after", "60"),
        status("Deleting").header("retry-after", "0"),
        status("Succeeded"),
    ];
    let run = run(started, polls, STATUS_URL, 60, 2.0).await;
    run.outcome.unwrap();
    // Nobody waits longer than half a minute, of ARM, without a sign of life.
    assert_eq!(run.waits, [40, 60, 60, 16]);
}

#[tokio::test]
async fn failure_and_cancellation_carry_code_message_and_ids() {
    let error = json!({"code": "ExtensionOperationFailed", "message": "helm said no", "additionalInfo": []});
    for ended in ["Failed", "Canceled", "cancelled", "FAILED"] {
        let body = json!({"id": "/x", "status": ended, "error": error});
        let last = Reply::json(200, &body).header("x-ms-correlation-request-id", "c-9");
        let outcome = poll_until(vec![status("Deleting"), last]).await.outcome;
        let Err(ArmError::OperationFailed(failure)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(
            failure.to_string(),
            format!("operation 0p-1 ended as {ended}: ExtensionOperationFailed: helm said no (correlation id c-9)")
        );
    }
    let outcome = poll_until(vec![status("Failed")]).await.outcome;
    assert_eq!(outcome.unwrap_err().to_string(), "operation 0p-1 ended as Failed: no reason was given");
}

#[tokio::test]
async fn a_status_that_cannot_be_read_says_nothing_for_a_while() {
    let run = poll_until(vec![
        Reply::Dropped,
        Reply::NoConnection,
        Reply::empty(404),
        Reply::text(503, "<html>"),
        Reply::json(200, &json!({"id": "/x"})),
        status("Deleting"),
        Reply::text(200, "<html>"),
        status("Succeeded"),
    ])
    .await;
    run.outcome.unwrap();

    let error = poll_until((0..6).map(|_| Reply::empty(404)).collect()).await.outcome.unwrap_err();
    assert_eq!(error.to_string(), "how operation 0p-1 went cannot be learned");
    assert!(error.outcome_unknown());
    // The 404 is the status's, not the resource's.
    assert_eq!(error.missing(), None);
}

#[tokio::test]
async fn the_deadline_ends_the_wait_with_the_last_status_and_without_the_url() {
    let polls =
        vec![status("Creating"), status("Creating"), status("Creating"), status("Creating"), status("Updating")];
    let run = run(async_operation(), polls, STATUS_URL, 1, 1.0).await;
    assert_eq!(run.waits, [3, 5, 8, 15, 29]);
    let error = run.outcome.unwrap_err();
    assert!(error.outcome_unknown());
    assert_eq!(error.to_string(), "operation 0p-1 was still Updating when the time was up");
    assert!(!format!("{error:?}").contains("SIG"));
}

#[tokio::test]
async fn a_location_is_polled_until_it_stops_answering_202() {
    let started = || Reply::empty(202).header("location", STATUS_URL).header("retry-after", "15");
    let running = || Reply::empty(202).header("retry-after", "15");
    for last in [Reply::empty(200), Reply::empty(204), Reply::json(200, &json!({"name": "rg"})), status("Succeeded")] {
        let run = run(started(), vec![running(), running(), last], STATUS_URL, 60, 1.0).await;
        run.outcome.unwrap();
        assert_eq!(run.waits, [15, 15, 15]);
    }
    let polls = vec![Reply::text(200, "<html>please sign in"), Reply::empty(200)];
    assert_eq!(run(started(), polls, STATUS_URL, 60, 1.0).await.waits, [15, 5]);
    // Connected clusters answer 200 with a status while they are still being deleted.
    let polls = vec![status("Deleting"), status("Failed")];
    let run = run(started(), polls, STATUS_URL, 60, 1.0).await;
    assert_eq!(run.statuses, ["Deleting"]);
    assert!(matches!(run.outcome, Err(ArmError::OperationFailed(_))));
}

#[tokio::test]
async fn a_relative_location_is_of_the_arm_endpoint() {
    let url = format!("{ARM}/subscriptions/s/operationresults/j?api-version=1");
    let started = Reply::empty(202).header("location", "/subscriptions/s/operationresults/j?api-version=1");
    run(started, vec![Reply::empty(200)], &url, 60, 1.0).await.outcome.unwrap();
}

#[tokio::test]
async fn an_operation_on_another_host_is_never_asked() {
    for header in ["azure-asyncoperation", "location"] {
        let started = Reply::empty(202).header(header, "https://eastus.rp.example/operations/0p-1?s=SIG");
        let run = run(started, vec![], STATUS_URL, 60, 1.0).await;
        let error = run.outcome.unwrap_err();
        assert!(matches!(error, ArmError::ForeignHost { .. }), "{error:?}");
        assert!(error.to_string().contains("https://eastus.rp.example,") && !error.to_string().contains("SIG"));
    }
}

#[tokio::test]
async fn the_location_beside_a_201_is_ignored() {
    let put = DELETE.replace("DELETE", "PUT");
    let poll = format!("GET {STATUS_URL}");
    let created = Reply::json(201, &json!({"properties": {"provisioningState": "Creating"}}))
        .header("location", "https://eastus.rp.kubernetesconfiguration.azure.com/x")
        .header("azure-asyncoperation", STATUS_URL);
    let script = Script::new([(put.as_str(), created), (poll.as_str(), status("Succeeded"))]);
    let clock: Arc<VirtualClock> = VirtualClock::new();
    let client = client(&script, &clock);
    let group = ResourceId::subscription("s").resource_group("rg");
    let operation = client.put(&group, "1", &Value::Null).await.unwrap().operation.unwrap();
    client.wait(&operation, jiff::Timestamp::MAX, &mut |_| {}).await.unwrap();
    script.finished();
}
