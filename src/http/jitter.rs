//! Random numbers, over which delays are spread.

use std::sync::Arc;

use uuid::Uuid;

/// Gives random numbers from 0 to 1, over which delays are spread.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// A random number from 0 to 1.
#[must_use]
pub fn random() -> f64 {
    // The first 32 bits of a version 4 UUID are random.
    let (random, _, _, _) = Uuid::new_v4().as_fields().to_owned();
    f64::from(random) / f64::from(u32::MAX)
}
