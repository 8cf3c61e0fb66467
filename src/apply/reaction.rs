//! What to do about a write that did not get through: by a table.

use crate::arm::ArmError;

/// What an answer to a write means for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Nothing was done, because an operation goes on that must end first. That one is waited for.
    Busy,
    /// Nothing was done, because of something that passes by itself in a moment.
    Clash,
    /// Nobody knows whether it was done. What is there is read first.
    Unknown,
    /// It was not even sent, because the run is to stop.
    Abandoned,
    /// It will not be done.
    Final,
}

/// One row: an answer by its status, and by its code or a part of its message. All that is given must fit.
struct Row {
    status: Option<u16>,
    code: Option<&'static str>,
    says: Option<&'static str>,
    reaction: Reaction,
}

/// Answers that mean "not now" (`../shared/facts/domain.md` S36, S38; `../shared/facts/arm-contracts.md` §7.3;
/// `ExtensionPatchFailed`: `../shared/facts/az-cli-behaviour.md` §1). The first that fits counts.
const NOT_NOW: &[Row] = &[
    conflict("AnotherOperationInProgress", Reaction::Busy),
    conflict("UpdateFailed", Reaction::Busy),
    conflict("ExtensionPatchFailed", Reaction::Busy),
    conflict("EtagMismatch", Reaction::Clash),
    // The registration was waited for; not every server of Azure knows of it at once.
    conflict("MissingSubscriptionRegistration", Reaction::Clash),
    message("conflicting operation in progress", Reaction::Busy),
    message("another operation is in progress", Reaction::Busy),
    message(MODIFIED, Reaction::Clash),
    conflict("Conflict", Reaction::Clash),
    Row { status: Some(412), code: None, says: None, reaction: Reaction::Clash },
];

/// What Kubernetes says of a write that met another one.
const MODIFIED: &str = "the object has been modified";

const fn conflict(code: &'static str, reaction: Reaction) -> Row {
    Row { status: Some(409), code: Some(code), says: None, reaction }
}

const fn message(says: &'static str, reaction: Reaction) -> Row {
    Row { status: None, code: None, says: Some(says), reaction }
}

/// What this answer to a write means.
pub(super) fn reaction(error: &ArmError) -> Reaction {
    let row = error.refusal().and_then(|refusal| {
        let message = refusal.message.to_ascii_lowercase();
        NOT_NOW.iter().find(|row| {
            row.status.is_none_or(|status| status == refusal.status)
                && row.code.is_none_or(|code| refusal.has_code(code))
                && row.says.is_none_or(|says| message.contains(says))
        })
    });
    match row {
        Some(row) => row.reaction,
        None if matches!(error, ArmError::Abandoned) => Reaction::Abandoned,
        None if error.outcome_unknown() => Reaction::Unknown,
        None => Reaction::Final,
    }
}

/// Whether an operation that ended badly did so because it met another write: sent again, it goes well.
pub(super) fn met_another_write(message: &str) -> bool {
    message.to_ascii_lowercase().contains(MODIFIED)
}

/// Whether the request of a write may have reached ARM.
pub(super) fn was_sent(error: &ArmError) -> bool {
    match error {
        ArmError::Status(_) | ArmError::BadBody { .. } => true,
        ArmError::Transport { source, .. } => source.may_have_been_received(),
        ArmError::Abandoned
        | ArmError::Token(_)
        | ArmError::ForeignHost { .. }
        | ArmError::BadRequest { .. }
        | ArmError::EndlessList { .. }
        | ArmError::OperationFailed(_)
        | ArmError::StatusUnreadable { .. }
        | ArmError::TimedOut { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use ::http::{Method, StatusCode};
    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::arm::{ArmClient, FixedToken};
    use crate::http::{Origin, Request, Response, SystemClock, Transport, TransportError};
    use crate::model::{ResourceId, Secret};
    use std::sync::Arc;

    /// Answers every request so.
    struct Answers(u16, String);

    #[async_trait::async_trait]
    impl Transport for Answers {
        async fn send(&self, request: Request) -> Result<Response, TransportError> {
            assert_eq!(request.method(), Method::DELETE);
            let mut response = Response::new(Bytes::from(self.1.clone()));
            *response.status_mut() = StatusCode::from_u16(self.0).unwrap();
            Ok(response)
        }
    }

    async fn reaction_to(status: u16, code: &str, message: &str) -> Reaction {
        let body = json!({"error": {"code": code, "message": message}}).to_string();
        let origin = Origin::parse("https://management.azure.com").unwrap();
        let token = Arc::new(FixedToken::new(Secret::new("T0KEN".to_owned())));
        let arm = ArmClient::new(Arc::new(Answers(status, body)), Arc::new(SystemClock), token, origin);
        let id: ResourceId = "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg".parse().unwrap();
        reaction(&arm.delete(&id, "1").await.unwrap_err())
    }

    #[tokio::test]
    async fn every_row() {
        const CONFLICTING: &str = "Update failed for this resource, as there is a conflicting operation in progress. Please try after sometime.";
        const MODIFIED: &str =
            "Operation cannot be fulfilled on extensionconfigs \"flux\": the object has been modified";
        for (status, code, message, expected) in [
            (409, "AnotherOperationInProgress", "", Reaction::Busy),
            (409, "UpdateFailed", CONFLICTING, Reaction::Busy),
            (409, "Other", CONFLICTING, Reaction::Busy),
            (400, "Other", CONFLICTING, Reaction::Busy),
            (409, "Other", "Another operation is in progress", Reaction::Busy),
            (409, "Conflict", "Another operation is in progress", Reaction::Busy),
            (409, "ExtensionPatchFailed", "(ProvisioningState of extension: Creating)", Reaction::Busy),
            (409, "EtagMismatch", "", Reaction::Clash),
            (412, "PreconditionFailed", "", Reaction::Clash),
            (409, "Conflict", "", Reaction::Clash),
            (409, "MissingSubscriptionRegistration", "", Reaction::Clash),
            (409, "Other", MODIFIED, Reaction::Clash),
            (500, "InternalServerError", MODIFIED, Reaction::Clash),
            (409, "CannotDeleteResource", "", Reaction::Final),
            (400, "AnotherOperationInProgress", "", Reaction::Final),
            (400, "ValidationFailed", "", Reaction::Final),
            (403, "AuthorizationFailed", "", Reaction::Final),
            (408, "", "", Reaction::Unknown),
            (500, "InternalServerError", "", Reaction::Unknown),
            (502, "", "", Reaction::Unknown),
            (503, "ServiceUnavailable", "", Reaction::Unknown),
            (504, "GatewayTimeout", "", Reaction::Unknown),
        ] {
            assert_eq!(reaction_to(status, code, message).await, expected, "{status} {code} {message}");
        }
    }
}
