//! Patterns for addresses and ids.

use std::fmt;
use std::str::FromStr;

use super::text_form;

/// A pattern in which `*` stands for any run of characters, slashes too. Compared without regard to case, as ARM does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    pattern: String,
    /// The parts between the stars, in lower case.
    parts: Vec<String>,
}

impl FromStr for Glob {
    type Err = std::convert::Infallible;

    fn from_str(pattern: &str) -> Result<Self, Self::Err> {
        let parts = pattern.to_ascii_lowercase().split('*').map(str::to_owned).collect();
        Ok(Self { pattern: pattern.to_owned(), parts })
    }
}

impl Glob {
    /// Whether the whole of `text` fits the pattern.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|only| *only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            let Some(position) = rest.find(part.as_str()) else { return false };
            rest = &rest[position + part.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

text_form!(Glob, schema { "type": "string" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run() {
        let matches = |pattern: &str, text: &str| pattern.parse::<Glob>().unwrap().matches(text);
        assert!(matches("rg-edge/store-*/flux/*", "rg-edge/store-001/flux/flux-system"));
        assert!(matches("*", ""));
        assert!(matches("RG-Edge", "rg-edge"));
        assert!(!matches("rg-edge", "rg-edge/store-001"));
        assert!(!matches("a*a", "a"));
        assert!(!matches("/subscriptions/x/*", "/subscriptions/xy/z"));
    }
}
