//! All integration tests in one binary, one module per subject.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod arm_calls;
mod arm_lists;
mod arm_operations;
mod arm_recordings;
mod arm_tokens;
mod binary;
mod binary_choices;
mod binary_embedded;
mod binary_fleet;
mod binary_git;
mod binary_help;
mod binary_interrupt;
mod binary_saved;
mod binary_scenarios;
mod binary_secrets;
mod binary_served;
mod binary_spec;
mod engine;
mod floors;
mod http_transport;
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
mod view_apply;
mod view_diagnostics;
mod view_graph;
mod view_plan;
mod view_status;
mod world;
