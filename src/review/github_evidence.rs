//! What GitHub's REST API (version 2022-11-28) tells of a pull request beside its comments: checks, reviews, permissions,
//! files and commits.

use serde_json::Value;

use super::call::{Call, segment};
use super::evidence::{Check, Opinion, Review};
use super::forge::text;
use super::github;
pub(super) use super::github::GitHub;

/// What two commits differ in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Whether the first one is no ancestor of the second.
    pub(super) is_rewritten: bool,
    /// The files that were changed, under all names that they had.
    pub(super) files: Vec<String>,
}

impl GitHub {
    /// The newest check run of each app with this name on a commit.
    pub(super) fn checks(&self, sha: &str, name: &str) -> Call {
        let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let path = format!("{}/commits/{}/check-runs", self.repository(), segment(sha));
        Call::read(format!("{path}?check_name={name}&filter=latest&per_page=100"))
    }

    pub(super) fn reviews(&self, number: u64) -> Call {
        Call::read(format!("{}/pulls/{number}/reviews?per_page=100", self.repository()))
    }

    pub(super) fn commits(&self, number: u64) -> Call {
        Call::read(format!("{}/pulls/{number}/commits?per_page=100", self.repository()))
    }

    pub(super) fn permission(&self, user: &str) -> Call {
        Call::read(format!("{}/collaborators/{}/permission", self.repository(), segment(user)))
    }

    pub(super) fn files(&self, number: u64) -> Call {
        Call::read(format!("{}/pulls/{number}/files?per_page=100", self.repository()))
    }

    pub(super) fn commit(&self, sha: &str) -> Call {
        Call::read(format!("{}/commits/{}", self.repository(), segment(sha)))
    }

    pub(super) fn comparison(&self, from: &str, to: &str) -> Call {
        Call::read(format!("{}/compare/{}...{}", self.repository(), segment(from), segment(to)))
    }
}

pub(super) fn read_checks(body: &Value) -> Option<Vec<Check>> {
    let check = |run: &Value| {
        let of_comment = |line: &str| line.strip_prefix(github::COMMENT)?.strip_suffix('`')?.parse().ok();
        Some(Check {
            app: text(run, "/app/slug")?,
            head: text(run, "/head_sha")?,
            conclusion: text(run, "/conclusion").filter(|_| text(run, "/status").as_deref() == Some("completed")),
            digest: text(run, "/external_id").and_then(|id| id.parse().ok()),
            comment: text(run, "/output/summary").and_then(|summary| summary.lines().find_map(of_comment)),
        })
    };
    body.pointer("/check_runs")?.as_array()?.iter().map(check).collect()
}

/// A commit of a pull request, and whose it is as far as GitHub knows the addresses in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contribution {
    pub(super) sha: String,
    pub(super) people: Vec<String>,
}

pub(super) fn read_commits(body: &Value) -> Option<Vec<Contribution>> {
    let contribution = |commit: &Value| {
        let people = ["/author/login", "/committer/login"].into_iter().filter_map(|one| text(commit, one));
        // What is done on the web page is committed by GitHub itself.
        let people = people.filter(|login| login != "web-flow").collect();
        Some(Contribution { sha: text(commit, "/sha")?, people })
    };
    body.as_array()?.iter().map(contribution).collect()
}

/// The reviews that say something; a comment does not, and neither does what was not sent yet.
pub(super) fn read_reviews(body: &Value) -> Option<Vec<Review>> {
    let mut reviews = Vec::new();
    for review in body.as_array()? {
        let opinion = match text(review, "/state")?.as_str() {
            "APPROVED" => Opinion::Approves,
            "CHANGES_REQUESTED" => Opinion::RequestsChanges,
            "DISMISSED" => Opinion::Dismissed,
            _ => continue,
        };
        // A deleted account has no user, and a review of one counts for nobody.
        let Some(reviewer) = text(review, "/user/login") else { continue };
        let at = text(review, "/submitted_at")?.parse().ok()?;
        let commit = text(review, "/commit_id").unwrap_or_default();
        let is_bot = text(review, "/user/type").as_deref() == Some("Bot") || reviewer.ends_with("[bot]");
        reviews.push(Review { reviewer, is_bot, opinion, commit, at, may_write: false });
    }
    Some(reviews)
}

/// Whether a permission allows writing. `maintain` is told as `write`, and `triage` as `read`.
pub(super) fn read_permission(body: &Value) -> Option<bool> {
    Some(matches!(text(body, "/permission")?.as_str(), "admin" | "write" | "maintain"))
}

/// The files, under all names that they had.
pub(super) fn read_files(body: &Value) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for file in body.as_array()? {
        names.push(text(file, "/filename")?);
        names.extend(text(file, "/previous_filename"));
    }
    Some(names)
}

/// The first parent of a commit, if it has one.
pub(super) fn read_first_parent(body: &Value) -> Option<Option<String>> {
    Some(body.pointer("/parents")?.as_array()?.first().and_then(|parent| text(parent, "/sha")))
}

pub(super) fn read_comparison(body: &Value) -> Option<Comparison> {
    let is_rewritten = !matches!(text(body, "/status")?.as_str(), "ahead" | "identical");
    Some(Comparison { is_rewritten, files: read_files(body.pointer("/files")?)? })
}
