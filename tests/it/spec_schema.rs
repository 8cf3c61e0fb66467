//! The published schema: in sync with the types, sound, and of use to an editor.

use std::path::Path;

use arcflux::spec;
use serde_json::Value;

#[test]
fn the_checked_in_schema_is_what_the_types_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/spec.schema.json");
    let checked_in: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(checked_in == spec::schema(), "run `cargo run -- schema > schemas/spec.schema.json`");
}

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::meta::is_valid(&spec::schema()));
}

/// Calls `check` for every property in the schema, with its name and where it is.
fn every_property(schema: &Value, place: &str, check: &mut dyn FnMut(&str, &Value)) {
    match schema {
        Value::Object(map) => {
            for (key, inner) in map {
                if key == "properties" {
                    for (name, property) in inner.as_object().into_iter().flatten() {
                        check(&format!("{place}.{name}"), property);
                    }
                }
                every_property(inner, &format!("{place}/{key}"), check);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| every_property(item, place, check)),
        _ => {}
    }
}

#[test]
fn every_key_is_explained() {
    let schema = spec::schema();
    let mut seen = 0;
    every_property(&schema, "", &mut |place, property| {
        seen += 1;
        let description = property["description"].as_str().unwrap_or_default();
        assert!(description.ends_with(['.', ')']), "{place} has no description: {property}");
        assert!(!description.contains('`') && !description.contains('\n'), "{place}");
        assert!(property.get("default") != Some(&Value::Null), "{place} has a default of null");
    });
    assert!(seen > 40, "{seen}");
}

#[test]
fn references_may_stand_where_no_text_stands_and_nowhere_else() {
    let schema = jsonschema::validator_for(&spec::schema()).unwrap();
    let document = |prune: &str, kind: &str, namespace: &str, subscription: &str| {
        serde_json::json!({
            "apiVersion": "arcflux/v1",
            "subscription": subscription,
            "clusters": {"a": {"type": kind}},
            "configurations": {"c": {
                "namespace": namespace,
                "gitRepository": {"url": "https://h/r", "interval": "${values.every}", "branch": "${env:BRANCH}"},
                "kustomizations": {"k": {"prune": prune}},
            }},
        })
    };
    assert!(schema.is_valid(&document("${values.p}", "${values.t}", "ns-${values.n}", "${env:AZURE_SUBSCRIPTION_ID}")));
    for (prune, kind, namespace, subscription) in [
        ("x${values.p}", "${values.t}", "ns", "${env:S}"),
        ("${FLUX}", "${values.t}", "ns", "${env:S}"),
        ("${values.p}", "Arc", "ns", "${env:S}"),
        ("${values.p}", "${values.t}", "N S", "${env:S}"),
        ("${values.p}", "${values.t}", "ns", "Production"),
    ] {
        assert!(!schema.is_valid(&document(prune, kind, namespace, subscription)));
    }
    assert!(!schema.is_valid(&serde_json::json!({"apiVersion": "${values.v}"})));
}

#[test]
fn every_mapping_refuses_unknown_keys() {
    fn walk(schema: &Value, place: &str) {
        if let Some(map) = schema.as_object() {
            if map.get("type").is_some_and(|name| name == "object") {
                assert!(map.contains_key("additionalProperties"), "{place}");
            }
            map.iter().for_each(|(key, inner)| walk(inner, &format!("{place}/{key}")));
        } else if let Some(items) = schema.as_array() {
            items.iter().for_each(|item| walk(item, place));
        }
    }
    walk(&spec::schema(), "");
}

#[test]
fn the_starting_spec_validates_and_explains_its_keys() {
    let outcome = spec::load_bytes("arcflux.yaml", spec::starter().as_bytes(), &spec::Inputs::default());
    assert_eq!(outcome.diagnostics, []);
    assert_eq!(outcome.desired.unwrap().clusters.len(), 1);
}
