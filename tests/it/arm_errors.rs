//! Every error body that was recorded gives an error that people can read.

use std::path::Path;

use arcflux::arm::ArmError;
use arcflux::model::ResourceId;
use serde_json::Value;

use crate::scripted::{Reply, Script, VirtualClock, client};

const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/recordings/arm-error-bodies-catalogue.json");

#[tokio::test]
async fn every_recorded_error_body_is_understood() {
    let Some(catalogue) = recorded(CATALOGUE) else { return };
    let samples = catalogue["errors"].as_array().unwrap();
    assert!(samples.len() >= 60);
    for sample in samples {
        // Bodies of failed operations come with 200 and are the wait's business.
        let Some(status) = sample["status"].as_str().and_then(|status| status.split(' ').next()?.parse().ok()) else {
            continue;
        };
        let text = sample["body"].as_str().map_or_else(|| sample["body"].to_string(), ToOwned::to_owned);
        let put = "PUT https://management.azure.com/subscriptions/s/resourceGroups/rg?api-version=1";
        let script = Script::new((0..5).map(|_| (put, Reply::text(status, &text))));
        let group = ResourceId::subscription("s").resource_group("rg");
        let outcome = client(&script, &VirtualClock::new()).put(&group, "1", &Value::Null).await;
        let Err(ArmError::Status(refusal)) = outcome else { panic!("{text}: {outcome:?}") };

        assert_eq!(refusal.status, status);
        assert!(!refusal.message.is_empty(), "{text}");
        assert!(!refusal.message.starts_with('<'), "{text}");
        if let (Some(code), true) = (recorded_code(sample), serde_json::from_str::<Value>(&text).is_ok()) {
            assert!(refusal.has_code(&code), "{code}: {refusal:?}");
            assert!(!refusal.message.starts_with('{'), "{refusal:?}");
        }
    }
}

/// The code as the catalogue knows it; its `?` and `None` stand for none.
fn recorded_code(sample: &Value) -> Option<String> {
    sample["code"].as_str().filter(|code| !["?", "None"].contains(code)).map(ToOwned::to_owned)
}

/// A file of the reference material, which is not part of the repository.
#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn recorded(path: &str) -> Option<Value> {
    match std::fs::read(Path::new(path)) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(error) => {
            eprintln!("SKIPPED: {path}: {error}");
            None
        }
    }
}
