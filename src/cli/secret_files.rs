//! The values behind secret references: environment variables, and files below one directory.

use std::path::{Path, PathBuf};

use super::Environment;
use crate::apply::{SecretError, SecretResolver};
use crate::model::{Secret, SecretRef};

/// More than any key or token has, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Reads real secrets.
pub(super) struct Real<'a> {
    pub(super) environment: &'a Environment,
    pub(super) directory: Option<PathBuf>,
}

/// Gives placeholders: for the simulator, where no real secret is ever read.
pub(super) struct Placeholders;

impl SecretResolver for Placeholders {
    fn resolve(&self, secret: &SecretRef) -> Result<Secret, SecretError> {
        Ok(Secret::placeholder(format!("placeholder for {secret}")))
    }
}

impl SecretResolver for Real<'_> {
    fn resolve(&self, secret: &SecretRef) -> Result<Secret, SecretError> {
        let value = match secret {
            SecretRef::Env(name) => {
                self.environment.get(name).map(str::to_owned).ok_or_else(|| "the variable is not set".to_owned())
            }
            SecretRef::File(path) => self.read(path),
        };
        match value {
            Ok(value) if !value.is_empty() => Ok(Secret::new(value)),
            Ok(_) => Err(SecretError { secret: secret.clone(), reason: "it is empty".to_owned() }),
            Err(reason) => Err(SecretError { secret: secret.clone(), reason }),
        }
    }
}

impl Real<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let Some(directory) = &self.directory else {
            return Err("files are read only below `--secrets-dir DIR`, which is not given".to_owned());
        };
        let file = inside(directory, Path::new(path))?;
        let size = std::fs::metadata(&file).map_err(|error| error.to_string())?.len();
        if size > LARGEST {
            return Err(format!("the file has {size} bytes; no secret has more than {LARGEST}"));
        }
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
        // A token in a file has a line end that is not part of it; a key in PEM form needs its own.
        let line = text.trim_end_matches(['\r', '\n']);
        Ok(if line.contains('\n') { text } else { line.to_owned() })
    }
}

/// The real place of `path` below `directory`, with symbolic links followed first.
fn inside(directory: &Path, path: &Path) -> Result<PathBuf, String> {
    let root = directory.canonicalize().map_err(|error| format!("{}: {error}", directory.display()))?;
    let file = root.join(path).canonicalize().map_err(|error| error.to_string())?;
    if file.starts_with(&root) && file.is_file() {
        Ok(file)
    } else {
        Err("it is not a file below `--secrets-dir`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("secrets");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("token"), "abc\n").unwrap();
        std::fs::write(root.join("key"), "-----BEGIN\nabc\n").unwrap();
        std::fs::write(directory.path().join("outside"), "no").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(directory.path().join("outside"), root.join("link")).unwrap();
        let environment = Environment::default();
        Real { environment: &environment, directory: Some(root) }.read(path)
    }

    #[test]
    fn one_line_loses_its_line_end_and_several_keep_theirs() {
        assert_eq!(read("token"), Ok("abc".to_owned()));
        assert_eq!(read("key"), Ok("-----BEGIN\nabc\n".to_owned()));
    }

    #[test]
    fn nothing_outside_the_directory_is_read() {
        for path in ["../outside", "link", "/etc/hostname", ".", "absent"] {
            assert!(read(path).is_err(), "{path}");
        }
    }
}
