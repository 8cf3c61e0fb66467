//! What the version of the extension means: for a wanted change of it, and for what else the spec asks for.

use semver::Version;
use serde_json::Value;

use super::Decision;
use crate::graph::{Graph, Node, Want};
use crate::kinds::cluster::ClusterType;
use crate::kinds::extension::{self, ExtensionSpec, UPGRADE_FIELDS};
use crate::kinds::extension_versions::{
    self, BETA_APIS, Hop, INTERIM, NEWEST_KNOWN, ON_AKS_AUTOMATIC, WAITS_PROPERLY, WITHOUT_BETA_APIS, parsed, shown,
};
use crate::model::{Address, FieldPath, Part};
use crate::spec::Profile;

/// What an explanation draws on.
pub(super) struct Versions<'a> {
    pub(super) node: &'a Node,
    pub(super) spec: &'a ExtensionSpec,
    pub(super) cluster_type: ClusterType,
    pub(super) graph: &'a Graph,
    /// The live cluster.
    pub(super) cluster: Option<&'a Value>,
}

/// How far the extension moves on by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Upgrades {
    None,
    Patch,
    Minor,
}

impl Versions<'_> {
    /// A new extension: with the version that the spec names, or the newest.
    pub(super) fn of_new(&self, decision: &mut Decision) {
        if let Some(wanted) = &self.spec.version {
            self.judge(wanted, "is asked for", decision);
            self.judge_support(wanted, "is asked for", decision);
        }
        let newest = self.spec.version.as_deref().and_then(parsed).unwrap_or(NEWEST_KNOWN);
        self.judge_coral(&newest, decision);
    }

    /// An extension that exists, and perhaps changes. `decision` knows what changes.
    pub(super) fn of_existing(&self, live: &Value, decision: &mut Decision) {
        let installed = extension::version(live);
        if let Some(wanted) = self.sent(installed, decision) {
            self.explain_change(installed, &wanted, decision);
            self.judge(&wanted, "is asked for", decision);
            self.judge_support(&wanted, "is asked for", decision);
            if let Some(wanted) = parsed(&wanted) {
                self.judge_coral(&wanted, decision);
            }
            return;
        }
        let Some(installed) = installed else { return };
        if let Some(pinned) = self.spec.version.as_deref().filter(|pinned| *pinned != installed) {
            decision.note(
                &self.node.address,
                "version_not_as_pinned",
                format!(
                    "the spec pins version {pinned}, and {} is installed: it has moved, or is on its way",
                    shown(installed)
                ),
            );
        }
        self.judge(installed, "is installed", decision);
        let upgrades = upgrades(&decision.after);
        if upgrades == Upgrades::None {
            self.judge_support(installed, "is installed", decision);
        }
        if let Some(version) = parsed(installed) {
            self.judge_coral(&version, decision);
            if version < WITHOUT_BETA_APIS && upgrades == Upgrades::Minor {
                self.warn_of_upgrade(installed, decision);
            }
        }
        let asked_for = live.pointer("/properties/version").and_then(Value::as_str);
        if let Some(asked_for) = asked_for.filter(|version| !version.is_empty() && *version != installed)
            && upgrades != Upgrades::None
        {
            decision.note(
                &self.node.address,
                "version_moved_on",
                format!(
                    "automatic upgrades have taken the extension from version {} to {}",
                    shown(asked_for),
                    shown(installed)
                ),
            );
        }
    }

    /// The version that the change asks for, where that is another than is installed: the upgrade fields are sent
    /// together, so a pin goes along with whatever else changes about upgrades.
    fn sent(&self, installed: Option<&str>, decision: &Decision) -> Option<String> {
        let changes = |key: &str| decision.fields.iter().any(|field| field.path == FieldPath::of(["properties", key]));
        let is_sent = UPGRADE_FIELDS.iter().any(|key| changes(key));
        self.spec.version.clone().filter(|wanted| is_sent && (changes("version") || installed != Some(wanted.as_str())))
    }

    /// Another version is installed in place.
    fn explain_change(&self, installed: Option<&str>, wanted: &str, decision: &mut Decision) {
        let from = installed.map_or_else(|| "one that is not known".to_owned(), shown);
        let to = shown(wanted);
        let versions = installed.and_then(parsed).zip(parsed(wanted));
        if versions.as_ref().is_some_and(|(installed, wanted)| wanted < installed) {
            decision.consequence(
                "version_downgrade",
                format!("the extension goes back from version {from} to {to}, in place; the older controllers may not understand what the newer ones have stored"),
            );
        } else {
            decision.consequence("version_change", format!("the extension goes from version {from} to {to}, in place"));
        }
        let Some((installed, wanted)) = versions else { return };
        if let Hop::Through(first, last) = extension_versions::hop(&installed, &wanted) {
            decision.refuse(
                &self.node.address,
                "version_hop",
                format!(
                    "version {installed} cannot go to {wanted} in one step: it must go through one from {first} to {last} first, where stored objects are migrated"
                ),
                format!("ask for `version: {last}` first, apply, move every manifest off the beta APIs of Flux, then ask for {wanted}"),
            );
        }
        if installed < WITHOUT_BETA_APIS && wanted >= WITHOUT_BETA_APIS {
            decision.consequence(
                "beta_apis_removed",
                format!("version {WITHOUT_BETA_APIS} removed the beta APIs of Flux: manifests that still use {BETA_APIS} fail with `no matches for kind`"),
            );
        }
    }

    /// What is known of a version, and of what the spec asks of it.
    fn judge(&self, version: &str, is: &str, decision: &mut Decision) {
        let address = &self.node.address;
        let Some(parsed) = parsed(version) else { return };
        if let Some((what, instead)) = extension_versions::fault(&parsed) {
            decision.note(address, "version_known_bad", format!("version {version} {is}: {what}; take {instead}"));
        }
        for setting in self.spec.configuration_settings.keys() {
            let since = extension_versions::setting_since(setting, self.cluster_type);
            if let Some(since) = since.filter(|since| parsed < **since) {
                decision.note(
                    address,
                    "setting_needs_newer",
                    format!(
                        "configurationSettings[\"{setting}\"] has an effect from version {since} on, and {version} {is}"
                    ),
                );
            }
        }
        let waiting = self.waiting_configurations();
        if parsed < WAITS_PROPERLY && !waiting.is_empty() {
            decision.note(
                address,
                "wait_needs_newer",
                format!(
                    "version {version} {is}: before {WAITS_PROPERLY}, `waitForReconciliation` can leave a configuration Failed for ever ({})",
                    waiting.join(", ")
                ),
            );
        }
        let sku = self.cluster.and_then(|cluster| cluster.pointer("/sku/name")).and_then(Value::as_str);
        if parsed < ON_AKS_AUTOMATIC && sku.is_some_and(|sku| sku.eq_ignore_ascii_case("Automatic")) {
            decision.note(
                address,
                "aks_automatic_needs_newer",
                format!(
                    "the cluster is AKS Automatic, which needs version {ON_AKS_AUTOMATIC} or newer, and {version} {is}"
                ),
            );
        }
    }

    /// A version that nothing moves on, and that Azure does not support.
    fn judge_support(&self, version: &str, is: &str, decision: &mut Decision) {
        if parsed(version).is_some_and(|parsed| extension_versions::is_out_of_support(&parsed)) {
            decision.note(
                &self.node.address,
                "version_out_of_support",
                format!(
                    "version {version} {is}, and is out of support: Azure supports the newest minor version and two before it, and the newest known here is {}",
                    shown(&NEWEST_KNOWN.to_string())
                ),
            );
        }
    }

    /// Coral renders Kustomizations of an API that newer versions do not serve.
    fn judge_coral(&self, version: &Version, decision: &mut Decision) {
        if *version >= WITHOUT_BETA_APIS && self.is_coral() {
            decision.note(
                &self.node.address,
                "coral_needs_beta_apis",
                format!(
                    "Coral renders kustomize.toolkit.fluxcd.io/v1beta1 objects, and the extension does not serve them from version {WITHOUT_BETA_APIS} on: they fail with `no matches for kind`; have them rendered as v1, or stay at {} with automatic upgrades off",
                    INTERIM.1
                ),
            );
        }
    }

    fn warn_of_upgrade(&self, installed: &str, decision: &mut Decision) {
        let stay = format!("stay with `version: {installed}` and `autoUpgradeMinorVersion: false` until then");
        let message = if self.is_coral() {
            format!(
                "version {installed} is installed, and automatic upgrades may take it to {WITHOUT_BETA_APIS} or newer, which does not serve the kustomize.toolkit.fluxcd.io/v1beta1 objects that Coral renders: have them rendered as v1, and {stay}"
            )
        } else {
            format!(
                "version {installed} is installed, and automatic upgrades may take it to {WITHOUT_BETA_APIS} or newer, which removed the beta APIs of Flux ({BETA_APIS}): move manifests off them, and {stay}"
            )
        };
        decision.note(&self.node.address, "upgrade_removes_beta_apis", message);
    }

    fn is_coral(&self) -> bool {
        self.graph.policy().profile == Some(Profile::Coral)
    }

    /// The configurations on this cluster that ARM is to wait for.
    fn waiting_configurations(&self) -> Vec<String> {
        let here = self.graph.dependants(&self.node.address).iter().filter_map(|address| match address {
            Address::Cluster { part: Part::Configuration(name), .. } => Some((address, name)),
            Address::Cluster { .. } | Address::Provider { .. } | Address::ResourceGroup { .. } => None,
        });
        let waits = |address: &Address| {
            let want = self.graph.node(address).map(|node| &node.want);
            matches!(want, Some(Want::Configuration(spec)) if spec.wait_for_reconciliation)
        };
        here.filter(|(address, _)| waits(address)).map(|(_, name)| name.clone()).collect()
    }
}

/// How far the extension moves on by itself, when it is as `after` says. The service's default is to new minor versions.
fn upgrades(after: &Value) -> Upgrades {
    let properties = &after["properties"];
    let mode = properties["autoUpgradeMode"].as_str().map(str::to_ascii_lowercase);
    match (mode.as_deref(), properties["autoUpgradeMinorVersion"].as_bool()) {
        (Some("none"), _) | (None, Some(false)) => Upgrades::None,
        (Some("patch"), _) => Upgrades::Patch,
        (Some(_), _) | (None, Some(true) | None) => Upgrades::Minor,
    }
}
