//! Flux configurations: what is filled in, how operations move, what Flux then reports.

use std::time::Duration;

use arcflux::sim::{Simulator, quirks};
use serde_json::{Value, json};

use crate::sim_fixture::{
    FLUX_VERSION, Read, condition, configuration, extension_target, flux_target, get, register, send, settings,
    with_flux,
};

const NAME: &str = "flux-system";

fn create(sim: &Simulator) -> Read {
    send(sim, "PUT", &flux_target(NAME), Some(&configuration()))
}

fn read(sim: &Simulator) -> Read {
    get(sim, &flux_target(NAME))
}

#[test]
fn a_create_becomes_compliant_by_clock_alone() {
    let sim = with_flux(settings());
    let created = create(&sim);
    assert_eq!(created.status, 201);
    assert_eq!(created.property("complianceState"), &Value::Null);
    assert_eq!(created.property("provisioningState"), "Creating");
    let operation = created.header("azure-asyncoperation").expect("an operation").to_owned();
    assert!(operation.len() > 3500, "the operation URL is signed: {} bytes", operation.len());
    assert!(operation.contains("/ConnectedClusters/arc1/"), "{operation}");
    assert_eq!(created.header("retry-after"), None);
    assert!(created.header("location").is_some_and(|url| url.starts_with("https://westeurope.rp.")));
    for _ in 0..50 {
        assert_eq!(get(&sim, &operation).text("/status"), "Creating");
    }
    sim.advance(Duration::from_secs(60));
    assert_eq!(get(&sim, &operation).text("/status"), "Succeeded");
    let provisioned = read(&sim);
    assert_eq!(provisioned.property("provisioningState"), "Succeeded");
    assert_eq!(provisioned.property("complianceState"), "Pending");
    sim.advance(Duration::from_secs(60));
    let reconciled = read(&sim);
    assert_eq!(reconciled.property("complianceState"), "Compliant");
    let revision = reconciled.property("sourceSyncedCommitId").as_str().expect("a revision").to_owned();
    assert!(revision.starts_with("main@sha1:") && revision.len() == "main@sha1:".len() + 40, "{revision}");
    for object in ["flux-system-infrastructure", "flux-system-app"] {
        let ready = condition(&reconciled, object, "Ready");
        assert_eq!(ready["status"], "True");
        assert_eq!(ready["message"], format!("Applied revision: {revision}"));
    }
}

#[test]
fn defaults_are_filled_in_and_what_is_unknown_is_dropped() {
    let sim = with_flux(settings());
    let mut body = configuration();
    body["properties"]["kustomizations"]["app"]["intervalInSeconds"] = json!(5);
    let read = send(&sim, "PUT", &flux_target(NAME), Some(&body));
    let app = &read.property("kustomizations")["app"];
    assert_eq!(app.get("intervalInSeconds"), None);
    assert_eq!(app["name"], "app");
    assert_eq!(app["wait"], true);
    assert_eq!(app["syncIntervalInSeconds"], 600);
    assert_eq!(app["retryIntervalInSeconds"], Value::Null);
    assert_eq!(read.property("gitRepository")["provider"], "generic");
    assert_eq!(read.property("bucket"), &Value::Null);
    assert_eq!(read.property("configurationProtectedSettings"), &json!({}));
}

#[test]
fn an_older_version_does_not_show_newer_members() {
    let sim = with_flux(settings());
    create(&sim);
    let old = get(&sim, &flux_target(NAME).replace(FLUX_VERSION, "2022-03-01"));
    let properties = old.body["properties"].as_object().expect("properties");
    for hidden in ["azureBlob", "ociRepository", "waitForReconciliation"] {
        assert!(!properties.contains_key(hidden), "{hidden}");
    }
    assert_eq!(properties["gitRepository"].get("provider"), None);
    assert_eq!(properties["kustomizations"]["app"].get("wait"), None);
}

#[test]
fn it_stays_creating_until_flux_is_installed() {
    let sim = Simulator::in_memory(settings());
    register(&sim, "Microsoft.KubernetesConfiguration");
    create(&sim);
    sim.advance(Duration::from_secs(3600));
    assert_eq!(read(&sim).property("provisioningState"), "Creating");
    let body = json!({"properties": {"extensionType": "Microsoft.Flux"}});
    send(&sim, "PUT", &extension_target("whatever"), Some(&body));
    sim.advance(Duration::from_secs(95 + 60 + 1));
    assert_eq!(read(&sim).property("provisioningState"), "Succeeded");
}

