//! `doctor`: everything as it should be once, and each check failing once, with its advice.

use std::sync::{Arc, Mutex};

use arcflux::arm::{ArmClient, Cloud, CloudEndpoints, FixedToken, TokenError, TokenSource};
use arcflux::cluster::{ClusterError, Installation, Kubernetes, ObjectName};
use arcflux::doctor::{Azure, Doctor, Place, Trouble};
use arcflux::http::{Clock, Origin, Request, Response, Transport, TransportError};
use arcflux::kinds::onboarding::OnboardSpec;
use arcflux::model::{Agents, ConnectedAs, Secret, Sight};
use arcflux::plan::{self, Check, Checked, Checkup, Plan, Standing};
use arcflux::sim::{self, Grant, Seed, SeedCluster, SeedClusterType, Settings, Simulator};
use arcflux::spec::Desired;
use arcflux::view::checkup;
use arcflux::view::{Style, schema};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::binary::{Place as Directory, Server};
use crate::sign_in::{SECRET, Served};
use crate::stub_cluster::{CONTEXT, StubCluster};
use crate::{snapshots, world};

const TENANT: &str = "5b7f3d70-52b8-4c0e-9a43-0d8f0f1c2a11";
const NOW: &str = "2026-11-29T12:00:00Z";
const SAME_TIME: &str = "Sun, 29 Nov 2026 12:00:00 GMT";
const HEADS: &str = "003d5f0c1d2e3b4a59687766554433221100ffeeddcc refs/heads/main\n0000";
const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";

/// What a server answers, or that it does not.
#[derive(Clone)]
enum Answer {
    Status(u16, &'static [(&'static str, &'static str)], String),
    Unreachable,
    Untrusted,
}

fn status(status: u16) -> Answer {
    Answer::Status(status, &[], String::new())
}

fn refusal(code: &str) -> Answer {
    Answer::Status(403, &[], json!({"error": {"code": code, "message": "no role allows it"}}).to_string())
}

/// Answers what begins with one of these addresses, the last that was named first; hands the rest on, or has no way there.
struct Network {
    answers: Vec<(String, Answer)>,
    beyond: Option<Arc<dyn Transport>>,
    sent: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let url = request.uri().to_string();
        self.sent.lock().unwrap().push(request.clone());
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = self.answers.iter().rev().find(|(start, _)| url.starts_with(start));
        match (answer.map(|(_, answer)| answer), &self.beyond) {
            (Some(Answer::Status(status, headers, body)), _) => {
                let response = http::Response::builder().status(*status);
                let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
                Ok(response.body(Bytes::from(body.clone())).unwrap())
            }
            (Some(Answer::Untrusted), _) => Err(TransportError::Untrusted { host, reason: "UnknownIssuer".to_owned() }),
            (None, Some(beyond)) => beyond.send(request).await,
            (Some(Answer::Unreachable), _) | (None, None) => {
                Err(TransportError::Connect { host, source: "connection refused".into() })
            }
        }
    }
}

struct Noon;

#[async_trait]
impl Clock for Noon {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }

    async fn sleep(&self, _duration: std::time::Duration) {}
}

/// Nobody is signed in.
struct NoToken;

#[async_trait]
impl TokenSource for NoToken {
    async fn token(&self) -> Result<Secret, TokenError> {
        Err(TokenError::NoneWorked { tried: Vec::new() })
    }

    async fn renewed(&self, _rejected: &Secret) -> Result<Option<Secret>, TokenError> {
        Ok(None)
    }
}

/// A cluster behind every context.
#[derive(Clone)]
struct Cluster {
    sight: Result<Sight, ClusterError>,
    helm: Result<String, ClusterError>,
}

#[async_trait]
impl Kubernetes for Cluster {
    async fn look(&self, _context: &str) -> Result<Sight, ClusterError> {
        self.sight.clone()
    }

    async fn object(&self, _context: &str, _object: &ObjectName) -> Result<Option<Value>, ClusterError> {
        unreachable!("doctor reads no object")
    }

    async fn helm(&self) -> Result<String, ClusterError> {
        self.helm.clone()
    }

