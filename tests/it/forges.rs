//! Three forges in memory, as strict as their documentation: a request that is not one of theirs, in method, path, query,
//! headers or the shape of its body, fails the test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::model::Secret;
use arcflux::review::{CommentId, ForgeClient, ForgeKind};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::scripted::{Reply, VirtualClock};

pub(crate) const TOKEN: &str = "T0KEN-of-the-job";
pub(crate) const HEAD: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const ALL: [ForgeKind; 3] = [ForgeKind::GitHub, ForgeKind::AzureDevOps, ForgeKind::GitLab];

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Identity,
    List,
    Create,
    Update,
    Check,
    Status,
    PullRequest,
    OfCommit,
}

/// A comment on the forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: CommentId,
    pub(crate) author: String,
    pub(crate) body: String,
}

/// Something that goes wrong, once.
struct Fault {
    at: Asked,
    /// Whether the forge does what it is asked for all the same.
    done: bool,
    what: FaultKind,
}

enum FaultKind {
    Answer(Reply),
    /// Somebody deletes a comment just before.
    Deleted(CommentId),
    /// Somebody else's comment comes just before.
    Written(String, String),
}

#[derive(Default)]
struct State {
    comments: Vec<Kept>,
    newest: u64,
    statuses: Vec<Value>,
    asked: Vec<Asked>,
    faults: VecDeque<Fault>,
}

/// The forge, with one pull request: number 7 of `contoso/gitops`.
pub(crate) struct Fake {
    kind: ForgeKind,
    state: Mutex<State>,
}

impl Fake {
    pub(crate) fn new(kind: ForgeKind) -> Arc<Self> {
        Arc::new(Self { kind, state: Mutex::default() })
    }

    /// A client of it, and its clock.
    pub(crate) fn client(self: &Arc<Self>) -> (ForgeClient, Arc<VirtualClock>) {
        let clock = VirtualClock::new();
        let token = Secret::new(TOKEN.to_owned());
        let client = ForgeClient::new(self.clone(), clock.clone(), self.kind, self.api(), "contoso/gitops", token);
        (client.unwrap().jitter(Arc::new(|| 0.5)), clock)
    }

    pub(crate) fn api(&self) -> &'static str {
        match self.kind {
            ForgeKind::GitHub => "https://api.github.com",
            ForgeKind::AzureDevOps => "https://dev.azure.com/contoso/",
            ForgeKind::GitLab => "https://gitlab.com/api/v4",
        }
    }

    /// Who the token belongs to, in the forge's words.
    pub(crate) fn me(&self) -> &'static str {
        match self.kind {
            ForgeKind::GitHub => "github-actions[bot]",
            ForgeKind::AzureDevOps => "b5a3b2b0-0000-4000-8000-00000000000b",
            ForgeKind::GitLab => "41",
        }
    }

    /// Somebody else.
    pub(crate) fn other(&self) -> &'static str {
        match self.kind {
            ForgeKind::GitHub => "mallory",
            ForgeKind::AzureDevOps => "a1a1a1a1-0000-4000-8000-00000000000a",
            ForgeKind::GitLab => "42",
        }
    }

    pub(crate) fn write(&self, author: &str, body: &str) -> CommentId {
        self.state.lock().unwrap().write(self.kind, author, body)
    }

    pub(crate) fn fails(&self, at: Asked, reply: Reply) {
        self.fault(at, false, FaultKind::Answer(reply));
    }

    /// The request is carried out, and its answer is this.
    pub(crate) fn answers_though_done(&self, at: Asked, reply: Reply) {
        self.fault(at, true, FaultKind::Answer(reply));
    }

    pub(crate) fn loses_before(&self, at: Asked, id: CommentId) {
        self.fault(at, true, FaultKind::Deleted(id));
    }

    pub(crate) fn gets_before(&self, at: Asked, author: &str, body: &str) {
        self.fault(at, true, FaultKind::Written(author.to_owned(), body.to_owned()));
    }

    fn fault(&self, at: Asked, done: bool, what: FaultKind) {
        self.state.lock().unwrap().faults.push_back(Fault { at, done, what });
    }

    pub(crate) fn comments(&self) -> Vec<Kept> {
        self.state.lock().unwrap().comments.clone()
    }

    pub(crate) fn statuses(&self) -> Vec<Value> {
        self.state.lock().unwrap().statuses.clone()
    }

    /// What was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    pub(crate) fn count(&self, what: Asked) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|asked| **asked == what).count()
    }
}

