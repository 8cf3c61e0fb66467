//! Extensions: what is filled in, how settings change, what is refused.

use std::time::Duration;

use arcflux::sim::{Quirks, Settings, Simulator, quirks};
use serde_json::{Value, json};

use crate::sim_fixture::{extension_target, get, register, send, settings, with_flux};

fn read(sim: &Simulator) -> Value {
    get(sim, &extension_target("flux")).body
}

fn patched(sim: &Simulator, settings: &Value) -> u16 {
    let body = json!({"properties": {"configurationSettings": settings, "configurationProtectedSettings": {}}});
    let status = send(sim, "PATCH", &extension_target("flux"), Some(&body)).status;
    sim.advance(Duration::from_secs(60));
    status
}

#[test]
fn defaults_are_filled_in() {
    let sim = with_flux(settings());
    let properties = &read(&sim)["properties"];
    assert_eq!(properties["releaseTrain"], "Stable");
    assert_eq!(properties["autoUpgradeMinorVersion"], true);
    assert_eq!(properties["scope"], json!({"cluster": {"releaseNamespace": "flux-system"}}));
    assert_eq!(properties["version"], Value::Null);
    assert!(properties["currentVersion"].is_string());
    assert_eq!(properties["provisioningState"], "Succeeded");
}

#[test]
fn protected_settings_keep_their_keys_alone() {
    let sim = with_flux(settings());
    let body = json!({"properties": {"configurationProtectedSettings": {"password": "hunter2"}}});
    assert_eq!(send(&sim, "PATCH", &extension_target("flux"), Some(&body)).status, 202);
    sim.advance(Duration::from_secs(60));
    assert_eq!(read(&sim)["properties"]["configurationProtectedSettings"], json!({"password": ""}));
    assert_eq!(send(&sim, "PATCH", &extension_target("flux"), Some(&body)).status, 202, "values cannot be compared");
}

#[test]
fn a_patch_merges_settings() {
    let sim = with_flux(settings());
    assert_eq!(patched(&sim, &json!({"a": "1"})), 202);
    assert_eq!(patched(&sim, &json!({"b": "2"})), 202);
    assert_eq!(read(&sim)["properties"]["configurationSettings"], json!({"a": "1", "b": "2"}));
    assert_eq!(patched(&sim, &json!({"a": "1"})), 200, "nothing changes");
}

#[test]
fn or_it_replaces_them() {
    let quirks = Quirks { extension_settings_patch: quirks::ExtensionSettingsPatch::Replaces, ..Quirks::default() };
    let sim = with_flux(Settings { quirks, ..settings() });
    patched(&sim, &json!({"a": "1"}));
    patched(&sim, &json!({"b": "2"}));
    assert_eq!(read(&sim)["properties"]["configurationSettings"], json!({"b": "2"}));
    assert_eq!(patched(&sim, &json!({})), 200);
}

#[test]
fn a_patch_waits_for_the_running_operation() {
    let sim = with_flux(settings());
    let body = json!({"properties": {"configurationSettings": {"a": "1"}}});
    let first = send(&sim, "PATCH", &extension_target("flux"), Some(&body));
    assert_eq!(first.property("provisioningState"), "Updating");
    let second = send(&sim, "PATCH", &extension_target("flux"), Some(&body));
    assert_eq!((second.status, second.text("/error/code")), (409, "ExtensionPatchFailed"));
    assert!(second.text("/error/message").contains("(ProvisioningState of extension: Updating)"));
}

#[test]
fn the_type_does_not_change() {
    let sim = with_flux(settings());
    let other = json!({"properties": {"extensionType": "microsoft.dapr"}});
    let refused = send(&sim, "PUT", &extension_target("flux"), Some(&other));
    assert_eq!((refused.status, refused.text("/error/code")), (400, "PropertyChangeNotAllowed"));
    let same = json!({"properties": {"extensionType": "Microsoft.Flux"}});
    assert_eq!(send(&sim, "PUT", &extension_target("flux"), Some(&same)).status, 200);
}

#[test]
fn a_namespaced_flux_is_refused() {
    let sim = Simulator::in_memory(settings());
    register(&sim, "Microsoft.KubernetesConfiguration");
    let body = json!({"properties": {
        "extensionType": "microsoft.flux",
        "scope": {"namespace": {"targetNamespace": "a"}},
    }});
    assert_eq!(send(&sim, "PUT", &extension_target("flux"), Some(&body)).status, 400);
}

#[test]
fn an_older_version_writes_the_installed_version_into_version() {
    let sim = with_flux(settings());
    let old = get(&sim, &extension_target("flux").replace("2025-03-01", "2022-03-01"));
    let properties = old.body["properties"].as_object().expect("properties");
    assert!(properties["version"].is_string());
    assert_eq!(properties["installState"], "Installed");
    for hidden in ["currentVersion", "isSystemExtension", "autoUpgradeMode"] {
        assert!(!properties.contains_key(hidden), "{hidden}");
    }
}

#[test]
fn a_delete_takes_its_time() {
    let sim = with_flux(settings());
    let deleted = send(&sim, "DELETE", &extension_target("flux"), None);
    let operation = deleted.header("azure-asyncoperation").expect("an operation").to_owned();
    assert_eq!(deleted.status, 202);
    sim.advance(Duration::from_secs(90));
    assert_eq!(get(&sim, &operation).text("/status"), "Deleting");
    sim.advance(Duration::from_secs(10));
    assert_eq!(get(&sim, &operation).text("/status"), "Succeeded");
    let gone = get(&sim, &extension_target("flux"));
    assert_eq!(gone.text("/error/message"), "Extension instance with name 'flux' not found.");
}
