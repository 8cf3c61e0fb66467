//! Local git repositories for the simulator. git runs without hooks, without a file monitor, with every reference and
//! path after the end of its options, and never fetches.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::sim::{Found, GitReference, Repositories};

/// Repositories by URL.
pub(super) struct LocalRepositories(pub(super) Vec<(String, PathBuf)>);

impl Repositories for LocalRepositories {
    fn find(&self, url: &str, reference: &GitReference, path: &str) -> Found {
        let Some((_, directory)) = self.0.iter().find(|(bound, _)| bound == url) else { return Found::Unbound };
        let Some(commit) = commit(directory, reference) else { return Found::RepositoryMissingRef };
        let path = path.trim_start_matches("./").trim_matches('/');
        let object = format!("{commit}:{path}");
        match git(directory, &["cat-file", "-t", "--end-of-options", &object]) {
            Some(kind) if kind == "tree" => Found::Present { commit },
            Some(_) | None => Found::PathMissing,
        }
    }
}

/// Whether git finds a repository here.
pub(super) fn is_repository(directory: &Path) -> bool {
    git(directory, &["rev-parse", "--git-dir"]).is_some()
}

fn commit(directory: &Path, reference: &GitReference) -> Option<String> {
    let resolve = |name: &str| {
        git(directory, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")])
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
    let tags = git(directory, &["tag", "--list"])?;
    tags.lines()
        .filter_map(|tag| Some((tag.trim_start_matches('v').parse::<semver::Version>().ok()?, tag)))
        .filter(|(version, _)| range.matches(version))
        .max()
        .map(|(_, tag)| tag.to_owned())
}

/// What git prints, without its line end; `None` when it fails.
fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"])
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
