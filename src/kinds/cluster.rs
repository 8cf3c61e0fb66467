//! Clusters: arcflux reads them and writes below them. What connecting one takes stands in [`super::onboarding`].
//!
//! `Microsoft.Kubernetes/connectedClusters` (Arc) and `Microsoft.ContainerService/managedClusters` (AKS) differ in where
//! their state stands; both carry extensions and flux configurations in the same way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::onboarding::OnboardSpec;
use crate::model::{Habit, LiveState, ResourceId, Rule, Rules};

/// The cluster's resource type, in ARM's words.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ClusterType {
    /// A cluster connected to Azure Arc.
    #[default]
    ConnectedClusters,
    /// An AKS cluster.
    ManagedClusters,
}

/// Which cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSpec {
    /// The name of the cluster's ARM resource.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-zA-Z0-9][-_.a-zA-Z0-9]*$"), extend("examples" = ["store-001"]))]
    pub name: String,
    /// `connectedClusters` for a cluster connected to Azure Arc, `managedClusters` for AKS.
    #[serde(rename = "type", default)]
    pub cluster_type: ClusterType,
    /// How the cluster is connected to Azure Arc where it is not; without it, one that is not is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onboard: Option<OnboardSpec>,
}

/// What the service and the agents fill in (`../shared/facts/arm-contracts.md` §3.3). The record of a cluster is never
/// updated; it is compared to see whether it is still the one that was planned for.
pub const RULES: Rules = &[
    Rule { path: "id", habit: Habit::ReadOnly },
    Rule { path: "name", habit: Habit::ReadOnly },
    Rule { path: "type", habit: Habit::ReadOnly },
    Rule { path: "systemData", habit: Habit::ReadOnly },
    Rule { path: "properties.provisioningState", habit: Habit::ReadOnly },
    Rule { path: "properties.kubernetesVersion", habit: Habit::ReadOnly },
    Rule { path: "properties.totalNodeCount", habit: Habit::ReadOnly },
    Rule { path: "properties.totalCoreCount", habit: Habit::ReadOnly },
    Rule { path: "properties.agentVersion", habit: Habit::ReadOnly },
    Rule { path: "properties.offering", habit: Habit::ReadOnly },
    Rule { path: "properties.managedIdentityCertificateExpirationTime", habit: Habit::ReadOnly },
    Rule { path: "properties.lastConnectivityTime", habit: Habit::ReadOnly },
    Rule { path: "properties.miscellaneousProperties", habit: Habit::ReadOnly },
    Rule { path: "properties.arcAgentProfile", habit: Habit::ReadOnly },
];

impl ClusterType {
    /// The type of the cluster that an id names, or names something on.
    #[must_use]
    pub fn of_id(id: &ResourceId) -> Option<Self> {
        let is_on =
            |one: &Self| one.resource_type().rsplit('/').next().is_some_and(|key| id.segment_after(key).is_some());
        [Self::ConnectedClusters, Self::ManagedClusters].into_iter().find(is_on)
    }

    /// The full resource type.
    #[must_use]
    pub const fn resource_type(self) -> &'static str {
        match self {
            Self::ConnectedClusters => "Microsoft.Kubernetes/connectedClusters",
            Self::ManagedClusters => "Microsoft.ContainerService/managedClusters",
        }
    }

    /// The api-version to read it with.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::ConnectedClusters => "2026-05-01",
            Self::ManagedClusters => "2025-08-01",
        }
    }

    /// The resource providers that Flux on such a cluster needs.
    #[must_use]
    pub const fn providers(self) -> &'static [&'static str] {
        match self {
            Self::ConnectedClusters => &["Microsoft.Kubernetes", "Microsoft.KubernetesConfiguration"],
            Self::ManagedClusters => &["Microsoft.ContainerService", "Microsoft.KubernetesConfiguration"],
        }
    }
}

/// What a live cluster can do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connectivity {
    /// Its agents talk to Azure: what is written takes effect.
    Ready,
    /// It takes nothing up.
    NotReady(Silence),
}

