//! When two spellings of a value mean the same, by the habit of their field.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use crate::model::{Habit, iso8601_seconds};

/// Whether the two mean the same. What no habit excuses is compared as it stands.
pub(super) fn same(habit: Habit, one: &Value, other: &Value) -> bool {
    match habit {
        Habit::Word(_) | Habit::ImmutableWord(_) | Habit::KeepFoundWord => same_word(one, other),
        Habit::Set => same_set(one, other),
        Habit::Base64Text => same_encoded_text(one, other),
        Habit::Duration => same_duration(one, other),
        Habit::Plain
        | Habit::Text
        | Habit::Default(_)
        | Habit::ReadOnly
        | Habit::Immutable(_)
        | Habit::Secrets
        | Habit::KeepFound
        | Habit::KeepFoundImmutable => one == other || same_integer(one, other),
    }
}

fn same_word(one: &Value, other: &Value) -> bool {
    matches!((one, other), (Value::String(one), Value::String(other)) if one.eq_ignore_ascii_case(other))
}

fn same_set(one: &Value, other: &Value) -> bool {
    let (Value::Array(one), Value::Array(other)) = (one, other) else { return false };
    one.iter().all(|item| other.contains(item)) && other.iter().all(|item| one.contains(item))
}

/// People encode with and without padding, and with tools that break lines.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn same_encoded_text(one: &Value, other: &Value) -> bool {
    let lines = |value: &Value| encoded_lines(value.as_str()?);
    lines(one).is_some_and(|one| lines(other) == Some(one))
}

/// The lines of a text that stands in base64, without white space at the ends of the text and whatever ends a line: what
/// two such texts are compared by. `None` where it is not base64.
#[must_use]
pub fn encoded_lines(encoded: &str) -> Option<Vec<Vec<u8>>> {
    let encoded: String = encoded.split_ascii_whitespace().collect();
    let text = LENIENT.decode(encoded).ok()?;
    let lines = text.trim_ascii().split(|byte| *byte == b'\n');
    Some(lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect())
}

fn same_duration(one: &Value, other: &Value) -> bool {
    let length = |value: &Value| iso8601_seconds(value.as_str()?);
    length(one).is_some_and(|one| length(other) == Some(one))
}

/// `600` and `600.0` are one number in JSON.
fn same_integer(one: &Value, other: &Value) -> bool {
    whole(one).is_some_and(|one| whole(other) == Some(one))
}

/// The exact value of a whole number, however it is written. Beyond 64 bits numbers are compared as they stand.
fn whole(value: &Value) -> Option<i128> {
    let number = value.as_number()?;
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).or_else(|| {
        let fraction = number.as_f64().filter(|number| number.fract() == 0.0)?;
        format!("{fraction:.0}").parse().ok()
    })
}