impl State {
    fn write(&mut self, kind: ForgeKind, author: &str, body: &str) -> CommentId {
        self.newest += 1;
        let thread = if kind == ForgeKind::AzureDevOps { self.newest } else { 0 };
        let id = CommentId { thread, comment: if thread == 0 { self.newest + 1000 } else { 1 } };
        self.comments.push(Kept { id, author: author.to_owned(), body: body.to_owned() });
        id
    }
}

/// A request, taken apart.
struct Taken {
    method: String,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    body: Option<Map<String, Value>>,
}

impl Taken {
    fn of(request: &Request, base: &str) -> Self {
        let uri = request.uri();
        let path = uri.path().strip_prefix(base).unwrap_or_else(|| panic!("not below {base}: {uri}"));
        let query = uri.query().unwrap_or_default();
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        let body = (!request.body().is_empty()).then(|| {
            assert_eq!(request.headers()["content-type"], "application/json");
            serde_json::from_slice(request.body()).unwrap()
        });
        Self {
            method: request.method().to_string(),
            segments: path.split('/').skip(1).map(str::to_owned).collect(),
            query: query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect(),
            body,
        }
    }

    /// The body, when it has just these keys; those with a `?` may be absent.
    fn with(&self, keys: &[&str]) -> &Map<String, Value> {
        let body = self.body.as_ref().unwrap();
        for key in body.keys() {
            assert!(keys.iter().any(|known| known.trim_end_matches('?') == key), "unknown key {key}");
        }
        for key in keys.iter().filter(|key| !key.ends_with('?')) {
            assert!(body.contains_key(*key), "{key} is missing");
        }
        body
    }

    fn has_query(&self, expected: &[(&str, &str)]) {
        let query: Vec<(&str, &str)> = self.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(query, expected);
    }

    fn page(&self) -> usize {
        self.query.iter().find(|(name, _)| name == "page").map_or(1, |(_, page)| page.parse().unwrap())
    }
}

fn text<'a>(value: &'a Value, what: &str) -> &'a str {
    value.as_str().filter(|text| !text.is_empty()).unwrap_or_else(|| panic!("{what} is no text: {value}"))
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What is asked, and what the forge needs to do it.
enum Wish {
    Identity,
    List(usize),
    Create(String),
    Update(CommentId, String),
    Check(Value),
    Status(Value),
    PullRequest,
    OfCommit,
}

impl Wish {
    fn asked(&self) -> Asked {
        match self {
            Self::Identity => Asked::Identity,
            Self::List(_) => Asked::List,
            Self::Create(_) => Asked::Create,
            Self::Update(..) => Asked::Update,
            Self::Check(_) => Asked::Check,
            Self::Status(_) => Asked::Status,
            Self::PullRequest => Asked::PullRequest,
            Self::OfCommit => Asked::OfCommit,
        }
    }
}

