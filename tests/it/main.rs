//! All integration tests in one binary, one module per subject.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod schemas;
mod snapshots;
mod view_apply;
mod view_graph;
mod view_plan;
mod view_status;
mod world;
