//! Whether the plan that is about to be applied was reviewed on its pull request.

use std::path::Path;

use super::Session;
use super::args::ForgeArgs;
use super::error::{CliError, chain};
use super::pull_request::{Found, check_name};
use crate::model::{Digest, Target};
use crate::review::{ForgeClient, ForgeError, ForgeKind, Intended, evidence, objections};

/// Where a review is looked for.
pub(super) struct Review {
    /// The forge, or why it cannot be asked. Where nothing would be written, nobody asks it.
    forge: Result<ForgeClient, String>,
    target: Target,
    /// The pull request, where its number is known; else it is the one that brought the commit.
    number: Option<u64>,
    /// What the job is about, where there is one that tells.
    commit: Option<String>,
    branch: Option<String>,
}

impl Review {
    /// Finds out where, before anything is asked of anybody.
    ///
    /// # Errors
    ///
    /// Why no review can be found there.
    pub(super) fn sought(args: &ForgeArgs, ca_bundle: Option<&Path>, session: &Session) -> Result<Self, CliError> {
        let Found { job, target, number, forge } = Found::by(args, ca_bundle, session)?;
        if let Some(kind) = job.forge.filter(|kind| *kind != ForgeKind::GitHub) {
            return Err(not_told(kind));
        }
        if number.is_none() && job.commit.is_none() {
            return Err(without_number());
        }
        Ok(Self { forge, target, number, commit: job.commit, branch: job.branch })
    }
}

/// Goes on only when the plan with this digest was reviewed.
///
/// # Errors
///
/// What stands against it, all at once; or why it cannot be known. Either way nothing was written.
pub(super) async fn require(digest: &Digest, review: &Review, session: &Session) -> Result<(), CliError> {
    let Review { forge, target, number, commit, branch } = review;
    let client = forge.as_ref().map_err(|why| unknown(why))?;
    let number = match (number, commit) {
        (Some(number), _) => *number,
        (None, Some(commit)) => client
            .pull_request_of(commit)
            .await
            .map_err(|error| failed(&error))?
            .ok_or_else(|| unknown(&format!("no pull request brought the commit {commit}")))?,
        (None, None) => return Err(without_number()),
    };
    let check = check_name(target);
    let evidence = evidence(client, number, target, &check).await.map_err(|error| failed(&error))?;
    let evidence = evidence.ok_or_else(|| not_told(client.kind()))?;
    let objections =
        objections(&evidence, Intended { digest, check: &check, commit: commit.as_deref(), branch: branch.as_deref() });
    if objections.is_empty() {
        session.console.tell(&format!("Reviewed on pull request {number}: {digest}."));
        return Ok(());
    }
    Err(CliError::refused(format!("the plan was not reviewed as it is on pull request {number}; nothing was written"))
        .details(objections.iter().map(|one| format!("{}: {one}", one.code)).collect())
        .hint(if evidence.pull_request.is_open {
            "plan again on the pull request (`arcflux plan --comment`), and have what it shows approved"
        } else {
            "this pull request is done with: open another one that plans what is left to do, and have that approved"
        }))
}

fn without_number() -> CliError {
    CliError::usage("--reviewed needs a pull request: give `--pull-request N`")
}

fn not_told(kind: ForgeKind) -> CliError {
    unknown(&format!("{} does not tell who approved which commit, and when", kind.name())).hint(
        "let the rules of the branch see to the review, and bind what is applied with `--expect DIGEST`, carried by the \
         pipeline from the plan to the apply",
    )
}

fn failed(error: &ForgeError) -> CliError {
    let hint = error.is_denied().then_some(
        "the token must be able to read pull requests, checks and contents: `pull-requests: read`, `checks: read`, \
         `contents: read`",
    );
    let refused = unknown(&chain(error));
    match hint {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}

fn unknown(why: &str) -> CliError {
    CliError::refused(format!("it cannot be known whether the plan was reviewed: {why}; nothing was written"))
}
