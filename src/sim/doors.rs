//! The two doors into the simulator, and the clock that a client inside the same process waits on.

use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use tokio::net::TcpListener;

use super::simulator::Simulator;
use crate::http::{Clock, Request, Response, SystemClock, Transport, TransportError};

/// Where the simulator is, for clients that reach it in-process. The name resolves nowhere.
pub const ORIGIN: &str = "https://sim.arcflux.invalid";

/// The largest request body that is read, as documented for ARM.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// The door for clients in the same process: no socket, no serialisation.
#[derive(Debug, Clone)]
pub struct InProcess {
    simulator: Simulator,
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        Ok(self.simulator.handle(request))
    }
}

/// A clock that shows the simulator's time. Waiting on it takes a fraction of the time in reality, and moves the
/// simulator's clock on.
#[derive(Debug, Clone)]
pub struct PacedClock {
    simulator: Simulator,
    pace: f64,
}

#[async_trait]
impl Clock for PacedClock {
    fn now(&self) -> Timestamp {
        self.simulator.now()
    }

    async fn sleep(&self, duration: Duration) {
        let deadline = super::durations::after(self.simulator.now(), duration);
        match Duration::try_from_secs_f64(duration.as_secs_f64() / self.pace) {
            Ok(real) if !real.is_zero() => SystemClock.sleep(real).await,
            Ok(_) | Err(_) => tokio::task::yield_now().await,
        }
        self.simulator.advance_to(deadline);
    }
}

impl Simulator {
    /// The door for clients in the same process, who address it as [`ORIGIN`] or as anything else.
    #[must_use]
    pub fn transport(&self) -> InProcess {
        InProcess { simulator: self.clone() }
    }

    /// A clock that runs `pace` times as fast as the machine's while it is waited on, and stands still otherwise. An
    /// infinite pace does not wait at all.
    #[must_use]
    pub fn clock(&self, pace: f64) -> PacedClock {
        PacedClock { simulator: self.clone(), pace }
    }

    /// Serves HTTP/1 on `listener` until `shutdown` is ready. The simulator's clock runs `speed` times as fast as the
    /// machine's from now on.
    ///
    /// # Errors
    ///
    /// What the operating system says when the listener breaks.
    pub async fn serve(
        self,
        listener: TcpListener,
        speed: f64,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let running = Running { started: SystemClock.now(), from: self.now(), speed, simulator: self };
        let router = Router::new().fallback(answer).with_state(running);
        axum::serve(listener, router).with_graceful_shutdown(shutdown).await
    }
}

/// A simulator whose clock runs with the machine's.
#[derive(Debug, Clone)]
struct Running {
    simulator: Simulator,
    started: Timestamp,
    from: Timestamp,
    speed: f64,
}

impl Running {
    /// Brings the simulator's clock to where the machine's says it should be.
    fn catch_up(&self) {
        let real = super::durations::between(self.started, SystemClock.now());
        if let Ok(simulated) = Duration::try_from_secs_f64(real.as_secs_f64() * self.speed) {
            self.simulator.advance_to(super::durations::after(self.from, simulated));
        }
    }
}

async fn answer(State(running): State<Running>, request: axum::extract::Request) -> http::Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return response;
    };
    let request = Request::from_parts(parts, body);
    // Answering may wait for another process's lock, or for git.
    let answered = tokio::task::spawn_blocking(move || {
        running.catch_up();
        running.simulator.handle(request)
    });
    match answered.await {
        Ok(response) => response.map(Body::from),
        Err(_) => {
            let mut response = http::Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}
