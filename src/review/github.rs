//! GitHub's REST API, version 2022-11-28, and one query of GraphQL: who a token belongs to is told to every kind of token
//! only there (`GET /user` is refused to the tokens of workflows and apps).

use ::http::header::{ACCEPT, AUTHORIZATION, InvalidHeaderValue};
use ::http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use super::call::{Call, is_segment, segment};
use super::forge::{Comment, CommentId, Protocol, PullRequest, Status, Verdict, merged_as, number, text, time};
use crate::model::Secret;

/// The most characters that the description of a commit status takes.
const DESCRIPTION: usize = 140;

/// How the line of a check's summary begins that tells the text of the comment; a backtick ends it.
pub(super) const COMMENT: &str = "Comment: `";

pub(super) struct GitHub {
    /// The path of the API: empty for github.com, `/api/v3` for a server of one's own.
    base: String,
    /// `/repos/OWNER/NAME`, encoded.
    repository: String,
}

impl GitHub {
    pub(super) fn new(base: String, repository: &str) -> Option<Self> {
        let (owner, name) = repository.split_once('/')?;
        if !is_segment(owner) || !is_segment(name) || name.contains('/') {
            return None;
        }
        let repository = format!("{base}/repos/{}/{}", segment(owner), segment(name));
        Some(Self { base, repository })
    }

    /// The path of the repository.
    pub(super) fn repository(&self) -> &str {
        &self.repository
    }
}

impl Protocol for GitHub {
    fn github(&self) -> Option<&GitHub> {
        Some(self)
    }

    fn headers(&self, token: &Secret) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut headers = HeaderMap::new();
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
        Ok(headers)
    }

    fn identity(&self) -> Call {
        let base = self.base.strip_suffix("/v3").unwrap_or(&self.base);
        Call::repeatable(Method::POST, format!("{base}/graphql"), json!({"query": "query { viewer { login } }"}))
    }

    fn read_identity(&self, body: &Value) -> Option<String> {
        text(body, "/data/viewer/login")
    }

    fn comments(&self, number: u64) -> Call {
        Call::read(format!("{}/issues/{number}/comments?per_page=100", self.repository))
    }

    fn read_comments(&self, body: &Value) -> Option<Vec<Comment>> {
        let comment = |comment: &Value| {
            Some(Comment {
                id: CommentId { thread: 0, comment: number(comment, "/id")? },
                // A deleted account has no user.
                author: text(comment, "/user/login").unwrap_or_default(),
                body: text(comment, "/body").unwrap_or_default(),
                edited_at: time(comment, "/updated_at"),
            })
        };
        body.as_array()?.iter().map(comment).collect()
    }

    fn create(&self, number: u64, body: &str) -> Call {
        Call::once(format!("{}/issues/{number}/comments", self.repository), json!({"body": body}))
    }

    fn update(&self, _number: u64, id: CommentId, body: &str) -> Call {
        let path = format!("{}/issues/comments/{}", self.repository, id.comment);
        Call::repeatable(Method::PATCH, path, json!({"body": body}))
    }

    /// A check run, which only apps can make (workflows are one); a commit status for every other token.
    fn statuses(&self, status: &Status) -> Vec<Call> {
        let Status { name, sha, verdict, title, digest, comment, url } = status;
        let (conclusion, state) = match verdict {
            Verdict::NoChanges => ("neutral", "success"),
            Verdict::Changes => ("success", "success"),
            Verdict::Destructive => ("action_required", "success"),
            Verdict::Failed => ("failure", "failure"),
        };
        // A summary is Markdown, and a title may hold what a server said: it stays out of it.
        let mut summary = match digest {
            Some(digest) => format!("Digest: `{digest}`"),
            None => "There is no plan: the log of the job says why.".to_owned(),
        };
        if let Some(comment) = comment {
            summary = format!("{summary}\n\n{COMMENT}{comment}`");
        }
        let mut check = json!({
            "name": name,
            "head_sha": sha,
            "status": "completed",
            "conclusion": conclusion,
            "output": {"title": title, "summary": summary},
        });
        let mut plain = json!({
            "state": state,
            "context": name,
            "description": status.description(DESCRIPTION),
        });
        if let Some(digest) = digest {
            check["external_id"] = json!(digest);
        }
        if let Some(url) = url {
            check["details_url"] = json!(url);
            plain["target_url"] = json!(url);
        }
        vec![
            Call::repeatable(Method::POST, format!("{}/check-runs", self.repository), check),
            Call::repeatable(Method::POST, format!("{}/statuses/{}", self.repository, segment(sha)), plain),
        ]
    }

    fn pull_request(&self, number: u64) -> Call {
        Call::read(format!("{}/pulls/{number}", self.repository))
    }

    fn read_pull_request(&self, body: &Value) -> Option<PullRequest> {
        Some(PullRequest {
            number: number(body, "/number")?,
            head: text(body, "/head/sha")?,
            base: text(body, "/base/sha"),
            author: text(body, "/user/login"),
            is_open: text(body, "/state")? == "open",
            base_branch: text(body, "/base/ref"),
            default_branch: text(body, "/base/repo/default_branch"),
            // While it is open, this is a merge that was only tried.
            merged_as: text(body, "/merge_commit_sha")
                .filter(|_| body.pointer("/merged").and_then(Value::as_bool) == Some(true)),
        })
    }

    fn pull_request_of(&self, sha: &str) -> Call {
        Call::read(format!("{}/commits/{}/pulls", self.repository, segment(sha)))
    }

    fn read_pull_request_of(&self, body: &Value, sha: &str) -> Option<Option<u64>> {
        // Of one that is open this is a merge that was only tried, which no branch has.
        Some(merged_as(body.as_array()?.iter(), "/number", "/merge_commit_sha", sha))
    }
}
