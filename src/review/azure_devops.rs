//! Azure DevOps' REST API, version 6.0, which Azure DevOps Server 2020 has, too.

use ::http::header::{ACCEPT, AUTHORIZATION, InvalidHeaderValue};
use ::http::{HeaderMap, HeaderValue, Method};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::call::{Call, is_segment, segment};
use super::forge::{Comment, CommentId, Protocol, PullRequest, Status, Verdict, merged_as, number, text, time};
use crate::model::Secret;

const VERSION: &str = "api-version=6.0";

/// The most characters of a description: as many as the other forges show.
const DESCRIPTION: usize = 255;

pub(super) struct AzureDevOps {
    /// The path of the organisation, or of the collection.
    base: String,
    /// The path of the repository's API, encoded.
    repository: String,
}

impl AzureDevOps {
    pub(super) fn new(base: String, repository: &str) -> Option<Self> {
        let (project, name) = repository.split_once('/')?;
        if !is_segment(project) || !is_segment(name) || name.contains('/') {
            return None;
        }
        let repository = format!("{base}/{}/_apis/git/repositories/{}", segment(project), segment(name));
        Some(Self { base, repository })
    }

    fn threads(&self, number: u64) -> String {
        format!("{}/pullRequests/{number}/threads", self.repository)
    }
}

/// Whether a token is one that Entra, or a pipeline, has issued, and no personal access token.
fn is_bearer(token: &str) -> bool {
    token.starts_with("eyJ") && token.split('.').count() == 3
}

impl Protocol for AzureDevOps {
    fn headers(&self, token: &Secret) -> Result<HeaderMap, InvalidHeaderValue> {
        let token = token.reveal();
        let mut authorization = if is_bearer(token) {
            HeaderValue::from_str(&format!("Bearer {token}"))?
        } else {
            HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(format!(":{token}"))))?
        };
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // Without it a token that is not taken is answered with a page to sign in on.
        headers.insert("x-tfs-fedauthredirect", HeaderValue::from_static("Suppress"));
        Ok(headers)
    }

    fn identity(&self) -> Call {
        Call::read(format!("{}/_apis/connectionData?api-version=6.0-preview.1", self.base))
    }

    fn read_identity(&self, body: &Value) -> Option<String> {
        text(body, "/authenticatedUser/id")
    }

    fn comments(&self, number: u64) -> Call {
        Call::read(format!("{}?{VERSION}", self.threads(number)))
    }

    /// The first comment of each thread: ours begin one.
    fn read_comments(&self, body: &Value) -> Option<Vec<Comment>> {
        let is_deleted = |value: &Value| value.pointer("/isDeleted").and_then(Value::as_bool) == Some(true);
        let mut comments = Vec::new();
        for thread in body.pointer("/value")?.as_array()? {
            let first = thread.pointer("/comments/0").filter(|first| !is_deleted(thread) && !is_deleted(first));
            let Some(first) = first else { continue };
            comments.push(Comment {
                id: CommentId { thread: number(thread, "/id")?, comment: number(first, "/id")? },
                author: text(first, "/author/id").unwrap_or_default(),
                body: text(first, "/content").unwrap_or_default(),
                edited_at: time(first, "/lastContentUpdatedDate"),
            });
        }
        Some(comments)
    }

    /// The thread is closed from the beginning: an active one can block the merge until somebody resolves it.
    fn create(&self, number: u64, body: &str) -> Call {
        let comment = json!({"parentCommentId": 0, "content": body, "commentType": "text"});
        let thread = json!({"comments": [comment], "status": "closed"});
        Call::once(format!("{}?{VERSION}", self.threads(number)), thread)
    }

    fn update(&self, number: u64, id: CommentId, body: &str) -> Call {
        let path = format!("{}/{}/comments/{}?{VERSION}", self.threads(number), id.thread, id.comment);
        Call::repeatable(Method::PATCH, path, json!({"content": body}))
    }

    /// Azure DevOps has no word for "somebody should look": a destructive plan has succeeded, and says so.
    fn statuses(&self, status: &Status) -> Vec<Call> {
        let state = match status.verdict {
            Verdict::NoChanges => "notApplicable",
            Verdict::Changes | Verdict::Destructive => "succeeded",
            Verdict::Failed => "failed",
        };
        // The name is made of two parts here: `arcflux/` and the rest.
        let (genre, name) = status.name.split_once('/').unwrap_or(("arcflux", &status.name));
        let mut body = json!({
            "state": state,
            "description": status.description(DESCRIPTION),
            "context": {"name": name, "genre": genre},
        });
        if let Some(url) = &status.url {
            body["targetUrl"] = json!(url);
        }
        let path = format!("{}/commits/{}/statuses?{VERSION}", self.repository, segment(&status.sha));
        vec![Call::repeatable(Method::POST, path, body)]
    }

    fn pull_request(&self, number: u64) -> Call {
        Call::read(format!("{}/pullRequests/{number}?{VERSION}", self.repository))
    }

    fn read_pull_request(&self, body: &Value) -> Option<PullRequest> {
        Some(PullRequest {
            number: number(body, "/pullRequestId")?,
            head: text(body, "/lastMergeSourceCommit/commitId")?,
            base: text(body, "/lastMergeTargetCommit/commitId"),
            author: text(body, "/createdBy/id"),
            is_open: text(body, "/status")? == "active",
            base_branch: text(body, "/targetRefName").map(|name| name.trim_start_matches("refs/heads/").to_owned()),
            default_branch: None,
            merged_as: text(body, "/lastMergeCommit/commitId")
                .filter(|_| text(body, "/status").as_deref() == Some("completed")),
        })
    }

    fn pull_request_of(&self, sha: &str) -> Call {
        let query = json!({"queries": [{"items": [sha], "type": "lastMergeCommit"}]});
        Call::repeatable(Method::POST, format!("{}/pullrequestquery?{VERSION}", self.repository), query)
    }

    fn read_pull_request_of(&self, body: &Value, sha: &str) -> Option<Option<u64>> {
        let results = body.pointer("/results")?.as_array()?;
        let found = results.iter().filter_map(Value::as_object).flat_map(|result| result.values());
        let all = found.filter_map(Value::as_array).flatten();
        Some(merged_as(all, "/pullRequestId", "/lastMergeCommit/commitId", sha))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_personal_access_token_is_a_password_and_any_other_a_bearer() {
        let forge = AzureDevOps::new("/contoso".to_owned(), "edge/gitops").unwrap();
        let sent = |token: &str| {
            let headers = forge.headers(&Secret::new(token.to_owned())).unwrap();
            headers[AUTHORIZATION].to_str().unwrap().to_owned()
        };
        assert_eq!(sent("eyJh.eyJi.c"), "Bearer eyJh.eyJi.c");
        assert_eq!(sent("abc"), "Basic OmFiYw==");
    }
}
