//! The published JSON Schema of a spec, the strict schema of one cluster, and questions about them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::document::{ClusterDocument, Document};
use crate::model::{FieldPath, Segment};

/// The published schema (draft 2020-12): what `arcflux schema` prints and editors use. It admits a reference
/// (`${values.…}`, `${cluster.…}`, `${env:…}`) wherever a boolean, a number, a word or a text of a set form stands.
#[must_use]
pub fn schema() -> Value {
    let mut schema = generate::<Document>();
    admit_references_below(&mut schema);
    ask_nothing_of_what_is_absent(&mut schema);
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        definitions.insert(
            "Reference".to_owned(),
            json!({
                "type": "string",
                "pattern": REFERENCE,
                "description": "A value that arcflux puts in: ${cluster.name}, ${cluster.resourceGroup}, ${cluster.subscription}, \
                                ${cluster.type}, ${values.NAME} or ${env:NAME}."
            }),
        );
        definitions.insert(
            "Template".to_owned(),
            json!({
                "type": "string",
                "pattern": TEMPLATE,
                "description": "A text with a value in it that arcflux puts in, such as rg-${values.region}."
            }),
        );
    }
    schema
}

/// What must not be there needs nothing said about it.
fn ask_nothing_of_what_is_absent(schema: &mut Value) {
    let Some(configuration) = schema.pointer_mut("/$defs/ConfigurationSpec").and_then(Value::as_object_mut) else {
        return;
    };
    let Some(required) = configuration.shift_remove("required") else { return };
    configuration.insert("if".to_owned(), json!({"required": ["state"], "properties": {"state": {"const": "absent", "description": "What must not be there needs nothing said about it."}}}));
    configuration.insert("else".to_owned(), json!({ "required": required }));
}

/// A text that is one reference and nothing else.
const REFERENCE: &str = r"^\$\{(cluster\.|values\.|env:)[^}]+\}$";
/// A text with a reference in it.
const TEMPLATE: &str = r"\$\{(cluster\.|values\.|env:)[^}]+\}";

/// Whether a pattern is that of a reference, or of a text with one in it.
pub(super) fn is_reference_pattern(pattern: &str) -> bool {
    pattern == REFERENCE || pattern == TEMPLATE
}

/// A schema with its validator.
pub(super) struct Checked {
    pub(super) schema: Value,
    pub(super) validator: Option<jsonschema::Validator>,
}

impl Checked {
    fn new(schema: Value) -> Self {
        // That our own schemas compile is tested; there is no input here that could make them fail.
        let validator = jsonschema::validator_for(&schema).ok();
        Self { schema, validator }
    }
}

/// The published schema, for documents as they are written.
pub(super) static PUBLISHED: LazyLock<Checked> = LazyLock::new(|| Checked::new(schema()));
/// The strict schema, for one cluster after substitution.
pub(super) static STRICT: LazyLock<Checked> = LazyLock::new(|| Checked::new(generate::<ClusterDocument>()));

fn generate<T: schemars::JsonSchema>() -> Value {
    let mut schema =
        schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    in_reading_order(schema)
}

/// The schema with what it is before what it holds.
fn in_reading_order(schema: Value) -> Value {
    let Value::Object(mut rest) = schema else { return schema };
    let mut ordered: Map<String, Value> = ["$schema", "$id", "title", "description"]
        .into_iter()
        .filter_map(|key| rest.shift_remove(key).map(|value| (key.to_owned(), value)))
        .collect();
    ordered.extend(rest);
    Value::Object(ordered)
}

/// Takes out what Rust brings along and an author never writes: `null` beside a type, defaults of `null`, and the line
/// breaks and back-quotes of documentation comments.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(map) => {
            if map.get("default") == Some(&Value::Null) {
                map.shift_remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(branches)) = map.get_mut("anyOf") {
                branches.retain(|branch| branch != &json!({"type": "null"}));
                if let [Value::Object(only)] = branches.as_slice() {
                    let only = only.clone();
                    map.shift_remove("anyOf");
                    map.extend(only);
                }
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.replace('\n', " ").replace('`', "");
            }
            map.values_mut().for_each(tidy);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Walks every place where a value of a spec is described, and lets a reference stand there.
fn admit_references_below(schema: &mut Value) {
    let words: Vec<String> = schema["$defs"]
        .as_object()
        .map(|definitions| {
            definitions
                .iter()
                .filter(|(_, schema)| is_word_list(schema))
                .map(|(name, _)| format!("#/$defs/{name}"))
                .collect()
        })
        .unwrap_or_default();
    walk(schema, &words);
}

