//! What a provider makes of a body: unknown members dropped without a word, defaults filled in, absent ones made null,
//! enumerations put in the provider's own casing, secrets taken out. Also which members an api-version shows.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::answer::{self, Answer};
use super::versions;

/// One member of an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// First api-version that has it; empty for all.
    pub(crate) since: &'static str,
}

/// What a member holds, and what it reads as when it was not sent.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A string, or null.
    Text,
    /// A string, or this.
    TextOr(&'static str),
    /// One of these in this casing, or the given default.
    Choice(&'static [&'static str], Option<&'static str>),
    /// A whole number, or the default, or null.
    Count(Option<u64>),
    /// A boolean, or this.
    Flag(bool),
    /// An object of these members, or null.
    Object(&'static [Field]),
    /// A map from names to objects of these members, each of which also shows its name.
    Named(&'static [Field]),
    /// A list of strings, or null.
    Texts,
    /// A map from strings to strings; empty when not sent.
    Settings,
    /// As [`Shape::Settings`], or null when not sent.
    SettingsOrNull,
    /// A list of objects of these members, or null.
    List(&'static [Field]),
    /// A map whose values are secret: the keys are noted, the map reads as empty.
    ProtectedSettings,
    /// A string that is secret: that it is set is noted, it reads as null.
    Secret,
}

/// A member that every api-version has.
pub(crate) const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, since: "" }
}

/// A member that came with an api-version.
pub(crate) const fn since(since: &'static str, name: &'static str, shape: Shape) -> Field {
    Field { name, shape, since }
}

/// Reads `sent` as an object of `fields`. What is secret in it is noted in `secrets` by its path.
///
/// # Errors
///
/// The 400 for a member of the wrong type.
pub(crate) fn read(
    fields: &'static [Field],
    sent: &Map<String, Value>,
    secrets: &mut BTreeSet<String>,
) -> Result<Map<String, Value>, Answer> {
    Reader { secrets }.object(fields, sent, "properties")
}

/// Leaves of `object` only what `version` has.
pub(crate) fn visible(fields: &'static [Field], object: &Map<String, Value>, version: &str) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in object {
        let value = match fields.iter().find(|field| field.name == name) {
            Some(field) if !field.since.is_empty() && !versions::at_least(version, field.since) => continue,
            Some(field) => visible_value(&field.shape, value, version),
            None => value.clone(),
        };
        shown.insert(name.clone(), value);
    }
    shown
}

fn visible_value(shape: &Shape, value: &Value, version: &str) -> Value {
    match (shape, value) {
        (Shape::Object(fields), Value::Object(object)) => Value::Object(visible(fields, object, version)),
        (Shape::Named(fields), Value::Object(entries)) => entries
            .iter()
            .map(|(name, entry)| {
                let entry = match entry {
                    Value::Object(object) => Value::Object(visible(fields, object, version)),
                    other => other.clone(),
                };
                (name.clone(), entry)
            })
            .collect(),
        (
            Shape::Object(_)
            | Shape::Named(_)
            | Shape::Text
            | Shape::TextOr(_)
            | Shape::Choice(..)
            | Shape::Count(_)
            | Shape::Flag(_)
            | Shape::Texts
            | Shape::Settings
            | Shape::SettingsOrNull
            | Shape::List(_)
            | Shape::ProtectedSettings
            | Shape::Secret,
            other,
        ) => other.clone(),
    }
}

/// Whether a member named `name`, at any depth, is a secret.
pub(crate) fn has_secret(fields: &[Field], name: &str) -> bool {
    fields.iter().any(|field| match &field.shape {
        Shape::Secret | Shape::ProtectedSettings => field.name.eq_ignore_ascii_case(name),
        Shape::Object(members) | Shape::Named(members) | Shape::List(members) => has_secret(members, name),
        Shape::Text
        | Shape::TextOr(_)
        | Shape::Choice(..)
        | Shape::Count(_)
        | Shape::Flag(_)
        | Shape::Texts
        | Shape::Settings
        | Shape::SettingsOrNull => false,
    })
}

struct Reader<'a> {
    secrets: &'a mut BTreeSet<String>,
}

