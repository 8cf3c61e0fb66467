//! A simulator behind TCP that stops at a chosen request: there the test does something to the client, which has by then
//! sent the request and, as chosen, not yet or already had it acted on, and not yet or already been answered.

#![cfg(unix)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::sim::Simulator;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::Uri;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// By how much the simulator's clock moves on with every request: an operation is over after some polls.
const TICK: Duration = Duration::from_secs(10);

/// Where in an exchange the test steps in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The request has arrived, and nothing has happened.
    Arrived,
    /// The service has acted, and the answer is not sent.
    Acted,
    /// The answer is on its way.
    Answered,
}

/// A request that is not a read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Write {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
}

struct Shared {
    sim: Simulator,
    stop_at: Option<(usize, Moment)>,
    count: AtomicUsize,
    stopped: AtomicBool,
    writes: Mutex<Vec<(usize, Write)>>,
    reached: mpsc::UnboundedSender<()>,
    released: watch::Receiver<bool>,
}

/// The simulator, served. It ends when it is dropped.
pub(crate) struct Gateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    reached: mpsc::UnboundedReceiver<()>,
    release: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
}

impl Gateway {
    /// Serves `sim`, and stops at the request with that number, counted from 0.
    pub(crate) async fn open(sim: &Simulator, stop_at: Option<(usize, Moment)>) -> Self {
        let (reached_sender, reached) = mpsc::unbounded_channel();
        let (release, released) = watch::channel(false);
        let shared = Arc::new(Shared {
            sim: sim.clone(),
            stop_at,
            count: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            writes: Mutex::default(),
            reached: reached_sender,
            released,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, address, reached, release, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until the chosen request has come to the chosen moment.
    pub(crate) async fn reached(&mut self) {
        self.reached.recv().await.unwrap();
    }

    /// Lets the client go on that waits for an answer.
    pub(crate) fn release(&self) {
        self.release.send_replace(true);
    }

    /// How many requests there were.
    pub(crate) fn requests(&self) -> usize {
        self.shared.count.load(Ordering::SeqCst)
    }

    /// What was sent that was not a read, with the number of the request.
    pub(crate) fn writes(&self) -> Vec<(usize, Write)> {
        self.shared.writes.lock().unwrap().clone()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    /// Stops here for as long as the test wants, if this is the place, or if everything has stopped.
    async fn pass(&self, number: usize, here: Moment) {
        if self.stop_at == Some((number, here)) {
            self.stopped.store(true, Ordering::SeqCst);
            let _nobody_waits = self.reached.send(());
        }
        // Whoever comes later waits too: the test has not done yet what it stepped in for.
        if here != Moment::Answered && self.stopped.load(Ordering::SeqCst) {
            let mut released = self.released.clone();
            let _gone = released.wait_for(|released| *released).await;
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let number = shared.count.fetch_add(1, Ordering::SeqCst);
    shared.pass(number, Moment::Arrived).await;
    let (mut parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 4 * 1024 * 1024).await.unwrap();
    let host = parts.headers[http::header::HOST].to_str().unwrap().to_owned();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let mut uri = parts.uri.into_parts();
    (uri.scheme, uri.authority) = (Some(http::uri::Scheme::HTTP), Some(host.parse().unwrap()));
    parts.uri = Uri::from_parts(uri).unwrap();
    shared.sim.advance(TICK);
    let response = shared.sim.handle(Request::from_parts(parts, body));
    if method != "GET" {
        let write = Write { method, path, status: response.status().as_u16() };
        shared.writes.lock().unwrap().push((number, write));
    }
    shared.pass(number, Moment::Acted).await;
    shared.pass(number, Moment::Answered).await;
    response.map(Body::from)
}
