//! What a token tells about who is signed in.

use base64::Engine as _;
use serde_json::Value;

use crate::model::Secret;

/// The claim `tid` of a token, when the token is a JWT that has one. The token is not verified: ARM does that. This is
/// for telling people early that they are signed in to the wrong tenant.
#[must_use]
pub fn tenant_of(token: &Secret) -> Option<String> {
    Some(claims_of(token)?.get("tid")?.as_str()?.to_owned())
}

/// The claim `oid` of a token, when the token is a JWT that has one: whom roles are assigned to.
#[must_use]
pub fn principal_of(token: &Secret) -> Option<String> {
    Some(claims_of(token)?.get("oid")?.as_str()?.to_owned())
}

/// Whether a token is a JWT that names nobody: it has neither `oid` nor `puid`. Entra issues one to an application
/// without a service principal in the tenant, and Azure then answers every request with an error that does not say so
/// (hashicorp/terraform-provider-azurerm#15011). Tokens that are not readable tell nothing.
#[must_use]
pub fn names_nobody(token: &Secret) -> bool {
    claims_of(token).is_some_and(|claims| {
        claims.get("tid").is_some() && ["oid", "puid"].iter().all(|claim| claims.get(*claim).is_none_or(Value::is_null))
    })
}

fn claims_of(token: &Secret) -> Option<Value> {
    let payload = token.reveal().split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
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
            assert!(!names_nobody(&Secret::new(token.to_owned())), "{token}");
        }
    }

    #[test]
    fn a_token_names_somebody_by_oid_or_puid() {
        let named = |claims: &str| {
            let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
            !names_nobody(&Secret::new(format!("header.{payload}.signature")))
        };
        assert!(named(r#"{"tid":"t","oid":"o"}"#) && named(r#"{"tid":"t","puid":"p"}"#));
        assert!(!named(r#"{"tid":"t","appid":"a"}"#) && !named(r#"{"tid":"t","oid":null}"#));
        // Not a token of Entra: what it names is for others to say.
        assert!(named(r#"{"sub":"s"}"#) && named("[]") && named("1"));
    }
}
