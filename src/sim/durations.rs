//! How long things take on the simulator's clock, with where each length comes from.

use std::time::Duration;

use jiff::Timestamp;

/// What one request costs on the simulator's clock, so that two requests never see the same instant.
pub(crate) const REQUEST: Duration = Duration::from_millis(20);

/// `Registering` to `Registered`. Microsoft documents "up to ten minutes"; the recorded registration of another
/// namespace took seven polls, ten seconds apart, of which half a minute is the usual part.
pub(crate) const REGISTRATION: Duration = Duration::from_secs(30);

/// `Accepted` to `Succeeded` of a connectedCluster: recorded 2022-10-17, `startTime` to `endTime`.
pub(crate) const CLUSTER_PUT: Duration = Duration::from_secs(7);

/// Deletion of a connectedCluster: recorded 2022-10-18, `startTime` to `endTime`.
pub(crate) const CLUSTER_DELETE: Duration = Duration::from_secs(7);

/// `Connecting` to `Connected` after the resource was accepted, recorded 2025-06-05.
pub(crate) const CONNECTING: Duration = Duration::from_secs(69);

/// A managed cluster's create. AKS takes minutes; nothing depends on the exact length.
pub(crate) const MANAGED_CLUSTER_PUT: Duration = Duration::from_secs(180);

/// Agents report in this often; `connectivityStatus` turns `Offline` after fifteen minutes without a report.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(300);

/// Install of the `microsoft.flux` extension on an Arc cluster, recorded 2022-04-18.
pub(crate) const EXTENSION_INSTALL: Duration = Duration::from_secs(95);

/// Update of an extension. The one recorded PATCH was over by its first poll, which comes within half a minute or so.
pub(crate) const EXTENSION_UPDATE: Duration = Duration::from_secs(40);

/// Removal of an extension, recorded 2025-03-25.
pub(crate) const EXTENSION_DELETE: Duration = Duration::from_secs(94);

/// Create or update of a flux configuration whose extension is up: recorded at 60 s (Arc 2022) to 120 s (AKS 2026).
pub(crate) const FLUX_OPERATION: Duration = Duration::from_secs(60);

/// Removal of a flux configuration: recorded at 70 to 130 s.
pub(crate) const FLUX_DELETE: Duration = Duration::from_secs(70);

/// From a write to the source being fetched: recorded 17 to 55 s. It lies inside [`FLUX_OPERATION`].
pub(crate) const SOURCE_FETCH: Duration = Duration::from_secs(17);

/// From the first report to the one that carries the outcome, so that a create ends 110 s after its PUT: recorded
/// runs took 105 to 125 s.
pub(crate) const RECONCILIATION: Duration = Duration::from_secs(50);

/// What each further link of a `dependsOn` chain adds to [`RECONCILIATION`]. Flux asks again every few seconds.
pub(crate) const DEPENDENCY: Duration = Duration::from_secs(8);

/// Removal of a resource group with what is in it.
pub(crate) const GROUP_DELETE: Duration = Duration::from_secs(45);

/// How long the scenario "compliant only after a while" keeps a configuration non-compliant after its first report.
pub(crate) const AFTER_A_WHILE: Duration = Duration::from_secs(300);

/// How far before the write the scenario "stale statuses" dates every report.
pub(crate) const STALE_BY: Duration = Duration::from_secs(600);

/// `at` plus `length`, held at the last representable instant.
pub(crate) fn after(at: Timestamp, length: Duration) -> Timestamp {
    at.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// `at` minus `length`, held at the first representable instant.
pub(crate) fn before(at: Timestamp, length: Duration) -> Timestamp {
    at.checked_sub(length).unwrap_or(Timestamp::MIN)
}

/// How much of the clock lies from `start` to `end`; nothing when `end` is not later.
pub(crate) fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or(Duration::ZERO)
}

/// The last instant not after `now` that is a whole number of `period`s after `start`.
pub(crate) fn last_tick(start: Timestamp, period: Duration, now: Timestamp) -> Timestamp {
    let period = period.as_secs().max(1);
    let periods = between(start, now).as_secs() / period;
    after(start, Duration::from_secs(periods.saturating_mul(period)))
}
