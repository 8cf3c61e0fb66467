//! From a spec to a plan, through a connection: what `plan`, `apply` and `destroy` share.

use super::Session;
use super::args::{ChoiceArgs, CloudArgs, SecretArgs};
use super::connect::{self, Connection};
use super::error::CliError;
use super::spec_file::Intent;
use crate::fetch;
use crate::graph::Graph;
use crate::model::{Glob, LiveState};
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
        let ChoiceArgs { only, wait, workloads, allow_replace, max_delete, max_update } = args;
        Self {
            only: only.clone(),
            wait: (*wait).into(),
            workloads: workloads.map(Into::into),
            allow_replace: *allow_replace,
            max_delete: *max_delete,
            max_update: *max_update,
        }
    }
}

/// Signs in and reads the live state of everything that the spec is about.
pub(super) async fn read(
    desired: &Desired,
    graph: &Graph,
    cloud: &CloudArgs,
    session: &Session,
) -> Result<(Connection, LiveState), CliError> {
    let connection = connect::connect(cloud, desired, graph, session)?;
    connection.sign_in(desired.tenant.as_deref()).await?;
    let reads = graph.reads();
    let live = fetch::live_state(&reads, &connection.arm).await.map_err(|errors| CliError::unread(&errors))?;
    session.console.tell(&format!(
        "Read {} resources and lists from {} at {:.0}.",
        reads.len(),
        connection.arm.origin(),
        live.as_of
    ));
    Ok((connection, live))
}

/// Reads the live state and plans.
pub(super) async fn plan(
    Intent { desired, base, graph }: &Intent,
    request: Request<'_>,
    session: &Session,
) -> Result<Planned, CliError> {
    every_glob_selects(&request.choices.only, graph)?;
    let (connection, live) = read(desired, graph, request.cloud, session).await?;
    let options = Options {
        origin: connection.arm.origin().to_string(),
        tenant: desired.tenant.clone(),
        base: base.as_ref().map(|base| base.expanded.clone()),
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
    let plan = made.map_err(|errors| {
        let told = errors.iter().map(|error| format!("{error}; {}", error.hint)).collect();
        mind_the_state(CliError::several(told), request.cloud)
    })?;
    connect::writes_within_scope(&request.cloud.scope, &plan)?;
    Ok(Planned { plan, as_of: live.as_of, connection })
}

/// What is missing on the embedded simulator is rarely missing for the reason that it would be in Azure.
pub(super) fn mind_the_state(error: CliError, cloud: &CloudArgs) -> CliError {
    match (&cloud.arm_endpoint, cloud.cloud.cloud()) {
        (None, None) if !cloud.sim.sim_empty => error.hint(format!(
            "the simulator's {} holds what the first spec named that it was used for; `--sim-state FILE` begins another, \
             for this spec",
            cloud.sim.state().display()
        )),
        _ => error,
    }
}

/// A selection that selects nothing is a mistake: "no changes" would be said of nothing.
fn every_glob_selects(only: &[Glob], graph: &Graph) -> Result<(), CliError> {
    let addresses: Vec<String> = graph.nodes().iter().map(|node| node.address.to_string()).collect();
    match only.iter().find(|glob| !addresses.iter().any(|address| glob.matches(address))) {
        None => Ok(()),
        Some(glob) => Err(CliError::new(format!("`--only {glob}` selects nothing of this spec"))
            // The last are those of configurations, which hold every other kind of name. A fleet has too many for all.
            .details(addresses.into_iter().rev().take(5).collect())
            .hint("addresses of this spec look like those above; `arcflux graph` shows all of them")),
    }
}
