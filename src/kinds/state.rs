//! `provisioningState`, in the words that `Microsoft.KubernetesConfiguration` uses.

use serde_json::Value;

/// Where a resource stands between a write and its end. Words are compared without case; a missing one means
/// `Succeeded`, as ARM's contract for resource providers has it (`../shared/facts/arm-contracts.md` §7.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProvisioningState {
    /// Nothing is going on and the last write was carried out.
    Succeeded,
    /// The last write was not carried out. Holds ARM's word: `Failed` or `Canceled`.
    Failed(String),
    /// An operation is going on. Holds ARM's word: `Creating`, `Updating`, `Deleting`, `Accepted`…
    InFlight(String),
}

/// Reads the state of a live resource.
#[must_use]
pub fn provisioning_state(live: &Value) -> ProvisioningState {
    let Some(state) = live.pointer("/properties/provisioningState").and_then(Value::as_str) else {
        return ProvisioningState::Succeeded;
    };
    match state.to_ascii_lowercase().as_str() {
        "succeeded" | "" => ProvisioningState::Succeeded,
        "failed" | "canceled" | "cancelled" => ProvisioningState::Failed(state.to_owned()),
        _ => ProvisioningState::InFlight(state.to_owned()),
    }
}
