//! What lies between the engine and ARM: latency, faults, and a record of everything that crossed.
//!
//! A request that was sent travels on by itself: it arrives also when whoever sent it is dead by then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::sim::Simulator;
use async_trait::async_trait;
use bytes::Bytes;
use fastrand::Rng;
use futures::channel::oneshot;
use http::{HeaderMap, Method};
use jiff::Timestamp;

use crate::time::Time;

/// Something that the network does to one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The connection could not be opened.
    NotSent,
    /// The connection broke before the service had acted.
    LostRequest,
    /// The connection broke after the service had acted.
    LostAnswer,
    /// 429 with `Retry-After`.
    Throttled,
    /// 429 with the seconds in its message alone, or with none.
    ThrottledWithoutHeader,
    /// 500, 502, 503 or 504 in JSON; the service has not acted.
    ServerError,
    /// The same, after the service had acted.
    ServerErrorAfterwards,
    /// The same as a page of some gateway; the service has not acted.
    ErrorPage,
    /// The same, after the service had acted.
    ErrorPageAfterwards,
    /// A page with the status 200; the service has not acted.
    PageInstead,
    /// The same, after the service had acted.
    PageInsteadAfterwards,
    /// Nothing but a long time.
    Delayed,
}

impl Fault {
    pub(crate) const ALL: [Self; 12] = [
        Self::NotSent,
        Self::LostRequest,
        Self::LostAnswer,
        Self::Throttled,
        Self::ThrottledWithoutHeader,
        Self::ServerError,
        Self::ServerErrorAfterwards,
        Self::ErrorPage,
        Self::ErrorPageAfterwards,
        Self::PageInstead,
        Self::PageInsteadAfterwards,
        Self::Delayed,
    ];

    /// Whether the service gets to see the request.
    fn reaches(self) -> bool {
        match self {
            Self::LostAnswer
            | Self::ServerErrorAfterwards
            | Self::ErrorPageAfterwards
            | Self::PageInsteadAfterwards
            | Self::Delayed => true,
            Self::NotSent
            | Self::LostRequest
            | Self::Throttled
            | Self::ThrottledWithoutHeader
            | Self::ServerError
            | Self::ErrorPage
            | Self::PageInstead => false,
        }
    }
}

/// How bad the network is.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    /// Of ten thousand exchanges, how many get each fault.
    pub(crate) faults: BTreeMap<Fault, u32>,
    /// One way, in milliseconds.
    pub(crate) latency: (u64, u64),
    /// Whether what is answered quotes what was sent.
    pub(crate) quotes: bool,
}

impl Weather {
    pub(crate) fn calm() -> Self {
        Self { faults: BTreeMap::new(), latency: (10, 40), quotes: false }
    }

    pub(crate) fn of(rng: &mut Rng) -> Self {
        let mut faults = BTreeMap::new();
        // Most weather has a few kinds of faults; some is a storm of one.
        let storm = rng.u8(0..8) == 0;
        for fault in Fault::ALL {
            if !storm && rng.u8(0..3) == 0 {
                faults.insert(fault, rng.u32(20..400));
            }
        }
        if storm {
            faults.insert(Fault::ALL[rng.usize(0..Fault::ALL.len())], rng.u32(1000..4000));
        }
        let latency = match rng.u8(0..3) {
            0 => (5, 10),
            1 => (10, 400),
            _ => (50, 3000),
        };
        Self { faults, latency, quotes: rng.bool() }
    }

    fn fault(&self, rng: &mut Rng) -> Option<Fault> {
        let mut dice = rng.u32(0..10_000);
        for (fault, share) in &self.faults {
            match dice.checked_sub(*share) {
                None => return Some(*fault),
                Some(rest) => dice = rest,
            }
        }
        None
    }
}

/// What the caller saw of one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) order: u64,
    pub(crate) at: Timestamp,
    /// None when the connection broke.
    pub(crate) status: Option<u16>,
    pub(crate) correlation: Option<String>,
    /// The last segment of the operation's URL.
    pub(crate) operation: Option<String>,
}

/// One exchange.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The process that sent it.
    pub(crate) process: usize,
    pub(crate) order: u64,
    pub(crate) sent: Timestamp,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Bytes,
    pub(crate) fault: Option<Fault>,
    /// When the service acted, and with which status it answered.
    pub(crate) acted: Option<(Timestamp, u16)>,
    pub(crate) seen: Option<Seen>,
}

