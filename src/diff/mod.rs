//! Two JSON bodies → field changes.
//!
//! First both are brought into one comparable shape ([`normalise`]), by rules that somebody else wrote down; then
//! [`compare`] walks them and is as dumb as it looks. Nothing here has heard of Azure.

mod compare;
mod normalise;

pub use compare::{FieldChange, compare, leaves};
pub use normalise::{Normalised, clean, default_of, leads_to_a_rule, normalise, rule_of};
