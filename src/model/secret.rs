//! Secrets: where one is to be read from (a reference, safe to show) and its value (which cannot be shown).

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Where a secret's value is read at apply time. The spec and the plan hold only this.
///
/// Exactly one of the two keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum SecretRef {
    /// The name of an environment variable of the process that applies. It must be allowed with
    /// `--allow-secret env:NAME@DESTINATION`.
    Env(String),
    /// A file below `--secrets-dir`. It must be allowed with `--allow-secret file:PATH@DESTINATION`.
    File(String),
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
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `value` in.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value, for the one place that writes it into a request body.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
