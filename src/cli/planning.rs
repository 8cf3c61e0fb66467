//! From a spec to a plan, through a connection or from a file: what the commands that look at Azure share.

use std::path::Path;

use super::Session;
use super::args::{ChoiceArgs, CloudArgs, ClusterArgs, LiveArgs, SecretArgs};
use super::connect::{self, Connection};
use super::error::CliError;
use super::heartbeat;
use super::live_file::LiveFile;
use super::moment::{Moment, tell_ages, tell_versions};
use super::reach::{self, Reach};
use super::spec_file::Intent;
use crate::fetch;
use crate::graph::Graph;
use crate::http::SystemClock;
use crate::model::{Glob, LiveState};
use crate::plan::{self, Choices, Deviation, Mode, Options, Plan, PlanError, SecretPolicy};
use crate::spec::Desired;

/// A plan, when its live state was read, and the connection it was read through.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) as_of: jiff::Timestamp,
    pub(super) connection: Connection,
    /// The graph that was planned, in the api-versions of the cloud.
    pub(super) graph: Graph,
    live: LiveState,
    options: Options,
}

impl Planned {
    /// Where a saved plan is not what would be done now. What is left of a change that was begun is.
    pub(super) fn deviations_from(&self, saved: &Plan, intent: &Intent) -> Vec<Deviation> {
        plan::deviations_from_begun(saved, &self.plan, &self.live, |before| {
            make(self.plan.mode, intent, &self.graph, before, &self.options).ok()
        })
    }
}

/// What shapes a plan beside the spec.
pub(super) struct Request<'a> {
    pub(super) mode: Mode,
    pub(super) choices: Choices,
    pub(super) cloud: &'a CloudArgs,
    /// `None` where no secret can be sent: destruction.
    pub(super) secrets: Option<&'a SecretArgs>,
    pub(super) cluster: &'a ClusterArgs,
}

/// A live state, and what a plan says about where it is from.
pub(super) struct Found {
    /// What was read, in the api-versions that it was read with.
    pub(super) graph: Graph,
    pub(super) live: LiveState,
    /// The ARM endpoint that was read.
    pub(super) origin: String,
    /// The tenant that the reader was signed in to, where the token told.
    pub(super) tenant: Option<String>,
    /// Whether everything is simulated: then no real secret is read.
    pub(super) is_simulated: bool,
}

impl From<&ChoiceArgs> for Choices {
    fn from(args: &ChoiceArgs) -> Self {
        let ChoiceArgs { only, wait, workloads, allow_replace, offline, force_delete, max_delete, max_update } = args;
        Self {
            only: only.clone(),
            wait: (*wait).into(),
            workloads: workloads.map(Into::into),
            allow_replace: *allow_replace,
            offline: (*offline).into(),
            resend_secrets: false,
            force_delete: force_delete.clone(),
            disconnect: false,
            max_delete: *max_delete,
            max_update: *max_update,
        }
    }
}

/// Signs in and reads the live state of everything that the spec is about, and looks at clusters themselves where that is
/// allowed.
pub(super) async fn read(
    desired: &Desired,
    graph: &Graph,
    cloud: &CloudArgs,
    cluster: Option<&ClusterArgs>,
    session: &Session,
) -> Result<(Connection, Found), CliError> {
    let connection = connect::connect(cloud, graph, Some(desired), session).await?;
    let tenant = connection.sign_in(desired.tenant.as_deref()).await?;
    let graph = tokio::select! {
        graph = connection.negotiate(graph, cloud, session) => graph?,
        never = heartbeat::while_reading(&connection.arm, &SystemClock, &session.console) => match never {},
    };
    let reads = graph.reads();
    let live = tokio::select! {
        live = fetch::live_state(&reads, &connection.arm) => live.map_err(|errors| CliError::unread(&errors))?,
        never = heartbeat::while_reading(&connection.arm, &SystemClock, &session.console) => match never {},
    };
    let mut live = live;
    if let Some(args) = cluster
        && let Some(reach) = Reach::open(args, &connection, &session.environment)?
    {
        live.contexts = fetch::contexts(&graph.contexts(), &*reach.kubernetes).await;
    }
    let origin = connection.arm.origin().to_string();
    tell_what_was_read(reads.len(), &origin, &live, session);
    let found = Found { graph, live, origin, tenant, is_simulated: connection.is_simulated };
    Ok((connection, found))
}

/// Says on standard error how much was read, and when.
pub(super) fn tell_what_was_read(count: usize, origin: &str, live: &LiveState, session: &Session) {
    session.console.tell(&format!("Read {count} resources and lists from {origin} at {:.0}.", live.as_of));
}

/// The live state of everything that the spec is about: out of the file that `--live` names, else as [`read`] finds it.
pub(super) async fn look(
    desired: &Desired,
    graph: &Graph,
    cloud: &CloudArgs,
    live: &LiveArgs,
    cluster: Option<&ClusterArgs>,
    session: &Session,
) -> Result<Found, CliError> {
    match &live.live {
        Some(_) if cluster.is_some_and(|args| args.allow_cluster) => {
            Err(CliError::usage("`--allow-cluster` looks at clusters as they are now, and `--live` reads what was")
                .hint("leave one of the two out; `arcflux snapshot --allow-cluster` keeps what is seen of clusters"))
        }
        Some(path) => recorded(path, desired, graph, cloud, session),
        None => read(desired, graph, cloud, cluster, session).await.map(|(_, found)| found),
    }
}

