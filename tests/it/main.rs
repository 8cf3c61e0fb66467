//! All integration tests in one binary, one module per subject.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod arm_calls;
mod arm_lists;
mod arm_operations;
mod arm_recordings;
mod arm_tokens;
mod engine;
mod http_transport;
mod recorded;
mod scripted;
mod sim_flux;
mod sim_support;
mod spec_cases;
mod spec_load;
mod spec_robustness;
mod spec_schema;
mod view_diagnostics;
mod world;
