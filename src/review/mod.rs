//! Pull requests on three forges: one comment kept up to date, and a check or status on a commit. GitHub (and Enterprise
//! Server), Azure DevOps and GitLab, through a handful of REST calls each.
//!
//! What to do is decided purely ([`decide`] from the comments that are there); each forge builds requests and reads
//! answers and sends nothing (`forge`); the [`ForgeClient`] sends them, with retries, paging and the token, which goes
//! to the origin of the API and nowhere else. What this module must not know: plans, and where it runs: whoever calls it
//! has found out which pull request it is about.

mod approval;
mod azure_devops;
mod call;
mod client;
mod decide;
mod error;
mod evidence;
mod forge;
mod gate;
mod github;
mod github_evidence;
mod gitlab;
mod limits;
mod link;
mod post;

pub use client::{ForgeClient, Observer};
pub use decide::{Decision, Wanted, Write, comment_digest, decide};
pub use error::{ForgeError, SetupError};
pub use evidence::{BaseChange, Check, Evidence, Opinion, PlanComment, Review, evidence};
pub use forge::{Comment, CommentId, ForgeKind, PullRequest, Status, Verdict};
pub use gate::{Intended, Objection, objections};
pub use post::{Posted, put_comment};
