//! The registration of a resource provider in a subscription: needed before any of its types can be written.

use serde_json::Value;

/// The api-version of the Resources provider (`../shared/contracts/Microsoft.Resources/stable/2024-03-01`).
pub const API_VERSION: &str = "2024-03-01";

/// The state of a registration. Registering is not a long-running operation: the provider itself is read until it says
/// `Registered`, which takes up to ten minutes (`../shared/facts/arm-contracts.md` §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// Ready to use.
    Registered,
    /// Somebody has asked for it; it will be ready.
    Registering,
    /// Must be asked for. Holds ARM's word: `NotRegistered`, `Unregistered`, `Unregistering`.
    NotRegistered(String),
}

/// Reads the state of a live provider.
#[must_use]
pub fn registration(live: &Value) -> Registration {
    let state = live.get("registrationState").and_then(Value::as_str).unwrap_or("NotRegistered");
    if state.eq_ignore_ascii_case("Registered") {
        Registration::Registered
    } else if state.eq_ignore_ascii_case("Registering") {
        Registration::Registering
    } else {
        Registration::NotRegistered(state.to_owned())
    }
}
