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

/// Why the last operation on a live resource failed, in the service's words. An extension says it in `errorInfo`, or in a
/// status of the level `Error`; a configuration in `errorMessage` (`../shared/facts/domain.md` §3).
#[must_use]
pub fn failure_message(live: &Value) -> Option<&str> {
    told(live).map(|(_, message)| message)
}

/// The code that stands with [`failure_message`], where one does.
#[must_use]
pub fn failure_code(live: &Value) -> Option<&str> {
    told(live).and_then(|(code, _)| code)
}

/// Code and message of the last failure.
fn told(live: &Value) -> Option<(Option<&str>, &str)> {
    let properties = live.get("properties");
    let info = properties.and_then(|properties| properties.get("errorInfo"));
    if let Some(message) = text(info, "message") {
        return Some((text(info, "code"), message));
    }
    if let Some(message) = text(properties, "errorMessage") {
        return Some((None, message));
    }
    let statuses = || properties?.get("statuses")?.as_array();
    let statuses = || statuses().into_iter().flatten().filter(|status| text(Some(status), "message").is_some());
    let is_error =
        |status: &&Value| text(Some(status), "level").is_some_and(|level| level.eq_ignore_ascii_case("Error"));
    let worst = statuses().find(is_error).or_else(|| statuses().next())?;
    Some((text(Some(worst), "code"), text(Some(worst), "message")?))
}

/// A text that says something.
fn text<'a>(of: Option<&'a Value>, key: &str) -> Option<&'a str> {
    of.and_then(|of| of.get(key)?.as_str()).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_message_of_an_error_goes_before_other_statuses() {
        let status = |level: &str, message: &str| json!({"level": level, "message": message});
        let live = |statuses: Value| json!({"properties": {"statuses": statuses}});
        let several = live(json!([status("Information", "working"), status("Error", "no pods")]));
        assert_eq!(failure_message(&several), Some("no pods"));
        assert_eq!(failure_message(&live(json!([status("Information", "working")]))), Some("working"));
        assert_eq!(failure_message(&live(json!([]))), None);
        let info =
            json!({"properties": {"errorInfo": {"message": "timed out"}, "statuses": [status("Error", "other")]}});
        assert_eq!(failure_message(&info), Some("timed out"));
        assert_eq!(failure_code(&info), None);
        let coded = json!({"properties": {"errorInfo": {"code": "ExtensionCreationFailed", "message": "timed out"}}});
        assert_eq!(failure_code(&coded), Some("ExtensionCreationFailed"));
    }
}
