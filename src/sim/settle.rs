//! What happens by itself as the clock moves: registrations and operations end, clusters connect, Flux reports.
//!
//! Nothing advances by being asked about. Clusters do not affect each other, so each is taken through its own events in
//! order of time.

use std::time::Duration;

use jiff::Timestamp;

use super::durations::{self, after};
use super::flux::waits_for_reconciliation;
use super::reconcile::Reconciler;
use super::scenario::Scenario;
use super::state::{
    Arrival, Cluster, ClusterKind, End, Extension, FluxConfiguration, Outcome, Pending, Provisioning, Registration,
};
use super::world::{World, has_agents};

/// Something that happens to a cluster, or to a resource on it by key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    ClusterEnds,
    Connects,
    ExtensionEnds(String),
    ConfigurationEnds(String),
    Reports(String),
}

/// What has ended, to be written to the operations.
type Ended = Vec<(Pending, End)>;

impl World<'_> {
    /// Moves the clock to `to`, through everything that happens until then. A clock that is there already stays.
    pub(crate) fn settle(&mut self, to: Timestamp) {
        let to = to.max(self.state.now);
        self.state.now = to;
        let scenario = self.settings.scenario;
        let reconciler = Reconciler::new(self.settings);
        let mut ended: Ended = Vec::new();
        for subscription in self.state.subscriptions.values_mut() {
            for registration in subscription.providers.values_mut() {
                *registration = registered_by(*registration, to);
            }
            for group in subscription.groups.values_mut() {
                for cluster in group.clusters.values_mut() {
                    if cluster.quiet_until.is_none_or(|until| until <= to) {
                        settle_cluster(cluster, to, scenario, &reconciler, &mut ended);
                    }
                }
                group.clusters.retain(|_, cluster| !is_gone(cluster));
            }
            subscription.groups.retain(|_, group| {
                let Some(pending) = &group.deletion else { return true };
                let at = after(pending.started, durations::GROUP_DELETE);
                if at > to {
                    return true;
                }
                for cluster in group.clusters.values() {
                    abandon(cluster, at, &mut ended);
                }
                ended.push((pending.clone(), End { at, outcome: Outcome::Succeeded }));
                false
            });
        }
        for (pending, end) in ended {
            self.end(&pending, end.at, end.outcome);
        }
    }
}

fn settle_cluster(
    cluster: &mut Cluster,
    to: Timestamp,
    scenario: Option<Scenario>,
    reconciler: &Reconciler<'_>,
    ended: &mut Ended,
) {
    loop {
        let next = next_event(cluster, scenario);
        cluster.quiet_until = Some(next.as_ref().map_or(Timestamp::MAX, |(at, _)| *at));
        // What would happen at the end of time never does.
        let Some((at, event)) = next.filter(|(at, _)| *at <= to && *at < Timestamp::MAX) else { return };
        happen(cluster, &event, at, to, scenario, reconciler, ended);
        if is_gone(cluster) {
            abandon(cluster, at, ended);
            return;
        }
    }
}

/// Ends what was running on a cluster that goes away: removals are over with it, anything else will not come to be.
fn abandon(cluster: &Cluster, at: Timestamp, ended: &mut Ended) {
    let extensions = cluster.extensions.values().filter_map(|extension| extension.pending.as_ref());
    let configurations = cluster.configurations.values().filter_map(|configuration| configuration.pending.as_ref());
    for pending in extensions.chain(configurations).chain(cluster.pending.as_ref()) {
        let outcome = if pending.deletes { Outcome::Succeeded } else { Outcome::Canceled };
        ended.push((pending.clone(), End { at, outcome }));
    }
}

/// Whether the cluster's deletion is over.
fn is_gone(cluster: &Cluster) -> bool {
    cluster.pending.is_none() && cluster.provisioning == Provisioning::Deleting
}

fn registered_by(registration: Registration, now: Timestamp) -> Registration {
    match registration {
        Registration::Registering { until } if until <= now => Registration::Registered,
        Registration::Unregistering { until } if until <= now => Registration::Unregistered,
        Registration::NotRegistered
        | Registration::Registering { .. }
        | Registration::Registered
        | Registration::Unregistering { .. }
        | Registration::Unregistered => registration,
    }
}

