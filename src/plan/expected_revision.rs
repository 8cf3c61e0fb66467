//! What the source of a configuration should have fetched, as somebody knows who knows the repository. ARM does not: it
//! shows what Flux has fetched last.

use std::fmt;
use std::str::FromStr;

use super::{Expectation, Plan, Step, Until};
use crate::graph::Graph;
use crate::kinds::flux_configuration::{Source, kustomization_order};
use crate::model::{Address, Glob};

/// A revision that must be the synced one: `[GLOB=]REVISION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedRevision {
    /// Of which configurations, by their addresses; of all where there is none.
    pub only: Option<Glob>,
    /// The revision: a commit or a digest, alone or as Flux writes it.
    pub revision: String,
}

/// What is not a revision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a whole commit (40 characters) or sha256 digest (64), as in `main@sha1:…`")]
pub struct UnknownRevision(String);

impl FromStr for ExpectedRevision {
    type Err = UnknownRevision;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (only, revision) = match text.split_once('=') {
            Some((glob, revision)) => (glob.parse().ok(), revision),
            None => (None, text),
        };
        let hash = revision.rsplit([':', '/']).next().unwrap_or_default();
        match matches!(hash.len(), 40 | 64) && hash.chars().all(|digit| digit.is_ascii_hexdigit()) {
            true => Ok(Self { only, revision: revision.to_owned() }),
            false => Err(UnknownRevision(revision.to_owned())),
        }
    }
}

impl fmt::Display for ExpectedRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.only {
            Some(only) => write!(f, "{only}={}", self.revision),
            None => f.write_str(&self.revision),
        }
    }
}

impl ExpectedRevision {
    fn is_of(&self, address: &Address) -> bool {
        self.only.as_ref().is_none_or(|only| only.matches(&address.to_string()))
    }
}

/// Lets an apply of `plan`, made from `graph`, wait until Flux has reconciled these revisions, also where it would have
/// waited for nothing. Nothing else changes, and neither does the digest: it says what is written. A commit that the spec
/// pins, what is suspended, and what is deferred or deleted stay as they are. The last fitting revision counts.
///
/// Gives those that fit no configuration of the plan.
#[must_use]
pub fn expect_revisions<'r>(
    plan: &mut Plan,
    graph: &Graph,
    revisions: &'r [ExpectedRevision],
) -> Vec<&'r ExpectedRevision> {
    let fits = |revision: &&ExpectedRevision| {
        plan.resource_changes.iter().any(|change| {
            let node = graph.node(&change.address);
            node.is_some_and(|node| node.want.configuration().is_some()) && revision.is_of(&change.address)
        })
    };
    let unused = revisions.iter().filter(|revision| !fits(revision)).collect();
    for change in &mut plan.resource_changes {
        let spec = graph.node(&change.address).and_then(|node| node.want.configuration());
        let expected = revisions.iter().rev().find(|revision| revision.is_of(&change.address));
        let (Some(spec), Some(expected)) = (spec, expected) else { continue };
        let is_deferred = plan.deferred_changes.iter().any(|deferred| deferred.address == change.address);
        let is_pinned = Source::of(spec).and_then(Source::commit).is_some();
        if spec.suspend || is_deferred || is_pinned {
            continue;
        }
        if change.steps.is_empty() {
            change.steps.push(Step::Wait {
                id: change.id.clone(),
                api_version: change.api_version.clone(),
                until: Until::Compliant(Expectation { kustomizations: kustomization_order(spec), commit: None }),
            });
        }
        for step in &mut change.steps {
            if let Step::Wait { until: Until::Compliant(expectation), .. } = step {
                expectation.commit = Some(expected.revision.clone());
            }
        }
    }
    unused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_whole() {
        let commit = "0123456789abcdef0123456789ABCDEF01234567";
        for text in [commit.to_owned(), format!("main@sha1:{commit}"), format!("feature/x/{commit}")] {
            assert_eq!(text.parse(), Ok(ExpectedRevision { only: None, revision: text.clone() }), "{text}");
        }
        let of_some: ExpectedRevision = format!("*/flux/apps=main@sha1:{commit}").parse().unwrap();
        assert_eq!(of_some.to_string(), format!("*/flux/apps=main@sha1:{commit}"));
        for text in ["", "main", "0123456", "main@sha1:0123456", &"g".repeat(40), "a=b"] {
            assert!(text.parse::<ExpectedRevision>().is_err(), "{text}");
        }
    }
}
