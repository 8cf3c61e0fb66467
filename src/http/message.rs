//! The messages that cross the [`Transport`](super::Transport) seam: the `http` crate's types with a body in memory.

use std::time::Duration;

use bytes::Bytes;

/// How arcflux names itself to servers.
pub const USER_AGENT: &str = concat!("arcflux/", env!("CARGO_PKG_VERSION"));

/// One request. The URI is sent byte for byte as it stands here: ARM signs its operation URLs.
pub type Request = ::http::Request<Bytes>;

/// How long the answer to a request may take at most, its body included: an extension of a [`Request`]. Who sends one
/// without has the patience of the [`Transport`](super::Transport).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

/// One response, read to its end.
pub type Response = ::http::Response<Bytes>;

/// The text of a header, or `None` when it is absent or not visible ASCII.
#[must_use]
pub fn header<'a>(headers: &'a ::http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The longest id that is shown, in characters.
const LONGEST_ID: usize = 64;

/// The id in a header, fit to be shown, or `None` when the header is absent. A server can put anything there, a secret
/// that it was sent included: what does not look like an id is not shown.
#[must_use]
pub fn id<'a>(headers: &'a ::http::HeaderMap, name: &str) -> Option<&'a str> {
    let text = header(headers, name)?;
    let is_id =
        (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    Some(if is_id { text } else { "(not an id)" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_an_id_is_shown_as_one() {
        let shown = |text: &str| {
            let mut headers = ::http::HeaderMap::new();
            headers.insert("x-ms-correlation-request-id", text.parse().unwrap());
            id(&headers, "x-ms-correlation-request-id").map(str::to_owned)
        };
        let guid = "1b2c3d4e-0000-4000-8000-00000000000F";
        assert_eq!(shown(guid).as_deref(), Some(guid));
        for other in ["hunter2 is the password", "", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", &"a".repeat(65)] {
            assert_eq!(shown(other).as_deref(), Some("(not an id)"), "{other}");
        }
        assert_eq!(id(&::http::HeaderMap::new(), "x-ms-correlation-request-id"), None);
    }
}
