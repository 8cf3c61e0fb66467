//! What a place in a spec is called, and what is said about a text that does not have the form that its place needs.

use super::codes::{self, Row};
use crate::model::{Diagnostic, FieldPath, Seconds, Segment, Span};

/// The key that a path ends with.
pub(super) fn last_key(path: &FieldPath) -> Option<&str> {
    match path.segments().last()? {
        Segment::Key(key) => Some(key),
        Segment::Index(_) => None,
    }
}

/// What a path is about, in the words of messages.
pub(super) fn subject(path: &FieldPath) -> String {
    match path.segments() {
        [] => "the spec".to_owned(),
        [.., Segment::Key(list), Segment::Index(index)] => format!("item {} of `{list}`", index + 1),
        [.., Segment::Key(key)] => format!("`{key}`"),
        [.., Segment::Index(index)] => format!("item {}", index + 1),
    }
}

/// The keys of durations.
pub(super) fn is_duration_key(key: &str) -> bool {
    ["interval", "timeout", "retryInterval", "reconciliationWaitDuration"].contains(&key)
}

/// A text that does not have the form that its place needs.
pub(super) fn form(path: &FieldPath, is_key: bool, text: &str, span: Span) -> Diagnostic {
    let (row, message, hint): (Row, String, &str) = match (last_key(path).unwrap_or_default(), parent_key(path)) {
        (_, Some("substitute")) if is_key => (
            codes::BAD_NAME,
            format!("`{text}` is not the name of a variable"),
            "letters, digits and underscores, and no digit first",
        ),
        (_, Some("values")) if is_key => (
            codes::BAD_NAME,
            format!("`{text}` is not the name of a value"),
            "letters, digits, `_` and `-`, and a letter first",
        ),
        (_, Some("configurations" | "kustomizations")) if is_key => (
            codes::BAD_NAME,
            format!("`{text}` is not a valid name"),
            "63 characters at most: lower-case letters, digits, `-` and `.`, with a letter or digit at both ends",
        ),
        (_, Some("clusters")) if is_key => (codes::BAD_NAME, format!("`{text}` is not a valid name"), CLUSTER_NAME),
        ("name", Some("resourceGroup")) | ("resourceGroup", _) => (
            codes::BAD_NAME,
            format!("`{text}` is not a valid name of a resource group"),
            "90 characters at most: letters, digits, `-`, `_`, `.`, `(` and `)`, and no `.` at the end",
        ),
        ("name", Some("extension")) => (
            codes::BAD_NAME,
            format!("`{text}` is not a valid name"),
            "letters, digits, `-` and `.`, with a letter or digit first",
        ),
        ("name", _) if is_item_of(path, "substituteFrom") => (
            codes::BAD_NAME,
            format!("`{text}` is not a valid name of a Kubernetes object"),
            "lower-case letters, digits, `-` and `.`, with a letter or digit at both ends",
        ),
        ("name", _) => (codes::BAD_NAME, format!("`{text}` is not a valid name"), CLUSTER_NAME),
        ("namespace", _) => (
            codes::BAD_NAME,
            format!("`{text}` is not a valid namespace"),
            "63 characters at most: lower-case letters, digits and `-`, with a letter or digit at both ends",
        ),
        ("localAuthRef", _) => (
            codes::BAD_NAME,
            format!("`{text}` is not a valid name of a Kubernetes secret"),
            "lower-case letters, digits, `-` and `.`, with a letter or digit at both ends",
        ),
        ("subscription" | "tenant", _) => (
            codes::NOT_A_GUID,
            format!("{} is not a GUID", subject(path)),
            "write the id, not the display name; `az account show` prints both",
        ),
        ("clientId" | "tenantId", _) => (
            codes::NOT_A_GUID,
            format!("{} is not a GUID", subject(path)),
            "write the id, such as 0f6d2c1b-7a3e-4c58-9b1d-2e5f8a7c6d40",
        ),
        (_, Some("apiVersions")) => {
            (codes::WRONG_FORM, format!("`{text}` is not an api-version"), "write a date, such as `2024-11-01`")
        }
        ("releaseNamespace", _) => (
            codes::BAD_NAME,
            format!("`{text}` is not a valid namespace"),
            "63 characters at most: lower-case letters, digits and `-`, with a letter or digit at both ends",
        ),
        ("version", _) => {
            (codes::WRONG_FORM, format!("`{text}` is not a version"), "write all three numbers, such as `1.18.5`")
        }
        ("digest", _) => (
            codes::WRONG_FORM,
            "`digest` is not the digest of an artifact".to_owned(),
            "write `sha256:` and all 64 hexadecimal digits, in lower case",
        ),
        (key, _) if is_duration_key(key) => return bad_duration(key, text, span),
        ("commit", _) => (
            codes::WRONG_FORM,
            "`commit` is not a full commit id".to_owned(),
            "write all 40 hexadecimal digits, in lower case: `git rev-parse HEAD` prints them",
        ),
        ("semver", _) => (
            codes::WRONG_FORM,
            format!("`{text}` is not a range of versions"),
            "write a range such as `>=1.0.0 <2.0.0`",
        ),
        ("maxDelete" | "maxUpdate", _) => (
            codes::WRONG_FORM,
            format!("{} is not a limit", subject(path)),
            "write a number such as `5`, or a share such as `30%`",
        ),
        (_, Some("providers")) => (
            codes::BAD_NAME,
            format!("`{text}` is not a resource provider"),
            "write its namespace, such as `Microsoft.Kubernetes`",
        ),
        _ if text.is_empty() => {
            (codes::WRONG_FORM, format!("{} is empty", subject(path)), "give it a value, or take the line out")
        }
        _ => (
            codes::WRONG_FORM,
            format!("{} does not have the right form", subject(path)),
            "see the schema: `arcflux schema`",
        ),
    };
    row.at(span, message).with_hint(hint)
}

const CLUSTER_NAME: &str = "63 characters at most: letters, digits, `-`, `_` and `.`, with a letter or digit first";

/// A duration that cannot be read.
pub(super) fn bad_duration(key: &str, text: &str, span: Span) -> Diagnostic {
    let why =
        text.parse::<Seconds>().err().map_or_else(|| format!("`{text}` is not a duration"), |error| error.to_string());
    codes::BAD_DURATION.at(span, format!("`{key}`: {why}"))
}

/// Whether the path is a key of an item of this list.
fn is_item_of(path: &FieldPath, list: &str) -> bool {
    matches!(path.segments(), [.., Segment::Key(key), Segment::Index(_), Segment::Key(_)] if key == list)
}

fn parent_key(path: &FieldPath) -> Option<&str> {
    match path.segments() {
        [.., Segment::Key(parent), _] => Some(parent),
        _ => None,
    }
}
