//! What ARM accepts and the rules of a spec do not: exported with its problems allowed, or left out by name.

use std::time::Duration;

use arcflux::kinds::flux_configuration;
use arcflux::plan::Export;
use arcflux::view::{self, Style};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::export::{empty, export, loaded, plans_nothing};
use crate::simulated::{World, desired};
use crate::snapshots;

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");

const CONFIGURATIONS: &str = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-edge/providers/\
                              Microsoft.Kubernetes/connectedClusters/store-001/providers/\
                              Microsoft.KubernetesConfiguration/fluxConfigurations";

/// Puts a configuration onto the cluster as somebody else's client does.
fn put(world: &World, name: &str, properties: &Value) {
    let target = format!("{CONFIGURATIONS}/{name}?api-version=2025-04-01");
    let (status, answer) = world.curl("PUT", &target, &json!({"properties": properties}));
    assert!(matches!(status, 200 | 201), "{name}: {status} {answer}");
}

fn git(url: &str, reference: Value) -> Value {
    json!({"sourceKind": "GitRepository", "gitRepository": {"url": url, "repositoryRef": reference}})
}

/// A configuration of this source with one kustomization.
fn with_app(mut properties: Value, kustomization: Value) -> Value {
    properties["kustomizations"] = json!({ "app": kustomization });
    properties
}

/// A cluster with Flux and these configurations.
async fn world(configurations: &[(&str, Value)]) -> World {
    let bare = bare();
    let world = World::of(&bare);
    world.converge(&bare).await;
    configurations.iter().for_each(|(name, properties)| put(&world, name, properties));
    world.sim.advance(Duration::from_secs(900));
    world
}

/// The quickstart without its configuration.
fn bare() -> String {
    QUICKSTART.split("repo:").next().unwrap().to_owned()
}

async fn exported(world: &World) -> Export {
    export(world, &empty(&desired(&bare()).clusters[0])).await
}

/// The codes that a live configuration has to allow; the reason where it is left out.
async fn outcome(properties: Value) -> Result<Vec<String>, String> {
    let world = world(&[("team", properties)]).await;
    let export = exported(&world).await;
    plans_nothing(&world, &export).await;
    match export.left_out.first() {
        Some(left_out) => {
            assert!(export.text.lines().any(|line| line.starts_with("# The configuration `team` ")), "{}", export.text);
            Err(left_out.why.clone())
        }
        None => Ok(loaded(&export).clusters[0].configurations["team"].allow.clone()),
    }
}

#[tokio::test]
async fn a_value_that_is_mostly_a_mistake_is_allowed_by_its_code() {
    let main = || json!({"branch": "main"});
    let url = "https://github.com/contoso/gitops";
    let app = || json!({"path": "./apps"});
    let two = |first: Value| {
        let mut properties = git(url, main());
        properties["kustomizations"] = json!({"app": first, "other": app()});
        properties
    };
    let bucket = |source: Value| json!({"sourceKind": "Bucket", "bucket": source, "kustomizations": {"app": app()}});
    let cases = [
        ("a path from the root", with_app(git(url, main()), json!({"path": "/apps"})), vec!["AF064"]),
        ("the short ssh form", with_app(git("git@github.com:contoso/gitops.git", main()), app()), vec!["AF044"]),
        ("two revisions", with_app(git(url, json!({"branch": "main", "tag": "v1"})), app()), vec!["AF041"]),
        ("a commit alone", with_app(git(url, json!({"commit": "a".repeat(40)})), app()), vec!["AF042"]),
        ("a short commit", with_app(git(url, json!({"branch": "main", "commit": "abc123"})), app()), vec!["AF015"]),
        ("no revision", with_app(git(url, Value::Null), app()), vec!["AF040"]),
        ("an order of nothing", two(json!({"path": "./apps", "dependsOn": ["gone"]})), vec!["AF061"]),
        ("an order of itself", two(json!({"path": "./apps", "dependsOn": ["app"]})), vec!["AF062"]),
        ("the whole repository", with_app(git(url, main()), json!({})), vec!["AF065"]),
        (
            "several",
            with_app(git("ssh://git@git.contoso.com/r", json!({})), json!({"path": "/x"})),
            vec!["AF040", "AF053", "AF064"],
        ),
        (
            "an open bucket",
            bucket(json!({"url": "https://minio.contoso.com", "bucketName": "b", "insecure": false})),
            vec!["AF057"],
        ),
        (
            "a bucket by default",
            bucket(json!({"url": "https://minio.contoso.com", "bucketName": "b", "accessKey": "a"})),
            vec!["AF057", "AF059"],
        ),
    ];
    for (name, properties, codes) in cases {
        let codes: Vec<String> = codes.into_iter().map(str::to_owned).collect();
        assert_eq!(outcome(properties).await, Ok(codes), "{name}");
    }
}

