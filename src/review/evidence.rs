//! What a forge knows of a pull request whose plan is to be applied: gathered here, judged by [`objections`](super::objections).
//! Only GitHub tells all of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::client::ForgeClient;
use super::decide::comment_digest;
use super::error::ForgeError;

use super::forge::{Comment, PullRequest};
use super::github_evidence as github;
use crate::model::{Digest, Marker, Target};

/// How many files a comparison of two commits names at most: with so many, there may be more
/// (GitHub's REST API, "Compare two commits").
const MOST_COMPARED_FILES: usize = 300;

/// How many files of a pull request GitHub lists at most, and how many of its commits ("List pull requests files", "List
/// commits on a pull request"): with so many, there may be more.
const MOST_FILES: usize = 3000;
const MOST_COMMITS: usize = 250;

/// What is known of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The pull request.
    pub pull_request: PullRequest,
    /// Whose the token is.
    pub me: String,
    /// Our comments for the target, the oldest first, without those that were folded. One is as it should be.
    pub comments: Vec<PlanComment>,
    /// The checks of the name that was asked for, on the head of the pull request.
    pub checks: Vec<Check>,
    /// Who wrote or committed its commits; `None` where the forge does not list all of them, or does not know whose the
    /// head is.
    pub contributors: Option<BTreeSet<String>>,
    /// The last word of each reviewer.
    pub reviews: Vec<Review>,
    /// What has happened to the branch that it is merged into, since the plan was made.
    pub base: BaseChange,
}

/// Our comment with the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanComment {
    /// What its first line says.
    pub marker: Marker,
    /// When somebody last edited it, us included.
    pub edited_at: Timestamp,
    /// What tells its text from others ([`comment_digest`]).
    pub digest: Digest,
}

/// A check run on a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The short name of the app that made it: `github-actions`.
    pub app: String,
    /// The commit that it is on.
    pub head: String,
    /// What it came to: `success`; absent while it runs.
    pub conclusion: Option<String>,
    /// The digest of the plan that it carries.
    pub digest: Option<Digest>,
    /// What tells the text of the comment that was posted with it ([`comment_digest`]).
    pub comment: Option<Digest>,
}

/// What a reviewer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinion {
    /// Approved.
    Approves,
    /// Changes are wanted first.
    RequestsChanges,
    /// Whatever it was, it counts no more.
    Dismissed,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who gave it.
    pub reviewer: String,
    /// Whether that is a program.
    pub is_bot: bool,
    /// What it says.
    pub opinion: Opinion,
    /// The commit that was looked at.
    pub commit: String,
    /// When.
    pub at: Timestamp,
    /// Whether the reviewer may write to the repository: anybody who can read a repository can approve.
    pub may_write: bool,
}

/// What has happened to the branch that a pull request is merged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseChange {
    /// It is not known which commit the plan was made for, so nothing can be compared.
    Unknown,
    /// These files that the pull request changes, too, were changed; mostly none.
    Files(Vec<String>),
    /// More was changed than the forge tells.
    TooMuch,
    /// The commit that the plan was made for is no ancestor of it any more.
    Rewritten,
}

/// Gathers what is known of pull request `number`, as far as it matters for applying the plan of `target`, whose check is
/// called `check`. `None` on forges other than GitHub.
///
/// # Errors
///
/// [`ForgeError`].
pub async fn evidence(
    client: &ForgeClient,
    number: u64,
    target: &Target,
    check: &str,
) -> Result<Option<Evidence>, ForgeError> {
    let Some(forge) = client.github() else { return Ok(None) };
    let me = client.identity().await?;
    let pull_request = client.pull_request(number).await?;
    let comments = plan_comments(client.comments(number).await?, &me, target);
    let checks = client.all(forge.checks(&pull_request.head, check), "check runs", github::read_checks).await?;
    let commits = client.all(forge.commits(number), "commits", github::read_commits).await?;
    let contributors = contributors(&pull_request.head, commits);
    let reviews = client.all(forge.reviews(number), "reviews", github::read_reviews).await?;
    let reviews = last_words(client, forge, reviews).await?;
    let base = base_change(client, forge, &pull_request, comments.last()).await?;
    Ok(Some(Evidence { pull_request, me, comments, checks, contributors, reviews, base }))
}

