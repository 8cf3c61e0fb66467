//! What tells one document from every other: a hash of its canonical form.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::text_form;

/// `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest; one is `sha256:` and 64 hexadecimal digits")]
pub struct DigestError(String);

impl Digest {
    /// The SHA-256 of a value's canonical JSON (RFC 8785): the order of keys does not count.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        // A `serde_json::Value` has string keys and finite numbers only, which is all that canonicalising can refuse.
        let canonical = serde_json_canonicalizer::to_vec(value).unwrap_or_default();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &canonical);
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{PREFIX}{hex}"))
    }

    /// The hexadecimal digits alone.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.0.strip_prefix(PREFIX).unwrap_or(&self.0)
    }
}

const PREFIX: &str = "sha256:";

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix(PREFIX) {
            Some(hex) if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Self(text.to_ascii_lowercase()))
            }
            _ => Err(DigestError(text.to_owned())),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(Digest, schema { "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" });

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_have_equal_digests_in_whatever_order_they_are_written() {
        let digest = Digest::of(&json!({"a": 1, "b": [true, null]}));
        assert_eq!(digest, Digest::of(&json!({"b": [true, null], "a": 1})));
        assert_ne!(digest, Digest::of(&json!({"a": 1, "b": [null, true]})));
        assert_eq!(digest.to_string().parse(), Ok(digest.clone()));
        assert_eq!(digest.hex().len(), 64);
    }

    #[test]
    fn what_is_no_digest_is_none() {
        for text in ["", "sha256:", "sha256:00", &format!("sha512:{}", "0".repeat(64)), &"0".repeat(64)] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
