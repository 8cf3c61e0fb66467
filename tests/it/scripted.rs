//! A transport that answers from a script, and a clock on which waiting costs nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::arm::{ArmClient, FixedToken};
use arcflux::http::{Clock, Origin, Request, Response, Transport, TransportError};
use arcflux::model::Secret;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

/// The ARM endpoint of scripted tests.
pub(crate) const ARM: &str = "https://management.azure.com";

/// What the script answers to one request.
pub(crate) enum Reply {
    Response(Response),
    /// The connection cannot be opened.
    NoConnection,
    /// The connection breaks after the request was sent.
    Dropped,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string()).header("content-type", "application/json; charset=utf-8")
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        let mut response = Response::new(Bytes::from(body.to_owned()));
        *response.status_mut() = status.try_into().unwrap();
        Self::Response(response)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::text(status, "")
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Response(response) = &mut self {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        self
    }
}

/// Expects exactly these requests, in this order.
pub(crate) struct Script {
    expected: Mutex<VecDeque<(String, Reply)>>,
    sent: Mutex<Vec<Request>>,
}

impl Script {
    /// `METHOD URL` and its reply, one after the other.
    pub(crate) fn new<'a>(exchanges: impl IntoIterator<Item = (&'a str, Reply)>) -> Arc<Self> {
        let expected = exchanges.into_iter().map(|(line, reply)| (line.to_owned(), reply)).collect();
        Arc::new(Self { expected: Mutex::new(expected), sent: Mutex::default() })
    }

    /// The requests, once all that were expected have come.
    #[track_caller]
    pub(crate) fn finished(&self) -> Vec<Request> {
        let left: Vec<String> = self.expected.lock().unwrap().iter().map(|(line, _)| line.clone()).collect();
        assert!(left.is_empty(), "never sent: {left:#?}");
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let line = format!("{} {}", request.method(), request.uri());
        let next = self.expected.lock().unwrap().pop_front();
        let (expected, reply) = next.unwrap_or_else(|| panic!("not in the script: {line}"));
        assert_eq!(line, expected);
        self.sent.lock().unwrap().push(request);
        let host = "management.azure.com".to_owned();
        match reply {
            Reply::Response(response) => Ok(response),
            Reply::NoConnection => Err(TransportError::Connect { host, source: "no route".into() }),
            Reply::Dropped => Err(TransportError::Broken { host, source: "reset".into() }),
        }
    }
}

/// A clock that jumps over every wait and remembers it.
pub(crate) struct VirtualClock {
    now: Mutex<Timestamp>,
    waits: Mutex<Vec<Duration>>,
}

impl VirtualClock {
    pub(crate) fn new() -> Arc<Self> {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        Arc::new(Self { now: Mutex::new(now), waits: Mutex::default() })
    }

    /// Every wait so far, in whole seconds.
    pub(crate) fn waits(&self) -> Vec<u64> {
        self.waits.lock().unwrap().iter().map(Duration::as_secs).collect()
    }

    pub(crate) fn advance(&self, duration: Duration) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(duration).unwrap();
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.waits.lock().unwrap().push(duration);
        self.advance(duration);
    }
}

/// A client of `script`.
pub(crate) fn client(script: &Arc<Script>, clock: &Arc<VirtualClock>) -> ArmClient {
    let tokens = Arc::new(FixedToken::new(Secret::new("T0KEN".to_owned())));
    ArmClient::new(script.clone(), clock.clone(), tokens, Origin::parse(ARM).unwrap())
}
