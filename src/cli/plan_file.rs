//! Saved plans.

use std::io::{Read as _, Write as _};
use std::path::Path;

use jiff::Timestamp;

use super::error::CliError;
use crate::plan::{FORMAT_VERSION, Plan};

/// More than the plan of ten thousand clusters has, in bytes.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Writes a plan, whole or not at all.
pub(super) fn save(path: &Path, plan: &Plan, as_of: Timestamp) -> Result<(), CliError> {
    let saved = Plan { timestamp: Some(as_of), ..plan.clone() };
    let name = path.display();
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !directory.is_dir() {
        return Err(CliError::new(format!("cannot write {name}: there is no directory {}", directory.display())));
    }
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(serde_json::to_string_pretty(&saved)?.as_bytes())?;
        file.write_all(b"\n")?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| CliError::because(format!("cannot write {name}"), &error))
}

/// Reads a plan that this version understands; `-` is standard input.
pub(super) fn load(file: &Path) -> Result<Plan, CliError> {
    let path = file.display();
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(LARGEST).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
    };
    read.map_err(|error| CliError::because(format!("cannot read {path}"), &error))?;
    let json: serde_json::Value = serde_json::from_slice(&bytes)
        .map_err(|error| CliError::because(format!("{path} is not a saved plan"), &error))?;
    let version = json.get("format_version").and_then(serde_json::Value::as_str).unwrap_or_default();
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    if major(version) != major(FORMAT_VERSION) {
        return Err(CliError::refused(format!(
            "{path} has the plan format `{version}`, and this arcflux understands {FORMAT_VERSION}"
        ))
        .hint("make the plan with the arcflux that applies it"));
    }
    serde_json::from_value(json).map_err(|error| CliError::because(format!("{path} is not a saved plan"), &error))
}
