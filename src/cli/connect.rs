//! From the command line to a client of some ARM: the real one, another endpoint, or the embedded simulator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{CloudArgs, SimArgs};
use super::error::{CliError, chain};
use super::git::{self, LocalRepositories};
use super::{Environment, Session};
use crate::arm::credentials::{self, IdentityValues};
use crate::arm::identity::{self, Outside};
use crate::arm::{self, ArmClient, CredentialTokens, FixedToken, TokenSource};
use crate::graph::Graph;
use crate::http::{Origin, ReqwestTransport, SystemClock, Transport};
use crate::kinds::cluster::ClusterType;
use crate::model::{Glob, Read, ResourceId, Secret};
use crate::plan::Plan;
use crate::sim::{self, Seed, SeedCluster, SeedClusterType, SeedGroup, Simulator};
use crate::spec::{Desired, DesiredCluster};

/// A client, and what is behind it.
pub(super) struct Connection {
    pub(super) arm: ArmClient,
    /// Whether everything is simulated: then no real secret is read.
    pub(super) is_simulated: bool,
    /// The embedded simulator, where that is what is behind it.
    pub(super) simulator: Option<Simulator>,
    tokens: Arc<dyn TokenSource>,
}

/// Connects to read `graph`. Nothing is sent yet. A new state of the embedded simulator holds what `seeds` names.
pub(super) fn connect(
    args: &CloudArgs,
    graph: &Graph,
    seeds: Option<&Desired>,
    session: &Session,
) -> Result<Connection, CliError> {
    reads_within_scope(&args.scope, graph)?;
    only_with_the_simulator(args)?;
    let connection = match (&args.arm_endpoint, args.cloud.cloud()) {
        (Some(endpoint), _) => at_endpoint(endpoint, args, &session.environment)?,
        (None, Some(cloud)) => {
            let origin = Origin::parse(cloud.endpoint()).map_err(|error| CliError::because("the cloud", &error))?;
            let transport: Arc<dyn Transport> = Arc::new(transport(args.ca_bundle.as_deref())?);
            let tokens = sign_in(args, cloud.authority_host(), cloud.scope(), &transport, &session.environment)?;
            real(transport, tokens, origin)
        }
        (None, None) => embedded(&args.sim, seeds)?,
    };
    let arm = connection.arm.poll_scale(args.poll_scale);
    let arm = if session.verbose {
        let console = session.console.clone();
        arm.observer(Arc::new(move |line: &str| console.tell(line)))
    } else {
        arm
    };
    Ok(Connection { arm, ..connection })
}

impl Connection {
    /// Signs in before anything is read, so that what goes wrong is told once; and looks whether the identity belongs
    /// to the tenant that the spec names. Gives the tenant signed in to; tokens that are not readable tell nothing.
    pub(super) async fn sign_in(&self, wanted: Option<&str>) -> Result<Option<String>, CliError> {
        let token = self.tokens.token().await.map_err(|error| not_signed_in(&error))?;
        let found = arm::tenant_of(&token);
        if arm::names_nobody(&token) {
            let tenant = found.as_deref().unwrap_or("this tenant");
            return Err(CliError::new(format!(
                "the token of {tenant} names no identity (it has neither `oid` nor `puid`): the application has no service \
                 principal there"
            ))
            .hint("create it, as an administrator of the tenant: `az ad sp create --id APPLICATION-ID`, and give it a role"));
        }
        match (wanted.filter(|_| !self.is_simulated), &found) {
            (Some(wanted), Some(found)) if !found.eq_ignore_ascii_case(wanted) => {
                Err(CliError::refused(format!("the spec is for the tenant {wanted}, and you are signed in to {found}"))
                    .hint(format!("sign in to the other tenant: `az login --tenant {wanted}`")))
            }
            (Some(_), Some(_)) | (None, _) | (_, None) => Ok(found),
        }
    }
}

