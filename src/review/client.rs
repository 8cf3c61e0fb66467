//! The client: calls with token, retries, pages and log.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, USER_AGENT as USER_AGENT_HEADER};
use ::http::{HeaderValue, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::call::Call;
use super::error::{ForgeError, SetupError, line};
use super::forge::{Comment, CommentId, ForgeKind, Protocol, PullRequest, Status};
use super::github::GitHub;
use super::limits;
use super::link;
use crate::http::log::{self, Shown};
use crate::http::message::header;
use crate::http::retry::{self, Failure, Retry, Tried};
use crate::http::{Clock, ForeignLink, Jitter, Origin, Patience, Request, Response, Transport, USER_AGENT, random};
use crate::model::Secret;

/// What a log line may show of an exchange with a forge.
const SHOWN: Shown = Shown {
    query: &["api-version", "per_page", "page", "sort", "order_by", "check_name", "filter"],
    response_ids: &["x-github-request-id", "x-request-id", "activityid"],
};

/// The most pages that are read of one list: ten thousand comments.
const MOST_PAGES: usize = 100;

/// How long one call waits in all for limits of the forge.
const PATIENCE: Duration = Duration::from_secs(600);

/// A wait that is told.
const WORTH_TELLING: Duration = Duration::from_secs(5);

/// Receives one line for every exchange, fit to be shown: the token is not in it.
pub type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// A client for one repository on one forge.
pub struct ForgeClient {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    kind: ForgeKind,
    protocol: Box<dyn Protocol>,
    origin: Origin,
    token: Secret,
    observer: Option<Observer>,
    /// Is told of waits that somebody may wonder about.
    waiting: Option<Observer>,
    jitter: Jitter,
    /// What no error may repeat: the token, and the form in which it is sent.
    credentials: Vec<Secret>,
    /// How long everything may take in all, and since when.
    within: Duration,
    begun: OnceLock<Timestamp>,
    /// Whether the forge has ever answered.
    answered: AtomicBool,
}

impl ForgeClient {
    /// A client for `repository` (`OWNER/NAME`, `PROJECT/REPOSITORY`, or a GitLab project by path or id) behind the API at
    /// `api`, such as `https://api.github.com`. The token is sent there and nowhere else.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when the address is not https or loopback, or a name cannot be one.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        kind: ForgeKind,
        api: &str,
        repository: &str,
        token: Secret,
    ) -> Result<Self, SetupError> {
        let (origin, base) = Origin::parse_base(api)?;
        let protocol = kind.protocol(base, repository)?;
        let headers = protocol.headers(&token).map_err(|_| SetupError::Token)?;
        let sent = header(&headers, AUTHORIZATION.as_str()).and_then(|sent| sent.split_once(' '));
        let sent = sent.map(|(_, credential)| Secret::new(credential.to_owned()));
        let credentials = std::iter::once(token.clone()).chain(sent).collect();
        Ok(Self {
            transport,
            clock,
            kind,
            protocol,
            origin,
            token,
            observer: None,
            waiting: None,
            jitter: Arc::new(random),
            credentials,
            within: Duration::MAX,
            begun: OnceLock::new(),
            answered: AtomicBool::new(false),
        })
    }

    /// Hands `observer` one line for every exchange.
    #[must_use]
    pub fn observer(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Tells `waiting` of every wait that is long enough for somebody to wonder, and why it is.
    #[must_use]
    pub fn waiting(self, waiting: Observer) -> Self {
        Self { waiting: Some(waiting), ..self }
    }

    /// Takes random numbers from `jitter`.
    #[must_use]
    pub fn jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// Takes no longer than this for everything together, from the first call on: attempts, pages and waits included.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// Which forge it talks to.
    #[must_use]
    pub const fn kind(&self) -> ForgeKind {
        self.kind
    }

    /// Whose the token is, in the words of [`Comment::author`].
    ///
    /// # Errors
    ///
    /// [`ForgeError`].
    pub async fn identity(&self) -> Result<String, ForgeError> {
        self.ask(&self.protocol.identity(), "whose the token is", |body| self.protocol.read_identity(body)).await
    }

    /// Every comment of a pull request, from all pages.
    ///
    /// # Errors
    ///
    /// [`ForgeError`]; [`ForgeError::ForeignLink`] when a page names the next one elsewhere.
    pub async fn comments(&self, number: u64) -> Result<Vec<Comment>, ForgeError> {
        self.all(self.protocol.comments(number), "a list of comments", |body| self.protocol.read_comments(body)).await
    }

    /// Every item of a list, from all pages.
    pub(super) async fn all<T>(
        &self,
        mut call: Call,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<Vec<T>>,
    ) -> Result<Vec<T>, ForgeError> {
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        loop {
            if seen.len() >= MOST_PAGES || !seen.insert(call.path.clone()) {
                return Err(ForgeError::EndlessList { request: line(&call), pages: seen.len() });
            }
            let response = self.call(&call).await?;
            items.extend(self.read(&call, &response, expected, &read)?);
            let next = link::next_page(response.headers())
                .map_err(|link::BadLink| ForgeError::BadLink { forge: self.kind, request: line(&call) })?;
            let Some(next) = next else { return Ok(items) };
            let uri = self.origin.follow(&next).map_err(|foreign| self.foreign("next page", foreign))?;
            call = Call::read(uri.path_and_query().map(ToString::to_string).unwrap_or_default());
        }
    }

    /// GitHub, where it is.
    pub(super) fn github(&self) -> Option<&GitHub> {
        self.protocol.github()
    }

    /// Writes a comment.
    ///
    /// # Errors
    ///
    /// [`ForgeError`]; [`ForgeError::outcome_unknown`] says when the comment may be there nevertheless.
    pub async fn create_comment(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        self.call(&self.protocol.create(number, body)).await.map(drop)
    }

    /// Writes another text into a comment.
    ///
    /// # Errors
    ///
    /// [`ForgeError`]; [`ForgeError::is_missing`] when the comment is not there any more.
    pub async fn update_comment(&self, number: u64, id: CommentId, body: &str) -> Result<(), ForgeError> {
        self.call(&self.protocol.update(number, id, body)).await.map(drop)
    }

    /// Sets a check or a status on a commit, whichever the token may: an older one of the same name is replaced.
    ///
    /// # Errors
    ///
    /// [`ForgeError`] of the last way that was tried.
    pub async fn set_status(&self, status: &Status) -> Result<(), ForgeError> {
        let mut outcome = Ok(());
        for call in self.protocol.statuses(status) {
            outcome = self.call(&call).await.map(drop);
            match &outcome {
                Err(error) if error.is_denied() => {}
                Ok(()) | Err(_) => break,
            }
        }
        outcome
    }

    /// Reads a pull request.
    ///
    /// # Errors
    ///
    /// [`ForgeError`]; [`ForgeError::is_missing`] when there is none, or none that the token may see.
    pub async fn pull_request(&self, number: u64) -> Result<PullRequest, ForgeError> {
        let read = |body: &Value| self.protocol.read_pull_request(body);
        self.ask(&self.protocol.pull_request(number), "a pull request", read).await
    }

    /// The number of the pull request that brought a commit, if one did.
    ///
    /// # Errors
    ///
    /// [`ForgeError`].
    pub async fn pull_request_of(&self, sha: &str) -> Result<Option<u64>, ForgeError> {
        let read = |body: &Value| self.protocol.read_pull_request_of(body, sha);
        self.ask(&self.protocol.pull_request_of(sha), "the pull requests of a commit", read).await
    }

    /// Waits before it is looked again, `rounds` after the first time: what a server has just failed at is not there at
    /// once.
    pub(super) async fn pause_before_round(&self, rounds: u32) {
        if rounds > 0 {
            self.clock.sleep(Duration::from_secs(1 << rounds.min(4)).min(self.left())).await;
        }
    }

    pub(super) async fn ask<T>(
        &self,
        call: &Call,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, ForgeError> {
        let response = self.call(call).await?;
        self.read(call, &response, expected, read)
    }

    fn read<T>(
        &self,
        call: &Call,
        response: &Response,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, ForgeError> {
        let body = serde_json::from_slice(response.body()).ok();
        body.as_ref().and_then(read).ok_or(ForgeError::BadBody { forge: self.kind, request: line(call), expected })
    }

    fn foreign(&self, role: &'static str, ForeignLink { host }: ForeignLink) -> ForgeError {
        ForgeError::ForeignLink { forge: self.kind, role, host, origin: self.origin.to_string() }
    }

    /// What is left of the time for everything.
    fn left(&self) -> Duration {
        let now = self.clock.now();
        self.within.saturating_sub(elapsed(*self.begun.get_or_init(|| now), now))
    }

    /// Sends `call` until it succeeds or may not be repeated. No attempt outlasts its patience, a write neither: whether
    /// it was carried out is looked up before it is sent again.
    async fn call(&self, call: &Call) -> Result<Response, ForgeError> {
        let mut tried = Tried::default();
        let mut waited = Duration::ZERO;
        if self.left().is_zero() {
            let seconds = self.within.as_secs();
            return Err(ForgeError::OutOfTime { forge: self.kind, request: line(call), seconds });
        }
        loop {
            let begun = self.clock.now();
            let outcome = self.exchange(call, retry::patience(tried).min(self.left())).await;
            tried.attempted += elapsed(begun, self.clock.now());
            let (failure, asked, error) = match outcome {
                Ok(response) if is_answer(&response) => {
                    self.answered.store(true, Ordering::Relaxed);
                    return Ok(response);
                }
                Ok(response) => {
                    self.answered.fetch_or(response.status().is_client_error(), Ordering::Relaxed);
                    let failure = limits::failure(&response);
                    (failure, limits::asked(&response, self.clock.now()), self.failed(call, failure, &response))
                }
                Err(source) => {
                    let once = call.effect == retry::Effect::Write;
                    (Failure::from(&source), None, ForgeError::Transport { request: line(call), once, source })
                }
            };
            let answered = self.answered.load(Ordering::Relaxed);
            let jitter = (self.jitter)();
            let delay = match retry::decide(call.effect, failure, tried, answered, asked, jitter) {
                Retry::After(delay) => {
                    tried = Tried { failures: tried.failures + 1, delayed: tried.delayed + delay, ..tried };
                    Some(delay)
                }
                Retry::WhenOpen => {
                    tried.refusals += 1;
                    retry::pause(asked, jitter)
                }
                Retry::GiveUp => None,
            };
            match delay {
                Some(delay) if waited + delay <= PATIENCE && delay < self.left() => {
                    waited += delay;
                    if let Some(waiting) = self.waiting.as_ref().filter(|_| delay >= WORTH_TELLING) {
                        waiting(&format!("Waiting {} s: {error}", delay.as_secs()));
                    }
                    self.clock.sleep(delay).await;
                }
                Some(_) | None => return Err(error),
            }
        }
    }

    /// The error for an answer that is not a success. A redirect within the origin is none either: repositories that were
    /// renamed answer with one, and whoever is meant should be named.
    fn failed(&self, call: &Call, failure: Failure, response: &Response) -> ForgeError {
        let elsewhere = response
            .status()
            .is_redirection()
            .then(|| header(response.headers(), LOCATION.as_str()))
            .flatten()
            .and_then(|link| self.origin.follow(link).err());
        match elsewhere {
            Some(foreign) => self.foreign("redirect", foreign),
            None => ForgeError::status(self.kind, call, failure, response, &self.credentials),
        }
    }

    async fn exchange(&self, call: &Call, patience: Duration) -> Result<Response, crate::http::TransportError> {
        let mut request = self.request(call)?;
        request.extensions_mut().insert(Patience(patience));
        let (parts, body) = request.into_parts();
        let observed = self.observer.as_ref().map(|observer| (observer, parts.clone()));
        let outcome = self.transport.send(Request::from_parts(parts, body)).await;
        if let Some((observer, parts)) = observed {
            observer(&log::line(SHOWN, &parts, outcome.as_ref()));
        }
        outcome
    }

    fn request(&self, call: &Call) -> Result<Request, crate::http::TransportError> {
        let refused = |reason: &str| crate::http::TransportError::Refused {
            host: self.origin.to_string(),
            reason: reason.to_owned(),
        };
        let body = call.body.as_ref().map(|body| Bytes::from(body.to_string()));
        let has_body = body.is_some();
        let mut request = Request::new(body.unwrap_or_default());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() =
            format!("{}{}", self.origin, call.path).parse().map_err(|_| refused("the address is not a URI"))?;
        *request.headers_mut() = self.protocol.headers(&self.token).map_err(|_| refused("the token is malformed"))?;
        request.headers_mut().insert(USER_AGENT_HEADER, HeaderValue::from_static(USER_AGENT));
        if has_body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(request)
    }
}

impl fmt::Debug for ForgeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForgeClient").field("kind", &self.kind).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// How much time has passed; none where the clock was set back.
fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Whether an answer is one. Azure DevOps answers a token that it does not take with a page to sign in on, as 203.
fn is_answer(response: &Response) -> bool {
    response.status().is_success() && response.status() != StatusCode::NON_AUTHORITATIVE_INFORMATION
}