impl Reader<'_> {
    fn object(
        &mut self,
        fields: &'static [Field],
        sent: &Map<String, Value>,
        path: &str,
    ) -> Result<Map<String, Value>, Answer> {
        let mut read = Map::new();
        for field in fields {
            let at = format!("{path}.{}", field.name);
            let value = sent.get(field.name).filter(|value| !value.is_null());
            read.insert(field.name.to_owned(), self.value(&field.shape, value, &at)?);
        }
        Ok(read)
    }

    fn value(&mut self, shape: &Shape, sent: Option<&Value>, path: &str) -> Result<Value, Answer> {
        match shape {
            Shape::Text => optional(sent, Value::Null, Value::is_string, path, "a string"),
            Shape::TextOr(default) => optional(sent, Value::from(*default), Value::is_string, path, "a string"),
            Shape::Choice(allowed, default) => choice(sent, allowed, *default, path),
            Shape::Count(default) => {
                let default = default.map_or(Value::Null, Value::from);
                optional(sent, default, Value::is_u64, path, "a whole number")
            }
            Shape::Flag(default) => optional(sent, Value::from(*default), Value::is_boolean, path, "a boolean"),
            Shape::Texts => {
                let strings = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
                optional(sent, Value::Null, strings, path, "a list of strings")
            }
            Shape::Settings => settings(sent, Value::Object(Map::new()), path),
            Shape::SettingsOrNull => settings(sent, Value::Null, path),
            Shape::Object(fields) => match sent {
                None => Ok(Value::Null),
                Some(Value::Object(object)) => Ok(Value::Object(self.object(fields, object, path)?)),
                Some(_) => Err(wrong_type(path, "an object")),
            },
            Shape::Named(fields) => self.named(fields, sent, path),
            Shape::List(fields) => match sent {
                None => Ok(Value::Null),
                Some(Value::Array(items)) => {
                    let items = items.iter().map(|item| match item {
                        Value::Object(object) => Ok(Value::Object(self.object(fields, object, path)?)),
                        _ => Err(wrong_type(path, "a list of objects")),
                    });
                    Ok(Value::Array(items.collect::<Result<_, _>>()?))
                }
                Some(_) => Err(wrong_type(path, "a list")),
            },
            Shape::ProtectedSettings => {
                if let Value::Object(entries) = settings(sent, Value::Object(Map::new()), path)? {
                    self.secrets.extend(entries.into_iter().map(|(key, _)| key));
                }
                Ok(Value::Object(Map::new()))
            }
            Shape::Secret => {
                if !optional(sent, Value::Null, Value::is_string, path, "a string")?.is_null() {
                    self.secrets.insert(path.to_owned());
                }
                Ok(Value::Null)
            }
        }
    }

    fn named(&mut self, fields: &'static [Field], sent: Option<&Value>, path: &str) -> Result<Value, Answer> {
        let entries = match sent {
            None => return Ok(Value::Object(Map::new())),
            Some(Value::Object(entries)) => entries,
            Some(_) => return Err(wrong_type(path, "a map of objects")),
        };
        let mut read = Map::new();
        for (name, entry) in entries {
            let at = format!("{path}.{name}");
            let nothing = Map::new();
            let entry = match entry {
                Value::Null => &nothing,
                Value::Object(object) => object,
                _ => return Err(wrong_type(&at, "an object")),
            };
            let mut object = Map::new();
            object.insert("name".to_owned(), Value::from(name.as_str()));
            object.extend(self.object(fields, entry, &at)?);
            read.insert(name.clone(), Value::Object(object));
        }
        Ok(Value::Object(read))
    }
}

fn optional(
    sent: Option<&Value>,
    default: Value,
    fits: impl Fn(&Value) -> bool,
    path: &str,
    expected: &str,
) -> Result<Value, Answer> {
    match sent {
        None => Ok(default),
        Some(value) if fits(value) => Ok(value.clone()),
        Some(_) => Err(wrong_type(path, expected)),
    }
}

fn choice(sent: Option<&Value>, allowed: &[&str], default: Option<&str>, path: &str) -> Result<Value, Answer> {
    let Some(value) = sent else {
        return Ok(default.map_or(Value::Null, Value::from));
    };
    let expected = || wrong_type(path, &format!("one of {}", allowed.join(", ")));
    let text = value.as_str().ok_or_else(expected)?;
    allowed.iter().find(|known| known.eq_ignore_ascii_case(text)).map(|known| Value::from(*known)).ok_or_else(expected)
}

fn settings(sent: Option<&Value>, default: Value, path: &str) -> Result<Value, Answer> {
    let Some(value) = sent else {
        return Ok(default);
    };
    let entries = value.as_object().ok_or_else(|| wrong_type(path, "a map of strings"))?;
    // A null value in a merge patch is a removal, so none is left by the time a body is read.
    if entries.values().all(|entry| entry.is_string() || entry.is_null()) {
        let kept = entries.iter().filter(|(_, entry)| !entry.is_null());
        Ok(Value::Object(kept.map(|(key, entry)| (key.clone(), entry.clone())).collect()))
    } else {
        Err(wrong_type(path, "a map of strings"))
    }
}

fn wrong_type(path: &str, expected: &str) -> Answer {
    answer::bad_content(&format!("{path} must be {expected}"))
}
