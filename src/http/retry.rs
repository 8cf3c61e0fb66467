//! Whether a request may be sent again, and when. Pure decisions: whoever asks does the waiting.
//!
//! [`verdict`] is the table of what a failure allows; [`decide`] adds how often and how long. What the codes of a service
//! mean is not known here.

use std::time::Duration;

use ::http::{HeaderMap, Method, StatusCode};

use super::TransportError;
use super::message::header;

/// How often one request is sent at most, the first time included, as long as nobody has answered: the address is
/// probably wrong, or there is no network, and people wait for the error.
pub const ATTEMPTS_UNANSWERED: u32 = 5;
/// The same, once the server has answered something: it is there, and will be again. With one request in ten failing,
/// one in ten thousand million fails for good.
pub const ATTEMPTS: u32 = 10;
/// How often one request is turned away with a 429 at most. It does not count as an attempt: nothing is wrong with it.
pub const REFUSALS: u32 = 20;
/// The first own delay; each later one is twice the one before.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest own delay.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// How long one request is tried in all where the server asks for nothing, its attempts and the delays between them.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long an attempt may take at least: opening a connection does.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(15);
/// How long one request is delayed in all where the server asks for it. Beyond it people are better served by the error.
const LONGEST_ASKED: Duration = Duration::from_secs(600);
/// How long nothing is sent after a 429 that does not say; as much again is spread.
const UNASKED_PAUSE: Duration = Duration::from_secs(10);

/// What sending a request a second time could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it only reads.
    Read,
    /// Something a second time. A PUT or a DELETE, too: in between, somebody else may have written.
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
    /// A success with a body that the server never writes: a page of something on the way, which may have swallowed the
    /// request.
    Page,
    /// The server has not seen the request.
    NotSent,
    /// The connection broke: the server may have seen the request.
    Broken,
    /// The answer is larger than is read. It would be again.
    TooLarge,
    /// The request is not one that may be sent, or the server is not trusted.
    Refused,
}

impl From<&TransportError> for Failure {
    fn from(error: &TransportError) -> Self {
        match error {
            TransportError::Connect { .. } => Self::NotSent,
            TransportError::Broken { .. } => Self::Broken,
            TransportError::TooLarge { .. } => Self::TooLarge,
            TransportError::Untrusted { .. } | TransportError::Refused { .. } => Self::Refused,
        }
    }
}

/// What a failure allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// To send the request again: nothing has happened, or nothing can.
    Repeat,
    /// To send the request again as soon as the server takes requests: it has turned this one away unread.
    RepeatWhenOpen,
    /// To read what was written to: the write may have been carried out.
    ReadFirst,
    /// Nothing: that is the answer.
    Final,
}

/// The decision table: what a failure of a request with this effect allows.
#[must_use]
pub fn verdict(effect: Effect, failure: Failure) -> Verdict {
    let if_read = |verdict: Verdict| match effect {
        Effect::Read => verdict,
        Effect::Write => Verdict::ReadFirst,
    };
    match failure {
        Failure::NotSent => Verdict::Repeat,
        Failure::Refused => Verdict::Final,
        Failure::Broken | Failure::Page => if_read(Verdict::Repeat),
        Failure::TooLarge => if_read(Verdict::Final),
        Failure::Status(status) => match status {
            StatusCode::TOO_MANY_REQUESTS => Verdict::RepeatWhenOpen,
            // The server does not know the method, or this version of HTTP: nothing was done.
            StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => Verdict::Final,
            // Whoever says so may be a gateway, and what is behind it may go on with the request. That holds for a 503,
            // too: "busy" may come from far behind.
            StatusCode::REQUEST_TIMEOUT => if_read(Verdict::Repeat),
            status if status.is_server_error() => if_read(Verdict::Repeat),
            _ => Verdict::Final,
        },
    }
}

/// What was done for one request before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tried {
    /// How often it failed, refusals apart.
    pub failures: u32,
    /// How often it was turned away with a 429.
    pub refusals: u32,
    /// How long it was delayed in all, refusals apart.
    pub delayed: Duration,
    /// How long its attempts took in all: the server was silent, or on its way to an answer that was of no use.
    pub attempted: Duration,
}

impl Tried {
    /// Whether it was sent before.
    #[must_use]
    pub fn any(&self) -> bool {
        self.failures > 0 || self.refusals > 0
    }
}

/// What to do about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Send the request again after this long.
    After(Duration),
    /// Send the request again as soon as the server takes requests ([`pause`]).
    WhenOpen,
    /// Report the failure: [`verdict`] says what it leaves open.
    GiveUp,
}