impl Exchange {
    pub(crate) fn writes(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    /// The status of the answer, where one came that is ARM's: a page with the status 200 is somebody else's.
    pub(crate) fn status(&self) -> Option<u16> {
        match self.fault {
            Some(Fault::PageInstead | Fault::PageInsteadAfterwards) => None,
            _ => self.seen.as_ref()?.status,
        }
    }

    /// Whether whoever sent it cannot tell that the service has not acted.
    pub(crate) fn may_have_acted(&self) -> bool {
        self.fault != Some(Fault::NotSent) && self.status().is_none_or(|status| status >= 500)
    }

    /// Whether the service certainly has not acted, and said so: it may be sent again by whoever only repeats.
    pub(crate) fn is_turned_away(&self) -> bool {
        self.fault == Some(Fault::NotSent) || self.status() == Some(429)
    }
}

/// What crossed, and what is to happen to what crosses next.
pub(crate) struct Network {
    sim: Simulator,
    time: Time,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    weather: Weather,
    exchanges: Vec<Exchange>,
    order: u64,
    trace: String,
    start: Timestamp,
    alive: usize,
    loses_what_travels: bool,
}

/// The network as one process sees it.
pub(crate) struct Line {
    pub(crate) network: Arc<Network>,
    pub(crate) process: usize,
}

impl Network {
    pub(crate) fn new(sim: Simulator, time: Time, seed: u64) -> Arc<Self> {
        let state = State {
            rng: Rng::with_seed(seed),
            weather: Weather::calm(),
            exchanges: Vec::new(),
            order: 0,
            trace: String::new(),
            start: time.now(),
            alive: 0,
            loses_what_travels: false,
        };
        Arc::new(Self { sim, time, state: Mutex::new(state) })
    }

    pub(crate) fn sim(&self) -> &Simulator {
        &self.sim
    }

    pub(crate) fn time(&self) -> &Time {
        &self.time
    }

    /// A process begins, in this weather.
    pub(crate) fn begin(&self, process: usize, weather: Weather) {
        let mut state = self.state.lock().unwrap();
        state.weather = weather;
        state.alive = process;
    }

    /// The process is gone; what it had sent may never arrive.
    pub(crate) fn end(&self, loses_what_travels: bool) {
        let mut state = self.state.lock().unwrap();
        state.alive = 0;
        state.loses_what_travels = loses_what_travels;
    }

    /// A number that is higher than all before.
    pub(crate) fn tick(&self) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.order += 1;
        state.order
    }

    /// A random number from 0 to 1.
    pub(crate) fn jitter(&self) -> f64 {
        self.state.lock().unwrap().rng.f64()
    }

    pub(crate) fn note(&self, line: &str) {
        let now = self.time.now();
        let mut state = self.state.lock().unwrap();
        let elapsed = now.duration_since(state.start).as_secs_f64();
        state.trace.push_str(&format!("{elapsed:>11.3} {line}\n"));
    }

    pub(crate) fn trace(&self) -> String {
        std::mem::take(&mut self.state.lock().unwrap().trace)
    }

    /// Everything that a process sent.
    pub(crate) fn sent_by(&self, process: usize) -> Vec<Exchange> {
        let state = self.state.lock().unwrap();
        state.exchanges.iter().filter(|exchange| exchange.process == process).cloned().collect()
    }

    /// Everything that was sent.
    pub(crate) fn with_exchanges<T>(&self, look: impl FnOnce(&[Exchange]) -> T) -> T {
        look(&self.state.lock().unwrap().exchanges)
    }

    /// Notes a request, and decides what becomes of it: its number, the fault, and the times to there and back.
    fn leave(&self, process: usize, request: &Request) -> (usize, Option<Fault>, Duration, Duration) {
        let sent = self.time.now();
        let mut state = self.state.lock().unwrap();
        let State { rng, weather, .. } = &mut *state;
        let fault = weather.fault(rng);
        let (least, most) = weather.latency;
        let there = rng.u64(least..=most);
        let there = if fault == Some(Fault::Delayed) { there + rng.u64(1_000..90_000) } else { there };
        let back = rng.u64(least..=most);
        state.order += 1;
        let exchange = Exchange {
            process,
            order: state.order,
            sent,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            body: request.body().clone(),
            fault,
            acted: None,
            seen: None,
        };
        state.exchanges.push(exchange);
        (state.exchanges.len() - 1, fault, Duration::from_millis(there), Duration::from_millis(back))
    }

