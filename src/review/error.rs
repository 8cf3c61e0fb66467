//! What can go wrong between a call and its outcome.

use ::http::StatusCode;
use serde_json::Value;

use super::call::Call;
use super::forge::ForgeKind;
use crate::http::retry::{self, Failure, Verdict};
use crate::http::{OriginError, Response, TransportError};
use crate::model::{Secret, one_line};

/// The longest sentence that is repeated of an answer, in characters.
const SENTENCE: usize = 300;

/// Why there can be no client.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address of the API cannot be used.
    #[error(transparent)]
    Api(#[from] OriginError),
    /// The name of the repository is not of the forge's form.
    #[error("`{text}` does not name a repository here: write {form}")]
    Repository {
        /// What was given.
        text: String,
        /// How it is written.
        form: &'static str,
    },
    /// The token holds characters that no HTTP header may hold.
    #[error("the token is malformed: it holds characters that cannot be sent")]
    Token,
}

/// Why a call did not give what it was made for. No text here holds the token.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The forge answered with a status that is not a success.
    #[error("{} answered {request} with {status}{}", forge.name(), sentence(message))]
    Status {
        /// Which forge.
        forge: ForgeKind,
        /// Method and path.
        request: String,
        /// The HTTP status.
        status: u16,
        /// What it said, in one line; empty where it said nothing.
        message: String,
        /// What the retry table calls it: a 403 may mean "too fast".
        failure: Failure,
        /// Whether the request may be one that must not happen twice.
        once: bool,
    },
    /// No response came back.
    #[error("{request}: no response")]
    Transport {
        /// Method and path.
        request: String,
        /// Whether the request may be one that must not happen twice.
        once: bool,
        /// What the network said.
        #[source]
        source: TransportError,
    },
    /// A response named a URL of another server, for the next page or instead of an answer. It was not followed.
    #[error(
        "{} named a {role} at {host}, which is not {origin}: not followed, because the token would go there", forge.name()
    )]
    ForeignLink {
        /// Which forge.
        forge: ForgeKind,
        /// What the URL was named as.
        role: &'static str,
        /// Where it leads.
        host: String,
        /// The address of the API in use.
        origin: String,
    },
    /// A success whose body is not what the API promises.
    #[error("{request}: {} answered with something else than {expected}", forge.name())]
    BadBody {
        /// Which forge.
        forge: ForgeKind,
        /// Method and path.
        request: String,
        /// What should have been there.
        expected: &'static str,
    },
    /// A success whose `Link` header cannot be read: whether there is another page is not known.
    #[error("{request}: {} named the next page in a way that cannot be read", forge.name())]
    BadLink {
        /// Which forge.
        forge: ForgeKind,
        /// Method and path.
        request: String,
    },
    /// The time that everything may take in all was over before it was sent.
    #[error("{request}: not sent, because {} has taken all of the {seconds} s that it is waited for", forge.name())]
    OutOfTime {
        /// Which forge.
        forge: ForgeKind,
        /// Method and path.
        request: String,
        /// How long everything may take.
        seconds: u64,
    },
    /// A list that does not end.
    #[error("{request}: the list did not end after {pages} pages")]
    EndlessList {
        /// Method and path.
        request: String,
        /// How many pages were read.
        pages: usize,
    },
}

impl ForgeError {
    /// The error for a response whose status is not a success. A server may repeat what it was sent: none of the
    /// `credentials` is told.
    pub(super) fn status(
        forge: ForgeKind,
        call: &Call,
        failure: Failure,
        response: &Response,
        credentials: &[Secret],
    ) -> Self {
        let said = serde_json::from_slice::<Value>(response.body()).ok().and_then(|body| said(&body));
        let mask = |text: String, secret: &Secret| text.replace(secret.reveal(), "***");
        let message = credentials.iter().fold(said.unwrap_or_default(), mask);
        Self::Status {
            forge,
            request: line(call),
            status: response.status().as_u16(),
            message: one_line(&message).chars().take(SENTENCE).collect(),
            failure,
            once: call.effect == retry::Effect::Write,
        }
    }

    /// Whether the token may not do this, or may not even see what it is about: what other tokens could do.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            // 203 and 302 are how Azure DevOps asks for another sign-in.
            Self::Status { status: 203 | 302 | 401 | 404, .. } => true,
            Self::Status { status: 403, failure, .. } => *failure == Failure::Status(StatusCode::FORBIDDEN),
            Self::Status { .. }
            | Self::Transport { .. }
            | Self::ForeignLink { .. }
            | Self::BadBody { .. }
            | Self::BadLink { .. }
            | Self::OutOfTime { .. }
            | Self::EndlessList { .. } => false,
        }
    }

    /// Whether the forge does not know whose the token is. 203 and 302 are how Azure DevOps asks for another sign-in.
    #[must_use]
    pub fn is_unknown_token(&self) -> bool {
        matches!(self, Self::Status { status: 203 | 302 | 401, .. })
    }

    /// Whether what the call was about is not there, or not any more.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 410, .. })
    }

    /// Whether a write may have happened nevertheless.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        let (failure, once) = match self {
            Self::Status { failure, once, .. } => (*failure, *once),
            Self::Transport { source, once, .. } => (Failure::from(source), *once),
            Self::BadBody { .. }
            | Self::BadLink { .. }
            | Self::OutOfTime { .. }
            | Self::ForeignLink { .. }
            | Self::EndlessList { .. } => return false,
        };
        once && retry::verdict(retry::Effect::Write, failure) == Verdict::ReadFirst
    }
}

/// How errors name a call.
pub(super) fn line(call: &Call) -> String {
    let path = call.path.split('?').next().unwrap_or_default();
    format!("{} {path}", call.method)
}

fn sentence(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// What a forge says in a body that tells of an error: a sentence, a list or an object.
fn said(body: &Value) -> Option<String> {
    let told = ["message", "error_description", "error"].into_iter().find_map(|key| body.get(key))?;
    let told = told.as_str().map_or_else(|| told.to_string(), str::to_owned);
    // GitHub says what is wrong with which field in a list beside it.
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let more: Vec<&str> = errors.filter_map(|error| error.get("message").unwrap_or(error).as_str()).collect();
    Some(if more.is_empty() { told } else { format!("{told}: {}", more.join("; ")) })
}