/// Why a cluster takes nothing up (`../shared/facts/domain.md` §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// No heartbeat for 15 minutes.
    Offline,
    /// Silent for so long that the certificate of its agents has expired: it cannot come back as it is.
    Expired,
    /// Connected in Azure only: its agents have never been heard of.
    NeverConnected,
    /// Its agents are not installed.
    AgentNotInstalled,
    /// An AKS cluster that somebody has stopped.
    Stopped,
    /// Any other state, in ARM's word: `Connecting`, `Starting`, `Updating`…
    Other(String),
}

/// How long the service keeps a change for a cluster that does not fetch it, in hours (`../shared/facts/domain.md` §5).
pub const CHANGES_KEPT_HOURS: i64 = 48;

impl Silence {
    /// The stable name for plans.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Offline => "cluster_offline",
            Self::Expired => "cluster_expired",
            Self::NeverConnected => "cluster_never_connected",
            Self::AgentNotInstalled => "cluster_agent_not_installed",
            Self::Stopped => "cluster_stopped",
            Self::Other(_) => "cluster_not_ready",
        }
    }

    /// Whether the state may pass while somebody waits: nobody has to do anything about it.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::NeverConnected | Self::Other(_) => true,
            Self::Offline | Self::Expired | Self::AgentNotInstalled | Self::Stopped => false,
        }
    }

    /// What brings the cluster back.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Offline | Self::NeverConnected | Self::Other(_) => {
                "bring its Arc agents back (`az connectedk8s troubleshoot`), then run this again"
            }
            Self::Expired => {
                "delete the cluster's record and connect it again (`az connectedk8s delete`, `az connectedk8s connect`), then run this again"
            }
            Self::AgentNotInstalled => "connect the cluster (`az connectedk8s connect`), then run this again",
            Self::Stopped => "start the cluster (`az aks start`), then run this again",
        }
    }
}

/// Reads the state of a live cluster: `connectivityStatus` of a connected cluster (`Connected` within 15 minutes of a
/// heartbeat, `../shared/facts/arm-contracts.md` §3.3), `powerState` and `provisioningState` of a managed one.
#[must_use]
pub fn connectivity(cluster_type: ClusterType, live: &Value) -> Connectivity {
    let (found, wanted) = connection_words(cluster_type, live);
    if found.eq_ignore_ascii_case(wanted) {
        return Connectivity::Ready;
    }
    Connectivity::NotReady(match found.to_ascii_lowercase().as_str() {
        "offline" => Silence::Offline,
        "expired" => Silence::Expired,
        "agentnotinstalled" => Silence::AgentNotInstalled,
        "stopped" => Silence::Stopped,
        "connecting" if last_contact(live).is_none() => Silence::NeverConnected,
        _ => Silence::Other(connection_state(cluster_type, live).to_owned()),
    })
}

/// The state of the cluster that something lies on, where that was read.
#[must_use]
pub fn connectivity_at(cluster: &ResourceId, live: &LiveState) -> Option<Connectivity> {
    Some(connectivity(ClusterType::of_id(cluster)?, live.body(cluster)?))
}

/// ARM's word for the connection of a live cluster: `Connected`, `Offline`, `Running`…; `unknown` where it has none.
#[must_use]
pub fn connection_state(cluster_type: ClusterType, live: &Value) -> &str {
    match connection_words(cluster_type, live) {
        ("", _) => "unknown",
        (found, _) => found,
    }
}

/// The word that says whether the cluster is connected, and what it says when it is.
fn connection_words(cluster_type: ClusterType, live: &Value) -> (&str, &'static str) {
    let text = |pointer: &str| live.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match cluster_type {
        ClusterType::ConnectedClusters => (text("/properties/connectivityStatus"), "Connected"),
        ClusterType::ManagedClusters if !text("/properties/powerState/code").is_empty() => {
            (text("/properties/powerState/code"), "Running")
        }
        ClusterType::ManagedClusters => (text("/properties/provisioningState"), "Succeeded"),
    }
}

/// The version of the Arc agents of a live connected cluster.
#[must_use]
pub fn agent_version(live: &Value) -> Option<&str> {
    live.pointer("/properties/agentVersion").and_then(Value::as_str)
}

