//! The values behind the references of a plan: read once, before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::kinds::secret_values::{self, Finding};
use crate::kinds::{Encoding, Hole, shown_path};
use crate::model::{Secret, SecretRef};
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

/// The values for every hole of a plan.
#[derive(Debug)]
pub struct Secrets {
    values: BTreeMap<SecretRef, Secret>,
    warnings: Vec<String>,
}

impl Secrets {
    /// Reads every secret that the steps of `plan` send, and looks whether each fits the places that it goes to.
    ///
    /// # Errors
    ///
    /// Every [`SecretError`] there is.
    pub fn read(plan: &Plan, resolver: &dyn SecretResolver) -> Result<Self, Vec<SecretError>> {
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
            match secret_values::check(hole, value, plan.timestamp) {
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

    /// A text of the service without the values: services quote what they refuse.
    pub(super) fn masked(&self, text: &str) -> String {
        self.values
            .values()
            .flat_map(spellings)
            .fold(text.to_owned(), |text, spelling| text.replace(&*spelling, SENSITIVE))
    }
}

/// The ways in which a value may come back: raw, as sent, and as either stands in JSON or in a URL.
fn spellings(secret: &Secret) -> Vec<Zeroizing<String>> {
    let raw = secret.reveal().trim();
    if raw.len() < SHORTEST_MASKED {
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
}
