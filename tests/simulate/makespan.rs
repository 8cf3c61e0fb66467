//! How long a fleet takes from nothing to reconciled, in virtual time, against what no engine could undercut.
//!
//! The fleet: clusters without anything, one subscription whose provider is not registered, and on each cluster the
//! extension and one configuration. The bound is the later of two:
//!
//! - the longest chain: registration, install of the extension, create of the configuration, and its reconciliation, as
//!   long as the simulator takes for them;
//! - the write bucket: none of the writes but the registration can be sent before that is over; what the bucket then
//!   holds is gone at once, and the rest comes back at so many a second. What the last write starts must still follow it:
//!   the end of the operation of a configuration, and its reconciliation.
//!
//! The time is that of the apply; its plan has been made, and has drawn from the bucket of reads. Latency is not part of
//! the bound.

use std::time::Duration;

use arcflux::apply::Interrupt;
use arcflux::plan::{Choices, EventKind};
use arcflux::sim::{self, Limits, Seed, SeedCluster, SeedClusterType, SeedGroup, Simulator};
use serde_json::{Map, Value, json};

use crate::check;
use crate::network::{Network, Weather};
use crate::process::{End, Job, Process};
use crate::story::desired;
use crate::time::Time;
use crate::world::{SUBSCRIPTION, SecretStore};

/// What the apply of a fleet may take at most, as a multiple of the bound.
pub(crate) const MOST: f64 = 1.15;

// As long as the simulator takes.
const REGISTRATION: Duration = Duration::from_secs(30);
const INSTALL: Duration = Duration::from_secs(95);
const CREATE: Duration = Duration::from_secs(60);
const RECONCILIATION: Duration = Duration::from_secs(50);

/// What the apply of a fleet came to.
pub(crate) struct Row {
    clusters: u32,
    bound: Duration,
    took: Duration,
    requests: usize,
    throttled: usize,
    violations: Vec<String>,
}

impl Row {
    /// Applies to a fleet of so many clusters.
    pub(crate) fn of(clusters: u32) -> Self {
        let sim = Simulator::in_memory(sim::Settings { seeds: vec![seed(clusters)], ..sim::Settings::default() });
        let network = Network::new(sim, Time::starting_at(sim::Settings::default().start), 0);
        let desired = desired(&spec(clusters));
        let job = Job {
            desired: &desired,
            base: None,
            destroys: false,
            choices: Choices::default(),
            weather: Weather { latency: (20, 20), ..Weather::calm() },
            parallelism: None,
            polls: None,
            interrupt: Interrupt::default(),
        };
        let secrets = SecretStore::default();
        let process = Process::run(1, &job, &secrets, &network);
        let mut violations = check::violations(&process, &network, &secrets);
        match &process.end {
            End::Applied(report) if report.converged() => {}
            other => violations.push(format!("it does not converge: {other:?}")),
        }
        for operation in network.sim().operations() {
            let length = if operation.resource.contains("/extensions/") { INSTALL } else { CREATE };
            let took = operation.ended.map(|ended| ended.duration_since(operation.started));
            if took != length.try_into().ok() {
                violations.push(format!("the bound takes {length:?} for {}, and it was {took:?}", operation.resource));
            }
        }
        let starts = process.events.iter().filter(|(_, event)| matches!(event.kind, EventKind::ApplyStart { .. }));
        let began = starts.map(|(_, event)| event.at).min().unwrap_or(process.began);
        let (requests, throttled) = network.with_exchanges(|exchanges| {
            let is_429 = |status: u16| status == 429;
            let throttled = exchanges.iter().filter(|one| one.acted.is_some_and(|(_, status)| is_429(status)));
            (exchanges.len(), throttled.count())
        });
        let took = Duration::try_from(process.ended.duration_since(began)).unwrap_or_default();
        Self { clusters, bound: bound(clusters), took, requests, throttled, violations }
    }

    pub(crate) fn ratio(&self) -> f64 {
        self.took.as_secs_f64() / self.bound.as_secs_f64()
    }

    /// What is wrong with it.
    pub(crate) fn violations(&self) -> Vec<String> {
        let mut found = self.violations.clone();
        let ratio = self.ratio();
        if ratio > MOST {
            found.push(format!("{} clusters take {ratio:.3} times the bound", self.clusters));
        }
        if ratio < 1.0 {
            found.push(format!("{} clusters take {ratio:.3} times the bound, which is then none", self.clusters));
        }
        if self.throttled > 0 {
            found.push(format!("{} clusters: {} requests were answered 429", self.clusters, self.throttled));
        }
        found
    }

    pub(crate) const HEADING: &str = "  clusters    bound     took   ratio  requests  429s";

    pub(crate) fn line(&self) -> String {
        let (bound, took) = (self.bound.as_secs_f64(), self.took.as_secs_f64());
        format!(
            "  {:>8} {bound:>6.1} s {took:>6.1} s {:>7.3} {:>9} {:>5}",
            self.clusters,
            self.ratio(),
            self.requests,
            self.throttled
        )
    }
}

/// No engine is faster.
fn bound(clusters: u32) -> Duration {
    let chain = REGISTRATION + INSTALL + CREATE + RECONCILIATION;
    let bucket = Limits::default().writes;
    let late = (2 * clusters).saturating_sub(bucket.capacity);
    let last_write = REGISTRATION + Duration::from_secs_f64(f64::from(late) / f64::from(bucket.refill_per_second));
    chain.max(last_write + CREATE + RECONCILIATION)
}

fn name(number: u32) -> String {
    format!("store-{number:04}")
}

fn seed(clusters: u32) -> Seed {
    let location = || "westeurope".to_owned();
    let cluster = |number| SeedCluster {
        resource_group: "rg-fleet".to_owned(),
        name: name(number),
        cluster_type: SeedClusterType::ConnectedClusters,
        location: location(),
    };
    Seed {
        subscription: SUBSCRIPTION.to_owned(),
        tenant: None,
        groups: vec![SeedGroup { name: "rg-fleet".to_owned(), location: location() }],
        clusters: (1..=clusters).map(cluster).collect(),
    }
}

fn spec(clusters: u32) -> Value {
    let entries: Map<String, Value> = (1..=clusters).map(|number| (name(number), json!({}))).collect();
    json!({
        "apiVersion": "arcflux/v1",
        "subscription": SUBSCRIPTION,
        "resourceGroup": "rg-fleet",
        "clusters": entries,
        "extension": {"multiTenancy": false},
        "repo": {"url": "https://github.com/contoso/gitops", "branch": "main"},
        "kustomizations": {"apps": {"path": "./clusters/${cluster.name}/apps", "prune": true}},
    })
}

/// Prints the fleets of these sizes; what is wrong with them.
pub(crate) fn table(sizes: &[u32], show: &dyn Fn(&str)) -> Vec<String> {
    if sizes.is_empty() {
        return Vec::new();
    }
    show("makespan, in virtual time:");
    show(Row::HEADING);
    let mut violations = Vec::new();
    for &clusters in sizes {
        let row = Row::of(clusters);
        show(&row.line());
        violations.extend(row.violations());
    }
    violations
}
