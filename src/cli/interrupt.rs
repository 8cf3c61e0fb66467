//! Ctrl-C and SIGTERM: the first drains, the second exits.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::Exit;
use super::console::Console;
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
pub(super) fn listen(interrupt: Interrupt, in_flight: InFlight, console: Console) {
    tokio::spawn(async move {
        signal().await;
        interrupt.request();
        console.tell(
            "Interrupt received. Finishing what Azure has accepted; nothing new will be started. \
             Press Ctrl-C again to exit now.",
        );
        signal().await;
        let addresses = in_flight.addresses();
        if addresses.is_empty() {
            console.tell("Exiting now. Nothing is in flight.");
        } else {
            console.tell(&format!("Exiting now. In flight, and going on without us: {}", addresses.join(", ")));
        }
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _unavailable = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _unavailable = tokio::signal::ctrl_c().await;
}
