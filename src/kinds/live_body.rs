//! A body as ARM returned it, read member by member towards what a spec can say. `null` means "absent" everywhere, as in
//! `Habit`. What a spec has no way to say is an [`Unsayable`], with the field that holds it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{FieldPath, Seconds};

/// Why a spec cannot say what is live.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", crate::kinds::shown_path(path))]
pub struct Unsayable {
    /// The field, from the top of the body.
    pub path: FieldPath,
    /// Why, as the end of a sentence. Values are not quoted: anybody may have written them.
    pub why: String,
}

/// An object of a live body.
#[derive(Debug, Clone)]
pub(super) struct LiveBody<'a> {
    object: &'a Map<String, Value>,
    path: FieldPath,
}

impl<'a> LiveBody<'a> {
    /// The `properties` of a resource.
    pub(super) fn properties(body: &'a Value) -> Result<Self, Unsayable> {
        let path = FieldPath::dotted(super::ENVELOPE);
        match body.get(super::ENVELOPE).and_then(Value::as_object) {
            Some(object) => Ok(Self { object, path }),
            None => Err(Unsayable { path, why: "there is no such object".to_owned() }),
        }
    }

    fn found(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// A complaint about one member.
    pub(super) fn unsayable(&self, key: &str, why: impl Into<String>) -> Unsayable {
        Unsayable { path: self.path.key(key), why: why.into() }
    }

    /// Whether something stands there, whatever it is.
    pub(super) fn has(&self, key: &str) -> bool {
        self.found(key).is_some()
    }

    /// A text that may be absent.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, Unsayable> {
        self.found(key)
            .map(|value| value.as_str().map(str::to_owned).ok_or_else(|| self.unsayable(key, "it is not a text")))
            .transpose()
    }

    /// A text without which a spec cannot be written.
    pub(super) fn required_text(&self, key: &str) -> Result<String, Unsayable> {
        self.text(key)?.ok_or_else(|| self.unsayable(key, "it is not set, and a spec cannot leave it out"))
    }

    /// A boolean, or what its absence means.
    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, Unsayable> {
        self.found(key).map_or(Ok(default), |value| {
            value.as_bool().ok_or_else(|| self.unsayable(key, "it is neither true nor false"))
        })
    }

    /// A number of seconds that may be absent.
    pub(super) fn seconds(&self, key: &str) -> Result<Option<Seconds>, Unsayable> {
        self.found(key)
            .map(|value| {
                let range = || self.unsayable(key, "it is not a whole number of seconds from 1 to 35791394");
                // `600.0` is the same number in JSON.
                let number = value.as_f64().filter(|number| number.fract() == 0.0).ok_or_else(range)?;
                format!("{number:.0}").parse().ok().and_then(Seconds::new).ok_or_else(range)
            })
            .transpose()
    }

    /// A number of seconds, or the ten minutes that its absence means.
    pub(super) fn seconds_or_ten_minutes(&self, key: &str) -> Result<Seconds, Unsayable> {
        Ok(self.seconds(key)?.unwrap_or(Seconds::ten_minutes()))
    }

    /// One of the words of `all`, in any letter case.
    pub(super) fn word<T: Serialize + Copy>(&self, key: &str, all: &[T]) -> Result<Option<T>, Unsayable> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let is_meant = |word: &T| serde_json::to_value(word).is_ok_and(|word| is_word(&word, &text));
        match all.iter().find(|word| is_meant(word)) {
            Some(word) => Ok(Some(*word)),
            None => Err(self.unsayable(key, "this version of arcflux does not know its value")),
        }
    }

    /// The text behind a base64 one, without white space at its ends, which means nothing in such texts.
    pub(super) fn encoded_text(&self, key: &str) -> Result<Option<String>, Unsayable> {
        self.text(key)?
            .map(|text| {
                let decoded = STANDARD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                let decoded = decoded.ok_or_else(|| self.unsayable(key, "it is not the base64 of a text"))?;
                Ok(decoded.trim().to_owned())
            })
            .transpose()
    }

    /// A list of texts; empty when it is absent.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, Unsayable> {
        let wrong = || self.unsayable(key, "it is not a list of texts");
        match self.found(key) {
            None => Ok(Vec::new()),
            Some(value) => {
                let items = value.as_array().ok_or_else(wrong)?;
                items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
            }
        }
    }

    /// A map of texts; empty when it is absent. A name whose value is `null` is absent too.
    pub(super) fn text_map<M: FromIterator<(String, String)>>(&self, key: &str) -> Result<M, Unsayable> {
        self.object(key)?
            .map(|map| map.keys().map(|name| Ok((name.to_owned(), map.required_text(name)?))).collect())
            .unwrap_or_else(|| Ok(M::from_iter([])))
    }

    /// The names in an object that hold something.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.object.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.as_str())
    }

    /// An object that may be absent.
    pub(super) fn object(&self, key: &str) -> Result<Option<Self>, Unsayable> {
        let path = self.path.key(key);
        self.found(key)
            .map(|value| {
                let object = value.as_object().ok_or_else(|| self.unsayable(key, "it is not an object"))?;
                Ok(Self { object, path })
            })
            .transpose()
    }

    /// A list of objects; empty when it is absent.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Self>, Unsayable> {
        let path = self.path.key(key);
        let wrong = || self.unsayable(key, "it is not a list of objects");
        let Some(value) = self.found(key) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or_else(wrong)?;
        items
            .iter()
            .enumerate()
            .map(|(index, item)| Ok(Self { object: item.as_object().ok_or_else(wrong)?, path: path.index(index) }))
            .collect()
    }
}

fn is_word(word: &Value, text: &str) -> bool {
    word.as_str().is_some_and(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_absent_and_a_number_is_whole() {
        let body =
            json!({"properties": {"a": null, "n": 90.0, "half": 0.5, "zero": 0, "big": 35_791_395_u64, "t": "x"}});
        let live = LiveBody::properties(&body).unwrap();
        assert_eq!(live.text("a"), Ok(None));
        assert_eq!(live.seconds("n").unwrap().map(Seconds::get), Some(90));
        for key in ["half", "zero", "big", "t"] {
            let refused = live.seconds(key).unwrap_err().to_string();
            assert_eq!(refused, format!("{key}: it is not a whole number of seconds from 1 to 35791394"));
        }
        assert!(live.flag("t", true).is_err() && live.object("t").is_err() && live.texts("t").is_err());
    }

    #[test]
    fn a_map_of_texts_drops_names_without_a_value() {
        let body = json!({"properties": {"m": {"a": "1", "b": null}, "w": {"a": 1}}});
        let live = LiveBody::properties(&body).unwrap();
        assert_eq!(live.text_map("m"), Ok(BTreeMap::from([("a".to_owned(), "1".to_owned())])));
        assert_eq!(live.text_map::<BTreeMap<_, _>>("w").unwrap_err().path, FieldPath::dotted("properties.w.a"));
    }
}