    /// The request is where it was to go, or where it was lost: what comes back.
    fn arrive(
        &self,
        number: usize,
        request: Request,
        fault: Option<Fault>,
    ) -> Option<Result<Response, TransportError>> {
        let now = self.time.now();
        {
            let state = self.state.lock().unwrap();
            if state.loses_what_travels && state.exchanges[number].process != state.alive {
                return None;
            }
        }
        let sent_body = request.body().clone();
        let answer = if fault.is_none_or(Fault::reaches) {
            let answer = self.sim.handle_as_of(request, now);
            self.state.lock().unwrap().exchanges[number].acted = Some((now, answer.status().as_u16()));
            Some(answer)
        } else {
            None
        };
        let mut state = self.state.lock().unwrap();
        let quoted =
            if state.weather.quotes { String::from_utf8_lossy(&sent_body).into_owned() } else { String::new() };
        let rng = &mut state.rng;
        let broken = || TransportError::Broken { host: "sim".to_owned(), source: "connection reset by peer".into() };
        Some(match (fault, answer) {
            (None | Some(Fault::Delayed), Some(answer)) => Ok(answer),
            (Some(Fault::NotSent), _) => {
                Err(TransportError::Connect { host: "sim".to_owned(), source: "connection refused".into() })
            }
            (Some(Fault::Throttled), _) => {
                let seconds = rng.u64(1..60);
                let mut answer = error(429, "TooManyRequests", "Too many requests.");
                answer.headers_mut().insert("retry-after", seconds.to_string().parse().unwrap());
                Ok(answer)
            }
            (Some(Fault::ThrottledWithoutHeader), _) => {
                let seconds = rng.u64(1..30);
                let message = match rng.bool() {
                    true => {
                        format!("Number of requests exceeded the limit. Please try again after '{seconds}' seconds.")
                    }
                    false => "Number of requests exceeded the limit.".to_owned(),
                };
                Ok(error(429, "TooManyRequests", &message))
            }
            (Some(Fault::ServerError | Fault::ServerErrorAfterwards), _) => {
                let status = server_error(rng);
                let message = match rng.u8(0..3) {
                    0 => format!("The request cannot be processed: {quoted}"),
                    1 => format!("Cannot process '{}'.", escaped(&quoted)),
                    _ => format!("Something went wrong. Request: {}", cut(&quoted, rng)),
                };
                Ok(error(status, "InternalServerError", &message))
            }
            (Some(Fault::ErrorPage | Fault::ErrorPageAfterwards), _) => {
                let status = server_error(rng);
                Ok(page(status, &quoted))
            }
            (Some(Fault::PageInstead | Fault::PageInsteadAfterwards), _) => Ok(page(200, &quoted)),
            (Some(Fault::LostRequest | Fault::LostAnswer), _) | (None | Some(Fault::Delayed), None) => Err(broken()),
        })
    }

    /// The answer is with the caller.
    fn come_back(&self, number: usize, outcome: Result<&Response, &TransportError>) {
        let at = self.time.now();
        let mut state = self.state.lock().unwrap();
        state.order += 1;
        let order = state.order;
        let header = |headers: &HeaderMap, name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let seen = match outcome {
            Ok(response) => Seen {
                order,
                at,
                status: Some(response.status().as_u16()),
                correlation: header(response.headers(), "x-ms-correlation-request-id"),
                operation: header(response.headers(), "azure-asyncoperation").map(|url| {
                    let path = url.split('?').next().unwrap_or_default();
                    path.rsplit('/').next().unwrap_or_default().to_owned()
                }),
            },
            Err(_) => Seen { order, at, status: None, correlation: None, operation: None },
        };
        let exchange = &mut state.exchanges[number];
        exchange.seen = Some(seen.clone());
        let fault = exchange.fault.map(|fault| format!(" [{fault:?}]")).unwrap_or_default();
        let took = at.duration_since(exchange.sent).as_secs_f64();
        let status = seen.status.map_or_else(|| "broken".to_owned(), |status| status.to_string());
        let line =
            format!("#{} {} {} -> {status} ({took:.3} s){fault}", exchange.process, exchange.method, exchange.path);
        drop(state);
        self.note(&line);
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let network = &self.network;
        let (number, fault, there, back) = network.leave(self.process, &request);
        let (sender, receiver) = oneshot::channel();
        let travelling = Arc::clone(network);
        network.time.at(network.time.after(there), move || {
            let Some(outcome) = travelling.arrive(number, request, fault) else { return };
            let returning = Arc::clone(&travelling);
            let due = travelling.time.after(back);
            travelling.time.at(due, move || {
                if !sender.is_canceled() {
                    returning.come_back(number, outcome.as_ref());
                }
                let _nobody_there = sender.send(outcome);
            });
        });
        receiver.await.unwrap_or_else(|_| {
            Err(TransportError::Broken { host: "sim".to_owned(), source: "the process is gone".into() })
        })
    }
}

fn server_error(rng: &mut Rng) -> u16 {
    [500, 502, 503, 504][rng.usize(0..4)]
}

fn error(status: u16, code: &str, message: &str) -> Response {
    let body = serde_json::json!({"error": {"code": code, "message": message}}).to_string();
    http::Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("x-ms-correlation-request-id", "7c0ffee0-0000-4000-8000-000000000000")
        .body(body.into())
        .unwrap()
}

fn page(status: u16, quoted: &str) -> Response {
    let body =
        format!("<html><head><title>{status}</title></head><body><h1>Oops</h1><pre>{quoted}</pre></body></html>");
    http::Response::builder().status(status).header("content-type", "text/html").body(body.into()).unwrap()
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The beginning of a text, up to anywhere.
fn cut(text: &str, rng: &mut Rng) -> String {
    let end = rng.usize(0..=text.chars().count());
    text.chars().take(end).collect()
}
