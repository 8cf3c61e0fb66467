//! Ctrl-C and SIGTERM: the first drains, the second exits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Exit;
use super::console::Console;
use super::progress::Progress;
use crate::apply::Interrupt;
use crate::model::Address;
use crate::plan::{Event, EventKind};

/// The resources that are being worked on, with what ARM has accepted for each.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<BTreeMap<Address, Option<Operation>>>>);

/// A write that ARM has accepted.
#[derive(Debug)]
struct Operation {
    method: String,
    id: Option<String>,
}

impl InFlight {
    /// Follows an event.
    pub(super) fn follow(&self, event: &Event) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.kind {
            EventKind::ApplyStart { .. } => {
                all.insert(event.address.clone(), None);
            }
            EventKind::Accepted { method, status: _, operation_id, correlation_id: _ } => {
                let operation = Operation { method: method.clone(), id: operation_id.clone() };
                all.insert(event.address.clone(), Some(operation));
            }
            EventKind::ApplyComplete { .. } | EventKind::ApplyErrored { .. } | EventKind::ApplySkipped { .. } => {
                all.remove(&event.address);
            }
            EventKind::ApplyProgress { .. } => {}
        }
    }

    /// One line for each.
    fn lines(&self) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(address, operation): (&Address, &Option<Operation>)| match operation {
            Some(Operation { method, id: Some(id) }) => format!("{address}: {method}, operation {id}"),
            Some(Operation { method, id: None }) => format!("{address}: {method}"),
            None => format!("{address}: no write was accepted yet"),
        };
        all.iter().map(line).collect()
    }
}

/// Whether an apply listens to signals: then it drains, and does not end with the first.
static DRAINS: AtomicBool = AtomicBool::new(false);

/// Ends the process with the first signal, until an apply [listens](listen) itself: before, nothing has been written. To
/// be called inside a runtime, and in a task of its own: whoever is asked a question on the terminal keeps its thread.
pub(super) fn end_before_an_apply(console: Console) {
    let mut signals = Signals::listen();
    tokio::spawn(async move {
        signals.next().await;
        if !DRAINS.load(Ordering::Relaxed) {
            console.tell("Interrupted. Nothing was written.");
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
}

/// Listens until the runtime ends.
pub(super) fn listen(interrupt: Interrupt, in_flight: InFlight, progress: Arc<Progress>) {
    let mut signals = Signals::listen();
    DRAINS.store(true, Ordering::Relaxed);
    tokio::spawn(async move {
        signals.next().await;
        interrupt.request();
        progress.tell(
            "Interrupt received. Finishing what Azure has accepted; nothing new will be started. \
             Press Ctrl-C again to exit now.",
        );
        signals.next().await;
        progress.finish();
        let lines = in_flight.lines();
        if lines.is_empty() {
            progress.tell("Exiting now. Nothing is in flight.");
        } else {
            progress.tell("Exiting now. In flight, and going on without us:");
            lines.iter().for_each(|line| progress.tell(&format!("  {line}")));
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
