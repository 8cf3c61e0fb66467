//! Ctrl-C and SIGTERM: the first drains, the second exits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Exit;
use super::console::Console;
use super::error::CliError;
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

/// Ends the process with the first signal: for what writes nothing to Azure. To be called inside a runtime.
pub(super) fn end_at_once(console: Console) {
    let mut signals = Signals::listen();
    tokio::spawn(async move {
        signals.next().await;
        console.tell(NOTHING_WRITTEN);
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
}

/// What is said where a run was interrupted before its apply began.
const NOTHING_WRITTEN: &str = "Interrupted. Nothing was written.";

/// The signals of a run that may write: the first asks it to stop, wherever it is, and the second ends the process. One
/// listens from the beginning to the end, so that none is lost between planning, the question and the apply.
#[derive(Clone, Default)]
pub(super) struct Stop {
    /// The wish to stop.
    pub(super) interrupt: Interrupt,
    /// What is being worked on.
    pub(super) in_flight: InFlight,
    /// How the apply shows what it does, once it has begun.
    apply: Arc<OnceLock<Arc<Progress>>>,
}

impl Stop {
    /// Listens until the runtime ends. To be called inside one; in a task of its own, because whoever plans keeps its
    /// thread.
    pub(super) fn listen(console: Console) -> Self {
        let stop = Self::default();
        let (mut signals, listening) = (Signals::listen(), stop.clone());
        tokio::spawn(async move {
            signals.next().await;
            // Said before it is asked for: a run with nothing to finish ends at once.
            if let Some(progress) = listening.apply.get() {
                progress.tell(
                    "Interrupt received. Finishing what Azure has accepted; nothing new will be started. \
                     Press Ctrl-C again to exit now.",
                );
            }
            listening.interrupt.request();
            signals.next().await;
            listening.exit(&console);
        });
        stop
    }

    /// Does what comes before an apply, unless somebody wants to stop first: then there is no apply.
    pub(super) async fn before_an_apply<T>(
        &self,
        work: impl Future<Output = Result<T, CliError>>,
    ) -> Result<T, CliError> {
        let done = tokio::select! {
            biased;
            () = self.interrupt.requested() => None,
            done = work => Some(done?),
        };
        match done {
            // The wish may have come with the answer.
            Some(done) if !self.interrupt.is_requested() => Ok(done),
            Some(_) | None => Err(CliError::interrupted(NOTHING_WRITTEN)),
        }
    }

    /// An apply begins, and shows itself so.
    pub(super) fn begins(&self, progress: &Arc<Progress>) {
        let _begun = self.apply.set(Arc::clone(progress));
    }

    fn exit(&self, console: &Console) -> ! {
        if let Some(progress) = self.apply.get() {
            progress.finish();
        }
        let lines = self.in_flight.lines();
        if lines.is_empty() {
            console.tell("Exiting now. Nothing is in flight.");
        } else {
            console.tell("Exiting now. In flight, and going on without us:");
            lines.iter().for_each(|line| console.tell(&format!("  {line}")));
        }
        std::process::exit(i32::from(Exit::Interrupted.code()))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_wants_to_stop_before_an_apply_gets_none() {
        let stop = Stop::default();
        let asked = stop.before_an_apply(async {
            stop.interrupt.request();
            std::future::pending::<()>().await;
            Ok(())
        });
        assert_eq!(asked.await.unwrap_err().exit, Exit::Interrupted, "while it is asked");
        let stop = Stop::default();
        let agreed = stop.before_an_apply(async {
            stop.interrupt.request();
            Ok("yes")
        });
        assert_eq!(agreed.await.unwrap_err().exit, Exit::Interrupted, "together with the answer");
        assert_eq!(Stop::default().before_an_apply(async { Ok("yes") }).await.unwrap(), "yes");
    }
}
