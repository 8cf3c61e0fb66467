//! What `arcflux doctor` finds: whether everything is there that a plan and an apply of a spec need.

use serde::Serialize;

/// The version of the format. A new minor version adds, a new major version breaks.
pub const CHECKUP_VERSION: &str = "1.0";

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Checkup {
    /// The version of this format: `MAJOR.MINOR`.
    pub format_version: &'static str,
    /// Whether nothing is a problem.
    pub ok: bool,
    /// Every check, in the order in which they build on each other.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Check {
    /// What was looked at.
    pub check: Checked,
    /// Of what: a subscription, a cluster, a URL; absent where there is only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was found.
    pub standing: Standing,
    /// Why, in a sentence.
    pub why: String,
    /// What mends it, with a command where there is one; absent where there is nothing to mend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// What can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Checked {
    /// Whether somebody can be signed in.
    Credentials,
    /// Whether that is in the tenant of the spec.
    Tenant,
    /// Whether an endpoint of the cloud answers.
    Egress,
    /// Whether this machine's clock and Azure's agree.
    Clock,
    /// Whether a subscription is there and enabled.
    Subscription,
    /// Whether the cloud offers api-versions that arcflux knows.
    ApiVersions,
    /// Whether a resource provider is registered.
    Registration,
    /// Whether a resource type is offered where the cluster is.
    Location,
    /// Whether a cluster is there in Azure, in a group that is, and connected.
    Cluster,
    /// Whether everything may be done that the plan needs.
    Permissions,
    /// Whether a context of the kubeconfig reaches the cluster.
    Context,
    /// Whether there is a helm that can install the Arc agents.
    Helm,
    /// Whether the source of a configuration answers.
    Repository,
}

impl Checked {
    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Tenant => "tenant",
            Self::Egress => "egress",
            Self::Clock => "clock",
            Self::Subscription => "subscription",
            Self::ApiVersions => "api-versions",
            Self::Registration => "registration",
            Self::Location => "location",
            Self::Cluster => "cluster",
            Self::Permissions => "permissions",
            Self::Context => "context",
            Self::Helm => "helm",
            Self::Repository => "repository",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// As it should be.
    Ok,
    /// Something to know, or something that was not tried.
    Warning,
    /// Something that keeps a plan or an apply from working.
    Problem,
}

impl Checkup {
    /// What these checks amount to.
    #[must_use]
    pub fn of(checks: Vec<Check>) -> Self {
        let ok = checks.iter().all(|check| check.standing != Standing::Problem);
        Self { format_version: CHECKUP_VERSION, ok, checks }
    }

    /// How many checks have this standing.
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.checks.iter().filter(|check| check.standing == standing).count()
    }
}

impl Check {
    /// Something as it should be.
    #[must_use]
    pub fn ok(check: Checked, why: impl Into<String>) -> Self {
        Self { check, subject: None, standing: Standing::Ok, why: why.into(), mend: None }
    }

    /// Something to know.
    #[must_use]
    pub fn warning(check: Checked, why: impl Into<String>) -> Self {
        Self { standing: Standing::Warning, ..Self::ok(check, why) }
    }

    /// Something that does not work.
    #[must_use]
    pub fn problem(check: Checked, why: impl Into<String>) -> Self {
        Self { standing: Standing::Problem, ..Self::ok(check, why) }
    }

    /// Something that could not be looked at, because it needs what failed.
    #[must_use]
    pub fn not_tried(check: Checked, needs: &str) -> Self {
        Self::warning(check, format!("not tried: needs {needs}"))
    }

    /// The same, of `subject`.
    #[must_use]
    pub fn about(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    /// The same, with what mends it.
    #[must_use]
    pub fn mended_by(self, mend: impl Into<String>) -> Self {
        Self { mend: Some(mend.into()), ..self }
    }
}
