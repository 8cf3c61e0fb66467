//! The official identity library, built from values that are handed in and speaking through our own [`Transport`].
//!
//! What it nevertheless reads from the process's environment by itself: `SYSTEM_OIDCREQUESTURI` (Azure Pipelines),
//! `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` and their relatives (managed identity), and what `az` reads.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{Secret as AzureSecret, TokenCredential};
use azure_core::error::{Error, ErrorKind, ResultExt};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, ClientOptions, HttpClient, RetryOptions};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzurePipelinesCredential, AzurePipelinesCredentialOptions,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, Executor,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions, new_executor,
};

use super::Authority;
use super::credentials::{Candidates, CredentialKind, IdentityValues, Tried};
use crate::http::{Request, Transport, TransportError};
use crate::model::Secret;

/// What the credentials reach out with.
#[derive(Clone)]
pub struct Outside {
    /// Where to sign in.
    pub authority: Authority,
    /// For Entra and Azure Pipelines.
    pub sign_in: Arc<dyn Transport>,
    /// For this machine's identity endpoint: plain http on loopback or a link-local address
    /// ([`ReqwestTransport::link_local`](crate::http::ReqwestTransport::link_local)).
    pub metadata: Arc<dyn Transport>,
    /// Runs `az`.
    pub executor: Arc<dyn Executor>,
}

impl Outside {
    /// Signs in at `authority`; `az` is run as a process.
    #[must_use]
    pub fn new(authority: Authority, sign_in: Arc<dyn Transport>, metadata: Arc<dyn Transport>) -> Self {
        Self { authority, sign_in, metadata, executor: new_executor() }
    }
}

/// Builds the chosen credentials. One that cannot be built (a token file that is not there) joins those that are
/// skipped, with its reason. Nothing is sent yet.
#[must_use]
pub fn build(
    chosen: Candidates<()>,
    values: &IdentityValues,
    outside: &Outside,
) -> Candidates<Arc<dyn TokenCredential>> {
    let mut built = Candidates { usable: vec![], skipped: chosen.skipped };
    for (kind, ()) in chosen.usable {
        match credential(kind, values, outside) {
            Ok(credential) => built.usable.push((kind, credential)),
            Err(error) => built.skipped.push(Tried::failed(kind, &error)),
        }
    }
    built
}

fn credential(
    kind: CredentialKind,
    values: &IdentityValues,
    outside: &Outside,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    Ok(match kind {
        CredentialKind::WorkloadIdentity => WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
            credential_options: ClientAssertionCredentialOptions { client_options: sign_in_options(outside) },
            client_id: Some(text(&values.client_id)),
            tenant_id: Some(text(&values.tenant_id)),
            token_file_path: Some(values.federated_token_file.clone().unwrap_or_default()),
        }))?,
        CredentialKind::AzurePipelines => AzurePipelinesCredential::new(
            text(&values.pipeline_tenant_id),
            text(&values.pipeline_client_id),
            &text(&values.service_connection_id),
            secret(&values.system_access_token),
            Some(AzurePipelinesCredentialOptions {
                credential_options: ClientAssertionCredentialOptions { client_options: sign_in_options(outside) },
            }),
        )?,
        CredentialKind::Environment => ClientSecretCredential::new(
            &text(&values.tenant_id),
            text(&values.client_id),
            secret(&values.client_secret),
            Some(ClientSecretCredentialOptions { client_options: sign_in_options(outside) }),
        )?,
        // With a tenant, `az` need not be set to it: people sign in to several.
        CredentialKind::AzCli => AzureCliCredential::new(Some(AzureCliCredentialOptions {
            tenant_id: values.tenant_id.clone(),
            executor: Some(outside.executor.clone()),
            ..AzureCliCredentialOptions::default()
        }))?,
        CredentialKind::ManagedIdentity => ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: values.client_id.clone().map(UserAssignedId::ClientId),
            client_options: ClientOptions {
                // On most machines nobody answers there: asking again only makes people wait for the error.
                retry: RetryOptions::none(),
                ..options(outside, OverTransport { transport: Arc::clone(&outside.metadata), adfs: None })
            },
        }))?,
    })
}

fn sign_in_options(outside: &Outside) -> ClientOptions {
    let adfs = outside.authority.is_adfs().then(|| outside.authority.to_string());
    options(outside, OverTransport { transport: Arc::clone(&outside.sign_in), adfs })
}

fn options(outside: &Outside, transport: OverTransport) -> ClientOptions {
    // Given always: without it the library reads AZURE_AUTHORITY_HOST by itself.
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = outside.authority.to_string();
    let client: Arc<dyn HttpClient> = Arc::new(transport);
    ClientOptions {
        cloud: Some(Arc::new(cloud.into())),
        transport: Some(azure_core::http::Transport::new(client)),
        ..ClientOptions::default()
    }
}

/// The library says itself what is wrong with an empty value.
fn text(value: &Option<String>) -> String {
    value.clone().unwrap_or_default()
}

fn secret(value: &Option<Secret>) -> AzureSecret {
    AzureSecret::new(value.as_ref().map(Secret::reveal).unwrap_or_default().to_owned())
}

/// The library's requests over our seam, so that the CA bundle, the proxy rules and the size limit hold for them too.
struct OverTransport {
    transport: Arc<dyn Transport>,
    /// The AD FS to sign in at, where it is one: the library only knows Entra's path to tokens, which has a tenant in it.
    adfs: Option<String>,
}

impl fmt::Debug for OverTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OverTransport")
    }
}

#[async_trait]
impl HttpClient for OverTransport {
    async fn execute_request(&self, request: &azure_core::http::Request) -> azure_core::Result<AsyncRawResponse> {
        let response = self.transport.send(translated(request, self.adfs.as_deref())?).await.map_err(|error| {
            let kind = match error {
                TransportError::Connect { .. } => ErrorKind::Connection,
                TransportError::Broken { .. } => ErrorKind::Io,
                TransportError::Untrusted { .. } | TransportError::Refused { .. } | TransportError::TooLarge { .. } => {
                    ErrorKind::Other
                }
            };
            let text = error.to_string();
            Error::with_error(kind, error, text)
        })?;
        let mut headers = Headers::new();
        for (name, value) in response.headers() {
            if let Ok(value) = value.to_str() {
                headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value.to_owned()));
            }
        }
        let status = response.status().as_u16().into();
        Ok(AsyncRawResponse::from_bytes(status, headers, response.into_body()))
    }
}

/// The end of the path at which Entra issues tokens. AD FS issues them at `/adfs/oauth2/token`.
const ENTRA_TOKEN: &str = "/oauth2/v2.0/token";

fn translated(request: &azure_core::http::Request, adfs: Option<&str>) -> azure_core::Result<Request> {
    let body = match request.body() {
        Body::Bytes(bytes) => bytes.clone(),
        Body::SeekableStream(_) => {
            return Err(Error::with_message(ErrorKind::Other, "token requests have no streams as bodies"));
        }
    };
    let invalid = "the token request cannot be sent";
    let method = request.method();
    let uri = match adfs {
        Some(adfs) if request.url().path().ends_with(ENTRA_TOKEN) => format!("{adfs}/oauth2/token"),
        Some(_) | None => request.url().as_str().to_owned(),
    };
    let mut builder = ::http::Request::builder().method(method.as_ref()).uri(uri);
    for (name, value) in request.headers().iter() {
        builder = builder.header(name.as_str(), value.as_str());
    }
    builder.body(body).with_context(ErrorKind::DataConversion, invalid)
}
