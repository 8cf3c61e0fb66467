//! What the forges have in common: the words, and what each has to say about its own requests and answers.

use std::fmt;

use ::http::HeaderMap;
use ::http::header::InvalidHeaderValue;
use jiff::Timestamp;
use serde_json::Value;

use super::call::Call;
use super::error::SetupError;
use super::{azure_devops, github, gitlab};
use crate::model::{Digest, Secret};

/// Which forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForgeKind {
    /// github.com, or GitHub Enterprise Server.
    GitHub,
    /// Azure DevOps, or Azure DevOps Server.
    AzureDevOps,
    /// gitlab.com, or a GitLab of one's own.
    GitLab,
}

impl ForgeKind {
    /// Its name in sentences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::AzureDevOps => "Azure DevOps",
            Self::GitLab => "GitLab",
        }
    }

    /// What a token needs to do all of it, in the forge's own words.
    #[must_use]
    pub const fn permissions(self) -> &'static str {
        match self {
            Self::GitHub => "`pull-requests: write`",
            Self::AzureDevOps => "\"Contribute to pull requests\" on the repository",
            Self::GitLab => "the scope `api` and the role Developer",
        }
    }

    /// What a token must be allowed to do for a check or a status.
    #[must_use]
    pub const fn check_permissions(self) -> &'static str {
        match self {
            Self::GitHub => "`checks: write`, or `statuses: write` where the token is no app's",
            Self::AzureDevOps => "\"Contribute\" on the repository",
            Self::GitLab => "the scope `api` and the role Developer",
        }
    }

    /// How requests and answers look for one repository. `base` is the path that the API's address has.
    pub(super) fn protocol(self, base: String, repository: &str) -> Result<Box<dyn Protocol>, SetupError> {
        let refused = |form: &'static str| SetupError::Repository { text: repository.to_owned(), form };
        Ok(match self {
            Self::GitHub => Box::new(github::GitHub::new(base, repository).ok_or(refused("OWNER/NAME"))?),
            Self::AzureDevOps => {
                Box::new(azure_devops::AzureDevOps::new(base, repository).ok_or(refused("PROJECT/REPOSITORY"))?)
            }
            Self::GitLab => Box::new(gitlab::GitLab::new(base, repository).ok_or(refused("GROUP/PROJECT or its id"))?),
        })
    }
}

/// A comment of a pull request, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its name.
    pub id: CommentId,
    /// Who wrote it, in the words in which the forge also tells who the token belongs to.
    pub author: String,
    /// Its text, as it was written.
    pub body: String,
    /// When it was last edited, or written; where the forge says so.
    pub edited_at: Option<Timestamp>,
}

/// The name of a comment. Later ones have greater names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommentId {
    /// The thread that it is in, where the forge has threads; else 0.
    pub thread: u64,
    /// The comment.
    pub comment: u64,
}

impl fmt::Display for CommentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.thread {
            0 => write!(f, "{}", self.comment),
            thread => write!(f, "{thread}/{}", self.comment),
        }
    }
}

/// A pull request, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the repository.
    pub number: u64,
    /// The newest commit of what is to be merged.
    pub head: String,
    /// The newest commit of what it is to be merged into, or the last one that the forge compared with.
    pub base: Option<String>,
    /// Who opened it, in the words of [`Comment::author`].
    pub author: Option<String>,
    /// Whether it is open.
    pub is_open: bool,
    /// The branch that it is to be merged into, without `refs/heads/`.
    pub base_branch: Option<String>,
    /// The branch that the repository is about, where the forge tells it with the pull request.
    pub default_branch: Option<String>,
    /// The commit that it was merged as; absent while it is not.
    pub merged_as: Option<String>,
}

/// What a plan comes to, for a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is nothing to do.
    NoChanges,
    /// There is something to do, and it takes nothing away.
    Changes,
    /// Something is deleted or replaced: somebody should look.
    Destructive,
    /// There is no plan, or a safety rule refuses it.
    Failed,
}

