//! The client: calls with token, retries and log.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{Method, StatusCode};
use futures::future::{Either, select};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::Value;
use uuid::Uuid;

use super::echo::without_token;
use super::error::correlation_id;
use super::error_body;
use super::operation::Operation;
use super::request::Call;
use super::throttle::{Admission, Throttle, metered};
use super::unanswered::{Asking, Unanswered};
use super::{ArmError, TokenSource};
use crate::http::log::{self, Shown};
use crate::http::retry::{self, Effect, Failure, Retry, Tried};
use crate::http::{Clock, Interrupt, Jitter, Origin, Patience, Response, Transport, random};
use crate::model::{Metered, Reading, ResourceId, Secret, Usage};

/// What a log line may show of an exchange with ARM.
const SHOWN: Shown = Shown { query: &["api-version", "forceDelete"], response_ids: &["x-ms-correlation-request-id"] };

/// How long the last look of a wait may take, although its time is up: an answer takes a moment.
const SHORTEST: Duration = Duration::from_secs(10);

/// Receives one line for every exchange, fit to be shown: signatures are masked, tokens are not in it.
pub type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// A client of one ARM endpoint. Cheap to clone; clones share connections, tokens, and what ARM allows: one client is for
/// one identity, and there should be no second one for it.
#[derive(Clone)]
pub struct ArmClient {
    transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    tokens: Arc<dyn TokenSource>,
    origin: Origin,
    pub(super) poll_scale: f64,
    observer: Option<Observer>,
    pub(super) jitter: Jitter,
    usage: Arc<Mutex<Usage>>,
    throttle: Arc<Throttle>,
    /// Whether ARM has ever answered.
    answered: Arc<AtomicBool>,
    /// Whether writes that are still to be sent are wanted no more.
    abandoned: Option<Interrupt>,
    unanswered: Arc<Unanswered>,
}

/// What holds a client up at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldUp {
    /// Until when ARM's limits let no request through that somebody waits to send; none waits where it is absent.
    pub limited_until: Option<Timestamp>,
    /// Since when ARM has not answered a request that is under way.
    pub unanswered_since: Option<Timestamp>,
}

/// An attempt to send a call.
struct Attempt<'a> {
    asking: &'a Asking<'a>,
    /// Whether the call was sent before.
    is_retry: bool,
    /// How long the answer may take.
    patience: Option<Duration>,
    /// How long it took.
    took: Duration,
}

/// A write that ARM has accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The HTTP status. A DELETE of something that was not there is accepted with 404.
    pub status: u16,
    /// The body, where there was one in JSON.
    pub body: Option<Value>,
    /// The operation to [`wait`](ArmClient::wait) for. Without one the write is done.
    pub operation: Option<Operation>,
    /// ARM's correlation id.
    pub correlation_id: Option<String>,
}

