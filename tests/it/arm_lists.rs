//! Collections, page by page.

use arcflux::arm::ArmError;
use arcflux::http::retry::ATTEMPTS_UNANSWERED;
use arcflux::model::{Listing, Missing, ResourceId};
use serde_json::json;

use crate::scripted::{ARM, Reply, Script, VirtualClock, client};

const FIRST: &str = "GET https://management.azure.com/subscriptions/s/providers/N/things?api-version=1";

fn things() -> ResourceId {
    ResourceId::subscription("s").collection("N/things")
}

async fn list(script: &std::sync::Arc<Script>) -> Result<Listing, ArmError> {
    client(script, &VirtualClock::new()).list(&things(), "1").await
}

#[tokio::test]
async fn links_are_followed_byte_for_byte_and_a_page_may_be_empty() {
    let second = format!("{ARM}/Subscriptions/s/things?%24skiptoken=a%2Bb*==&api-Version=0");
    let third = format!("{ARM}/x?p=3");
    let (second_line, third_line) = (format!("GET {second}"), format!("GET {third}"));
    let script = Script::new([
        (FIRST, Reply::json(200, &json!({"value": [1], "nextLink": second}))),
        (&second_line, Reply::json(200, &json!({"value": [], "nextLink": third}))),
        (&third_line, Reply::json(200, &json!({"value": [2, 3], "nextLink": null}))),
    ]);
    assert_eq!(list(&script).await.unwrap(), Listing::Items(vec![json!(1), json!(2), json!(3)]));
    script.finished();
}

#[tokio::test]
async fn a_list_without_a_link_or_with_an_empty_one_ends() {
    for page in [json!({"value": []}), json!({"value": [], "nextLink": ""})] {
        let script = Script::new([(FIRST, Reply::json(200, &page))]);
        assert_eq!(list(&script).await.unwrap(), Listing::Items(vec![]));
    }
}

#[tokio::test]
async fn a_link_to_another_host_is_refused_before_anything_is_sent() {
    let page = json!({"value": [], "nextLink": "https://management.azure.com.evil.example/x?sig=SECRET"});
    let script = Script::new([(FIRST, Reply::json(200, &page))]);
    let error = list(&script).await.unwrap_err();
    assert!(matches!(error, ArmError::ForeignHost { .. }));
    assert_eq!(
        error.to_string(),
        "ARM named a nextLink at https://management.azure.com.evil.example, which is not \
         https://management.azure.com: not followed, because the token would go there"
    );
    script.finished();
}

#[tokio::test]
async fn pages_that_go_round_are_an_error() {
    let first = FIRST.strip_prefix("GET ").unwrap();
    let script = Script::new([(FIRST, Reply::json(200, &json!({"value": [1], "nextLink": first})))]);
    assert!(matches!(list(&script).await, Err(ArmError::EndlessList { pages: 1, .. })));
    script.finished();
}

#[tokio::test]
async fn pages_without_end_are_an_error() {
    let links: Vec<String> = (1..=1000).map(|page| format!("GET {ARM}/x?p={page}")).collect();
    let lines = std::iter::once(FIRST).chain(links.iter().take(999).map(String::as_str));
    let pages = lines.zip(&links).map(|(line, next)| {
        (line, Reply::json(200, &json!({"value": [], "nextLink": next.strip_prefix("GET ").unwrap()})))
    });
    let script = Script::new(pages);
    assert!(matches!(list(&script).await, Err(ArmError::EndlessList { pages: 1000, .. })));
    script.finished();
}

#[tokio::test]
async fn a_missing_parent_and_a_denial_are_answers_but_half_a_list_is_an_error() {
    let gone = "The Resource 'Microsoft.Kubernetes/connectedClusters/cc' under resource group 'rg' was not found.";
    let gone_body = json!({"error": {"code": "ResourceNotFound", "message": gone}});
    let denied_body = json!({"error": {"code": "AuthorizationFailed", "message": "no"}});
    let script = Script::new([(FIRST, Reply::json(404, &gone_body))]);
    assert_eq!(list(&script).await.unwrap(), Listing::Missing(Missing::Parent(gone.into())));
    let script = Script::new([(FIRST, Reply::json(403, &denied_body))]);
    assert_eq!(list(&script).await.unwrap(), Listing::Denied("no".into()));

    let next = format!("{ARM}/x?p=2");
    let next_line = format!("GET {next}");
    let script = Script::new([
        (FIRST, Reply::json(200, &json!({"value": [1], "nextLink": next}))),
        (&next_line, Reply::json(403, &denied_body)),
    ]);
    assert!(matches!(list(&script).await, Err(ArmError::Status(_))));
}

#[tokio::test]
async fn what_is_not_a_page_is_an_error() {
    for (body, requests) in [
        ("[]", 1),
        ("{}", 1),
        (r#"{"value":{}}"#, 1),
        (r#"{"value":[],"nextLink":7}"#, 1),
        ("<html>", ATTEMPTS_UNANSWERED),
        ("", ATTEMPTS_UNANSWERED),
    ] {
        let script = Script::new((0..requests).map(|_| (FIRST, Reply::text(200, body))));
        assert!(matches!(list(&script).await, Err(ArmError::BadBody { .. })), "{body}");
        script.finished();
    }
}
