//! Whether the clusters of the spec are there in Azure, in groups that are, and whether Azure hears of them.

use super::Doctor;
use crate::graph::Graph;
use crate::kinds::Kind;
use crate::kinds::cluster::{Connectivity, connection_state, connectivity};
use crate::model::LiveState;
use crate::plan::{Check, Checked, PlanError};

impl Doctor<'_> {
    /// What keeps a plan from being made for a cluster or a group, in the words of the plan; and how each cluster is
    /// connected that is there.
    pub(super) fn records(&self, graph: &Graph, live: &LiveState, errors: &[PlanError]) -> Vec<Check> {
        let mut checks = Vec::new();
        for node in graph.nodes() {
            let is_group = node.kind == Kind::ResourceGroup;
            let wanted = self.desired.clusters.iter().find(|cluster| cluster.id() == node.id);
            // How a cluster is connected, its context tells.
            let is_to_be_connected =
                wanted.is_some_and(|cluster| cluster.cluster.onboard.is_some() && live.body(&node.id).is_none());
            if (!is_group && wanted.is_none()) || is_to_be_connected {
                continue;
            }
            let of_it = errors.iter().find(|error| error.address == node.address);
            let check = match (of_it, wanted) {
                (Some(error), _) => {
                    Some(Check::problem(Checked::Cluster, error.message.clone()).mended_by(error.hint.clone()))
                }
                (None, Some(cluster)) => live.body(&node.id).map(|body| {
                    let cluster_type = cluster.cluster.cluster_type;
                    let state = connection_state(cluster_type, body);
                    match connectivity(cluster_type, body) {
                        Connectivity::Ready => Check::ok(Checked::Cluster, format!("it is {state}")),
                        Connectivity::NotReady(silence) => Check::warning(
                            Checked::Cluster,
                            format!("it is {state}: it takes up nothing that is written"),
                        )
                        .mended_by(silence.remedy()),
                    }
                }),
                (None, None) => None,
            };
            checks.extend(check.map(|check| check.about(node.address.to_string())));
        }
        checks
    }
}