impl ArmClient {
    /// A client of the ARM at `origin`.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        tokens: Arc<dyn TokenSource>,
        origin: Origin,
    ) -> Self {
        let throttle = Arc::new(Throttle::new(Arc::clone(&clock), 1.0));
        Self {
            transport,
            clock,
            tokens,
            origin,
            poll_scale: 1.0,
            observer: None,
            jitter: Arc::new(random),
            usage: Arc::default(),
            throttle,
            answered: Arc::default(),
            abandoned: None,
            unanswered: Arc::default(),
        }
    }

    /// Multiplies every wait, also those that ARM asks for, by `factor` (`--poll-scale`): a second of ARM's takes so long
    /// on this client's clock. That holds for ARM's limits, too: below 1, requests are let through faster than Azure
    /// lets them, which is right for a simulator whose clock runs faster, and ends in 429s elsewhere. To be called before
    /// the first request. A factor that is not a positive finite number changes nothing: without any wait, polling would
    /// not let go of the server.
    #[must_use]
    pub fn poll_scale(self, factor: f64) -> Self {
        if !factor.is_finite() || factor <= 0.0 {
            return self;
        }
        let throttle = Arc::new(Throttle::new(Arc::clone(&self.clock), factor));
        Self { poll_scale: factor, throttle, ..self }
    }

    /// Hands `observer` one line for every exchange.
    #[must_use]
    pub fn observer(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Takes random numbers from `jitter`: a run whose every choice comes from one seed can be repeated.
    #[must_use]
    pub fn jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// Gives up writes that wait to be sent, or to be sent again after an answer that says that nothing was done, once
    /// somebody wants to stop: they end with [`ArmError::Abandoned`]. What is on its way to ARM is not given up.
    #[must_use]
    pub fn abandoning(self, interrupt: Interrupt) -> Self {
        Self { abandoned: Some(interrupt), ..self }
    }

    /// What was asked of ARM so far, through this client and its clones.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let counted = *self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        Usage { throttled_seconds: whole_seconds(self.throttle.held_back()), ..counted }
    }

    /// What holds this client and its clones up at the moment.
    #[must_use]
    pub fn held_up(&self) -> HeldUp {
        HeldUp { limited_until: self.throttle.limited_until(), unanswered_since: self.unanswered.longest() }
    }

    fn count(&self, count: impl FnOnce(&mut Usage)) {
        count(&mut self.usage.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The ARM endpoint of this client.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Reads one resource.
    ///
    /// # Errors
    ///
    /// [`ArmError`] for everything but 200, 404 for want of the resource, and 403 for want of permission.
    pub async fn get(&self, id: &ResourceId, api_version: &str) -> Result<Reading, ArmError> {
        self.read(&Call::new(&self.origin, Method::GET, id, None, api_version, None)?).await
    }

    /// Reads one resource to see whether something has happened to it yet, which can wait while others cannot: where
    /// ARM's limits are near, it lets other reads go first. It is given up when it takes longer than `within`.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn poll(&self, id: &ResourceId, api_version: &str, within: Duration) -> Result<Reading, ArmError> {
        self.read(&Call::new(&self.origin, Method::GET, id, None, api_version, None)?.poll().within(within)).await
    }

    async fn read(&self, call: &Call) -> Result<Reading, ArmError> {
        match self.call(call).await {
            // An error with the status of a success is not the resource, and neither is anything but an object.
            Ok(response) => match json(&response).filter(|body| body.is_object() && body.get("error").is_none()) {
                Some(body) => Ok(Reading::Present(body)),
                None => Err(ArmError::bad_body(call.line(), "a resource as JSON", &response)),
            },
            Err(error) => match (error.missing(), error.denied()) {
                (Some(missing), _) => Ok(Reading::Missing(missing)),
                (None, Some(sentence)) => Ok(Reading::Denied(sentence.to_owned())),
                (None, None) => Err(error),
            },
        }
    }

    /// Creates a resource, or updates all of it.
    ///
    /// # Errors
    ///
    /// [`ArmError`]; [`ArmError::outcome_unknown`] says when the write may have happened nevertheless.
    pub async fn put(&self, id: &ResourceId, api_version: &str, body: &Value) -> Result<Accepted, ArmError> {
        self.write(Method::PUT, id, None, api_version, Some(body)).await
    }

    /// Updates a resource by JSON merge patch.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn patch(&self, id: &ResourceId, api_version: &str, body: &Value) -> Result<Accepted, ArmError> {
        self.write(Method::PATCH, id, None, api_version, Some(body)).await
    }

    /// Calls `action` on a resource.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn post(
        &self,
        id: &ResourceId,
        action: &str,
        api_version: &str,
        body: Option<&Value>,
    ) -> Result<Accepted, ArmError> {
        self.write(Method::POST, id, Some(action), api_version, body).await
    }

    /// Starts the registration of a resource provider, `/subscriptions/…/providers/NAMESPACE`. It is not an
    /// operation: the provider's `registrationState` tells when it is done.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn register(&self, provider: &ResourceId, api_version: &str) -> Result<Accepted, ArmError> {
        self.post(provider, "register", api_version, None).await
    }

    /// Deletes a resource. One that is not there, or whose parent is not, is deleted.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn delete(&self, id: &ResourceId, api_version: &str) -> Result<Accepted, ArmError> {
        let call = Call::new(&self.origin, Method::DELETE, id, None, api_version, None)?;
        deleted(self.accepted(call).await)
    }

    /// Deletes Azure's record of a resource, at once, without asking the cluster that it is about
    /// (`../shared/facts/arm-contracts.md` §1.9). One that is not there is deleted.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn force_delete(&self, id: &ResourceId, api_version: &str) -> Result<Accepted, ArmError> {
        let call = Call::new(&self.origin, Method::DELETE, id, None, api_version, None)?;
        deleted(self.accepted(call.with_parameter("forceDelete", "true", id)?).await)
    }

    /// A client of another server for the same identity: with its own limits, since they are that server's.
    pub(super) fn elsewhere(&self, origin: Origin) -> Self {
        let throttle = Arc::new(Throttle::new(Arc::clone(&self.clock), self.poll_scale));
        Self {
            origin,
            throttle,
            usage: Arc::default(),
            answered: Arc::default(),
            unanswered: Arc::default(),
            ..self.clone()
        }
    }

    async fn write(
        &self,
        method: Method,
        id: &ResourceId,
        action: Option<&str>,
        api_version: &str,
        body: Option<&Value>,
    ) -> Result<Accepted, ArmError> {
        self.accepted(Call::new(&self.origin, method, id, action, api_version, body)?).await
    }

    /// Sends a write.
    async fn accepted(&self, call: Call) -> Result<Accepted, ArmError> {
        let response = self.call(&call).await?;
        let body = json(&response);
        if body.is_none() && !response.body().is_empty() {
            // A page of something on the way: whether ARM has seen the write is not known.
            return Err(ArmError::bad_body(call.line(), "JSON or nothing", &response));
        }
        Ok(Accepted {
            status: response.status().as_u16(),
            body,
            operation: Operation::started_by(&response),
            correlation_id: correlation_id(response.headers()),
        })
    }

    /// Sends `call` until it succeeds or may not be repeated. A success may have a body that is of no use.
    pub(super) async fn call(&self, call: &Call) -> Result<Response, ArmError> {
        let effect = call.effect;
        let mut tried = Tried::default();
        let asking = self.unanswered.ask();
        let left = |tried: Tried| {
            let spent = tried.delayed.saturating_add(tried.attempted);
            call.within.map_or(Duration::MAX, |within| within.saturating_sub(spent))
        };
        loop {
            // A write is never dropped: nobody would know what became of it.
            let patience = match effect {
                Effect::Read => Some(retry::patience(tried).min(left(tried).max(SHORTEST))),
                Effect::Write => None,
            };
            let mut attempt = Attempt { asking: &asking, is_retry: tried.any(), patience, took: Duration::ZERO };
            let outcome = self.send(call, &mut attempt).await;
            tried.attempted += attempt.took;
            let (failure, asked, last) = match outcome {
                Ok(response) if response.status().is_success() => {
                    if effect == Effect::Write || is_json(&response) {
                        self.answered.store(true, Ordering::Relaxed);
                        return Ok(response);
                    }
                    (Failure::Page, None, Ok(response))
                }
                Ok(response) => {
                    let error = ArmError::status(call.line(), &response);
                    let by_arm = response.status().is_client_error() && error.refusal().is_some_and(|one| one.from_arm);
                    self.answered.fetch_or(by_arm, Ordering::Relaxed);
                    (Failure::Status(response.status()), asked_delay(&response), Err(error))
                }
                Err(ArmError::Transport { request, source }) => {
                    (Failure::from(&source), None, Err(ArmError::Transport { request, source }))
                }
                Err(error) => return Err(error),
            };
            let answered = self.answered.load(Ordering::Relaxed);
            match retry::decide(effect, failure, tried, answered, asked, (self.jitter)()) {
                Retry::After(delay) if self.scaled(delay) >= left(tried) => return last,
                Retry::After(delay) => {
                    tried = Tried { failures: tried.failures + 1, delayed: tried.delayed + delay, ..tried };
                    self.unless_abandoned(effect, self.sleep(delay)).await?;
                }
                Retry::WhenOpen => tried.refusals += 1,
                Retry::GiveUp => return last,
            }
        }
    }

    /// Waits for something, unless it is for a write that is wanted no more.
    async fn unless_abandoned<T>(&self, effect: Effect, what: impl Future<Output = T>) -> Result<T, ArmError> {
        let Some(interrupt) = self.abandoned.as_ref().filter(|_| effect == Effect::Write) else {
            return Ok(what.await);
        };
        // The first of the two is always looked at first.
        match select(pin!(interrupt.requested()), pin!(what)).await {
            Either::Left(_) => Err(ArmError::Abandoned),
            Either::Right((came, _)) => Ok(came),
        }
    }

    /// Sends `call` once; a second time only when ARM rejects the token and there is another.
    pub(super) async fn send_once(&self, call: &Call, within: Duration) -> Result<Response, ArmError> {
        let (asking, patience) = (self.unanswered.ask(), Some(within.max(SHORTEST)));
        self.send(call, &mut Attempt { asking: &asking, is_retry: false, patience, took: Duration::ZERO }).await
    }

    async fn send(&self, call: &Call, attempt: &mut Attempt<'_>) -> Result<Response, ArmError> {
        let effect = call.effect;
        let (token, response) = {
            let admission = self.unless_abandoned(effect, self.throttle.admit(call)).await?;
            // Only now: a token may be old by the time that a long queue is through.
            let token = self.tokens.token().await?;
            let response = self.exchange(call, &token, &admission, attempt).await?;
            (token, response)
        };
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(token) = self.tokens.renewed(&token).await?
        {
            let admission = self.unless_abandoned(effect, self.throttle.admit(call)).await?;
            attempt.is_retry = true;
            return self.exchange(call, &token, &admission, attempt).await;
        }
        Ok(response)
    }

    async fn exchange(
        &self,
        call: &Call,
        token: &Secret,
        admission: &Admission<'_>,
        attempt: &mut Attempt<'_>,
    ) -> Result<Response, ArmError> {
        let mut request = call.request(token, Uuid::new_v4())?;
        if let Some(patience) = attempt.patience {
            request.extensions_mut().insert(Patience(patience));
        }
        let (parts, body) = request.into_parts();
        self.count(|usage| {
            match metered(&parts.method) {
                Metered::Reads => usage.reads += 1,
                Metered::Writes => usage.writes += 1,
                Metered::Deletes => usage.deletes += 1,
            }
            usage.retries += u64::from(attempt.is_retry);
        });
        let observed = self.observer.as_ref().map(|observer| (observer, parts.clone()));
        let began = self.clock.now();
        attempt.asking.sent(began);
        let outcome = self.transport.send(crate::http::Request::from_parts(parts, body)).await;
        attempt.took += Duration::try_from(self.clock.now().duration_since(began)).unwrap_or_default();
        let outcome = outcome.map(|response| without_token(response, token));
        if let Some((observer, parts)) = observed {
            observer(&log::line(SHOWN, &parts, outcome.as_ref()));
        }
        if let Ok(response) = &outcome {
            attempt.asking.answered();
            self.throttle.answered(admission, response, asked_delay(response), (self.jitter)());
        }
        outcome.map_err(|source| ArmError::Transport { request: call.line(), source })
    }
}

