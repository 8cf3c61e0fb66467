//! All integration tests in one binary, one module per subject.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod snapshots;
mod view_plan;
mod world;
