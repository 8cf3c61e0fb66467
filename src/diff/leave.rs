//! What a spec says to leave as it is live.

use serde_json::{Map, Value};

use super::FieldChange;
use super::place::Place;
use crate::model::{FieldPath, FieldPattern};

/// Takes the live value of every field that `ignore` names, and tells what differed. Objects are not values: one that is
/// named and only live is kept whole, and where both bodies have it, its fields are compared as ever. What is wanted and
/// not live at all, such as a new entry of a map of objects, is made as it is wanted: there is nothing yet that could be
/// left as it is found. `path` leads to the place from the top of the body.
pub(super) fn leave(
    place: &Place,
    ignore: &[FieldPattern],
    path: &FieldPath,
    before: &Value,
    after: &mut Value,
    ignored: &mut Vec<FieldChange>,
) {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object_mut()) else { return };
    let mut keys: Vec<&String> = old.keys().collect();
    let only_wanted: Vec<String> = new.keys().filter(|key| !old.contains_key(*key)).cloned().collect();
    keys.extend(&only_wanted);
    for key in keys {
        let (place, path) = (place.member(key), path.key(key));
        if !ignore.iter().any(|pattern| pattern.leads_towards(&path)) {
            continue;
        }
        let is_named = ignore.iter().any(|pattern| pattern.names(&path));
        match (old.get(key), new.get_mut(key)) {
            (Some(live), Some(wanted)) if live.is_object() && wanted.is_object() => {
                leave(place, ignore, &path, live, wanted, ignored);
            }
            (Some(live), wanted) if is_named && wanted.as_deref() != Some(live) => {
                let after = wanted.map(|wanted| wanted.clone());
                ignored.push(FieldChange { path, before: Some(live.clone()), after });
                new.insert(key.clone(), live.clone());
            }
            (None, Some(wanted)) if is_named && !wanted.is_object() => {
                let after = new.shift_remove(key);
                ignored.push(FieldChange { path, before: None, after });
            }
            // A map that one side lacks: single entries of it may be ignored.
            (Some(live), None) if live.is_object() => {
                let mut wanted = Value::Object(Map::new());
                leave(place, ignore, &path, live, &mut wanted, ignored);
                if wanted.as_object().is_some_and(|object| !object.is_empty()) {
                    new.insert(key.clone(), wanted);
                }
            }
            (None, Some(wanted)) if wanted.is_object() && !(place.is_entry() && place.leads_on()) => {
                leave(place, ignore, &path, &Value::Object(Map::new()), wanted, ignored);
                if wanted.as_object().is_some_and(Map::is_empty) {
                    new.shift_remove(key);
                }
            }
            (Some(_) | None, Some(_) | None) => {}
        }
    }
}
