//! `allow`: problems that somebody has looked at and accepts for one configuration.

use crate::model::{Code, FieldPath, Segment};
use crate::spec::codes::{self, Row};
use crate::spec::node::Node;
use crate::spec::report::Report;

/// Takes back the problems of a configuration that it allows: those that came after the first `before`.
pub(in crate::spec) fn check(configuration: &Node, before: usize, report: &mut Report) {
    let mut allowed: Vec<Code> = Vec::new();
    for item in configuration.get("allow").map(Node::items).unwrap_or_default() {
        let Some(name) = item.text() else { continue };
        match row(name) {
            Some(Row { can_be_allowed: true, code, .. }) => allowed.push(*code),
            Some(Row { can_be_allowed: false, .. }) => report.add_once(
                codes::NOT_ALLOWED_VALUE
                    .at(item.span, format!("{name} cannot be allowed"))
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

/// Whether a problem with `code` at `path` of a document is allowed by the configuration that it lies in.
pub(in crate::spec) fn is_allowed(document: &Node, path: &FieldPath, code: Code) -> bool {
    let [Segment::Key(map), Segment::Key(_), _, ..] = path.segments() else { return false };
    let Some(configuration) = document.at(&path.first(2)).filter(|_| map == "configurations") else { return false };
    let allow = configuration.get("allow").map(Node::items).unwrap_or_default();
    allow.iter().filter_map(|item| row(item.text()?)).any(|row| row.can_be_allowed && row.code == code)
}

fn row(name: &str) -> Option<&'static Row> {
    codes::TABLE.iter().find(|row| row.code.to_string() == name)
}
