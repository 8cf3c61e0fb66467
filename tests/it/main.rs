//! All integration tests in one binary, one module per subject.

mod sim_arm;
mod sim_doors;
mod sim_extensions;
mod sim_fixture;
mod sim_flux;
mod sim_fuzz;
mod sim_quirks;
mod sim_replay;
mod sim_scenarios;
