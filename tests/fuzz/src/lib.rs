//! What the fuzz targets share: specs to plan for, live states, everything that can be shown of a plan, and a mutator that
//! keeps JSON what it is.

pub mod answers;
pub mod mutate;
pub mod pipeline;
