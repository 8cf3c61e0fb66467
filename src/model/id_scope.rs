//! Which resource ids may be read and written.

use std::fmt;
use std::str::FromStr;

use super::{Glob, ResourceId};

/// A pattern of resource ids. `*` stands for any characters within one segment, never for a slash; `**` is a segment and
/// stands for any number of them, none included: `/subscriptions/S/resourceGroups/rg-edge/**` is the group and what is in
/// it, and not the group `rg-edge-2`. Compared without regard to case, as ARM does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdScope {
    pattern: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// One segment that looks so.
    Like(Glob),
    /// Any number of segments.
    Any,
}

/// Why a text is no such pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdScopeError {
    /// No id would ever fit.
    #[error("`{0}` fits no resource id: one begins with `/subscriptions/`, and so does a pattern, or with `**/`")]
    NoId(String),
    /// Two slashes without anything between, or one at the end.
    #[error("`{0}` has an empty segment: for everything below, end it with `/**`")]
    EmptySegment(String),
    /// `rg-edge**`.
    #[error("in `{0}`, `**` is only a part of a segment: write `*` within one, and `/**` for everything below")]
    PartOfSegment(String),
}

impl FromStr for IdScope {
    type Err = IdScopeError;

    fn from_str(pattern: &str) -> Result<Self, Self::Err> {
        let pattern = pattern.trim();
        let path = match pattern.strip_prefix('/') {
            Some(path) => path,
            None if pattern == "**" || pattern.starts_with("**/") => pattern,
            None => return Err(IdScopeError::NoId(pattern.to_owned())),
        };
        let segment = |text: &str| match text {
            "" => Err(IdScopeError::EmptySegment(pattern.to_owned())),
            "**" => Ok(Segment::Any),
            text if text.contains("**") => Err(IdScopeError::PartOfSegment(pattern.to_owned())),
            text => {
                let Ok(glob) = text.parse();
                Ok(Segment::Like(glob))
            }
        };
        let mut segments = path.split('/').map(segment).collect::<Result<Vec<Segment>, _>>()?;
        // Two beside each other say what one says, and take longer to compare.
        segments.dedup_by(|next, before| (&*next, &*before) == (&Segment::Any, &Segment::Any));
        Ok(Self { pattern: pattern.to_owned(), segments })
    }
}

impl IdScope {
    /// Whether the id is one of those.
    #[must_use]
    pub fn admits(&self, id: &ResourceId) -> bool {
        let path = id.as_str();
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        fits(&self.segments, &segments)
    }
}

fn fits(pattern: &[Segment], id: &[&str]) -> bool {
    match pattern.split_first() {
        None => id.is_empty(),
        Some((Segment::Any, [])) => true,
        Some((Segment::Any, rest)) => (0..=id.len()).any(|skipped| fits(rest, &id[skipped..])),
        Some((Segment::Like(like), rest)) => {
            id.split_first().is_some_and(|(first, others)| like.matches(first) && fits(rest, others))
        }
    }
}

impl fmt::Display for IdScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-edge";

    fn admits(pattern: &str, id: &str) -> bool {
        pattern.parse::<IdScope>().unwrap().admits(&id.parse().unwrap())
    }

    #[test]
    fn a_star_ends_with_its_segment_and_two_do_not() {
        let cluster = format!("{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/store-001");
        let registration = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/providers/Microsoft.Kubernetes";
        let group = format!("{GROUP}/**");
        for (pattern, id, expected) in [
            (group.as_str(), GROUP, true),
            (&group, &cluster, true),
            (&group.to_uppercase(), &cluster, true),
            (&group, &format!("{GROUP}-payroll"), false),
            (&group, &cluster.replace("rg-edge", "rg-edge-payroll"), false),
            (&group, registration, false),
            (GROUP, &cluster, false),
            ("/subscriptions/*/providers/Microsoft.*", registration, true),
            ("/subscriptions/*/providers/Microsoft.*", &cluster, false),
            ("/subscriptions/*/resourceGroups/rg-*/**", &cluster, true),
            ("**/connectedClusters/store-*", &cluster, true),
            ("**/**/connectedClusters/**/**", &cluster, true),
            ("**/connectedClusters/edge-*", &cluster, false),
            ("**", &cluster, true),
        ] {
            assert_eq!(admits(pattern, id), expected, "{pattern} {id}");
        }
    }

    #[test]
    fn what_can_fit_nothing_or_was_meant_otherwise_is_no_pattern() {
        for (pattern, expected) in [
            ("", IdScopeError::NoId(String::new())),
            ("*/resourceGroups/rg", IdScopeError::NoId("*/resourceGroups/rg".to_owned())),
            ("/subscriptions/x/", IdScopeError::EmptySegment("/subscriptions/x/".to_owned())),
            ("/subscriptions/x/rg-edge**", IdScopeError::PartOfSegment("/subscriptions/x/rg-edge**".to_owned())),
        ] {
            assert_eq!(pattern.parse::<IdScope>(), Err(expected), "{pattern}");
        }
    }
}
