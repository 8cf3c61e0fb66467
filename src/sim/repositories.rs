//! What the simulated Flux finds in git. The simulator runs no git itself: whoever embeds it may answer.

use uuid::Uuid;

/// The git reference of a source, in Flux's order of precedence: commit, semver, tag, branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitReference {
    /// The tip of a branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// The newest tag in a semver range.
    Semver(String),
    /// A commit, looked for on a branch where one is named.
    Commit {
        /// The branch that holds the commit.
        branch: Option<String>,
        /// The commit's object name.
        commit: String,
    },
}

impl GitReference {
    /// The revision that Flux reports for this reference at `commit`: `main@sha1:…`, `v1.2@sha1:…`, `sha1:…`. For a
    /// semver range Flux names the tag that it chose; the range itself stands in for it here.
    #[must_use]
    pub fn revision(&self, commit: &str) -> String {
        match self {
            Self::Branch(name) | Self::Tag(name) | Self::Semver(name) => format!("{name}@sha1:{commit}"),
            Self::Commit { branch: Some(branch), .. } => format!("{branch}@sha1:{commit}"),
            Self::Commit { branch: None, .. } => format!("sha1:{commit}"),
        }
    }

    /// The name that git prints when a remote does not have this reference.
    pub(crate) fn missing(&self) -> String {
        match self {
            Self::Branch(name) => format!("couldn't find remote ref \"refs/heads/{name}\""),
            Self::Tag(name) => format!("couldn't find remote ref \"refs/tags/{name}\""),
            Self::Semver(range) => format!("no match found for semver: {range}"),
            Self::Commit { commit, .. } => format!("object not found: {commit}"),
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing is known about this URL: it counts as having every reference and every path.
    Unbound,
    /// The repository is known and does not have the reference.
    RepositoryMissingRef,
    /// The reference is there, and the path is not in it.
    PathMissing,
    /// The path is there.
    Present {
        /// Object name of the commit that the reference stands at.
        commit: String,
    },
}

/// Answers for repositories that the simulated Flux reads.
pub trait Repositories: Send + Sync {
    /// Looks for `path` (relative to the root; empty is the root) at `reference` in the repository at `url`.
    fn find(&self, url: &str, reference: &GitReference, path: &str) -> Found;
}

/// The commit of an unbound repository: the same for the same URL and reference, whoever asks.
pub(crate) fn invented_commit(url: &str, reference: &GitReference) -> String {
    if let GitReference::Commit { commit, .. } = reference {
        return commit.clone();
    }
    let seed = format!("{url}\n{}", reference.revision(""));
    let first = Uuid::new_v5(&Uuid::NAMESPACE_URL, seed.as_bytes());
    let second = Uuid::new_v5(&first, seed.as_bytes());
    let mut name = format!("{}{}", first.simple(), second.simple());
    name.truncate(40);
    name
}
