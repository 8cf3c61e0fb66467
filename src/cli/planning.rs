//! From a spec to a plan, through a connection: what `plan`, `apply` and `destroy` share.

use super::args::{ChoiceArgs, CloudArgs, SecretArgs};
use super::connect::{self, Connection};
use super::error::{CliError, chain};
use super::{Exit, Session};
use crate::fetch;
use crate::graph::Graph;
use crate::plan::{self, Choices, Mode, Options, Plan, SecretPolicy};
use crate::spec::Desired;

/// A plan, when its live state was read, and the connection it was read through.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) as_of: jiff::Timestamp,
    pub(super) connection: Connection,
}

/// What shapes a plan beside the spec.
pub(super) struct Request<'a> {
    pub(super) mode: Mode,
    pub(super) choices: Choices,
    pub(super) cloud: &'a CloudArgs,
    /// `None` where no secret can be sent: destruction.
    pub(super) secrets: Option<&'a SecretArgs>,
}

impl From<&ChoiceArgs> for Choices {
    fn from(args: &ChoiceArgs) -> Self {
        let ChoiceArgs { only, wait, workloads, allow_replace } = args;
        Self {
            only: only.clone(),
            wait: (*wait).into(),
            workloads: workloads.map(Into::into),
            allow_replace: *allow_replace,
        }
    }
}

/// Reads the live state and plans.
pub(super) async fn plan(
    desired: &Desired,
    graph: &Graph,
    request: Request<'_>,
    session: &Session,
) -> Result<Planned, CliError> {
    let connection = connect::connect(request.cloud, desired, graph, session)?;
    connection.check_identity(desired.tenant.as_deref()).await?;
    let reads = graph.reads();
    let live = fetch::live_state(&reads, &connection.arm)
        .await
        .map_err(|errors| CliError::several(errors.iter().map(|error| chain(error)).collect()))?;
    session.console.tell(&format!(
        "Read {} resources and lists from {} at {:.0}.",
        reads.len(),
        connection.arm.origin(),
        live.as_of
    ));
    let options = Options {
        origin: connection.arm.origin().to_string(),
        tenant: desired.tenant.clone(),
        choices: request.choices,
        allow_auth_hosts: request.secrets.map(|args| args.allow_auth_host.clone()).unwrap_or_default(),
        secrets: match request.secrets {
            Some(args) if !connection.is_simulated => SecretPolicy::Granted(args.allow_secret.clone()),
            Some(_) | None => SecretPolicy::Placeholders,
        },
    };
    let made = match request.mode {
        Mode::Apply => plan::make(graph, &live, &desired.expanded, &options),
        Mode::Destroy => plan::destroy(graph, &live, &desired.expanded, &options),
    };
    let plan = made.map_err(|errors| CliError {
        exit: Exit::Error,
        messages: errors.iter().map(|error| format!("{error}; {}", error.hint)).collect(),
        hint: None,
    })?;
    Ok(Planned { plan, as_of: live.as_of, connection })
}
