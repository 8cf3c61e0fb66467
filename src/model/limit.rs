//! How many of something may change at once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A limit: a number of resources, or a share of those that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    Count(u32),
    /// So many of a hundred, from 0 to 100.
    Percent(u32),
}

impl Limit {
    /// Whether `some` of `all` are more than the limit allows.
    #[must_use]
    pub fn is_exceeded_by(self, some: usize, all: usize) -> bool {
        match self {
            Self::Count(most) => u64::try_from(some).unwrap_or(u64::MAX) > u64::from(most),
            Self::Percent(most) => some as u128 * 100 > all as u128 * u128::from(most),
        }
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || LimitError(text.to_owned());
        let number = |digits: &str| -> Result<u32, LimitError> {
            if digits.bytes().all(|byte| byte.is_ascii_digit()) {
                digits.parse().map_err(|_| error())
            } else {
                Err(error())
            }
        };
        match text.strip_suffix('%') {
            Some(digits) => match number(digits)? {
                percent if percent <= 100 => Ok(Self::Percent(percent)),
                _ => Err(error()),
            },
            None => number(text).map(Self::Count),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(most) => write!(f, "{most}"),
            Self::Percent(most) => write!(f, "{most}%"),
        }
    }
}

/// Why a text is not a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a limit; write a number such as `5`, or a share such as `30%`")]
pub struct LimitError(String);

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(most) => serializer.serialize_u32(*most),
            Self::Percent(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let error = serde::de::Error::custom;
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text.parse().map_err(error),
            other => match other.as_u64().and_then(|count| u32::try_from(count).ok()) {
                Some(count) => Ok(Self::Count(count)),
                None => Err(error(LimitError(other.to_string()))),
            },
        }
    }
}

impl schemars::JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["integer", "string"],
            "minimum": 0,
            "maximum": u32::MAX,
            "pattern": "^(100|[0-9]{1,2})%$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shares_are_read_and_written() {
        for (text, limit) in [("0", Limit::Count(0)), ("12", Limit::Count(12)), ("30%", Limit::Percent(30))] {
            assert_eq!(text.parse(), Ok(limit));
            assert_eq!(limit.to_string(), text);
            let json = serde_json::to_value(limit).unwrap();
            assert_eq!(serde_json::from_value::<Limit>(json).unwrap(), limit);
        }
        for text in ["", "%", "101%", "-1", "+1", "3.5", "30 %", "4294967296"] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_is_exceeded_only_above_it() {
        assert!(!Limit::Percent(30).is_exceeded_by(3, 10));
        assert!(Limit::Percent(30).is_exceeded_by(4, 10));
        assert!(Limit::Percent(0).is_exceeded_by(1, 10));
        assert!(!Limit::Percent(100).is_exceeded_by(10, 10));
        assert!(Limit::Count(2).is_exceeded_by(3, 1000));
        assert!(!Limit::Count(2).is_exceeded_by(2, 2));
    }
}