/// The next thing to happen to a cluster, and when. Of two at the same instant, the one listed first in [`Event`].
fn next_event(cluster: &Cluster, scenario: Option<Scenario>) -> Option<(Timestamp, Event)> {
    let mut events = Vec::new();
    if let Some(pending) = &cluster.pending {
        events.push((after(pending.started, cluster_length(cluster.kind, pending)), Event::ClusterEnds));
    } else if cluster.online_since.is_none() && has_agents(cluster.kind) {
        let accepted = after(cluster.created, durations::CLUSTER_PUT);
        let begin = match cluster.arrival {
            Arrival::Expected => Some(accepted),
            Arrival::Awaited => None,
            Arrival::Installed { at } => Some(at.max(accepted)),
        };
        events.extend(begin.map(|begin| (after(begin, durations::CONNECTING), Event::Connects)));
    }
    let online = online_since(cluster, scenario);
    for (key, extension) in &cluster.extensions {
        if let (Some(pending), Some(online)) = (&extension.pending, online) {
            let begin = pending.started.max(online);
            let at = after(begin, extension_length(extension, pending).saturating_add(pending.fate.extra()));
            events.push((cluster.when_heard(at), Event::ExtensionEnds(key.clone())));
        }
    }
    let flux = online.and_then(|online| flux_since(cluster).map(|since| since.max(online)));
    for (key, configuration) in &cluster.configurations {
        if let Some(at) = configuration_end(configuration, online, flux, scenario) {
            events.push((cluster.when_heard(at), Event::ConfigurationEnds(key.clone())));
        }
        if let (Some(at), Some(flux)) = (configuration.report.next, flux) {
            events.push((cluster.when_heard(at.max(flux)), Event::Reports(key.clone())));
        }
    }
    events.into_iter().min()
}

/// Since when the cluster does what it is told.
fn online_since(cluster: &Cluster, scenario: Option<Scenario>) -> Option<Timestamp> {
    let is_silent = scenario == Some(Scenario::AgentOffline) && has_agents(cluster.kind);
    cluster.online_since.filter(|_| !is_silent)
}

/// Since when Flux runs in the cluster.
fn flux_since(cluster: &Cluster) -> Option<Timestamp> {
    cluster
        .extensions
        .values()
        .filter(|extension| extension.is_flux() && extension.provisioning == Provisioning::Succeeded)
        .filter_map(|extension| extension.ready_since)
        .min()
}

fn cluster_length(kind: ClusterKind, pending: &Pending) -> Duration {
    match (kind, pending.deletes) {
        (_, true) => durations::CLUSTER_DELETE,
        (ClusterKind::Connected, false) => durations::CLUSTER_PUT,
        (ClusterKind::Managed, false) => durations::MANAGED_CLUSTER_PUT,
    }
}

fn extension_length(extension: &Extension, pending: &Pending) -> Duration {
    if pending.deletes {
        durations::EXTENSION_DELETE
    } else if extension.ready_since.is_some() {
        durations::EXTENSION_UPDATE
    } else {
        durations::EXTENSION_INSTALL
    }
}

fn configuration_end(
    configuration: &FluxConfiguration,
    online: Option<Timestamp>,
    flux: Option<Timestamp>,
    scenario: Option<Scenario>,
) -> Option<Timestamp> {
    let pending = configuration.pending.as_ref()?;
    if pending.deletes {
        // A cluster without Flux has nothing to remove, so only the agents have to be there.
        let length = durations::FLUX_DELETE.saturating_add(pending.fate.extra());
        return online.map(|online| after(pending.started.max(online), length));
    }
    if scenario == Some(Scenario::OperationStuck) {
        return None;
    }
    if configuration.report.next.is_some() && is_picked_up(configuration) {
        let since = configuration.report.reconciling_since?;
        return wait_limit(configuration).map(|limit| after(since, limit));
    }
    let length = durations::FLUX_OPERATION.saturating_add(pending.fate.extra());
    flux.map(|flux| after(pending.started.max(flux), length))
}

/// Whether Flux is at work on what was last written.
fn is_picked_up(configuration: &FluxConfiguration) -> bool {
    let since = configuration.report.reconciling_since;
    configuration.pending.as_ref().is_some_and(|pending| since.is_some_and(|since| since >= pending.started))
}

