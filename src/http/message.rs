//! The messages that cross the [`Transport`](super::Transport) seam: the `http` crate's types with a body in memory.

use bytes::Bytes;

/// How arcflux names itself to servers.
pub const USER_AGENT: &str = concat!("arcflux/", env!("CARGO_PKG_VERSION"));

/// One request. The URI is sent byte for byte as it stands here: ARM signs its operation URLs.
pub type Request = ::http::Request<Bytes>;

/// One response, read to its end.
pub type Response = ::http::Response<Bytes>;

/// The text of a header, or `None` when it is absent or not visible ASCII.
#[must_use]
pub fn header<'a>(headers: &'a ::http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
