//! JSON files that arcflux wrote for itself: saved plans and live states. Read within a limit.

use std::io::Read as _;
use std::path::Path;

use super::error::CliError;

/// More than the plan, or the live state, of ten thousand clusters has, in bytes.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Reads a JSON document; `-` is standard input. `what` is what it should be: `a saved plan`.
pub(super) fn read(file: &Path, what: &str) -> Result<serde_json::Value, CliError> {
    read_up_to(LARGEST, file, what)
}

fn read_up_to(limit: u64, file: &Path, what: &str) -> Result<serde_json::Value, CliError> {
    let path = file.display();
    let mut bytes = Vec::new();
    // One byte more tells that it is too large.
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| CliError::because(format!("cannot read {path}"), &error))?;
    if bytes.len() as u64 > limit {
        return Err(CliError::new(format!("{path} is not {what}: it is larger than {limit} bytes")));
    }
    serde_json::from_slice(&bytes).map_err(|error| CliError::because(format!("{path} is not {what}"), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        std::fs::write(&path, "[1, 2]").unwrap();
        assert_eq!(read_up_to(6, &path, "a list").unwrap(), serde_json::json!([1, 2]));
        let error = read_up_to(5, &path, "a list").unwrap_err();
        assert!(error.messages[0].ends_with("is not a list: it is larger than 5 bytes"), "{error:?}");
    }
}