    async fn install_agents(&self, _context: &str, _installation: &Installation) -> Result<(), ClusterError> {
        unreachable!("doctor installs nothing")
    }

    async fn remove_agents(&self, _context: &str) -> Result<(), ClusterError> {
        unreachable!("doctor removes nothing")
    }

    async fn az(&self, _arguments: &[String]) -> Result<(), ClusterError> {
        unreachable!("doctor runs no az")
    }
}

/// A world in which everything is as it should be, to be changed.
struct World {
    desired: Desired,
    settings: Settings,
    registered: bool,
    claims: Value,
    signs_in: bool,
    place: Option<Trouble>,
    has_every_version: bool,
    /// The network beside ARM.
    network: Vec<(String, Answer)>,
    /// What ARM answers in the place of the simulator.
    arm: Vec<(String, Answer)>,
    cluster: Cluster,
    contexts: Vec<String>,
    scopes: Vec<&'static str>,
}

impl World {
    fn new() -> Self {
        let mut desired = world::quickstart();
        desired.tenant = Some(TENANT.to_owned());
        let subscription = desired.clusters[0].subscription.clone();
        let settings = Settings {
            seeds: vec![Seed {
                subscription: subscription.clone(),
                tenant: Some(TENANT.to_owned()),
                groups: Vec::new(),
                clusters: vec![SeedCluster {
                    resource_group: "rg-edge".to_owned(),
                    name: "store-001".to_owned(),
                    cluster_type: SeedClusterType::ConnectedClusters,
                    location: "westeurope".to_owned(),
                }],
            }],
            ..Settings::default()
        };
        let answers = Answer::Status(200, &[("date", SAME_TIME)], String::new());
        let git = Answer::Status(200, &[("content-type", ADVERTISEMENT)], HEADS.to_owned());
        let network = [
            ("https://management.azure.com", answers.clone()),
            ("https://login.microsoftonline.com", answers),
            ("https://westeurope.dp.kubernetesconfiguration.azure.com", status(404)),
            ("https://github.com/contoso/gitops/info/refs?service=git-upload-pack", git),
        ];
        let agents = ConnectedAs { subscription, resource_group: "rg-edge".to_owned(), name: "store-001".to_owned() };
        let sight = Sight {
            version: "v1.33.5+k3s1".to_owned(),
            distribution: "k3s".to_owned(),
            infrastructure: "generic".to_owned(),
            has_linux_node: true,
            forbidden: Vec::new(),
            agents: Some(Agents { release: "deployed".to_owned(), connected_as: Some(agents) }),
        };
        Self {
            desired,
            settings,
            registered: true,
            claims: json!({"tid": TENANT, "oid": "0b6c1f3e-77aa-4d18-9b0c-2a5d8e4f6c31"}),
            signs_in: true,
            place: None,
            has_every_version: true,
            network: network.map(|(url, answer)| (url.to_owned(), answer)).to_vec(),
            arm: Vec::new(),
            cluster: Cluster { sight: Ok(sight), helm: Ok("3.19.0".to_owned()) },
            contexts: vec!["store-001".to_owned()],
            scopes: Vec::new(),
        }
    }

    fn answers(&mut self, url: &str, answer: Answer) {
        self.network.push((url.to_owned(), answer));
    }

    /// ARM answers so what lies below the subscription.
    fn arm_answers(&mut self, below: &str, answer: Answer) {
        let subscription = &self.desired.clusters[0].subscription;
        self.arm.push((format!("{}/subscriptions/{subscription}{below}", sim::ORIGIN), answer));
    }

    fn sight(&mut self) -> &mut Sight {
        self.cluster.sight.as_mut().unwrap()
    }

