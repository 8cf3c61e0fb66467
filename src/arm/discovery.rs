//! Clouds that are not known beforehand tell about themselves: `GET {arm}/metadata/endpoints`
//! (`../shared/facts/arm-contracts.md` §7.9, `../shared/facts/domain.md` §5).
//!
//! What such a document says decides where credentials are shown and what a token is for. It is therefore judged: it must
//! be about the host that was asked, and a token is asked for that host alone. Nothing is signed in for it.

use std::sync::Arc;
use std::time::Duration;

use ::http::header::{ACCEPT, LOCATION, USER_AGENT as USER_AGENT_HEADER};
use ::http::{HeaderValue, StatusCode, Uri};
use serde_json::Value;

use super::client::{SHOWN, json};
use super::endpoints::Configuration;
use super::{Authority, AuthorityError, Cloud, CloudEndpoints, Observer};
use crate::http::log;
use crate::http::retry::{self, Effect, Failure, Retry, Tried};
use crate::http::{Clock, Jitter, Origin, Patience, Request, Transport, TransportError, USER_AGENT};

/// The api-versions to ask with, newest first. Older clouds do not know the newer ones.
const API_VERSIONS: [&str; 3] = ["2022-09-01", "2020-06-01", "2015-01-01"];

/// The longest name of a cloud that is shown, in bytes.
const LONGEST_NAME: usize = 64;

/// As much of a claim as an error repeats.
const LONGEST_CLAIM: usize = 200;

/// What the operator has said about a cloud. It goes before what the cloud says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Where to sign in.
    pub authority: Option<Authority>,
    /// What tokens are for.
    pub audience: Option<String>,
}

/// Why an endpoint is not signed in to. Each says what was claimed.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// There was no answer.
    #[error("{0} does not tell its endpoints")]
    Unreachable(String, #[source] TransportError),
    /// It leads elsewhere. That is not followed.
    #[error("{arm} leads to {to} for its endpoints: a cloud tells them itself")]
    Redirected {
        /// Who was asked.
        arm: Origin,
        /// The `Location`, or nothing.
        to: String,
    },
    /// The answer is none.
    #[error("{arm} does not tell its endpoints: {why}")]
    NotTold {
        /// Who was asked.
        arm: Origin,
        /// What came.
        why: String,
    },
    /// It is about another ARM.
    #[error("{arm} says that its Azure Resource Manager is {claimed}, and that is not the host that was asked")]
    Elsewhere {
        /// Who was asked.
        arm: Origin,
        /// What was claimed.
        claimed: String,
    },
    /// The audience is that of a known cloud, and the endpoint is not.
    #[error(
        "the audience {claimed} belongs to the {cloud} cloud, and {arm} is not of it: whoever is there could use the token"
    )]
    ForeignAudience {
        /// Who was asked.
        arm: Origin,
        /// What was claimed.
        claimed: String,
        /// Whose it is.
        cloud: Cloud,
    },
    /// No audience is the endpoint itself.
    #[error("{arm} wants tokens for {claimed}, and none of them is that host")]
    OtherAudience {
        /// Who was asked.
        arm: Origin,
        /// What was claimed.
        claimed: String,
    },
    /// There is no place to sign in that may be used.
    #[error("{arm} names no place to sign in")]
    Authority {
        /// Who was asked.
        arm: Origin,
        /// What was claimed.
        #[source]
        source: AuthorityError,
    },
    /// The place to sign in is not one of this cloud: whoever is there would get the credential.
    #[error("{arm} wants credentials to be sent to {claimed}, which is neither in its own domain nor Entra's")]
    ForeignAuthority {
        /// Who was asked.
        arm: Origin,
        /// What was claimed.
        claimed: Authority,
    },
    /// The configuration data plane is not https, or not one of this cloud.
    #[error(
        "{arm} says that its Arc configuration data plane is {claimed}, which is not an https address in its own domain"
    )]
    Configuration {
        /// Who was asked.
        arm: Origin,
        /// What was claimed.
        claimed: String,
    },
}

