//! Whether the plan that is about to be applied was reviewed on its pull request.

use std::path::Path;

use super::Session;
use super::args::ForgeArgs;
use super::error::{CliError, chain};
use super::pull_request::{Found, check_name};
use crate::model::Digest;
use crate::review::{ForgeError, Intended, evidence, objections};

/// Goes on only when the plan with this digest was reviewed.
///
/// # Errors
///
/// What stands against it, all at once; or why it cannot be known. Either way nothing was written.
pub(super) async fn require(
    digest: &Digest,
    args: &ForgeArgs,
    ca_bundle: Option<&Path>,
    session: &Session,
) -> Result<(), CliError> {
    let Found { job, target, number, forge } = Found::by(args, ca_bundle, session)?;
    let client = forge.map_err(|why| unknown(&why))?;
    let number = match (number, &job.commit) {
        (Some(number), _) => number,
        (None, Some(commit)) => client
            .pull_request_of(commit)
            .await
            .map_err(|error| failed(&error))?
            .ok_or_else(|| unknown(&format!("no pull request brought the commit {commit}")))?,
        (None, None) => return Err(CliError::usage("--reviewed needs a pull request: give `--pull-request N`")),
    };
    let check = check_name(&target);
    let evidence = evidence(&client, number, &target, &check).await.map_err(|error| failed(&error))?;
    let Some(evidence) = evidence else {
        let why = format!("{} does not tell who approved which commit, and when", client.kind().name());
        return Err(unknown(&why).hint(
            "let the rules of the branch see to the review, and bind what is applied with `--expect DIGEST`, carried by the \
             pipeline from the plan to the apply",
        ));
    };
    let (commit, branch) = (job.commit.as_deref(), job.branch.as_deref());
    let objections = objections(&evidence, Intended { digest, check: &check, commit, branch });
    if objections.is_empty() {
        session.console.tell(&format!("Reviewed on pull request {number}: {digest}."));
        return Ok(());
    }
    Err(CliError::refused(format!("the plan was not reviewed as it is on pull request {number}; nothing was written"))
        .details(objections.iter().map(|one| format!("{}: {one}", one.code)).collect())
        .hint("plan again on the pull request (`arcflux plan --comment`), and have what it shows approved"))
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
