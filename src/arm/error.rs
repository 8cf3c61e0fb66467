//! What can go wrong between a call and its outcome.

use std::fmt;

use ::http::{HeaderMap, Method, StatusCode};

use super::error_body::{self, Told};
use super::token::TokenError;
use crate::http::message::{header, id};
use crate::http::retry::{self, Effect, Failure, Verdict};
use crate::http::{Response, TransportError};
use crate::model::{ResourceId, without_signatures};

/// Why a call did not give what it was made for.
///
/// Messages that ARM sent are kept as it sent them, control characters included: views escape them.
#[derive(Debug, thiserror::Error)]
pub enum ArmError {
    /// ARM answered with a status that is not a success.
    #[error("{0}")]
    Status(Box<Refusal>),
    /// No response came back.
    #[error("{request}: no response")]
    Transport {
        /// The call.
        request: RequestLine,
        /// What the network said.
        #[source]
        source: TransportError,
    },
    /// The request was not sent: before its turn came, whoever asked for it no longer wanted it.
    #[error("not sent: the run is to stop")]
    Abandoned,
    /// There is no token to call with.
    #[error("cannot sign in to Azure")]
    Token(#[from] TokenError),
    /// A response named a URL of another server. It was not followed.
    #[error("ARM named a {role} at {host}, which is not {origin}: not followed, because the token would go there")]
    ForeignHost {
        /// What the URL was named as: `nextLink`, `Azure-AsyncOperation`, `Location`.
        role: &'static str,
        /// Where it leads.
        host: String,
        /// The ARM endpoint in use.
        origin: String,
    },
    /// The id cannot stand in a URI.
    #[error("{method} {id}: this id cannot be sent")]
    BadRequest {
        /// The method of the call.
        method: Method,
        /// The id of the call.
        id: ResourceId,
    },
    /// A success whose body is not what the contract promises.
    #[error("{request}: expected {expected}, got {content_type} that begins `{prefix}`")]
    BadBody {
        /// The call.
        request: RequestLine,
        /// What should have been there.
        expected: &'static str,
        /// The media type of the response, or `no content type`.
        content_type: String,
        /// The first characters of the body, escaped.
        prefix: String,
    },
    /// A collection that does not end: a page named an earlier page as the next one, or there were too many.
    #[error("GET {id}: the list did not end after {pages} pages")]
    EndlessList {
        /// The collection.
        id: ResourceId,
        /// How many pages were read.
        pages: usize,
    },
    /// A long-running operation ended in failure.
    #[error("{0}")]
    OperationFailed(Box<OperationFailure>),
    /// The status of a long-running operation could not be read, several times in a row. It says nothing about the
    /// operation itself, which may go on or be done.
    #[error("how operation {operation_id} went cannot be learned")]
    StatusUnreadable {
        /// The operation.
        operation_id: String,
        /// Why the last poll failed.
        #[source]
        source: Box<ArmError>,
    },
    /// A long-running operation was still running at the deadline. It goes on in Azure.
    #[error("operation {operation_id} was still {last_status} when the time was up")]
    TimedOut {
        /// The operation.
        operation_id: String,
        /// The last status that ARM reported; `not reported` when there was none.
        last_status: String,
    },
}

impl ArmError {
    /// The error for a response whose status is not a success.
    pub(super) fn status(request: RequestLine, response: &Response) -> Self {
        let body = error_body::parse(response.body());
        let status = response.status();
        Self::Status(Box::new(Refusal {
            status: status.as_u16(),
            message: body.told.message.clone().unwrap_or_else(|| reason_phrase(status)),
            code: body.told.code,
            outer_code: body.outer_code,
            target: body.told.target,
            correlation_id: correlation_id(response.headers()),
            by_gateway: header(response.headers(), "x-ms-failure-cause")
                .is_some_and(|cause| cause.eq_ignore_ascii_case("gateway")),
            from_arm: body.from_arm,
            request,
        }))
    }

    /// The error for a success whose body is of no use.
    pub(super) fn bad_body(request: RequestLine, expected: &'static str, response: &Response) -> Self {
        let content_type = header(response.headers(), "content-type").unwrap_or("no content type").to_owned();
        // Masked before it is cut: what signs a URL may begin anywhere.
        let beginning: String = String::from_utf8_lossy(response.body()).chars().take(800).collect();
        let prefix: String = without_signatures(&beginning).chars().take(80).collect();
        Self::BadBody { request, expected, content_type, prefix: prefix.escape_debug().to_string() }
    }