#[tokio::test]
async fn what_a_spec_cannot_say_is_left_out_with_the_reason() {
    let main = || json!({"branch": "main"});
    let url = "https://github.com/contoso/gitops";
    let app = || json!({"path": "./apps"});
    let cases = [
        (
            with_app(git(url, main()), json!({"path": "./a", "syncIntervalInSeconds": 0})),
            "kustomizations.app.syncIntervalInSeconds: it is not a whole number of seconds from 1 to 35791394",
        ),
        (git(url, main()), "`kustomizations` is empty: nothing would be applied (AF060)"),
        (
            with_app(git("https://me:word@github.com/contoso/gitops", main()), app()),
            "the URL holds credentials (AF045)",
        ),
        (
            with_app(git("HTTPS://github.com/contoso/gitops", main()), app()),
            "Flux may not read the server in this URL as it is meant (AF043)",
        ),
    ];
    for (properties, why) in cases {
        assert_eq!(outcome(properties).await, Err(why.to_owned()));
    }
}

#[tokio::test]
async fn the_report_and_the_spec_say_what_is_odd_and_nothing_in_them_is_hidden() {
    let hostile = json!({
        "path": "./apps", "postBuild": {"substitute": {"A": "\u{1b}[31m\u{202e}red", "B": "${cluster.name} $5", "TOKEN": "x"}},
    });
    let world = world(&[
        ("hostile", with_app(git("https://github.com/contoso/gitops", json!({"branch": "main"})), hostile)),
        ("left", with_app(git("https://me:word@github.com/contoso/gitops", json!({"branch": "main"})), json!({}))),
        (
            "private",
            with_app(
                json!({
                    "namespace": "retail", "scope": "namespace", "suspend": true,
                    "gitRepository": {
                        "url": "https://git.contoso.com/r", "repositoryRef": {"branch": "main"}, "httpsUser": "me",
                        "httpsCACert": "bm90IGEgY2VydGlmaWNhdGU=",
                    },
                    "configurationProtectedSettings": {"httpsKey": "c2VjcmV0"},
                }),
                json!({"path": "/apps", "prune": true, "timeoutInSeconds": 90}),
            ),
        ),
    ])
    .await;
    let export = exported(&world).await;
    plans_nothing(&world, &export).await;
    let report = view::export::render(&export, &Style::PLAIN);
    let all = format!("{}\n{report}", export.text);
    assert!(!all.chars().any(|c| c != '\n' && arcflux::model::is_hidden(c)), "{all:?}");
    assert!(!all.contains("word"), "{all}");
    snapshots::check("export-odd", &all);
}

