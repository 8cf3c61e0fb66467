//! Files that are written at a user's word: saved plans, live states, reports. A regular file is written whole or not at
//! all; a device or a pipe is written into, and what a symbolic link leads to is written where it lies.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::CliError;

/// How many symbolic links are followed to what does not exist yet, as Linux has it.
const MOST_LINKS: usize = 40;

/// Where the text goes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A regular file, or nothing so far: the new one takes its place.
    File(PathBuf),
    /// A device, a pipe, or a descriptor of this process: it stays, and gets the text.
    Stream(PathBuf),
}

/// Writes a file.
pub(super) fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let written = match target(path)? {
        Target::Stream(path) => OpenOptions::new().write(true).open(path).and_then(|mut stream| {
            stream.write_all(text.as_bytes())?;
            stream.flush()
        }),
        Target::File(target) => {
            let mut file = beside(path, &target)?;
            file.write_all(text.as_bytes()).and_then(|()| file.persist(target).map(drop).map_err(|error| error.error))
        }
    };
    written.map_err(|error| cannot_write(path, &error))
}

/// Whether a file can be written later on: for what is written when it is too late to ask for another place. Writes
/// nothing, and opens no pipe, whose reader would take it for the end.
pub(super) fn check_writable(path: &Path) -> Result<(), CliError> {
    match target(path)? {
        Target::Stream(_) => Ok(()),
        Target::File(target) => beside(path, &target)?.close().map_err(|error| cannot_write(path, &error)),
    }
}

/// The same for everything that one command writes, each with the option that named it; and no two of them may be one
/// file. What the system keeps takes any number of texts.
pub(super) fn check_all_apart(
    outputs: &[(&'static str, Option<&Path>)],
    inputs: &[(&str, Option<&Path>)],
) -> Result<(), CliError> {
    let mut seen: Vec<(&str, PathBuf)> = Vec::new();
    for (option, path) in outputs {
        let Some(path) = path else { continue };
        check_apart(option, path, inputs)?;
        let Some(place) = place(path).filter(|place| !is_of_the_system(place)) else { continue };
        if let Some((other, _)) = seen.iter().find(|(_, known)| *known == place) {
            return Err(CliError::usage(format!("`{other}` and `{option}` both name {}", path.display()))
                .hint("give each a file of its own"));
        }
        seen.push((option, place));
    }
    Ok(())
}

/// Refuses to write over what the same command reads. `option` is what named the file, and each input comes with what it
/// is: `the spec`.
pub(super) fn check_apart(option: &str, path: &Path, inputs: &[(&str, Option<&Path>)]) -> Result<(), CliError> {
    let Some(place) = place(path) else { return Ok(()) };
    let same = |input: &Path| input != Path::new("-") && self::place(input).as_ref() == Some(&place);
    match inputs.iter().find(|(_, input)| input.is_some_and(same)) {
        None => Ok(()),
        Some((what, _)) => {
            Err(CliError::usage(format!("`{option} {}` would write over {what}", path.display()))
                .hint("name another file"))
        }
    }
}

/// Where a path leads, also where nothing is yet.
fn place(path: &Path) -> Option<PathBuf> {
    let new = || Some(fs::canonicalize(directory_of(path)).ok()?.join(path.file_name()?));
    fs::canonicalize(path).ok().or_else(new)
}

fn target(path: &Path) -> Result<Target, CliError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(CliError::new(format!("cannot write {}: it is a directory", path.display())))
        }
        // What a descriptor leads to may be a file, and may be open for more than this.
        Ok(metadata) if !metadata.is_file() || is_of_the_system(path) => Ok(Target::Stream(path.to_owned())),
        Ok(_) => fs::canonicalize(path).map(Target::File).map_err(|error| cannot_write(path, &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            end_of_links(path).map(Target::File).map_err(|error| cannot_write(path, &error))
        }
        Err(error) => Err(cannot_write(path, &error)),
    }
}

fn is_of_the_system(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc")
}

/// Where symbolic links lead at whose end nothing is.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = directory_of(&path).join(next),
            Err(error) if [ErrorKind::NotFound, ErrorKind::InvalidInput].contains(&error.kind()) => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "too many symbolic links"))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file in the directory of `target`, which `path` leads to.
fn beside(path: &Path, target: &Path) -> Result<NamedTempFile, CliError> {
    let directory = directory_of(target);
    if !directory.is_dir() {
        let (name, directory) = (path.display(), directory.display());
        return Err(CliError::new(format!("cannot write {name}: there is no directory {directory}")));
    }
    NamedTempFile::new_in(directory).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> CliError {
    CliError::because(format!("cannot write {}", path.display()), error)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!path.exists() && fs::read_dir(directory.path()).unwrap().next().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_what_it_leads_to_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("there")).unwrap();
        fs::write(at("there/old.json"), "old").unwrap();
        for (link, leads_to) in [("one", "there/old.json"), ("two", "there/new.json"), ("three", "two")] {
            std::os::unix::fs::symlink(leads_to, at(link)).unwrap();
            check_writable(&at(link)).unwrap();
            write(&at(link), link).unwrap();
            assert!(at(link).is_symlink(), "{link}");
            assert_eq!(fs::read_to_string(at(link)).unwrap(), link);
        }
        assert_eq!(fs::read_to_string(at("there/old.json")).unwrap(), "one");
        assert_eq!(fs::read_to_string(at("there/new.json")).unwrap(), "three");
        std::os::unix::fs::symlink("round", at("round")).unwrap();
        assert!(write(&at("round"), "x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_stays_a_pipe() {
        use std::os::unix::fs::FileTypeExt as _;
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        check_writable(&pipe).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        write(&pipe, "a report").unwrap();
        assert_eq!(reader.join().unwrap(), "a report");
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[test]
    fn what_is_read_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("spec.yaml"), "").unwrap();
        fs::create_dir(at("sub")).unwrap();
        let spec = at("spec.yaml");
        let inputs = [("the spec", Some(spec.as_path())), ("the base", None)];
        for same in ["spec.yaml", "sub/../spec.yaml"] {
            let error = check_apart("--report", &at(same), &inputs).unwrap_err();
            assert_eq!(error.exit, crate::cli::Exit::Usage);
            assert!(error.messages[0].ends_with("would write over the spec"), "{error:?}");
        }
        check_apart("--report", &at("report.json"), &inputs).unwrap();
        let new = at("state.json");
        assert!(check_apart("--out", &at("sub/../state.json"), &[("the state", Some(new.as_path()))]).is_err());
    }
}
