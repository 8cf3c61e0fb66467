//! One request, taken apart.

use http::{HeaderMap, Method, Uri, header};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::answer::{self, Answer};
use crate::http::Request;

/// One request, taken apart.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path as the caller wrote it, without a slash at its end: ids echo its casing.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// Scheme and authority that the caller used: absolute URLs in the answer start with it.
    pub(crate) origin: String,
    pub(crate) headers: HeaderMap,
    body: bytes::Bytes,
    /// When it is answered, on the simulator's clock.
    pub(crate) now: Timestamp,
    /// When it is answered, on the caller's clock.
    pub(crate) callers_now: Timestamp,
}

impl Call {
    /// Takes a request apart.
    pub(crate) fn new(request: Request, now: Timestamp, callers_now: Timestamp) -> Self {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().trim_end_matches('/').to_owned();
        Self {
            method: parts.method,
            query: query_of(&parts.uri),
            origin: origin_of(&parts.uri, &parts.headers),
            headers: parts.headers,
            path,
            body,
            now,
            callers_now,
        }
    }

    /// Segments of the path, decoded, in the caller's casing.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path.split('/').skip(1).map(decoded).collect()
    }

    /// A query parameter. Names compare without case: ARM itself writes `api-Version` at times.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The `api-version` that the caller asked for.
    ///
    /// # Errors
    ///
    /// The 400 that ARM answers when there is none.
    pub(crate) fn api_version(&self) -> Result<&str, Answer> {
        self.parameter("api-version").filter(|version| !version.is_empty()).ok_or_else(answer::missing_api_version)
    }

    /// A parameter of the body, when the body is a form.
    pub(crate) fn form_parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(&self.body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    ///
    /// The 400 that ARM answers when it is none.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Answer> {
        let text = self.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.body);
        match serde_json::from_slice(text) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(answer::bad_content("the body is not a JSON object")),
            Err(error) => Err(answer::bad_content(&error.to_string())),
        }
    }
}

/// Scheme and authority of the request: its own when the URI is absolute, else the Host header over http.
fn origin_of(uri: &Uri, headers: &HeaderMap) -> String {
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
            format!("http://{host}")
        }
    }
}

fn query_of(uri: &Uri) -> Vec<(String, String)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

/// A path segment with its percent escapes undone. A `+` stands for itself in a path.
fn decoded(segment: &str) -> String {
    if !segment.contains('%') {
        return segment.to_owned();
    }
    let protected = segment.replace('+', "%2B");
    url::form_urlencoded::parse(protected.as_bytes()).next().map_or_else(|| segment.to_owned(), |(name, _)| name.into())
}
