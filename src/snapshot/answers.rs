//! What a snapshot answers to the reads of a plan.

use serde_json::Value;

use super::{Answer, Answered, Method, Snapshot};
use crate::kinds::flux_configuration;
use crate::model::{Listing, LiveState, Missing, Read, ReadMethod, Reading, ResourceId};

/// A read that a snapshot holds no answer to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It was not read.
    #[error("{} {id} is not in it", method.verb())]
    NotRead {
        /// How it would be read.
        method: Method,
        /// What would be read.
        id: ResourceId,
    },
    /// It was read with another api-version, which shows other fields.
    #[error("{} {id} is in it with the api-version {found}, and this spec is planned with {wanted}", method.verb())]
    OtherVersion {
        /// How it was read.
        method: Method,
        /// What was read.
        id: ResourceId,
        /// The api-version that was asked with.
        found: String,
        /// The one that a plan asks with.
        wanted: String,
    },
}

impl Snapshot {
    /// The live state that `reads` would have given when the snapshot was taken, with what was seen of `contexts`.
    ///
    /// # Errors
    ///
    /// Every read that it holds no answer to.
    pub fn live_state(&self, reads: &[Read], contexts: &[(&ResourceId, &str)]) -> Result<LiveState, Vec<Unanswered>> {
        let mut live = LiveState::empty(self.as_of);
        // Whether somebody looked at a cluster is not what a plan depends on.
        let looked = self.contexts.iter().filter(|one| contexts.contains(&(&one.id, one.context.as_str())));
        live.contexts = looked.map(|one| (one.id.clone(), one.reading.clone())).collect();
        let mut unanswered = Vec::new();
        for read in reads {
            match (self.answer(read), read.method) {
                (Ok(answer), ReadMethod::Get) => {
                    live.readings.insert(read.id.clone(), reading(&answer));
                }
                (Ok(answer), ReadMethod::List | ReadMethod::ListIfSupported) => {
                    live.listings.insert(read.id.clone(), listing(&answer));
                }
                (Err(error), _) => unanswered.push(error),
            }
        }
        if unanswered.is_empty() { Ok(live) } else { Err(unanswered) }
    }

    fn answer(&self, read: &Read) -> Result<Answer, Unanswered> {
        let method = Method::from(read.method);
        match self.find(&read.id, method) {
            Some(found) if found.api_version == read.api_version => Ok(found.answer.clone()),
            Some(found) => Err(Unanswered::OtherVersion {
                method,
                id: read.id.clone(),
                found: found.api_version.clone(),
                wanted: read.api_version.clone(),
            }),
            None => self.listed(read).ok_or_else(|| Unanswered::NotRead { method, id: read.id.clone() }),
        }
    }

    /// What the list of a cluster's configurations says about one that was not read by its name: a spec may name one
    /// more than the spec that the snapshot was taken for.
    fn listed(&self, read: &Read) -> Option<Answer> {
        let name = read.id.name();
        let collection = read.id.collection_of(flux_configuration::RESOURCE_TYPE)?;
        let list = self.find(&collection, Method::List).filter(|list| list.api_version == read.api_version)?;
        Some(match &list.answer {
            Answer::Items(items) => {
                let is_named = |item: &&Value| {
                    item.get("name").and_then(Value::as_str).is_some_and(|found| found.eq_ignore_ascii_case(name))
                };
                match items.iter().find(is_named).and_then(Value::as_object) {
                    Some(body) => Answer::Present(body.clone()),
                    None => Answer::Missing,
                }
            }
            Answer::Present(_) | Answer::Missing | Answer::ParentMissing(_) | Answer::Denied(_) => list.answer.clone(),
        })
    }

    fn find(&self, id: &ResourceId, method: Method) -> Option<&Answered> {
        self.reads.binary_search_by(|read| (&read.id, read.method).cmp(&(id, method))).ok().map(|at| &self.reads[at])
    }
}

fn reading(answer: &Answer) -> Reading {
    match answer {
        Answer::Present(body) => Reading::Present(Value::Object(body.clone())),
        // No snapshot is read whose answers do not fit its reads.
        Answer::Items(_) | Answer::Missing => Reading::Missing(Missing::Itself),
        Answer::ParentMissing(sentence) => Reading::Missing(Missing::Parent(sentence.clone())),
        Answer::Denied(sentence) => Reading::Denied(sentence.clone()),
    }
}

fn listing(answer: &Answer) -> Listing {
    match answer {
        Answer::Items(items) => Listing::Items(items.clone()),
        // As above.
        Answer::Present(_) | Answer::Missing => Listing::Missing(Missing::Itself),
        Answer::ParentMissing(sentence) => Listing::Missing(Missing::Parent(sentence.clone())),
        Answer::Denied(sentence) => Listing::Denied(sentence.clone()),
    }
}
