//! What real servers answered: every recorded error is understood, every recorded operation is followed to its end.

use arcflux::arm::{Accepted, ArmClient, ArmError};
use arcflux::http::retry::REFUSALS;
use arcflux::model::ResourceId;
use serde_json::{Value, json};

use crate::recorded;
use crate::scripted::{ARM, Reply, Script, VirtualClock, client};

#[tokio::test]
async fn every_recorded_error_body_is_understood() {
    let Some(catalogue) = recorded::file("arm-error-bodies-catalogue.json") else { return };
    let samples = catalogue["errors"].as_array().unwrap();
    assert!(samples.len() >= 60);
    for sample in samples {
        let text = sample["body"].as_str().map_or_else(|| sample["body"].to_string(), ToOwned::to_owned);
        let status = sample["status"].as_str().and_then(|status| status.split(' ').next()?.parse().ok());
        let (message, has_code) = match status {
            Some(status) => refused(status, &text).await,
            None => failed(&text).await,
        };
        assert!(!message.is_empty() && !message.starts_with('<'), "{text}: {message}");
        if let (Some(code), true) = (recorded_code(sample), serde_json::from_str::<Value>(&text).is_ok()) {
            assert!(has_code(code), "{code}: {text}");
            assert!(!message.starts_with('{'), "{text}: {message}");
        }
    }
}

type HasCode = Box<dyn Fn(&str) -> bool>;

/// The message of an error response, and whether it has a code.
async fn refused(status: u16, body: &str) -> (String, HasCode) {
    let put = format!("PUT {ARM}/subscriptions/s?api-version=1");
    let script = Script::new((0..REFUSALS).map(|_| (put.as_str(), Reply::text(status, body))));
    let outcome = client(&script, &VirtualClock::new()).put(&ResourceId::subscription("s"), "1", &Value::Null).await;
    let Err(ArmError::Status(refusal)) = outcome else { panic!("{body}: {outcome:?}") };
    assert_eq!(refusal.status, status);
    (refusal.message.clone(), Box::new(move |code| refusal.has_code(code)))
}

/// The same of a failed operation.
async fn failed(body: &str) -> (String, HasCode) {
    let (delete, poll) = (format!("DELETE {ARM}/subscriptions/s?api-version=1"), format!("GET {ARM}/op"));
    let started = Reply::empty(202).header("azure-asyncoperation", &format!("{ARM}/op"));
    let script = Script::new([(delete.as_str(), started), (poll.as_str(), Reply::text(200, body))]);
    let client = client(&script, &VirtualClock::new());
    let operation = client.delete(&ResourceId::subscription("s"), "1").await.unwrap().operation.unwrap();
    let outcome = client.wait(&operation, jiff::Timestamp::MAX, &mut |_| {}).await;
    let Err(ArmError::OperationFailed(failure)) = outcome else { panic!("{body}: {outcome:?}") };
    (failure.message.clone(), Box::new(move |code| failure.code.as_deref() == Some(code)))
}

/// The code as the catalogue knows it; its `?` and `None` stand for none.
fn recorded_code(sample: &Value) -> Option<&str> {
    sample["code"].as_str().filter(|code| !["?", "None"].contains(code))
}

#[tokio::test]
async fn every_recorded_operation_is_followed_to_its_end() {
    let mut followed = 0;
    for folder in ["azure-service-operator", "azure-powershell", "azure-cli-extensions"] {
        let Some(traffic) = recorded::traffic(folder) else { return };
        for (file, interactions) in traffic {
            for (index, write) in interactions.iter().enumerate() {
                if let Some(url) = header(write, "azure-asyncoperation")
                    && write["request"]["method"] != "GET"
                {
                    let polls = polls(&interactions[index + 1..], &url);
                    follow(write, &url, &polls).await.unwrap_or_else(|error| panic!("{file}: {error}"));
                    followed += usize::from(!polls.is_empty());
                }
            }
        }
    }
    assert!(followed >= 10, "{followed}");
}

/// Sends `write` again, and waits when the recording has the operation's end.
async fn follow(write: &Value, url: &str, polls: &[Value]) -> Result<(), ArmError> {
    let method = write["request"]["method"].as_str().unwrap();
    let request_url = write["request"]["url"].as_str().unwrap();
    let (line, poll) = (format!("{method} {request_url}"), format!("GET {url}"));
    let replies = polls.iter().map(|poll| Reply::json(200, &poll["response"]["body"]));
    let exchanges = std::iter::once((line.as_str(), reply(write))).chain(replies.map(|reply| (poll.as_str(), reply)));
    let script = Script::new(exchanges);
    let client = client(&script, &VirtualClock::new());

    let operation = send(&client, method, request_url).await?.operation.unwrap();
    if !polls.is_empty() {
        client.wait(&operation, jiff::Timestamp::MAX, &mut |_| {}).await?;
    }
    script.finished();
    Ok(())
}

async fn send(client: &ArmClient, method: &str, url: &str) -> Result<Accepted, ArmError> {
    let (id, api_version) = url.strip_prefix(ARM).unwrap().split_once("?api-version=").unwrap();
    let id: ResourceId = id.parse().unwrap();
    match method {
        "PUT" => client.put(&id, api_version, &json!({})).await,
        "PATCH" => client.patch(&id, api_version, &json!({})).await,
        "DELETE" => client.delete(&id, api_version).await,
        other => panic!("{other} {url}"),
    }
}

/// The polls of `url` up to the one that ends it; none when the recording stops before.
fn polls(later: &[Value], url: &str) -> Vec<Value> {
    let mut polls: Vec<Value> = later.iter().filter(|poll| poll["request"]["url"] == url).cloned().collect();
    let end = polls.iter().position(|poll| poll["response"]["body"]["status"] == "Succeeded");
    polls.truncate(end.map_or(0, |end| end + 1));
    polls
}

fn reply(interaction: &Value) -> Reply {
    let response = &interaction["response"];
    let status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap();
    let body = Some(&response["body"]).filter(|body| body.is_object());
    let reply = body.map_or_else(|| Reply::empty(status), |body| Reply::json(status, body));
    ["azure-asyncoperation", "location", "retry-after"].into_iter().fold(reply, |reply, name| {
        match header(interaction, name) {
            Some(value) => reply.header(name, &value),
            None => reply,
        }
    })
}

/// A recorded response header, whatever its casing; some recorders keep lists.
fn header(interaction: &Value, name: &str) -> Option<String> {
    let headers = interaction["response"]["headers"].as_object()?;
    let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    value.as_str().or_else(|| value[0].as_str()).map(ToOwned::to_owned)
}
