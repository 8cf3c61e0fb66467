//! The tenant that a token was issued by.

use base64::Engine as _;
use serde_json::Value;

use crate::model::Secret;

/// The claim `tid` of a token, when the token is a JWT that has one. The token is not verified: ARM does that. This is
/// for telling people early that they are signed in to the wrong tenant.
#[must_use]
pub fn tenant_of(token: &Secret) -> Option<String> {
    let payload = token.reveal().split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    Some(claims.get("tid")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claim_is_read_from_a_jwt_and_anything_else_has_none() {
        let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"tid":"t-1","aud":"x"}"#);
        let tenant = |token: String| tenant_of(&Secret::new(token));
        assert_eq!(tenant(format!("header.{payload}.signature")).as_deref(), Some("t-1"));
        for token in ["", "a.b", "a.b.c", "opaque"] {
            assert_eq!(tenant(token.to_owned()), None, "{token}");
        }
    }
}
