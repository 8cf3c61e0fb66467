//! What ARM said, kept as it said it. Nothing is judged here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{ContextReading, ResourceId};

/// One read that a plan needs. All reads of a plan are known before the first is sent, so they go out together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// The resource, or the collection below a resource.
    pub id: ResourceId,
    /// Whether `id` names one resource or a collection.
    pub method: ReadMethod,
    /// The api-version to ask with.
    pub api_version: String,
}

/// How to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadMethod {
    /// GET of one resource.
    Get,
    /// GET of a collection, page by page to its end.
    List,
    /// As [`ReadMethod::List`], of a type that the service may have retired: then there are none.
    ListIfSupported,
}

/// What is missing behind a 404: the two are told apart because ARM answers `ResourceNotFound` to both
/// (`../shared/facts/az-cli-behaviour.md` §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The resource itself; everything above it exists.
    Itself,
    /// Something above it: the cluster, the resource group or the subscription. Holds ARM's sentence.
    Parent(String),
}

/// The answer to a GET.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// The body, as ARM sent it.
    Present(Value),
    /// 404.
    Missing(Missing),
    /// 403: the caller may not read it. Holds ARM's sentence.
    Denied(String),
}

/// The answer to a LIST, all pages together.
#[derive(Debug, Clone, PartialEq)]
pub enum Listing {
    /// The items, in ARM's order.
    Items(Vec<Value>),
    /// 404.
    Missing(Missing),
    /// 403: the caller may not list it. Holds ARM's sentence.
    Denied(String),
}

/// Everything that was read for one plan.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveState {
    /// When the reads were sent.
    pub as_of: Timestamp,
    /// Answers by resource.
    pub readings: BTreeMap<ResourceId, Reading>,
    /// Answers by collection.
    pub listings: BTreeMap<ResourceId, Listing>,
    /// What looking at the clusters themselves gave, by cluster; nothing of those that nobody looked at.
    pub contexts: BTreeMap<ResourceId, ContextReading>,
}

impl LiveState {
    /// A state in which nothing was read.
    #[must_use]
    pub fn empty(as_of: Timestamp) -> Self {
        Self { as_of, readings: BTreeMap::new(), listings: BTreeMap::new(), contexts: BTreeMap::new() }
    }

    /// The body of `id`, when it was read and is there.
    #[must_use]
    pub fn body(&self, id: &ResourceId) -> Option<&Value> {
        match self.readings.get(id) {
            Some(Reading::Present(body)) => Some(body),
            Some(Reading::Missing(_) | Reading::Denied(_)) | None => None,
        }
    }

    /// The items of a collection; empty when it was not read, is missing or may not be read.
    #[must_use]
    pub fn items(&self, collection: &ResourceId) -> &[Value] {
        match self.listings.get(collection) {
            Some(Listing::Items(items)) => items,
            Some(Listing::Missing(_) | Listing::Denied(_)) | None => &[],
        }
    }
}
