//! YAML text in, [`Desired`] out, or every problem at once with its line.

mod desired;

pub use desired::{Desired, DesiredCluster, Profile};
