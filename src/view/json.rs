//! JSON as it is written out.

use serde::Serialize;

use super::escape;

/// An indented document with a line feed at its end.
pub(super) fn pretty<T: Serialize>(value: &T) -> String {
    // Everything that views write has string keys and finite numbers, which is all that serialising can refuse.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{}\n", escape::json(&text))
}

/// One line, without a line feed.
pub(super) fn line<T: Serialize>(value: &T) -> String {
    // As above.
    escape::json(&serde_json::to_string(value).unwrap_or_default())
}