/// Decides about one failed attempt.
///
/// `tried` is what was before it, `answered` whether this server has ever answered anything, `asked` the delay that it
/// asked for, if it did. `jitter` is a random number from 0 to 1: the own delay is spread over its whole range (full
/// jitter), so that many that failed together do not come back together.
#[must_use]
pub fn decide(
    effect: Effect,
    failure: Failure,
    tried: Tried,
    answered: bool,
    asked: Option<Duration>,
    jitter: f64,
) -> Retry {
    let Tried { failures, refusals, delayed, attempted } = tried;
    match verdict(effect, failure) {
        Verdict::ReadFirst | Verdict::Final => Retry::GiveUp,
        Verdict::RepeatWhenOpen => {
            let too_long = asked.is_some_and(|asked| asked > LONGEST_ASKED);
            if too_long || refusals + 1 >= REFUSALS { Retry::GiveUp } else { Retry::WhenOpen }
        }
        Verdict::Repeat => {
            let attempts = if answered { ATTEMPTS } else { ATTEMPTS_UNANSWERED };
            let ceiling = FIRST_DELAY.saturating_mul(1 << failures.min(16)).min(LONGEST_DELAY);
            let (delay, spent, limit) = match asked {
                // The jitter is added: before the asked time the answer would be the same.
                Some(asked) => (asked.saturating_add(share(FIRST_DELAY, jitter)), delayed, LONGEST_ASKED + FIRST_DELAY),
                None => (share(ceiling, jitter), delayed.saturating_add(attempted), PATIENCE),
            };
            if failures + 1 >= attempts || spent.saturating_add(delay) > limit {
                Retry::GiveUp
            } else {
                Retry::After(delay)
            }
        }
    }
}

/// How long the next attempt of a read may take: what is left of the two minutes in which it is tried. A server that takes
/// calls and does not answer is not waited for longer than one that does not take them.
#[must_use]
pub fn patience(tried: Tried) -> Duration {
    let spent = tried.delayed.saturating_add(tried.attempted);
    PATIENCE.saturating_sub(spent).max(SHORTEST_ATTEMPT)
}

/// How long nothing of the kind is sent after a 429, which says that everybody comes too fast; `None` when it asks for
/// longer than anybody waits. `jitter` as for [`decide`].
#[must_use]
pub fn pause(asked: Option<Duration>, jitter: f64) -> Option<Duration> {
    match asked {
        Some(asked) if asked > LONGEST_ASKED => None,
        Some(asked) => Some(asked + share(FIRST_DELAY, jitter)),
        None => Some(UNASKED_PAUSE + share(UNASKED_PAUSE, jitter)),
    }
}

fn share(whole: Duration, jitter: f64) -> Duration {
    Duration::try_from_secs_f64(whole.as_secs_f64() * jitter.clamp(0.0, 1.0)).unwrap_or(whole)
}

