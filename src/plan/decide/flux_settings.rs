//! What the settings of the extension ask of the cluster, and what the cluster asks of them: workload identities, the
//! security constraints of OpenShift, and policies about limits (`../shared/facts/domain.md` §1.2, E6, E14 and S27).

use std::collections::BTreeSet;

use serde_json::Value;

use super::Decision;
use super::extension_versions::Versions;
use crate::graph::Want;
use crate::kinds::cluster::ClusterType;
use crate::kinds::cluster_features::{
    Feature, enable_workload_identity, has_azure_policy, is_openshift, issuer_url, oidc_issuer, workload_identity,
};
use crate::kinds::extension::{self, RESOURCE_TYPE};
use crate::kinds::flux_configuration::{ConfigurationSpec, Provider, Source};
use crate::kinds::flux_settings::{
    CONTROLLERS, KUBELET_IDENTITY, Setting, WORKLOAD_IDENTITY, WORKLOAD_IDENTITY_CLIENT, is_on,
};
use crate::model::LiveState;

/// Says what the settings mean that the extension will have. `live` is the extension where it exists, `is_failed` says
/// that it has to be installed again.
pub(super) fn judge(
    versions: &Versions<'_>,
    all: &LiveState,
    live: Option<&Value>,
    is_failed: bool,
    decision: &mut Decision,
) {
    let judged = Judged {
        versions,
        before: Settings::of(live.map(|_| &decision.before)),
        after: Settings::of(Some(&decision.after)),
        is_installed: live.is_none() || is_failed,
    };
    let mut said = Vec::new();
    judged.identity(live, decision, &mut said);
    judged.openshift(&mut said);
    judged.policies(all, &mut said);
    for (code, message) in said {
        decision.note(&versions.node.address, code, message);
    }
}

type Said = Vec<(&'static str, String)>;

struct Judged<'a> {
    versions: &'a Versions<'a>,
    before: Settings,
    after: Settings,
    /// Whether Flux's pods are created.
    is_installed: bool,
}

/// The settings of an extension. `None` is one that is not there.
struct Settings(Option<serde_json::Map<String, Value>>);

impl Settings {
    fn of(body: Option<&Value>) -> Self {
        let map = |body: &Value| body.pointer("/properties/configurationSettings").and_then(Value::as_object).cloned();
        Self(body.map(|body| map(body).unwrap_or_default()))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.as_ref()?.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// Whether a switch is on, said or by default.
    fn is_on(&self, name: &str) -> bool {
        let default = || Setting::named(name).and_then(|setting| setting.default);
        self.text(name).or_else(default).is_some_and(is_on)
    }

    /// The controllers that run.
    fn controllers(&self) -> Vec<&'static str> {
        let runs = |name: &&str| self.0.is_some() && self.is_on(&format!("{name}.enabled"));
        CONTROLLERS.into_iter().filter(runs).collect()
    }
}

