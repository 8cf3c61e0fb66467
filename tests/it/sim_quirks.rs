//! Each open question, answered each way.

use std::collections::BTreeSet;
use std::time::Duration;

use arcflux::sim::{Quirks, Settings, Simulator, quirks};
use serde_json::{Value, json};

use crate::sim_fixture::{Read, configuration, extension_target, flux_target, get, send, settings, with_flux};

const NAME: &str = "flux-system";

fn under(quirks: Quirks) -> Simulator {
    let sim = with_flux(Settings { quirks, ..settings() });
    put(&sim, &configuration());
    sim.advance(Duration::from_secs(200));
    sim
}

fn put(sim: &Simulator, body: &Value) -> Read {
    send(sim, "PUT", &flux_target(NAME), Some(body))
}

#[test]
fn each_variant_has_a_name_and_differs_from_the_default() {
    let variants = Quirks::all_variants();
    let names: BTreeSet<&str> = variants.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), variants.len());
    assert_eq!(variants.iter().filter(|(_, quirks)| *quirks == Quirks::default()).count(), 1);
    for (index, (_, one)) in variants.iter().enumerate() {
        assert!(variants.iter().skip(index + 1).all(|(_, other)| one != other));
    }
}

#[test]
fn every_setting_of_every_quirk_is_a_variant() {
    let seen: BTreeSet<String> = Quirks::all_variants()
        .iter()
        .flat_map(|(_, quirks)| {
            let quirks = serde_json::to_value(quirks).expect("JSON");
            let entries: Vec<String> =
                quirks.as_object().into_iter().flatten().map(|(k, v)| format!("{k}={v}")).collect();
            entries
        })
        .collect();
    assert_eq!(seen.len(), 11 * 2 + 2, "eleven quirks, two of them with three answers: {seen:?}");
}

#[test]
fn under_every_variant_a_configuration_is_made_changed_and_removed() {
    for (name, quirks) in Quirks::all_variants() {
        let sim = under(quirks);
        assert_eq!(get(&sim, &flux_target(NAME)).property("complianceState"), "Compliant", "{name}");
        let mut changed = configuration();
        changed["properties"]["kustomizations"]["app"]["path"] = json!("./other");
        assert!(matches!(put(&sim, &changed).status, 200 | 201), "{name}");
        sim.advance(Duration::from_secs(200));
        let read = get(&sim, &flux_target(NAME));
        assert_eq!(read.property("kustomizations")["app"]["path"], "./other", "{name}");
        assert_eq!(read.property("complianceState"), "Compliant", "{name}");
        assert_eq!(send(&sim, "DELETE", &flux_target(NAME), None).status, 202, "{name}");
        sim.advance(Duration::from_secs(200));
        assert_eq!(get(&sim, &flux_target(NAME)).status, 404, "{name}");
    }
}

#[test]
fn a_put_over_an_existing_resource() {
    let answer = |put_over_existing| {
        let sim = under(Quirks { put_over_existing, ..Quirks::default() });
        let read = put(&sim, &configuration());
        (read.status, read.header("azure-asyncoperation").is_some())
    };
    assert_eq!(answer(quirks::PutOverExisting::OkWithOperation), (200, true));
    assert_eq!(answer(quirks::PutOverExisting::OkWithoutOperation), (200, false));
    assert_eq!(answer(quirks::PutOverExisting::CreatedWithOperation), (201, true));
}

#[test]
fn omitted_kustomizations() {
    let left = |omitted_kustomizations| {
        let sim = under(Quirks { omitted_kustomizations, ..Quirks::default() });
        let mut body = configuration();
        body["properties"]["kustomizations"] = json!({"infrastructure": {"path": "./infra"}});
        put(&sim, &body).property("kustomizations").as_object().map(serde_json::Map::len)
    };
    assert_eq!(left(quirks::OmittedKustomizations::Removed), Some(1));
    assert_eq!(left(quirks::OmittedKustomizations::Kept), Some(2));
}

