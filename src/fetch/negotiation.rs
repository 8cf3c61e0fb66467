//! Which api-versions to talk to a cloud with that is not one of Azure's own: the newest that both sides know.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::CONCURRENCY;
use crate::arm::{ArmClient, ArmError};
use crate::graph::Graph;
use crate::kinds::Kind;
use crate::kinds::api_versions::ApiVersions;
use crate::kinds::offered_versions::{self, NoVersion};
use crate::model::{Reading, ResourceId};

/// The api-versions to talk with.
#[derive(Debug, Clone, PartialEq)]
pub struct Negotiated {
    /// For every kind that is read.
    pub versions: ApiVersions,
    /// The providers whose metadata may not be read, or which are not there: their types are asked for as everywhere else.
    pub unread: Vec<ResourceId>,
}

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum NegotiationError {
    /// The metadata could not be read.
    #[error("cannot read which api-versions are offered")]
    Arm(#[from] ArmError),
    /// There is nothing to talk with for these types.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    None(Vec<NoVersion>),
}

/// The metadata that is read to choose: of each provider in each subscription.
#[must_use]
pub fn provider_reads(graph: &Graph) -> Vec<ResourceId> {
    let subscriptions: BTreeSet<&str> =
        graph.nodes().iter().filter_map(|node| node.id.segment_after("subscriptions")).collect();
    let types: Vec<&str> = graph.kinds().into_iter().filter_map(offered_versions::resource_type).collect();
    let namespaces: BTreeSet<&str> = types.into_iter().filter_map(|full| Some(full.split_once('/')?.0)).collect();
    let of = |subscription: &str| {
        let subscription = ResourceId::subscription(subscription);
        namespaces.iter().map(|namespace| subscription.provider(namespace)).collect::<Vec<_>>()
    };
    subscriptions.into_iter().flat_map(of).collect()
}

/// Reads what the providers of the graph offer, and chooses. Where subscriptions are offered different versions, one is
/// chosen that all of them have.
///
/// # Errors
///
/// [`NegotiationError`].
pub async fn negotiate(graph: &Graph, arm: &ArmClient) -> Result<Negotiated, NegotiationError> {
    let reads = provider_reads(graph);
    let pins = graph.api_versions();
    let mut versions = pins.clone();
    let mut metadata: BTreeMap<ResourceId, Value> = BTreeMap::new();
    if let Some((first, rest)) = reads.split_first() {
        let (own, reading) = first_read(first, pins, arm).await?;
        let read = |id: &ResourceId| {
            let (id, own) = (id.clone(), own.clone());
            async move { arm.get(&id, &own).await.map(|reading| (id, reading)) }
        };
        let rest: Vec<_> = futures::stream::iter(rest).map(read).buffer_unordered(CONCURRENCY).try_collect().await?;
        for (id, reading) in std::iter::once((first.clone(), reading)).chain(rest) {
            if let Reading::Present(body) = reading {
                metadata.insert(id, body);
            }
        }
        for kind in [Kind::ProviderRegistration, Kind::ResourceGroup] {
            if pins.pin(kind).is_none() {
                versions = versions.with(kind, own.clone());
            }
        }
    }
    let mut none = Vec::new();
    for kind in graph.kinds() {
        let Some(offered) = offered_everywhere(kind, &metadata) else { continue };
        match offered_versions::choose(kind, pins, &offered) {
            Ok(version) => versions = versions.with(kind, version),
            Err(error) => none.push(error),
        }
    }
    if !none.is_empty() {
        return Err(NegotiationError::None(none));
    }
    Ok(Negotiated { versions, unread: reads.into_iter().filter(|id| !metadata.contains_key(id)).collect() })
}

/// Reads the first provider, to find a version of ARM's own that this one takes.
async fn first_read(id: &ResourceId, pins: &ApiVersions, arm: &ArmClient) -> Result<(String, Reading), ArmError> {
    let candidates = match pins.pin(Kind::ProviderRegistration) {
        Some(pinned) => vec![pinned],
        None => offered_versions::ARM.to_vec(),
    };
    let mut candidates = candidates.into_iter().peekable();
    loop {
        let version = candidates.next().unwrap_or(Kind::ProviderRegistration.api_version());
        match arm.get(id, version).await {
            Err(error) if is_unknown_version(&error) && candidates.peek().is_some() => {}
            reading => return Ok((version.to_owned(), reading?)),
        }
    }
}

/// How ARM says that it does not know an api-version (`../shared/facts/arm-contracts.md` §7.3).
fn is_unknown_version(error: &ArmError) -> bool {
    ["InvalidApiVersionParameter", "NoRegisteredProviderFound"]
        .iter()
        .any(|code| error.refusal().is_some_and(|refusal| refusal.has_code(code)))
}

/// What every metadata that was read offers of a kind; `None` where none was.
fn offered_everywhere(kind: Kind, metadata: &BTreeMap<ResourceId, Value>) -> Option<Vec<String>> {
    let (namespace, name) = offered_versions::resource_type(kind)?.split_once('/')?;
    let of_it = metadata.iter().filter(|(id, _)| id.name().eq_ignore_ascii_case(namespace));
    let mut all = of_it.map(|(_, body)| offered_versions::offered(body, name));
    let first = all.next()?;
    Some(all.fold(first, |common, other| common.into_iter().filter(|version| other.contains(version)).collect()))
}
