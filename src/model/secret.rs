//! Secrets: where one is to be read from (a reference, safe to show) and its value (which cannot be shown).

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Where a secret's value is read at apply time. The spec and the plan hold only this.
///
/// Exactly one of the two keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum SecretRef {
    /// The name of an environment variable of the process that applies. It must be allowed with
    /// `--allow-secret env:NAME@DESTINATION`.
    Env(String),
    /// A file below `--secrets-dir`. It must be allowed with `--allow-secret file:PATH@DESTINATION`.
    File(String),
}

impl schemars::JsonSchema for SecretRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretRef".into()
    }

    /// One mapping instead of a choice of two: editors complete its keys, and a mistake in it has one explanation.
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "Where a secret is read when it is applied: exactly one of the two keys.",
            "properties": {
                "env": {
                    "type": "string",
                    "description": "The name of an environment variable of the process that applies. It must be allowed \
                                    with --allow-secret env:NAME@DESTINATION.",
                    "examples": ["GIT_TOKEN"]
                },
                "file": {
                    "type": "string",
                    "description": "A file below --secrets-dir. It must be allowed with --allow-secret \
                                    file:PATH@DESTINATION.",
                    "examples": ["git/token"]
                }
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            "examples": [{"env": "GIT_TOKEN"}, {"file": "git/token"}]
        })
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

/// A secret's value. It has no `Display`, no `Serialize` and no telling `Debug`; memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret {
    value: Zeroizing<String>,
    is_placeholder: bool,
}

impl Secret {
    /// Takes `value` in.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self { value: Zeroizing::new(value), is_placeholder: false }
    }

    /// A text that stands for a secret that is not read: for the simulator, which has no use for real ones.
    #[must_use]
    pub fn placeholder(text: String) -> Self {
        Self { value: Zeroizing::new(text), is_placeholder: true }
    }

    /// Whether this only stands for a secret.
    #[must_use]
    pub const fn is_placeholder(&self) -> bool {
        self.is_placeholder
    }

    /// The value, for the one place that writes it into a request body.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is in the names of values that are secrets although nothing marks them so.
const TELLING: &[&str] =
    &["key", "token", "password", "passphrase", "passwd", "pwd", "secret", "credential", "connectionstring"];

/// Whether a name that somebody chose tells that its value is a secret.
#[must_use]
pub fn tells_of_a_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    // `DB_PASS`, but not `passthrough`.
    TELLING.iter().any(|word| name.contains(word)) || name.ends_with("pass")
}
