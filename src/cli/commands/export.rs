//! `arcflux export`

use std::collections::BTreeMap;

use crate::cli::args::{CloudArgs, ExportArgs};
use crate::cli::error::CliError;
use crate::cli::{Exit, Session, block_on_reads, connect, planning};
use crate::fetch;
use crate::graph::{self, Graph};
use crate::kinds::cluster::ClusterSpec;
use crate::model::{LiveState, Source};
use crate::plan::{self, Export};
use crate::spec::{self, Draft, Inputs};
use crate::view;

pub(in crate::cli) fn run(args: &ExportArgs, session: &Session) -> Result<Exit, CliError> {
    let ExportArgs { subscription, resource_group, cluster, cluster_type, cloud } = args;
    let draft = Draft {
        subscription: subscription.clone(),
        resource_group: resource_group.clone(),
        cluster: ClusterSpec { name: cluster.clone(), cluster_type: (*cluster_type).into(), onboard: None },
        extension: None,
        configurations: BTreeMap::new(),
        comments: Vec::new(),
    };
    let graph = graph_of(&draft)?;
    something_is_simulated(cloud)?;
    let export = block_on_reads(session, read_and_export(&draft, &graph, cloud, session))?;
    session.console.print(&export.text);
    session.console.tell(view::export::render(&export, &session.console.err).trim_end());
    Ok(if export.left_out.is_empty() { Exit::Ok } else { Exit::Incomplete })
}

/// The graph of the cluster alone. Its names must be such as a spec takes.
fn graph_of(draft: &Draft) -> Result<Graph, CliError> {
    let outcome = spec::load(&Source { name: "export".to_owned(), text: draft.text() }, &Inputs::default());
    match outcome.desired {
        Some(desired) => {
            graph::build(&desired).map_err(|errors| CliError::several(errors.iter().map(ToString::to_string).collect()))
        }
        None => {
            let messages = outcome.diagnostics.iter().map(|problem| problem.message.clone()).collect();
            let hint = outcome.diagnostics.into_iter().find_map(|problem| problem.hint);
            Err(CliError { exit: Exit::Usage, hint, ..CliError::several(messages) })
        }
    }
}

/// A new state of the embedded simulator would hold nothing, and be in the way of the spec that begins it.
fn something_is_simulated(cloud: &CloudArgs) -> Result<(), CliError> {
    let is_embedded = cloud.arm_endpoint.is_none() && cloud.cloud.cloud().is_none();
    let state = cloud.sim.state();
    if is_embedded && !state.exists() {
        return Err(CliError::new(format!("there is no state of the simulator at {}", state.display()))
            .hint("`arcflux apply --cloud sim` begins one; name another with `--sim-state FILE`"));
    }
    Ok(())
}

/// Reads the cluster and its lists, then every configuration that is on them.
async fn read_and_export(
    draft: &Draft,
    graph: &Graph,
    cloud: &CloudArgs,
    session: &Session,
) -> Result<Export, CliError> {
    let connection = connect::connect(cloud, graph, None, session).await?;
    connection.sign_in(None).await?;
    let graph = &connection.negotiate(graph, cloud, session).await?;
    let origin = connection.arm.origin().to_string();
    let reads = graph.reads();
    let unread = |errors: Vec<_>| CliError::unread(&errors);
    let no_plan = |errors: Vec<_>| planning::mind_the_state(planning::no_plan(&errors), cloud);
    let first = fetch::live_state(&reads, &connection.arm).await.map_err(unread)?;
    let further = plan::configuration_reads(graph, &first, &origin).map_err(no_plan)?;
    connect::further_reads_within_scope(&cloud.scope, &further)?;
    let LiveState { as_of: _, readings, listings, contexts: _ } =
        fetch::live_state(&further, &connection.arm).await.map_err(unread)?;
    let mut live = first;
    live.readings.extend(readings);
    live.listings.extend(listings);
    planning::tell_what_was_read(reads.len() + further.len(), &origin, &live, session);
    plan::export(draft, graph, &live, &origin).map_err(no_plan)
}
