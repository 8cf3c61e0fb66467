//! An apply that is killed at any request, and run again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::plan::{Choices, Options, Plan, Workloads};
use arcflux::sim;
use arcflux::sim::quirks::{OmittedKustomizations, Quirks};
use async_trait::async_trait;
use tokio::sync::Notify;

use crate::simulated::{World, options};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const LONG_FORM: &str = include_str!("../../specs/long-form.yaml");

/// A transport of a process that dies with the request number `fatal`: the service gets it, and nobody sees the answer.
struct Dying<T> {
    inner: T,
    sent: AtomicUsize,
    fatal: usize,
    death: Notify,
}

#[async_trait]
impl<T: Transport> Transport for Dying<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let number = self.sent.fetch_add(1, Ordering::SeqCst);
        let answer = self.inner.send(request).await;
        if number >= self.fatal {
            self.death.notify_one();
            std::future::pending::<()>().await;
        }
        answer
    }
}

/// Applies `spec` and dies with that request. Whether the apply came to its end before.
async fn dies(world: &World, spec: &str, options: &Options, fatal: usize) -> bool {
    dies_with(world, &world.try_plan(spec, options).await.unwrap(), fatal).await
}

/// Applies a plan and dies with that request. Whether the apply came to its end before.
pub(crate) async fn dies_with(world: &World, plan: &Plan, fatal: usize) -> bool {
    let inner = world.sim.transport();
    let transport = Arc::new(Dying { inner, sent: AtomicUsize::new(0), fatal, death: Notify::new() });
    let dying = world.through(transport.clone());
    tokio::select! {
        report = dying.apply(plan) => {
            assert!(report.converged(), "{report:#?}");
            true
        }
        () = transport.death.notified() => false,
    }
}

/// Kills an apply of `spec` at every request that it makes, each time in a world brought about by `before`, and runs it
/// again. The number of requests.
async fn killed_everywhere(before: Option<&str>, spec: &str, options: &Options, quirks: Quirks) -> usize {
    let mut fatal = 0;
    loop {
        let world = World::with(spec, sim::Settings { quirks, ..sim::Settings::default() });
        if let Some(before) = before {
            world.converge(before).await;
        }
        let ended = dies(&world, spec, options, fatal).await;
        world.converge_with(spec, options).await;
        if ended {
            return fatal;
        }
        fatal += 1;
    }
}

#[tokio::test]
async fn a_create() {
    let requests = killed_everywhere(None, QUICKSTART, &options(), Quirks::default()).await;
    assert!(requests > 10, "{requests} requests");
}

#[tokio::test]
async fn an_update_of_extension_and_configuration() {
    let edited = QUICKSTART
        .replace("retail/ApplicationRegistrations", "retail/Next")
        .replace("multiTenancy: false", "multiTenancy: true");
    let requests = killed_everywhere(Some(QUICKSTART), &edited, &options(), Quirks::default()).await;
    assert!(requests > 10, "{requests} requests");
}

#[tokio::test]
async fn a_removal_that_keeps_the_workloads() {
    let without = &QUICKSTART[..QUICKSTART.find("  app:").unwrap()];
    let choices = Choices { workloads: Some(Workloads::Keep), ..Choices::default() };
    // The longest way: prune off, the whole configuration, and a removal by name of what is left.
    let quirks = Quirks { omitted_kustomizations: OmittedKustomizations::Kept, ..Quirks::default() };
    let requests = killed_everywhere(Some(QUICKSTART), without, &Options { choices, ..options() }, quirks).await;
    assert!(requests > 10, "{requests} requests");
}

#[tokio::test]
async fn a_replacement() {
    let moved = LONG_FORM.replacen("scope: cluster", "scope: namespace", 1);
    let choices = Choices { allow_replace: true, ..Choices::default() };
    let options = Options { choices, ..options() };
    let requests = killed_everywhere(Some(LONG_FORM), &moved, &options, Quirks::default()).await;
    assert!(requests > 10, "{requests} requests");
}
