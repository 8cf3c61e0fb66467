//! What forges answer to whoever comes too fast.
//!
//! GitHub says so with 403 as well as with 429: its primary limit by `x-ratelimit-remaining: 0` and the second at which it
//! is reset, its secondary one by `Retry-After`, or by its message alone, and then for at least a minute ("Best practices
//! for using the REST API", GitHub's documentation). GitLab and Azure DevOps answer 429 with `Retry-After`.

use std::time::Duration;

use ::http::StatusCode;
use jiff::Timestamp;

use crate::http::Response;
use crate::http::message::header;
use crate::http::retry::{self, Failure};

/// How long a secondary limit lasts at least, where the answer does not say.
const UNSAID: Duration = Duration::from_secs(60);

/// What an answer that is not a success is in the terms of the retry table.
pub(super) fn failure(response: &Response) -> Failure {
    let status = response.status();
    let too_fast = status == StatusCode::FORBIDDEN
        && (is_used_up(response) || header(response.headers(), "retry-after").is_some() || is_secondary(response));
    Failure::Status(if too_fast { StatusCode::TOO_MANY_REQUESTS } else { status })
}

/// How long an answer asks to wait.
pub(super) fn asked(response: &Response, now: Timestamp) -> Option<Duration> {
    let until_reset = || {
        let reset = header(response.headers(), "x-ratelimit-reset")?.trim().parse().ok()?;
        let wait = Timestamp::from_second(reset).ok()?.duration_since(now);
        // A second more: the clocks of two machines differ.
        Some(Duration::try_from(wait).unwrap_or_default() + Duration::from_secs(1))
    };
    retry::retry_after(response.headers())
        .or_else(|| until_reset().filter(|_| is_used_up(response)))
        .or_else(|| is_secondary(response).then_some(UNSAID))
}

fn is_used_up(response: &Response) -> bool {
    header(response.headers(), "x-ratelimit-remaining").is_some_and(|left| left.trim() == "0")
}

fn is_secondary(response: &Response) -> bool {
    let limited = matches!(response.status(), StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    let says = |words: &[u8]| response.body().windows(words.len()).any(|part| part.eq_ignore_ascii_case(words));
    limited && (says(b"secondary rate limit") || says(b"abuse detection"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn both_limits_of_github_are_told_from_a_denial() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let reset = (now.as_second() + 90).to_string();
        let past = (now.as_second() - 90).to_string();
        let denied = r#"{"message":"Resource not accessible by integration"}"#;
        let primary = r#"{"message":"API rate limit exceeded for installation ID 1."}"#;
        let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}"#;
        for (status, headers, body, too_fast, wait) in [
            (403, vec![], denied, false, None),
            (403, vec![("x-ratelimit-remaining", "4000"), ("x-ratelimit-reset", &reset)], denied, false, None),
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)], primary, true, Some(91)),
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &past)], primary, true, Some(1)),
            (429, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)], primary, true, Some(91)),
            (403, vec![("retry-after", "30")], secondary, true, Some(30)),
            (429, vec![("retry-after", "30")], secondary, true, Some(30)),
            (403, vec![], secondary, true, Some(60)),
            (429, vec![], "Retry later", true, None),
            (404, vec![], secondary, false, None),
        ] {
            let mut response = Response::new(Bytes::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            let limited = failure(&response) == Failure::Status(StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(limited, too_fast, "{status} {body}");
            assert_eq!(asked(&response, now).map(|wait| wait.as_secs()), wait, "{status} {body}");
        }
    }
}