/// What a `Retry-After` header asks for: its seconds, or the time from `Date` to the date that it names (RFC 9110
/// §10.2.3). `None` when it is absent or neither.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = header(headers, "retry-after")?.trim();
    let date = |text: &str| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    let until = || {
        let between = date(text)?.duration_since(date(header(headers, "date")?)?);
        Some(Duration::try_from(between).unwrap_or_default())
    };
    text.parse().ok().map(Duration::from_secs).or_else(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_TRIED: Tried = Tried { failures: 0, refusals: 0, delayed: Duration::ZERO, attempted: Duration::ZERO };

    #[test]
    fn an_absurd_wait_is_not_waited_for() {
        for failure in
            [Failure::Status(StatusCode::SERVICE_UNAVAILABLE), Failure::Status(StatusCode::TOO_MANY_REQUESTS)]
        {
            let asked = Some(Duration::MAX);
            assert_eq!(decide(Effect::Read, failure, NOT_TRIED, true, asked, 1.0), Retry::GiveUp, "{failure:?}");
        }
    }

    #[test]
    fn the_table() {
        use Verdict::{Final, ReadFirst, Repeat, RepeatWhenOpen};
        let status = |code: u16| Failure::Status(StatusCode::from_u16(code).unwrap());
        for (failure, read, write) in [
            (Failure::NotSent, Repeat, Repeat),
            (Failure::Broken, Repeat, ReadFirst),
            (Failure::Page, Repeat, ReadFirst),
            (Failure::TooLarge, Final, ReadFirst),
            (Failure::Refused, Final, Final),
            (status(302), Final, Final),
            (status(400), Final, Final),
            (status(401), Final, Final),
            (status(403), Final, Final),
            (status(404), Final, Final),
            (status(407), Final, Final),
            (status(408), Repeat, ReadFirst),
            (status(409), Final, Final),
            (status(412), Final, Final),
            (status(429), RepeatWhenOpen, RepeatWhenOpen),
            (status(500), Repeat, ReadFirst),
            (status(501), Final, Final),
            (status(502), Repeat, ReadFirst),
            (status(503), Repeat, ReadFirst),
            (status(504), Repeat, ReadFirst),
            (status(505), Final, Final),
            (status(511), Repeat, ReadFirst),
            (status(599), Repeat, ReadFirst),
        ] {
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(verdict(Effect::from(&method), failure), read, "{method} {failure:?}");
            }
            for method in [Method::PUT, Method::PATCH, Method::POST, Method::DELETE] {
                assert_eq!(verdict(Effect::from(&method), failure), write, "{method} {failure:?}");
            }
        }
    }

    #[test]
    fn only_what_may_be_repeated_is() {
        for (effect, failure, again) in [
            (Effect::Read, Failure::Broken, true),
            (Effect::Write, Failure::NotSent, true),
            (Effect::Write, Failure::Broken, false),
            (Effect::Read, Failure::Status(StatusCode::NOT_FOUND), false),
        ] {
            let decided = decide(effect, failure, NOT_TRIED, true, None, 0.5);
            assert_eq!(decided != Retry::GiveUp, again, "{effect:?} {failure:?}");
        }
    }

    /// The delays of a request that fails for ever.
    fn delays(answered: bool, asked: Option<Duration>, jitter: f64) -> Vec<u64> {
        let mut tried = NOT_TRIED;
        let mut delays = Vec::new();
        while let Retry::After(delay) = decide(Effect::Read, Failure::Broken, tried, answered, asked, jitter) {
            delays.push(delay.as_secs());
            tried = Tried { failures: tried.failures + 1, delayed: tried.delayed + delay, ..tried };
        }
        delays
    }

    #[test]
    fn own_delays_double_to_a_limit_and_attempts_end() {
        assert_eq!(delays(true, None, 0.5), [0, 1, 2, 4, 8, 15, 15, 15, 15]);
        // However large the delays fall, two minutes are the limit.
        assert_eq!(delays(true, None, 1.0), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(delays(true, None, f64::NAN), delays(true, None, 1.0));
        // A server that nobody has ever heard of is given up sooner.
        assert_eq!(delays(false, None, 1.0), [1, 2, 4, 8]);
    }

    #[test]
    fn the_time_of_the_attempts_counts() {
        let after = |seconds, asked| {
            let tried = Tried { failures: 1, attempted: Duration::from_secs(seconds), ..NOT_TRIED };
            (decide(Effect::Read, Failure::Broken, tried, true, asked, 1.0), patience(tried).as_secs())
        };
        assert_eq!(after(100, None), (Retry::After(Duration::from_secs(2)), 20));
        assert_eq!(after(119, None), (Retry::GiveUp, 15));
        // Who says when to come again has answered.
        assert_eq!(after(300, Some(Duration::ZERO)).0, Retry::After(Duration::from_secs(1)));
        assert_eq!(patience(NOT_TRIED), PATIENCE);
    }

    #[test]
    fn what_the_server_asks_for_is_the_least_delay_and_has_its_own_limit() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(delays(true, seconds(250), 1.0), [251, 251]);
        assert_eq!(delays(true, seconds(600), 1.0), [601]);
        assert_eq!(delays(true, seconds(3600), 1.0).len(), 0);
        assert_eq!(delays(true, seconds(0), 0.0).len(), 9);
    }

    #[test]
    fn a_refusal_for_coming_too_fast_has_a_count_of_its_own() {
        let status = Failure::Status(StatusCode::TOO_MANY_REQUESTS);
        let decided = |refusals, asked| {
            let tried = Tried { failures: 9, refusals, delayed: PATIENCE, attempted: PATIENCE };
            decide(Effect::Write, status, tried, true, asked, 1.0)
        };
        assert_eq!(decided(0, None), Retry::WhenOpen);
        assert_eq!(decided(REFUSALS - 2, Some(LONGEST_ASKED)), Retry::WhenOpen);
        assert_eq!(decided(REFUSALS - 1, None), Retry::GiveUp);
        assert_eq!(decided(0, Some(LONGEST_ASKED * 2)), Retry::GiveUp);
    }

    #[test]
    fn everybody_pauses_for_as_long_as_is_asked_and_a_little_more() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(pause(seconds(6), 0.0), seconds(6));
        assert_eq!(pause(seconds(6), 1.0), seconds(7));
        assert_eq!(pause(None, 0.0), seconds(10));
        assert_eq!(pause(None, 1.0), seconds(20));
        assert_eq!(pause(seconds(3600), 0.0), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let asked = |value: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", value.parse().unwrap());
            if let Some(date) = date {
                headers.insert("date", date.parse().unwrap());
            }
            retry_after(&headers).map(|asked| asked.as_secs())
        };
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(asked(" 17 ", None), Some(17));
        assert_eq!(asked("Sun, 06 Nov 1994 08:50:37 GMT", date), Some(60));
        assert_eq!(asked("Sun, 06 Nov 1994 08:40:37 GMT", date), Some(0));
        assert_eq!(asked("Sun, 06 Nov 1994 08:50:37 GMT", None), None);
        for nonsense in ["", "soon", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(asked(nonsense, date), None, "{nonsense}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
