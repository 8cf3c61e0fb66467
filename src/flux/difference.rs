//! What of a rendered object is different in a cluster.

use serde_json::{Value, json};

use super::Object;
use crate::diff::FieldChange;
use crate::model::{FieldPath, Segment};

/// What applying an object would do.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It would be created.
    Create,
    /// It would be changed: from what is live to what is rendered.
    Change(Vec<FieldChange>),
    /// Nothing.
    Keep,
}

/// What stands in the place of values that are not shown.
const NOT_SHOWN: &str = "(not shown)";

/// Compares an object with what a cluster has. Only what is rendered counts: whatever the cluster, Flux or somebody else
/// added is no difference. The one exception is the revision of a source, where a tag goes before a branch: what is said
/// of it beside what is rendered decides, too.
#[must_use]
pub fn difference(object: &Object, live: Option<&Value>) -> Fate {
    let Some(live) = live else { return Fate::Create };
    let mut changes = Vec::new();
    let members = object.body.as_object().into_iter().flatten();
    for (key, wanted) in members.filter(|(key, _)| !["apiVersion", "kind", "metadata"].contains(&key.as_str())) {
        walk(object, &FieldPath::default().key(key), wanted, live.get(key), &mut changes);
    }
    if changes.is_empty() { Fate::Keep } else { Fate::Change(changes) }
}

fn walk(object: &Object, path: &FieldPath, wanted: &Value, live: Option<&Value>, changes: &mut Vec<FieldChange>) {
    match (wanted, live) {
        (Value::Object(members), Some(Value::Object(found))) => {
            for (key, wanted) in members {
                walk(object, &path.key(key), wanted, found.get(key), changes);
            }
            let others = found.iter().filter(|(key, value)| !members.contains_key(*key) && !value.is_null());
            changes.extend(others.filter(|_| ends_with(path, &["spec", "ref"])).map(|(key, value)| FieldChange {
                path: path.key(key),
                before: Some(value.clone()),
                after: None,
            }));
        }
        (wanted, live) if holds(object, path, wanted, live) => {}
        (wanted, live) => {
            // Whatever else is in a Secret, nobody is shown.
            let hide = |value: Value| if object.kind() == "Secret" { json!(NOT_SHOWN) } else { value };
            changes.push(FieldChange {
                path: path.clone(),
                before: live.filter(|live| !live.is_null()).cloned().map(hide),
                after: Some(hide(wanted.clone())),
            });
        }
    }
}

/// Whether what is live says what is wanted.
fn holds(object: &Object, path: &FieldPath, wanted: &Value, live: Option<&Value>) -> bool {
    match (wanted, live) {
        (wanted, Some(live)) if wanted == live => true,
        // The default of everything that can be on or off and is rendered, but for `wait` and `prune` where they are on.
        (Value::Bool(false), None | Some(Value::Null)) => true,
        (Value::String(wanted), Some(Value::String(live))) if is_duration(path) => {
            seconds(wanted).is_some_and(|wanted| seconds(live) == Some(wanted))
        }
        // Both mean the top of the repository.
        (Value::String(wanted), None) if ends_with(path, &["path"]) => wanted == "./",
        (Value::String(wanted), Some(Value::String(live))) if ends_with(path, &["path"]) => {
            [wanted, live].iter().all(|path| ["", ".", "./"].contains(&path.as_str()))
        }
        // Without one, the namespace of the object itself is meant.
        (Value::String(wanted), None) if ends_with(path, &["sourceRef", "namespace"]) => {
            object.namespace() == Some(wanted)
        }
        // A patch is a document of its own: what counts is what it says.
        (Value::String(wanted), Some(Value::String(live))) if ends_with(path, &["patch"]) => {
            let read = |text: &str| serde_yaml::from_str::<Value>(text).ok();
            read(wanted).is_some_and(|wanted| read(live) == Some(wanted))
        }
        (Value::Object(wanted), Some(Value::Object(live))) => {
            wanted.iter().all(|(key, wanted)| holds(object, &path.key(key), wanted, live.get(key)))
        }
        (Value::Array(wanted), Some(Value::Array(live))) => {
            wanted.len() == live.len()
                && wanted
                    .iter()
                    .zip(live)
                    .enumerate()
                    .all(|(index, (wanted, live))| holds(object, &path.index(index), wanted, Some(live)))
        }
        (_, _) => false,
    }
}

fn ends_with(path: &FieldPath, keys: &[&str]) -> bool {
    let segments = path.segments();
    segments.len() >= keys.len()
        && segments[segments.len() - keys.len()..]
            .iter()
            .zip(keys)
            .all(|(segment, key)| matches!(segment, Segment::Key(found) if found == key))
}

fn is_duration(path: &FieldPath) -> bool {
    ["interval", "retryInterval", "timeout"].iter().any(|key| ends_with(path, &[key]))
}

/// The length of a duration as Flux writes it, such as `1h0m0s`; `None` for parts of seconds.
fn seconds(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
        let number: u64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?;
        let factor = match unit {
            'h' => 3600,
            'm' if !rest[end..].starts_with("ms") => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = &rest[end + 1..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kustomization(spec: Value) -> Object {
        Object::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization", Some("ns"), "c-k", json!({ "spec": spec }))
    }

    fn paths(wanted: Value, live: Value) -> Vec<String> {
        match difference(&kustomization(wanted), Some(&json!({ "spec": live, "status": {"x": 1} }))) {
            Fate::Create => panic!("it is there"),
            Fate::Keep => Vec::new(),
            Fate::Change(changes) => changes.iter().map(|change| change.path.to_string()).collect(),
        }
    }

    #[test]
    fn what_is_said_in_another_way_is_no_difference() {
        let wanted = json!({
            "interval": "10m", "timeout": "1h30m", "path": "./", "prune": true, "force": false,
            "sourceRef": {"kind": "GitRepository", "name": "c", "namespace": "ns"},
            "dependsOn": [{"name": "c-a"}], "patches": [{"patch": "[{\"op\":\"add\"}]"}],
        });
        let live = json!({
            "interval": "10m0s", "timeout": "1h30m0s", "prune": true, "targetNamespace": "else",
            "sourceRef": {"kind": "GitRepository", "name": "c"},
            "dependsOn": [{"name": "c-a", "namespace": "ns"}], "patches": [{"patch": "- op: add\n"}],
        });
        assert_eq!(paths(wanted, live), [""; 0]);
    }

    #[test]
    fn what_is_different_is_named() {
        let live = json!({"interval": "5m0s", "prune": true, "suspend": true, "dependsOn": []});
        let wanted =
            json!({"interval": "10m", "prune": false, "suspend": false, "wait": true, "dependsOn": [{"name": "a"}]});
        let differ = ["spec.interval", "spec.prune", "spec.suspend", "spec.wait", "spec.dependsOn"];
        assert_eq!(paths(wanted, live), differ);
        assert_eq!(difference(&kustomization(json!({})), None), Fate::Create);
        let [wanted, live] = [json!({"ref": {"branch": "main"}}), json!({"ref": {"branch": "main", "tag": "v1"}})];
        assert_eq!(paths(wanted, live), ["spec.ref.tag"]);
    }

    #[test]
    fn a_secret_shows_nothing() {
        let wanted = Object::new("v1", "Secret", Some("ns"), "s", json!({"data": {"ca.crt": "QQ=="}}));
        let Fate::Change(changes) = difference(&wanted, Some(&json!({"data": {"ca.crt": "aHVudGVyMg=="}}))) else {
            panic!("it is different");
        };
        assert!(!format!("{changes:?}").contains("aHVudGVyMg"), "{changes:?}");
    }
}
