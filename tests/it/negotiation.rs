//! Which api-versions a cloud is spoken to in, by what its providers say.

use std::sync::Arc;

use arcflux::fetch::{Negotiated, NegotiationError, negotiate};
use arcflux::kinds::Kind;
use arcflux::spec::Desired;
use serde_json::{Value, json};

use crate::scripted::{ARM, Reply, Script, VirtualClock, client};
use crate::world;

const OTHER: &str = "00000000-0000-0000-0000-000000000002";

/// The metadata of a provider that offers these versions of every type in question.
fn offering(versions: &[&str]) -> Reply {
    let types = ["connectedClusters", "extensions", "fluxConfigurations"];
    let types: Vec<Value> = types.iter().map(|name| json!({"resourceType": name, "apiVersions": versions})).collect();
    Reply::json(200, &json!({"resourceTypes": types}))
}

fn refused(status: u16, code: &str) -> Reply {
    Reply::json(status, &json!({"error": {"code": code, "message": "No."}}))
}

/// What is negotiated when the providers are asked one after the other, and answer so.
async fn negotiated(
    desired: &Desired,
    answers: Vec<(&str, &str, &str, Reply)>,
) -> Result<Negotiated, NegotiationError> {
    let lines: Vec<(String, Reply)> = answers
        .into_iter()
        .map(|(subscription, provider, version, reply)| {
            let path = format!("/subscriptions/{subscription}/providers/{provider}?api-version={version}");
            (format!("GET {ARM}{path}"), reply)
        })
        .collect();
    let (lines, replies): (Vec<String>, Vec<Reply>) = lines.into_iter().unzip();
    let script: Arc<Script> = Script::new(lines.iter().map(String::as_str).zip(replies));
    let outcome = negotiate(&world::graph(desired), &client(&script, &VirtualClock::new())).await;
    script.finished();
    outcome
}

const CLUSTERS: &str = "Microsoft.Kubernetes";
const CONFIGURATION: &str = "Microsoft.KubernetesConfiguration";

#[tokio::test]
async fn what_may_not_be_read_is_asked_for_as_everywhere_else() {
    let desired = world::quickstart();
    let subscription = desired.clusters[0].subscription.as_str();
    let found = negotiated(
        &desired,
        vec![
            (subscription, CLUSTERS, "2024-03-01", refused(403, "AuthorizationFailed")),
            (subscription, CONFIGURATION, "2024-03-01", offering(&["2022-11-01", "2023-05-01"])),
        ],
    )
    .await
    .unwrap();
    assert_eq!(found.versions.pin(Kind::FluxConfiguration), Some("2023-05-01"));
    assert_eq!(found.versions.pin(Kind::Extension), Some("2023-05-01"));
    assert_eq!(found.versions.pin(Kind::ConnectedCluster), None);
    assert_eq!(found.unread.len(), 1);
    assert!(found.unread[0].as_str().ends_with("/providers/Microsoft.Kubernetes"));
}

#[tokio::test]
async fn an_arm_that_is_behind_is_asked_in_older_versions_until_it_understands() {
    let desired = world::quickstart();
    let subscription = desired.clusters[0].subscription.as_str();
    let old = || refused(400, "InvalidApiVersionParameter");
    let found = negotiated(
        &desired,
        vec![
            (subscription, CLUSTERS, "2024-03-01", old()),
            (subscription, CLUSTERS, "2022-09-01", old()),
            (subscription, CLUSTERS, "2021-04-01", offering(&["2021-10-01", "2021-03-01"])),
            (subscription, CONFIGURATION, "2021-04-01", offering(&["2022-03-01", "2021-09-01"])),
        ],
    )
    .await
    .unwrap();
    for kind in [Kind::ProviderRegistration, Kind::ResourceGroup] {
        assert_eq!(found.versions.pin(kind), Some("2021-04-01"));
    }
    assert_eq!(found.versions.pin(Kind::ConnectedCluster), Some("2021-10-01"));
    assert_eq!(found.versions.pin(Kind::FluxConfiguration), Some("2022-03-01"));
}

#[tokio::test]
async fn one_version_is_chosen_that_every_subscription_has() {
    let mut desired = world::quickstart();
    let mut second = desired.clusters[0].clone();
    second.subscription = OTHER.to_owned();
    desired.clusters.push(second);
    let first = desired.clusters[0].subscription.clone();
    let asked = |newer: &[&str]| {
        vec![
            (OTHER, CLUSTERS, "2024-03-01", offering(&["2024-01-01"])),
            (OTHER, CONFIGURATION, "2024-03-01", offering(newer)),
            (first.as_str(), CLUSTERS, "2024-03-01", offering(&["2024-01-01"])),
            (first.as_str(), CONFIGURATION, "2024-03-01", offering(&["2022-11-01", "2024-11-01"])),
        ]
    };
    let found = negotiated(&desired, asked(&["2022-11-01", "2025-04-01"])).await.unwrap();
    assert_eq!(found.versions.pin(Kind::FluxConfiguration), Some("2022-11-01"));
    let error = negotiated(&desired, asked(&["2025-04-01", "2025-03-01"])).await.unwrap_err();
    let told = error.to_string();
    assert!(told.contains("fluxConfigurations at none") && told.contains("extensions at none"), "{told}");
}
