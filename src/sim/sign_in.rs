//! Where clients get tokens: Entra's endpoints, and those of managed identities.
//!
//! Everybody is let in, except with the secret or assertion [`REFUSED_SECRET`]. Nothing of what is sent is kept. Tokens are
//! unsecured JWTs (RFC 7519 §6) with the claims that clients read; ARM's routes do not look at them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{self, Answer};
use super::call::Call;
use super::route::IdentityEndpoint;
use super::tenant::only_get;
use super::world::{Handled, World};

/// The one client secret, client assertion or `X-IDENTITY-HEADER` that is refused, so that the refusal can be seen.
pub const REFUSED_SECRET: &str = "wrong";

/// How long a token is valid, in seconds.
const LIFETIME: i64 = 3599;

/// The client id of the machine's own identity, as long as a request names no other.
const MACHINE: Uuid = Uuid::from_u128(0x6172_6366_6c75_7800_7369_6d00_0000_0002);

/// Namespace of the object ids that belong to client ids.
const PRINCIPALS: Uuid = Uuid::from_u128(0x6172_6366_6c75_7800_7369_6d00_0000_0003);

/// What a token says.
struct Claims<'a> {
    tenant: &'a str,
    client: &'a str,
    audience: &'a str,
    issuer: String,
    issued: Timestamp,
}

impl Claims<'_> {
    fn expires(&self) -> i64 {
        self.issued.as_second().saturating_add(LIFETIME)
    }

    fn token(&self) -> String {
        let issued = self.issued.as_second();
        let claims = json!({
            "aud": self.audience,
            "iss": self.issuer,
            "iat": issued,
            "nbf": issued,
            "exp": self.expires(),
            "appid": self.client,
            "idtyp": "app",
            "oid": Uuid::new_v5(&PRINCIPALS, self.client.as_bytes()).to_string(),
            "tid": self.tenant,
            "ver": "1.0",
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(&claims))
    }
}

