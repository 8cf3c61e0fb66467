//! Which fields are meant: a [`FieldPath`] in which `*` stands for any one key.

use std::fmt;
use std::str::FromStr;

use super::{FieldPath, Segment, text_form};

/// A path with stars: `kustomizations.*.prune` names that field of every kustomization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPattern(FieldPath);

/// The key that stands for any.
const ANY: &str = "*";

impl FieldPattern {
    /// The steps of the pattern. The key `*` stands for any key.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        self.0.segments()
    }

    /// The same fields, in a body that lies at `place`.
    #[must_use]
    pub fn below(&self, place: &FieldPath) -> Self {
        let keys = place.segments().iter().chain(self.segments());
        Self(keys.fold(FieldPath::default(), |path, segment| match segment {
            Segment::Key(key) => path.key(key),
            Segment::Index(index) => path.index(*index),
        }))
    }

    /// Whether `path` is named by the pattern.
    #[must_use]
    pub fn names(&self, path: &FieldPath) -> bool {
        path.segments().len() == self.segments().len() && self.leads_towards(path)
    }

    /// Whether `path` lies on the way to something that the pattern names, or is named itself.
    #[must_use]
    pub fn leads_towards(&self, path: &FieldPath) -> bool {
        path.segments().len() <= self.segments().len()
            && path.segments().iter().zip(self.segments()).all(|(step, wanted)| match wanted {
                Segment::Key(any) if any == ANY => true,
                wanted => step == wanted,
            })
    }
}

impl FromStr for FieldPattern {
    type Err = FieldPatternError;

    /// Reads what [`FieldPath`]'s `Display` writes, with stars.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match FieldPath::parse(text, &[ANY]) {
            Some(path) if !path.segments().is_empty() => Ok(Self(path)),
            Some(_) | None => Err(FieldPatternError(text.to_owned())),
        }
    }
}

impl fmt::Display for FieldPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string().replace("[\"*\"]", ".*"))
    }
}

/// Why a text is not a pattern of fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a field; one looks like `kustomizations.app.prune`, and `*` stands for any name")]
pub struct FieldPatternError(String);

text_form!(FieldPattern, schema { "type": "string", "minLength": 1 });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_key() {
        let pattern: FieldPattern = "kustomizations.*.prune".parse().unwrap();
        assert_eq!(pattern.to_string(), "kustomizations.*.prune");
        assert!(pattern.names(&FieldPath::dotted("kustomizations.app.prune")));
        assert!(pattern.names(&FieldPath::of(["kustomizations", "a.b", "prune"])));
        assert!(!pattern.names(&FieldPath::dotted("kustomizations.app")));
        assert!(!pattern.names(&FieldPath::dotted("kustomizations.app.path")));
        assert!(!pattern.names(&FieldPath::dotted("kustomizations.app.prune.x")));
        assert!(pattern.leads_towards(&FieldPath::dotted("kustomizations.app")));
    }

    #[test]
    fn names_with_dots_are_quoted_and_nothing_is_no_pattern() {
        let pattern: FieldPattern = "kustomizations[\"a.b\"].path".parse().unwrap();
        assert!(pattern.names(&FieldPath::of(["kustomizations", "a.b", "path"])));
        for text in ["", "a..b", "a b", "*x", "a."] {
            assert!(text.parse::<FieldPattern>().is_err(), "{text}");
        }
    }
}
