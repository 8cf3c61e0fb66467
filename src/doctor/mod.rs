//! Whether everything is there that a plan and an apply of a spec need: each check asks, and judges what it is answered.
//!
//! All checks run, whatever others found; what needs something that failed says so. Only reads; no token goes anywhere but
//! to ARM, and no secret of the spec is read.

mod cluster;
mod egress;
mod git;
mod permissions;
mod place;
mod record;
mod sign_in;
mod sources;
mod subscription;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::arm::{ArmClient, CloudEndpoints, TokenSource};
use crate::cluster::Kubernetes;
use crate::fetch::{self, NegotiationError};
use crate::graph::Graph;
use crate::http::{Clock, Origin, Transport};
use crate::kinds::onboarding::OnboardSpec;
use crate::model::{IdScope, LiveState, ResourceId, with_causes};
use crate::plan::{ChartFrom, Check, Checked, Checkup, Choices, Options, Plan, PlanError, SecretPolicy, make};
use crate::spec::Desired;

/// Everything that is asked.
pub struct Doctor<'a> {
    /// What the spec wants.
    pub desired: &'a Desired,
    /// The same as a graph.
    pub graph: &'a Graph,
    /// Where Azure is; why that is not known, where it is not.
    pub place: Result<Place, Trouble>,
    /// A client that signs in; why there is none, where there is none.
    pub azure: Result<Azure, Trouble>,
    /// The network, as everything but ARM is asked through it: without a token.
    pub network: Arc<dyn Transport>,
    /// This machine's clock.
    pub clock: Arc<dyn Clock>,
    /// What may be read of ARM; everything where there are none.
    pub scopes: Vec<IdScope>,
    /// The contexts of the kubeconfig to look at.
    pub contexts: Vec<String>,
    /// What reaches them.
    pub kubernetes: Arc<dyn Kubernetes>,
}

/// Where Azure is.
#[derive(Debug, Clone)]
pub enum Place {
    /// In this process, simulated: nothing else is asked.
    Embedded,
    /// At an endpoint on plain http, which can only be a simulator: nothing beside it is asked.
    Simulated(Origin),
    /// In a cloud.
    Cloud(CloudEndpoints),
}

impl Place {
    const fn is_simulated(&self) -> bool {
        matches!(self, Self::Embedded | Self::Simulated(_))
    }
}

/// Azure, to be signed in to.
pub struct Azure {
    /// Its ARM.
    pub arm: ArmClient,
    /// Where the tokens for it are from.
    pub tokens: Arc<dyn TokenSource>,
    /// Whether it is known beforehand which api-versions there are.
    pub has_every_version: bool,
}

/// Why something cannot be asked.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// What failed, and why.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Trouble {
    fn check(&self, check: Checked) -> Check {
        let problem = Check::problem(check, self.message.clone());
        match &self.hint {
            Some(hint) => problem.mended_by(hint.clone()),
            None => problem,
        }
    }
}

/// What has to be signed in to be asked.
const SIGNED_IN: [Checked; 5] =
    [Checked::Subscription, Checked::Registration, Checked::Location, Checked::Cluster, Checked::Permissions];