fn github(request: &Request) -> Wish {
    let headers = request.headers();
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(headers["accept"], "application/vnd.github+json");
    assert_eq!(headers["x-github-api-version"], "2022-11-28");
    let taken = Taken::of(request, "");
    let segments: Vec<&str> = taken.segments.iter().map(String::as_str).collect();
    match (taken.method.as_str(), segments.as_slice()) {
        ("POST", ["graphql"]) => {
            assert_eq!(text(&taken.with(&["query"])["query"], "query"), "query { viewer { login } }");
            Wish::Identity
        }
        ("GET", ["repos", "contoso", "gitops", "issues", "7", "comments"]) => {
            assert_eq!(taken.query[0], ("per_page".to_owned(), "100".to_owned()));
            Wish::List(taken.page())
        }
        ("POST", ["repos", "contoso", "gitops", "issues", "7", "comments"]) => {
            Wish::Create(text(&taken.with(&["body"])["body"], "body").to_owned())
        }
        ("PATCH", ["repos", "contoso", "gitops", "issues", "comments", id]) => {
            let id = CommentId { thread: 0, comment: id.parse().unwrap() };
            Wish::Update(id, text(&taken.with(&["body"])["body"], "body").to_owned())
        }
        ("POST", ["repos", "contoso", "gitops", "check-runs"]) => {
            let body =
                taken.with(&["name", "head_sha", "status", "conclusion", "output", "external_id?", "details_url?"]);
            assert!(is_commit(text(&body["head_sha"], "head_sha")) && body["status"] == "completed");
            assert!(["neutral", "success", "action_required", "failure"].contains(&text(&body["conclusion"], "it")));
            text(&body["output"]["title"], "title");
            text(&body["output"]["summary"], "summary");
            Wish::Check(Value::Object(body.clone()))
        }
        ("POST", ["repos", "contoso", "gitops", "statuses", sha]) => {
            let body = taken.with(&["state", "context", "description", "target_url?"]);
            assert!(is_commit(sha) && ["success", "failure"].contains(&text(&body["state"], "state")));
            assert!(text(&body["description"], "description").chars().count() <= 140);
            Wish::Status(Value::Object(body.clone()))
        }
        ("GET", ["repos", "contoso", "gitops", "pulls", "7"]) => Wish::PullRequest,
        ("GET", ["repos", "contoso", "gitops", "commits", sha, "pulls"]) if is_commit(sha) => Wish::OfCommit,
        (method, _) => panic!("not GitHub's: {method} {}", request.uri()),
    }
}

fn gitlab(request: &Request) -> Wish {
    let headers = request.headers();
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(headers["accept"], "application/json");
    let taken = Taken::of(request, "/api/v4");
    let segments: Vec<&str> = taken.segments.iter().map(String::as_str).collect();
    let body = || text(&taken.with(&["body"])["body"], "body").to_owned();
    match (taken.method.as_str(), segments.as_slice()) {
        ("GET", ["user"]) => Wish::Identity,
        ("GET", ["projects", "contoso%2Fgitops", "merge_requests", "7", "notes"]) => {
            for (name, value) in [("per_page", "100"), ("sort", "asc"), ("order_by", "created_at")] {
                assert!(taken.query.contains(&(name.to_owned(), value.to_owned())), "{name}");
            }
            Wish::List(taken.page())
        }
        ("POST", ["projects", "contoso%2Fgitops", "merge_requests", "7", "notes"]) => Wish::Create(body()),
        ("PUT", ["projects", "contoso%2Fgitops", "merge_requests", "7", "notes", id]) => {
            Wish::Update(CommentId { thread: 0, comment: id.parse().unwrap() }, body())
        }
        ("POST", ["projects", "contoso%2Fgitops", "statuses", sha]) => {
            let body = taken.with(&["state", "name", "description", "target_url?"]);
            assert!(is_commit(sha) && ["success", "failed"].contains(&text(&body["state"], "state")));
            assert!(text(&body["description"], "description").chars().count() <= 255);
            Wish::Status(Value::Object(body.clone()))
        }
        ("GET", ["projects", "contoso%2Fgitops", "merge_requests", "7"]) => Wish::PullRequest,
        ("GET", ["projects", "contoso%2Fgitops", "repository", "commits", sha, "merge_requests"]) if is_commit(sha) => {
            Wish::OfCommit
        }
        (method, _) => panic!("not GitLab's: {method} {}", request.uri()),
    }
}

