//! What a plan is for, where one pull request has several.

use std::fmt;
use std::str::FromStr;

use super::{is_hidden, text_form};

/// The name of what a plan is for, such as `prod` or `specs/stores.yaml`: a pull request has one comment for each. At most
/// [`Target::LONGEST`] characters, none of them hidden, with no white space around them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(String);

/// Why a text cannot name a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a target is named by 1 to {} characters that can be seen, without spaces around them", Target::LONGEST)]
pub struct TargetError;

impl Target {
    /// How many characters a name has at most: it stands whole in the headline of a comment.
    pub const LONGEST: usize = 100;

    const DEFAULT: &str = "default";

    /// Whether it is the name that stands for a pull request with one plan.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl Default for Target {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_fit =
            (1..=Self::LONGEST).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(is_hidden);
        if is_fit { Ok(Self(text.to_owned())) } else { Err(TargetError) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(Target);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_can_be_seen() {
        for text in ["prod", "specs/stores.yaml", "Lager 東京", &"x".repeat(100)] {
            assert_eq!(text.parse::<Target>().map(|target| target.to_string()), Ok(text.to_owned()));
        }
        for text in ["", " prod", "prod ", "a\nb", "a\u{202e}b", &"x".repeat(101)] {
            assert_eq!(text.parse::<Target>(), Err(TargetError), "{text:?}");
        }
        assert!(Target::default().is_default() && "default".parse() == Ok(Target::default()));
    }
}
