//! `allow`: warnings that somebody has looked at and accepts for one configuration.

use crate::model::{Code, Severity};
use crate::spec::codes::{self, Row};
use crate::spec::node::Node;
use crate::spec::report::Report;

/// Takes back the warnings of a configuration that it allows: those that came after the first `before` problems. Only
/// warnings can be allowed.
pub(in crate::spec) fn check(configuration: &Node, before: usize, report: &mut Report) {
    let Some(allow) = configuration.get("allow") else { return };
    let mut allowed: Vec<Code> = Vec::new();
    for item in allow.items() {
        let Some(name) = item.text() else { continue };
        match codes::TABLE.iter().find(|row| row.code.to_string() == name) {
            Some(Row { severity: Severity::Warning, code, .. }) => allowed.push(*code),
            Some(Row { severity: Severity::Error, .. }) => report.add_once(
                codes::NOT_ALLOWED_VALUE
                    .at(item.span, format!("{name} is an error, and only warnings can be allowed"))
                    .with_hint(format!("`arcflux explain-code {name}` says what to do about it")),
            ),
            None => report.add_once(
                codes::NOT_ALLOWED_VALUE
                    .at(item.span, format!("there is no code {name}"))
                    .with_hint("`arcflux explain-code` lists all of them"),
            ),
        }
    }
    report.allow(before, &allowed);
}
