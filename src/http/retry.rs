//! Whether a request may be sent again, and when. A pure decision: whoever asks does the waiting.

use std::time::Duration;

use ::http::{Method, StatusCode};

use super::TransportError;

/// How often one request is sent at most, the first time included.
pub const ATTEMPTS: u32 = 5;
/// The first own delay; each later one is twice the one before.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest own delay.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// The longest delay that a server may ask for. Beyond it people are better served by the error.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// What sending a request a second time could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it only reads.
    Read,
    /// Something a second time: it may be sent again only when the server certainly has not acted on it.
    Write,
}

impl From<&Method> for Effect {
    fn from(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Read,
            _ => Self::Write,
        }
    }
}

/// How an attempt ended, when it did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The server answered with this status.
    Status(StatusCode),
    /// The server has not seen the request.
    NotSent,
    /// The connection broke: the server may have seen the request.
    Broken,
    /// It would end the same way again: the request is not one that may be sent, or its answer is too large.
    Hopeless,
}

impl From<&TransportError> for Failure {
    fn from(error: &TransportError) -> Self {
        match error {
            TransportError::Connect { .. } => Self::NotSent,
            TransportError::Broken { .. } => Self::Broken,
            TransportError::Untrusted { .. } | TransportError::Refused { .. } | TransportError::TooLarge { .. } => {
                Self::Hopeless
            }
        }
    }
}

/// What to do about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Send the request again after this long.
    After(Duration),
    /// Report the failure.
    GiveUp,
}

/// Decides about one failed attempt.
///
/// `attempt` counts from 1. `asked` is the delay that the server asked for, if it did. `jitter` is a random number
/// from 0 to 1: the own delay is spread over its whole range (full jitter), so that many clients that failed together
/// do not come back together.
#[must_use]
pub fn decide(effect: Effect, failure: Failure, attempt: u32, asked: Option<Duration>, jitter: f64) -> Retry {
    if attempt >= ATTEMPTS || !repeatable(effect, failure) {
        return Retry::GiveUp;
    }
    let ceiling = FIRST_DELAY.saturating_mul(1 << (attempt.saturating_sub(1)).min(16)).min(LONGEST_DELAY);
    let own = Duration::try_from_secs_f64(ceiling.as_secs_f64() * jitter.clamp(0.0, 1.0)).unwrap_or(ceiling);
    match asked {
        Some(asked) if asked > LONGEST_ASKED => Retry::GiveUp,
        // The jitter is added: before the asked time the answer would be the same.
        Some(asked) => Retry::After(asked + own.min(FIRST_DELAY)),
        None => Retry::After(own),
    }
}

fn repeatable(effect: Effect, failure: Failure) -> bool {
    match (failure, effect) {
        (Failure::Status(StatusCode::TOO_MANY_REQUESTS) | Failure::NotSent, Effect::Read | Effect::Write) => true,
        (Failure::Status(status), Effect::Read) => matches!(
            status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::INTERNAL_SERVER_ERROR
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ),
        (Failure::Broken, Effect::Read) => true,
        (Failure::Status(_) | Failure::Broken, Effect::Write) | (Failure::Hopeless, Effect::Read | Effect::Write) => {
            false
        }
    }
}

/// The seconds of a `Retry-After` header; `None` when it is absent or a date.
#[must_use]
pub fn retry_after(headers: &::http::HeaderMap) -> Option<Duration> {
    super::message::header(headers, "retry-after")?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_JITTER: f64 = 0.0;

    fn again(effect: Effect, failure: Failure) -> bool {
        decide(effect, failure, 1, None, NO_JITTER) != Retry::GiveUp
    }

    #[test]
    fn a_read_is_repeated_after_passing_failures_and_a_write_only_when_it_was_not_acted_on() {
        for (status, read, write) in [
            (200, false, false),
            (400, false, false),
            (404, false, false),
            (408, true, false),
            (409, false, false),
            (429, true, true),
            (500, true, false),
            (501, false, false),
            (502, true, false),
            (503, true, false),
            (504, true, false),
        ] {
            let failure = Failure::Status(StatusCode::from_u16(status).unwrap());
            assert_eq!(again(Effect::Read, failure), read, "read {status}");
            assert_eq!(again(Effect::Write, failure), write, "write {status}");
        }
        for (failure, read, write) in
            [(Failure::NotSent, true, true), (Failure::Broken, true, false), (Failure::Hopeless, false, false)]
        {
            assert_eq!(again(Effect::Read, failure), read, "read {failure:?}");
            assert_eq!(again(Effect::Write, failure), write, "write {failure:?}");
        }
    }

    #[test]
    fn own_delays_double_to_a_limit_and_attempts_end() {
        let delay = |attempt, jitter| decide(Effect::Read, Failure::Broken, attempt, None, jitter);
        let seconds = |seconds| Retry::After(Duration::from_secs(seconds));
        assert_eq!((1..ATTEMPTS).map(|n| delay(n, 1.0)).collect::<Vec<_>>(), [1, 2, 4, 8].map(seconds));
        assert_eq!(delay(3, 0.5), seconds(2));
        assert_eq!(delay(3, f64::NAN), seconds(4));
        assert_eq!(delay(ATTEMPTS, 1.0), Retry::GiveUp);
    }

    #[test]
    fn what_the_server_asks_for_is_the_least_delay_unless_it_is_absurd() {
        let asked = |seconds| {
            let failure = Failure::Status(StatusCode::TOO_MANY_REQUESTS);
            decide(Effect::Write, failure, 4, Some(Duration::from_secs(seconds)), 1.0)
        };
        assert_eq!(asked(6), Retry::After(Duration::from_secs(7)));
        assert_eq!(asked(3600), Retry::GiveUp);
    }

    #[test]
    fn verbs_that_only_read() {
        for (method, effect) in [
            (Method::GET, Effect::Read),
            (Method::HEAD, Effect::Read),
            (Method::PUT, Effect::Write),
            (Method::PATCH, Effect::Write),
            (Method::POST, Effect::Write),
            (Method::DELETE, Effect::Write),
        ] {
            assert_eq!(Effect::from(&method), effect, "{method}");
        }
    }
}
