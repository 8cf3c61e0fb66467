//! Arc's configuration data plane: what is asked, what is made of the answer, and where the token goes.

use std::error::Error as _;
use std::sync::Arc;

use arcflux::arm::Cloud;
use arcflux::arm::{ArmClient, CloudEndpoints, ConfigurationPlane, FixedToken, HelmSettings, PlaneError};
use arcflux::cluster::{AgentFacts, agent_values};
use arcflux::http::{Clock as _, Origin};
use arcflux::model::Secret;
use arcflux::sim::{ORIGIN, Simulator};
use serde_json::{Value, json};

use crate::recorded;
use crate::scripted::{Reply, Script, VirtualClock, client};
use crate::sim_fixture::{CLUSTER, Read, get, request, send, settings};

const ASKED: &str = "POST https://westeurope.dp.kubernetesconfiguration.azure.com/azure-arc-k8sagents/GetHelmSettings\
                     ?api-version=2024-07-01-preview&releaseTrain=stable";

fn public() -> CloudEndpoints {
    CloudEndpoints::known(Cloud::Public, Origin::parse(Cloud::Public.endpoint()).unwrap())
}

async fn ask(script: &Arc<Script>, cluster: &Value) -> Result<HelmSettings, PlaneError> {
    let origin = public().configuration_endpoint("West Europe").unwrap();
    ConfigurationPlane::new(&client(script, &VirtualClock::new()), origin).helm_settings(cluster).await
}

fn said(error: &PlaneError) -> String {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{cause}\nhint: {}", error.hint())
}

#[tokio::test]
async fn what_is_recorded_is_understood_and_asked_for_in_the_same_way() {
    let Some(traffic) = recorded::file("azure-cli-extensions/vme.test_vme_upgrade_live.2025-06-05.b4d79adf.json")
    else {
        return;
    };
    let interactions = traffic["interactions"].as_array().unwrap();
    let of = |verb: &str| {
        let is_it = |one: &&Value| one["request"]["url"].as_str().is_some_and(|url| url.contains(verb));
        interactions.iter().find(is_it).unwrap()
    };
    let exchange = of("/GetHelmSettings");
    let mut cluster = exchange["request"]["body"].clone();
    cluster["systemData"] = json!({"lastModifiedAt": "2025-06-05T02:00:40Z"});
    let script = Script::new([(ASKED, Reply::json(200, &exchange["response"]["body"]))]);
    let settings = ask(&script, &cluster).await.unwrap();
    assert_eq!(settings.chart, "oci://mcr.microsoft.com/azurearck8s/canary/stable/v2/azure-arc-k8sagents:1.26.0");
    assert_eq!(settings.values["systemDefaultValues.azureArcAgents.autoUpdate"], "True");
    let [sent] = script.finished().try_into().ok().unwrap();
    assert_eq!(sent.headers()["authorization"], "Bearer T0KEN");
    let body: Value = serde_json::from_slice(sent.body()).unwrap();
    assert_eq!(body, exchange["request"]["body"]);
    let recorded_url = exchange["request"]["url"].as_str().unwrap();
    assert!(recorded_url.ends_with(ASKED.split_once(".azure.com").unwrap().1), "{recorded_url}");

    // The simulator answers in the same shape.
    let sim = Simulator::in_memory(self::settings());
    let mut told = get(&sim, &format!("{CLUSTER}?api-version=2024-01-01")).body;
    told["id"] = CLUSTER.into();
    let path = ASKED.strip_prefix("POST https://westeurope.dp.kubernetesconfiguration.azure.com").unwrap();
    let answer = send(&sim, "POST", path, Some(&told));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<String>>();
    let recorded = &exchange["response"]["body"];
    assert_eq!(answer.status, 200);
    assert_eq!(keys(&answer.body), keys(recorded));
    assert_eq!(keys(&answer.body["helmValuesContent"]), keys(&recorded["helmValuesContent"]));
    for name in ["content-type", "api-supported-versions"] {
        assert_eq!(answer.header(name), exchange["response"]["headers"][name].as_str(), "{name}");
    }
    let health = sim.handle(request("POST", "/azure-arc-k8sagents/healthCheck?api-version=2024-07-01-preview", None));
    assert_eq!(health.body().as_ref(), of("/healthCheck")["response"]["body"].as_str().unwrap().as_bytes());
}

