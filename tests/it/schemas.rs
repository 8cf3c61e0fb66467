//! The published formats: checked-in schemas are the generated ones, and what is written fits them.

use arcflux::model::Address;
use arcflux::plan::{Action, Event, EventKind, Failure, Plan, Workloads};
use arcflux::snapshot::Snapshot;
use arcflux::view::{self, Format, Style, schema};
use serde_json::Value;

use crate::world;

/// Compares a generated document with the one in `schemas/`; with `UPDATE_SCHEMAS` set, writes it.
fn check(name: &str, generated: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
    if option_env!("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == generated, "schemas/{name} is not what the types say; generate it with UPDATE_SCHEMAS=1");
    let schema: Value = serde_json::from_str(generated).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    schema
}

fn assert_fits(schema: &Value, document: &str) {
    let document: Value = serde_json::from_str(document).unwrap();
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

fn example_plans() -> Vec<Plan> {
    let desired = world::quickstart();
    let live = world::converged(&desired);
    let mut moved = desired.clone();
    world::configuration(&mut moved).namespace = "gitops".to_owned();
    world::configuration(&mut moved).kustomizations.remove("app");
    let mut unmanaged = live.clone();
    world::add_unmanaged(&desired, &mut unmanaged, "legacy");
    let options = world::options();
    let keep = arcflux::plan::Options {
        choices: arcflux::plan::Choices { workloads: Some(Workloads::Keep), ..Default::default() },
        ..world::options()
    };
    vec![
        world::plan(&desired, &world::bare(&desired), &options),
        world::plan(&desired, &unmanaged, &options),
        world::plan(&moved, &live, &options),
        arcflux::plan::destroy(&world::graph(&desired), &live, &desired.expanded, &keep).unwrap(),
    ]
}

#[test]
fn the_schema_of_doctor_is_checked_in() {
    check("doctor.schema.json", &schema::doctor_schema());
}

#[test]
fn plans_fit_their_schema_and_read_back() {
    let schema = check("plan.schema.json", &schema::plan_schema());
    for plan in example_plans() {
        let document = view::plan::render(&plan, Format::Json, &Style::PLAIN);
        assert_fits(&schema, &document);
        assert_eq!(serde_json::from_str::<Plan>(&document).unwrap(), plan);
    }
}

#[test]
fn events_fit_their_schema() {
    let schema = check("event.schema.json", &schema::event_schema());
    let address: Address = "rg-edge/store-001/extension".parse().unwrap();
    let failure = Failure {
        code: "rejected".to_owned(),
        message: "no\nway\u{202e}".to_owned(),
        hint: None,
        correlation_id: Some("c-1".to_owned()),
    };
    let kinds = [
        EventKind::ApplyStart { action: Action::Replace },
        EventKind::Accepted { method: "PUT".to_owned(), status: 200, operation_id: None, correlation_id: None },
        EventKind::Accepted {
            method: "PUT".to_owned(),
            status: 201,
            operation_id: Some("6c1f".to_owned()),
            correlation_id: Some("0b1c".to_owned()),
        },
        EventKind::ApplyProgress {
            action: Action::Create,
            waiting_for: "its operation to end".to_owned(),
            status: "Creating".to_owned(),
            elapsed_seconds: 70,
        },
        EventKind::ApplyComplete { action: Action::Create, elapsed_seconds: 95 },
        EventKind::ApplyErrored { failure },
        EventKind::ApplySkipped { because: Some(address.clone()) },
        EventKind::ApplySkipped { because: None },
    ];
    for kind in kinds {
        let event = Event { at: "2026-11-22T08:00:00Z".parse().unwrap(), address: address.clone(), kind };
        let line = view::apply::event_json(&event);
        assert!(!line.contains('\n') && !line.contains('\u{202e}'), "{line}");
        assert_fits(&schema, &line);
    }
}

#[test]
fn snapshots_fit_their_schema() {
    let schema = check("snapshot.schema.json", &schema::snapshot_schema());
    let desired = world::quickstart();
    let reads = world::graph(&desired).reads();
    for live in [world::bare(&desired), world::converged(&desired)] {
        let snapshot = Snapshot::take("https://management.azure.com", Some("public"), None, (&reads, &[]), &live);
        assert_fits(&schema, &view::snapshot::render(&snapshot));
    }
}

#[test]
fn the_schema_of_reports_is_the_generated_one_and_tells_a_report_from_an_event() {
    let schema = check("report.schema.json", &schema::report_schema());
    let event = serde_json::json!({"at": "2026-11-22T08:00:00Z", "address": "rg-edge", "type": "apply_start"});
    assert!(!jsonschema::is_valid(&schema, &event));
}
