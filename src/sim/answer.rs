//! Answers: status, headers, body, and ARM's errors word for word where they are recorded.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

/// One answer, before the headers that every answer carries.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// An answer with a JSON body.
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json; charset=utf-8".to_owned())],
            body: Bytes::from(body.to_string()),
        }
    }

    /// 200 with a JSON body.
    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same, marked as coming from ARM itself rather than from the resource provider behind it.
    fn marked_gateway(self) -> Self {
        self.header("x-ms-failure-cause", "gateway")
    }
}

/// An error of ARM's own.
pub(crate) fn gateway_error(status: StatusCode, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"code": code, "message": message}})).marked_gateway()
}

/// An error of the KubernetesConfiguration provider, which adds an empty `additionalInfo`.
pub(crate) fn service_error(status: StatusCode, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"code": code, "message": message, "additionalInfo": []}}))
}

/// No `api-version` in the query.
pub(crate) fn missing_api_version() -> Answer {
    gateway_error(
        StatusCode::BAD_REQUEST,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )
}

/// An `api-version` that a type of a resource provider does not have.
pub(crate) fn unknown_api_version(resource_type: &str, location: &str, version: &str, known: &[&str]) -> Answer {
    gateway_error(
        StatusCode::BAD_REQUEST,
        "NoRegisteredProviderFound",
        &format!(
            "No registered resource provider found for location '{location}' and API version '{version}' for type \
             '{resource_type}'. The supported api-versions are '{}'. The supported locations are ''.",
            known.join(", ")
        ),
    )
}

/// An `api-version` that ARM's own resources do not have.
pub(crate) fn invalid_api_version(version: &str, known: &[&str]) -> Answer {
    gateway_error(
        StatusCode::BAD_REQUEST,
        "InvalidApiVersionParameter",
        &format!("The api-version '{version}' is invalid. The supported versions are '{}'.", known.join(",")),
    )
}

/// A namespace that does not exist.
pub(crate) fn invalid_namespace(namespace: &str) -> Answer {
    gateway_error(
        StatusCode::NOT_FOUND,
        "InvalidResourceNamespace",
        &format!("The resource namespace '{namespace}' is invalid."),
    )
}

/// A resource group that is not there.
pub(crate) fn no_group(name: &str) -> Answer {
    gateway_error(
        StatusCode::NOT_FOUND,
        "ResourceGroupNotFound",
        &format!("Resource group '{name}' could not be found."),
    )
}

/// A cluster that is not there, asked for itself or as the parent of something.
pub(crate) fn no_cluster(resource_type: &str, name: &str, group: &str) -> Answer {
    gateway_error(
        StatusCode::NOT_FOUND,
        "ResourceNotFound",
        &format!(
            "The Resource '{resource_type}/{name}' under resource group '{group}' was not found. For more details \
             please go to https://aka.ms/ARMResourceNotFoundFix"
        ),
    )
}

/// A write to a provider that the subscription is not registered for.
pub(crate) fn not_registered(namespace: &str) -> Answer {
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how \
         to register subscriptions."
    );
    let code = "MissingSubscriptionRegistration";
    let body = json!({"error": {
        "code": code,
        "message": message,
        "details": [{"code": code, "target": namespace, "message": message}],
    }});
    Answer::json(StatusCode::CONFLICT, &body).marked_gateway()
}

/// A body that cannot be read.
pub(crate) fn bad_content(reason: &str) -> Answer {
    gateway_error(
        StatusCode::BAD_REQUEST,
        "InvalidRequestContent",
        &format!("The request content was invalid and could not be deserialized: '{reason}'."),
    )
}

/// A method that a resource does not have.
pub(crate) fn no_method(method: &http::Method, what: &str) -> Answer {
    gateway_error(
        StatusCode::METHOD_NOT_ALLOWED,
        "HttpRequestNotSupported",
        &format!("The HTTP method {method} is not supported on {what}."),
    )
}

/// Something that Azure has and the simulator has not.
pub(crate) fn not_simulated(what: &str) -> Answer {
    Answer::json(
        StatusCode::NOT_IMPLEMENTED,
        &json!({"error": {"code": "NotSimulated", "message": format!("The simulator does not have {what}.")}}),
    )
}

/// More requests than the bucket holds.
pub(crate) fn throttled(subscription: &str, seconds: u64) -> Answer {
    gateway_error(
        StatusCode::TOO_MANY_REQUESTS,
        "SubscriptionRequestsThrottled",
        &format!(
            "Number of requests for subscription '{subscription}' exceeded the limit. Please try again after \
             '{seconds}' seconds."
        ),
    )
    .header("retry-after", seconds.to_string())
}

/// A write while an operation runs.
pub(crate) fn conflicting_operation() -> Answer {
    service_error(
        StatusCode::CONFLICT,
        "UpdateFailed",
        "Update failed for this resource, as there is a conflicting operation in progress. Please try after sometime.",
    )
}
