//! GitLab's REST API, version 4.

use ::http::header::{ACCEPT, AUTHORIZATION, InvalidHeaderValue};
use ::http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use super::call::{Call, is_segment, segment};
use super::forge::{Comment, CommentId, Protocol, PullRequest, Status, Verdict, merged_as, number, text, time};
use crate::model::Secret;

/// The most characters that the description of a commit status takes.
const DESCRIPTION: usize = 255;

pub(super) struct GitLab {
    /// The path of the API: `/api/v4`.
    base: String,
    /// `/api/v4/projects/ID`, encoded.
    project: String,
}

impl GitLab {
    pub(super) fn new(base: String, project: &str) -> Option<Self> {
        if !project.split('/').all(is_segment) {
            return None;
        }
        let project = format!("{base}/projects/{}", segment(project));
        Some(Self { base, project })
    }
}

impl Protocol for GitLab {
    fn headers(&self, token: &Secret) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut headers = HeaderMap::new();
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(headers)
    }

    fn identity(&self) -> Call {
        Call::read(format!("{}/user", self.base))
    }

    fn read_identity(&self, body: &Value) -> Option<String> {
        number(body, "/id").map(|id| id.to_string())
    }

    fn comments(&self, number: u64) -> Call {
        Call::read(format!("{}/merge_requests/{number}/notes?per_page=100&sort=asc&order_by=created_at", self.project))
    }

    fn read_comments(&self, body: &Value) -> Option<Vec<Comment>> {
        let comment = |note: &Value| {
            Some(Comment {
                id: CommentId { thread: 0, comment: number(note, "/id")? },
                author: number(note, "/author/id").map(|id| id.to_string()).unwrap_or_default(),
                body: text(note, "/body").unwrap_or_default(),
                edited_at: time(note, "/updated_at"),
            })
        };
        // Lines of the system ("added 1 commit") are nobody's to change.
        let by_somebody = |note: &&Value| note.pointer("/system").and_then(Value::as_bool) != Some(true);
        body.as_array()?.iter().filter(by_somebody).map(comment).collect()
    }

    fn create(&self, number: u64, body: &str) -> Call {
        Call::once(format!("{}/merge_requests/{number}/notes", self.project), json!({"body": body}))
    }

    fn update(&self, number: u64, id: CommentId, body: &str) -> Call {
        let path = format!("{}/merge_requests/{number}/notes/{}", self.project, id.comment);
        Call::repeatable(Method::PUT, path, json!({"body": body}))
    }

    /// GitLab has no word for "somebody should look": a destructive plan is a success, and says so.
    fn statuses(&self, status: &Status) -> Vec<Call> {
        let state = match status.verdict {
            Verdict::NoChanges | Verdict::Changes | Verdict::Destructive => "success",
            Verdict::Failed => "failed",
        };
        let mut body = json!({
            "state": state,
            "name": status.name,
            "description": status.description(DESCRIPTION),
        });
        if let Some(url) = &status.url {
            body["target_url"] = json!(url);
        }
        vec![Call::repeatable(Method::POST, format!("{}/statuses/{}", self.project, segment(&status.sha)), body)]
    }

    fn pull_request(&self, number: u64) -> Call {
        Call::read(format!("{}/merge_requests/{number}", self.project))
    }

    fn read_pull_request(&self, body: &Value) -> Option<PullRequest> {
        Some(PullRequest {
            number: number(body, "/iid")?,
            head: text(body, "/sha")?,
            base: text(body, "/diff_refs/base_sha"),
            author: number(body, "/author/id").map(|id| id.to_string()),
            is_open: text(body, "/state")? == "opened",
            base_branch: text(body, "/target_branch"),
            default_branch: None,
            merged_as: text(body, "/merge_commit_sha").or_else(|| text(body, "/squash_commit_sha")),
        })
    }

    fn pull_request_of(&self, sha: &str) -> Call {
        Call::read(format!("{}/repository/commits/{}/merge_requests", self.project, segment(sha)))
    }

    fn read_pull_request_of(&self, body: &Value, sha: &str) -> Option<Option<u64>> {
        Some(merged_as(body.as_array()?.iter(), "/iid", "/merge_commit_sha", sha))
    }
}
