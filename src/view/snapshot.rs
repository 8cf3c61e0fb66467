//! Snapshots of live states.

use super::json;
use crate::snapshot::Snapshot;

/// The snapshot as one indented JSON document that ends with a line feed.
#[must_use]
pub fn render(snapshot: &Snapshot) -> String {
    json::pretty(snapshot)
}
