//! Long-running operations (`../shared/facts/arm-contracts.md` §7.4).

use std::fmt;
use std::time::Duration;

use ::http::StatusCode;
use jiff::Timestamp;

use super::client::json;
use super::error::{OperationFailure, RequestLine};
use super::request::Call;
use super::{ArmClient, ArmError};
use crate::http::message::header;
use crate::http::{Response, retry};

/// How often in a row the status may be unreadable: a dropped connection, a 404 because the status is not there yet,
/// a 5xx, a body without a status. It says nothing about the operation.
const MISSES: u32 = 5;

/// How long one poll may take: one that is not answered is missed.
const ONE_POLL: Duration = Duration::from_secs(60);

/// How long to wait before poll number `attempt`, counted from 0. KubernetesConfiguration sends no `Retry-After`.
#[must_use]
pub fn poll_delay(attempt: u32) -> Duration {
    Duration::from_secs(match attempt {
        0 => 3,
        1 => 5,
        2 => 8,
        3 => 15,
        _ => 30,
    })
}

/// An operation that ARM has accepted and not yet finished.
///
/// Its URL is signed: neither `Debug` nor anything else shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Operation {
    link: Link,
    url: String,
    retry_after: Option<Duration>,
}

/// Which header named the URL; each has its own protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    AsyncOperation,
    Location,
}

impl Link {
    fn header(self) -> &'static str {
        match self {
            Self::AsyncOperation => "Azure-AsyncOperation",
            Self::Location => "Location",
        }
    }
}

/// What one poll saw.
enum Seen {
    /// It goes on, with the status that ARM reports, if it does.
    Running(Option<String>),
    Succeeded,
    /// This error ends the wait.
    Ended(ArmError),
    /// The poll told nothing.
    Missed(ArmError),
}

impl Operation {
    /// The operation that `response` started, if it did.
    ///
    /// `Location` counts only on a 202 without `Azure-AsyncOperation`: beside a 201 it points at a host inside the
    /// resource provider, and otherwise it names the resource.
    pub(super) fn started_by(response: &Response) -> Option<Self> {
        let named = |link: Link| header(response.headers(), link.header()).map(|url| (link, url.to_owned()));
        let accepted = response.status() == StatusCode::ACCEPTED;
        let (link, url) = named(Link::AsyncOperation).or_else(|| accepted.then(|| named(Link::Location)).flatten())?;
        Some(Self { link, url, retry_after: retry::retry_after(response.headers()) })
    }

