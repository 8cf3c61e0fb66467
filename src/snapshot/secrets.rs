//! Secrets that ARM echoes do not go into a file: their keys stay, which tells that they are there, their values go.

use serde_json::{Map, Value};

use super::Answer;
use crate::kinds::{Kind, flux_configuration};
use crate::model::{Habit, ResourceId, Rule, Rules};

pub(super) fn blank(id: &ResourceId, answer: &mut Answer) {
    let rules = rules_of(id);
    match answer {
        Answer::Present(body) => blank_body(rules, body),
        Answer::Items(items) => {
            for body in items.iter_mut().filter_map(Value::as_object_mut) {
                blank_body(rules, body);
            }
        }
        Answer::Missing | Answer::ParentMissing(_) | Answer::Denied(_) => {}
    }
}

/// What is known about the fields of a resource. Flux v1 configurations, which are no kind of ours, have their protected
/// settings where those of Flux v2 are.
fn rules_of(id: &ResourceId) -> Rules {
    let Some(resource_type) = id.resource_type() else { return &[] };
    Kind::of_type(&resource_type).map_or(flux_configuration::RULES, Kind::rules)
}

fn blank_body(rules: Rules, body: &mut Map<String, Value>) {
    for rule in rules.iter().filter(|rule| matches!(rule.habit, Habit::Secrets)) {
        let steps: Vec<&str> = Rule::segments(rule).collect();
        blank_below(&steps, body);
    }
}

/// Keys are compared without case: a leak is worse than a blank too many.
fn blank_below(steps: &[&str], object: &mut Map<String, Value>) {
    let [step, deeper @ ..] = steps else { return };
    for (_, value) in object.iter_mut().filter(|(key, _)| *step == "*" || key.eq_ignore_ascii_case(step)) {
        match value {
            _ if deeper.is_empty() => blank_value(value),
            Value::Object(object) => blank_below(deeper, object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
        }
    }
}

fn blank_value(value: &mut Value) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => *value = Value::String(String::new()),
        Value::Array(items) => items.iter_mut().for_each(blank_value),
        Value::Object(object) => object.values_mut().for_each(blank_value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::extension;

    #[test]
    fn values_of_secret_fields_go_and_keys_and_everything_else_stay() {
        let cluster = ResourceId::subscription("s").resource_group("rg").resource("N/t", "c");
        let body = json!({"properties": {
            "configurationProtectedSettings": {"httpsKey": "hunter2", "none": null, "deep": {"er": ["hunter2", 1]}},
            "configurationSettings": {"a": "b"},
            "azureBlob": {"accountKey": "hunter2", "url": "https://h", "servicePrincipal": {"ClientSecret": "hunter2"}},
        }});
        for resource_type in [
            flux_configuration::RESOURCE_TYPE,
            extension::RESOURCE_TYPE,
            "Microsoft.KubernetesConfiguration/sourceControlConfigurations",
        ] {
            let mut items = Answer::Items(vec![body.clone(), json!("not an object")]);
            blank(&cluster.collection(&resource_type.to_ascii_uppercase()), &mut items);
            let Answer::Items(items) = items else { panic!() };
            let properties = &items[0]["properties"];
            assert_eq!(
                properties["configurationProtectedSettings"],
                json!({"httpsKey": "", "none": null, "deep": {"er": ["", ""]}})
            );
            assert_eq!(properties["configurationSettings"], json!({"a": "b"}));
        }
        let mut present = Answer::Present(body.as_object().cloned().unwrap());
        blank(&cluster.resource(flux_configuration::RESOURCE_TYPE, "one"), &mut present);
        let Answer::Present(found) = present else { panic!() };
        assert!(!Value::Object(found.clone()).to_string().contains("hunter2"));
        assert_eq!(found["properties"]["azureBlob"]["url"], "https://h");
    }
}
