//! Saved plans.

use std::path::Path;

use serde_json::Value;

use super::error::CliError;
use super::moment::Moment;
use super::{json_file, out_file};
use crate::bundle::Bundle;
use crate::model::understands;
use crate::plan::{FORMAT_VERSION, Plan};

/// Writes a plan, whole or not at all.
pub(super) fn save(path: &Path, plan: &Plan, moment: &Moment) -> Result<(), CliError> {
    let Moment { as_of, ages } = moment;
    let saved = Plan { timestamp: Some(*as_of), ages: ages.clone(), ..plan.clone() };
    let text = serde_json::to_string_pretty(&saved)
        .map_err(|error| CliError::because(format!("cannot write {}", path.display()), &error))?;
    out_file::write(path, &format!("{text}\n"))
}

/// Reads a plan that this version understands; `-` is standard input.
pub(super) fn load(file: &Path) -> Result<Plan, CliError> {
    of_json(file, json_file::read(file, "a saved plan")?)
}

/// The plan in a document that was read from `file`.
pub(super) fn of_json(file: &Path, json: Value) -> Result<Plan, CliError> {
    let path = file.display();
    if Bundle::is_claimed_by(&json) {
        return Err(CliError::usage(format!("{path} is a bundle, and this takes a saved plan"))
            .hint("`arcflux show` and `arcflux apply` take bundles"));
    }
    let Some(version) = json.get("format_version").and_then(Value::as_str) else {
        return Err(CliError::refused(format!("{path} is not a saved plan: it does not say of which format it is"))
            .hint("`arcflux plan --out FILE` saves one"));
    };
    if !understands(FORMAT_VERSION, version) {
        return Err(CliError::refused(format!(
            "{path} has the plan format `{version}`, and this arcflux understands {FORMAT_VERSION}"
        ))
        .hint("make the plan with the arcflux that applies it"));
    }
    serde_json::from_value(json).map_err(|error| CliError::because(format!("{path} is not a saved plan"), &error))
}