fn azure_devops(request: &Request) -> Wish {
    let headers = request.headers();
    // Base64 of a colon and the token.
    assert_eq!(headers["authorization"], "Basic OlQwS0VOLW9mLXRoZS1qb2I=");
    assert_eq!(headers["accept"], "application/json");
    assert_eq!(headers["x-tfs-fedauthredirect"], "Suppress");
    let taken = Taken::of(request, "/contoso");
    let segments: Vec<&str> = taken.segments.iter().map(String::as_str).collect();
    let rest = match segments.as_slice() {
        ["_apis", "connectionData"] if taken.method == "GET" => {
            taken.has_query(&[("api-version", "6.0-preview.1")]);
            return Wish::Identity;
        }
        ["contoso", "_apis", "git", "repositories", "gitops", rest @ ..] => rest,
        _ => panic!("not Azure DevOps': {}", request.uri()),
    };
    taken.has_query(&[("api-version", "6.0")]);
    match (taken.method.as_str(), rest) {
        ("GET", ["pullRequests", "7", "threads"]) => Wish::List(1),
        ("POST", ["pullRequests", "7", "threads"]) => {
            let body = taken.with(&["comments", "status"]);
            assert_eq!(body["status"], "closed");
            let [comment] = body["comments"].as_array().unwrap().as_slice() else {
                panic!("one comment begins a thread")
            };
            assert_eq!((&comment["parentCommentId"], &comment["commentType"]), (&json!(0), &json!("text")));
            Wish::Create(text(&comment["content"], "content").to_owned())
        }
        ("PATCH", ["pullRequests", "7", "threads", thread, "comments", comment]) => {
            let id = CommentId { thread: thread.parse().unwrap(), comment: comment.parse().unwrap() };
            Wish::Update(id, text(&taken.with(&["content"])["content"], "content").to_owned())
        }
        ("POST", ["commits", sha, "statuses"]) => {
            let body = taken.with(&["state", "description", "context", "targetUrl?"]);
            assert!(is_commit(sha));
            assert!(["notApplicable", "succeeded", "failed"].contains(&text(&body["state"], "state")));
            assert_eq!(body["context"]["genre"], "arcflux");
            text(&body["context"]["name"], "name");
            Wish::Status(Value::Object(body.clone()))
        }
        ("GET", ["pullRequests", "7"]) => Wish::PullRequest,
        ("POST", ["pullrequestquery"]) => {
            let [query] = taken.with(&["queries"])["queries"].as_array().unwrap().as_slice() else {
                panic!("one query")
            };
            assert_eq!(query["type"], "lastMergeCommit");
            assert!(is_commit(text(&query["items"][0], "commit")));
            Wish::OfCommit
        }
        (method, _) => panic!("not Azure DevOps': {method} {}", request.uri()),
    }
}

impl State {
    fn perform(&mut self, fake: &Fake, wish: Wish) -> Reply {
        let kind = fake.kind;
        match wish {
            Wish::Identity => Reply::json(
                200,
                &match kind {
                    ForgeKind::GitHub => json!({"data": {"viewer": {"login": fake.me()}}}),
                    ForgeKind::AzureDevOps => json!({"authenticatedUser": {"id": fake.me()}, "instanceId": "i"}),
                    ForgeKind::GitLab => json!({"id": fake.me().parse::<u64>().unwrap(), "username": "project_1_bot"}),
                },
            ),
            Wish::List(page) => self.list(kind, page),
            Wish::Create(body) => {
                let id = self.write(kind, fake.me(), &body);
                Reply::json(if kind == ForgeKind::AzureDevOps { 200 } else { 201 }, &json!({"id": id.comment}))
            }
            Wish::Update(id, body) => match self.comments.iter_mut().find(|comment| comment.id == id) {
                Some(comment) => {
                    assert_eq!(comment.author, fake.me(), "a comment of somebody else was written into");
                    comment.body = body;
                    Reply::json(200, &json!({"id": id.comment}))
                }
                None => Reply::json(404, &json!({"message": "Not Found"})),
            },
            Wish::Check(body) | Wish::Status(body) => {
                self.statuses.push(body);
                Reply::json(201, &json!({"id": 1}))
            }
            Wish::PullRequest => Reply::json(
                200,
                &match kind {
                    ForgeKind::GitHub => json!({
                        "number": 7, "state": "open", "head": {"sha": HEAD}, "base": {"sha": HEAD}, "user": {"login": "ann"},
                    }),
                    ForgeKind::AzureDevOps => json!({
                        "pullRequestId": 7, "status": "active", "createdBy": {"id": fake.other()},
                        "lastMergeSourceCommit": {"commitId": HEAD}, "lastMergeTargetCommit": {"commitId": HEAD},
                    }),
                    ForgeKind::GitLab => json!({
                        "iid": 7, "id": 9007, "state": "opened", "sha": HEAD, "author": {"id": 42},
                        "diff_refs": {"base_sha": HEAD, "head_sha": HEAD, "start_sha": HEAD},
                    }),
                },
            ),
            Wish::OfCommit => Reply::json(
                200,
                &match kind {
                    ForgeKind::GitHub => json!([{"number": 7}]),
                    ForgeKind::AzureDevOps => json!({"results": [{HEAD: [{"pullRequestId": 7}]}]}),
                    ForgeKind::GitLab => json!([{"iid": 7, "id": 9007}]),
                },
            ),
        }
    }