fn walk(schema: &mut Value, words: &[String]) {
    let Some(map) = schema.as_object_mut() else { return };
    for keyword in ["properties", "$defs"] {
        for (name, inner) in map.get_mut(keyword).and_then(Value::as_object_mut).into_iter().flatten() {
            walk(inner, words);
            if keyword == "properties" && name != "apiVersion" {
                admit(inner, words);
            }
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = map.get_mut(keyword) {
            walk(inner, words);
            admit(inner, words);
        }
    }
    for branch in map.get_mut("anyOf").and_then(Value::as_array_mut).into_iter().flatten() {
        walk(branch, words);
        admit(branch, words);
    }
}

/// Whether a schema is a list of words: an enum of ours.
fn is_word_list(schema: &Value) -> bool {
    schema.get("enum").is_some()
        || schema
            .get("oneOf")
            .and_then(Value::as_array)
            .is_some_and(|branches| branches.iter().all(|branch| branch.get("const").is_some()))
}

/// Lets a reference stand beside what `schema` takes, when that is not just any text.
fn admit(schema: &mut Value, words: &[String]) {
    let Some(map) = schema.as_object_mut() else { return };
    let kind = map.get("type").and_then(Value::as_str);
    let is_word = map.get("$ref").and_then(Value::as_str).is_some_and(|target| words.iter().any(|word| word == target));
    let alternative = match kind {
        Some("boolean" | "integer" | "number") => "#/$defs/Reference",
        Some("string") if ["pattern", "minLength", "maxLength", "format"].iter().any(|key| map.contains_key(*key)) => {
            "#/$defs/Template"
        }
        _ if is_word => "#/$defs/Reference",
        _ => return,
    };
    let mut outer = Map::new();
    for keyword in ["description", "default", "examples"] {
        if let Some(value) = map.shift_remove(keyword) {
            outer.insert(keyword.to_owned(), value);
        }
    }
    let inner = Value::Object(std::mem::take(map));
    outer.insert("anyOf".to_owned(), json!([inner, {"$ref": alternative}]));
    *map = outer;
}

/// The schemas that describe the value at `path`; several where there is a choice.
fn schemas_at<'a>(root: &'a Value, path: &FieldPath) -> Vec<&'a Map<String, Value>> {
    path.segments().iter().fold(resolve(root, root), |schemas, segment| {
        schemas
            .into_iter()
            .filter_map(|schema| match segment {
                Segment::Key(key) => schema
                    .get("properties")
                    .and_then(|properties| properties.get(key))
                    .or_else(|| schema.get("additionalProperties")),
                Segment::Index(_) => schema.get("items"),
            })
            .flat_map(|inner| resolve(root, inner))
            .collect()
    })
}

/// `schema` with references followed and choices opened.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Map<String, Value>> {
    let Some(map) = schema.as_object() else { return Vec::new() };
    if let Some(target) = map.get("$ref").and_then(Value::as_str) {
        return target
            .strip_prefix("#")
            .and_then(|pointer| root.pointer(pointer))
            .map(|target| resolve(root, target))
            .unwrap_or_default();
    }
    match map.get("anyOf").or_else(|| map.get("oneOf")).and_then(Value::as_array) {
        Some(branches) => branches.iter().flat_map(|branch| resolve(root, branch)).collect(),
        None => vec![map],
    }
}

/// The keys that may stand in the mapping at `path`.
pub(super) fn keys_at<'a>(root: &'a Value, path: &FieldPath) -> Vec<&'a str> {
    schemas_at(root, path)
        .into_iter()
        .filter_map(|schema| schema.get("properties").and_then(Value::as_object))
        .flat_map(|properties| properties.keys().map(String::as_str))
        .collect()
}

/// Whether the mapping at `path` takes keys of the author's own.
pub(super) fn takes_any_key(root: &Value, path: &FieldPath) -> bool {
    schemas_at(root, path).into_iter().any(|schema| schema.get("additionalProperties").is_some_and(Value::is_object))
}

/// The words that may stand at `path`.
pub(super) fn words_at<'a>(root: &'a Value, path: &FieldPath) -> Vec<&'a str> {
    schemas_at(root, path)
        .into_iter()
        .flat_map(|schema| {
            let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
            schema.get("const").into_iter().chain(listed).filter_map(Value::as_str)
        })
        .collect()
}

/// The JSON types that may stand at `path`, references aside.
pub(super) fn types_at<'a>(root: &'a Value, path: &FieldPath) -> Vec<&'a str> {
    let mut types: Vec<&str> = Vec::new();
    for schema in schemas_at(root, path) {
        let is_reference = schema.get("pattern").and_then(Value::as_str).is_some_and(is_reference_pattern);
        let named = match schema.get("type") {
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for name in named {
            if !is_reference && !types.contains(&name) {
                types.push(name);
            }
        }
    }
    types
}

/// Where in a spec each key may stand, in the words of messages: `kustomizations.<name>`, or `the top`.
pub(super) static HOMES: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut homes = BTreeMap::new();
    collect_homes(&PUBLISHED.schema, &PUBLISHED.schema, "", &mut homes);
    homes
});

fn collect_homes(root: &Value, schema: &Value, place: &str, homes: &mut BTreeMap<String, Vec<String>>) {
    let join = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    for schema in resolve(root, schema) {
        for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let known = homes.entry(name.clone()).or_default();
            let home = if place.is_empty() { "the top of the spec".to_owned() } else { format!("`{place}`") };
            if !known.contains(&home) {
                known.push(home);
            }
            collect_homes(root, inner, &join(name), homes);
        }
        if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
            collect_homes(root, inner, &join("<name>"), homes);
        }
    }
}
