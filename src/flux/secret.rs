//! Secrets that must be in a cluster: rendered where nothing in them is secret, else told how to make.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::{Object, Place};
use crate::model::{SecretRef, is_hidden};

/// A Secret that an object refers to, and that is not rendered.
pub(super) struct Needed<'a> {
    namespace: &'a str,
    name: String,
    keys: Vec<Key>,
}

/// One key of a Secret.
struct Key {
    name: &'static str,
    /// The value, where everybody may know it.
    literal: Option<String>,
    what: String,
}

impl<'a> Needed<'a> {
    /// The secret that Azure keeps the protected settings of a configuration in (`../shared/facts/domain.md` §1.3).
    pub(super) fn of_protected_settings(place: &Place<'a>) -> Self {
        Self::new(place, "protected-parameters")
    }

    pub(super) fn new(place: &Place<'a>, what: &str) -> Self {
        let name = format!("{}-{what}", place.configuration);
        Self { namespace: place.namespace, name, keys: Vec::new() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A key whose value the spec refers to.
    pub(super) fn secret(mut self, name: &'static str, what: &str, from: Option<&SecretRef>) -> Self {
        let from = from.map(|from| format!("; what the spec names {from}")).unwrap_or_default();
        self.keys.push(Key { name, literal: None, what: format!("{what}{from}") });
        self
    }

    /// A key whose value is told in words.
    pub(super) fn told(mut self, name: &'static str, what: impl Into<String>) -> Self {
        self.keys.push(Key { name, literal: None, what: what.into() });
        self
    }

    /// A key whose value everybody may know.
    pub(super) fn literal(mut self, name: &'static str, value: &str) -> Self {
        match in_shell(value) {
            Some(quoted) => self.keys.push(Key { name, literal: Some(quoted), what: String::new() }),
            None => self.keys.push(Key { name, literal: None, what: "as the spec has it".to_owned() }),
        }
        self
    }

    /// How to make it, a line each.
    pub(super) fn remarks(&self) -> Vec<String> {
        let Self { namespace, name, keys } = self;
        let word = |text: &str, instead: &str| in_shell(text).unwrap_or_else(|| instead.to_owned());
        let mut lines = vec![
            format!("It needs the Secret {namespace}/{name}, which is not rendered. To make it in its namespace:"),
            format!(
                "  kubectl create secret generic {} --namespace {} \\",
                word(name, "NAME"),
                word(namespace, "NAMESPACE")
            ),
        ];
        let last = keys.len().saturating_sub(1);
        for (index, Key { name, literal, what: _ }) in keys.iter().enumerate() {
            let value = match literal {
                Some(value) => format!("--from-literal={name}={value}"),
                None => format!("--from-file={name}=FILE"),
            };
            lines.push(format!("    {value}{}", if index == last { "" } else { " \\" }));
        }
        let told = keys.iter().filter(|key| key.literal.is_none());
        lines.extend(told.map(|Key { name, literal: _, what }| format!("  {name}: {what}")));
        lines
    }
}

/// A Secret in which nothing is secret: a certificate authority, a public key, the id of an identity.
pub(super) fn public(place: &Place<'_>, what: &str, entries: &[(&str, &str)]) -> Object {
    let entries: Map<String, Value> =
        entries.iter().map(|(key, value)| ((*key).to_owned(), json!(encoded(value)))).collect();
    let name = format!("{}-{what}", place.configuration);
    let rest = json!({ "type": "Opaque", "data": entries });
    Object {
        remarks: vec!["Nothing in it is secret: it holds what the spec says.".to_owned()],
        ..Object::new("v1", "Secret", Some(place.namespace), &name, rest)
    }
}

fn encoded(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A text as one word of a shell; `None` for one with characters that nobody sees.
fn in_shell(text: &str) -> Option<String> {
    if text.chars().any(is_hidden) {
        return None;
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_word) {
        return Some(text.to_owned());
    }
    Some(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_spec_says_is_one_word_of_a_shell() {
        assert_eq!(in_shell("git").as_deref(), Some("git"));
        assert_eq!(in_shell("a b'; rm -rf $HOME").as_deref(), Some(r"'a b'\''; rm -rf $HOME'"));
        assert_eq!(in_shell("").as_deref(), Some("''"));
        assert_eq!(in_shell("a\nb"), None);
    }
}
