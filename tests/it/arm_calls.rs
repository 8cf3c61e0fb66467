//! Reads and writes of one resource: what is sent, what comes back, what is sent again.

use std::sync::{Arc, Mutex};

use arcflux::arm::{ArmClient, ArmError, TokenError, TokenSource};
use arcflux::http::Origin;
use arcflux::http::retry::{ATTEMPTS, ATTEMPTS_UNANSWERED};
use arcflux::model::{Missing, Reading, ResourceId, Secret, Usage};
use async_trait::async_trait;
use serde_json::json;

use crate::scripted::{ARM, Reply, Script, VirtualClock, client};

const GROUP_GET: &str = "GET https://management.azure.com/subscriptions/s/resourceGroups/rg?api-version=1";
const GROUP_PUT: &str = "PUT https://management.azure.com/subscriptions/s/resourceGroups/rg?api-version=1";
const GROUP_PATCH: &str = "PATCH https://management.azure.com/subscriptions/s/resourceGroups/rg?api-version=1";
const GROUP_DELETE: &str = "DELETE https://management.azure.com/subscriptions/s/resourceGroups/rg?api-version=1";

fn group() -> ResourceId {
    ResourceId::subscription("s").resource_group("rg")
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"error": {"code": code, "message": message}}))
}

#[tokio::test]
async fn a_read_is_present_missing_or_denied() {
    let body = json!({"name": "rg"});
    for (reply, reading) in [
        (Reply::json(200, &body), Reading::Present(body.clone())),
        (Reply::text(200, "\u{feff}{\"name\":\"rg\"}"), Reading::Present(body.clone())),
        (Reply::empty(404), Reading::Missing(Missing::Itself)),
        (
            error(404, "ResourceGroupNotFound", "Resource group 'rg' could not be found.")
                .header("x-ms-failure-cause", "gateway"),
            Reading::Missing(Missing::Itself),
        ),
        (
            error(404, "SubscriptionNotFound", "The subscription 's' could not be found."),
            Reading::Missing(Missing::Parent("The subscription 's' could not be found.".into())),
        ),
        (
            error(403, "AuthorizationFailed", "The client 'x' may not."),
            Reading::Denied("The client 'x' may not.".into()),
        ),
    ] {
        let script = Script::new([(GROUP_GET, reply)]);
        assert_eq!(client(&script, &VirtualClock::new()).get(&group(), "1").await.unwrap(), reading);
        script.finished();
    }
}

#[tokio::test]
async fn a_page_of_a_proxy_is_neither_a_resource_nor_its_absence() {
    let page = || Reply::text(200, "<html>\u{1b}").header("content-type", "text/html");
    let script = Script::new([(GROUP_GET, page()), (GROUP_GET, page()), (GROUP_GET, Reply::json(200, &json!({})))]);
    let reading = client(&script, &VirtualClock::new()).get(&group(), "1").await.unwrap();
    assert_eq!(reading, Reading::Present(json!({})));

    let script = Script::new((0..ATTEMPTS_UNANSWERED).map(|_| (GROUP_GET, page())));
    let error = client(&script, &VirtualClock::new()).get(&group(), "1").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /subscriptions/s/resourceGroups/rg: expected a resource as JSON, got text/html that begins `<html>\\u{1b}`"
    );

    let script = Script::new([(GROUP_GET, Reply::text(404, "<html><title>404 nginx</title>"))]);
    let error = client(&script, &VirtualClock::new()).get(&group(), "1").await.unwrap_err();
    assert_eq!(error.to_string(), "GET /subscriptions/s/resourceGroups/rg: 404 404 nginx");
}

