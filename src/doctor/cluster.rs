//! Whether contexts of the kubeconfig reach the clusters, and whether helm could install the Arc agents.

use super::Doctor;
use crate::cluster::ClusterError;
use crate::model::{Agents, ConnectedAs, Sight};
use crate::plan::{Check, Checked};
use crate::spec::DesiredCluster;

impl Doctor<'_> {
    /// Looks at the contexts that were named. Without one, no cluster is asked, and no helm is run: a spec alone cannot
    /// have that done.
    pub(super) async fn look_at_clusters(&self) -> Vec<Check> {
        let unnamed = self.onboards().filter(|onboard| !self.contexts.contains(&onboard.context));
        let mut checks: Vec<Check> = unnamed
            .map(|onboard| Check::not_tried(Checked::Context, "`--context`").about(onboard.context.clone()))
            .collect();
        if self.contexts.is_empty() {
            if !checks.is_empty() {
                checks.push(Check::not_tried(Checked::Helm, "`--context`"));
            }
            return checks;
        }
        for context in &self.contexts {
            let check = match self.kubernetes.look(context).await {
                Ok(sight) => judge(&sight, &self.desired.clusters),
                Err(error) => failed(Checked::Context, &error),
            };
            checks.push(check.about(context.clone()));
        }
        checks.push(match self.kubernetes.helm().await {
            Ok(version) => Check::ok(Checked::Helm, format!("helm {version}")),
            Err(error) => failed(Checked::Helm, &error),
        });
        checks
    }
}

fn failed(check: Checked, error: &ClusterError) -> Check {
    let problem = Check::problem(check, error.message.clone());
    match &error.hint {
        Some(hint) => problem.mended_by(hint.clone()),
        None => problem,
    }
}

/// Whether a cluster is one of the spec, and could be connected.
fn judge(sight: &Sight, clusters: &[DesiredCluster]) -> Check {
    let seen = format!("Kubernetes {} ({})", sight.version, sight.distribution);
    let problem = |why: String, mend: &str| Check::problem(Checked::Context, format!("{seen}: {why}")).mended_by(mend);
    match &sight.agents {
        Some(Agents { connected_as: Some(found), .. }) if !clusters.iter().any(|wanted| is_same(found, wanted)) => {
            problem(
                format!(
                    "it is connected to Azure as {}/{}, which the spec does not name",
                    found.resource_group, found.name
                ),
                "name the context of the right cluster: `kubectl config get-contexts`",
            )
        }
        Some(Agents { connected_as: Some(_), release }) if release == "deployed" => {
            Check::ok(Checked::Context, format!("{seen}, with the Arc agents of this spec's cluster"))
        }
        Some(Agents { release, .. }) => {
            Check::warning(Checked::Context, format!("{seen}: the release of the Arc agents is {release}"))
                .mended_by("see what they wait for: `kubectl get pods -n azure-arc`")
        }
        None if !sight.has_linux_node => problem(
            "it has no node with Linux, and the Arc agents run nowhere else".to_owned(),
            "add one to the cluster",
        ),
        None if !sight.forbidden.is_empty() => problem(
            format!("whoever connects it must be allowed to {}", sight.forbidden.join(", ")),
            "take a kubeconfig of a cluster administrator",
        ),
        None => Check::ok(Checked::Context, format!("{seen}, without Arc agents: it can be connected")),
    }
}

fn is_same(found: &ConnectedAs, wanted: &DesiredCluster) -> bool {
    found.subscription.eq_ignore_ascii_case(&wanted.subscription)
        && found.resource_group.eq_ignore_ascii_case(&wanted.resource_group.name)
        && found.name.eq_ignore_ascii_case(&wanted.cluster.name)
}