/// Every part of a configuration that somebody may have put there, odd or not.
fn anything() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "app",
        "infra",
        "a.b",
        "a-name-of-sixty-three-characters-is-the-longest-that-there-can-be1",
    ]);
    let kustomizations = prop::collection::btree_map(name, kustomization(), 1..4);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let wait = prop::option::weighted(0.4, mostly(&["PT5M", "PT300S", "P1D"], &["PT0S", "soon"]));
    let namespace = prop::sample::select(vec!["flux-system", "default", "team", "Team.one"]);
    (source(), kustomizations, flags, wait, namespace).prop_map(
        |(mut properties, kustomizations, (suspend, waits, cluster), wait, namespace)| {
            properties["kustomizations"] = json!(kustomizations);
            properties["suspend"] = json!(suspend);
            properties["waitForReconciliation"] = json!(waits);
            properties["scope"] = json!(if cluster { "cluster" } else { "namespace" });
            properties["reconciliationWaitDuration"] = json!(wait);
            properties["namespace"] = json!(namespace);
            properties
        },
    )
}

/// One of the first nineteen times out of twenty.
fn mostly(these: &[&'static str], seldom: &[&'static str]) -> impl Strategy<Value = &'static str> + use<> {
    prop_oneof![19 => prop::sample::select(these.to_vec()), 1 => prop::sample::select(seldom.to_vec())]
}

fn text() -> impl Strategy<Value = String> {
    let odd = vec![
        "",
        " ",
        "v1",
        "main",
        "${cluster.name}",
        "$${A}",
        "${env:HOME}",
        "a\nb\n",
        "\u{202e}",
        "\u{1b}[1m",
        "yes",
        "1.0",
        "# x",
        "- x",
        "\"",
        "'",
        "\\",
        "${",
        "x: y",
        "ü",
    ];
    prop_oneof![prop::sample::select(odd).prop_map(str::to_owned), "(?s).{0,12}"]
}

fn seconds() -> impl Strategy<Value = Value> {
    prop_oneof![
        60 => prop::sample::select(vec![json!(1), json!(600), json!(90), json!(3600)]),
        1 => prop::sample::select(vec![json!(0), json!(40_000_000)]),
        30 => Just(Value::Null),
    ]
}

fn kustomization() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec![
        "./apps",
        "",
        "/apps",
        "../up",
        "a\\b",
        "~/x",
        "./clusters/other/x",
        "./a/${cluster.name}",
    ]);
    let needs = prop::collection::vec(prop::sample::select(vec!["app", "infra", "gone"]), 0..3);
    let substitute = prop::option::of(prop::collection::btree_map("[A-Z]{1,3}|[a-z.-]{1,4}", text(), 0..3));
    (path, needs, seconds(), seconds(), seconds(), (any::<bool>(), any::<bool>(), any::<bool>()), substitute).prop_map(
        |(path, needs, interval, timeout, retry, (prune, force, wait), substitute)| {
            json!({
                "path": path, "dependsOn": needs, "syncIntervalInSeconds": interval, "timeoutInSeconds": timeout,
                "retryIntervalInSeconds": retry, "prune": prune, "force": force, "wait": wait,
                "postBuild": {"substitute": substitute, "substituteFrom": [{"kind": "ConfigMap", "name": "x"}]},
            })
        },
    )
}

