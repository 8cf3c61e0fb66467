//! Rules about the Flux extension.

use super::super::codes;
use super::super::node::Node;
use super::super::report::Report;

/// The setting that `multiTenancy` stands for.
const MULTI_TENANCY_SETTING: &str = "multiTenancy.enforce";

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
}
