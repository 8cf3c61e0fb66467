//! Resources that the same happens to, on many clusters: a fleet is reviewed once, and not once per cluster.
//!
//! Two changes are the same when nothing but the name of their own cluster tells them apart. Whole values are compared,
//! never what is shown of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::rows::{Content, Field, Resource};
use crate::model::{Address, Part};
use crate::plan::Consequence;

/// Resources that the same happens to; the first stands for all.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group<'r, 'a> {
    /// The one that is shown.
    pub(super) first: &'r Resource<'a>,
    /// The others, in the order of the plan.
    pub(super) others: Vec<&'r Resource<'a>>,
    /// Whether the name of the own cluster stands in what changes, so that it reads otherwise for each.
    pub(super) is_by_name: bool,
}

impl<'r, 'a> Group<'r, 'a> {
    /// All of them.
    pub(super) fn members(&self) -> impl Iterator<Item = &'r Resource<'a>> + Clone {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        1 + self.others.len()
    }
}

/// The groups of resources, in order of the first of each.
pub(super) fn of<'r, 'a>(resources: impl IntoIterator<Item = &'r Resource<'a>>) -> Vec<Group<'r, 'a>> {
    let mut groups: Vec<Group<'r, 'a>> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for resource in resources {
        let key = Key::of(resource);
        match seen.get(&key.text).and_then(|place| groups.get_mut(*place)) {
            Some(group) => group.others.push(resource),
            None => {
                seen.insert(key.text, groups.len());
                groups.push(Group { first: resource, others: Vec::new(), is_by_name: key.has_name });
            }
        }
    }
    groups
}

/// The name that is a resource's own: what differs in a fleet where nothing differs.
pub(super) fn own_name(address: &Address) -> &str {
    match address {
        Address::Provider { subscription: _, namespace } => namespace,
        Address::ResourceGroup { subscription: _, name } => name,
        Address::Cluster { subscription: _, resource_group: _, cluster, part: _ } => cluster,
    }
}

/// Everything that is shown of a resource, with its own name left out. Every text has its length before it, so that no
/// text can be taken for two, nor for a name.
struct Key<'n> {
    text: String,
    name: &'n str,
    has_name: bool,
}

impl<'n> Key<'n> {
    fn of(resource: &'n Resource<'_>) -> Self {
        let Resource { address, action, verb, because, noun, name: _, api_version, fields, unchanged, effects } =
            resource;
        let part = match address {
            Address::Provider { .. } | Address::ResourceGroup { .. } => None,
            Address::Cluster { part, .. } => match part {
                Part::Itself => None,
                Part::Extension => Some("extension"),
                Part::Configuration(name) => Some(name.as_str()),
            },
        };
        let mut key = Self { text: format!("{action:?} {unchanged} "), name: own_name(address), has_name: false };
        for text in [Some(*verb), *because, Some(*noun), Some(*api_version)] {
            key.plain(text.unwrap_or_default());
        }
        // What it is called in ARM is shown in its address, or is the name of its own cluster.
        key.plain(part.unwrap_or_default());
        key.fields(fields);
        for Consequence { code, message } in *effects {
            key.plain(code);
            key.own(message);
        }
        key
    }

    fn plain(&mut self, text: &str) {
        self.text.push_str(&format!("{}:{text}", text.len()));
    }

    /// A text that may hold the own name.
    fn own(&mut self, text: &str) {
        let parts: Vec<&str> = if self.name.is_empty() { vec![text] } else { text.split(self.name).collect() };
        self.has_name |= parts.len() > 1;
        self.text.push_str(&format!("[{} ", parts.len()));
        for part in parts {
            self.plain(part);
        }
    }

    fn fields(&mut self, fields: &[Field<'_>]) {
        self.text.push_str(&format!("({} ", fields.len()));
        for Field { path, content, forces_replacement, is_drift } in fields {
            self.own(&path.to_string());
            self.text.push_str(&format!("{forces_replacement} {is_drift} "));
            match content {
                Content::Added(value) => self.values("+", &[value]),
                Content::Removed(value) => self.values("-", &[value]),
                Content::Changed(old, new) => self.values("~", &[old, new]),
                Content::AddedGroup(members) => {
                    self.text.push('{');
                    self.fields(members);
                }
                Content::RemovedGroup(count) => self.text.push_str(&format!("}}{count} ")),
                Content::AddedText(new) => self.texts("a", &[new]),
                Content::RemovedText(old) => self.texts("r", &[old]),
                Content::ChangedText(old, new) => self.texts("c", &[old, new]),
                Content::Secret { from, because } => self.texts("s", &[&from.to_string(), because.unwrap_or_default()]),
            }
        }
    }

    fn texts(&mut self, sign: &str, texts: &[&str]) {
        self.text.push_str(sign);
        texts.iter().for_each(|text| self.own(text));
    }

    fn values(&mut self, sign: &str, values: &[&Value]) {
        self.text.push_str(sign);
        values.iter().for_each(|value| self.value(value));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.text.push('v');
                self.plain(&value.to_string());
            }
            Value::String(text) => self.texts("t", &[text]),
            Value::Array(items) => {
                self.text.push_str(&format!("l{} ", items.len()));
                items.iter().for_each(|item| self.value(item));
            }
            Value::Object(object) => {
                self.text.push_str(&format!("o{} ", object.len()));
                for (key, value) in object {
                    self.own(key);
                    self.value(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FieldPath;
    use crate::plan::Action;

    fn resource<'a>(address: &'a Address, value: &'a Value) -> Resource<'a> {
        let path = FieldPath::dotted("kustomizations.app.path");
        let content = Content::Added(value);
        Resource {
            address,
            action: Action::Update,
            verb: "will be updated in-place",
            because: None,
            noun: "fluxConfiguration",
            name: "flux-system",
            api_version: "2025-04-01",
            fields: vec![Field { path, content, forces_replacement: false, is_drift: false }],
            unchanged: 1,
            effects: &[],
        }
    }

    fn counts(values: &[(&str, Value)]) -> Vec<usize> {
        let addresses: Vec<Address> =
            values.iter().map(|(name, _)| format!("rg-{name}/{name}/flux/flux-system").parse().unwrap()).collect();
        let rows: Vec<Resource<'_>> =
            addresses.iter().zip(values).map(|(address, (_, value))| resource(address, value)).collect();
        of(&rows).iter().map(Group::count).collect()
    }

    #[test]
    fn what_differs_by_the_name_of_the_own_cluster_alone_is_the_same() {
        assert_eq!(counts(&[("a1", json!("./x/a1/y")), ("b2", json!("./x/b2/y")), ("c3", json!("./x/c3/y"))]), [3]);
        assert_eq!(counts(&[("a1", json!("./x")), ("b2", json!("./x")), ("c3", json!("./z"))]), [2, 1]);
        assert_eq!(counts(&[("a1", json!("./a1")), ("b2", json!("./a1"))]), [1, 1], "that of another cluster");
    }

    #[test]
    fn what_reads_alike_and_is_not_the_same_is_kept_apart() {
        let long = |middle: &str| json!(format!("{}{middle}{}", "x".repeat(1000), "y".repeat(1000)));
        assert_eq!(counts(&[("a1", long("A")), ("b2", long("B"))]), [1, 1], "where both are cut");
        assert_eq!(counts(&[("a1", json!("1:a1")), ("b2", json!(["1:", ""]))]), [1, 1]);
        assert_eq!(counts(&[("a1", json!("a1")), ("b2", json!("\u{0}"))]), [1, 1]);
        assert_eq!(counts(&[("a1", json!(1)), ("b2", json!("1"))]), [1, 1]);
    }
}
