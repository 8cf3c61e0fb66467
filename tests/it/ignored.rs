//! `ignore`: exactly these fields are left as they are found, and they are told.

use arcflux::kinds::flux_configuration::BucketSpec;
use arcflux::model::{Seconds, SecretRef};
use arcflux::plan::{Options, SecretGrant, SecretPolicy, Step, Until};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::edits::EDITS;
use crate::simulated::{World, fields};
use crate::world;

fn ignoring(patterns: &[&str]) -> arcflux::spec::Desired {
    let mut desired = world::quickstart();
    world::configuration(&mut desired).ignore = patterns.iter().map(|text| text.parse().unwrap()).collect();
    desired
}

fn put(plan: &arcflux::plan::Plan) -> &Value {
    let steps = plan.resource_changes.iter().flat_map(|change| &change.steps);
    steps
        .filter_map(|step| match step {
            Step::Put { body, .. } => Some(body),
            _ => None,
        })
        .next()
        .unwrap()
}

#[test]
fn a_field_switched_by_hand_shows_unless_it_is_ignored_and_then_it_is_told() {
    let plain = world::quickstart();
    let mut live = world::converged(&plain);
    world::edit_configuration(&plain, &mut live, |body| {
        body["properties"]["kustomizations"]["app"]["prune"] = json!(false);
    });
    assert_eq!(fields(&world::plan(&plain, &live, &world::options())), ["kustomizations.app.prune"]);

    for pattern in ["kustomizations.app.prune", "kustomizations.*.prune"] {
        let plan = world::plan(&ignoring(&[pattern]), &live, &world::options());
        assert!(!plan.has_changes());
        let note = plan.notes.iter().find(|note| note.code == "ignored_fields").unwrap();
        assert_eq!(note.message, "1 field differs, and the spec says to ignore it: kustomizations.app.prune");
        let ignored: Vec<_> = plan.resource_changes.iter().flat_map(|change| &change.ignored).collect();
        assert_eq!(ignored.len(), 1);
        assert_eq!((ignored[0].before.clone(), ignored[0].after.clone()), (Some(json!(false)), Some(json!(true))));
    }
    let plan = world::plan(&ignoring(&["kustomizations.infrastructure.prune"]), &live, &world::options());
    assert_eq!(fields(&plan), ["kustomizations.app.prune"]);
}

#[test]
fn ignored_and_unknown_values_survive_a_put() {
    let mut desired = ignoring(&["kustomizations.*.prune", "kustomizations.by-hand", "gitRepository.localAuthRef"]);
    let mut live = world::converged(&desired);
    world::edit_configuration(&desired, &mut live, |body| {
        let properties = &mut body["properties"];
        properties["kustomizations"]["app"]["prune"] = json!(false);
        properties["kustomizations"]["by-hand"] = json!({"path": "./x", "wait": true});
        properties["kustomizations"]["app"]["newField"] = json!({"deep": [1]});
        properties["tomorrow"] = json!("set");
    });
    world::kustomization(&mut desired, "app").path = "./elsewhere".to_owned();
    world::source(&mut desired).local_auth_ref = Some("from-spec".to_owned());
    let plan = world::plan(&desired, &live, &world::options());
    assert_eq!(plan.refusals, []);
    assert_eq!(fields(&plan), ["kustomizations.app.path"]);
    let body = put(&plan);
    assert_eq!(body["properties"]["kustomizations"]["app"]["prune"], json!(false));
    assert_eq!(body["properties"]["kustomizations"]["app"]["newField"], json!({"deep": [1]}));
    assert_eq!(body["properties"]["kustomizations"]["by-hand"]["path"], "./x");
    assert_eq!(body["properties"]["tomorrow"], "set");
    assert_eq!(body["properties"]["gitRepository"].get("localAuthRef"), None, "it is not live");
    let note = plan.notes.iter().find(|note| note.code == "ignored_fields").unwrap();
    assert!(note.message.starts_with("3 fields differ, and the spec says to ignore them: "), "{}", note.message);
    let unknown = plan.notes.iter().filter(|note| note.code == "unknown_field").count();
    assert_eq!(unknown, 2, "each once");
}

#[test]
fn a_kept_kustomization_that_needs_a_removed_one_is_refused() {
    let mut desired = ignoring(&["kustomizations.app.dependsOn"]);
    let live = world::converged(&desired);
    world::configuration(&mut desired).kustomizations.remove("infrastructure");
    world::kustomization(&mut desired, "app").depends_on.clear();
    let plan = world::plan(&desired, &live, &world::options());
    let refusal = plan.refusals.iter().find(|refusal| refusal.code == "kustomization_needed").unwrap();
    assert_eq!(refusal.message, "app depends on infrastructure, which would be removed");
}