impl Judged<'_> {
    fn group(&self) -> &str {
        let cluster = self.versions.node.cluster.as_ref();
        cluster.and_then(|cluster| cluster.segment_after("resourceGroups")).unwrap_or_default()
    }

    fn cluster_name(&self) -> &str {
        self.versions.node.cluster.as_ref().map(|cluster| cluster.name()).unwrap_or_default()
    }

    /// What workload identities need.
    fn identity(&self, live: Option<&Value>, decision: &mut Decision, said: &mut Said) {
        let is_hidden = self.versions.spec.configuration_protected_settings.contains_key(WORKLOAD_IDENTITY)
            || live.into_iter().flat_map(extension::protected_names).any(|name| name == WORKLOAD_IDENTITY);
        if !self.after.is_on(WORKLOAD_IDENTITY) {
            if !is_hidden {
                self.identity_not_on(said);
            }
            return;
        }
        if self.after.text(WORKLOAD_IDENTITY_CLIENT).is_none() {
            said.push((
                "workload_identity_without_client",
                format!(
                    "`{WORKLOAD_IDENTITY}` is on, and nothing says as whom Flux signs in: set `{WORKLOAD_IDENTITY_CLIENT}` to the client id of a managed identity (`az identity show -g GROUP -n IDENTITY --query clientId`)"
                ),
            ));
        }
        let is_switched_on = !self.before.is_on(WORKLOAD_IDENTITY);
        let Some(cluster) = self.versions.cluster else { return };
        self.identity_prerequisites(cluster, is_switched_on, decision, said);
        if is_switched_on {
            said.extend(self.federation(cluster).map(|message| ("workload_identity_needs_federation", message)));
        }
    }

    /// Configurations that sign in with an identity which Flux will not have.
    fn identity_not_on(&self, said: &mut Said) {
        let kubelet = self.versions.cluster_type == ClusterType::ManagedClusters && self.after.is_on(KUBELET_IDENTITY);
        let signs_in = |spec: &ConfigurationSpec| match Source::of(spec) {
            Some(Source::GitRepository(git)) => git.provider == Provider::Azure,
            Some(Source::OciRepository(oci)) => oci.use_workload_identity && !kubelet,
            Some(Source::Bucket(_) | Source::AzureBlob(_)) | None => false,
        };
        let graph = self.versions.graph;
        let dependants = graph.dependants(&self.versions.node.address);
        let nodes = dependants.iter().filter_map(|address| graph.node(address));
        let names: BTreeSet<&str> = nodes
            .filter(|node| matches!(&node.want, Want::Configuration(spec) if signs_in(spec)))
            .map(|node| node.id.name())
            .collect();
        if !names.is_empty() {
            said.push((
                "workload_identity_needed",
                format!(
                    "sources sign in with a workload identity, and the extension does not have one: {}. Set `{WORKLOAD_IDENTITY}: \"true\"` and `{WORKLOAD_IDENTITY_CLIENT}`",
                    Vec::from_iter(names).join(", ")
                ),
            ));
        }
    }

    /// What the cluster must have switched on.
    fn identity_prerequisites(&self, cluster: &Value, is_switched_on: bool, decision: &mut Decision, said: &mut Said) {
        let features = [("OIDC issuer", oidc_issuer(cluster)), ("workload identity", workload_identity(cluster))];
        let with = |wanted: Feature| {
            let names = features.iter().filter(|(_, found)| *found == wanted).map(|(name, _)| *name);
            Vec::from_iter(names).join(" and ")
        };
        let mut mend =
            format!("`{}`", enable_workload_identity(self.versions.cluster_type, self.group(), self.cluster_name()));
        if self.versions.cluster_type == ClusterType::ConnectedClusters {
            mend.push_str(", and then give its API server the URL of the issuer as `service-account-issuer`");
        }
        let off = with(Feature::Off);
        if !off.is_empty() {
            let message = format!("`{WORKLOAD_IDENTITY}` does nothing on this cluster: its {off} is off");
            if is_switched_on {
                let hint = format!("switch it on first: {mend}");
                decision.refuse(&self.versions.node.address, "workload_identity_off", message, hint);
            } else {
                said.push(("workload_identity_off", format!("{message}; switch it on: {mend}")));
            }
            return;
        }
        let not_said = with(Feature::NotSaid);
        if !not_said.is_empty() && (is_switched_on || self.is_installed) {
            said.push((
                "workload_identity_not_seen",
                format!(
                    "`{WORKLOAD_IDENTITY}` does something only where the cluster's OIDC issuer and workload identity are on, and Azure does not say so of {not_said}; to switch them on: {mend}"
                ),
            ));
        }
    }

    /// Who has to trust whom.
    fn federation(&self, cluster: &Value) -> Option<String> {
        let who: Vec<String> = ["source-controller", "image-reflector-controller"]
            .into_iter()
            .filter(|name| self.after.is_on(&format!("{name}.enabled")))
            .map(|name| format!("system:serviceaccount:flux-system:{name}"))
            .collect();
        let issuer = issuer_url(cluster).unwrap_or("ISSUER_URL");
        (!who.is_empty()).then(|| {
            format!(
                "the identity has to trust Flux, by a federated credential for each of these subjects: {}. `az identity federated-credential create -g GROUP --identity-name IDENTITY -n NAME --issuer {issuer} --subject SUBJECT`",
                who.join(", ")
            )
        })
    }

    /// OpenShift denies Flux's pods until somebody allows them.
    fn openshift(&self, said: &mut Said) {
        if !self.versions.cluster.is_some_and(is_openshift) {
            return;
        }
        let known = if self.is_installed { Vec::new() } else { self.before.controllers() };
        let new: Vec<String> = self
            .after
            .controllers()
            .into_iter()
            .filter(|name| !known.contains(name))
            .map(|name| format!("system:serviceaccount:flux-system:{name}"))
            .collect();
        if !new.is_empty() {
            said.push((
                "openshift_constraints",
                format!(
                    "the cluster is OpenShift, which denies Flux's pods until they may use the security context constraint nonroot; before this is applied, run `oc adm policy add-scc-to-user nonroot {}`",
                    new.join(" ")
                ),
            ));
        }
    }

    /// Policies that deny pods without limits, or with higher ones than they allow.
    fn policies(&self, all: &LiveState, said: &mut Said) {
        let extensions = self
            .versions
            .node
            .cluster
            .as_ref()
            .map_or(&[][..], |cluster| all.items(&cluster.collection(RESOURCE_TYPE)));
        if self.is_installed && has_azure_policy(self.versions.cluster, extensions) {
            said.push((
                "policy_limits",
                "Azure Policy decides what may run on the cluster: Flux's controllers have limits of 1 CPU and 1Gi each, and a policy that allows less denies them. Exclude the namespace flux-system from such policies, or set `<controller>.resources.limits.cpu` and `.memory`"
                    .to_owned(),
            ));
        }
    }
}
