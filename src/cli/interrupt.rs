//! Ctrl-C and SIGTERM: the first drains, the second exits.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::Exit;
use super::progress::Progress;
use crate::apply::Interrupt;
use crate::model::Address;
use crate::plan::{Event, EventKind};

/// The resources that are being worked on.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<BTreeSet<Address>>>);

impl InFlight {
    /// Follows an event.
    pub(super) fn follow(&self, event: &Event) {
        let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.kind {
            EventKind::ApplyStart { .. } => {
                addresses.insert(event.address.clone());
            }
            EventKind::ApplyComplete { .. } | EventKind::ApplyErrored { .. } | EventKind::ApplySkipped { .. } => {
                addresses.remove(&event.address);
            }
            EventKind::Accepted { .. } | EventKind::ApplyProgress { .. } => {}
        }
    }

    fn addresses(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(ToString::to_string).collect()
    }
}

/// Listens until the runtime ends.
pub(super) fn listen(interrupt: Interrupt, in_flight: InFlight, progress: Arc<Progress>) {
    let mut signals = Signals::listen();
    tokio::spawn(async move {
        signals.next().await;
        interrupt.request();
        progress.tell(
            "Interrupt received. Finishing what Azure has accepted; nothing new will be started. \
             Press Ctrl-C again to exit now.",
        );
        signals.next().await;
        progress.finish();
        let addresses = in_flight.addresses();
        if addresses.is_empty() {
            progress.tell("Exiting now. Nothing is in flight.");
        } else {
            progress.tell(&format!("Exiting now. In flight, and going on without us: {}", addresses.join(", ")));
        }
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
}

/// Signals that ask to stop. Listening goes on between one and the next: of two that come close together, none is lost.
#[cfg(unix)]
struct Signals {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on. A signal that cannot be listened to keeps its meaning: it ends the process.
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { interrupt: signal(SignalKind::interrupt()).ok(), terminate: signal(SignalKind::terminate()).ok() }
    }

    async fn next(&mut self) {
        let interrupt = of(&mut self.interrupt);
        let terminate = of(&mut self.terminate);
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
        }
    }
}

#[cfg(unix)]
async fn of(signal: &mut Option<tokio::signal::unix::Signal>) {
    let received = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if received.is_none() {
        // There is nothing to listen to.
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        let _unavailable = tokio::signal::ctrl_c().await;
    }
}
