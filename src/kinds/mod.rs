//! The resource kinds: one file each, holding everything Azure-specific about it as data and small functions.

pub mod cluster;
pub mod extension;
pub mod flux_configuration;
pub mod resource_group;
