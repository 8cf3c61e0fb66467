//! The values behind the references of a plan: read once, before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::kinds::secret_values::{self, Finding};
use crate::kinds::{Encoding, Hole, shown_path};
use crate::model::{Secret, SecretRef, without_url_secrets};
use crate::plan::{Plan, SENSITIVE, Step};

/// Reads the value behind a reference. Implemented where the environment and files are.
pub trait SecretResolver {
    /// The value of `secret`.
    ///
    /// # Errors
    ///
    /// [`SecretError`] when it is not set, not readable, or empty.
    fn resolve(&self, secret: &SecretRef) -> Result<Secret, SecretError>;
}

/// Why a secret has no value, or not a usable one. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{secret}: {reason}")]
pub struct SecretError {
    /// The reference.
    pub secret: SecretRef,
    /// Why.
    pub reason: String,
}

/// A shorter value is not looked for in texts: it would be found where it is not meant.
const SHORTEST_MASKED: usize = 4;

/// How much of the beginning of a value, in characters, is taken for the value: messages are cut off where they are too
/// long, by the service and by us, and a private key is longer than most.
const TELLING_BEGINNING: usize = 12;

/// The values for every hole of a plan.
#[derive(Debug)]
pub struct Secrets {
    values: BTreeMap<SecretRef, Secret>,
    warnings: Vec<String>,
}

impl Secrets {
    /// Reads every secret that the steps of `plan` send, and looks whether each fits the places that it goes to
    /// and has not expired `now`.
    ///
    /// # Errors
    ///
    /// Every [`SecretError`] there is.
    pub fn read(plan: &Plan, resolver: &dyn SecretResolver, now: Timestamp) -> Result<Self, Vec<SecretError>> {
        let holes: Vec<&Hole> =
            plan.resource_changes.iter().flat_map(|change| &change.steps).flat_map(Step::holes).collect();
        let wanted: BTreeSet<&SecretRef> = holes.iter().map(|hole| &hole.secret).collect();
        let mut values = BTreeMap::new();
        let mut errors = Vec::new();
        for secret in wanted {
            match resolver.resolve(secret) {
                Ok(value) => {
                    values.insert(secret.clone(), value);
                }
                Err(error) => errors.push(error),
            }
        }
        let mut warnings = BTreeSet::new();
        for hole in holes {
            let Some(value) = values.get(&hole.secret) else { continue };
            let at = |why: &str| format!("{}: {why}", shown_path(&hole.path));
            match secret_values::check(hole, value, Some(now)) {
                None => {}
                Some(Finding::Unfit(why)) => {
                    let error = SecretError { secret: hole.secret.clone(), reason: at(&why) };
                    if !errors.contains(&error) {
                        errors.push(error);
                    }
                }
                Some(Finding::Doubtful(why)) => {
                    warnings.insert(format!("{}: {}", hole.secret, at(&why)));
                }
            }
        }
        if errors.is_empty() { Ok(Self { values, warnings: warnings.into_iter().collect() }) } else { Err(errors) }
    }

    /// What a person should know about the secrets, although they can be sent.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The body with its holes filled, encoded as ARM wants it.
    pub(super) fn fill(&self, body: &Value, holes: &[Hole]) -> Value {
        let mut filled = body.clone();
        for hole in holes {
            if let Some(secret) = self.values.get(&hole.secret) {
                let encoded = match hole.encoding {
                    Encoding::Base64 => {
                        Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(secret.reveal()))
                    }
                    Encoding::Raw => Zeroizing::new(secret.reveal().to_owned()),
                };
                hole.path.set(&mut filled, Value::from(encoded.as_str()));
            }
        }
        filled
    }

    /// A text of the service without the values, and without accounts and signatures in URLs: services quote what they
    /// refuse, whole or cut off somewhere.
    pub(super) fn masked(&self, text: &str) -> String {
        let text = without_url_secrets(text);
        let spellings: Vec<Zeroizing<String>> = self.values.values().flat_map(spellings).collect();
        // The whole of every one before pieces of any: one spelling may begin as another does.
        let whole = spellings.iter().fold(text, |text, spelling| text.replace(&**spelling, SENSITIVE));
        spellings.iter().fold(whole, |text, spelling| without_pieces(&text, spelling))
    }
}

/// `text` without what begins as `value` does, as far as it goes on so.
fn without_pieces(text: &str, value: &str) -> String {
    let head = value.char_indices().nth(TELLING_BEGINNING).map_or(value, |(end, _)| &value[..end]);
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(head) {
        let (before, quoted) = rest.split_at(at);
        let same: usize = quoted
            .chars()
            .zip(value.chars())
            .take_while(|(one, other)| one == other)
            .map(|(character, _)| character.len_utf8())
            .sum();
        masked.push_str(before);
        masked.push_str(SENSITIVE);
        rest = &quoted[same..];
    }
    masked.push_str(rest);
    masked
}

/// The ways in which a value may come back: raw, as sent, and as either stands in JSON or in a URL.
fn spellings(secret: &Secret) -> Vec<Zeroizing<String>> {
    let raw = secret.reveal().trim();
    if raw.chars().count() < SHORTEST_MASKED {
        return Vec::new();
    }
    let encoded = base64::engine::general_purpose::STANDARD.encode(secret.reveal());
    let in_url = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let in_json = Value::from(raw).to_string();
    // The longest first: a part must not be replaced before the whole.
    [
        in_url(&encoded),
        in_url(raw),
        in_json.trim_matches('"').to_owned(),
        encoded.clone(),
        encoded.trim_end_matches('=').to_owned(),
        raw.to_owned(),
    ]
    .map(Zeroizing::new)
    .into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FieldPath;

    #[test]
    fn a_hole_is_filled_as_arm_wants_it() {
        let secret = SecretRef::Env("KEY".to_owned());
        let hole = |path: &str, encoding| Hole {
            path: FieldPath::dotted(path),
            secret: secret.clone(),
            destination: "https://git.contoso.com".to_owned(),
            encoding,
        };
        let values = BTreeMap::from([(secret.clone(), Secret::new("abc".to_owned()))]);
        let secrets = Secrets { values, warnings: Vec::new() };
        let holes = [hole("a.plain", Encoding::Raw), hole("a.encoded", Encoding::Base64)];
        assert_eq!(secrets.fill(&json!({"b": 1}), &holes), json!({"b": 1, "a": {"plain": "abc", "encoded": "YWJj"}}));
    }

    #[test]
    fn a_value_is_masked_also_where_it_is_cut_off() {
        let value = "ghp_é123456789012345678901234567890";
        for (text, masked) in [
            (format!("a {value} b {value}"), "a (sensitive value) b (sensitive value)"),
            (format!("a {}…", &value[..30]), "a (sensitive value)…"),
            (format!("'{}", &value[..13]), "'(sensitive value)"),
            ("ghp_é12".to_owned(), "ghp_é12"),
            (String::new(), ""),
        ] {
            assert_eq!(without_pieces(&text, value), masked, "{text}");
        }
        assert_eq!(
            without_pieces("a word in a wordy text", "word"),
            "a (sensitive value) in a (sensitive value)y text"
        );
    }
}
