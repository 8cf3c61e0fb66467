//! Requests, built without sending them.

use ::http::Method;
use serde_json::Value;

use crate::http::retry::Effect;

/// One call, complete but for what is the same in all of them: origin, token, headers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query from the top of the server, encoded.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// What sending it a second time could do. A second status, or the same text a second time, only replaces the first.
    pub(super) effect: Effect,
}

impl Call {
    pub(super) fn read(path: String) -> Self {
        Self { method: Method::GET, path, body: None, effect: Effect::Read }
    }

    /// A write that must not happen twice.
    pub(super) fn once(path: String, body: Value) -> Self {
        Self { method: Method::POST, path, body: Some(body), effect: Effect::Write }
    }

    /// A request with a body that may be repeated: a query, or a write that replaces what it wrote before.
    pub(super) fn repeatable(method: Method, path: String, body: Value) -> Self {
        Self { method, path, body: Some(body), effect: Effect::Read }
    }
}

/// One segment of a path: everything is encoded but what stands for itself in every place.
pub(super) fn segment(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Whether a name can be a segment: not empty, and none that means another place.
pub(super) fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
}
