//! Commits of git.

use std::fmt;
use std::str::FromStr;

use super::text_form;

/// The whole name of a commit: 40 hexadecimal digits, or 64 in repositories that hash with SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

/// Why a text is not the name of a commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the whole name of a commit; one has 40 or 64 hexadecimal digits")]
pub struct CommitIdError(String);

impl CommitId {
    /// Its first digits, as people name it.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

impl FromStr for CommitId {
    type Err = CommitIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.len() {
            40 | 64 if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(Self(text.to_ascii_lowercase())),
            _ => Err(CommitIdError(text.to_owned())),
        }
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(CommitId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_taken() {
        let name = "0123456789abcdefABCDEF0123456789abcdef01";
        let commit: CommitId = name.parse().unwrap();
        assert_eq!(commit.to_string(), name.to_lowercase());
        assert_eq!(commit.short(), "0123456789");
        for text in ["", "main", "0123456", &name[1..], &name.replace('0', "g")] {
            assert!(text.parse::<CommitId>().is_err(), "{text}");
        }
    }
}
