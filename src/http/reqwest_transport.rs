//! The [`Transport`] of production: reqwest over rustls, with the machine's certificate store and proxy settings.

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::OnceLock;
use std::time::Duration;

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderValue, Method, Uri};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::{Certificate, Client, Url};

use super::{Patience, Request, Response, Transport, TransportError, is_loopback};

/// How long opening a connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The same for addresses on the local link, where an answer comes at once or never.
const LINK_LOCAL_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the server may stay silent. A gateway that answers for a slow service after 60 s is still heard.
const READ_TIMEOUT: Duration = Duration::from_secs(100);
/// How long an exchange may take in all: a server that sends a byte now and then is never silent, and never done. In this
/// time even the longest body comes over a slow line.
const DEADLINE: Duration = Duration::from_secs(300);
/// The longest response body that is read, in bytes.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Sends requests over the network: no redirects, no retries, the URI byte for byte.
///
/// Plain http goes to loopback addresses only, or to the local link where that is asked for. Proxies of the
/// environment are used, but never for either.
/// The clients behind it are built at the first request, because reading the certificate store costs milliseconds
/// that `--help` should not pay.
pub struct ReqwestTransport {
    authorities: Vec<Certificate>,
    link_local: bool,
    deadline: Duration,
    plain: OnceLock<Result<Client, String>>,
    near: OnceLock<Result<Client, String>>,
    far: OnceLock<Result<Client, String>>,
}

/// How a request travels; each way has its own client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    /// Plain http, without a proxy. Works on machines that have no certificate store.
    Plain,
    /// TLS to this machine, without a proxy.
    Near,
    /// TLS to anywhere else.
    Far,
}

/// Why a CA bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaBundleError {
    /// A PEM block in it is damaged.
    #[error("the CA bundle is not readable as PEM")]
    NotPem(#[source] reqwest::Error),
    /// There is no certificate in it.
    #[error("the CA bundle holds no certificate: it must be PEM, with at least one `BEGIN CERTIFICATE` block")]
    Empty,
}

impl Default for ReqwestTransport {
    fn default() -> Self {
        Self {
            authorities: Vec::new(),
            link_local: false,
            deadline: DEADLINE,
            plain: OnceLock::new(),
            near: OnceLock::new(),
            far: OnceLock::new(),
        }
    }
}

impl ReqwestTransport {
    /// Trusts the machine's certificate store alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the certificates of `pem` as well as the machine's store.
    ///
    /// # Errors
    ///
    /// [`CaBundleError`] when `pem` holds no certificate or a damaged one.
    pub fn with_ca_bundle(pem: &[u8]) -> Result<Self, CaBundleError> {
        let authorities = Certificate::from_pem_bundle(pem).map_err(CaBundleError::NotPem)?;
        if authorities.is_empty() {
            return Err(CaBundleError::Empty);
        }
        Ok(Self { authorities, ..Self::default() })
    }

    /// Also sends plain http to addresses on the local link (169.254.0.0/16): that is where Azure gives machines
    /// their identity.
    #[must_use]
    pub fn link_local(self) -> Self {
        Self { link_local: true, ..self }
    }

    /// Gives up an exchange that is not over after `deadline`, its body included.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The way to `uri`, or why there is none.
    fn route(&self, uri: &Uri) -> Result<Route, String> {
        let host = uri.host().ok_or("the address has no host")?;
        let link_local = self.link_local && host.parse().is_ok_and(|address: Ipv4Addr| address.is_link_local());
        match uri.scheme_str() {
            Some("https") if is_loopback(host) => Ok(Route::Near),
            Some("https") => Ok(Route::Far),
            Some("http") if is_loopback(host) || link_local => Ok(Route::Plain),
            Some("http") => Err("plain http is only allowed to this machine itself (loopback)".to_owned()),
            Some(_) | None => Err("the scheme must be https".to_owned()),
        }
    }

    fn client(&self, route: Route) -> Result<&Client, String> {
        let slot = match route {
            Route::Plain => &self.plain,
            Route::Near => &self.near,
            Route::Far => &self.far,
        };
        slot.get_or_init(|| self.build(route)).as_ref().map_err(Clone::clone)
    }

