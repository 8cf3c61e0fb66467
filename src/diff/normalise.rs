//! Brings a live body and a wanted body into one comparable shape, by the [`Rules`] of their kind.

use serde_json::Value;

use super::FieldChange;
use super::clean::{cleaned, ordered, says_nothing};
use super::leave::leave;
use super::place::Place;
use super::same::same;
use crate::model::{FieldPath, FieldPattern, Habit, Rules};

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
    let top = Place::top(rules);
    let before = cleaned(rules, &top, live);
    let mut after = cleaned(rules, &top, wanted);
    let mut unknown = Vec::new();
    keep(&top, &FieldPath::default(), &before, &mut after, &mut unknown);
    reconcile(&top, &before, &mut after);
    let mut ignored = Vec::new();
    if !ignore.is_empty() {
        leave(&top, ignore, &FieldPath::default(), &before, &mut after, &mut ignored);
    }
    Normalised { after: ordered(&top, &after), before, unknown, ignored }
}

/// Copies into `after` what the live body has and a rule says to keep, or no rule knows. `path` leads to the place from
/// the top of the body.
fn keep(place: &Place, path: &FieldPath, before: &Value, after: &mut Value, unknown: &mut Vec<FieldPath>) {
    let Value::Object(object) = before else { return };
    for (key, live) in object {
        let (place, path) = (place.member(key), path.key(key));
        match place.habit() {
            Some(habit) if habit.keeps_found() => {
                if path.get(after).is_none() {
                    path.set(after, live.clone());
                }
            }
            Some(_) => keep_in_items(place, &path, live, after, unknown),
            // What should be an object and is none is a difference.
            None if place.leads_on() => {
                // Below an object that the wanted body drops, nothing is kept: it goes as a whole. But what says nothing
                // is not dropped.
                if path.get(after).is_none() && live.is_object() && says_nothing(place, live) {
                    path.set(after, live.clone());
                }
                if path.get(after).is_some() || place.keeps_below() {
                    keep(place, &path, live, after, unknown);
                }
            }
            None => {
                unknown.push(path.clone());
                path.set(after, live.clone());
            }
        }
    }
}

/// Copies what no rule knows of the items of a list, each into the wanted item that says the same otherwise. With an
/// item that is no longer wanted goes all of it.
fn keep_in_items(place: &Place, path: &FieldPath, before: &Value, after: &mut Value, unknown: &mut Vec<FieldPath>) {
    let Value::Array(items) = before else { return };
    let place = place.item();
    let mut free: Vec<usize> = (0..path.get(after).and_then(Value::as_array).map_or(0, Vec::len)).collect();
    for item in items {
        let known = known(place, item);
        if let Some(position) = free.iter().position(|index| path.index(*index).get(after) == Some(&known)) {
            keep(place, &path.index(free.remove(position)), item, after, unknown);
        }
    }
}

/// An item of a list without the members that no rule knows.
fn known(place: &Place, item: &Value) -> Value {
    let Value::Object(object) = item else { return item.clone() };
    let known = object.iter().filter(|(key, _)| place.member(key).is_known());
    known.map(|(key, member)| (key.clone(), member.clone())).collect()
}

/// Gives `after` the live spelling of values that mean the same.
fn reconcile(place: &Place, before: &Value, after: &mut Value) {
    if let (Value::Object(old), Value::Object(new)) = (before, &mut *after) {
        new.retain(|key, wanted| {
            old.contains_key(key) || !wanted.is_object() || !says_nothing(place.member(key), wanted)
        });
        for (key, live) in old {
            if let Some(wanted) = new.get_mut(key) {
                reconcile(place.member(key), live, wanted);
            }
        }
        return;
    }
    if same(place.habit().unwrap_or(Habit::Plain), before, after) {
        *after = before.clone();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diff::{clean, compare};
    use crate::model::{Rule, Scalar};

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
    fn a_number_is_the_same_however_it_is_written_and_only_then() {
        for (one, other) in [("600", "600.0"), ("-1", "-1.0"), ("18446744073709551615", "18446744073709551615")] {
            assert_eq!(changes(&read(one), &read(other)), [""; 0], "{one} {other}");
        }
        for (one, other) in [
            ("9007199254740993", "9007199254740992"),
            ("9007199254740993", "9007199254740992.0"),
            ("18446744073709551615", "18446744073709551614"),
            ("1", "1.5"),
            ("1", "\"1\""),
            ("1", "true"),
        ] {
            assert_eq!(changes(&read(one), &read(other)), ["note"], "{one} {other}");
        }
    }

    fn read(note: &str) -> Value {
        serde_json::from_str(&format!("{{\"note\": {note}}}")).unwrap()
    }

    #[test]
    fn what_should_be_an_object_and_is_none_is_a_difference() {
        for odd in [json!("odd"), json!(1), json!([1]), json!(false)] {
            let live = json!({"things": odd});
            assert_eq!(changes(&live, &json!({"things": {"a": {"wait": true}}})), ["things"]);
            assert_eq!(changes(&json!({"things": {"a": odd}}), &json!({"things": {"a": {}}})), ["things.a"]);
        }
    }

    #[test]
    fn the_order_of_keys_is_that_of_the_rules_and_then_of_the_names() {
        let live = json!({"z": 1, "a": {"d": 1, "c": 2}, "things": {"b": {}, "a": {"order": ["x"], "wait": true}}, "word": "W"});
        let shown = clean(RULES, &live).to_string();
        assert_eq!(
            shown,
            r#"{"word":"W","things":{"a":{"wait":true,"order":["x"]},"b":{"wait":true}},"a":{"c":2,"d":1},"z":1}"#
        );
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
        assert_eq!(unknown, ["things.a.odd", "news"]);
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