#[test]
fn the_service_may_install_flux_itself() {
    let mut settings = settings();
    settings.quirks.without_extension = quirks::WithoutExtension::Installs;
    let sim = Simulator::in_memory(settings);
    register(&sim, "Microsoft.KubernetesConfiguration");
    create(&sim);
    sim.advance(Duration::from_secs(95 + 60 + 1));
    assert_eq!(read(&sim).property("provisioningState"), "Succeeded");
    assert_eq!(get(&sim, &extension_target("flux")).property("provisioningState"), "Succeeded");
}

#[test]
fn a_put_shows_the_old_reports_until_flux_has_taken_it_up() {
    let sim = with_flux(settings());
    create(&sim);
    sim.advance(Duration::from_secs(200));
    let before = read(&sim);
    let mut body = configuration();
    body["properties"]["kustomizations"]["app"]["path"] = json!("./other");
    let written = send(&sim, "PUT", &flux_target(NAME), Some(&body));
    assert_eq!(written.status, 200);
    assert!(written.header("azure-asyncoperation").is_some());
    assert_eq!(written.property("provisioningState"), "Updating");
    assert_eq!(written.property("statusUpdatedAt"), before.property("statusUpdatedAt"));
    assert_eq!(written.property("complianceState"), "Compliant");
    sim.advance(Duration::from_secs(61));
    assert_eq!(read(&sim).property("complianceState"), "Pending");
    sim.advance(Duration::from_secs(120));
    let after = read(&sim);
    assert_eq!(after.property("complianceState"), "Compliant");
    assert!(after.property("statusUpdatedAt").as_str() > before.property("statusUpdatedAt").as_str());
}

#[test]
fn reports_come_with_every_sync_interval() {
    let sim = with_flux(settings());
    create(&sim);
    sim.advance(Duration::from_secs(200));
    let first = read(&sim);
    sim.advance(Duration::from_secs(3600));
    let later = read(&sim);
    assert!(later.property("statusUpdatedAt").as_str() > first.property("statusUpdatedAt").as_str());
    assert_eq!(
        condition(&later, "flux-system-app", "Ready")["lastTransitionTime"],
        condition(&first, "flux-system-app", "Ready")["lastTransitionTime"],
    );
}

#[test]
fn a_put_that_omits_a_secret_loses_it_and_a_patch_keeps_it() {
    let sim = with_flux(settings());
    let mut body = configuration();
    body["properties"]["gitRepository"]["httpsUser"] = json!("git");
    let mut with_key = body.clone();
    with_key["properties"]["configurationProtectedSettings"] = json!({"httpsKey": "aHVudGVyMg=="});
    let created = send(&sim, "PUT", &flux_target(NAME), Some(&with_key));
    assert_eq!(created.property("configurationProtectedSettings"), &json!({}));
    sim.advance(Duration::from_secs(200));
    assert_eq!(read(&sim).property("complianceState"), "Compliant");
    let patch = json!({"properties": {"kustomizations": {"app": {"path": "./other"}}}});
    assert_eq!(send(&sim, "PATCH", &flux_target(NAME), Some(&patch)).status, 202);
    sim.advance(Duration::from_secs(200));
    assert_eq!(read(&sim).property("complianceState"), "Compliant");
    send(&sim, "PUT", &flux_target(NAME), Some(&body));
    sim.advance(Duration::from_secs(200));
    let lost = read(&sim);
    assert_eq!(lost.property("complianceState"), "Non-Compliant");
    assert!(condition(&lost, NAME, "Ready")["message"].to_string().contains("authentication required"));
}

#[test]
fn a_patch_merges_and_null_removes() {
    let sim = with_flux(settings());
    create(&sim);
    sim.advance(Duration::from_secs(200));
    let patch = json!({"properties": {"gitRepository": {}, "kustomizations": {"app": null}}});
    let patched = send(&sim, "PATCH", &flux_target(NAME), Some(&patch));
    assert_eq!(patched.status, 202);
    assert_eq!(patched.property("kustomizations")["app"], Value::Null);
    assert_eq!(patched.property("kustomizations")["infrastructure"]["path"], "./infra");
}

#[test]
fn a_patch_that_changes_nothing_starts_nothing() {
    let sim = with_flux(settings());
    create(&sim);
    sim.advance(Duration::from_secs(200));
    let before = read(&sim);
    let patch = json!({"properties": {"suspend": false, "kustomizations": {"app": {"path": "./app"}}}});
    let patched = send(&sim, "PATCH", &flux_target(NAME), Some(&patch));
    assert_eq!(patched.status, 200);
    assert_eq!(patched.header("azure-asyncoperation"), None);
    assert_eq!(patched.at("/systemData/lastModifiedAt"), before.at("/systemData/lastModifiedAt"));
}