/// When the Arc agents of a live connected cluster were last heard of: RFC 3339, as ARM writes it.
#[must_use]
pub fn last_heartbeat(live: &Value) -> Option<&str> {
    live.pointer("/properties/lastConnectivityTime").and_then(Value::as_str)
}

/// When the Arc agents of a live connected cluster were last heard of; `None` where they never were.
#[must_use]
pub fn last_contact(live: &Value) -> Option<Timestamp> {
    time(live, "/properties/lastConnectivityTime")
}

/// When the certificate expires by which the Arc agents of a live connected cluster are known.
#[must_use]
pub fn certificate_expiry(live: &Value) -> Option<Timestamp> {
    time(live, "/properties/managedIdentityCertificateExpirationTime")
}

/// A time in ARM's words. Where there has been none, .NET writes the year 1.
fn time(live: &Value, pointer: &str) -> Option<Timestamp> {
    let time: Timestamp = live.pointer(pointer)?.as_str()?.parse().ok()?;
    (time > Timestamp::UNIX_EPOCH).then_some(time)
}

/// How many days the certificate of a live connected cluster is valid: 90, and 30 for AKS on Azure Local
/// (`../shared/facts/domain.md` §5).
#[must_use]
pub fn certificate_days(live: &Value) -> i64 {
    let kind = live.get("kind").and_then(Value::as_str).unwrap_or_default();
    if kind.eq_ignore_ascii_case("ProvisionedCluster") { 30 } else { 90 }
}

/// Whether a certificate that expires at `expiry` was in the last third of its life at `when`: agents renew it from its
/// second half on, so something keeps them from it.
#[must_use]
pub fn is_certificate_old(live: &Value, expiry: Timestamp, when: Timestamp) -> bool {
    expiry.duration_since(when).as_hours() < certificate_days(live) * 24 / 3
}

/// When a connected cluster last talked to Azure, as the end of a sentence: `, last heard of at <time>`; empty where that
/// is not known.
#[must_use]
pub fn since_last_contact(live: &Value) -> String {
    last_contact(live).map(|time| format!(", last heard of at {time}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_state_has_its_name() {
        let state = |word: &str, heard: &str| {
            let live = json!({"properties": {"connectivityStatus": word, "lastConnectivityTime": heard}});
            match connectivity(ClusterType::ConnectedClusters, &live) {
                Connectivity::Ready => "ready",
                Connectivity::NotReady(silence) => silence.code(),
            }
        };
        let heard = "2026-11-20T06:00:00.1234567Z";
        assert_eq!(state("connected", heard), "ready");
        assert_eq!(state("Offline", heard), "cluster_offline");
        assert_eq!(state("Expired", heard), "cluster_expired");
        assert_eq!(state("Connecting", heard), "cluster_not_ready");
        assert_eq!(state("Connecting", ""), "cluster_never_connected");
        assert_eq!(state("Connecting", "0001-01-01T00:00:00Z"), "cluster_never_connected");
        assert_eq!(state("AgentNotInstalled", ""), "cluster_agent_not_installed");
        let stopped = json!({"properties": {"powerState": {"code": "Stopped"}, "provisioningState": "Succeeded"}});
        assert_eq!(connectivity(ClusterType::ManagedClusters, &stopped), Connectivity::NotReady(Silence::Stopped));
    }

    #[test]
    fn a_certificate_is_old_in_the_last_third_of_its_life() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap_or_default();
        let expiry = at("2026-12-31T00:00:00Z");
        let arc = json!({"kind": ""});
        assert!(!is_certificate_old(&arc, expiry, at("2026-12-01T00:00:00Z")));
        assert!(is_certificate_old(&arc, expiry, at("2026-12-01T01:00:00Z")));
        let local = json!({"kind": "provisionedCluster"});
        assert!(!is_certificate_old(&local, expiry, at("2026-12-20T00:00:00Z")));
        assert!(is_certificate_old(&local, expiry, at("2026-12-22T00:00:00Z")));
    }
}
