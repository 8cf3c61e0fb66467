//! Exit codes: a documented table, part of the contract with scripts.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; for `plan`, with or without changes; for `apply`, converged.
    Ok,
    /// An error, an invalid spec, or "no" at the prompt; `doctor`: something is a problem.
    Error,
    /// `plan --detailed-exitcode`: there are changes.
    Changes,
    /// Refused, with nothing written: a safety rule, a moved world, another digest, nobody to ask.
    Refused,
    /// `apply`: something was not reached; `status`: something is not compliant.
    Incomplete,
    /// The command line is wrong. clap's own default is 2, which a script would read as "changes".
    Usage,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Refused => 3,
            Self::Incomplete => 4,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
