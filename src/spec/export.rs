//! From what a spec is to say to its text: the short form where it fits, documented defaults left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::expand::{
    CLUSTER_DEFAULTS, CONFIGURATION_DEFAULTS, EXTENSION_DEFAULTS, KUSTOMIZATION_DEFAULTS, SHORT_FORM_CONFIGURATION,
};
use super::readable::to_yaml;
use super::starter::EDITOR_LINE;
use crate::kinds::cluster::ClusterSpec;
use crate::kinds::extension::ExtensionSpec;
use crate::kinds::flux_configuration::{ConfigurationSpec, kustomization_order};
use crate::model::one_line;

/// A spec of one cluster that is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The id of the subscription.
    pub subscription: String,
    /// The name of the resource group.
    pub resource_group: String,
    /// The cluster.
    pub cluster: ClusterSpec,
    /// What is said of the extension; `None` for nothing.
    pub extension: Option<ExtensionSpec>,
    /// The configurations, by name.
    pub configurations: BTreeMap<String, ConfigurationSpec>,
    /// Comments at the top, a line each.
    pub comments: Vec<String>,
}

impl Draft {
    /// The text, as YAML. Loading it gives what the draft holds.
    #[must_use]
    pub fn text(&self) -> String {
        let comments = self.comments.iter().map(|line| format!("# {}\n", one_line(line)));
        let head: String = std::iter::once(format!("{EDITOR_LINE}\n")).chain(comments).collect();
        head + &to_yaml(&self.document())
    }

    /// The keys of the spec, in the order of the schema.
    fn document(&self) -> Value {
        let Self { subscription, resource_group, cluster, extension, configurations, comments: _ } = self;
        let mut document = Map::new();
        document.insert("apiVersion".to_owned(), json!("arcflux/v1"));
        document.insert("subscription".to_owned(), literal(&json!(subscription)));
        document.insert("resourceGroup".to_owned(), literal(&json!(resource_group)));
        document.insert("cluster".to_owned(), literal(&without(json!(cluster), &CLUSTER_DEFAULTS)));
        let extension = extension.as_ref().map(|extension| without(json!(extension), &EXTENSION_DEFAULTS));
        if let Some(extension) = extension.filter(|extension| *extension != json!({"name": "flux"})) {
            document.insert("extension".to_owned(), literal(&extension));
        }
        let mut others = Map::new();
        for (name, spec) in configurations {
            let mut said = literal(&configuration(spec));
            match short_form(name, &mut said) {
                Some([repo, kustomizations]) => {
                    document.insert("repo".to_owned(), repo);
                    document.insert("kustomizations".to_owned(), kustomizations);
                }
                None => {
                    // The long form says its scope, also where it is the default: who reads it must see who may do what.
                    if let Some(map) = said.as_object_mut() {
                        map.shift_remove("scope");
                        map.shift_insert(0, "scope".to_owned(), json!(spec.scope));
                    }
                    others.insert(name.clone(), said);
                }
            }
        }
        if !others.is_empty() {
            document.insert("configurations".to_owned(), Value::Object(others));
        }
        Value::Object(document)
    }
}

/// What is said of a configuration: everything but the defaults; each kustomization after those that it depends on.
fn configuration(spec: &ConfigurationSpec) -> Value {
    let mut said = without(json!(spec), &CONFIGURATION_DEFAULTS);
    let order = kustomization_order(spec);
    let Some(kustomizations) = said.get_mut("kustomizations").and_then(Value::as_object_mut) else { return said };
    *kustomizations = order.iter().filter_map(|name| kustomizations.shift_remove_entry(name)).collect();
    for kustomization in kustomizations.values_mut() {
        let path = kustomization.get("path").cloned();
        *kustomization = without(kustomization.take(), &KUSTOMIZATION_DEFAULTS);
        // A path is always said: without one, the whole repository is applied.
        if let (Some(map), Some(path)) = (kustomization.as_object_mut(), path) {
            map.shift_insert(0, "path".to_owned(), path);
        }
        let objects = kustomization.pointer_mut("/postBuild/substituteFrom").and_then(Value::as_array_mut);
        for object in objects.into_iter().flatten() {
            *object = without(object.take(), &json!({"optional": false}));
        }
    }
    said
}

/// The values of `repo` and `kustomizations`, where a configuration says nothing else.
fn short_form(name: &str, said: &mut Value) -> Option<[Value; 2]> {
    let keys = ["namespace", "gitRepository", "kustomizations"];
    let map = said.as_object_mut()?;
    let fits = name == SHORT_FORM_CONFIGURATION
        && map.keys().eq(keys)
        && map.get("namespace").and_then(Value::as_str) == Some(SHORT_FORM_CONFIGURATION);
    if !fits {
        return None;
    }
    Some([map.shift_remove("gitRepository")?, map.shift_remove("kustomizations")?])
}

/// `value` without what says no more than `defaults`. A mapping that would say nothing at all stays: that it is there
/// says something.
fn without(mut value: Value, defaults: &Value) -> Value {
    let (Some(map), Some(defaults)) = (value.as_object(), defaults.as_object()) else { return value };
    let mut kept = map.clone();
    for (key, default) in defaults {
        match map.get(key) {
            Some(said @ Value::Object(_)) if default.is_object() => {
                kept.insert(key.clone(), without(said.clone(), default));
            }
            Some(said) if said == default => {
                kept.shift_remove(key);
            }
            Some(_) | None => {}
        }
    }
    if !kept.is_empty() {
        value = Value::Object(kept);
    }
    value
}

/// Texts as they are meant: a `${` in them refers to nothing of the spec.
fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${", "$${")),
        Value::Array(items) => items.iter().map(literal).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), literal(value))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_in_what_is_live_is_a_text() {
        assert_eq!(
            literal(&json!(["${cluster.name}", "$${A}", "$5", "${"])),
            json!(["$${cluster.name}", "$$${A}", "$5", "$${"])
        );
    }

    #[test]
    fn defaults_are_left_out_and_a_mapping_of_defaults_stays() {
        let defaults = json!({"a": 1, "in": {"b": true}});
        assert_eq!(without(json!({"a": 1, "in": {"b": true}, "c": 2}), &defaults), json!({"in": {"b": true}, "c": 2}));
        assert_eq!(without(json!({"a": 2, "in": {"b": true, "d": 1}}), &defaults), json!({"a": 2, "in": {"d": 1}}));
    }
}