    /// What doctor finds, and what was sent beside ARM.
    async fn examined(self) -> (Checkup, Vec<Request>) {
        let simulator = Simulator::in_memory(self.settings);
        let origin = Origin::parse(sim::ORIGIN).unwrap();
        if self.registered {
            for namespace in ["Microsoft.Kubernetes", "Microsoft.KubernetesConfiguration"] {
                let subscription = &self.desired.clusters[0].subscription;
                let url = format!(
                    "{origin}/subscriptions/{subscription}/providers/{namespace}/register?api-version=2024-03-01"
                );
                let request = http::Request::post(url).header("authorization", "Bearer x").body(Bytes::new()).unwrap();
                assert_eq!(simulator.handle(request).status(), 200);
            }
            simulator.advance(std::time::Duration::from_secs(3600));
        }
        let token = format!("header.{}.signature", URL_SAFE_NO_PAD.encode(self.claims.to_string()));
        let tokens: Arc<dyn TokenSource> =
            if self.signs_in { Arc::new(FixedToken::new(Secret::new(token))) } else { Arc::new(NoToken) };
        let beyond: Arc<dyn Transport> = Arc::new(simulator.transport());
        let arm = Network { answers: self.arm, beyond: Some(beyond), sent: Mutex::default() };
        let arm = ArmClient::new(Arc::new(arm), Arc::new(simulator.clock(1e9)), Arc::clone(&tokens), origin);
        let network = Arc::new(Network { answers: self.network, beyond: None, sent: Mutex::default() });
        let cloud = CloudEndpoints::known(Cloud::Public, Origin::parse(Cloud::Public.endpoint()).unwrap());
        let graph = world::graph(&self.desired);
        let found = Doctor {
            desired: &self.desired,
            graph: &graph,
            place: self.place.map_or(Ok(Place::Cloud(cloud)), Err),
            azure: Ok(Azure { arm, tokens, has_every_version: self.has_every_version }),
            network: Arc::clone(&network) as Arc<dyn Transport>,
            clock: Arc::new(Noon),
            scopes: self.scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
            contexts: self.contexts,
            kubernetes: Arc::new(self.cluster),
        }
        .run()
        .await;
        let sent = network.sent.lock().unwrap().clone();
        (found, sent)
    }
}

fn trouble(message: &str, hint: &str) -> ClusterError {
    ClusterError { message: message.to_owned(), hint: Some(hint.to_owned()) }
}

#[tokio::test]
async fn everything_as_it_should_be() {
    let (found, sent) = World::new().examined().await;
    assert!(found.ok && found.checks.iter().all(|check| check.standing == Standing::Ok), "{found:#?}");
    snapshots::check("doctor-fine", &checkup::render_text(&found, &Style::PLAIN));
    // Nobody but ARM gets a token.
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert!(sent.iter().all(|request| !request.headers().contains_key("authorization")), "{sent:?}");
}

/// What is changed, which check tells of it, how, with these words, and this advice.
type Row = (fn(&mut World), Checked, Standing, &'static str, &'static str);

