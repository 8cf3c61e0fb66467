//! What only the moment tells: how long ago, and how long from now. It goes to standard error and into the metadata of
//! saved plans, never into what is compared, bound or printed as the plan: the same live state makes the same plan.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::{Graph, Want};
use crate::kinds::cluster::{self, CHANGES_KEPT_HOURS, ClusterType, Connectivity, connectivity};
use crate::model::{Address, LiveState};

/// How far a time in ARM is from the moment at which the live state was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Age {
    /// What it is about.
    pub address: Address,
    /// A stable name: `last_contact`, `certificate_expiry`.
    pub code: String,
    /// The time in ARM.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// Seconds from that time to the moment of reading; below zero where it is still to come.
    pub seconds: i64,
    /// The sentence.
    pub message: String,
}

/// The ages worth knowing: the last contact of clusters that do not talk to Azure, against the time that the service keeps
/// changes for; and certificates that are near their end, or past it.
#[must_use]
pub fn ages(graph: &Graph, live: &LiveState) -> Vec<Age> {
    let clusters = graph.nodes().iter().filter_map(|node| match &node.want {
        Want::Cluster(cluster_type, _) | Want::Dropped(cluster_type) => {
            Some((&node.address, *cluster_type, live.body(&node.id)?))
        }
        Want::Registered | Want::Group(_) | Want::Extension(..) | Want::Configuration(_) | Want::Absent(_) => None,
    });
    clusters
        .flat_map(|(address, cluster_type, body)| {
            [silence(address, cluster_type, body, live.as_of), certificate(address, body, live.as_of)]
        })
        .flatten()
        .collect()
}

fn silence(address: &Address, cluster_type: ClusterType, body: &Value, now: Timestamp) -> Option<Age> {
    if connectivity(cluster_type, body) == Connectivity::Ready {
        return None;
    }
    let time = cluster::last_contact(body)?;
    let ago = now.duration_since(time);
    let kept = if ago.as_hours() >= CHANGES_KEPT_HOURS {
        format!(
            "the service keeps changes for {CHANGES_KEPT_HOURS} h, so one that was sent when it went silent has to be applied again"
        )
    } else {
        format!("the service keeps changes for {CHANGES_KEPT_HOURS} h")
    };
    Some(Age {
        address: address.clone(),
        code: "last_contact".to_owned(),
        time,
        seconds: ago.as_secs(),
        message: format!("the cluster was last heard of {} ago; {kept}", words(ago)),
    })
}

fn certificate(address: &Address, body: &Value, now: Timestamp) -> Option<Age> {
    let time = cluster::certificate_expiry(body).filter(|time| cluster::is_certificate_old(body, *time, now))?;
    let ago = now.duration_since(time);
    let days = cluster::certificate_days(body);
    let message = if ago.is_negative() {
        format!("the certificate of the cluster's agents expires in {}, of {days} days", words(ago.abs()))
    } else {
        format!("the certificate of the cluster's agents expired {} ago", words(ago))
    };
    Some(Age { address: address.clone(), code: "certificate_expiry".to_owned(), time, seconds: ago.as_secs(), message })
}

/// A span in the largest unit that says enough of it: hours up to three days, because limits are in hours.
fn words(span: jiff::SignedDuration) -> String {
    let (minutes, hours) = (span.as_mins(), span.as_hours());
    match hours {
        0 => format!("{minutes} min"),
        1..72 => format!("{hours} h"),
        _ => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_units_that_limits_have() {
        let shown = |hours: i64, minutes: i64| words(jiff::SignedDuration::from_mins(hours * 60 + minutes));
        assert_eq!(shown(0, 20), "20 min");
        assert_eq!(shown(50, 59), "50 h");
        assert_eq!(shown(12 * 24 + 5, 0), "12 days");
    }
}
