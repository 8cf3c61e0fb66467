//! What a plan needs → [`LiveState`], and objects of a cluster. Reads only.

mod objects;

mod negotiation;

pub use negotiation::{Negotiated, NegotiationError, negotiate, provider_reads};

use std::collections::BTreeMap;

use futures::StreamExt as _;

use crate::arm::{ArmClient, ArmError};
use crate::cluster::Kubernetes;
use crate::model::{ContextReading, Listing, LiveState, Missing, Read, ReadMethod, Reading, ResourceId};

pub use objects::objects;

/// How many reads are under way at once: as many as are safe (`../shared/facts/arm-contracts.md` §7.7), and more than keep
/// ARM's bucket empty once it is. What it refills is shared out by the client.
const CONCURRENCY: usize = 16;

enum Answer {
    One(Reading),
    Many(Listing),
}

/// Sends all `reads` at once: their ids are known, so none waits for another's answer.
///
/// # Errors
///
/// Every [`ArmError`] there was. What is missing or may not be read is an answer, not an error.
pub async fn live_state(reads: &[Read], arm: &ArmClient) -> Result<LiveState, Vec<ArmError>> {
    let mut state = LiveState::empty(arm.now());
    let mut errors = Vec::new();
    let mut answers = futures::stream::iter(reads)
        .map(|read| async move { (read, ask(read, arm).await) })
        .buffer_unordered(CONCURRENCY);
    while let Some((read, answer)) = answers.next().await {
        match answer {
            Ok(Answer::One(reading)) => {
                state.readings.insert(read.id.clone(), reading);
            }
            Ok(Answer::Many(listing)) => {
                state.listings.insert(read.id.clone(), listing);
            }
            Err(error) => errors.push((read, error)),
        }
    }
    if errors.is_empty() {
        return Ok(state);
    }
    // Answers come in any order; what people read should not.
    errors.sort_by_key(|(read, _)| *read);
    Err(errors.into_iter().map(|(_, error)| error).collect())
}

/// Looks at clusters themselves, each by its context. What cannot be reached is an answer, not an error.
pub async fn contexts(
    contexts: &[(&ResourceId, &str)],
    kubernetes: &dyn Kubernetes,
) -> BTreeMap<ResourceId, ContextReading> {
    let looks = futures::stream::iter(contexts).map(|(id, context)| async move {
        let reading = match kubernetes.look(context).await {
            Ok(sight) => ContextReading::Seen(Box::new(sight)),
            Err(error) => ContextReading::Unreachable(match error.hint {
                Some(hint) => format!("{}; {hint}", error.message),
                None => error.message,
            }),
        };
        ((*id).clone(), reading)
    });
    looks.buffer_unordered(CONCURRENCY).collect().await
}

async fn ask(read: &Read, arm: &ArmClient) -> Result<Answer, ArmError> {
    let answer = match read.method {
        ReadMethod::Get => arm.get(&read.id, &read.api_version).await.map(Answer::One),
        ReadMethod::List | ReadMethod::ListIfSupported => arm.list(&read.id, &read.api_version).await.map(Answer::Many),
    };
    let none = || Ok(Answer::Many(Listing::Items(Vec::new())));
    match (answer, read.method) {
        // Where its provider is not registered, nothing of a type can exist.
        (Err(error), ReadMethod::Get) if has_code(&error, NOT_REGISTERED) => {
            Ok(Answer::One(Reading::Missing(Missing::Itself)))
        }
        (Err(error), ReadMethod::List | ReadMethod::ListIfSupported) if has_code(&error, NOT_REGISTERED) => none(),
        (Err(error), ReadMethod::ListIfSupported) if has_code(&error, NOT_SUPPORTED) => none(),
        (answer, _) => answer,
    }
}

const NOT_REGISTERED: &[&str] = &["MissingSubscriptionRegistration"];

/// How ARM says that it does not know a type, or not at this api-version (`../shared/facts/arm-contracts.md` §7.3).
const NOT_SUPPORTED: &[&str] = &["InvalidResourceType", "NoRegisteredProviderFound"];

fn has_code(error: &ArmError, codes: &[&str]) -> bool {
    error.refusal().is_some_and(|refusal| codes.iter().any(|code| refusal.has_code(code)))
}