    /// Its id, for people: the last segment of its path.
    #[must_use]
    pub fn id(&self) -> &str {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    fn unreadable(&self, source: ArmError) -> ArmError {
        ArmError::StatusUnreadable { operation_id: self.id().to_owned(), source: Box::new(source) }
    }

    fn see(&self, line: RequestLine, response: &Response) -> Seen {
        let code = response.status();
        if !code.is_success() {
            let source = ArmError::status(line, response);
            return match code {
                // It has expired, or is not for us: it will not be there later. After a 404 it may be.
                StatusCode::GONE | StatusCode::FORBIDDEN => Seen::Ended(self.unreadable(source)),
                _ => Seen::Missed(source),
            };
        }
        let Some(status) = status_of(response) else {
            return match self.link {
                _ if code == StatusCode::ACCEPTED => Seen::Running(None),
                // The final response is the resource, or nothing; a page of some proxy is neither.
                Link::Location if response.body().is_empty() || json(response).is_some() => Seen::Succeeded,
                Link::Location => Seen::Missed(ArmError::bad_body(line, "JSON or nothing", response)),
                Link::AsyncOperation => Seen::Missed(ArmError::bad_body(line, "JSON with a `status`", response)),
            };
        };
        match status.to_ascii_lowercase().as_str() {
            "succeeded" => Seen::Succeeded,
            "failed" | "canceled" | "cancelled" => {
                let failure = OperationFailure::new(self.id().to_owned(), status, response);
                Seen::Ended(ArmError::OperationFailed(Box::new(failure)))
            }
            _ => Seen::Running(Some(status)),
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("link", &self.link).field("id", &self.id()).finish_non_exhaustive()
    }
}

impl ArmClient {
    /// Polls `operation` until it has ended, and hands each status that ARM reports to `progress`.
    ///
    /// `Ok` says that ARM calls the operation succeeded; what the resource is then is read with [`ArmClient::get`].
    ///
    /// # Errors
    ///
    /// [`ArmError::OperationFailed`] when it failed or was canceled, [`ArmError::TimedOut`] when `deadline` came
    /// first, [`ArmError::ForeignHost`] when its URL is not on the ARM endpoint, [`ArmError::StatusUnreadable`] when
    /// several polls in a row told nothing or one was answered with 403 or 410, and [`ArmError::Token`].
    pub async fn wait(
        &self,
        operation: &Operation,
        deadline: Timestamp,
        progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ArmError> {
        self.wait_paced(operation, deadline, &mut Self::backoff(), progress).await
    }

    /// The same, with the pauses between polls, which do not end. `progress` hears of it in long ones, too.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub async fn wait_paced(
        &self,
        operation: &Operation,
        deadline: Timestamp,
        pauses: &mut (dyn Iterator<Item = Duration> + Send),
        progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ArmError> {
        let call = Call::follow(self.origin(), operation.link.header(), &operation.url)?.poll();
        let mut asked = operation.retry_after;
        let mut last_status: Option<String> = None;
        let mut misses = 0;
        for delay in pauses {
            let left = Duration::try_from(deadline.duration_since(self.now())).unwrap_or_default();
            if left.is_zero() {
                break;
            }
            let asked_now = asked.take().filter(|asked| !asked.is_zero());
            let status = last_status.as_deref().unwrap_or("accepted");
            self.sleep_telling(asked_now.unwrap_or(delay), left, &mut || progress(status)).await;
            let left = Duration::try_from(deadline.duration_since(self.now())).unwrap_or_default();
            let seen = match self.send_once(&call, left.min(ONE_POLL)).await {
                Ok(response) => {
                    asked = retry::retry_after(response.headers());
                    operation.see(call.line(), &response)
                }
                Err(error @ ArmError::Transport { .. }) => Seen::Missed(error),
                Err(error) => Seen::Ended(error),
            };
            match seen {
                Seen::Succeeded => return Ok(()),
                Seen::Ended(error) => return Err(error),
                Seen::Missed(error) if misses == MISSES => return Err(operation.unreadable(error)),
                Seen::Missed(_) => misses += 1,
                Seen::Running(status) => {
                    misses = 0;
                    if let Some(status) = status {
                        progress(&status);
                        last_status = Some(status);
                    }
                }
            }
        }
        let last_status = last_status.unwrap_or_else(|| "not reported".to_owned());
        Err(ArmError::TimedOut { operation_id: operation.id().to_owned(), last_status })
    }
}

fn status_of(response: &Response) -> Option<String> {
    json(response)?.get("status")?.as_str().filter(|status| !status.is_empty()).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const SIGNED: &str = "https://management.azure.com/a/operations/0p-1?api-Version=1&s=SIGNATURE";

    fn response(status: u16, headers: &[(&'static str, &'static str)]) -> Response {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().unwrap());
        }
        response
    }

    #[test]
    fn the_async_operation_wins_and_location_counts_only_on_202() {
        let rp = "https://eastus.rp.example/x";
        let link = |response: &Response| Operation::started_by(response).map(|operation| operation.link);
        assert_eq!(
            link(&response(201, &[("azure-asyncoperation", SIGNED), ("location", rp)])),
            Some(Link::AsyncOperation)
        );
        assert_eq!(link(&response(200, &[("azure-asyncoperation", SIGNED)])), Some(Link::AsyncOperation));
        assert_eq!(link(&response(202, &[("location", rp)])), Some(Link::Location));
        assert_eq!(link(&response(201, &[("location", rp)])), None);
        assert_eq!(link(&response(200, &[])), None);
    }

    #[test]
    fn an_operation_shows_its_id_and_never_its_signature() {
        let operation = Operation::started_by(&response(202, &[("azure-asyncoperation", SIGNED)])).unwrap();
        assert_eq!(operation.id(), "0p-1");
        let shown = format!("{operation:?}");
        assert!(shown.contains("0p-1") && !shown.contains("SIGNATURE"), "{shown}");
    }
}