impl World<'_> {
    /// `/{tenant}/v2.0/.well-known/openid-configuration`.
    pub(crate) fn openid_configuration(&self, call: &Call, tenant: &str) -> Handled {
        only_get(call, "the OpenID configuration")?;
        let tenant = self.tenant_id(tenant);
        let base = format!("{}/{tenant}", call.origin);
        Ok(Answer::ok(&json!({
            "issuer": format!("{base}/v2.0"),
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        })))
    }

    /// `/{tenant}/oauth2/v2.0/token`: client credentials, by secret or by assertion.
    pub(crate) fn entra_token(&mut self, call: &Call, tenant: &str) -> Handled {
        if call.method != Method::POST {
            return Err(answer::no_method(&call.method, "the token endpoint"));
        }
        let needed = |name: &str| call.form_parameter(name).filter(|value| !value.is_empty());
        let missing = ["grant_type", "client_id", "scope"].into_iter().find(|name| needed(name).is_none());
        if let Some(name) = missing {
            let text = format!("AADSTS900144: The request body must contain the following parameter: '{name}'.");
            return Err(self.refusal(call, StatusCode::BAD_REQUEST, "invalid_request", 900_144, &text));
        }
        if needed("grant_type").as_deref() != Some("client_credentials") {
            let text = "AADSTS70003: The app requested an unsupported grant type.";
            return Err(self.refusal(call, StatusCode::BAD_REQUEST, "unsupported_grant_type", 70_003, text));
        }
        let client = needed("client_id").unwrap_or_default();
        match (needed("client_secret"), needed("client_assertion")) {
            (None, None) => {
                let text = "AADSTS7000218: The request body must contain the following parameter: \
                            'client_assertion' or 'client_secret'.";
                return Err(self.refusal(call, StatusCode::UNAUTHORIZED, "invalid_client", 7_000_218, text));
            }
            (Some(secret), _) if secret == REFUSED_SECRET => {
                let text = format!(
                    "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is \
                     the client secret value, not the client secret ID, for a secret added to app '{client}'."
                );
                return Err(self.refusal(call, StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, &text));
            }
            (None, Some(assertion)) if assertion == REFUSED_SECRET => {
                let text = "AADSTS50027: JWT token is invalid or malformed.";
                return Err(self.refusal(call, StatusCode::BAD_REQUEST, "invalid_request", 50_027, text));
            }
            (Some(_), _) | (None, Some(_)) => {}
        }
        let tenant = self.tenant_id(tenant);
        let scope = needed("scope").unwrap_or_default();
        let claims = Claims {
            tenant: &tenant,
            client: &client,
            audience: scope.strip_suffix("/.default").unwrap_or(&scope),
            issuer: format!("{}/{tenant}/v2.0", call.origin),
            issued: call.callers_now,
        };
        Ok(Answer::ok(&json!({
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": claims.token(),
        })))
    }

    /// The token endpoint of a managed identity. Numbers are texts there.
    pub(crate) fn managed_identity(&self, call: &Call, endpoint: IdentityEndpoint) -> Handled {
        only_get(call, "the token of a managed identity")?;
        let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
        match endpoint {
            IdentityEndpoint::AppService => match header("x-identity-header") {
                Some(secret) if secret != REFUSED_SECRET => {}
                Some(_) | None => {
                    let body = json!({"statusCode": 401, "message": "The X-IDENTITY-HEADER is missing or wrong."});
                    return Err(Answer::json(StatusCode::UNAUTHORIZED, &body));
                }
            },
            IdentityEndpoint::Metadata => {
                if !header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
                    return Err(bad_request("Required metadata header not specified"));
                }
            }
        }
        let resource = call.parameter("resource").filter(|resource| !resource.is_empty());
        let Some(resource) = resource else { return Err(bad_request("Required query variable 'resource' is missing")) };
        let machine = MACHINE.to_string();
        let client = call.parameter("client_id").unwrap_or(&machine);
        let tenant = self.state.tenant.as_str();
        let issued = call.callers_now;
        let claims =
            Claims { tenant, client, audience: resource, issuer: format!("{}/{tenant}/", call.origin), issued };
        Ok(Answer::ok(&json!({
            "access_token": claims.token(),
            "client_id": client,
            "expires_in": LIFETIME.to_string(),
            "expires_on": claims.expires().to_string(),
            "not_before": issued.as_second().to_string(),
            "resource": resource,
            "token_type": "Bearer",
        })))
    }

    /// The id of a tenant. Domain names, `common` and the like are those of the simulator's own.
    fn tenant_id(&self, named: &str) -> String {
        match Uuid::parse_str(named) {
            Ok(id) => id.to_string(),
            Err(_) => self.state.tenant.clone(),
        }
    }

    /// An error in the shape of Entra's.
    fn refusal(&mut self, call: &Call, status: StatusCode, error: &str, code: u64, text: &str) -> Answer {
        let (trace, correlation) = (self.state.new_id(), self.state.new_id());
        let timestamp = call.callers_now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        Answer::json(
            status,
            &json!({
                "error": error,
                "error_description":
                    format!("{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"),
                "error_codes": [code],
                "timestamp": timestamp,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": format!("{}/error?code={code}", call.origin),
            }),
        )
    }
}

/// `/common/discovery/instance`: the simulator is the only authority that it knows.
pub(crate) fn instance_discovery(call: &Call) -> Handled {
    only_get(call, "instance discovery")?;
    let host = call.origin.split_once("://").map_or(call.origin.as_str(), |(_, host)| host);
    Ok(Answer::ok(&json!({
        "tenant_discovery_endpoint": format!("{}/common/v2.0/.well-known/openid-configuration", call.origin),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    })))
}

fn bad_request(description: &str) -> Answer {
    let body = json!({"error": "invalid_request", "error_description": description});
    Answer::json(StatusCode::BAD_REQUEST, &body)
}