impl Doctor<'_> {
    /// Runs every check.
    pub async fn run(&self) -> Checkup {
        let (azure, sources, clusters) =
            tokio::join!(self.look_at_azure(), self.look_at_sources(), self.look_at_clusters());
        let mut checks: Vec<Check> = azure.into_iter().chain(sources).chain(clusters).collect();
        checks.sort_by_key(|check| check.check);
        Checkup::of(checks)
    }

    /// How clusters are connected that the spec says it of.
    fn onboards(&self) -> impl Iterator<Item = &OnboardSpec> {
        self.desired.clusters.iter().filter_map(|cluster| cluster.cluster.onboard.as_ref())
    }

    /// Whether something may be read that no plan reads.
    fn may_read(&self, id: &ResourceId) -> bool {
        self.scopes.is_empty() || self.scopes.iter().any(|scope| scope.admits(id))
    }

    fn is_simulated(&self) -> bool {
        self.place.as_ref().is_ok_and(Place::is_simulated)
    }

    async fn look_at_azure(&self) -> Vec<Check> {
        let (sign_in, reached) = tokio::join!(self.sign_in(), self.reach_cloud());
        let mut checks = sign_in.checks;
        checks.extend(reached.checks);
        let azure = match (&self.azure, sign_in.is_signed_in, reached.reaches_arm) {
            (Ok(azure), true, true) => azure,
            (_, is_signed_in, _) => {
                let needs = if is_signed_in { "Azure Resource Manager to answer" } else { "credentials" };
                checks.extend(SIGNED_IN.map(|check| Check::not_tried(check, needs)));
                checks.extend(self.reach_told_data_planes().await);
                return checks;
            }
        };
        let (graph, versions, is_spoken) = self.negotiate(azure).await;
        checks.extend(versions);
        if !is_spoken {
            let needs = "api-versions that both know";
            checks.extend(
                [Checked::Registration, Checked::Location, Checked::Cluster]
                    .map(|check| Check::not_tried(check, needs)),
            );
            checks.extend(self.reach_told_data_planes().await);
            checks.extend(self.subscriptions(azure, &graph).await);
            checks.extend(self.permissions(azure, &graph, None).await);
            return checks;
        }
        let (subscriptions, live) = tokio::join!(self.subscriptions(azure, &graph), self.live(azure, &graph));
        checks.extend(subscriptions);
        let (live, plan) = match live {
            Ok(live) => {
                let plan = self.plan(azure, &graph, &live);
                checks.extend(self.records(&graph, &live, plan.as_ref().err().map_or(&[], Vec::as_slice)));
                (Some(live), plan.ok())
            }
            Err(message) => {
                checks.push(Check::problem(Checked::Registration, format!("cannot be read: {message}")));
                checks.extend(
                    [Checked::Location, Checked::Cluster]
                        .map(|check| Check::not_tried(check, "what is live to be read")),
                );
                checks.extend(self.reach_told_data_planes().await);
                (None, None)
            }
        };
        if let Some(live) = &live {
            checks.extend(place::registrations(&graph, live));
            checks.extend(place::locations(self.desired, live));
            checks.extend(self.reach_data_planes(&place::cluster_locations(self.desired, live)).await);
        }
        checks.extend(self.permissions(azure, &graph, plan.as_ref()).await);
        checks
    }

    /// The graph in the api-versions that the cloud offers, where that has to be asked; and whether both know some.
    async fn negotiate(&self, azure: &Azure) -> (Graph, Option<Check>, bool) {
        if azure.has_every_version {
            return (self.graph.clone(), None, true);
        }
        match fetch::negotiate(self.graph, &azure.arm).await {
            Ok(negotiated) => {
                let graph = self.graph.with_api_versions(negotiated.versions);
                let newer = self.desired.newer_than(graph.api_versions());
                let check = if newer.is_empty() {
                    let why = "of every resource type, the cloud offers one that arcflux knows";
                    Check::ok(Checked::ApiVersions, why)
                } else {
                    let why: Vec<String> =
                        newer.iter().map(|problem| format!("{} ({})", problem.message, problem.code)).collect();
                    Check::problem(Checked::ApiVersions, why.join("; "))
                        .mended_by("take it out, or give this cloud a spec of its own; `arcflux explain-code AF085`")
                };
                (graph, Some(check), true)
            }
            Err(error) => {
                let why = match &error {
                    NegotiationError::Arm(error) => with_causes(error),
                    NegotiationError::None(missing) => {
                        missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
                    }
                };
                let check = Check::problem(Checked::ApiVersions, why)
                    .mended_by("this cloud needs an update, or another version of arcflux");
                (self.graph.clone(), Some(check), false)
            }
        }
    }

    async fn live(&self, azure: &Azure, graph: &Graph) -> Result<LiveState, String> {
        fetch::live_state(&graph.reads(), &azure.arm).await.map_err(|errors| {
            let told: BTreeSet<String> = errors.iter().map(|error| with_causes(error)).collect();
            Vec::from_iter(told).join("; ")
        })
    }

    /// Asks the configuration data planes of the locations that the spec tells, where nothing live is read.
    async fn reach_told_data_planes(&self) -> Vec<Check> {
        let nothing = LiveState::empty(self.clock.now());
        self.reach_data_planes(&place::cluster_locations(self.desired, &nothing)).await
    }

    /// The plan of the spec, where there can be one. It is only looked at for what it would do.
    fn plan(&self, azure: &Azure, graph: &Graph, live: &LiveState) -> Result<Plan, Vec<PlanError>> {
        let options = Options {
            origin: azure.arm.origin().to_string(),
            tenant: self.desired.tenant.clone(),
            base: None::<Value>,
            choices: Choices::default(),
            allow_auth_hosts: Vec::new(),
            secrets: SecretPolicy::Placeholders,
            chart: ChartFrom::Service,
        };
        make(graph, live, &self.desired.expanded, &options)
    }
}
