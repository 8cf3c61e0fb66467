//! The place of a value inside a JSON body, as people write it: `kustomizations.app.path`.

use std::fmt;
use std::str::FromStr;

use super::text_form;
use serde_json::Value;

/// One step into a JSON value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of an object.
    Key(String),
    /// An element of an array, from 0.
    Index(usize),
}

impl Segment {
    /// The key; an element of an array has none, and gives an empty text.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Key(key) => key,
            Self::Index(_) => "",
        }
    }
}

/// A path from the top of a JSON value to one of its parts. The empty path is the whole value.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Segment>);

impl FieldPath {
    /// The path through these keys.
    #[must_use]
    pub fn of<I: IntoIterator<Item = K>, K: Into<String>>(keys: I) -> Self {
        Self(keys.into_iter().map(|key| Segment::Key(key.into())).collect())
    }

    /// The path of `dotted` keys: `properties.gitRepository.url`.
    #[must_use]
    pub fn dotted(dotted: &str) -> Self {
        if dotted.is_empty() { Self::default() } else { Self::of(dotted.split('.')) }
    }

    /// This path, one key deeper.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.child(Segment::Key(key.into()))
    }

    /// This path, one element deeper.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.child(Segment::Index(index))
    }

    fn child(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// This path, and `below` from there.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }

    /// The steps from the top.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The first `length` steps of this path; all where there are fewer.
    #[must_use]
    pub fn first(&self, length: usize) -> Self {
        Self(self.0.iter().take(length).cloned().collect())
    }

    /// Whether `self` is `prefix` or lies below it.
    #[must_use]
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// This path without its first `prefix` steps, when it has them.
    #[must_use]
    pub fn without_prefix(&self, prefix: &Self) -> Self {
        self.0.strip_prefix(prefix.0.as_slice()).map_or_else(|| self.clone(), |rest| Self(rest.to_vec()))
    }

    /// This path as far as the first list on it: what has to be written to change something in that list.
    #[must_use]
    pub fn up_to_list(&self) -> Self {
        Self(self.0.iter().take_while(|segment| matches!(segment, Segment::Key(_))).cloned().collect())
    }

    /// The value at this path in `body`.
    #[must_use]
    pub fn get<'a>(&self, body: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(body, |value, segment| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(index),
        })
    }

    /// Puts `value` at this path in `body`, making the objects on the way. Arrays are not grown: an index that is not
    /// there leaves `body` as it is.
    pub fn set(&self, body: &mut Value, value: Value) {
        let mut place = body;
        for segment in &self.0 {
            place = match segment {
                Segment::Key(key) => {
                    if !place.is_object() {
                        *place = Value::Object(serde_json::Map::new());
                    }
                    let Some(object) = place.as_object_mut() else { return };
                    object.entry(key.clone()).or_insert(Value::Null)
                }
                Segment::Index(index) => match place.get_mut(index) {
                    Some(element) => element,
                    None => return,
                },
            };
        }
        *place = value;
    }

    /// Takes the value at this path out of `body`.
    pub fn remove(&self, body: &mut Value) -> Option<Value> {
        let (last, parents) = self.0.split_last()?;
        let parent = parents.iter().try_fold(body, |value, segment| match segment {
            Segment::Key(key) => value.get_mut(key),
            Segment::Index(index) => value.get_mut(index),
        })?;
        match last {
            Segment::Key(key) => parent.as_object_mut()?.shift_remove(key),
            Segment::Index(_) => None,
        }
    }

    /// Reads a path in which, beside plain keys, those in `also_plain` need no quotes.
    pub(super) fn parse(text: &str, also_plain: &[&str]) -> Option<Self> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(bracket) = rest.strip_prefix('[') {
                let mut values = serde_json::Deserializer::from_str(bracket).into_iter::<Value>();
                let segment = match values.next() {
                    Some(Ok(Value::String(key))) => Segment::Key(key),
                    Some(Ok(Value::Number(index))) => Segment::Index(index.as_u64()?.try_into().ok()?),
                    _ => return None,
                };
                segments.push(segment);
                rest = bracket[values.byte_offset()..].strip_prefix(']')?;
            } else {
                let plain = if segments.is_empty() { rest } else { rest.strip_prefix('.')? };
                let end = plain.find(['.', '[']).unwrap_or(plain.len());
                let (key, after) = plain.split_at(end);
                if !is_plain(key) && !also_plain.contains(&key) {
                    return None;
                }
                segments.push(Segment::Key(key.to_owned()));
                rest = after;
            }
        }
        Some(Self(segments))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_plain(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(key)?;
                }
                Segment::Key(key) => write!(f, "[{}]", Value::String(key.clone()))?,
            }
        }
        Ok(())
    }
}

/// Whether a key needs no quotes: then a path reads the same as in a jq or JMESPath expression.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    /// Reads what [`FieldPath`]'s `Display` writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, &[]).ok_or_else(|| FieldPathError(text.to_owned()))
    }
}

/// Why a text is not a field path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a field path; one looks like `kustomizations.app.path`")]
pub struct FieldPathError(String);

text_form!(FieldPath, schema { "type": "string" });

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_with_dots_are_quoted() {
        let path = FieldPath::dotted("properties.configurationSettings").key("multiTenancy.enforce");
        assert_eq!(path.to_string(), r#"properties.configurationSettings["multiTenancy.enforce"]"#);
    }

    #[test]
    fn what_is_written_reads_back() {
        for path in [
            FieldPath::default(),
            FieldPath::dotted("properties.kustomizations").key("a.b").key("path"),
            FieldPath::dotted("a").index(3).key("quote\"]").key("b"),
            FieldPath::default().key("").index(0),
        ] {
            assert_eq!(path.to_string().parse(), Ok(path));
        }
        for text in ["a..b", ".a", "a[", "a[x]", "a[-1]", "a b"] {
            assert!(text.parse::<FieldPath>().is_err(), "{text}");
        }
    }

    #[test]
    fn set_get_and_remove_meet_at_the_same_place() {
        let mut body = json!({});
        let path = FieldPath::dotted("a.b");
        path.set(&mut body, json!(1));
        assert_eq!(path.get(&body), Some(&json!(1)));
        assert_eq!(path.remove(&mut body), Some(json!(1)));
        assert_eq!(body, json!({"a": {}}));
    }
}
