//! One body in the comparable shape: what says nothing gone, defaults spelled out, keys in the order of the rules.

use serde_json::{Map, Value};

use super::place::Place;
use super::same::same;
use crate::model::{Habit, Rules, Scalar};

/// One body in the comparable shape: nulls, what is empty, what the service owns and secrets gone, defaults spelled out,
/// keys in one order whatever order they came in. A field that no rule knows stays as it is.
#[must_use]
pub fn clean(rules: Rules, body: &Value) -> Value {
    cleaned(rules, &Place::top(rules), body)
}

/// [`clean`], with the rules as they were read.
pub(super) fn cleaned(rules: Rules, top: &Place, body: &Value) -> Value {
    let mut cleaned = without_noise(top, body).unwrap_or(Value::Object(Map::new()));
    for rule in rules {
        if let Some(default) = rule.habit.default() {
            let steps: Vec<&str> = rule.segments().collect();
            fill(&mut cleaned, &steps, default);
        }
    }
    ordered(top, &cleaned)
}

/// Drops what says nothing, what the service owns, and secrets. Empty entries of maps stay: they may still get defaults.
fn without_noise(place: &Place, value: &Value) -> Option<Value> {
    let habit = place.habit();
    if matches!(habit, Some(Habit::ReadOnly | Habit::Secrets)) {
        return None;
    }
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() && habit.is_some_and(Habit::empty_is_absent) => None,
        Value::Object(object) if habit.is_none() && place.leads_on() => {
            let members = object.iter().filter_map(|(key, member)| {
                let place = place.member(key);
                let member = without_noise(place, member)?;
                (!is_empty(&member) || place.is_entry()).then(|| (key.clone(), member))
            });
            Some(Value::Object(members.collect()))
        }
        Value::Array(items) if place.leads_on() => {
            // An item that says nothing is still an item.
            let items = items.iter().map(|item| without_noise(place.item(), item).unwrap_or(Value::Null));
            Some(Value::Array(items.collect()))
        }
        Value::Object(_) | Value::Array(_) if is_empty(value) => None,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.clone())
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Puts `default` where `steps` lead and nothing stands. What is on the way must be there: a default says something
/// about an object that exists, not that it should exist.
fn fill(value: &mut Value, steps: &[&str], default: Scalar) {
    match (value, steps) {
        (Value::Object(object), [last]) => {
            object.entry((*last).to_owned()).or_insert_with(|| default.to_json());
        }
        (Value::Object(object), ["*", rest @ ..]) => object.values_mut().for_each(|child| fill(child, rest, default)),
        (Value::Array(items), ["*", rest @ ..]) => items.iter_mut().for_each(|item| fill(item, rest, default)),
        (Value::Object(object), [key, rest @ ..]) => {
            if let Some(child) = object.get_mut(*key) {
                fill(child, rest, default);
            }
        }
        (
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
            _,
        ) => {}
    }
}

/// The same value with its keys in the order of the rules that are about them, then by name.
pub(super) fn ordered(place: &Place, value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut members: Vec<(usize, &String, Value)> = object
                .iter()
                .map(|(key, member)| {
                    let place = place.member(key);
                    (place.rank(), key, ordered(place, member))
                })
                .collect();
            members.sort_by_key(|(rank, key, _)| (*rank, *key));
            Value::Object(members.into_iter().map(|(_, key, member)| (key.clone(), member)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| ordered(place.item(), item)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Whether an object holds nothing but defaults, and what no rule knows: then it says no more than its absence. An entry
/// of a map says that it is there.
pub(super) fn says_nothing(place: &Place, value: &Value) -> bool {
    match value {
        _ if !place.is_known() => true,
        Value::Object(object) => {
            !place.is_entry() && object.iter().all(|(key, member)| says_nothing(place.member(key), member))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            let is_default = |habit: Habit| Some(same(habit, &habit.default()?.to_json(), value));
            place.habit().and_then(is_default).unwrap_or(false)
        }
    }
}