#[test]
fn protected_settings_of_a_configuration() {
    let shown = |flux_protected_settings| {
        let sim = with_flux(Settings { quirks: Quirks { flux_protected_settings, ..Quirks::default() }, ..settings() });
        let mut body = configuration();
        body["properties"]["configurationProtectedSettings"] = json!({"httpsKey": "a2V5"});
        put(&sim, &body).property("configurationProtectedSettings").clone()
    };
    assert_eq!(shown(quirks::FluxProtectedSettings::Hidden), json!({}));
    assert_eq!(shown(quirks::FluxProtectedSettings::Keys), json!({"httpsKey": ""}));
}

#[test]
fn an_omitted_provider() {
    let shown = |provider_when_omitted| {
        let sim = under(Quirks { provider_when_omitted, ..Quirks::default() });
        get(&sim, &flux_target(NAME)).property("gitRepository")["provider"].clone()
    };
    assert_eq!(shown(quirks::ProviderWhenOmitted::Generic), "generic");
    assert_eq!(shown(quirks::ProviderWhenOmitted::Null), Value::Null);
}

#[test]
fn a_change_of_what_is_set_on_create() {
    let answer = |immutable_change| {
        let sim = under(Quirks { immutable_change, ..Quirks::default() });
        let mut body = configuration();
        body["properties"]["namespace"] = json!("other");
        let read = put(&sim, &body);
        (read.status, get(&sim, &flux_target(NAME)).property("namespace").clone())
    };
    assert_eq!(answer(quirks::ImmutableChange::Refused), (400, json!("flux-system")));
    assert_eq!(answer(quirks::ImmutableChange::Ignored), (200, json!("flux-system")));
}

#[test]
fn a_write_during_an_operation() {
    let statuses = |overlapping_write| {
        let sim = under(Quirks { overlapping_write, ..Quirks::default() });
        let operation = put(&sim, &configuration()).header("azure-asyncoperation").expect("an operation").to_owned();
        let same = put(&sim, &configuration()).status;
        let other = send(&sim, "PUT", &flux_target("other"), Some(&configuration())).status;
        (same, other, get(&sim, &operation).text("/status").to_owned())
    };
    assert_eq!(statuses(quirks::OverlappingWrite::Refused), (409, 201, "Updating".to_owned()));
    assert_eq!(statuses(quirks::OverlappingWrite::RefusedOnTheCluster), (409, 409, "Updating".to_owned()));
    assert_eq!(statuses(quirks::OverlappingWrite::Accepted), (200, 201, "Canceled".to_owned()));
}

#[test]
fn a_read_while_the_provider_is_not_registered() {
    let status = |unregistered_read| {
        let sim =
            Simulator::in_memory(Settings { quirks: Quirks { unregistered_read, ..Quirks::default() }, ..settings() });
        get(&sim, &extension_target("flux")).status
    };
    assert_eq!(status(quirks::UnregisteredRead::Empty), 404);
    assert_eq!(status(quirks::UnregisteredRead::Refused), 409);
}

#[test]
fn deleting_what_is_not_there() {
    let status = |delete_missing| {
        let sim = under(Quirks { delete_missing, ..Quirks::default() });
        send(&sim, "DELETE", &flux_target("nothing"), None).status
    };
    assert_eq!(status(quirks::DeleteMissing::NoContent), 204);
    assert_eq!(status(quirks::DeleteMissing::NotFound), 404);
}

#[test]
fn an_empty_first_page() {
    let sim = under(Quirks { paging: quirks::Paging::EmptyPageFirst, ..Quirks::default() });
    let first = get(&sim, &flux_target("").replace("/?", "?"));
    assert_eq!(first.at("/value"), &json!([]));
    assert_eq!(get(&sim, first.text("/nextLink")).text("/value/0/name"), NAME);
}