impl fmt::Debug for ArmClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArmClient").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// What some services begin a text with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A deletion of what is not there has come true.
fn deleted(outcome: Result<Accepted, ArmError>) -> Result<Accepted, ArmError> {
    match outcome {
        Err(error) if error.missing().is_some() => Ok(Accepted {
            status: StatusCode::NOT_FOUND.as_u16(),
            body: None,
            operation: None,
            correlation_id: error.refusal().and_then(|refusal| refusal.correlation_id.clone()),
        }),
        outcome => outcome,
    }
}

/// The body as JSON, if it is.
pub(super) fn json(response: &Response) -> Option<Value> {
    let body = response.body();
    serde_json::from_slice(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)).ok()
}

/// Whether the body is JSON, as every answer of ARM to a read is.
fn is_json(response: &Response) -> bool {
    let body = response.body();
    serde_json::from_slice::<IgnoredAny>(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)).is_ok()
}

/// How long ARM asks to wait: `Retry-After`, or the seconds in the message of a 429, which is the only place where
/// some providers put them (`../shared/facts/az-cli-behaviour.md` §7).
fn asked_delay(response: &Response) -> Option<Duration> {
    let in_message = || match response.status() {
        StatusCode::TOO_MANY_REQUESTS => seconds_in(&error_body::parse(response.body()).told.message?),
        _ => None,
    };
    retry::retry_after(response.headers()).or_else(in_message)
}

/// Half a second or more counts as one.
fn whole_seconds(duration: Duration) -> u64 {
    (duration + Duration::from_millis(500)).as_secs()
}

/// The number in `… after 'N' seconds` and `… after N seconds`.
fn seconds_in(message: &str) -> Option<Duration> {
    let before = message.split(" seconds").next().filter(|before| before.len() < message.len())?;
    let (words, number) = before.rsplit_once(' ')?;
    let number = number.trim_matches('\'').parse().ok()?;
    words.ends_with("after").then(|| Duration::from_secs(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seconds_of_a_throttling_message() {
        for (message, seconds) in [
            ("Number of requests exceeded the limit. Please try again after '6' seconds.", Some(6)),
            ("has issued too many requests. Retry after 2 seconds.", Some(2)),
            ("A retryable error occurred.", None),
            ("try again after a few seconds", None),
            ("it took 7 seconds", None),
            ("", None),
        ] {
            assert_eq!(seconds_in(message), seconds.map(Duration::from_secs), "{message}");
        }
    }
}