const ROWS: &[Row] = &[
    (
        |world| world.signs_in = false,
        Checked::Credentials,
        Standing::Problem,
        "no credential gave a token",
        "`az login`",
    ),
    (
        |world| world.claims = json!({"tid": TENANT}),
        Checked::Credentials,
        Standing::Problem,
        "names no identity",
        "`az ad sp create --id",
    ),
    (
        |world| world.claims = json!({"tid": "other", "oid": "me"}),
        Checked::Tenant,
        Standing::Problem,
        "you are signed in to other",
        "`az login --tenant 5b7f3d70-",
    ),
    (
        |world| {
            world.place = Some(Trouble {
                message: "the cloud does not tell its endpoints".to_owned(),
                hint: Some("look at --arm-endpoint".to_owned()),
            });
        },
        Checked::Egress,
        Standing::Problem,
        "the cloud does not tell its endpoints",
        "look at --arm-endpoint",
    ),
    (
        |world| world.answers("https://management.azure.com", Answer::Unreachable),
        Checked::Egress,
        Standing::Problem,
        "Azure Resource Manager does not answer: cannot connect",
        "`curl -sSI https://management.azure.com`",
    ),
    (
        |world| world.answers("https://login.microsoftonline.com", Answer::Untrusted),
        Checked::Egress,
        Standing::Problem,
        "is not trusted (UnknownIssuer)",
        "`--ca-bundle FILE`",
    ),
    (
        |world| world.answers("https://login.microsoftonline.com", status(407)),
        Checked::Egress,
        Standing::Problem,
        "the proxy wants to know who asks",
        "HTTPS_PROXY",
    ),
    (
        |world| world.answers("https://westeurope.dp.", Answer::Unreachable),
        Checked::Egress,
        Standing::Warning,
        "the cluster needs it",
        "from the cluster's network: `curl -sSI https://westeurope.dp.kubernetesconfiguration.azure.com`",
    ),
    (
        |world| {
            let answer = Answer::Status(200, &[("date", "Sun, 29 Nov 2026 12:10:00 GMT")], String::new());
            world.answers("https://management.azure.com", answer);
        },
        Checked::Clock,
        Standing::Problem,
        "600 s behind Azure's",
        "`timedatectl set-ntp true`",
    ),
    (
        |world| world.arm_answers("?", Answer::Status(200, &[], json!({"state": "Disabled"}).to_string())),
        Checked::Subscription,
        Standing::Problem,
        "it is Disabled",
        "`az account subscription enable --subscription-id 3f0c1f6e-",
    ),
    (
        |world| {
            let body = json!({"error": {"code": "SubscriptionNotFound", "message": "not found"}});
            world.arm_answers("?", Answer::Status(404, &[], body.to_string()));
        },
        Checked::Subscription,
        Standing::Problem,
        "it does not exist, or you may see nothing of it",
        "`az account list",
    ),
    (
        |world| {
            world.has_every_version = false;
            world.settings.offers = ["Microsoft.KubernetesConfiguration/extensions=2019-01-01"]
                .iter()
                .map(|one| one.parse().unwrap())
                .collect();
        },
        Checked::ApiVersions,
        Standing::Problem,
        "extensions at none, and arcflux knows 2025-03-01",
        "another version of arcflux",
    ),
    (
        |world| {
            world.has_every_version = false;
            world.settings.offers = ["Microsoft.KubernetesConfiguration/fluxConfigurations=2022-03-01"]
                .iter()
                .map(|one| one.parse().unwrap())
                .collect();
            let text = "apiVersion: arcflux/v1\nsubscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20\nresourceGroup: rg-edge\n\
                cluster: {name: store-001}\nrepo: {url: \"https://github.com/contoso/gitops\", branch: main}\n\
                kustomizations: {app: {path: ./a, postBuild: {substitute: {a: b}}}}\n";
            let desired = crate::simulated::desired(text);
            world.desired.newer = desired.newer;
        },
        Checked::ApiVersions,
        Standing::Problem,
        "`postBuild` needs the api-version 2023-05-01, and this cloud offers 2022-03-01",
        "`arcflux explain-code AF085`",
    ),
    (
        |world| world.settings.seeds[0].clusters.clear(),
        Checked::Cluster,
        Standing::Problem,
        "does not exist",
        "`az connectedk8s connect -g rg-edge -n store-001`",
    ),
    (
        |world| {
            let body = json!({
                "name": "store-001",
                "location": "westeurope",
                "properties": {"provisioningState": "Succeeded", "connectivityStatus": "Offline"},
            });
            let path = "/resourceGroups/rg-edge/providers/Microsoft.Kubernetes/connectedClusters/store-001?";
            world.arm_answers(path, Answer::Status(200, &[], body.to_string()));
        },
        Checked::Cluster,
        Standing::Warning,
        "it is Offline: it takes up nothing that is written",
        "`az connectedk8s troubleshoot`",
    ),
    (
        |world| world.registered = false,
        Checked::Registration,
        Standing::Warning,
        "NotRegistered: an apply registers it",
        "`az provider register --namespace Microsoft.KubernetesConfiguration --wait`",
    ),
    (
        |world| world.arm_answers("/providers/Microsoft.KubernetesConfiguration?", refusal("AuthorizationFailed")),
        Checked::Registration,
        Standing::Problem,
        "it may not be read",
        "the role Reader on the subscription",
    ),
    (
        |world| world.settings.seeds[0].clusters[0].location = "moonbase".to_owned(),
        Checked::Location,
        Standing::Problem,
        "Microsoft.Kubernetes/connectedClusters are not offered there",
        "`az provider show -n Microsoft.Kubernetes",
    ),
    (
        |world| {
            world.settings.grants = vec![Grant { actions: vec!["*/read".to_owned()], not_actions: Vec::new() }];
        },
        Checked::Permissions,
        Standing::Problem,
        "you may not: Microsoft.KubernetesConfiguration/extensions/write, Microsoft.KubernetesConfiguration/fluxConfigurations/write",
        "--assignee 0b6c1f3e-77aa-4d18-9b0c-2a5d8e4f6c31 --role \"Kubernetes Extension Contributor\" --scope /subscriptions/",
    ),
    (
        |world| {
            world.registered = false;
            let not_actions = vec!["*/register/action".to_owned()];
            world.settings.grants = vec![Grant { actions: vec!["*".to_owned()], not_actions }];
        },
        Checked::Permissions,
        Standing::Problem,
        "you may not: Microsoft.KubernetesConfiguration/register/action",
        "--role \"Contributor\" --scope /subscriptions/",
    ),
    (
        |world| world.cluster.sight = Err(trouble("there is no context store-001", "name one of: edge")),
        Checked::Context,
        Standing::Problem,
        "there is no context store-001",
        "name one of: edge",
    ),
    (
        |world| {
            let agents = world.sight().agents.as_mut().unwrap();
            agents.connected_as.as_mut().unwrap().name = "store-002".to_owned();
        },
        Checked::Context,
        Standing::Problem,
        "it is connected to Azure as rg-edge/store-002",
        "`kubectl config get-contexts`",
    ),
    (
        |world| {
            world.sight().agents = None;
            world.sight().forbidden = vec!["create clusterrolebindings".to_owned()];
        },
        Checked::Context,
        Standing::Problem,
        "must be allowed to create clusterrolebindings",
        "a kubeconfig of a cluster administrator",
    ),
    (
        |world| {
            world.sight().agents = None;
            world.sight().has_linux_node = false;
        },
        Checked::Context,
        Standing::Problem,
        "no node with Linux",
        "add one",
    ),
    (
        |world| world.sight().agents.as_mut().unwrap().release = "failed".to_owned(),
        Checked::Context,
        Standing::Warning,
        "the release of the Arc agents is failed",
        "`kubectl get pods -n azure-arc`",
    ),
    (
        |world| world.cluster.helm = Err(trouble("this is helm 2.17.0", "install helm 3.8 or newer")),
        Checked::Helm,
        Standing::Problem,
        "this is helm 2.17.0",
        "install helm 3.8 or newer",
    ),
    (
        |world| world.answers("https://github.com", status(401)),
        Checked::Repository,
        Standing::Problem,
        "wants credentials, and the spec gives Flux none",
        "`httpsUser` and `httpsKey`",
    ),
    (
        |world| world.answers("https://github.com", Answer::Unreachable),
        Checked::Repository,
        Standing::Problem,
        "it does not answer here",
        "out to its host",
    ),
    (
        |world| world::source(&mut world.desired).branch = Some("prod".to_owned()),
        Checked::Repository,
        Standing::Problem,
        "has no branch prod",
        "such as main",
    ),
    (
        |world| {
            let moved = Answer::Status(
                301,
                &[("location", "https://github.com/fabrikam/gitops/info/refs?service=git-upload-pack")],
                String::new(),
            );
            world.answers("https://github.com", moved);
        },
        Checked::Repository,
        Standing::Warning,
        "it has moved to https://github.com/fabrikam/gitops",
        "the new address",
    ),
];

