//! Servers that quote what they were sent: the access token is taken out of whatever comes back, before anybody reads it.

use ::http::HeaderValue;

use crate::http::Response;
use crate::model::Secret;

/// What stands in its place.
const MASK: &str = "(access token)";

/// No access token is shorter, in bytes; what is only stands for one, and may be a word that answers hold.
const SHORTEST: usize = 20;

/// The response, without the token.
pub(super) fn without_token(mut response: Response, token: &Secret) -> Response {
    let token = token.reveal();
    if token.len() < SHORTEST {
        return response;
    }
    let body = String::from_utf8_lossy(response.body());
    if body.contains(token) {
        *response.body_mut() = body.replace(token, MASK).into();
    }
    for value in response.headers_mut().values_mut() {
        if value.to_str().is_ok_and(|text| text.contains(token)) {
            *value = HeaderValue::from_static(MASK);
        }
    }
    response
}