fn not_signed_in(error: &(dyn std::error::Error + 'static)) -> CliError {
    let text = chain(error);
    // After the first line comes everything that was tried, each on a line.
    let mut lines = text.lines();
    let why = lines.next().unwrap_or_default();
    CliError::new(format!("cannot sign in to Azure: {why}"))
        .details(lines.map(|line| line.trim().to_owned()).collect())
        .hint("no Azure account at hand? `--cloud sim` plans and applies on an embedded simulator")
}

/// Whoever rehearses on the simulator and forgets to say so must not end up on real clusters.
fn only_with_the_simulator(args: &CloudArgs) -> Result<(), CliError> {
    let is_embedded = args.arm_endpoint.is_none() && args.cloud.cloud().is_none();
    if is_embedded || !args.sim.is_given() {
        return Ok(());
    }
    Err(CliError::usage("options of the simulator (`--sim-…`, `--repo`) are given, and the simulator is not")
        .hint("add `--cloud sim`, or leave them out"))
}

/// Every id that will be read must fit one of the scopes.
pub(super) fn reads_within_scope(scopes: &[Glob], graph: &Graph) -> Result<(), CliError> {
    let named = graph.nodes().iter().map(|node| node.id.clone());
    within_scope(scopes, ("the spec names", "sent"), named.chain(graph.reads().into_iter().map(|read| read.id)))
}

/// Every id of these further reads must fit one of the scopes.
pub(super) fn further_reads_within_scope(scopes: &[Glob], reads: &[Read]) -> Result<(), CliError> {
    within_scope(scopes, ("the cluster has", "sent"), reads.iter().map(|read| read.id.clone()))
}

/// Every id that will be written must fit one of the scopes, also those that were only found by reading.
pub(super) fn writes_within_scope(scopes: &[Glob], plan: &Plan) -> Result<(), CliError> {
    let steps = plan.resource_changes.iter().flat_map(|change| &change.steps);
    within_scope(scopes, ("the plan is about", "written"), steps.map(|step| step.id().clone()))
}

fn within_scope(
    scopes: &[Glob],
    (what, not_done): (&str, &str),
    ids: impl Iterator<Item = ResourceId>,
) -> Result<(), CliError> {
    if scopes.is_empty() {
        return Ok(());
    }
    let outside: Vec<ResourceId> = ids.filter(|id| !scopes.iter().any(|scope| scope.matches(id.as_str()))).collect();
    match outside.first() {
        None => Ok(()),
        Some(first) => Err(CliError::refused(format!(
            "{what} {} resource ids outside `--scope`, the first one {first}",
            outside.len()
        ))
        .hint(format!("nothing was {not_done}; widen `--scope` (or ARCFLUX_SCOPE) if the spec is right"))),
    }
}

/// The network, with these certificate authorities besides those of the machine.
pub(super) fn transport(ca_bundle: Option<&Path>) -> Result<ReqwestTransport, CliError> {
    Ok(match ca_bundle {
        None => ReqwestTransport::new(),
        Some(path) => {
            let name = path.display();
            let pem = std::fs::read(path).map_err(|error| CliError::because(format!("cannot read {name}"), &error))?;
            ReqwestTransport::with_ca_bundle(&pem)
                .map_err(|error| CliError::because(format!("cannot use {name}"), &error))?
        }
    })
}

fn real(transport: Arc<dyn Transport>, tokens: Arc<dyn TokenSource>, origin: Origin) -> Connection {
    let arm = ArmClient::new(transport, Arc::new(SystemClock), Arc::clone(&tokens), origin);
    Connection { arm, is_simulated: false, simulator: None, tokens }
}

/// An endpoint that somebody names. A token is made for exactly that host; over plain http, which is only possible on
/// loopback, there is none: a simulator needs none, and anything else should not get one.
fn at_endpoint(endpoint: &str, args: &CloudArgs, environment: &Environment) -> Result<Connection, CliError> {
    let origin = Origin::parse(endpoint).map_err(|error| CliError::usage(format!("--arm-endpoint: {error}")))?;
    let transport: Arc<dyn Transport> = Arc::new(transport(args.ca_bundle.as_deref())?);
    if origin.is_plain() {
        let tokens: Arc<dyn TokenSource> = Arc::new(FixedToken::new(Secret::new("none-over-http".to_owned())));
        return Ok(Connection { is_simulated: true, ..real(transport, tokens, origin) });
    }
    let authority = environment.get("AZURE_AUTHORITY_HOST").unwrap_or("https://login.microsoftonline.com");
    let tokens = sign_in(args, authority, format!("{origin}/.default"), &transport, environment)?;
    Ok(real(transport, tokens, origin))
}

fn sign_in(
    args: &CloudArgs,
    authority_host: &str,
    scope: String,
    sign_in: &Arc<dyn Transport>,
    environment: &Environment,
) -> Result<Arc<dyn TokenSource>, CliError> {
    let values = IdentityValues::from_variables(|name| environment.get(name).map(str::to_owned));
    let chosen = credentials::select(args.auth, &values).map_err(|error| not_signed_in(&error))?;
    let metadata: Arc<dyn Transport> = Arc::new(transport(args.ca_bundle.as_deref())?.link_local());
    let outside = Outside::new(authority_host.to_owned(), Arc::clone(sign_in), metadata);
    let candidates = identity::build(chosen, &values, &outside);
    Ok(Arc::new(CredentialTokens::new(candidates, scope, Arc::new(SystemClock))))
}

fn embedded(args: &SimArgs, named: Option<&Desired>) -> Result<Connection, CliError> {
    let settings = sim::Settings {
        seeds: named.filter(|_| !args.sim_empty).map(seeds).unwrap_or_default(),
        installs_agents: true,
        scenario: args.sim_scenario,
        repositories: local(&args.repositories)?,
        ..sim::Settings::default()
    };
    let simulator = Simulator::open(&args.state(), settings)
        .map_err(|error| CliError::because("cannot start the simulator", &error))?;
    let origin = Origin::parse(sim::ORIGIN).map_err(|error| CliError::because("the simulator", &error))?;
    let tokens: Arc<dyn TokenSource> = Arc::new(FixedToken::new(Secret::new("no-token-for-the-simulator".to_owned())));
    let arm = ArmClient::new(
        Arc::new(simulator.transport()),
        Arc::new(simulator.clock(args.pace())),
        Arc::clone(&tokens),
        origin,
    );
    Ok(Connection { arm, is_simulated: true, simulator: Some(simulator), tokens })
}

/// The local git repositories that stand for URLs, each of which must be one.
pub(super) fn local(repositories: &[(String, PathBuf)]) -> Result<Option<Arc<dyn sim::Repositories>>, CliError> {
    if let Some((_, path)) = repositories.iter().find(|(_, path)| !git::is_repository(path)) {
        return Err(CliError::usage(format!("--repo: {} is not a git repository", path.display())));
    }
    let repositories = repositories.to_vec();
    Ok((!repositories.is_empty()).then(|| Arc::new(LocalRepositories(repositories)) as Arc<dyn sim::Repositories>))
}

/// The groups and clusters that a spec names, for new simulated subscriptions: one seed for each.
pub(super) fn seeds(desired: &Desired) -> Vec<Seed> {
    let mut seeds: BTreeMap<&str, Seed> = BTreeMap::new();
    for DesiredCluster { subscription, resource_group, cluster, .. } in &desired.clusters {
        let location = resource_group.location.as_deref().unwrap_or("westeurope").to_owned();
        let seed = seeds.entry(subscription).or_insert_with(|| Seed {
            subscription: subscription.clone(),
            tenant: desired.tenant.clone(),
            groups: Vec::new(),
            clusters: Vec::new(),
        });
        seed.groups.push(SeedGroup { name: resource_group.name.clone(), location: location.clone() });
        // What is to be connected is not connected yet.
        if cluster.onboard.is_some() {
            continue;
        }
        seed.clusters.push(SeedCluster {
            resource_group: resource_group.name.clone(),
            name: cluster.name.clone(),
            cluster_type: match cluster.cluster_type {
                ClusterType::ConnectedClusters => SeedClusterType::ConnectedClusters,
                ClusterType::ManagedClusters => SeedClusterType::ManagedClusters,
            },
            location,
        });
    }
    seeds.into_values().collect()
}