#[tokio::test]
async fn writes_send_their_body_and_return_what_arm_accepted() {
    let script = Script::new([
        (GROUP_PUT, Reply::json(201, &json!({"name": "rg"})).header("x-ms-correlation-request-id", "c-1")),
        (GROUP_PATCH, Reply::empty(202).header("azure-asyncoperation", &format!("{ARM}/ops/0p-1?s=1"))),
    ]);
    let client = client(&script, &VirtualClock::new());
    let put = client.put(&group(), "1", &json!({"location": "x"})).await.unwrap();
    assert_eq!((put.status, put.body, put.correlation_id.as_deref()), (201, Some(json!({"name": "rg"})), Some("c-1")));
    assert_eq!(put.operation, None);
    let patch = client.patch(&group(), "1", &json!({"tags": null})).await.unwrap();
    assert_eq!((patch.status, patch.body), (202, None));
    assert_eq!(patch.operation.unwrap().id(), "0p-1");

    let sent = script.finished();
    assert_eq!(sent[0].body().as_ref(), br#"{"location":"x"}"#);
    assert_eq!(sent[1].body().as_ref(), br#"{"tags":null}"#);
    assert_ne!(sent[0].headers()["x-ms-client-request-id"], sent[1].headers()["x-ms-client-request-id"]);
}

#[tokio::test]
async fn registration_is_a_post_without_a_body() {
    let line =
        "POST https://management.azure.com/subscriptions/s/providers/Microsoft.Kubernetes/register?api-version=1";
    let script = Script::new([(line, Reply::json(200, &json!({"registrationState": "Registering"})))]);
    let provider = ResourceId::subscription("s").provider("Microsoft.Kubernetes");
    client(&script, &VirtualClock::new()).register(&provider, "1").await.unwrap();
    assert!(script.finished()[0].body().is_empty());
}

#[tokio::test]
async fn deleting_what_is_not_there_succeeds_and_an_unknown_type_does_not() {
    let script = Script::new([
        (GROUP_DELETE, error(404, "ResourceGroupNotFound", "Resource group 'rg' could not be found.")),
        (GROUP_DELETE, error(404, "ParentResourceNotFound", "The parent is gone.")),
        (GROUP_DELETE, Reply::empty(204)),
        (GROUP_DELETE, error(404, "InvalidResourceType", "No such type.")),
    ]);
    let client = client(&script, &VirtualClock::new());
    for status in [404, 404, 204] {
        assert_eq!(client.delete(&group(), "1").await.unwrap().status, status);
    }
    let error = client.delete(&group(), "1").await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code.as_deref(), Some("InvalidResourceType"));
    script.finished();
}

#[tokio::test]
async fn a_read_is_sent_again_after_passing_failures() {
    let script = Script::new([
        (GROUP_GET, Reply::NoConnection),
        (GROUP_GET, Reply::Dropped),
        (GROUP_GET, Reply::text(503, "<html>")),
        (GROUP_GET, error(504, "GatewayTimeout", "The gateway did not receive a response.")),
        (GROUP_GET, Reply::json(200, &json!({}))),
    ]);
    let reading = client(&script, &VirtualClock::new()).get(&group(), "1").await.unwrap();
    assert_eq!(reading, Reading::Present(json!({})));
    script.finished();
}

#[tokio::test]
async fn attempts_end_and_the_last_failure_is_reported() {
    let script = Script::new((0..ATTEMPTS_UNANSWERED).map(|_| (GROUP_GET, Reply::Dropped)));
    let error = client(&script, &VirtualClock::new()).get(&group(), "1").await.unwrap_err();
    assert!(matches!(error, ArmError::Transport { .. }) && !error.outcome_unknown(), "{error:?}");
    script.finished();

    // A server that has answered before is worth more patience.
    let answered = [(GROUP_GET, Reply::empty(404))];
    let script = Script::new(answered.into_iter().chain((0..ATTEMPTS).map(|_| (GROUP_GET, Reply::Dropped))));
    let client = client(&script, &VirtualClock::new()).jitter(Arc::new(|| 0.5));
    client.get(&group(), "1").await.unwrap();
    client.get(&group(), "1").await.unwrap_err();
    script.finished();
    assert_eq!(client.usage(), Usage { reads: 11, retries: 9, ..Usage::default() });
}

#[tokio::test]
async fn a_write_is_sent_again_only_when_it_was_certainly_not_acted_on() {
    let throttled = "Number of requests exceeded the limit. Please try again after '6' seconds.";
    let script = Script::new([
        (GROUP_PUT, Reply::NoConnection),
        (GROUP_PUT, error(429, "SubscriptionRequestsThrottled", throttled)),
        (GROUP_PUT, Reply::empty(429).header("retry-after", "40")),
        (GROUP_PUT, Reply::json(200, &json!({}))),
    ]);
    let clock = VirtualClock::new();
    client(&script, &clock).put(&group(), "1", &json!({})).await.unwrap();
    script.finished();
    let waits = clock.waits();
    assert!((6..=7).contains(&waits[1]) && (40..=41).contains(&waits[2]), "{waits:?}");

    for reply in [Reply::Dropped, Reply::empty(503), Reply::empty(500), Reply::text(200, "<html>please sign in")] {
        let script = Script::new([(GROUP_PUT, reply)]);
        let error = client(&script, &VirtualClock::new()).put(&group(), "1", &json!({})).await.unwrap_err();
        assert!(error.outcome_unknown(), "{error:?}");
        script.finished();
    }
    let script = Script::new([(GROUP_PUT, error(409, "Conflict", "busy"))]);
    let error = client(&script, &VirtualClock::new()).put(&group(), "1", &json!({})).await.unwrap_err();
    assert!(!error.outcome_unknown());
}

/// Gives `old` until it is rejected, then `new`.
struct TwoTokens;

#[async_trait]
impl TokenSource for TwoTokens {
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(Secret::new("old".to_owned()))
    }

    async fn renewed(&self, rejected: &Secret) -> Result<Option<Secret>, TokenError> {
        Ok((rejected.reveal() == "old").then(|| Secret::new("new".to_owned())))
    }
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once_even_for_a_write() {
    let rejected = || error(401, "ExpiredAuthenticationToken", "The access token expiry is in the past.");
    let script = Script::new([
        (GROUP_PUT, rejected()),
        (GROUP_PUT, Reply::json(200, &json!({}))),
        (GROUP_PUT, rejected()),
        (GROUP_PUT, rejected()),
    ]);
    let origin = Origin::parse(ARM).unwrap();
    let client = ArmClient::new(script.clone(), VirtualClock::new(), Arc::new(TwoTokens), origin);
    client.put(&group(), "1", &json!({})).await.unwrap();
    let error = client.put(&group(), "1", &json!({})).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 401);
    let tokens: Vec<_> = script.finished().iter().map(|sent| sent.headers()["authorization"].clone()).collect();
    assert_eq!(tokens, ["Bearer old", "Bearer new", "Bearer old", "Bearer new"]);
}

#[tokio::test]
async fn the_observer_sees_a_line_per_exchange_and_no_token() {
    let script = Script::new([(GROUP_GET, Reply::Dropped), (GROUP_GET, Reply::json(200, &json!({})))]);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let client = client(&script, &VirtualClock::new())
        .observer(Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned())));
    client.get(&group(), "1").await.unwrap();
    let broke = "the connection to management.azure.com broke before the whole response had arrived";
    assert_eq!(*lines.lock().unwrap(), [format!("{GROUP_GET} -> {broke}"), format!("{GROUP_GET} -> 200")]);
}

#[test]
fn a_client_shows_neither_token_nor_transport() {
    let shown = format!("{:?}", client(&Script::new([]), &VirtualClock::new()));
    assert!(shown.contains("management.azure.com") && !shown.contains("T0KEN"), "{shown}");
}