#[tokio::test]
async fn each_check_fails_once_with_its_advice() {
    let mut unlike = Vec::new();
    for (change, checked, standing, why, mend) in ROWS {
        let mut world = World::new();
        change(&mut world);
        let (found, _) = world.examined().await;
        let is_told = |check: &Check| {
            check.check == *checked
                && check.standing == *standing
                && check.why.contains(why)
                && check.mend.as_deref().unwrap_or_default().contains(mend)
        };
        // Nothing else is a problem because of it: what cannot be tried says so.
        let others = found.checks.iter().filter(|check| check.standing == Standing::Problem && check.check != *checked);
        let is_right =
            found.checks.iter().any(is_told) && found.ok == (*standing != Standing::Problem) && others.count() == 0;
        if !is_right {
            unlike.push(format!("{why}; {mend}\n{}", checkup::render_text(&found, &Style::PLAIN)));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

#[tokio::test]
async fn what_is_outside_of_the_scopes_is_not_read() {
    let mut world = World::new();
    world.scopes = vec!["/subscriptions/*/resourceGroups/rg-edge/**"];
    let (found, _) = world.examined().await;
    let warned = |checked: Checked| {
        let of_it = found.checks.iter().filter(move |check| check.check == checked);
        of_it.filter(|check| check.standing == Standing::Warning && check.why.contains("`--scope`")).count()
    };
    assert_eq!((warned(Checked::Subscription), warned(Checked::Permissions)), (1, 1), "{found:#?}");
}

#[tokio::test]
async fn what_connecting_needs_is_looked_at_where_the_spec_says_how() {
    let mut world = World::new();
    let onboard: OnboardSpec = serde_json::from_value(json!({"context": "edge", "location": "West Europe"})).unwrap();
    world.desired.clusters[0].cluster.onboard = Some(onboard);
    world.answers("https://westeurope.dp.", Answer::Unreachable);
    let (found, _) = world.examined().await;
    let told = |standing: Standing, subject: &str| {
        let mut checks = found.checks.iter();
        checks.any(|check| check.standing == standing && check.subject.as_deref() == Some(subject))
    };
    assert!(told(Standing::Problem, "https://westeurope.dp.kubernetesconfiguration.azure.com"), "{found:#?}");
    assert!(told(Standing::Problem, "https://mcr.microsoft.com/v2/"), "{found:#?}");
    assert!(told(Standing::Warning, "edge") && told(Standing::Ok, "store-001"), "{found:#?}");
}

#[tokio::test]
async fn what_connecting_needs_is_told_without_credentials_and_without_a_context() {
    let mut world = World::new();
    let onboard: OnboardSpec = serde_json::from_value(json!({"context": "edge", "location": "West Europe"})).unwrap();
    world.desired.clusters[0].cluster.onboard = Some(onboard);
    world.contexts = Vec::new();
    world.signs_in = false;
    world.answers("https://mcr.microsoft.com", status(200));
    let (found, _) = world.examined().await;
    let told = |checked: Checked, standing: Standing, subject: Option<&str>| {
        let mut checks = found.checks.iter();
        checks.any(|one| (one.check, one.standing, one.subject.as_deref()) == (checked, standing, subject))
    };
    let plane = "https://westeurope.dp.kubernetesconfiguration.azure.com";
    assert!(told(Checked::Egress, Standing::Ok, Some(plane)), "{found:#?}");
    assert!(told(Checked::Context, Standing::Warning, Some("edge")), "{found:#?}");
    assert!(told(Checked::Helm, Standing::Warning, None), "{found:#?}");
}

#[test]
fn what_a_plan_needs_is_less_than_what_any_plan_of_the_spec_may() {
    let desired = world::quickstart();
    let graph = world::graph(&desired);
    let names = |plan: Option<&Plan>| -> Vec<String> {
        let needs = plan::needs(&graph, plan).into_iter();
        needs.map(|need| format!("{} at {}", need.action, need.scope.name())).collect()
    };
    let nothing = world::plan(&desired, &world::converged(&desired), &world::options());
    let needed = names(Some(&nothing));
    assert!(needed.iter().all(|need| need.contains("/read at ")), "{needed:?}");
    let first = names(Some(&world::plan(&desired, &world::bare(&desired), &world::options())));
    assert!(needed.iter().all(|need| first.contains(need)), "{first:?}");
    snapshots::check("doctor-needs", &format!("{}\n", names(None).join("\n")));
}

#[tokio::test]
async fn what_needs_something_that_failed_is_not_tried_and_the_rest_is() {
    let mut world = World::new();
    world.signs_in = false;
    world.answers("https://login.microsoftonline.com", Answer::Unreachable);
    world::source(&mut world.desired).url = "ssh://git@github.com/contoso/gitops".to_owned();
    let (found, _) = world.examined().await;
    snapshots::check("doctor-not-signed-in", &checkup::render_text(&found, &Style::PLAIN));
}

#[tokio::test]
async fn nothing_from_elsewhere_is_shown_as_it_is() {
    let mut world = World::new();
    world.cluster.sight = Err(trouble("\u{1b}[31mred\u{1b}[0m\u{202e}", "x"));
    let (found, _) = world.examined().await;
    let text = checkup::render_text(&found, &Style::PLAIN);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    let json = checkup::render_json(&found);
    assert!(!json.contains('\u{202e}'), "{json}");
    let schema: Value = serde_json::from_str(&schema::doctor_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&serde_json::from_str(&json).unwrap()), "{json}");
}

#[test]
fn with_the_embedded_simulator_and_with_one_that_is_served() {
    let place = Directory::quickstart();
    let ran = place.sim(&["doctor"]).ends_with(0);
    ran.shows("registers it, and waits").shows("Doctor: 0 problems, 1 warning, ");
    let server = Server::start(&place, &["--seed", "arcflux.yaml", "--speed", "2000"]);
    let served = server.run(&place, &["doctor", "--format", "json"]).ends_with(0);
    let found: Value = serde_json::from_str(&served.out).unwrap();
    assert_eq!((&found["ok"], &found["format_version"]), (&json!(true), &json!("1.0")));
    // No kubeconfig is read, and nothing runs.
    let rehearsed = place.sim(&["doctor", "--context", "store-001", "--kubeconfig", "absent"]).ends_with(0);
    rehearsed.shows("ok       context").shows("(simulated)");
    drop(server);
}

#[tokio::test]
async fn signed_in_to_a_cloud_of_its_own() {
    let served = Served::new().await;
    let spec = std::fs::read_to_string(served.path("arcflux.yaml")).unwrap();
    std::fs::write(served.path("arcflux.yaml"), spec.replace("https://github.com", "ssh://git@github.com")).unwrap();
    let arguments = ["doctor", "--ca-bundle", "tls/ca.pem", "--auth", "environment"];
    let ran = served.run(&arguments, &SECRET).await;
    assert!(ran.out.contains("ok       credentials   signed in"), "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("the sign-in answers") && ran.out.contains("the cloud offers one"), "{}", ran.out);
    let untrusted = served.run(&["doctor"], &SECRET).await;
    assert_eq!(untrusted.exit, Some(1), "{}", untrusted.out);
    assert!(untrusted.out.contains("problem  egress") && untrusted.out.contains("--ca-bundle"), "{}", untrusted.out);
}

#[tokio::test]
async fn the_cluster_and_the_helm_that_the_command_line_names() {
    let stub = StubCluster::start().await;
    stub.put_agents("3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20", "rg-edge", "store-001");
    stub.helm_is("v3.19.0");
    let place = Directory::quickstart();
    let (kubeconfig, helm) = (stub.kubeconfig(), stub.bin().join("helm"));
    let server = Server::start(&place, &["--seed", "arcflux.yaml", "--speed", "2000"]);
    let look = move |context: &str| {
        let (kubeconfig, helm) = (kubeconfig.to_str().unwrap(), helm.to_str().unwrap());
        server.run(&place, &["doctor", "--context", context, "--kubeconfig", kubeconfig, "--helm", helm])
    };
    // Only what runs beside it can answer it.
    let (fine, gone) = tokio::task::spawn_blocking(move || (look(CONTEXT), look("nobody-has-this"))).await.unwrap();
    fine.ends_with(0)
        .shows("ok       context       store-001: Kubernetes ")
        .shows("ok       helm          helm 3.19.0");
    gone.ends_with(1).shows("problem  context       nobody-has-this: ");
}