fn happen(
    cluster: &mut Cluster,
    event: &Event,
    at: Timestamp,
    now: Timestamp,
    scenario: Option<Scenario>,
    reconciler: &Reconciler<'_>,
    ended: &mut Ended,
) {
    match event {
        Event::ClusterEnds => {
            let Some(pending) = cluster.pending.take() else { return };
            if !pending.deletes {
                cluster.provisioning = Provisioning::Succeeded;
                match cluster.kind {
                    ClusterKind::Connected => {}
                    ClusterKind::Managed => cluster.online_since = Some(at),
                }
            }
            ended.push((pending, End { at, outcome: Outcome::Succeeded }));
        }
        Event::Connects => cluster.online_since = Some(at),
        Event::ExtensionEnds(key) => {
            let Some(pending) = cluster.extensions.get_mut(key).and_then(|extension| extension.pending.take()) else {
                return;
            };
            let outcome = end_extension(cluster, key, &pending, at, scenario);
            ended.push((pending, End { at, outcome }));
        }
        Event::ConfigurationEnds(key) => {
            let Some(configuration) = cluster.configurations.get_mut(key) else { return };
            let Some(pending) = configuration.pending.clone() else { return };
            if let Some(outcome) = pending.fate.failure() {
                configuration.pending = None;
                configuration.provisioning = Provisioning::Failed;
                ended.push((pending, End { at, outcome }));
                return;
            }
            if pending.deletes {
                cluster.configurations.remove(key);
                ended.push((pending, End { at, outcome: Outcome::Succeeded }));
                return;
            }
            if is_picked_up(configuration) {
                // The wait for Flux is over, whatever Flux has come to.
                configuration.pending = None;
                end_wait(configuration, pending, at, ended);
                return;
            }
            reconciler.pick_up(configuration, at);
            if !waits_for_reconciliation(configuration) {
                configuration.pending = None;
                configuration.provisioning = Provisioning::Succeeded;
                ended.push((pending, End { at, outcome: Outcome::Succeeded }));
            }
        }
        Event::Reports(key) => {
            let now = cluster.heard_until(at, now);
            let Some(configuration) = cluster.configurations.get_mut(key) else { return };
            let is_over = reconciler.report(configuration, at, now);
            if is_over
                && is_picked_up(configuration)
                && let Some(pending) = configuration.pending.take()
            {
                end_wait(configuration, pending, at, ended);
            }
        }
    }
}

fn end_extension(
    cluster: &mut Cluster,
    key: &str,
    pending: &Pending,
    at: Timestamp,
    scenario: Option<Scenario>,
) -> Outcome {
    if pending.deletes && pending.fate.failure().is_none() {
        cluster.extensions.remove(key);
        return Outcome::Succeeded;
    }
    let Some(extension) = cluster.extensions.get_mut(key) else {
        return Outcome::Canceled;
    };
    if let Some(outcome) = pending.fate.failure() {
        extension.provisioning = Provisioning::Failed;
        if let Outcome::Failed { message, .. } = &outcome {
            extension.failure = Some(message.clone());
        }
        return outcome;
    }
    if scenario == Some(Scenario::ExtensionInstallFailed) && extension.ready_since.is_none() {
        let message = format!(
            "The extension operation failed with the following error: Error: {{failed to install chart from path [] \
             for release [{}]: err [release {} failed, and has been uninstalled due to atomic being set: timed out \
             waiting for the condition]}} occurred while doing the operation.",
            extension.name, extension.name
        );
        extension.provisioning = Provisioning::Failed;
        extension.failure = Some(message.clone());
        return Outcome::Failed { code: "ExtensionOperationFailed".to_owned(), message };
    }
    extension.provisioning = Provisioning::Succeeded;
    extension.ready_since = Some(at);
    extension.failure = None;
    Outcome::Succeeded
}

/// How long an operation waits for Flux at most, where its caller said so. What the service takes where nobody did has
/// not been recorded.
fn wait_limit(configuration: &FluxConfiguration) -> Option<Duration> {
    let text = configuration.properties.get("reconciliationWaitDuration")?.as_str()?;
    let span: jiff::Span = text.parse().ok()?;
    Duration::try_from(span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?).ok()
}

/// Ends an operation that was to last until Flux had reconciled.
fn end_wait(configuration: &mut FluxConfiguration, pending: Pending, at: Timestamp, ended: &mut Ended) {
    let outcome = waited_for(configuration);
    configuration.provisioning = match outcome {
        Outcome::Succeeded => Provisioning::Succeeded,
        Outcome::Failed { .. } | Outcome::Canceled => Provisioning::Failed,
    };
    ended.push((pending, End { at, outcome }));
}

/// How an operation ends that was to last until Flux had reconciled.
fn waited_for(configuration: &FluxConfiguration) -> Outcome {
    match configuration.report.compliance.as_deref() {
        Some("Compliant" | "Suspended") => Outcome::Succeeded,
        compliance => Outcome::Failed {
            code: "ReconciliationFailed".to_owned(),
            message: format!(
                "The configuration did not reconcile: its compliance state is '{}'.",
                compliance.unwrap_or("Unknown")
            ),
        },
    }
}
