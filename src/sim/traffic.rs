//! What went through the TCP door, one JSON object per line, for whoever wants to check it against the contracts.
//!
//! No secret is in it: values that are, or may be, one are `***`.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::flux_fields;
use super::shape;
use crate::http::{Request, Response};

const MASK: &str = "***";

/// Headers whose values are shown, beside those that begin with `x-ms-`.
const SHOWN_HEADERS: &[&str] = &[
    "accept",
    "api-supported-versions",
    "azure-asyncoperation",
    "content-length",
    "content-type",
    "date",
    "host",
    "location",
    "metadata",
    "retry-after",
    "user-agent",
];

/// Parameters of a form whose values are shown.
const SHOWN_PARAMETERS: &[&str] = &["client_assertion_type", "client_id", "client_info", "grant_type", "scope"];

/// Members of a JSON body that are secret, with everything below them, beside those that
/// [`flux_fields`] knows.
const SECRET_MEMBERS: &[&str] = &["access_token", "configurationProtectedSettings", "protectedSettings"];

/// A file of exchanges.
#[derive(Debug)]
pub struct TrafficLog {
    file: Mutex<File>,
}

/// An exchange of which only the request is known.
pub(super) struct Exchange(Value);

impl Exchange {
    pub(super) fn begin(request: &Request) -> Self {
        Self(json!({
            "method": request.method().as_str(),
            "url": request.uri().to_string(),
            "headers": headers(request.headers()),
            "body": body(request.headers(), request.body()),
        }))
    }
}

impl TrafficLog {
    /// Opens `path`, which is created when it is not there. What is in it stays.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Writes one line. A log that cannot be written changes nothing about what is answered.
    pub(super) fn record(&self, exchange: Exchange, response: &Response) {
        let line = json!({
            "request": exchange.0,
            "response": {
                "statusCode": response.status().as_u16(),
                "headers": headers(response.headers()),
                "body": body(response.headers(), response.body()),
            },
        });
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let _full = file.write_all(format!("{line}\n").as_bytes());
    }
}

fn headers(headers: &HeaderMap) -> Value {
    let shown = |name: &str| SHOWN_HEADERS.contains(&name) || (name.starts_with("x-ms-") && !name.contains("auth"));
    headers
        .iter()
        .map(|(name, value)| {
            let value = value.to_str().ok().filter(|_| shown(name.as_str())).unwrap_or(MASK);
            (name.as_str().to_owned(), Value::from(value))
        })
        .collect::<Map<String, Value>>()
        .into()
}

/// A body as JSON; a form as an object; anything else masked as a whole, and an absent one as null.
fn body(headers: &HeaderMap, bytes: &Bytes) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        return url::form_urlencoded::parse(bytes)
            .map(|(name, value)| {
                let shown = SHOWN_PARAMETERS.contains(&&*name);
                let value = if shown { Value::from(&*value) } else { Value::from(MASK) };
                (name.into_owned(), value)
            })
            .collect::<Map<String, Value>>()
            .into();
    }
    match serde_json::from_slice(bytes) {
        Ok(mut value) => {
            mask(&mut value, false);
            value
        }
        Err(_) => Value::from(MASK),
    }
}

/// Masks the texts below secret members; `secret` says that `value` is below one.
fn mask(value: &mut Value, secret: bool) {
    match value {
        Value::String(text) if secret && !text.is_empty() => MASK.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, secret)),
        Value::Object(members) => {
            for (name, member) in members {
                mask(member, secret || is_secret(name));
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_secret(name: &str) -> bool {
    SECRET_MEMBERS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
        || shape::has_secret(flux_fields::FIELDS, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "hunter2";

    fn logged(kind: &str, sent: &str) -> String {
        let request = http::Request::put("https://127.0.0.1:1/a?api-version=1")
            .header("authorization", format!("Bearer {SECRET}"))
            .header("x-identity-header", SECRET)
            .header("x-ms-authorization-auxiliary", SECRET)
            .header("x-ms-client-request-id", "7")
            .header("content-type", kind)
            .body(Bytes::from(sent.to_owned()))
            .unwrap();
        Exchange::begin(&request).0.to_string()
    }

    #[test]
    fn what_is_or_may_be_secret_is_masked() {
        for (kind, sent) in [
            ("application/json", r#"{"properties":{"configurationProtectedSettings":{"a":"hunter2"},"url":"shown"}}"#),
            ("application/json", r#"{"azureBlob":{"servicePrincipal":{"clientSecret":"hunter2","x":"shown"}}}"#),
            ("application/json", r#"{"azureBlob":{"sasToken":"hunter2","accountKey":"hunter2"},"x":["shown"]}"#),
            ("application/x-www-form-urlencoded", "client_secret=hunter2&client_assertion=hunter2&scope=shown"),
        ] {
            let line = logged(kind, sent);
            assert!(!line.contains(SECRET) && line.contains("shown") && line.contains(MASK), "{line}");
            assert!(line.contains(r#""x-ms-client-request-id":"7""#), "{line}");
        }
        let line = logged("text/plain", "{ half of hunter2");
        assert!(!line.contains(SECRET), "{line}");
    }
}
