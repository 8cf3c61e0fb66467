//! From the command line to what `arcflux doctor` asks: every way there, also where another one is shut.

use std::sync::Arc;

use super::args::{CloudArgs, DoctorArgs};
use super::connect::{self, Connection};
use super::error::CliError;
use super::rehearsal::Rehearsal;
use super::{Session, reach};
use crate::arm::{Cloud, CloudEndpoints};
use crate::cluster::{Clusters, Kubernetes};
use crate::doctor::{Azure, Doctor, Place, Trouble};
use crate::graph::Graph;
use crate::http::{Origin, SystemClock, Transport};
use crate::spec::Desired;

/// Everything that is asked. Nothing is sent yet, except the question of a cloud's endpoints to one that is not known.
pub(super) async fn doctor<'a>(
    args: &DoctorArgs,
    desired: &'a Desired,
    graph: &'a Graph,
    session: &Session,
) -> Result<Doctor<'a>, CliError> {
    let cloud = &args.cloud;
    connect::reads_within_scope(&cloud.scope, graph)?;
    connect::only_with_the_simulator(cloud)?;
    let network: Arc<dyn Transport> = Arc::new(connect::transport(cloud.ca_bundle.as_deref())?);
    let place = place(cloud, &network, session).await?;
    let connection = match &place {
        Ok(place) => connection(place, cloud, desired, &network, session)?,
        Err(_) => Err(Trouble { message: "not tried: needs the endpoints of the cloud".to_owned(), hint: None }),
    };
    let simulator = connection.as_ref().ok().and_then(|connection| connection.simulator.clone());
    let kubernetes: Arc<dyn Kubernetes> = match simulator {
        // As for a plan: no kubeconfig is read, and nothing runs.
        Some(simulator) => Arc::new(Rehearsal(simulator)),
        None => {
            let tools = reach::tools(args.kubeconfig.as_deref(), args.helm.as_deref(), None, &session.environment);
            Arc::new(Clusters::new(tools, Arc::new(SystemClock)))
        }
    };
    let azure =
        connection.map(|Connection { arm, tokens, has_every_version, .. }| Azure { arm, tokens, has_every_version });
    Ok(Doctor {
        desired,
        graph,
        place,
        azure,
        network,
        clock: Arc::new(SystemClock),
        scopes: cloud.scope.clone(),
        contexts: args.context.clone(),
        kubernetes,
    })
}

/// Where Azure is. A wrong command line is an error; a cloud that does not tell is for the doctor to say.
async fn place(
    args: &CloudArgs,
    network: &Arc<dyn Transport>,
    session: &Session,
) -> Result<Result<Place, Trouble>, CliError> {
    let (text, cloud) = match (&args.arm_endpoint, args.cloud.cloud()) {
        (Some(endpoint), _) => (endpoint.as_str(), None),
        (None, Some(cloud)) => (cloud.endpoint(), Some(cloud)),
        (None, None) => return Ok(Ok(Place::Embedded)),
    };
    let origin = Origin::parse(text).map_err(|error| CliError::usage(format!("--arm-endpoint: {error}")))?;
    if origin.is_plain() {
        return Ok(Ok(Place::Simulated(origin)));
    }
    match cloud.or_else(|| Cloud::at(&origin)) {
        Some(cloud) => Ok(Ok(Place::Cloud(CloudEndpoints::known(cloud, origin)))),
        None => Ok(connect::discovered(&origin, args, network, session).await.map(Place::Cloud).map_err(trouble)),
    }
}

/// A client that signs in there. A state of the simulator that cannot be used is an error.
fn connection(
    place: &Place,
    args: &CloudArgs,
    desired: &Desired,
    network: &Arc<dyn Transport>,
    session: &Session,
) -> Result<Result<Connection, Trouble>, CliError> {
    let connection = match place {
        Place::Embedded => connect::embedded(&args.sim, Some(desired))?,
        Place::Simulated(origin) => connect::without_token(Arc::clone(network), origin.clone()),
        Place::Cloud(endpoints) => match connect::sign_in(args, endpoints, network, &session.environment) {
            Ok(tokens) => Connection {
                has_every_version: Cloud::at(&endpoints.arm).is_some(),
                ..connect::real(Arc::clone(network), tokens, endpoints.clone())
            },
            Err(error) => {
                let hint = "set what is missing, or sign in another way: `az login`, then `--auth az-cli`";
                return Ok(Err(Trouble { hint: Some(hint.to_owned()), ..trouble(error) }));
            }
        },
    };
    Ok(Ok(connection.with_options(args, session)))
}

fn trouble(error: CliError) -> Trouble {
    let CliError { exit: _, messages, details, hint } = error;
    Trouble { message: messages.into_iter().chain(details).collect::<Vec<_>>().join("; "), hint }
}
