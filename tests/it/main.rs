//! All integration tests in one binary, one module per subject.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod arm_calls;
mod arm_lists;
mod arm_operations;
mod arm_recordings;
mod arm_tokens;
mod completeness;
mod engine;
mod engine_fields;
mod floors;
mod http_transport;
mod readme;
mod recorded;
mod schemas;
mod scripted;
mod sim_arm;
mod sim_doors;
mod sim_extensions;
mod sim_fixture;
mod sim_flux;
mod sim_fuzz;
mod sim_quirks;
mod sim_replay;
mod sim_scenarios;
mod simulated;
mod snapshots;
mod spec_cases;
mod spec_load;
mod spec_robustness;
mod spec_schema;
mod unreadable;
mod view_apply;
mod view_diagnostics;
mod view_graph;
mod view_plan;
mod view_status;
mod world;
