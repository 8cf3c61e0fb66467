//! The door into the simulator for clients in the same process, and the clock that they wait on.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::simulator::Simulator;
use crate::http::{Clock, Request, Response, SystemClock, Transport, TransportError};

/// Where the simulator is, for clients that reach it in-process. The name resolves nowhere.
pub const ORIGIN: &str = "https://sim.arcflux.invalid";

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
}
