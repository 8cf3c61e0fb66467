//! Rules about the Flux extension.

use super::super::codes;
use super::super::node::{Node, Value};
use super::super::report::Report;

/// The setting that `multiTenancy` stands for.
const MULTI_TENANCY_SETTING: &str = "multiTenancy.enforce";

/// The namespace that Microsoft documents for Flux.
const RELEASE_NAMESPACE: &str = "flux-system";

pub(super) fn check(extension: &Node, report: &mut Report) {
    let setting = extension
        .get("configurationSettings")
        .into_iter()
        .flat_map(Node::entries)
        .find(|entry| entry.key.eq_ignore_ascii_case(MULTI_TENANCY_SETTING));
    if let (Some(own), Some(setting)) = (extension.entry("multiTenancy"), setting) {
        report.add_once(
            codes::MULTI_TENANCY_TWICE
                .at(own.key_span.max(setting.key_span), "multi-tenancy is set by `multiTenancy` and by a setting")
                .with_hint("keep `multiTenancy`"),
        );
    }
    check_upgrades(extension, report);
    check_scope(extension, report);
}

/// A version that is pinned and upgrades that go on by themselves contradict each other
/// (`../shared/facts/az-cli-behaviour.md` §2).
fn check_upgrades(extension: &Node, report: &mut Report) {
    let minor = extension.entry("autoUpgradeMinorVersion");
    let mode = extension.entry("autoUpgradeMode");
    if let (Some(minor), Some(mode)) = (minor, mode) {
        report.add_once(
            codes::UPGRADES_TWICE
                .at(
                    minor.key_span.max(mode.key_span),
                    "upgrades are set by `autoUpgradeMinorVersion` and by `autoUpgradeMode`",
                )
                .with_hint("keep one of the two"),
        );
        return;
    }
    let is_off = minor.is_some_and(|entry| matches!(entry.node.value, Value::Bool(false)))
        || mode.is_some_and(|entry| entry.node.text() == Some("none"));
    if let Some(version) = extension.entry("version").filter(|_| !is_off) {
        report.add_once(
            codes::PIN_NEEDS_NO_UPGRADES
                .at(version.key_span, "the extension cannot stay at a version while it upgrades by itself")
                .with_hint("add `autoUpgradeMode: none`, or `autoUpgradeMinorVersion: false`"),
        );
    }
    if let Some(train) = extension.entry("releaseTrain").filter(|_| is_off) {
        report.add_once(
            codes::TRAIN_WITHOUT_UPGRADES
                .at(train.key_span, "`releaseTrain` does nothing while automatic upgrades are off")
                .with_hint("take it out"),
        );
    }
}

fn check_scope(extension: &Node, report: &mut Report) {
    let namespace = extension.get("scope").and_then(|scope| scope.get("cluster")?.get("releaseNamespace"));
    if let Some(node) = namespace.filter(|node| node.text().is_some_and(|name| name != RELEASE_NAMESPACE)) {
        report.add_once(
            codes::RELEASE_NAMESPACE
                .at(node.span, "Flux is installed into `flux-system`, whatever stands here")
                .with_hint("write `flux-system`, or take it out"),
        );
    }
}
