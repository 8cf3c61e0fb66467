//! All integration tests in one binary, one module per subject.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod spec_cases;
mod spec_load;
mod spec_robustness;
mod spec_schema;
mod view_diagnostics;
