//! What only the moment tells, and what is worth knowing beside a plan: for standard error and saved plans.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Session;
use crate::graph::Graph;
use crate::kinds::extension_versions::shown;
use crate::model::{Address, LiveState};
use crate::plan::{self, Age, StatusReport};

/// When a live state was read, and how long ago things were then.
pub(super) struct Moment {
    pub(super) as_of: Timestamp,
    pub(super) ages: Vec<Age>,
}

impl Moment {
    pub(super) fn of(graph: &Graph, live: &LiveState) -> Self {
        Self { as_of: live.as_of, ages: plan::ages(graph, live) }
    }
}

/// Tells how long ago things were.
pub(super) fn tell_ages(ages: &[Age], session: &Session) {
    for Age { address, message, .. } in ages {
        session.console.tell(&format!("warning: {address}: {message}"));
    }
}

/// Which version of the extension is installed where. Automatic upgrades move it on, and a plan that changes nothing need
/// not say so.
pub(super) fn tell_versions(graph: &Graph, live: &LiveState, session: &Session) {
    let mut found: BTreeMap<String, Vec<Address>> = BTreeMap::new();
    for cluster in StatusReport::of(graph, live).clusters {
        if let Some(version) = cluster.extension.and_then(|extension| extension.version) {
            found.entry(shown(&version)).or_default().push(cluster.address);
        }
    }
    for (version, clusters) in found {
        let Some((first, rest)) = clusters.split_first() else { continue };
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        session.console.tell(&format!("The extension has version {version} on {first}{more}."));
    }
}
