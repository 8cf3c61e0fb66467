//! All integration tests in one binary, one module per subject.

mod sim_flux;
mod sim_replay;
mod sim_support;
