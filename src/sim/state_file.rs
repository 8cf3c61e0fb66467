//! The state in a file that several processes may share.
//!
//! Every step takes an operating system lock on a sibling file for just its own duration, reads the state if somebody
//! else has changed it, and writes it anew beside the old one before it is renamed over it: whoever is killed, and
//! whenever, leaves a whole file and no lock.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::state::{FORMAT, State};

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file, its lock or its directory cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The file is not a simulator's state. It is left as it is.
    #[error(
        "{} is not a simulator's state (line {line}, column {column}); it is left as it is. Name another file, or \
         delete this one to start afresh",
        path.display()
    )]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Line of the first thing that is wrong, from 1.
        line: usize,
        /// Column of it, from 1.
        column: usize,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The file was written by a newer version. It is left as it is.
    #[error(
        "{} has format {found}, and this version reads up to {known}; use the version that wrote it, or name another \
         file",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The highest format that this version reads.
        known: u32,
    },
    /// The state cannot be written as JSON.
    #[error("cannot write the simulator's state as JSON")]
    Unwritable(#[source] serde_json::Error),
}

/// A state file, and what was last read from or written to it.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    lock: PathBuf,
    /// Where the new state is written before it takes the old one's place. Only the holder of the lock writes there, so
    /// what a killed process leaves is overwritten by the next.
    fresh: PathBuf,
    known: Option<(Vec<u8>, State)>,
}

/// The one member that is read first.
#[derive(Deserialize)]
struct Header {
    format: u32,
}

impl StateFile {
    /// The state file at `path`, whose directory is created.
    ///
    /// # Errors
    ///
    /// [`StateError::Io`] when the directory cannot be created.
    pub(crate) fn new(path: &Path) -> Result<Self, StateError> {
        let directory = directory_of(path);
        fs::create_dir_all(directory).map_err(|source| StateError::Io {
            action: "create the directory",
            path: directory.to_owned(),
            source,
        })?;
        // What a link leads to is written where it lies, and the link stays.
        let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let beside = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Ok(Self { path: path.to_owned(), lock: beside(".lock"), fresh: beside(".new"), known: None })
    }

    /// Does something with the file while nobody else does.
    ///
    /// # Errors
    ///
    /// [`StateError::Io`] when the lock cannot be had, or what `step` returns.
    pub(crate) fn locked<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, StateError>) -> Result<T, StateError> {
        let lock = self.open_lock()?;
        lock.lock().map_err(|source| StateError::Io { action: "lock", path: self.lock.clone(), source })?;
        // Closing the file gives the lock back, also when this process is killed.
        step(self)
    }

    fn open_lock(&self) -> Result<File, StateError> {
        OpenOptions::new().create(true).truncate(false).write(true).open(&self.lock).map_err(|source| StateError::Io {
            action: "open",
            path: self.lock.clone(),
            source,
        })
    }

    /// Reads the state; nothing when there is no file. A file that is as it was last seen is not parsed again.
    ///
    /// # Errors
    ///
    /// Any [`StateError`].
    pub(crate) fn load(&mut self) -> Result<Option<State>, StateError> {
        let bytes = match self.bytes() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Io { action: "read", path: self.path.clone(), source }),
        };
        if let Some((known, state)) = &self.known
            && *known == bytes
        {
            return Ok(Some(state.clone()));
        }
        let state = self.parse(&bytes)?;
        self.known = Some((bytes, state.clone()));
        Ok(Some(state))
    }

    /// The whole file. Devices and pipes have no end, or none that comes by itself.
    fn bytes(&self) -> io::Result<Vec<u8>> {
        if !fs::metadata(&self.path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        fs::read(&self.path)
    }

    fn parse(&self, bytes: &[u8]) -> Result<State, StateError> {
        let corrupt = |source: serde_json::Error| StateError::Corrupt {
            path: self.path.clone(),
            line: source.line(),
            column: source.column(),
            source,
        };
        let header: Header = serde_json::from_slice(bytes).map_err(corrupt)?;
        if header.format > FORMAT {
            return Err(StateError::Newer { path: self.path.clone(), found: header.format, known: FORMAT });
        }
        serde_json::from_slice(bytes).map_err(corrupt)
    }

    /// Writes the state beside the old one and renames it over.
    ///
    /// # Errors
    ///
    /// [`StateError::Io`] or [`StateError::Unwritable`].
    pub(crate) fn save(&mut self, state: &State) -> Result<(), StateError> {
        let io = |action: &'static str, source| StateError::Io { action, path: self.path.clone(), source };
        let mut bytes = serde_json::to_vec_pretty(state).map_err(StateError::Unwritable)?;
        bytes.push(b'\n');
        fs::write(&self.fresh, &bytes).map_err(|source| io("write beside", source))?;
        fs::rename(&self.fresh, &self.path).map_err(|source| io("replace", source))?;
        self.known = Some((bytes, state.clone()));
        Ok(())
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}
