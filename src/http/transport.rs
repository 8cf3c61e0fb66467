//! The seam: a request goes in, a response comes out. Nothing else in the engine opens a connection.

use std::net::IpAddr;

use async_trait::async_trait;

use super::{Request, Response};

/// Sends one request and returns its one response: no redirects followed, nothing retried.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request`.
    ///
    /// # Errors
    ///
    /// [`TransportError`] when no whole response came back. The request may or may not have reached the server:
    /// [`TransportError::may_have_been_received`] says which is certain.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}

/// Why no whole response came back.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The connection could not be opened, so the server has not seen the request.
    #[error("cannot connect to {host}")]
    Connect {
        /// Host and port of the request.
        host: String,
        /// What the network said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server's certificate was not accepted, so the server has not seen the request.
    #[error(
        "the certificate of {host} is not trusted ({reason}); if the server is the right one, name the authority that \
         issued its certificate with --ca-bundle"
    )]
    Untrusted {
        /// Host and port of the request.
        host: String,
        /// What is wrong with the certificate.
        reason: String,
    },
    /// The connection broke, or timed out, after the request had been started.
    #[error("the connection to {host} broke before the whole response had arrived")]
    Broken {
        /// Host and port of the request.
        host: String,
        /// What the network said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request itself is not one that may be sent (a scheme other than http or https, plain http off loopback).
    #[error("refused to send a request to {host}: {reason}")]
    Refused {
        /// Host and port of the request.
        host: String,
        /// Why.
        reason: String,
    },
    /// The response was larger than is read.
    #[error("the response of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Host and port of the request.
        host: String,
        /// The limit, in bytes.
        limit: usize,
    },
}

impl TransportError {
    /// Whether the server may have acted on the request. Only `false` makes it safe to send a write again.
    #[must_use]
    pub fn may_have_been_received(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Untrusted { .. } | Self::Refused { .. } => false,
            Self::Broken { .. } | Self::TooLarge { .. } => true,
        }
    }
}

/// Whether `host`, as it stands in a URI, is this machine: 127.0.0.0/8, `[::1]` or `localhost`. No name is resolved.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}