#[test]
fn an_ignored_url_leads_no_credential_elsewhere() {
    let mut desired = ignoring(&["gitRepository.url"]);
    world::source(&mut desired).local_auth_ref = Some("in-cluster".to_owned());
    let live = world::converged(&desired);
    world::source(&mut desired).url = "https://elsewhere.example.com/repo".to_owned();
    let plan = world::plan(&desired, &live, &world::options());
    assert!(plan.refusals.is_empty() && !plan.has_changes());
}

/// The live configuration as a hand left its source.
fn with_live_source(desired: &arcflux::spec::Desired, source: &Value) -> arcflux::model::LiveState {
    let mut live = world::converged(desired);
    world::edit_configuration(desired, &mut live, |body| {
        json_patch::merge(&mut body["properties"]["gitRepository"], source);
    });
    live
}

#[test]
fn a_secret_is_sent_only_where_it_may_go_though_the_url_is_ignored() {
    let mut desired = ignoring(&["gitRepository.url"]);
    let source = world::source(&mut desired);
    source.https_user = Some("bot".to_owned());
    source.https_key = Some(SecretRef::Env("GIT_TOKEN".to_owned()));
    let live = with_live_source(&desired, &json!({"url": "https://somebody:hunter22@elsewhere.example.com/r"}));
    world::kustomization(&mut desired, "app").path = "./elsewhere".to_owned();
    let to = |destination: &str| {
        let grant = SecretGrant { secret: SecretRef::Env("GIT_TOKEN".to_owned()), destination: destination.to_owned() };
        let options = Options { secrets: SecretPolicy::Granted(vec![grant]), ..world::options() };
        world::plan(&desired, &live, &options)
    };
    let plan = to("https://github.com");
    assert_eq!(plan.refusals.len(), 1, "the secret would be sent to the server that is live");
    assert_eq!(plan.refusals[0].code, "secret_not_allowed");
    assert!(plan.refusals[0].hint.ends_with("@https://elsewhere.example.com`"), "{}", plan.refusals[0].hint);
    let plan = to("https://elsewhere.example.com");
    assert_eq!(plan.refusals, []);
    assert!(!serde_json::to_string(&plan).unwrap().contains("hunter22"));
}

#[test]
fn credentials_that_are_left_as_they_are_live_are_led_nowhere_else() {
    for (field, credential) in [
        ("gitRepository.localAuthRef", json!({"localAuthRef": "by-hand"})),
        ("gitRepository.provider", json!({"provider": "azure"})),
        ("gitRepository.httpsUser", json!({"httpsUser": "bot"})),
    ] {
        let mut desired = ignoring(&[field]);
        let live = with_live_source(&desired, &credential);
        world::source(&mut desired).url = "https://elsewhere.example.com/r".to_owned();
        let plan = world::plan(&desired, &live, &world::options());
        assert_eq!(fields(&plan), ["gitRepository.url"]);
        let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
        assert_eq!(codes, ["credentials_aimed_elsewhere"], "{field}");
    }
}

#[test]
fn a_stored_secret_that_goes_with_an_ignored_field_is_not_lost() {
    for (field, source) in [
        ("gitRepository.httpsUser", json!({"httpsUser": "bot"})),
        ("gitRepository.url", json!({"url": "ssh://git@git.contoso.com/r"})),
    ] {
        let mut desired = ignoring(&[field]);
        let live = with_live_source(&desired, &source);
        world::kustomization(&mut desired, "app").path = "./elsewhere".to_owned();
        let plan = world::plan(&desired, &live, &world::options());
        assert_eq!(plan.refusals, []);
        let steps: Vec<&Step> = plan.resource_changes.iter().flat_map(|change| &change.steps).collect();
        assert!(!steps.iter().any(|step| matches!(step, Step::Put { .. })), "{field}: a PUT would lose it");
        assert!(steps.iter().any(|step| matches!(step, Step::Patch { .. })), "{field}");
    }
}

#[test]
fn nothing_is_ignored_of_a_source_that_goes() {
    let mut desired = ignoring(&["gitRepository.url", "gitRepository.localAuthRef"]);
    let live = with_live_source(&desired, &json!({"localAuthRef": "by-hand"}));
    let spec = world::configuration(&mut desired);
    spec.git_repository = None;
    spec.bucket = Some(BucketSpec {
        url: "https://s3.contoso.com".to_owned(),
        bucket_name: "b".to_owned(),
        insecure: false,
        interval: Seconds::ten_minutes(),
        timeout: Seconds::ten_minutes(),
        access_key: None,
        bucket_secret_key: None,
        local_auth_ref: None,
    });
    let plan = world::plan(&desired, &live, &world::options());
    assert_eq!(put(&plan)["properties"].get("gitRepository"), None, "a body of two minds");
}