/// A check, or a status, on a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What is checked: `arcflux/plan (prod)`.
    pub name: String,
    /// The commit.
    pub sha: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// The same in a sentence.
    pub title: String,
    /// The digest of the plan, where there is one.
    pub digest: Option<String>,
    /// What tells the text of the comment with it ([`comment_digest`](super::comment_digest)), where there is one. Only
    /// GitHub's checks carry it: nobody but the app that made a check can change it.
    pub comment: Option<Digest>,
    /// Where more is to be read.
    pub url: Option<String>,
}

impl Status {
    /// The sentence and the whole digest, in at most `limit` characters.
    pub(super) fn description(&self, limit: usize) -> String {
        let Some(digest) = &self.digest else { return clipped(&self.title, limit) };
        let room = limit.saturating_sub(digest.chars().count() + 1);
        format!("{} {digest}", clipped(&self.title, room)).trim_start().to_owned()
    }
}

fn clipped(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let Some(kept) = limit.checked_sub(1) else { return String::new() };
    format!("{}…", text.chars().take(kept).collect::<String>())
}

/// One repository on one forge: builds requests and reads answers. Reading gives `None` for what is not such an answer.
pub(super) trait Protocol: Send + Sync {
    /// GitHub, where it is: only GitHub tells everything that a plan must be reviewed by.
    fn github(&self) -> Option<&github::GitHub> {
        None
    }
    /// The headers of every request, the token among them.
    fn headers(&self, token: &Secret) -> Result<HeaderMap, InvalidHeaderValue>;
    /// Asks whose the token is.
    fn identity(&self) -> Call;
    fn read_identity(&self, body: &Value) -> Option<String>;
    /// Asks for the first page of the comments.
    fn comments(&self, number: u64) -> Call;
    fn read_comments(&self, body: &Value) -> Option<Vec<Comment>>;
    fn create(&self, number: u64, body: &str) -> Call;
    fn update(&self, number: u64, id: CommentId, body: &str) -> Call;
    /// Ways to set a status, best first: where the token may not go one, the next is tried.
    fn statuses(&self, status: &Status) -> Vec<Call>;
    fn pull_request(&self, number: u64) -> Call;
    fn read_pull_request(&self, body: &Value) -> Option<PullRequest>;
    /// Asks which pull request brought a commit.
    fn pull_request_of(&self, sha: &str) -> Call;
    /// Its number; `Some(None)` where no pull request did. Of several, the one that was merged as that commit.
    fn read_pull_request_of(&self, body: &Value, sha: &str) -> Option<Option<u64>>;
}

/// The time at `pointer`.
pub(super) fn time(body: &Value, pointer: &str) -> Option<Timestamp> {
    text(body, pointer)?.parse().ok()
}

/// The number of the pull request that was merged as `sha`, else the first one. `merge` is where each has the commit that
/// it was merged as.
pub(super) fn merged_as<'a>(
    all: impl Iterator<Item = &'a Value> + Clone,
    name: &str,
    merge: &str,
    sha: &str,
) -> Option<u64> {
    let is_it = |one: &&Value| text(one, merge).is_some_and(|commit| commit.eq_ignore_ascii_case(sha));
    let found = all.clone().find(is_it);
    found.into_iter().chain(all).find_map(|one| number(one, name))
}

/// The text at `pointer`.
pub(super) fn text(body: &Value, pointer: &str) -> Option<String> {
    body.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// The number at `pointer`.
pub(super) fn number(body: &Value, pointer: &str) -> Option<u64> {
    body.pointer(pointer).and_then(Value::as_u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_always_has_the_whole_digest() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let status = |title: &str, digest: Option<&str>| Status {
            name: "arcflux/plan (prod)".to_owned(),
            sha: "1".repeat(40),
            verdict: Verdict::Changes,
            title: title.to_owned(),
            digest: digest.map(str::to_owned),
            comment: None,
            url: None,
        };
        assert_eq!(status("1 to add", Some(&digest)).description(140), format!("1 to add {digest}"));
        let long = status(&"ä".repeat(300), Some(&digest)).description(140);
        assert!(long.ends_with(&format!("… {digest}")) && long.chars().count() == 140, "{long}");
        assert_eq!(status("x", Some(&digest)).description(10), digest);
        assert_eq!(status("abc", None).description(2), "a…");
    }
}
