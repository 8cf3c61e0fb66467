//! Brings a live body and a wanted body into one comparable shape, by the [`Rules`] of their kind.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::FieldChange;
use crate::model::{FieldPath, FieldPattern, Habit, Rule, Rules, Scalar, Segment, iso8601_seconds};

/// A live and a wanted body in one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalised {
    /// What is live, without what the service owns, with its defaults spelled out.
    pub before: Value,
    /// What is wanted, in the same shape, with what is kept from the live body.
    pub after: Value,
    /// Live fields that no rule names: kept, and listed.
    pub unknown: Vec<FieldPath>,
    /// What differed and was to be ignored: after it, the wanted body has the live value. `after` of each is what was
    /// wanted.
    pub ignored: Vec<FieldChange>,
}

/// Shapes `live` and `wanted` so that a plain comparison tells what a write would change. Fields that `ignore` names are
/// left as they are live.
#[must_use]
pub fn normalise(rules: Rules, live: &Value, wanted: &Value, ignore: &[FieldPattern]) -> Normalised {
    let before = clean(rules, live);
    let mut after = clean(rules, wanted);
    let mut unknown = Vec::new();
    keep(rules, &FieldPath::default(), &before, &mut after, &mut unknown);
    reconcile(rules, &FieldPath::default(), &before, &mut after);
    let mut ignored = Vec::new();
    if !ignore.is_empty() {
        leave(rules, ignore, &FieldPath::default(), &before, &mut after, &mut ignored);
    }
    Normalised { before, after, unknown, ignored }
}

/// Takes the live value of every field that `ignore` names. Objects are not values: one that is named and only live is
/// kept whole, and where both bodies have it, its fields are compared as ever. What is wanted and not live at all, such as
/// a new entry of a map of objects, is made as it is wanted: there is nothing yet that could be left as it is found.
fn leave(
    rules: Rules,
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
        let path = path.key(key);
        if !ignore.iter().any(|pattern| pattern.leads_towards(&path)) {
            continue;
        }
        let is_named = ignore.iter().any(|pattern| pattern.names(&path));
        match (old.get(key), new.get_mut(key)) {
            (Some(live), Some(wanted)) if live.is_object() && wanted.is_object() => {
                leave(rules, ignore, &path, live, wanted, ignored);
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
                leave(rules, ignore, &path, live, &mut wanted, ignored);
                if wanted.as_object().is_some_and(|object| !object.is_empty()) {
                    new.insert(key.clone(), wanted);
                }
            }
            (None, Some(wanted)) if wanted.is_object() && !is_entry_of_objects(rules, &path) => {
                leave(rules, ignore, &path, &Value::Object(Map::new()), wanted, ignored);
                if wanted.as_object().is_some_and(Map::is_empty) {
                    new.shift_remove(key);
                }
            }
            (Some(_) | None, Some(_) | None) => {}
        }
    }
}

/// One body in the comparable shape: nulls, empty containers, what the service owns and secrets gone, defaults spelled
/// out.
#[must_use]
pub fn clean(rules: Rules, body: &Value) -> Value {
    let mut cleaned = without_noise(rules, &FieldPath::default(), body).unwrap_or(Value::Object(Map::new()));
    for rule in rules {
        if let Some(default) = default_of(rule.habit) {
            let steps: Vec<&str> = rule.segments().collect();
            fill(&mut cleaned, &steps, default);
        }
    }
    without_empty(&cleaned).unwrap_or(Value::Object(Map::new()))
}

/// The rule that names `path`.
#[must_use]
pub fn rule_of(rules: Rules, path: &FieldPath) -> Option<&'static Rule> {
    rules.iter().find(|rule| rule.names(path))
}

/// The habit of the rule that names `path`.
fn habit(rules: Rules, path: &FieldPath) -> Option<Habit> {
    rule_of(rules, path).map(|rule| rule.habit)
}

/// Whether a rule names something below `path`.
#[must_use]
pub fn leads_to_a_rule(rules: Rules, path: &FieldPath) -> bool {
    let depth = path.segments().len();
    rules.iter().any(|rule| {
        let pattern: Vec<&str> = rule.segments().collect();
        pattern.len() > depth
            && path.segments().iter().zip(&pattern).all(|(step, wanted)| match step {
                Segment::Key(key) => *wanted == "*" || wanted == key,
                Segment::Index(_) => *wanted == "*",
            })
    })
}

