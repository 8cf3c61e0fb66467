//! What a run asked of Azure.

use serde::{Deserialize, Serialize};

/// Counts of requests, as they were sent: each attempt counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Usage {
    /// GET and HEAD.
    pub reads: u64,
    /// PUT, PATCH and POST.
    pub writes: u64,
    /// DELETE.
    pub deletes: u64,
    /// How many of them were sent because one before had failed.
    pub retries: u64,
    /// Seconds during which at least one request was held back by ARM's limits: by the model of them, or because ARM
    /// answered 429.
    pub throttled_seconds: u64,
}
