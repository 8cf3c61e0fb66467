//! Where a plan's spec came from: what a reviewer should know of it, and whoever plans again.

use serde::{Deserialize, Serialize};

use crate::model::{Diagnostic, Severity};

/// Where the spec of a plan came from, as it was named on the command line, and what somebody should look at in it. Nothing
/// of it is bound by the digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecSource {
    /// The file; `-` was standard input.
    pub file: String,
    /// What it was compared with: a file, or `git:REVISION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The environment variables that it was allowed to read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_env: Vec<String>,
    /// What somebody should look at, in the order of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<SpecWarning>,
}

/// A warning about the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecWarning {
    /// Its code: `AF066`.
    pub code: String,
    /// What it is, in one sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The line of the spec, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl SpecWarning {
    /// The warnings among these problems.
    #[must_use]
    pub fn among(diagnostics: &[Diagnostic]) -> Vec<Self> {
        let warnings = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning);
        warnings
            .map(|Diagnostic { code, severity: _, message, hint, span }| Self {
                code: code.to_string(),
                message: message.clone(),
                hint: hint.clone(),
                line: span.map(|span| span.line),
            })
            .collect()
    }
}
