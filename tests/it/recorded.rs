//! The reference material beside the repository, which is not part of it.

use std::path::{Path, PathBuf};

use serde_json::Value;

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/recordings");

/// One recorded file; `None`, said aloud, where the material is absent.
pub(crate) fn file(name: &str) -> Option<Value> {
    let path = Path::new(RECORDINGS).join(name);
    if path.exists() { Some(read(&path)) } else { skipped(&path) }
}

/// Every recorded traffic below `folder`, by file name; `None`, said aloud, where the material is absent.
pub(crate) fn traffic(folder: &str) -> Option<Vec<(String, Vec<Value>)>> {
    let folder = Path::new(RECORDINGS).join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else { return skipped(&folder) };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let interactions = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, read(path)["interactions"].as_array().cloned().unwrap_or_default())
    };
    Some(paths.iter().map(interactions).collect())
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn skipped<T>(path: &Path) -> Option<T> {
    eprintln!("SKIPPED: the reference material is not here: {}", path.display());
    None
}
