//! One line about one exchange, fit for logs: what may be shown is listed, everything else is masked.

use ::http::request::Parts;

use super::message::id;
use super::{Response, TransportError};

/// What a log line may show besides method, scheme, host, path and status.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Query parameters whose values are shown, compared without case. The values of all others are masked: signed
    /// URLs carry their signature there.
    pub query: &'static [&'static str],
    /// Response headers whose ids are shown, in lower case. Request headers never are.
    pub response_ids: &'static [&'static str],
}

/// The line for `request` and what came of it.
#[must_use]
pub fn line(shown: Shown, request: &Parts, outcome: Result<&Response, &TransportError>) -> String {
    let mut line = format!("{} {}", request.method, address(shown, &request.uri));
    match outcome {
        Ok(response) => {
            line.push_str(&format!(" -> {}", response.status().as_u16()));
            for name in shown.response_ids {
                if let Some(value) = id(response.headers(), name) {
                    line.push_str(&format!(" {name}={value}"));
                }
            }
        }
        Err(error) => line.push_str(&format!(" -> {error}")),
    }
    line
}

fn address(shown: Shown, uri: &::http::Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    let query = uri.query().map(|query| format!("?{}", masked(shown, query))).unwrap_or_default();
    format!("{scheme}://{host}{port}{}{query}", uri.path())
}

fn masked(shown: Shown, query: &str) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if shown.query.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) => pair.to_owned(),
        Some((name, _)) => format!("{name}=***"),
        // Without a `=` there is no telling a name from a value.
        None => "***".to_owned(),
    };
    query.split('&').map(pair).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn only_what_is_listed_is_shown() {
        let shown = Shown { query: &["api-version"], response_ids: &["x-id", "x-quoted"] };
        let request = ::http::Request::get("https://user:pw@host:8443/a/b?api-Version=1&t=2&c=SECRET&bare")
            .header("authorization", "Bearer TOKEN")
            .body(Bytes::new())
            .unwrap();
        let mut response = Response::new(Bytes::from_static(b"BODY"));
        response.headers_mut().insert("x-id", "7".parse().unwrap());
        response.headers_mut().insert("x-quoted", "SECRET".parse().unwrap());
        response.headers_mut().insert("x-secret", "SECRET".parse().unwrap());
        let (parts, _) = request.into_parts();
        assert_eq!(
            line(shown, &parts, Ok(&response)),
            "GET https://host:8443/a/b?api-Version=1&t=***&c=***&*** -> 200 x-id=7 x-quoted=(not an id)"
        );
        let error = TransportError::Refused { host: "host:8443".into(), reason: "no".into() };
        assert!(line(shown, &parts, Err(&error)).ends_with("-> refused to send a request to host:8443: no"));
    }
}
