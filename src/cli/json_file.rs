//! Files that arcflux writes for itself: saved plans and live states. Written whole or not at all, read within a limit.

use std::io::{Read as _, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::error::CliError;

/// More than the plan, or the live state, of ten thousand clusters has, in bytes.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Writes a file, whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let file = beside(path)?;
    let write = |mut file: NamedTempFile| -> std::io::Result<()> {
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write(file).map_err(|error| cannot_write(path, &error))
}

/// Whether a file can be written later on: for what is written when it is too late to ask for another place. Writes
/// nothing.
pub(super) fn check_writable(path: &Path) -> Result<(), CliError> {
    if path.is_dir() {
        return Err(CliError::new(format!("cannot write {}: it is a directory", path.display())));
    }
    beside(path)?.close().map_err(|error| cannot_write(path, &error))
}

/// A new file in the directory of another.
fn beside(path: &Path) -> Result<NamedTempFile, CliError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !directory.is_dir() {
        let (name, directory) = (path.display(), directory.display());
        return Err(CliError::new(format!("cannot write {name}: there is no directory {directory}")));
    }
    NamedTempFile::new_in(directory).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::because(format!("cannot write {}", path.display()), error)
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
        for outcome in [write(&path, "1"), check_writable(&path)] {
            let error = outcome.unwrap_err();
            assert!(error.messages[0].contains("there is no directory"), "{error:?}");
        }
        let error = check_writable(directory.path()).unwrap_err();
        assert!(error.messages[0].ends_with("it is a directory"), "{error:?}");
        let path = directory.path().join("a.json");
        check_writable(&path).unwrap();
        assert!(!path.exists() && std::fs::read_dir(directory.path()).unwrap().next().is_none());
    }
}