    /// The answer of ARM, when there was one and it was not a success.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Status(refusal) => Some(refusal),
            Self::Transport { .. }
            | Self::Abandoned
            | Self::Token(_)
            | Self::ForeignHost { .. }
            | Self::BadRequest { .. }
            | Self::BadBody { .. }
            | Self::EndlessList { .. }
            | Self::OperationFailed(_)
            | Self::StatusUnreadable { .. }
            | Self::TimedOut { .. } => None,
        }
    }

    /// Whether a write that ended with this error, or whose wait did, may still have been carried out: the connection
    /// broke after it was sent, something on the way answered for one that did not ([`retry::verdict`]), or it was
    /// accepted and its end was not seen. Of a read that failed there is nothing to know.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        let after = |method: &Method, failure| retry::verdict(Effect::from(method), failure) == Verdict::ReadFirst;
        match self {
            Self::Transport { request, source } => after(&request.method, Failure::from(source)),
            Self::Status(refusal) => {
                let status = StatusCode::from_u16(refusal.status);
                status.is_ok_and(|status| after(&refusal.request.method, Failure::Status(status)))
            }
            Self::BadBody { request, .. } => after(&request.method, Failure::Page),
            Self::ForeignHost { .. } | Self::StatusUnreadable { .. } | Self::TimedOut { .. } => true,
            Self::Abandoned
            | Self::Token(_)
            | Self::BadRequest { .. }
            | Self::EndlessList { .. }
            | Self::OperationFailed(_) => false,
        }
    }
}

/// The line that names a call: method and path. The query is left out, because it may hold a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// The method.
    pub method: Method,
    /// The path, percent-encoded as it was sent.
    pub path: String,
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// An answer of ARM that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The code of the innermost cause.
    pub code: Option<String>,
    /// The code of the whole error: what the contract documents.
    pub outer_code: Option<String>,
    /// The message of the innermost cause; the status in words where the body has none.
    pub message: String,
    /// What the innermost cause is about, where it says.
    pub target: Option<String>,
    /// ARM's correlation id, for support requests.
    pub correlation_id: Option<String>,
    /// Whether ARM itself answered, not the resource provider (`x-ms-failure-cause: gateway`).
    pub by_gateway: bool,
    /// Whether the body is one that ARM or a provider writes (JSON, or nothing at all), not a page of some proxy.
    pub from_arm: bool,
    /// The call.
    pub request: RequestLine,
}

impl Refusal {
    /// Whether this error, or its innermost cause, has `code`.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        [&self.code, &self.outer_code].into_iter().flatten().any(|own| own.eq_ignore_ascii_case(code))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.status)?;
        write_told(f, " ", self.code.as_deref(), &self.message)?;
        write_correlation(f, self.correlation_id.as_deref())
    }
}

/// How a long-running operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationFailure {
    /// The operation.
    pub operation_id: String,
    /// The last status, `Failed` or `Canceled`, as ARM wrote it.
    pub status: String,
    /// The code of the innermost cause.
    pub code: Option<String>,
    /// The message of the innermost cause.
    pub message: String,
    /// ARM's correlation id of the poll that said so.
    pub correlation_id: Option<String>,
}

impl OperationFailure {
    pub(super) fn new(operation_id: String, status: String, response: &Response) -> Self {
        let Told { code, message, target: _ } = error_body::parse(response.body()).told;
        Self {
            operation_id,
            status,
            code,
            message: message.unwrap_or_else(|| "no reason was given".to_owned()),
            correlation_id: correlation_id(response.headers()),
        }
    }
}

impl fmt::Display for OperationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {} ended as {}:", self.operation_id, self.status)?;
        write_told(f, " ", self.code.as_deref(), &self.message)?;
        write_correlation(f, self.correlation_id.as_deref())
    }
}

fn write_told(f: &mut fmt::Formatter<'_>, before: &str, code: Option<&str>, message: &str) -> fmt::Result {
    match code {
        Some(code) => write!(f, "{before}{code}: {message}"),
        None => write!(f, "{before}{message}"),
    }
}

fn write_correlation(f: &mut fmt::Formatter<'_>, id: Option<&str>) -> fmt::Result {
    id.map_or(Ok(()), |id| write!(f, " (correlation id {id})"))
}

/// ARM's correlation id of a response (`../shared/facts/arm-contracts.md` §7.1), fit to be shown.
pub(super) fn correlation_id(headers: &HeaderMap) -> Option<String> {
    id(headers, "x-ms-correlation-request-id").map(ToOwned::to_owned)
}

fn reason_phrase(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or("no reason was given").to_owned()
}
