//! What a command could not do: what failed, why, and what to do next.

use std::error::Error;

use super::Exit;
use crate::arm::ArmError;
pub(super) use crate::model::with_causes as chain;

/// Why a command ended early.
#[derive(Debug)]
pub(super) struct CliError {
    pub(super) exit: Exit,
    /// What failed, and why: each is one paragraph.
    pub(super) messages: Vec<String>,
    /// What belongs to the messages, an item each: everything that was tried, everything that is different.
    pub(super) details: Vec<String>,
    pub(super) hint: Option<String>,
}

impl CliError {
    /// An error.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { exit: Exit::Error, messages: vec![message.into()], details: Vec::new(), hint: None }
    }

    /// Something that a safety rule does not allow.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, ..Self::new(message) }
    }

    /// A wrong command line.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(message) }
    }

    /// The end of a run that somebody has interrupted.
    pub(super) fn interrupted(message: impl Into<String>) -> Self {
        Self { exit: Exit::Interrupted, ..Self::new(message) }
    }

    /// An error with everything behind it.
    pub(super) fn because(what: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        Self::new(format!("{}: {}", what.into(), chain(error)))
    }

    /// Several errors.
    pub(super) fn several(messages: Vec<String>) -> Self {
        Self { exit: Exit::Error, messages, details: Vec::new(), hint: None }
    }

    /// What could not be read. What broke several requests in the same way is told once.
    pub(super) fn unread(errors: &[ArmError]) -> Self {
        let mut broken: Vec<(String, String, usize)> = Vec::new();
        let mut messages = Vec::new();
        for error in errors {
            match error {
                ArmError::Transport { request, source } => {
                    let why = chain(source);
                    match broken.iter_mut().find(|(_, known, _)| *known == why) {
                        Some((_, _, more)) => *more += 1,
                        None => broken.push((request.to_string(), why, 0)),
                    }
                }
                ArmError::Status(_)
                | ArmError::Abandoned
                | ArmError::Token(_)
                | ArmError::ForeignHost { .. }
                | ArmError::BadRequest { .. }
                | ArmError::BadBody { .. }
                | ArmError::EndlessList { .. }
                | ArmError::OperationFailed(_)
                | ArmError::StatusUnreadable { .. }
                | ArmError::TimedOut { .. } => messages.push(chain(error)),
            }
        }
        messages.extend(broken.into_iter().map(|(request, why, more)| match more {
            0 => format!("no response to {request}: {why}"),
            1 => format!("no response to {request}, nor to another request: {why}"),
            _ => format!("no response to {request}, nor to {more} other requests: {why}"),
        }));
        Self::several(messages)
    }

    pub(super) fn details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