impl DiscoveryError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable(_, TransportError::Untrusted { .. }) => {
                "`--ca-bundle FILE`, with the authority of this network"
            }
            Self::Unreachable(..) => "check `--arm-endpoint`, the network, and HTTPS_PROXY",
            Self::Redirected { .. } | Self::NotTold { .. } => {
                "check `--arm-endpoint`; for an ARM that tells nothing, give AZURE_AUTHORITY_HOST and `--audience`"
            }
            Self::Elsewhere { .. } => "give the address that it names as `--arm-endpoint`, if that is the one you mean",
            Self::ForeignAudience { .. } => "no token was asked for; check who is at `--arm-endpoint`",
            Self::OtherAudience { .. } => "no token was asked for; if one of them is right, give it as `--audience`",
            Self::Authority { .. } => "no token was asked for; AZURE_AUTHORITY_HOST says where to sign in",
            Self::ForeignAuthority { .. } => {
                "nothing was sent there; if that is where one signs in to this cloud, give it as AZURE_AUTHORITY_HOST"
            }
            Self::Configuration { .. } => "no token was asked for; the operator of the cloud has to mend it",
        }
    }
}

/// What asks for endpoints.
#[derive(Clone)]
pub struct Discovery {
    /// Where the question goes out.
    pub transport: Arc<dyn Transport>,
    /// What waits between attempts.
    pub clock: Arc<dyn Clock>,
    /// What spreads them.
    pub jitter: Jitter,
    /// What waits are multiplied by.
    pub poll_scale: f64,
    /// Receives one line for every exchange.
    pub observer: Option<Observer>,
}

