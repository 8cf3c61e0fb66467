//! Files that arcflux writes for itself: saved plans and live states. Written whole or not at all, read within a limit.

use std::io::{Read as _, Write as _};
use std::path::Path;

use super::error::CliError;

/// More than the plan, or the live state, of ten thousand clusters has, in bytes.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Writes a file, whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let name = path.display();
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !directory.is_dir() {
        return Err(CliError::new(format!("cannot write {name}: there is no directory {}", directory.display())));
    }
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| CliError::because(format!("cannot write {name}"), &error))
}

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
        write(&path, "[1, 2]").unwrap();
        assert_eq!(read_up_to(6, &path, "a list").unwrap(), serde_json::json!([1, 2]));
        let error = read_up_to(5, &path, "a list").unwrap_err();
        assert!(error.messages[0].ends_with("is not a list: it is larger than 5 bytes"), "{error:?}");
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("there/a.json");
        let error = write(&path, "1").unwrap_err();
        assert!(error.messages[0].contains("there is no directory"), "{error:?}");
    }
}
