//! Rules about the settings of the Flux extension: Azure takes any name and any text, and says nothing about those that do
//! nothing (`../shared/facts/arm-contracts.md` §2.5, `../shared/facts/domain.md` §1.2).

use std::collections::BTreeMap;

use super::super::codes;
use super::super::node::{Entry, Node};
use super::super::report::{MAX_PROBLEMS, Report};
use crate::kinds::cluster::ClusterType;
use crate::kinds::flux_settings::{Form, SETTINGS, Setting};
use crate::model::nearest;

/// Checks what is said under `configurationSettings`.
pub(super) fn check(settings: &Node, cluster_type: Option<ClusterType>, report: &mut Report) {
    let mut unknown = Vec::new();
    for entry in settings.entries() {
        match Setting::named(&entry.key) {
            Some(setting) => check_known(entry, setting, cluster_type, report),
            None => unknown.push(entry),
        }
    }
    unknown.into_iter().take(MAX_PROBLEMS).for_each(|entry| check_unknown(entry, report));
    check_groups(settings, report);
}

fn check_known(entry: &Entry, setting: &Setting, cluster_type: Option<ClusterType>, report: &mut Report) {
    let name = &entry.key;
    if let (Some(only_on), Some(found)) = (setting.only_on, cluster_type)
        && only_on != found
    {
        report.add_once(
            codes::SETTING_OF_OTHER_CLUSTERS
                .at(entry.key_span, format!("`{name}` does something on {} only", clusters(only_on)))
                .with_hint("take it out"),
        );
    }
    let Some(text) = entry.node.text().filter(|text| !setting.form.takes(text)) else { return };
    let usual = setting.default.map(|default| format!("; without it, it is `{default}`")).unwrap_or_default();
    let (row, message) = match setting.form {
        Form::Switch => (codes::SETTING_NOT_A_SWITCH, format!("`{name}` is neither `true` nor `false`")),
        _ => (codes::SETTING_VALUE, format!("`{name}` does not take {}", shown(text))),
    };
    report.add_once(row.at(entry.node.span, message).with_hint(format!("write {}{usual}", setting.form.shown())));
}

const fn clusters(cluster_type: ClusterType) -> &'static str {
    match cluster_type {
        ClusterType::ConnectedClusters => "Arc-connected clusters",
        ClusterType::ManagedClusters => "AKS clusters",
    }
}

/// A value in a message. What is long is not repeated.
fn shown(text: &str) -> String {
    if text.is_empty() {
        "an empty text".to_owned()
    } else if text.chars().count() <= 40 {
        format!("`{text}`")
    } else {
        "this value".to_owned()
    }
}

fn check_unknown(entry: &Entry, report: &mut Report) {
    if report.is_known(codes::UNKNOWN_SETTING.code, Some(entry.key_span)) {
        return;
    }
    let hint = match meant(&entry.key) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "look it up in Microsoft's documents; arcflux sends it as it is".to_owned(),
    };
    report.add_once(
        codes::UNKNOWN_SETTING
            .at(entry.key_span, format!("`{}` is not a setting that is known of microsoft.flux", entry.key))
            .with_hint(hint),
    );
}

/// The known setting that a name was meant to be. Where its workload is known, only the rest can be a slip.
fn meant(written: &str) -> Option<String> {
    let names: Vec<String> = SETTINGS.iter().flat_map(Setting::names).collect();
    let whole: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some((owner, rest)) = written.split_once('.') else { return nearest(written, &whole).map(str::to_owned) };
    let own: Vec<&str> = whole
        .iter()
        .filter_map(|name| name.split_once('.'))
        .filter(|(other, _)| *other == owner)
        .map(|(_, rest)| rest)
        .collect();
    match own.as_slice() {
        [] => nearest(written, &whole).map(str::to_owned),
        own => nearest(rest, own).map(|rest| format!("{owner}.{rest}")),
    }
}

/// A name that is the beginning of another one: Helm takes it for a value and for a group of values.
fn check_groups(settings: &Node, report: &mut Report) {
    let by_name: BTreeMap<&str, &Entry> = settings.entries().iter().map(|entry| (entry.key.as_str(), entry)).collect();
    for (name, entry) in &by_name {
        let group = format!("{name}.");
        let Some((inner, other)) = by_name.range(group.as_str()..).next() else { continue };
        if inner.starts_with(&group) {
            report.add_once(
                codes::SETTING_AND_GROUP
                    .at(
                        entry.key_span.max(other.key_span),
                        format!("`{name}` is a setting here, and `{inner}` is one below it"),
                    )
                    .with_hint("keep one of the two"),
            );
        }
    }
}
