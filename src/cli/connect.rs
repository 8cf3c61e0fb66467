//! From the command line to a client of some ARM: the real one, another endpoint, or the embedded simulator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{CloudArgs, SimArgs};
use super::error::{CliError, chain};
use super::git::{self, LocalRepositories};
use super::{Environment, Session};
use crate::arm::credentials::{self, Candidates, IdentityValues};
use crate::arm::identity::{self, Outside};
use crate::arm::{
    self, ArmClient, Cloud, CloudEndpoints, CredentialTokens, Discovery, FixedToken, Observer, Said, TokenSource,
};
use crate::fetch::{self, NegotiationError};
use crate::graph::Graph;
use crate::http::{Origin, ReqwestTransport, SystemClock, Transport, random};
use crate::kinds::cluster::ClusterType;
use crate::model::{IdScope, Read, ResourceId, Secret};
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
    /// Where it is, and what else is there.
    pub(super) cloud: CloudEndpoints,
    pub(super) tokens: Arc<dyn TokenSource>,
    /// Whether it is known beforehand which api-versions there are: in Azure's own clouds, and in the embedded simulator.
    pub(super) has_every_version: bool,
}

/// Connects to read `graph`. Nothing is sent yet, except the question of a cloud's endpoints to one that is not known. A
/// new state of the embedded simulator holds what `seeds` names.
pub(super) async fn connect(
    args: &CloudArgs,
    graph: &Graph,
    seeds: Option<&Desired>,
    session: &Session,
) -> Result<Connection, CliError> {
    reads_within_scope(&args.scope, graph)?;
    only_with_the_simulator(args)?;
    let connection = match (&args.arm_endpoint, args.cloud.cloud()) {
        (Some(endpoint), _) => at_endpoint(endpoint, args, session).await?,
        (None, Some(cloud)) => {
            let origin = Origin::parse(cloud.endpoint()).map_err(|error| CliError::because("the cloud", &error))?;
            if args.audience.is_some() {
                return Err(audience_is_known(&origin));
            }
            let endpoints = CloudEndpoints::known(cloud, origin);
            let transport: Arc<dyn Transport> = Arc::new(transport(args.ca_bundle.as_deref())?);
            let tokens = sign_in(args, &endpoints, &transport, &session.environment)?;
            Connection { has_every_version: true, ..real(transport, tokens, endpoints) }
        }
        (None, None) => embedded(&args.sim, seeds)?,
    };
    Ok(connection.with_options(args, session))
}

/// What tells of every exchange, where that is asked for.
fn observer(session: &Session) -> Option<Observer> {
    let console = session.console.clone();
    session.verbose.then(|| Arc::new(move |line: &str| console.tell(line)) as Observer)
}

