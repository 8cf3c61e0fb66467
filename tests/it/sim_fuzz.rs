//! Any sequence of requests, sensible or not, is answered; nothing panics, and the clock only moves on.

use std::time::Duration;

use arcflux::sim::{Quirks, Settings, Simulator};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::sim_fixture::{CLUSTER, SUBSCRIPTION, request, settings};

/// Values of every type, and those that stand in real bodies.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z./:@-]{0,12}".prop_map(Value::from),
        Just(json!("GitRepository")),
        Just(json!("microsoft.flux")),
        Just(json!("westeurope")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![
            prop::sample::select(vec![
                "properties",
                "location",
                "tags",
                "identity",
                "extensionType",
                "scope",
                "sourceKind",
                "gitRepository",
                "url",
                "repositoryRef",
                "kustomizations",
                "dependsOn",
                "suspend",
                "configurationSettings",
                "configurationProtectedSettings",
            ])
            .prop_map(str::to_owned),
            "[a-z]{0,4}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A body that a flux configuration can be made of, with anything among its kustomizations.
fn configuration() -> impl Strategy<Value = Value> {
    (value(), value()).prop_map(|(one, other)| {
        json!({"properties": {
            "gitRepository": {"url": "https://github.com/o/r", "repositoryRef": one},
            "kustomizations": {"a": {"dependsOn": ["b", "a"]}, "b": other},
        }})
    })
}

fn target() -> impl Strategy<Value = String> {
    let children = "/providers/Microsoft.KubernetesConfiguration";
    let version = prop::sample::select(vec!["2025-04-01", "2025-03-01", "2022-03-01", "2024-03-01", "2026-05-01", ""]);
    let path = prop_oneof![
        Just(format!("{CLUSTER}{children}/fluxConfigurations/x")),
        Just(format!("{CLUSTER}{children}/fluxConfigurations")),
        Just(format!("{CLUSTER}{children}/extensions/flux")),
        Just(format!("{CLUSTER}{children}/sourceControlConfigurations/x")),
        Just(CLUSTER.to_owned()),
        Just(format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg1")),
        Just(format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KubernetesConfiguration/register")),
        prop::collection::vec("[a-zA-Z%.*]{0,10}", 0..8).prop_map(|parts| format!("/{}", parts.join("/"))),
    ];
    (path, version, any::<bool>()).prop_map(|(path, version, forced)| {
        let forced = if forced { "&forceDelete=true" } else { "" };
        format!("{path}?api-version={version}{forced}")
    })
}

#[test]
fn every_request_is_answered() {
    let method = prop::sample::select(vec!["GET", "PUT", "PATCH", "DELETE", "POST", "HEAD"]);
    let body = prop_oneof![value(), configuration()];
    let requests = prop::collection::vec((method, target(), body, 0_u64..400), 1..20);
    let variants = prop::sample::select(Quirks::all_variants());
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(requests, variants), |(requests, (_, quirks))| {
        let sim = Simulator::in_memory(Settings { quirks, ..settings() });
        for (method, target, body, seconds) in requests {
            let before = sim.now();
            let answer = sim.handle(request(method, &target, Some(&body)));
            assert!(answer.status().as_u16() != 500, "{method} {target}");
            if !answer.body().is_empty() {
                serde_json::from_slice::<Value>(answer.body()).expect("a JSON body");
            }
            sim.advance(Duration::from_secs(seconds));
            assert!(sim.now() > before);
        }
        sim.advance(Duration::MAX);
        Ok(())
    });
    outcome.expect("every request is answered");
}
