//! The structural walk.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::FieldPath;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldChange {
    /// The field, from the top of the body.
    pub path: FieldPath,
    /// The value before; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value after; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Every field in which two bodies differ, in the order of `before` and then of `after`. Objects are walked; anything
/// else, arrays too, is one value. An object that only one side has is one change.
#[must_use]
pub fn compare(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk(&FieldPath::default(), Some(before), Some(after), &mut changes);
    changes
}

fn walk(path: &FieldPath, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<FieldChange>) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for (key, value) in old {
                walk(&path.key(key), Some(value), new.get(key), changes);
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                walk(&path.key(key), None, Some(value), changes);
            }
        }
        (before, after) if before == after => {}
        (before, after) => {
            changes.push(FieldChange { path: path.clone(), before: before.cloned(), after: after.cloned() });
        }
    }
}

/// How many values a body holds: everything that is not an object.
#[must_use]
pub fn leaves(body: &Value) -> usize {
    match body {
        Value::Object(object) => object.values().map(leaves).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_bodies_have_no_changes_whatever_the_order_of_their_keys() {
        assert_eq!(compare(&json!({"a": 1, "b": {"c": [1, 2]}}), &json!({"b": {"c": [1, 2]}, "a": 1})), []);
    }

    #[test]
    fn each_changed_leaf_is_one_change_and_a_lone_object_is_one_change() {
        let before = json!({"k": {"app": {"path": "./a", "prune": true}, "gone": {"path": "./g"}}});
        let after = json!({"k": {"app": {"path": "./b", "prune": true}}, "new": [1]});
        let changes = compare(&before, &after);
        let lines: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
        assert_eq!(lines, ["k.app.path", "k.gone", "new"]);
        assert_eq!(changes[1].after, None);
        assert_eq!(changes[2].before, None);
    }
}