#[test]
fn a_source_kind_without_its_source_is_refused() {
    let sim = with_flux(settings());
    let mut body = configuration();
    body["properties"]["sourceKind"] = json!("Bucket");
    let refused = send(&sim, "PUT", &flux_target(NAME), Some(&body));
    assert_eq!((refused.status, refused.text("/error/code")), (400, "ValidationFailed"));
}

#[test]
fn a_wrong_type_is_refused_by_path() {
    let sim = with_flux(settings());
    let mut body = configuration();
    body["properties"]["kustomizations"]["app"]["prune"] = json!("true");
    let refused = send(&sim, "PUT", &flux_target(NAME), Some(&body));
    assert_eq!(refused.status, 400);
    assert!(refused.text("/error/message").contains("properties.kustomizations.app.prune"));
}

#[test]
fn a_delete_takes_its_time_and_its_operation_outlives_it() {
    let sim = with_flux(settings());
    create(&sim);
    sim.advance(Duration::from_secs(200));
    let deleted = send(&sim, "DELETE", &flux_target(NAME), None);
    assert_eq!((deleted.status, &deleted.body), (202, &Value::Null));
    let operation = deleted.header("azure-asyncoperation").expect("an operation").to_owned();
    assert_eq!(get(&sim, &operation).text("/status"), "Deleting");
    assert_eq!(read(&sim).property("provisioningState"), "Deleting");
    sim.advance(Duration::from_secs(71));
    assert_eq!(get(&sim, &operation).text("/status"), "Succeeded");
    let gone = read(&sim);
    assert_eq!(gone.text("/error/message"), "The fluxConfiguration was not found. Name: 'flux-system'.");
    assert_eq!(gone.header("x-ms-failure-cause"), None);
    assert_eq!(send(&sim, "DELETE", &flux_target(NAME), None).status, 204);
}

#[test]
fn a_forced_delete_is_done_at_once() {
    let sim = with_flux(settings());
    create(&sim);
    let forced = send(&sim, "DELETE", &format!("{}&forceDelete=true", flux_target(NAME)), None);
    assert_eq!((forced.status, forced.at("/reasonPhrase")), (200, &json!("OK")));
    assert_eq!(read(&sim).status, 404);
}

#[test]
fn lists_hide_conditions_and_page() {
    let mut settings = settings();
    settings.page_size = 2;
    let sim = with_flux(settings);
    for name in ["a", "b", "c"] {
        send(&sim, "PUT", &flux_target(name), Some(&configuration()));
    }
    sim.advance(Duration::from_secs(200));
    let list = flux_target("").replace("/?", "?");
    let first = get(&sim, &list);
    assert_eq!(first.at("/value").as_array().map(Vec::len), Some(2));
    assert_eq!(first.at("/value/0/properties/statuses/0/statusConditions"), &Value::Null);
    let second = get(&sim, first.text("/nextLink"));
    assert_eq!(second.text("/value/0/name"), "c");
    assert_eq!(second.at("/nextLink"), &Value::Null);
}

#[test]
fn the_callers_casing_is_echoed() {
    let sim = with_flux(settings());
    create(&sim);
    let shouted = flux_target(NAME).replace("connectedClusters", "ConnectedClusters").replace("rg1", "RG1");
    let read = get(&sim, &shouted);
    assert_eq!(read.status, 200);
    assert_eq!(read.text("/id"), shouted.split('?').next().unwrap_or_default());
}

#[test]
fn a_suspended_configuration_is_reported_as_such() {
    let sim = with_flux(settings());
    let mut body = configuration();
    body["properties"]["suspend"] = json!(true);
    send(&sim, "PUT", &flux_target(NAME), Some(&body));
    sim.advance(Duration::from_secs(61));
    assert_eq!(read(&sim).property("complianceState"), "Suspended");
}

#[test]
fn an_operation_can_wait_for_reconciliation() {
    let sim = with_flux(settings());
    let mut body = configuration();
    body["properties"]["waitForReconciliation"] = json!(true);
    let created = send(&sim, "PUT", &flux_target(NAME), Some(&body));
    let operation = created.header("azure-asyncoperation").expect("an operation").to_owned();
    sim.advance(Duration::from_secs(61));
    assert_eq!(get(&sim, &operation).text("/status"), "Creating");
    sim.advance(Duration::from_secs(60));
    assert_eq!(get(&sim, &operation).text("/status"), "Succeeded");
    assert_eq!(read(&sim).property("complianceState"), "Compliant");
}