impl Discovery {
    /// Asks the ARM at `arm` for its endpoints, without a token, and judges the answer. Where the operator has said
    /// everything that matters, nobody is asked.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError`] when there is no answer, or one that is not believed.
    pub async fn endpoints(&self, arm: &Origin, said: &Said) -> Result<CloudEndpoints, DiscoveryError> {
        if let (Some(authority), Some(audience)) = (&said.authority, &said.audience) {
            return Ok(CloudEndpoints {
                name: arm.to_string(),
                arm: arm.clone(),
                authority: authority.clone(),
                audience: own_audience(&[audience.as_str()], arm, said)?,
                configuration: Configuration::Unknown,
            });
        }
        let mut refused = None;
        for api_version in API_VERSIONS {
            match self.document(arm, api_version).await? {
                Ok(document) => return judge(&document, arm, said),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        Err(DiscoveryError::NotTold { arm: arm.clone(), why: refused.unwrap_or_default() })
    }

    /// The document, or why there is none at this api-version.
    async fn document(&self, arm: &Origin, api_version: &str) -> Result<Result<Value, String>, DiscoveryError> {
        let not_told = |why: String| DiscoveryError::NotTold { arm: arm.clone(), why };
        let uri: Uri = format!("{arm}/metadata/endpoints?api-version={api_version}")
            .parse()
            .map_err(|_| not_told("its address cannot be asked".to_owned()))?;
        let mut tried = Tried::default();
        loop {
            let began = self.clock.now();
            let (parts, body) = request(&uri, retry::patience(tried)).into_parts();
            let outcome = self.transport.send(Request::from_parts(parts.clone(), body)).await;
            if let Some(observer) = &self.observer {
                observer(&log::line(SHOWN, &parts, outcome.as_ref()));
            }
            tried.attempted += Duration::try_from(self.clock.now().duration_since(began)).unwrap_or_default();
            let (failure, asked, error) = match outcome {
                Ok(response) if response.status().is_success() => match json(&response) {
                    Some(document) => return Ok(Ok(document)),
                    None => (Failure::Page, None, not_told("what it answers is not JSON".to_owned())),
                },
                Ok(response) if response.status().is_redirection() => {
                    let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
                    return Err(DiscoveryError::Redirected { arm: arm.clone(), to: short(to) });
                }
                Ok(response) => {
                    let (status, why) = (response.status(), format!("it answers {}", response.status()));
                    if matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) {
                        return Ok(Err(why));
                    }
                    (Failure::Status(status), retry::retry_after(response.headers()), not_told(why))
                }
                Err(error) => (Failure::from(&error), None, DiscoveryError::Unreachable(arm.to_string(), error)),
            };
            let wait = match retry::decide(Effect::Read, failure, tried, false, asked, (self.jitter)()) {
                Retry::After(delay) => {
                    tried = Tried { failures: tried.failures + 1, delayed: tried.delayed + delay, ..tried };
                    Some(delay)
                }
                Retry::WhenOpen => {
                    tried.refusals += 1;
                    retry::pause(asked, (self.jitter)())
                }
                Retry::GiveUp => None,
            };
            let Some(wait) = wait else { return Err(error) };
            self.clock.sleep(wait.mul_f64(self.poll_scale)).await;
        }
    }
}

fn request(uri: &Uri, patience: Duration) -> Request {
    let mut request = Request::default();
    *request.uri_mut() = uri.clone();
    request.headers_mut().insert(USER_AGENT_HEADER, HeaderValue::from_static(USER_AGENT));
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request.extensions_mut().insert(Patience(patience));
    request
}

/// Judges what the ARM at `arm` said about itself: one object, or a list of clouds of which one is at this endpoint.
///
/// # Errors
///
/// [`DiscoveryError`] when it is not believed.
pub fn judge(document: &Value, arm: &Origin, said: &Said) -> Result<CloudEndpoints, DiscoveryError> {
    let cloud = about(document, arm)?;
    let authority = match &said.authority {
        Some(authority) => authority.clone(),
        None => {
            let claimed: Authority = text(cloud, "/authentication/loginEndpoint")
                .parse()
                .map_err(|source| DiscoveryError::Authority { arm: arm.clone(), source })?;
            if !claimed.is_of(arm) {
                return Err(DiscoveryError::ForeignAuthority { arm: arm.clone(), claimed });
            }
            claimed
        }
    };
    let audiences: Vec<&str> = match &said.audience {
        Some(audience) => vec![audience],
        None => {
            let named = cloud.pointer("/authentication/audiences").and_then(Value::as_array);
            named.into_iter().flatten().filter_map(Value::as_str).collect()
        }
    };
    let audience = own_audience(&audiences, arm, said)?;
    let configuration = match text(cloud, "/dataplaneEndpoints/arcConfigEndpoint") {
        "" => Configuration::Unknown,
        claimed => match Origin::parse(claimed) {
            // It is sent tokens for ARM, so it has to be a neighbour of it.
            Ok(origin) if !origin.is_plain() && origin.is_beside(arm) => Configuration::At(origin),
            Ok(_) | Err(_) => {
                return Err(DiscoveryError::Configuration { arm: arm.clone(), claimed: short(claimed) });
            }
        },
    };
    let name = match text(cloud, "/name") {
        name if is_name(name) => name.to_owned(),
        _ => arm.to_string(),
    };
    Ok(CloudEndpoints { name, arm: arm.clone(), authority, audience, configuration })
}

/// Whether a text is a name that can be shown as it is.
fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" .-_".contains(&byte))
}

/// The cloud of the document whose ARM is the one that was asked.
fn about<'a>(document: &'a Value, arm: &Origin) -> Result<&'a Value, DiscoveryError> {
    let clouds: Vec<&Value> = match document {
        Value::Array(clouds) => clouds.iter().collect(),
        other => vec![other],
    };
    let is_asked = |cloud: &&Value| match text(cloud, "/resourceManager") {
        // The oldest form has the endpoints around ARM alone: it is about the host that gave it.
        "" => ["galleryEndpoint", "graphEndpoint", "portalEndpoint"].iter().any(|key| cloud.get(key).is_some()),
        claimed => Origin::parse(claimed).is_ok_and(|claimed| claimed == *arm),
    };
    clouds.iter().copied().find(is_asked).ok_or_else(|| {
        let claimed: Vec<&str> =
            clouds.iter().map(|cloud| text(cloud, "/resourceManager")).filter(|claimed| !claimed.is_empty()).collect();
        match claimed.as_slice() {
            [] => DiscoveryError::NotTold { arm: arm.clone(), why: "it names no `resourceManager`".to_owned() },
            claimed => DiscoveryError::Elsewhere { arm: arm.clone(), claimed: listed(claimed) },
        }
    })
}