    fn list(&self, kind: ForgeKind, page: usize) -> Reply {
        let comment = |kept: &Kept| match kind {
            ForgeKind::GitHub => json!({"id": kept.id.comment, "user": {"login": kept.author}, "body": kept.body}),
            ForgeKind::GitLab => json!({
                "id": kept.id.comment, "author": {"id": kept.author.parse::<u64>().unwrap()}, "body": kept.body,
                "system": false,
            }),
            ForgeKind::AzureDevOps => json!({
                "id": kept.id.thread, "isDeleted": false, "status": "closed",
                "comments": [{"id": kept.id.comment, "author": {"id": kept.author}, "content": kept.body}],
            }),
        };
        let mut all: Vec<Value> = self.comments.iter().map(comment).collect();
        if kind == ForgeKind::AzureDevOps {
            // What the system writes, and what was deleted, is in the list, too.
            all.insert(0, json!({"id": 1, "comments": [{"id": 1, "commentType": "system", "author": {"id": "s"}}]}));
            all.push(json!({"id": 9999, "isDeleted": true, "comments": [{"id": 1, "isDeleted": true}]}));
            return Reply::json(200, &json!({"count": all.len(), "value": all}));
        }
        if kind == ForgeKind::GitLab {
            let marked = self.comments.first().map(|kept| kept.body.clone()).unwrap_or_default();
            all.push(json!({"id": 9999, "author": {"id": 41}, "body": marked, "system": true}));
        }
        let pages = all.len().div_ceil(100).max(1);
        assert!(page <= pages, "page {page} of {pages}");
        let shown: Vec<&Value> = all.iter().skip((page - 1) * 100).take(100).collect();
        let reply = Reply::json(200, &json!(shown));
        if page == pages {
            return reply;
        }
        let link = match kind {
            ForgeKind::GitHub => {
                "https://api.github.com/repos/contoso/gitops/issues/7/comments?per_page=100".to_owned()
            }
            ForgeKind::AzureDevOps | ForgeKind::GitLab => {
                "https://gitlab.com/api/v4/projects/contoso%2Fgitops/merge_requests/7/notes?order_by=created_at&\
                 per_page=100&sort=asc"
                    .to_owned()
            }
        };
        let next = page + 1;
        reply.header("link", &format!(r#"<{link}&page={next}>; rel="next", <{link}&page={pages}>; rel="last""#))
    }
}

#[async_trait]
impl Transport for Fake {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        assert!(request.headers().contains_key("user-agent"));
        assert!(!request.uri().to_string().contains(TOKEN));
        let wish = match self.kind {
            ForgeKind::GitHub => github(&request),
            ForgeKind::AzureDevOps => azure_devops(&request),
            ForgeKind::GitLab => gitlab(&request),
        };
        let mut state = self.state.lock().unwrap();
        state.asked.push(wish.asked());
        let mut answer = None;
        while let Some(position) = state.faults.iter().position(|fault| fault.at == wish.asked()) {
            let Fault { done, what, .. } = state.faults.remove(position).unwrap();
            match what {
                FaultKind::Answer(reply) => {
                    answer = Some((done, reply));
                    break;
                }
                FaultKind::Deleted(id) => state.comments.retain(|comment| comment.id != id),
                FaultKind::Written(author, body) => {
                    state.write(self.kind, &author, &body);
                }
            }
        }
        let reply = match answer {
            Some((false, reply)) => reply,
            Some((true, reply)) => {
                state.perform(self, wish);
                reply
            }
            None => state.perform(self, wish),
        };
        let host = "forge".to_owned();
        match reply {
            Reply::Response(response) => Ok(response),
            Reply::NoConnection => Err(TransportError::Connect { host, source: "no route".into() }),
            Reply::Dropped => Err(TransportError::Broken { host, source: "reset".into() }),
        }
    }
}

/// A success of no use.
pub(crate) fn page_of_html(status: u16) -> Reply {
    let mut response = Response::new(Bytes::from_static(b"<html>Sign in</html>"));
    *response.status_mut() = status.try_into().unwrap();
    Reply::Response(response)
}
