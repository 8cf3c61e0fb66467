//! Things that go wrong, by name: what an operator meets, acted out so that a client can be tested on it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One thing that goes wrong, everywhere in the simulated tenant, for as long as the simulator runs with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// No repository has the branch, tag or commit that is asked for.
    WrongBranch,
    /// Every repository refuses the credentials, or the lack of them.
    AuthenticationFailed,
    /// Kustomizations are non-compliant and progressing for five minutes, then compliant.
    CompliantAfterAWhile,
    /// Every report is dated ten minutes before the last write, for ever: `statusUpdatedAt` never passes it.
    StaleStatuses,
    /// The first kustomization stays at an older revision than the source and the others, and all say they are ready.
    TwoRevisions,
    /// Connected clusters have been silent for two hours: nothing is picked up, so no operation ends.
    AgentOffline,
    /// Installing an extension fails.
    ExtensionInstallFailed,
    /// Creating or updating a flux configuration never ends.
    OperationStuck,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 8] = [
        Self::WrongBranch,
        Self::AuthenticationFailed,
        Self::CompliantAfterAWhile,
        Self::StaleStatuses,
        Self::TwoRevisions,
        Self::AgentOffline,
        Self::ExtensionInstallFailed,
        Self::OperationStuck,
    ];

    /// The name that [`FromStr`] reads and [`fmt::Display`] writes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongBranch => "wrong-branch",
            Self::AuthenticationFailed => "authentication-failed",
            Self::CompliantAfterAWhile => "compliant-after-a-while",
            Self::StaleStatuses => "stale-statuses",
            Self::TwoRevisions => "two-revisions",
            Self::AgentOffline => "agent-offline",
            Self::ExtensionInstallFailed => "extension-install-failed",
            Self::OperationStuck => "operation-stuck",
        }
    }

    /// One line on what happens.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::WrongBranch => "no repository has the branch, tag or commit that is asked for",
            Self::AuthenticationFailed => "every repository refuses to authenticate Flux",
            Self::CompliantAfterAWhile => "kustomizations are non-compliant for five minutes, then compliant",
            Self::StaleStatuses => "every status report is dated ten minutes before the last write, for ever",
            Self::TwoRevisions => "the first kustomization stays at an older revision than the others",
            Self::AgentOffline => "connected clusters are offline, so no operation on them ends",
            Self::ExtensionInstallFailed => "installing an extension fails",
            Self::OperationStuck => "creating or updating a flux configuration never ends",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no scenario's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no scenario named {name:?}; there are {}", Scenario::ALL.map(Scenario::name).join(", "))]
pub struct UnknownScenario {
    /// What was asked for.
    pub name: String,
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scenario| scenario.name() == name)
            .ok_or_else(|| UnknownScenario { name: name.to_owned() })
    }
}
