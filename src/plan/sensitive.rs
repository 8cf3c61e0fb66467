//! Values that look like secrets although ARM does not mark them so: people put tokens into `postBuild.substitute` and
//! into settings, where everyone who may read the resource can read them (`../shared/facts/domain.md` §4.13).

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::diff::FieldChange;
use crate::model::{FieldPath, Segment, tells_of_a_secret, without_accounts};

/// What stands in place of a value that looks like a secret, in plans and in what is made of them.
pub const SENSITIVE: &str = "(sensitive value)";

const MAPS: &[&str] = &["substitute", "configurationSettings"];

/// Whether the value of this field is shown to nobody.
pub(super) fn is_sensitive(path: &FieldPath) -> bool {
    let keys: Vec<&str> = path.segments().iter().map(Segment::key).collect();
    let Some(map) = keys.iter().position(|key| MAPS.contains(key)) else { return false };
    keys[map + 1..].iter().any(|key| tells_of_a_secret(key))
}

/// A body without values that look like secrets.
pub(super) fn masked(body: &Value) -> Value {
    masked_at(&FieldPath::default(), body)
}

pub(super) fn masked_at(path: &FieldPath, value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object.iter().map(|(key, value)| (key.clone(), masked_at(&path.key(key.clone()), value))).collect(),
        ),
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) if is_sensitive(path) => {
            Value::from(SENSITIVE)
        }
        // A URL that somebody else wrote may hold a password: everybody who reads the resource can read it, but not
        // everybody who reads a plan can.
        Value::String(text) => Value::from(without_accounts(text)),
        Value::Array(items) => {
            Value::Array(items.iter().enumerate().map(|(index, item)| masked_at(&path.index(index), item)).collect())
        }
        Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A field change without values that look like secrets.
pub(super) fn masked_change(change: FieldChange) -> FieldChange {
    let FieldChange { path, before, after } = change;
    let mask = |value: Option<Value>| value.map(|value| masked_at(&path, &value));
    FieldChange { before: mask(before), after: mask(after), path: path.clone() }
}

/// For serde: a body goes into a plan file masked. Apply plans anew and never reads a body back.
pub(super) fn serialize_masked<S: Serializer>(body: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    masked(body).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_telling_names_in_free_maps_are_masked() {
        let body = json!({"properties": {
            "gitRepository": {"httpsUser": "git", "localAuthRef": "key-of-repo"},
            "kustomizations": {"token": {"postBuild": {"substitute": {
                "API_KEY": "x", "DB_PASS": "x", "REGION": "eu", "passthrough": "on",
            }}}},
            "configurationSettings": {"grafana.admin-password": "p", "access key/id": "p", "multiTenancy.enforce": "false"},
            "list": ["https://user:pa@host/x", 1],
        }});
        let shown = masked(&body);
        assert_eq!(shown["properties"]["gitRepository"], body["properties"]["gitRepository"]);
        let substitute = &shown["properties"]["kustomizations"]["token"]["postBuild"]["substitute"];
        assert_eq!(
            substitute,
            &json!({
                "API_KEY": SENSITIVE, "DB_PASS": SENSITIVE, "REGION": "eu", "passthrough": "on",
            })
        );
        let settings = &shown["properties"]["configurationSettings"];
        assert_eq!(
            settings,
            &json!({"grafana.admin-password": SENSITIVE, "access key/id": SENSITIVE, "multiTenancy.enforce": "false"})
        );
        assert_eq!(shown["properties"]["list"], json!(["https://***@host/x", 1]));
    }
}
