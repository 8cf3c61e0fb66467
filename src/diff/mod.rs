//! Two JSON bodies → field changes.
//!
//! First both are brought into one comparable shape ([`normalise`]), by rules that somebody else wrote down; then
//! [`compare`] walks them and is as dumb as it looks. Nothing here has heard of Azure.

mod clean;
mod compare;
mod leave;
mod normalise;
mod place;
mod same;

pub use clean::clean;
pub use compare::{FieldChange, compare, leaves};
pub use normalise::{Normalised, normalise};
pub use same::encoded_lines;