#[tokio::test]
async fn the_values_of_a_cluster_come_from_the_simulator() {
    let sim = Simulator::in_memory(settings());
    let clock = VirtualClock::new();
    let tokens = Arc::new(FixedToken::new(Secret::new("T0KEN".to_owned())));
    let origin = Origin::parse(ORIGIN).unwrap();
    let transport = Arc::new(sim.transport());
    let arm = ArmClient::new(transport, clock.clone(), tokens, origin.clone());
    let cluster = get(&sim, &format!("{CLUSTER}?api-version=2024-01-01")).body;
    let plane = ConfigurationPlane::new(&arm, origin);
    let settings = plane.helm_settings(&cluster).await.unwrap();
    assert_eq!(settings.chart, "oci://mcr.microsoft.com/azurearck8s/stable/v2/azure-arc-k8sagents:1.26.0");
    let facts = AgentFacts {
        subscription: "11111111-1111-1111-1111-111111111111",
        resource_group: "rg1",
        name: "arc1",
        location: "westeurope",
        tenant: "7a1c3e5f-0b2d-4c6e-8f90-a1b2c3d4e5f6",
        azure_environment: "AZUREPUBLICCLOUD",
        distribution: "k3s",
        infrastructure: "generic",
        proxy: None,
        private_link: false,
    };
    let values = agent_values(&facts, &settings.values, None);
    assert_eq!(values["global"]["resourceName"], "arc1");
    assert_eq!(values["systemDefaultValues"]["azureArcAgents"]["autoUpdate"], true);
    assert!(clock.now() > jiff::Timestamp::UNIX_EPOCH);
    // One that is not there.
    let mut stranger = cluster;
    stranger["id"] = CLUSTER.replace("arc1", "arc2").into();
    let error = said(&plane.helm_settings(&stranger).await.unwrap_err());
    assert!(error.contains("ResourceNotFound"), "{error}");
    let wrong = Read::of(sim.handle(request("GET", "/azure-arc-k8sagents/GetHelmSettings?api-version=1", None)));
    assert_eq!(wrong.status, 405);
}

#[tokio::test]
async fn what_does_not_answer_is_asked_again_and_told_with_the_way_around_it() {
    let script = Script::new([
        (ASKED, Reply::NoConnection),
        (ASKED, Reply::text(503, "busy")),
        (ASKED, Reply::Dropped),
        (ASKED, Reply::json(200, &json!({"repositoryPath": "mcr.microsoft.com/a/b:1.0.0"}))),
    ]);
    let settings = ask(&script, &json!({})).await.unwrap();
    assert_eq!((settings.chart.as_str(), settings.values.len()), ("oci://mcr.microsoft.com/a/v2/b:1.0.0", 0));
    script.finished();

    let mut texts = Vec::new();
    let denied = Reply::json(403, &json!({"error": {"code": "Forbidden", "message": "not from this network"}}));
    texts.push(said(&ask(&Script::new([(ASKED, denied)]), &json!({})).await.unwrap_err()));
    let never = Script::new((0..5).map(|_| (ASKED, Reply::NoConnection)));
    texts.push(said(&ask(&never, &json!({})).await.unwrap_err()));
    never.finished();
    for body in [
        json!({}),
        json!({"repositoryPath": "--post-renderer/a/b:1"}),
        json!({"repositoryPath": "mcr.microsoft.com/a/b:1", "helmValuesContent": []}),
        json!({"repositoryPath": "mcr.microsoft.com/a/b:1", "helmValuesContent": {"a.b": "redacted:feature:setting"}}),
    ] {
        texts.push(said(&ask(&Script::new([(ASKED, Reply::json(200, &body))]), &json!({})).await.unwrap_err()));
    }
    texts.push(said(&public().configuration_endpoint("evil.example/").unwrap_err()));
    crate::snapshots::check("configuration-plane", &texts.join("\n\n"));
}
