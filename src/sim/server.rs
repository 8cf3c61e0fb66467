//! The TCP door: HTTP/1, with or without TLS, for SDKs, curl and other processes.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use http::uri::{Authority, Scheme, Uri};
use jiff::Timestamp;
use tokio::net::TcpListener;

use super::certificate::Certificate;
use super::simulator::Simulator;
use super::tls::TlsListener;
use super::traffic::{Exchange, TrafficLog};
use crate::http::{Clock, Request, SystemClock};

/// The largest request body that is read, as documented for ARM.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// How the TCP door is opened.
#[derive(Debug)]
pub struct Serving {
    /// How many times as fast as the machine's clock the simulator's runs.
    pub speed: f64,
    /// What to show over TLS; plain http when absent.
    pub certificate: Option<Certificate>,
    /// Where every exchange is written.
    pub log: Option<TrafficLog>,
}

impl Default for Serving {
    fn default() -> Self {
        Self { speed: 1.0, certificate: None, log: None }
    }
}

impl Simulator {
    /// Serves HTTP/1 on `listener` until `shutdown` is ready. The simulator's clock runs with the machine's from now
    /// on.
    ///
    /// # Errors
    ///
    /// What the operating system says when the listener breaks.
    pub async fn serve(
        self,
        listener: TcpListener,
        serving: Serving,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let Serving { speed, certificate, log } = serving;
        let running = Running {
            started: SystemClock.now(),
            from: self.now(),
            speed,
            scheme: if certificate.is_some() { Scheme::HTTPS } else { Scheme::HTTP },
            log: log.map(Arc::new),
            simulator: self,
        };
        let router = Router::new().fallback(answer).with_state(running);
        match certificate {
            None => axum::serve(listener, router).with_graceful_shutdown(shutdown).await,
            Some(certificate) => {
                let listener = TlsListener::new(listener, certificate.config());
                axum::serve(listener, router).with_graceful_shutdown(shutdown).await
            }
        }
    }
}

/// A simulator whose clock runs with the machine's.
#[derive(Debug, Clone)]
struct Running {
    simulator: Simulator,
    started: Timestamp,
    from: Timestamp,
    speed: f64,
    scheme: Scheme,
    log: Option<Arc<TrafficLog>>,
}

impl Running {
    /// Answers one request, with the simulator's clock brought to where the machine's says it should be.
    fn answer(&self, request: Request) -> crate::http::Response {
        let now = SystemClock.now();
        let real = super::durations::between(self.started, now);
        if let Ok(simulated) = Duration::try_from_secs_f64(real.as_secs_f64() * self.speed) {
            self.simulator.advance_to(super::durations::after(self.from, simulated));
        }
        let Some(log) = &self.log else { return self.simulator.handle_at(request, now) };
        let exchange = Exchange::begin(&request);
        let response = self.simulator.handle_at(request, now);
        log.record(exchange, &response);
        response
    }
}

async fn answer(State(running): State<Running>, request: axum::extract::Request) -> http::Response<Body> {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return without_body(StatusCode::PAYLOAD_TOO_LARGE);
    };
    if let Some(uri) = absolute(&running.scheme, &parts) {
        parts.uri = uri;
    }
    let request = Request::from_parts(parts, body);
    // Answering may wait for another process's lock, or for git.
    match tokio::task::spawn_blocking(move || running.answer(request)).await {
        Ok(response) => response.map(Body::from),
        Err(_) => without_body(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The request's URI with the scheme and the host that the client used: URLs in the answers start with them.
fn absolute(scheme: &Scheme, parts: &http::request::Parts) -> Option<Uri> {
    let host = parts.headers.get(http::header::HOST)?.to_str().ok()?;
    let mut uri = parts.uri.clone().into_parts();
    uri.scheme = Some(scheme.clone());
    uri.authority = Some(host.parse::<Authority>().ok()?);
    Uri::from_parts(uri).ok()
}

fn without_body(status: StatusCode) -> http::Response<Body> {
    let mut response = http::Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
