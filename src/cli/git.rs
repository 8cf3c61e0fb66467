//! Local git repositories: those that stand for URLs on the simulator, and the one that a spec is in. git runs without hooks, without a file monitor, with every reference and
//! path after the end of its options, and never fetches.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::CliError;
use crate::sim::{Found, GitReference, Repositories};

/// Repositories by URL.
pub(super) struct LocalRepositories(pub(super) Vec<(String, PathBuf)>);

impl Repositories for LocalRepositories {
    fn find(&self, url: &str, reference: &GitReference, path: &str) -> Found {
        let Some((_, directory)) = self.0.iter().find(|(bound, _)| bound == url) else { return Found::Unbound };
        let Some(commit) = commit(directory, reference) else { return Found::RepositoryMissingRef };
        let path = path.trim_start_matches("./").trim_matches('/');
        let object = format!("{commit}:{path}");
        match git_of(directory, &["cat-file", "-t", "--end-of-options", &object]) {
            Some(kind) if kind == "tree" => Found::Present { commit },
            Some(_) | None => Found::PathMissing,
        }
    }
}

/// A file as a revision has it: `REVISION` stands for the file `like` of the working tree, `REVISION:PATH` for a path from
/// the top of the repository that it is in.
pub(super) fn file_at(revision: &str, like: &Path) -> Result<Vec<u8>, CliError> {
    let directory = like.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some((top, below)) = repository_around(directory) else {
        return Err(CliError::new(format!("{} is not in a git repository", directory.display()))
            .hint("name a file: `--base FILE`"));
    };
    let (revision, path) = match revision.split_once(':') {
        Some((revision, path)) => (revision, path.to_owned()),
        None => (revision, format!("{below}{}", like.file_name().unwrap_or_default().to_string_lossy())),
    };
    let commit = format!("{revision}^{{commit}}");
    let Some(commit) = git(&top, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]) else {
        return Err(CliError::new(format!("git knows no revision `{revision}` here"))
            .hint("fetch it first; a shallow clone of a pipeline has one commit only"));
    };
    match git(&top, &["cat-file", "blob", "--end-of-options", &format!("{commit}:{path}")]) {
        Some(text) => Ok(text.into_bytes()),
        None => Err(CliError::new(format!("there is no {path} at `{revision}`")).hint(
            "a new spec has no base: leave `--base` out; of one that was renamed, give `--base git:REVISION:PATH`",
        )),
    }
}

/// The top of the working tree that a directory is in, and the path from there to the directory: empty, or with a slash at
/// its end.
///
/// Not git's own search: that takes any directory for a repository that holds `HEAD`, `objects` and `refs`, and a pull
/// request can bring those beside the spec. What is called `.git` is in no commit.
fn repository_around(directory: &Path) -> Option<(PathBuf, String)> {
    let directory = directory.canonicalize().ok()?;
    let top = directory.ancestors().find(|one| one.join(".git").symlink_metadata().is_ok())?;
    let below = directory.strip_prefix(top).ok()?;
    let below = below.components().map(|part| format!("{}/", part.as_os_str().to_string_lossy())).collect();
    git(top, &["rev-parse", "--git-dir"]).map(|_| (top.to_owned(), below))
}

/// Whether git finds a repository here.
pub(super) fn is_repository(directory: &Path) -> bool {
    git_of(directory, &["rev-parse", "--git-dir"]).is_some()
}

fn commit(directory: &Path, reference: &GitReference) -> Option<String> {
    let resolve = |name: &str| {
        git_of(directory, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")])
    };
    match reference {
        GitReference::Branch(branch) => resolve(&format!("refs/heads/{branch}")),
        GitReference::Tag(tag) => resolve(&format!("refs/tags/{tag}")),
        GitReference::Semver(range) => resolve(&format!("refs/tags/{}", newest_tag(directory, range)?)),
        GitReference::Commit { commit, .. } => resolve(commit),
    }
}

/// The newest tag inside a range of semantic versions. Flux separates comparators by spaces or commas.
fn newest_tag(directory: &Path, range: &str) -> Option<String> {
    let range = range.split([' ', ',']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let range: semver::VersionReq = range.parse().ok()?;
    let tags = git_of(directory, &["tag", "--list"])?;
    tags.lines()
        .filter_map(|tag| Some((tag.trim_start_matches('v').parse::<semver::Version>().ok()?, tag)))
        .filter(|(version, _)| range.matches(version))
        .max()
        .map(|(_, tag)| tag.to_owned())
}

/// Variables that make git look elsewhere than into the directory that it is given, as they are set inside hooks, or
/// change how it works there.
const MISLEADING: [&str; 11] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_REPLACE_REF_BASE",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EXTERNAL_DIFF",
];

/// What git prints in a working tree, at its top.
fn git(top: &Path, arguments: &[&str]) -> Option<String> {
    run(top, "explicit", arguments)
}

/// What git prints in a repository that somebody has named, which may be a bare one.
fn git_of(directory: &Path, arguments: &[&str]) -> Option<String> {
    run(directory, "all", arguments)
}

/// What git prints, without its line end; `None` when it fails. `bare` is which bare repositories it takes.
///
/// The configuration of the repository is not trusted. For an object that a partial clone lacks, git would run the
/// transport that it names, which can be any command, and its `protocol.<name>.allow` outweighs our `protocol.allow`: only
/// the variables forbid it for good (the first since git 2.45, the second always).
fn run(directory: &Path, bare: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    MISLEADING.iter().for_each(|name| {
        command.env_remove(name);
    });
    let output = command
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "")
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"])
        .args(["-c", &format!("safe.bareRepository={bare}")])
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
