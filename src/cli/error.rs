//! What a command could not do: what failed, why, and what to do next.

use std::error::Error;

use super::Exit;

/// Why a command ended early.
#[derive(Debug)]
pub(super) struct CliError {
    pub(super) exit: Exit,
    /// What failed, and why: each is one paragraph.
    pub(super) messages: Vec<String>,
    pub(super) hint: Option<String>,
}

impl CliError {
    /// An error.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { exit: Exit::Error, messages: vec![message.into()], hint: None }
    }

    /// Something that a safety rule does not allow.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, ..Self::new(message) }
    }

    /// A wrong command line.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(message) }
    }

    /// An error with everything behind it.
    pub(super) fn because(what: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        Self::new(format!("{}: {}", what.into(), chain(error)))
    }

    /// Several errors.
    pub(super) fn several(messages: Vec<String>) -> Self {
        Self { exit: Exit::Error, messages, hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// An error and its sources, joined.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
