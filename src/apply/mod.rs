//! Plan → [`ApplyReport`](crate::plan::ApplyReport), with events on the way. The only module that writes to Azure, or to a cluster.
//!
//! It makes no choices about content: every request stands in the plan. What it decides is when a change may start
//! ([`run`]), whether the world still is what the plan builds on, and when a wait is over.

mod change;
mod connection;
mod failures;
mod obstacles;
mod persistence;
mod polling;
mod reaction;
mod run;
mod schedule;
mod secrets;
mod silence;
mod standing;
mod turn;
mod waits;
mod write;

pub use crate::http::Interrupt;
pub use connection::{Chart, Charts, ClusterAccess};
pub use run::{Settings, run};
pub use secrets::{SecretError, SecretResolver, Secrets};
pub use waits::Timeouts;
