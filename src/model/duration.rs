//! Durations as people write them (`10m`, `1h30m`) and as ARM wants them (whole seconds).

use std::fmt;
use std::str::FromStr;

use super::text_form;

/// A whole number of seconds, from 1 to 35 791 394: what ARM takes for Flux intervals and timeouts
/// (`../shared/facts/arm-contracts.md` §1.7). Written with the units `h`, `m`, `s`, each at most once, in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(u32);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecondsError {
    /// Not made of numbers with units.
    #[error("`{0}` is not a duration; write it like `10m`, `90s` or `1h30m`")]
    Syntax(String),
    /// Outside ARM's range.
    #[error("`{0}` is outside the range from 1s to 9942h3m14s")]
    Range(String),
}

impl Seconds {
    /// The largest value that ARM takes, in seconds.
    pub const MAX: u32 = 35_791_394;

    /// A duration of `seconds`, when ARM takes it.
    #[must_use]
    pub const fn new(seconds: u32) -> Option<Self> {
        if seconds >= 1 && seconds <= Self::MAX { Some(Self(seconds)) } else { None }
    }

    /// ARM's default for every Flux interval and timeout: ten minutes.
    #[must_use]
    pub const fn ten_minutes() -> Self {
        Self(600)
    }

    /// The number of seconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The duration as ISO 8601 has it: `PT1H30M`.
    #[must_use]
    pub fn to_iso8601(self) -> String {
        format!("PT{}", self.to_string().to_ascii_uppercase())
    }
}

/// The length of an ISO 8601 duration, in seconds; a day is 24 hours, a week seven of them. `None` for a text that is
/// not one, and for months and years, which have no length of their own, and for parts of seconds.
#[must_use]
pub fn iso8601_seconds(text: &str) -> Option<i64> {
    let span: jiff::Span = text.parse().ok().filter(|_| text.starts_with(['P', 'p']))?;
    if (span.get_milliseconds(), span.get_microseconds(), span.get_nanoseconds()) != (0, 0, 0) {
        return None;
    }
    Some(span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?.as_secs())
}

impl FromStr for Seconds {
    type Err = SecondsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let syntax = || SecondsError::Syntax(text.to_owned());
        let range = || SecondsError::Range(text.to_owned());
        let mut total: u64 = 0;
        let mut rest = text;
        for (unit, factor) in [('h', 3600_u64), ('m', 60), ('s', 1)] {
            let Some((number, after)) = rest.split_once(unit) else { continue };
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(syntax());
            }
            let number: u64 = number.parse().map_err(|_| range())?;
            total = number.checked_mul(factor).and_then(|part| total.checked_add(part)).ok_or_else(range)?;
            rest = after;
        }
        if !rest.is_empty() || text.is_empty() {
            return Err(syntax());
        }
        u32::try_from(total).ok().and_then(Self::new).ok_or_else(range)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        for (number, unit) in [(hours, "h"), (minutes, "m"), (seconds, "s")] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

text_form!(Seconds, schema {
    "type": "string",
    "pattern": "^(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
    "examples": ["10m", "90s", "1h30m"]
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in [("10m", 600), ("90s", 90), ("1h30m", 5400), ("1h2m5s", 3725), ("3s", 3)] {
            assert_eq!(text.parse::<Seconds>().map(Seconds::get), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn refuses_what_az_misreads() {
        for text in ["", "10", "500ms", "10mfoo", "1m1h", "1.5h", "-5m", "m", "0s", "10m10m", "99999999999999999999h"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
    }

    #[test]
    fn equal_lengths_are_equal_in_iso_8601() {
        for (text, seconds) in [("PT5M", 300), ("PT300S", 300), ("PT1H30M", 5400), ("P1D", 86_400), ("P1W", 604_800)] {
            assert_eq!(iso8601_seconds(text), Some(seconds), "{text}");
        }
        for text in ["", "5m", "P", "P1M", "P1Y", "PT0.5S", "soon"] {
            assert_eq!(iso8601_seconds(text), None, "{text}");
        }
        let duration: Seconds = "1h30m5s".parse().unwrap();
        assert_eq!(duration.to_iso8601(), "PT1H30M5S");
    }

    #[test]
    fn writes_what_it_reads_back() {
        for seconds in [1, 59, 60, 61, 3600, 3661, 86_400, Seconds::MAX] {
            let duration = Seconds::new(seconds).unwrap();
            assert_eq!(duration.to_string().parse(), Ok(duration));
        }
    }
}