/// Whether `path` is an entry of a map whose names are free and whose entries are objects.
fn is_entry_of_objects(rules: Rules, path: &FieldPath) -> bool {
    let depth = path.segments().len();
    rules.iter().any(|rule| {
        let pattern: Vec<&str> = rule.segments().collect();
        pattern.len() > depth
            && depth.checked_sub(1).and_then(|last| pattern.get(last)) == Some(&"*")
            && path.segments().iter().zip(&pattern).all(|(step, wanted)| match step {
                Segment::Key(key) => *wanted == "*" || wanted == key,
                Segment::Index(_) => *wanted == "*",
            })
    })
}

/// What the absence of a field with this habit means.
#[must_use]
pub fn default_of(habit: Habit) -> Option<Scalar> {
    match habit {
        Habit::Default(value) => Some(value),
        Habit::Word(word) | Habit::ImmutableWord(word) | Habit::Immutable(word) => word.map(Scalar::Text),
        Habit::Plain
        | Habit::ReadOnly
        | Habit::Secrets
        | Habit::Set
        | Habit::Base64Text
        | Habit::Duration
        | Habit::KeepFound
        | Habit::KeepFoundWord
        | Habit::KeepFoundImmutable => None,
    }
}

/// Drops nulls, what the service owns, and secrets. Empty objects stay: they may still get defaults.
fn without_noise(rules: Rules, path: &FieldPath, value: &Value) -> Option<Value> {
    if matches!(habit(rules, path), Some(Habit::ReadOnly | Habit::Secrets)) {
        return None;
    }
    match value {
        Value::Null => None,
        Value::Object(object) => Some(Value::Object(
            object
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), without_noise(rules, &path.key(key), value)?)))
                .collect(),
        )),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Some(value.clone()),
    }
}

/// Puts `default` where `steps` lead and nothing stands. The objects on the way must be there: a default says something
/// about an object that exists, not that it should exist.
fn fill(value: &mut Value, steps: &[&str], default: Scalar) {
    let Some(object) = value.as_object_mut() else { return };
    match steps {
        [] => {}
        [last] => {
            object.entry((*last).to_owned()).or_insert_with(|| default.to_json());
        }
        ["*", rest @ ..] => object.values_mut().for_each(|child| fill(child, rest, default)),
        [key, rest @ ..] => {
            if let Some(child) = object.get_mut(*key) {
                fill(child, rest, default);
            }
        }
    }
}

fn without_empty(value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let kept: Map<String, Value> =
                object.iter().filter_map(|(key, value)| Some((key.clone(), without_empty(value)?))).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(array) => (!array.is_empty()).then(|| value.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
    }
}

/// Copies into `after` what the live body has and a rule says to keep, or no rule knows.
fn keep(rules: Rules, path: &FieldPath, before: &Value, after: &mut Value, unknown: &mut Vec<FieldPath>) {
    let Value::Object(object) = before else { return };
    for (key, live) in object {
        let path = path.key(key);
        match habit(rules, &path) {
            Some(habit) if habit.keeps_found() => {
                if path.get(after).is_none() {
                    path.set(after, live.clone());
                }
            }
            Some(_) => {}
            None if live.is_object() && leads_to_a_rule(rules, &path) => {
                // Below an object that the wanted body drops, nothing is kept: it goes as a whole.
                if path.get(after).is_some() || keeps_below(rules, &path) {
                    keep(rules, &path, live, after, unknown);
                }
            }
            None => {
                unknown.push(path.clone());
                path.set(after, live.clone());
            }
        }
    }
}

/// Whether something below `path` is kept as found even when the wanted body does not have `path` itself.
fn keeps_below(rules: Rules, path: &FieldPath) -> bool {
    rules.iter().any(|rule| {
        rule.habit.keeps_found()
            && rule.segments().zip(path.segments()).all(|(wanted, step)| match step {
                Segment::Key(key) => wanted == key,
                Segment::Index(_) => false,
            })
    })
}