/// The audience to ask tokens for. A token is good at every host that takes its audience, so it must be the host that was
/// asked; another one is taken from the operator, except that of a known cloud.
fn own_audience(claimed: &[&str], arm: &Origin, said: &Said) -> Result<String, DiscoveryError> {
    let is_own =
        |audience: &&&str| audience.is_ascii() && Origin::parse_base(audience).is_ok_and(|(origin, _)| origin == *arm);
    if let Some(own) = claimed.iter().find(is_own) {
        return Ok((**own).to_owned());
    }
    let host = |audience: &str| audience.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let of_known = |audience: &str| host(audience).and_then(|host| Cloud::of_audience(&host));
    if let Some((audience, cloud)) = claimed.iter().find_map(|one| of_known(one).map(|cloud| (*one, cloud)))
        && Cloud::at(arm) != Some(cloud)
    {
        return Err(DiscoveryError::ForeignAudience { arm: arm.clone(), claimed: short(audience), cloud });
    }
    match &said.audience {
        Some(audience) => Ok(audience.clone()),
        None => Err(DiscoveryError::OtherAudience { arm: arm.clone(), claimed: listed(claimed) }),
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn listed(claimed: &[&str]) -> String {
    if claimed.is_empty() { "nothing".to_owned() } else { short(&claimed.join(", ")) }
}

fn short(claim: &str) -> String {
    match claim.char_indices().nth(LONGEST_CLAIM) {
        Some((end, _)) => format!("{}…", &claim[..end]),
        None => claim.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARM: &str = "https://armmanagement.edge.contoso.com";

    fn honest() -> Value {
        json!({
            "name": "azure.local",
            "resourceManager": format!("{ARM}/"),
            "authentication": {
                "loginEndpoint": "https://login.edge.contoso.com/adfs",
                "audiences": ["https://management.core.windows.net/", format!("{ARM}/")],
            },
            "dataplaneEndpoints": {"arcConfigEndpoint": "https://dp.edge.contoso.com"},
        })
    }

    fn judged(document: &Value) -> Result<CloudEndpoints, DiscoveryError> {
        judge(document, &Origin::parse(ARM).unwrap(), &Said::default())
    }

    #[test]
    fn an_honest_document_is_believed_in_every_shape() {
        let found = judged(&honest()).unwrap();
        assert_eq!((found.name.as_str(), found.authority.is_adfs()), ("azure.local", true));
        assert_eq!(found.scope(), format!("{ARM}//.default"));
        assert_eq!(found.configuration_endpoint("autonomous").unwrap().to_string(), "https://dp.edge.contoso.com");
        let other = json!({"name": "AzureCloud", "resourceManager": "https://management.azure.com"});
        assert_eq!(judged(&json!([other, honest()])).unwrap(), found);
        let oldest = json!({
            "galleryEndpoint": "https://portal.edge.contoso.com",
            "authentication": {"loginEndpoint": "https://login.edge.contoso.com/adfs/", "audiences": [ARM]},
        });
        let oldest = judged(&oldest).unwrap();
        assert_eq!(oldest.scope(), format!("{ARM}/.default"));
        assert!(oldest.configuration_endpoint("x").is_err());
    }

    #[test]
    fn a_name_that_could_do_something_to_a_log_is_not_shown() {
        for name in [json!("##vso[task.complete]"), json!("a\u{1b}[2J"), json!("x".repeat(65)), json!(""), json!(null)]
        {
            let mut document = honest();
            document["name"] = name;
            assert_eq!(judged(&document).unwrap().name, ARM);
        }
    }

    #[test]
    fn the_operator_says_what_the_document_may_not() {
        let arm = Origin::parse(ARM).unwrap();
        let mut document = honest();
        document["authentication"]["audiences"] = json!(["https://management.contoso.onmicrosoft.com/1"]);
        assert!(matches!(judged(&document), Err(DiscoveryError::OtherAudience { .. })));
        let audience = "https://management.contoso.onmicrosoft.com/1".to_owned();
        let said = Said { audience: Some(audience.clone()), authority: None };
        assert_eq!(judge(&document, &arm, &said).unwrap().audience, audience);
        let said = Said { audience: Some("https://management.core.windows.net/".to_owned()), authority: None };
        assert!(matches!(judge(&document, &arm, &said), Err(DiscoveryError::ForeignAudience { .. })));
        let said = Said { audience: None, authority: Some("https://login.microsoftonline.com".parse().unwrap()) };
        assert_eq!(judge(&honest(), &arm, &said).unwrap().authority.to_string(), "https://login.microsoftonline.com");
    }

    #[test]
    fn a_lie_is_named() {
        let lies = [
            ("/resourceManager", json!("https://management.azure.com/"), "https://management.azure.com/"),
            ("/resourceManager", json!("https://armmanagement.edge.contoso.com.evil.example"), "evil.example"),
            ("/resourceManager", json!("http://armmanagement.edge.contoso.com"), "http://armmanagement"),
            ("/resourceManager", json!("https://armmanagement.edge.contoso.com:8443"), ":8443"),
            ("/resourceManager", json!(null), "it names no `resourceManager`"),
            ("/authentication/audiences", json!(["https://management.azure.com"]), "belongs to the public cloud"),
            (
                "/authentication/audiences",
                json!(["https://MANAGEMENT.core.windows.net/"]),
                "belongs to the public cloud",
            ),
            ("/authentication/audiences", json!(["https://management.usgovcloudapi.net/"]), "the usgov cloud"),
            ("/authentication/audiences", json!(["https://management.core.chinacloudapi.cn"]), "the china cloud"),
            ("/authentication/audiences", json!(["https://graph.microsoft.com"]), "https://graph.microsoft.com"),
            ("/authentication/audiences", json!(["api://somebody"]), "api://somebody"),
            ("/authentication/audiences", json!([]), "nothing"),
            ("/authentication/loginEndpoint", json!("http://login.edge.contoso.com/adfs"), "http://login.edge"),
            ("/authentication/loginEndpoint", json!("http://127.0.0.1:8080"), "http://127.0.0.1:8080"),
            ("/authentication/loginEndpoint", json!("https://u:p@evil.example"), "an address with a user"),
            ("/authentication/loginEndpoint", json!(7), "``"),
            ("/authentication/loginEndpoint", json!("https://login.evil.example"), "https://login.evil.example"),
            (
                "/authentication/loginEndpoint",
                json!("https://login.evil.example/adfs"),
                "https://login.evil.example/adfs",
            ),
            ("/authentication/loginEndpoint", json!("https://login.microsoftonline.com.evil.example"), "evil.example"),
            ("/dataplaneEndpoints/arcConfigEndpoint", json!("http://dp.edge.contoso.com"), "http://dp.edge"),
            ("/dataplaneEndpoints/arcConfigEndpoint", json!("https://dp.evil.example"), "https://dp.evil.example"),
            ("/dataplaneEndpoints/arcConfigEndpoint", json!("https://edge.contoso.com.evil.example"), "evil.example"),
        ];
        for (pointer, claim, named) in lies {
            let mut document = honest();
            *document.pointer_mut(pointer).unwrap() = claim;
            for document in [document.clone(), json!([document])] {
                let error = judged(&document).unwrap_err();
                let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
                let told = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
                assert!(told.contains(named), "{pointer}: {told}");
            }
        }
        for nothing in [json!(null), json!([]), json!({}), json!("text"), json!([1])] {
            assert!(matches!(judged(&nothing), Err(DiscoveryError::NotTold { .. })), "{nothing}");
        }
    }
}