/// Those of `me` about the target, without the older ones in the place of which another one has come.
fn plan_comments(all: Vec<Comment>, me: &str, target: &Target) -> Vec<PlanComment> {
    let mut ours: Vec<Comment> = all.into_iter().filter(|comment| comment.author.eq_ignore_ascii_case(me)).collect();
    ours.sort_by_key(|comment| comment.id);
    let plan_comment = |comment: &Comment| {
        let marker = Marker::of_comment(&comment.body).filter(|marker| marker.target == *target)?;
        Some(PlanComment { marker, edited_at: comment.edited_at?, digest: comment_digest(&comment.body) })
    };
    let mut comments: Vec<PlanComment> = ours.iter().filter_map(plan_comment).collect();
    let newest = comments.pop();
    comments.retain(|comment| !comment.marker.is_superseded());
    comments.extend(newest);
    comments
}

/// Everybody who wrote or committed one of the commits, if that can be told.
fn contributors(head: &str, commits: Vec<github::Contribution>) -> Option<BTreeSet<String>> {
    let is_known = commits.iter().any(|one| one.sha.eq_ignore_ascii_case(head) && !one.people.is_empty());
    (is_known && commits.len() < MOST_COMMITS).then(|| commits.into_iter().flat_map(|one| one.people).collect())
}

/// The last review of each reviewer, and whether they may write.
async fn last_words(
    client: &ForgeClient,
    forge: &github::GitHub,
    reviews: Vec<Review>,
) -> Result<Vec<Review>, ForgeError> {
    let mut last: BTreeMap<String, Review> = BTreeMap::new();
    for review in reviews {
        let key = review.reviewer.to_ascii_lowercase();
        if last.get(&key).is_none_or(|earlier| earlier.at <= review.at) {
            last.insert(key, review);
        }
    }
    let mut reviews: Vec<Review> = last.into_values().collect();
    for review in reviews.iter_mut().filter(|review| review.opinion != Opinion::Dismissed) {
        let asked = client.ask(&forge.permission(&review.reviewer), "a permission", github::read_permission).await;
        review.may_write = match asked {
            Ok(may_write) => may_write,
            // Who is no collaborator has none.
            Err(error) if error.is_missing() => false,
            Err(error) => return Err(error),
        };
    }
    Ok(reviews)
}

/// Compares the commit that the plan was made for with what the pull request is, or was, merged into.
async fn base_change(
    client: &ForgeClient,
    forge: &github::GitHub,
    pull_request: &PullRequest,
    comment: Option<&PlanComment>,
) -> Result<BaseChange, ForgeError> {
    let Some(planned_for) = comment.and_then(|comment| comment.marker.base.as_ref()) else {
        return Ok(BaseChange::Unknown);
    };
    let now = match (&pull_request.merged_as, &pull_request.base_branch) {
        // What it was merged into is what came before the merge.
        (Some(merge), _) => client.ask(&forge.commit(merge), "a commit", github::read_first_parent).await?,
        (None, Some(branch)) => Some(branch.clone()),
        (None, None) => None,
    };
    let Some(now) = now else { return Ok(BaseChange::Unknown) };
    let comparison = forge.comparison(&planned_for.to_string(), &now);
    let compared = client.ask(&comparison, "a comparison of commits", github::read_comparison).await?;
    if compared.is_rewritten {
        return Ok(BaseChange::Rewritten);
    }
    if compared.files.is_empty() {
        return Ok(BaseChange::Files(Vec::new()));
    }
    if compared.files.len() >= MOST_COMPARED_FILES {
        return Ok(BaseChange::TooMuch);
    }
    let changed = client.all(forge.files(pull_request.number), "files", github::read_files).await?;
    if changed.len() >= MOST_FILES {
        return Ok(BaseChange::TooMuch);
    }
    let changed: BTreeSet<String> = changed.into_iter().collect();
    let mut both: Vec<String> = compared.files.into_iter().filter(|file| changed.contains(file)).collect();
    both.sort();
    both.dedup();
    Ok(BaseChange::Files(both))
}
