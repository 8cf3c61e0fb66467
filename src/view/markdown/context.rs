//! What a comment says beside the plan: where it was made, and for what.

use jiff::Timestamp;
use url::Url;

use super::Budget;
use crate::model::{CommitId, Target};

/// What a comment says beside the plan. What is absent is left out; nothing here changes what is said of the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// What the plan is for.
    pub target: Target,
    /// The commit that was planned: the head of the pull request.
    pub commit: Option<CommitId>,
    /// The commit that it is to be merged into.
    pub base: Option<CommitId>,
    /// The run that made the plan.
    pub run_url: Option<Url>,
    /// Where the whole plan is kept.
    pub artifact_url: Option<Url>,
    /// When the live state was read.
    pub live_read_at: Option<Timestamp>,
    /// The command that applies the plan, on one line; without it, `arcflux apply` with what the plan was made with.
    pub apply_command: Option<String>,
    /// How long the comment may be.
    pub budget: Budget,
}
