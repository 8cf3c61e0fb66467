//! The JSON Schemas (draft 2020-12) of what arcflux writes for programs. They are checked in under `schemas/`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::json;
use crate::plan::{Checkup, Plan, RunReport, StreamLine};
use crate::snapshot::Snapshot;

/// The schema of a plan as JSON, as a document that ends with a line feed: `schemas/plan.schema.json`.
#[must_use]
pub fn plan_schema() -> String {
    document::<Plan>("arcflux plan", "plan")
}

/// The schema of one line of the JSON stream of an apply, as a document that ends with a line feed:
/// `schemas/event.schema.json`.
#[must_use]
pub fn event_schema() -> String {
    document::<StreamLine>("arcflux apply stream line", "event")
}

/// The schema of the report of an apply, as a document that ends with a line feed: `schemas/report.schema.json`.
#[must_use]
pub fn report_schema() -> String {
    document::<RunReport>("arcflux apply report", "report")
}

/// The schema of the snapshot of a live state, as a document that ends with a line feed:
/// `schemas/snapshot.schema.json`.
#[must_use]
pub fn snapshot_schema() -> String {
    document::<Snapshot>("arcflux snapshot", "snapshot")
}

/// The schema of what `arcflux doctor` found, as a document that ends with a line feed: `schemas/doctor.schema.json`.
#[must_use]
pub fn doctor_schema() -> String {
    document::<Checkup>("arcflux doctor", "doctor")
}

fn document<T: JsonSchema>(title: &str, name: &str) -> String {
    // What is written, not what would be accepted: a field that is always written is required.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut generated = settings.into_generator().into_root_schema_for::<T>().to_value();
    let mut schema = Map::new();
    if let Some(generated) = generated.as_object_mut() {
        schema.insert("$schema".to_owned(), generated.shift_remove("$schema").unwrap_or(Value::Null));
        let id = format!("https://raw.githubusercontent.com/arcflux/arcflux/main/schemas/{name}.schema.json");
        schema.insert("$id".to_owned(), json!(id));
        generated.shift_remove("title");
        schema.insert("title".to_owned(), json!(title));
        schema.append(generated);
    }
    json::pretty(&schema)
}