impl Connection {
    /// The same, with the pace and the log that the command line asks for.
    pub(super) fn with_options(self, args: &CloudArgs, session: &Session) -> Self {
        let arm = self.arm.poll_scale(args.poll_scale);
        let arm = match observer(session) {
            Some(observer) => arm.observer(observer),
            None => arm,
        };
        Self { arm, ..self }
    }

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

impl Connection {
    /// The graph in the api-versions that the cloud offers: the same where they are known beforehand, else the newest that
    /// both know.
    pub(super) async fn negotiate(
        &self,
        graph: &Graph,
        args: &CloudArgs,
        session: &Session,
    ) -> Result<Graph, CliError> {
        if self.has_every_version {
            return Ok(graph.clone());
        }
        within_scope(&args.scope, ("what is offered stands in", "sent"), fetch::provider_reads(graph).into_iter())?;
        let negotiated = fetch::negotiate(graph, &self.arm).await.map_err(|error| match error {
            NegotiationError::Arm(error) => CliError::unread(&[error]),
            NegotiationError::None(missing) => CliError::several(missing.iter().map(ToString::to_string).collect())
                .hint(format!("nothing was written; {} needs an update, or another arcflux", self.cloud.name)),
        })?;
        for id in &negotiated.unread {
            session.console.tell(&format!(
                "warning: {} does not show what {id} offers: the newest api-versions are taken",
                self.cloud.name
            ));
        }
        Ok(graph.with_api_versions(negotiated.versions))
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
pub(super) fn only_with_the_simulator(args: &CloudArgs) -> Result<(), CliError> {
    let is_embedded = args.arm_endpoint.is_none() && args.cloud.cloud().is_none();
    if is_embedded || !args.sim.is_given() {
        return Ok(());
    }
    Err(CliError::usage("options of the simulator (`--sim-…`, `--repo`) are given, and the simulator is not")
        .hint("add `--cloud sim`, or leave them out"))
}

/// Every id that will be read must fit one of the scopes.
pub(super) fn reads_within_scope(scopes: &[IdScope], graph: &Graph) -> Result<(), CliError> {
    let named = graph.nodes().iter().map(|node| node.id.clone());
    within_scope(scopes, ("the spec names", "sent"), named.chain(graph.reads().into_iter().map(|read| read.id)))
}

/// Every id of these further reads must fit one of the scopes.
pub(super) fn further_reads_within_scope(scopes: &[IdScope], reads: &[Read]) -> Result<(), CliError> {
    within_scope(scopes, ("the cluster has", "sent"), reads.iter().map(|read| read.id.clone()))
}

/// Every id that will be written must fit one of the scopes, also those that were only found by reading.
pub(super) fn writes_within_scope(scopes: &[IdScope], plan: &Plan) -> Result<(), CliError> {
    let steps = plan.resource_changes.iter().flat_map(|change| &change.steps);
    within_scope(scopes, ("the plan is about", "written"), steps.map(|step| step.id().clone()))
}

fn within_scope(
    scopes: &[IdScope],
    (what, not_done): (&str, &str),
    ids: impl Iterator<Item = ResourceId>,
) -> Result<(), CliError> {
    if scopes.is_empty() {
        return Ok(());
    }
    let outside: Vec<ResourceId> = ids.filter(|id| !scopes.iter().any(|scope| scope.admits(id))).collect();
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

pub(super) fn real(transport: Arc<dyn Transport>, tokens: Arc<dyn TokenSource>, cloud: CloudEndpoints) -> Connection {
    let arm = ArmClient::new(transport, Arc::new(SystemClock), Arc::clone(&tokens), cloud.arm.clone());
    Connection { arm, is_simulated: false, simulator: None, cloud, tokens, has_every_version: false }
}

/// An endpoint that somebody names. A token is made for exactly that host; over plain http, which is only possible on
/// loopback, there is none: a simulator needs none, and anything else should not get one.
async fn at_endpoint(endpoint: &str, args: &CloudArgs, session: &Session) -> Result<Connection, CliError> {
    let origin = Origin::parse(endpoint).map_err(|error| CliError::usage(format!("--arm-endpoint: {error}")))?;
    let transport: Arc<dyn Transport> = Arc::new(transport(args.ca_bundle.as_deref())?);
    if origin.is_plain() {
        return Ok(without_token(transport, origin));
    }
    // Whoever has named a credential that is not set up is told so before anything is sent.
    credentials(args, &session.environment)?;
    let endpoints = match Cloud::at(&origin) {
        Some(_) if args.audience.is_some() => return Err(audience_is_known(&origin)),
        Some(cloud) => CloudEndpoints::known(cloud, origin),
        None => discovered(&origin, args, &transport, session).await?,
    };
    let has_every_version = Cloud::at(&endpoints.arm).is_some();
    let tokens = sign_in(args, &endpoints, &transport, &session.environment)?;
    Ok(Connection { has_every_version, ..real(transport, tokens, endpoints) })
}

fn audience_is_known(origin: &Origin) -> CliError {
    CliError::usage(format!("`--audience` is for an `--arm-endpoint` that is not known, and {origin} is"))
}

/// A simulator over plain http.
pub(super) fn without_token(transport: Arc<dyn Transport>, origin: Origin) -> Connection {
    let tokens: Arc<dyn TokenSource> = Arc::new(FixedToken::new(Secret::new("none-over-http".to_owned())));
    Connection { is_simulated: true, ..real(transport, tokens, CloudEndpoints::simulated(origin)) }
}

/// The endpoints of a cloud that is not known, as it tells them and as far as it is believed.
pub(super) async fn discovered(
    origin: &Origin,
    args: &CloudArgs,
    transport: &Arc<dyn Transport>,
    session: &Session,
) -> Result<CloudEndpoints, CliError> {
    let authority = session.environment.get("AZURE_AUTHORITY_HOST").filter(|host| !host.is_empty());
    let authority = authority.map(str::parse).transpose();
    let said = Said {
        authority: authority.map_err(|error| CliError::usage(format!("AZURE_AUTHORITY_HOST: {error}")))?,
        audience: args.audience.clone(),
    };
    let discovery = Discovery {
        transport: Arc::clone(transport),
        clock: Arc::new(SystemClock),
        jitter: Arc::new(random),
        poll_scale: args.poll_scale,
        observer: observer(session),
    };
    let endpoints = discovery
        .endpoints(origin, &said)
        .await
        .map_err(|error| CliError::new(format!("not signed in: {}", chain(&error))).hint(error.hint()))?;
    let CloudEndpoints { name, authority, audience, .. } = &endpoints;
    session.console.tell(&format!("Signing in to {name} at {authority}, for {audience}."));
    Ok(endpoints)
}

/// Which credentials are meant, and their values.
fn credentials(args: &CloudArgs, environment: &Environment) -> Result<(Candidates<()>, IdentityValues), CliError> {
    let values = IdentityValues::from_variables(|name| environment.get(name).map(str::to_owned));
    let chosen = credentials::select(args.auth, &values).map_err(|error| not_signed_in(&error))?;
    Ok((chosen, values))
}

pub(super) fn sign_in(
    args: &CloudArgs,
    endpoints: &CloudEndpoints,
    sign_in: &Arc<dyn Transport>,
    environment: &Environment,
) -> Result<Arc<dyn TokenSource>, CliError> {
    let (chosen, values) = credentials(args, environment)?;
    let metadata: Arc<dyn Transport> = Arc::new(transport(args.ca_bundle.as_deref())?.link_local());
    let outside = Outside::new(endpoints.authority.clone(), Arc::clone(sign_in), metadata);
    let candidates = identity::build(chosen, &values, &outside);
    Ok(Arc::new(CredentialTokens::new(candidates, endpoints.scope(), Arc::new(SystemClock))))
}

pub(super) fn embedded(args: &SimArgs, named: Option<&Desired>) -> Result<Connection, CliError> {
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
        origin.clone(),
    );
    let cloud = CloudEndpoints::simulated(origin);
    Ok(Connection { arm, is_simulated: true, simulator: Some(simulator), cloud, tokens, has_every_version: true })
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