fn source() -> impl Strategy<Value = Value> {
    let word = || prop::option::weighted(0.3, text());
    let urls = mostly(
        &[
            "https://github.com/contoso/gitops",
            "git@github.com:contoso/gitops",
            "ssh://git@git.contoso.com/r",
            "http://git.contoso.com/r",
            "https://dev.azure.com/o/p/_git/r",
        ],
        &["https://a:b@host/r", "nothing", "https://host/r?x=1"],
    );
    let git = (
        urls,
        (word(), word(), word(), word()),
        (word(), word(), word(), word()),
        seconds(),
        prop::option::weighted(0.3, mostly(&["generic", "Generic"], &["Azure", "github"])),
    )
        .prop_map(
            |(url, (branch, tag, semver, commit), (user, reference, hosts, certificate), interval, provider)| {
                let encoded = |text: Option<String>| text.map(|text| base64(&text));
                json!({"sourceKind": "GitRepository", "gitRepository": {
                    "url": url, "repositoryRef": {"branch": branch, "tag": tag, "semver": semver, "commit": commit},
                    "httpsUser": user, "localAuthRef": reference, "sshKnownHosts": encoded(hosts),
                    "httpsCACert": encoded(certificate), "syncIntervalInSeconds": interval, "provider": provider,
                }})
            },
        );
    let servers = || mostly(&["https://s.contoso.com", "http://s.contoso.com"], &["oci://r.contoso.com/a", "x"]);
    let registries = mostly(&["oci://r.contoso.com/a"], &["oci://r.contoso.com/a:v1", "https://r.contoso.com"]);
    let bucket = (servers(), text(), prop::option::of(any::<bool>()), word(), word(), seconds()).prop_map(
        |(url, name, insecure, key, reference, timeout)| {
            json!({"sourceKind": "Bucket", "bucket": {
                "url": url, "bucketName": name, "insecure": insecure, "accessKey": key, "localAuthRef": reference,
                "timeoutInSeconds": timeout,
            }})
        },
    );
    let blob = (servers(), text(), any::<bool>(), any::<bool>(), word(), word()).prop_map(
        |(url, name, principal, identity, reference, id)| {
            let principal = principal
                .then(|| json!({"clientId": id.unwrap_or_default(), "tenantId": "contoso.com", "clientSecret": "s"}));
            let identity = identity.then(|| json!({"clientId": "0f6d2c1b-7a3e-4c58-9b1d-2e5f8a7c6d40"}));
            json!({"sourceKind": "AzureBlob", "azureBlob": {
                "url": url, "containerName": name, "servicePrincipal": principal, "managedIdentity": identity,
                "localAuthRef": reference,
            }})
        },
    );
    let oci = (registries, (word(), word(), word()), any::<bool>(), prop::option::of(word()), prop::option::of(word()), any::<bool>())
        .prop_map(|(url, (tag, semver, digest), insecure, media, issuer, certificates)| {
            let selector = media.map(|media| json!({"mediaType": media}));
            let verify = issuer.map(|issuer| json!({
                "provider": "cosign", "matchOidcIdentity": issuer.map(|issuer| json!([{"issuer": issuer, "subject": "s"}])),
            }));
            let tls = certificates.then(|| json!({"caCertificate": "YQ=="}));
            json!({"sourceKind": "OCIRepository", "ociRepository": {
                "url": url, "repositoryRef": {"tag": tag, "semver": semver, "digest": digest}, "insecure": insecure,
                "layerSelector": selector, "verify": verify, "tlsConfig": tls,
            }})
        });
    prop_oneof![3 => git, 1 => bucket, 1 => blob, 1 => oci]
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The text without the comments about what is left out.
fn without_comments(export: &Export) -> String {
    export.text.lines().filter(|line| !line.starts_with("# The ")).collect::<Vec<_>>().join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_live_is_exported_or_left_out_and_what_is_exported_plans_nothing(
        configurations in prop::collection::btree_map(
            prop::sample::select(vec!["flux-system", "team", "team.two"]), anything(), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let configurations: Vec<(&str, Value)> = configurations.into_iter().collect();
            let world = world(&configurations).await;
            let export = exported(&world).await;
            let wanted = loaded(&export).clusters.remove(0).configurations;
            let mut names: Vec<&str> = wanted.keys().map(String::as_str).collect();
            names.extend(export.left_out.iter().map(|left_out| left_out.name.as_str()));
            names.sort_unstable();
            assert_eq!(names, configurations.iter().map(|(name, _)| *name).collect::<Vec<_>>());
            plans_nothing(&world, &export).await;
            assert!(!export.text.chars().any(|c| c != '\n' && arcflux::model::is_hidden(c)), "{:?}", export.text);

            // What the spec says, put onto another cluster, is exported as the same text.
            let again: Vec<(&str, Value)> = wanted
                .iter()
                .map(|(name, spec)| (name.as_str(), flux_configuration::body(spec).json["properties"].take()))
                .collect();
            let second = exported(&crate::export_odd::world(&again).await).await;
            assert_eq!(without_comments(&second), without_comments(&export));
        });
    }
}