/// What was read before. Nobody signs in, and nothing is sent.
fn recorded(
    path: &Path,
    desired: &Desired,
    graph: &Graph,
    cloud: &CloudArgs,
    session: &Session,
) -> Result<Found, CliError> {
    connect::reads_within_scope(&cloud.scope, graph)?;
    let file = LiveFile::load(path)?;
    let (name, is_simulated) = (file.name(), file.is_simulated());
    if let (Some(wanted), Some(found), false) = (&desired.tenant, file.tenant(), is_simulated)
        && !found.eq_ignore_ascii_case(wanted)
    {
        return Err(CliError::refused(format!("the spec is for the tenant {wanted}, and {name} was read in {found}"))
            .hint("take the snapshot again, signed in to the tenant of the spec"));
    }
    let graph = file.in_its_versions(graph);
    let live = file.live_state(&graph)?;
    session.console.tell(&format!(
        "Read {} resources and lists from {name}, which was read from {} at {:.0}.",
        graph.reads().len(),
        file.origin(),
        live.as_of
    ));
    Ok(Found { graph, live, origin: file.origin().to_owned(), tenant: file.tenant().map(str::to_owned), is_simulated })
}

/// Reads the live state and plans, to carry the plan out.
pub(super) async fn plan(intent: &Intent, request: Request<'_>, session: &Session) -> Result<Planned, CliError> {
    every_glob_selects(&request.choices.only, &intent.graph)?;
    let (connection, found) =
        read(&intent.desired, &intent.graph, request.cloud, Some(request.cluster), session).await?;
    let options = options(intent, &request, &found);
    let plan =
        decide(intent, &request, &found, &options, session).map_err(|error| mind_the_state(error, request.cloud))?;
    let Found { graph, live, .. } = found;
    Ok(Planned { plan, as_of: live.as_of, connection, graph, live, options })
}

/// Plans from what is live, or was, to show the plan. Gives also what only the moment of reading tells.
pub(super) async fn preview(
    intent: &Intent,
    request: Request<'_>,
    live: &LiveArgs,
    session: &Session,
) -> Result<(Plan, Moment), CliError> {
    preview_of(intent, request, live, session).await.map(|(plan, moment, _)| (plan, moment))
}

/// The same, with what was found.
pub(super) async fn preview_of(
    intent: &Intent,
    request: Request<'_>,
    live: &LiveArgs,
    session: &Session,
) -> Result<(Plan, Moment, Found), CliError> {
    every_glob_selects(&request.choices.only, &intent.graph)?;
    let found = look(&intent.desired, &intent.graph, request.cloud, live, Some(request.cluster), session).await?;
    let options = options(intent, &request, &found);
    let plan = decide(intent, &request, &found, &options, session).map_err(|error| match &live.live {
        Some(_) => error,
        None => mind_the_state(error, request.cloud),
    })?;
    let moment = Moment::of(&found.graph, &found.live);
    Ok((plan, moment, found))
}

fn options(intent: &Intent, request: &Request<'_>, found: &Found) -> Options {
    let Intent { desired, base, graph: _ } = intent;
    let Found { graph: _, live: _, origin, tenant, is_simulated } = found;
    Options {
        origin: origin.clone(),
        tenant: tenant.clone().or_else(|| desired.tenant.clone()),
        base: base.as_ref().map(|base| base.expanded.clone()),
        choices: request.choices.clone(),
        allow_auth_hosts: request.secrets.map(|args| args.allow_auth_host.clone()).unwrap_or_default(),
        secrets: match request.secrets {
            Some(args) if !is_simulated => SecretPolicy::Granted(args.allow_secret.clone()),
            Some(_) | None => SecretPolicy::Placeholders,
        },
        chart: reach::chart_from(request.cluster),
    }
}

fn make(
    mode: Mode,
    intent: &Intent,
    graph: &Graph,
    live: &LiveState,
    options: &Options,
) -> Result<Plan, Vec<PlanError>> {
    let Intent { desired, base: _, graph: _ } = intent;
    match mode {
        Mode::Apply => plan::make(graph, live, &desired.expanded, options),
        Mode::Destroy => plan::destroy(graph, live, &desired.expanded, options),
    }
}

fn decide(
    intent: &Intent,
    request: &Request<'_>,
    found: &Found,
    options: &Options,
    session: &Session,
) -> Result<Plan, CliError> {
    let Found { graph, live, .. } = found;
    if request.mode == Mode::Apply {
        says_no_more_than_offered(&intent.desired, graph, &found.origin)?;
    }
    let plan = make(request.mode, intent, graph, live, options).map_err(|errors| no_plan(&errors))?;
    connect::writes_within_scope(&request.cloud.scope, &plan)?;
    tell_ages(&plan::ages(graph, live), session);
    tell_versions(graph, live, session);
    Ok(plan)
}

/// What the chosen api-versions lack would be ignored without a word.
fn says_no_more_than_offered(desired: &Desired, graph: &Graph, origin: &str) -> Result<(), CliError> {
    let newer = desired.newer_than(graph.api_versions());
    if newer.is_empty() {
        return Ok(());
    }
    let details = newer.into_iter().map(|problem| {
        let place = problem.span.map(|span| format!(":{}:{}", span.line, span.column)).unwrap_or_default();
        format!("{}{place}: {} ({})", desired.file, problem.message, problem.code)
    });
    Err(CliError::new(format!("the spec says what {origin} does not know; nothing was written"))
        .details(details.collect())
        .hint("take it out, or give this cloud a spec of its own; `arcflux explain-code AF085`"))
}

/// Why there can be no plan.
pub(super) fn no_plan(errors: &[PlanError]) -> CliError {
    CliError::several(errors.iter().map(|error| format!("{error}; {}", error.hint)).collect())
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