    fn build(&self, route: Route) -> Result<Client, String> {
        let builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(if self.link_local { LINK_LOCAL_CONNECT_TIMEOUT } else { CONNECT_TIMEOUT })
            .read_timeout(READ_TIMEOUT)
            .timeout(self.deadline);
        let authorities = self.authorities.iter().cloned();
        let builder = match route {
            Route::Plain => builder.no_proxy().tls_certs_only([]),
            Route::Near => builder.no_proxy().tls_certs_merge(authorities),
            Route::Far => builder.tls_certs_merge(authorities),
        };
        builder.build().map_err(|error| format!("the TLS client cannot be set up: {}", reasons(&error)))
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (parts, body) = request.into_parts();
        let host = host_and_port(&parts.uri);
        let refused = |reason: String| TransportError::Refused { host: host.clone(), reason };
        let route = self.route(&parts.uri).map_err(refused)?;
        let url = sendable(&parts.uri).map_err(refused)?;
        let client = self.client(route).map_err(refused)?;

        let mut outgoing = reqwest::Request::new(parts.method, url);
        *outgoing.headers_mut() = parts.headers;
        if let Some(Patience(patience)) = parts.extensions.get() {
            *outgoing.timeout_mut() = Some(self.deadline.min(*patience));
        }
        if !body.is_empty() {
            *outgoing.body_mut() = Some(body.into());
        } else if matches!(*outgoing.method(), Method::POST | Method::PUT | Method::PATCH) {
            // Without it front ends answer 411 to a POST that has no body.
            outgoing.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let incoming = client.execute(outgoing).await.map_err(|error| failure(&host, error))?;
        read_whole(&host, incoming).await
    }
}

/// The URL to hand to reqwest, when it says the same as `uri` to the last byte. The `url` crate rewrites some
/// characters (`'` in a query, `..` in a path); a signed URL would no longer be valid, and a check that was made on
/// `uri` would no longer hold.
fn sendable(uri: &Uri) -> Result<Url, String> {
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("the address holds credentials".to_owned());
    }
    let url = Url::parse(&uri.to_string()).map_err(|error| format!("the address is not a URL: {error}"))?;
    let same_host = url.host_str().zip(uri.host()).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other));
    if !same_host || url.path() != uri.path() || url.query() != uri.query() {
        return Err("the address cannot be sent byte for byte as it was given".to_owned());
    }
    Ok(url)
}

async fn read_whole(host: &str, mut incoming: reqwest::Response) -> Result<Response, TransportError> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = incoming.status();
    *response.headers_mut() = std::mem::take(incoming.headers_mut());
    let mut body = BytesMut::new();
    while let Some(chunk) = incoming.chunk().await.map_err(|error| failure(host, error))? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(TransportError::TooLarge { host: host.to_owned(), limit: BODY_LIMIT });
        }
        body.extend_from_slice(&chunk);
    }
    *response.body_mut() = body.freeze();
    Ok(response)
}

fn failure(host: &str, error: reqwest::Error) -> TransportError {
    let host = host.to_owned();
    let unsent = error.is_connect();
    if let Some(reason) = distrust(&error) {
        return TransportError::Untrusted { host, reason };
    }
    // reqwest prints the URL in its errors, and the URL may be signed.
    let source = Box::new(error.without_url());
    if unsent { TransportError::Connect { host, source } } else { TransportError::Broken { host, source } }
}

/// What is wrong with the server's certificate, when that is why there is no connection.
fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    let mut causes = std::iter::successors(Some(error), |&error| cause(error));
    causes.find_map(|error| match error.downcast_ref()? {
        rustls::Error::InvalidCertificate(reason) => Some(reason.to_string()),
        _ => None,
    })
}

/// What is behind an error. What an I/O error wraps is not its source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>() {
        Some(error) => error.get_ref().map(|wrapped| wrapped as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn host_and_port(uri: &Uri) -> String {
    let host = uri.host().unwrap_or("(no host)");
    uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn reasons(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