/// By PUT and by PATCH: what is left is left, and the next plan is empty.
#[tokio::test]
async fn what_is_ignored_outlives_an_apply() {
    let spec = |secret: &str, ignore: &str, path: &str| {
        format!(
            "apiVersion: arcflux/v1\nsubscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20\nresourceGroup: rg-edge\n\
             cluster: {{name: store-001}}\nextension: {{multiTenancy: false}}\nconfigurations:\n  flux-system:\n    \
             scope: cluster\n    namespace: flux-system\n    ignore: {ignore}\n    gitRepository:\n      \
             url: https://git.contoso.com/r\n      branch: main\n{secret}    kustomizations:\n      \
             app: {{path: {path}, prune: true, dependsOn: [base]}}\n      base: {{path: ./base, prune: true}}\n"
        )
    };
    let with = "      httpsUser: bot\n      httpsKey: {env: GIT_TOKEN}\n";
    let url = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-edge/providers/Microsoft.Kubernetes\
               /connectedClusters/store-001/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/flux-system\
               ?api-version=2025-04-01";
    for (before, after, ignore) in [
        (with, with, "[kustomizations.*.prune, kustomizations.by-hand, suspend]"),
        (with, "", "[kustomizations.*.prune, \"kustomizations.*\", suspend, gitRepository.httpsUser]"),
        ("", "", "[kustomizations.*.dependsOn, kustomizations.by-hand, kustomizations.*.prune, suspend]"),
    ] {
        let first = spec(before, "[]", "./app");
        let world = World::of(&first);
        world.converge(&first).await;
        let (_, live) = world.curl("GET", url, &Value::Null);
        let edit = json!({"properties": {
            "sourceKind": "GitRepository", "gitRepository": live["properties"]["gitRepository"], "suspend": true,
            "kustomizations": {"app": {"prune": false, "dependsOn": []}, "by-hand": {"path": "./x", "prune": true}},
        }});
        let (status, answer) = world.curl("PATCH", url, &edit);
        assert!(status < 300, "{answer}");
        world.sim.advance(std::time::Duration::from_secs(3600));
        let second = spec(after, ignore, "./other");
        let plan = world.converge(&second).await;
        let (_, live) = world.curl("GET", url, &Value::Null);
        let properties = &live["properties"];
        let told: Vec<String> = plan
            .resource_changes
            .iter()
            .flat_map(|change| &change.ignored)
            .map(|field| field.path.to_string())
            .collect();
        assert!(told.len() >= 3, "{told:?}");
        assert_eq!(properties["kustomizations"]["app"]["path"], "./other");
        assert_eq!(properties["kustomizations"]["app"]["prune"], false, "{told:?}");
        assert_eq!(properties["kustomizations"]["by-hand"]["path"], "./x", "{told:?}");
        assert_eq!(properties["suspend"], true, "{told:?}");
        if !before.is_empty() {
            assert_eq!(properties["gitRepository"]["httpsUser"], "bot");
        }
    }
}

#[test]
fn an_apply_waits_for_the_commit_that_is_left_as_it_is_live() {
    let mut desired = ignoring(&["gitRepository.repositoryRef.commit"]);
    world::source(&mut desired).commit = Some(world::COMMIT.to_owned());
    let live = world::converged(&desired);
    world::source(&mut desired).commit = Some("0".repeat(40));
    assert!(!world::plan(&desired, &live, &world::options()).waits(), "it is at the commit that is live");
    world::kustomization(&mut desired, "app").path = "./elsewhere".to_owned();
    let plan = world::plan(&desired, &live, &world::options());
    let mut steps = plan.resource_changes.iter().flat_map(|change| &change.steps);
    let commit = steps.find_map(|step| match step {
        Step::Wait { until: Until::Compliant(expectation), .. } => expectation.commit.clone(),
        _ => None,
    });
    assert_eq!(commit.as_deref(), Some(world::COMMIT));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of two changed fields the ignored one is told and the other planned, whichever they are.
    #[test]
    fn exactly_the_ignored_field_is_ignored(
        first in prop::sample::select((0..EDITS.len()).collect::<Vec<_>>()),
        second in prop::sample::select((0..EDITS.len()).collect::<Vec<_>>()),
    ) {
        let mut desired = world::quickstart();
        let live = world::converged(&desired);
        let spec = world::configuration(&mut desired);
        let ignored = EDITS[first].make(spec);
        let changed = EDITS[second].make(spec);
        let overlaps = |one: &str, other: &str| one == other || one.starts_with(&format!("{other}.")) || other.starts_with(&format!("{one}."));
        prop_assume!(!overlaps(&ignored, &changed));
        let Ok(pattern) = ignored.parse() else { return Ok(()) };
        prop_assume!(arcflux::kinds::flux_configuration::ignorable(&pattern).is_ok());
        spec.ignore = vec![pattern];
        let plan = world::plan(&desired, &live, &world::options());
        prop_assert_eq!(fields(&plan), [changed]);
        let told: Vec<String> = plan.resource_changes.iter().flat_map(|change| &change.ignored)
            .map(|field| field.path.to_string().trim_start_matches("properties.").to_owned()).collect();
        prop_assert_eq!(told, [ignored]);
    }
}