/// Gives `after` the live spelling of values that mean the same.
fn reconcile(rules: Rules, path: &FieldPath, before: &Value, after: &mut Value) {
    if let (Value::Object(old), Value::Object(new)) = (before, &mut *after) {
        for (key, live) in old {
            if let Some(wanted) = new.get_mut(key) {
                reconcile(rules, &path.key(key), live, wanted);
            }
        }
        return;
    }
    let same = match habit(rules, path) {
        Some(Habit::Word(_) | Habit::ImmutableWord(_) | Habit::KeepFoundWord) => same_word(before, after),
        Some(Habit::Set) => same_set(before, after),
        Some(Habit::Base64Text) => same_encoded_text(before, after),
        Some(Habit::Duration) => same_duration(before, after),
        Some(
            Habit::Plain
            | Habit::Default(_)
            | Habit::ReadOnly
            | Habit::Immutable(_)
            | Habit::Secrets
            | Habit::KeepFound
            | Habit::KeepFoundImmutable,
        )
        | None => same_integer(before, after),
    };
    if same {
        *after = before.clone();
    }
}

fn same_word(one: &Value, other: &Value) -> bool {
    matches!((one, other), (Value::String(one), Value::String(other)) if one.eq_ignore_ascii_case(other))
}

fn same_set(one: &Value, other: &Value) -> bool {
    let (Value::Array(one), Value::Array(other)) = (one, other) else { return false };
    one.len() == other.len() && one.iter().all(|item| other.contains(item)) && other.iter().all(|o| one.contains(o))
}

fn same_encoded_text(one: &Value, other: &Value) -> bool {
    let decoded = |value: &Value| STANDARD.decode(value.as_str()?).ok();
    match (decoded(one), decoded(other)) {
        (Some(one), Some(other)) => one.trim_ascii() == other.trim_ascii(),
        (Some(_) | None, _) => false,
    }
}

fn same_duration(one: &Value, other: &Value) -> bool {
    let length = |value: &Value| iso8601_seconds(value.as_str()?);
    length(one).is_some_and(|one| length(other) == Some(one))
}

