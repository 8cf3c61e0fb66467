//! Requests, built without sending them.

use std::time::Duration;

use ::http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT as USER_AGENT_HEADER};
use ::http::{HeaderValue, Method, Uri};
use bytes::Bytes;
use uuid::Uuid;

use super::{ArmError, RequestLine};
use crate::http::retry::Effect;
use crate::http::{ForeignLink, Origin, Request, USER_AGENT};
use crate::model::{ResourceId, Secret};

/// One call, complete but for what differs on every attempt: the token and the client request id.
///
/// It has no `Debug`: its URI may be signed.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) body: Option<Bytes>,
    /// What sending it a second time could do.
    pub(super) effect: Effect,
    /// Whether it only asks if something has happened yet: it yields to other reads.
    pub(super) is_poll: bool,
    /// How long it may take in all, from when it is first sent: a read that is not answered by then is dropped.
    pub(super) within: Option<Duration>,
}

impl Call {
    /// A call about `id`; `action` is a further path segment (`register`).
    ///
    /// # Errors
    ///
    /// [`ArmError::BadRequest`] when `id` cannot stand in a URI.
    pub(super) fn new(
        origin: &Origin,
        method: Method,
        id: &ResourceId,
        action: Option<&str>,
        api_version: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Self, ArmError> {
        let slash = if action.is_some() { "/" } else { "" };
        let path = format!("{}{slash}{}", encoded(id.as_str()), action.map(encoded).unwrap_or_default());
        let uri = format!("{origin}{path}?api-version={api_version}");
        let uri = uri.parse().map_err(|_| ArmError::BadRequest { method: method.clone(), id: id.clone() })?;
        let effect = Effect::from(&method);
        let body = body.map(|body| Bytes::from(body.to_string()));
        Ok(Self { method, uri, body, effect, is_poll: false, within: None })
    }

    /// A POST that asks for something, or asks with a body: it may be sent again. `path` and `query` need no escapes.
    pub(super) fn ask(
        origin: &Origin,
        path: &'static str,
        query: &'static str,
        body: Option<&serde_json::Value>,
    ) -> Self {
        let uri = format!("{origin}{path}?{query}").parse().unwrap_or_default();
        let body = body.map(|body| Bytes::from(body.to_string()));
        Self { method: Method::POST, uri, body, effect: Effect::Read, is_poll: false, within: None }
    }

    /// The same call with one parameter more.
    ///
    /// # Errors
    ///
    /// [`ArmError::BadRequest`] when that cannot stand in a URI.
    pub(super) fn with_parameter(self, name: &str, value: &str, id: &ResourceId) -> Result<Self, ArmError> {
        let uri = format!("{}&{name}={value}", self.uri).parse();
        let uri = uri.map_err(|_| ArmError::BadRequest { method: self.method.clone(), id: id.clone() })?;
        Ok(Self { uri, ..self })
    }

    /// A GET of a link (`nextLink`, `Azure-AsyncOperation`, `Location`) that a response named; `role` is which.
    ///
    /// # Errors
    ///
    /// [`ArmError::ForeignHost`] when it leads to another server.
    pub(super) fn follow(origin: &Origin, role: &'static str, link: &str) -> Result<Self, ArmError> {
        let foreign = |ForeignLink { host }| ArmError::ForeignHost { role, host, origin: origin.to_string() };
        let uri = origin.follow(link).map_err(foreign)?;
        Ok(Self { method: Method::GET, uri, body: None, effect: Effect::Read, is_poll: false, within: None })
    }

    /// The same, as a poll.
    pub(super) fn poll(self) -> Self {
        Self { is_poll: true, ..self }
    }

    /// The same, given up when it takes longer.
    pub(super) fn within(self, within: Duration) -> Self {
        Self { within: Some(within), ..self }
    }

    /// The subscription that it is about. The operations of some providers lie outside of any.
    pub(super) fn subscription(&self) -> Option<&str> {
        subscription(self.uri.path())
    }

    /// How errors name this call.
    pub(super) fn line(&self) -> RequestLine {
        RequestLine { method: self.method.clone(), path: self.uri.path().to_owned() }
    }

    /// The request of one attempt (headers: `../shared/facts/arm-contracts.md` §7.1).
    ///
    /// # Errors
    ///
    /// [`ArmError::Token`] when the token cannot stand in a header.
    pub(super) fn request(&self, token: &Secret, client_request_id: Uuid) -> Result<Request, ArmError> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
            .map_err(|_| ArmError::Token(super::TokenError::Malformed))?;
        authorization.set_sensitive(true);
        let client_request_id = HeaderValue::from_str(&client_request_id.hyphenated().to_string())
            .unwrap_or_else(|_| HeaderValue::from_static(""));

        let mut request = Request::new(self.body.clone().unwrap_or_default());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(::http::header::AUTHORIZATION, authorization);
        headers.insert(USER_AGENT_HEADER, HeaderValue::from_static(USER_AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert("x-ms-client-request-id", client_request_id);
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(request)
    }
}

/// The subscription that a path begins with.
pub(super) fn subscription(path: &str) -> Option<&str> {
    let (key, rest) = path.strip_prefix('/')?.split_once('/')?;
    key.eq_ignore_ascii_case("subscriptions").then(|| rest.split('/').next().unwrap_or_default())
}

/// `path` with every byte escaped that is not allowed in a URI path. Names of resource groups may hold letters of any
/// script.
fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn origin() -> Origin {
        Origin::parse("https://management.azure.com").unwrap()
    }

    #[test]
    fn a_write_carries_what_arm_wants_to_see() {
        let id: ResourceId = "/subscriptions/s/resourceGroups/rg".parse().unwrap();
        let body = json!({"location": "westeurope"});
        let call = Call::new(&origin(), Method::PUT, &id, None, "2024-03-01", Some(&body)).unwrap();
        let request = call.request(&Secret::new("T0KEN".into()), Uuid::nil()).unwrap();
        assert_eq!(
            request.uri(),
            "https://management.azure.com/subscriptions/s/resourceGroups/rg?api-version=2024-03-01"
        );
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(header("authorization"), "Bearer T0KEN");
        assert_eq!(header("user-agent"), concat!("arcflux/", env!("CARGO_PKG_VERSION")));
        assert_eq!(header("accept"), "application/json");
        assert_eq!(header("content-type"), "application/json");
        assert_eq!(header("x-ms-client-request-id"), "00000000-0000-0000-0000-000000000000");
        assert_eq!(request.body().as_ref(), br#"{"location":"westeurope"}"#);
        assert!(!format!("{request:?}").contains("T0KEN"));
    }

    #[test]
    fn names_in_other_scripts_are_escaped_and_actions_follow_the_id() {
        let id: ResourceId = "/subscriptions/s/resourceGroups/rg-é(1)".parse().unwrap();
        let call = Call::new(&origin(), Method::POST, &id, Some("register"), "1", None).unwrap();
        assert_eq!(call.uri.path(), "/subscriptions/s/resourceGroups/rg-%C3%A9(1)/register");
        assert_eq!(call.line().to_string(), "POST /subscriptions/s/resourceGroups/rg-%C3%A9(1)/register");
        let request = call.request(&Secret::new("t".into()), Uuid::nil()).unwrap();
        assert!(!request.headers().contains_key("content-type"));
    }

    #[test]
    fn a_token_that_is_no_header_value_is_an_error_and_not_a_panic() {
        let call = Call::follow(&origin(), "Location", "/").unwrap();
        let error = call.request(&Secret::new("a\nb".into()), Uuid::nil()).unwrap_err();
        assert!(matches!(error, ArmError::Token(_)));
    }
}
