//! Putting the comment there: list, decide, write, and again where the world has moved.

use super::client::ForgeClient;
use super::decide::{Wanted, Write, decide};
use super::error::ForgeError;
use crate::model::{Marker, Target};

/// How often it is looked anew: after a comment was deleted under it, or a write whose outcome is not known.
const ROUNDS: u32 = 4;

/// What became of the comment.
#[derive(Debug)]
pub struct Posted {
    /// What was written.
    pub write: Write,
    /// The text that the comment has now: what was written, or what was left; empty where there is none.
    pub text: String,
    /// How many older comments were folded.
    pub folded: usize,
    /// Why others were not: the next run tries again.
    pub unfolded: Vec<ForgeError>,
    /// Who else has written comments that begin with the marker.
    pub impostors: Vec<String>,
}

/// Makes the one comment for `target` say `wanted`, and folds older ones.
///
/// # Errors
///
/// [`ForgeError`] when the comment does not say it; whether it says something older can be seen on the forge.
pub async fn put_comment(
    client: &ForgeClient,
    number: u64,
    target: &Target,
    wanted: Wanted<'_>,
) -> Result<Posted, ForgeError> {
    let is_marker =
        |line: &str| Marker::parse(line).is_some_and(|marker| marker.target == *target && !marker.is_superseded());
    let me = client.identity().await?;
    let mut gone = Vec::new();
    let mut rounds = 0;
    loop {
        client.pause_before_round(rounds).await;
        rounds += 1;
        let seen = client.comments(number).await?;
        let decision = decide(&seen, &me, is_marker, &gone, wanted);
        let written = match decision.write {
            Write::Nothing => Ok(()),
            Write::Create => client.create_comment(number, wanted.body).await,
            Write::Update(id) => {
                let written = client.update_comment(number, id, wanted.body).await;
                if written.as_ref().is_err_and(ForgeError::is_missing) {
                    gone.push(id);
                }
                written
            }
        };
        match (written, decision.write) {
            (Ok(()), _) => {
                let text = match decision.write {
                    Write::Nothing => decision.left.unwrap_or_default(),
                    Write::Create | Write::Update(_) => wanted.body.to_owned(),
                };
                let mut posted = Posted {
                    write: decision.write,
                    text,
                    folded: 0,
                    unfolded: Vec::new(),
                    impostors: decision.impostors,
                };
                for id in decision.fold {
                    match client.update_comment(number, id, wanted.superseded).await {
                        Ok(()) => posted.folded += 1,
                        Err(error) if error.is_missing() => {}
                        Err(error) => posted.unfolded.push(error),
                    }
                }
                return Ok(posted);
            }
            (Err(error), Write::Update(_)) if error.is_missing() && rounds < ROUNDS => {}
            (Err(error), _) if error.outcome_unknown() && rounds < ROUNDS => {}
            (Err(error), _) => return Err(error),
        }
    }
}