/// `600` and `600.0` are one number in JSON.
fn same_integer(one: &Value, other: &Value) -> bool {
    one.is_number() && other.is_number() && one.as_f64() == other.as_f64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diff::compare;

    const RULES: Rules = &[
        Rule { path: "id", habit: Habit::ReadOnly },
        Rule { path: "word", habit: Habit::Word(Some("Generic")) },
        Rule { path: "things.*.wait", habit: Habit::Default(Scalar::Bool(true)) },
        Rule { path: "things.*.order", habit: Habit::Set },
        Rule { path: "settings.*", habit: Habit::KeepFound },
        Rule { path: "secrets", habit: Habit::Secrets },
        Rule { path: "note", habit: Habit::Plain },
        Rule { path: "file", habit: Habit::Base64Text },
        Rule { path: "patience", habit: Habit::Duration },
    ];

    fn changes(live: &Value, wanted: &Value) -> Vec<String> {
        let Normalised { before, after, .. } = normalise(RULES, live, wanted, &[]);
        compare(&before, &after).iter().map(|change| change.path.to_string()).collect()
    }

    #[test]
    fn the_habits_of_a_service_are_no_differences() {
        let live = json!({
            "id": "/x", "word": "generic", "note": null, "secrets": {"key": ""},
            "things": {"a": {"wait": true, "order": ["y", "x"], "other": null}},
        });
        assert_eq!(changes(&live, &json!({"things": {"a": {"order": ["x", "y"]}}})), [""; 0]);
    }

    #[test]
    fn an_encoded_text_with_its_last_line_end_is_the_same_text() {
        assert_eq!(changes(&json!({"file": "YWJjCg=="}), &json!({"file": "YWJj"})), [""; 0]);
        assert_eq!(changes(&json!({"file": "YWJkCg=="}), &json!({"file": "YWJj"})), ["file"]);
        assert_eq!(changes(&json!({"file": "%%%"}), &json!({"file": "YWJj"})), ["file"]);
    }

    #[test]
    fn durations_of_one_length_are_the_same() {
        assert_eq!(changes(&json!({"patience": "PT300S"}), &json!({"patience": "PT5M"})), [""; 0]);
        assert_eq!(changes(&json!({"patience": "PT301S"}), &json!({"patience": "PT5M"})), ["patience"]);
        assert_eq!(changes(&json!({"patience": "soon"}), &json!({"patience": "later"})), ["patience"]);
    }

    #[test]
    fn a_default_that_was_changed_by_hand_is_a_difference() {
        let live = json!({"things": {"a": {"wait": false, "order": ["x"]}}});
        assert_eq!(changes(&live, &json!({"things": {"a": {"order": ["x"]}}})), ["things.a.wait"]);
    }

    #[test]
    fn an_empty_object_still_has_its_defaults() {
        assert_eq!(changes(&json!({"things": {"a": {"wait": true}}}), &json!({"things": {"a": {}}})), [""; 0]);
    }

    #[test]
    fn what_is_found_is_kept_unless_it_is_named() {
        let live = json!({"settings": {"x": "1", "y": "2"}});
        assert_eq!(changes(&live, &json!({})), [""; 0]);
        assert_eq!(changes(&live, &json!({"settings": {"x": "3"}})), ["settings.x"]);
        let normalised = normalise(RULES, &live, &json!({"settings": {"x": "3"}}), &[]);
        assert_eq!(normalised.after["settings"], json!({"x": "3", "y": "2"}));
    }

    #[test]
    fn an_unknown_field_is_kept_and_listed() {
        let live = json!({"news": {"a": 1}, "things": {"a": {"order": ["x"], "odd": 1}}});
        let normalised = normalise(RULES, &live, &json!({"things": {"a": {"order": ["x"]}}}), &[]);
        assert_eq!(compare(&normalised.before, &normalised.after), []);
        let unknown: Vec<String> = normalised.unknown.iter().map(ToString::to_string).collect();
        assert_eq!(unknown, ["news", "things.a.odd"]);
    }

    #[test]
    fn nothing_is_kept_below_what_goes() {
        let live = json!({"things": {"a": {"odd": 1, "wait": true}, "b": {"wait": true}}});
        assert_eq!(changes(&live, &json!({"things": {"b": {}}})), ["things.a"]);
    }

    fn left(live: &Value, wanted: &Value, ignore: &[&str]) -> (Value, Vec<String>) {
        let ignore: Vec<FieldPattern> = ignore.iter().map(|text| text.parse().unwrap()).collect();
        let Normalised { after, ignored, .. } = normalise(RULES, live, wanted, &ignore);
        (after, ignored.iter().map(|change| change.path.to_string()).collect())
    }

    #[test]
    fn exactly_the_ignored_fields_are_left_as_they_are_live() {
        let live = json!({"note": "live", "things": {"a": {"wait": false, "order": ["x"]}}});
        let wanted = json!({"note": "new", "things": {"a": {"order": ["y"]}}});
        let (after, ignored) = left(&live, &wanted, &["things.*.wait"]);
        assert_eq!(ignored, ["things.a.wait"]);
        assert_eq!(after["things"]["a"]["wait"], false);
        assert_eq!(after["note"], "new");
        assert_eq!(after["things"]["a"]["order"], json!(["y"]));
        assert_eq!(left(&live, &wanted, &["things.b.wait"]).1, [""; 0]);
    }

    #[test]
    fn an_ignored_field_that_is_not_live_stays_away_and_a_new_entry_is_made_whole() {
        let live = json!({"things": {"a": {"order": ["x"]}}});
        let wanted = json!({"note": "n", "things": {"a": {"order": ["x"]}, "b": {"wait": false}}});
        let (after, ignored) = left(&live, &wanted, &["note", "things.*.wait"]);
        assert_eq!(ignored, ["note"]);
        assert_eq!(after.get("note"), None);
        assert_eq!(after["things"]["b"]["wait"], false);
    }

    #[test]
    fn an_ignored_entry_that_only_the_live_body_has_is_kept() {
        let live = json!({"things": {"a": {"order": ["x"]}, "hand": {"order": ["z"]}}, "settings": {"x": "1"}});
        let wanted = json!({"things": {"a": {"order": ["y"]}}});
        let (after, ignored) = left(&live, &wanted, &["things.*"]);
        assert_eq!(ignored, ["things.hand"]);
        assert_eq!(after["things"]["hand"]["order"], json!(["z"]));
        assert_eq!(after["things"]["a"]["order"], json!(["y"]));
    }

    #[test]
    fn single_entries_of_a_map_that_one_side_lacks_can_be_ignored() {
        let rules: Rules = &[Rule { path: "map.*", habit: Habit::Plain }];
        let ignore = ["map.x".parse().unwrap()];
        let both = json!({"map": {"x": "1", "y": "2"}});
        let Normalised { after, ignored, .. } = normalise(rules, &both, &json!({}), &ignore);
        assert_eq!((after, ignored.len()), (json!({"map": {"x": "1"}}), 1));
        let Normalised { after, ignored, .. } = normalise(rules, &json!({}), &both, &ignore);
        assert_eq!((after, ignored.len()), (json!({"map": {"y": "2"}}), 1));
    }
}
