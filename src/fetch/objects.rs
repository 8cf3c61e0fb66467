//! Objects of a cluster, by name.

use futures::StreamExt as _;
use serde_json::Value;

use crate::cluster::{ClusterError, Kubernetes, ObjectName};

/// How many objects are read at once: an API server shares out what it takes from one client, and that is little.
const CONCURRENCY: usize = 4;

/// Reads objects from the cluster behind `context`, in the order of `names`; `None` for what is not there.
///
/// # Errors
///
/// The first [`ClusterError`] there was.
pub async fn objects(
    names: &[ObjectName],
    context: &str,
    clusters: &dyn Kubernetes,
) -> Result<Vec<Option<Value>>, ClusterError> {
    let answers = futures::stream::iter(names).map(|name| clusters.object(context, name)).buffered(CONCURRENCY);
    answers.collect::<Vec<_>>().await.into_iter().collect()
}
