//! Azure Resource Manager in memory: what arcflux talks to in tests, in demonstrations and while learning.
//!
//! One state machine ([`Simulator::handle`]) with two doors: an in-process [`Transport`](crate::http::Transport) and a
//! TCP server, with or without TLS. It is an independent witness: it shares no code with the modules that know Azure for arcflux, and is
//! built from recorded traffic, the published contracts and the clients' own sources, kept in `../shared` beside the
//! repository. The recordings are replayed into it (`tests/it/sim_replay.rs`). Where nobody has recorded what Azure
//! does, [`Quirks`] has every plausible answer.
//!
//! Time is the simulator's own. Every request moves it on by a moment; apart from that it stands still until somebody
//! advances it ([`Simulator::advance`], [`PacedClock`], or the TCP server with the machine's clock). Operations move by
//! this clock alone, never by being polled.
//!
//! What it has: subscriptions, tenants, cloud endpoints; providers and their registration; resource groups; connected
//! clusters whole, managed clusters as far as their existence goes; extensions; flux configurations, with Flux acted
//! out on them; Flux v1 configurations, on which nothing acts; the token endpoints of Entra and of managed identities;
//! what Arc's configuration data plane says about installing the agents, at the same origin.
//! Anything else is answered 501, by name.
//!
//! # Differences from Azure
//!
//! - Nobody has to sign in: the Authorization header is not looked at, so that curl works by hand. There are no roles.
//! - Anybody can sign in: every client id, with every secret or assertion but the word `wrong`. Tokens are not signed.
//! - Any subscription id is a subscription, empty until something is written to it.
//! - A connected cluster that is created gets its agents by itself, about a minute later.
//! - A managed cluster has no node pools, and its operation is followed at the same kind of URL as a connected one's.
//! - Installing, updating and removing take the same time every time.
//! - The objects that Flux makes in a cluster are not there: a kustomization is applied when its path exists. What is
//!   in the files is not looked at, nor is `multiTenancy.enforce`.
//! - A deploy key that Flux generates for an ssh source counts as installed in the repository.
//! - The signature in an operation's URL is as long as Azure's, and is not checked.
//! - A DELETE takes the place of whatever operation is running on the resource.
//! - `waitForReconciliation` waits for the outcome of the reconciliation, however long `reconciliationWaitDuration` is.
//! - No secret is kept: only that it is set.
//! - `$filter` and `$top` are not there.

mod agent_settings;
mod agents;
mod answer;
mod authorization;
mod call;
mod certificate;
mod children;
mod cluster_body;
mod clusters;
mod conditions;
mod doors;
mod durations;
mod endpoints;
mod extensions;
mod flux;
mod flux_fields;
mod groups;
mod offers;
mod providers;
pub mod quirks;
mod reconcile;
mod repositories;
mod route;
mod scenario;
mod server;
mod settings;
mod settle;
mod shape;
mod sign_in;
mod simulator;
mod source_control;
mod state;
mod state_file;
mod tenant;
mod throttle;
mod tls;
mod traffic;
mod trouble;
mod versions;
mod world;

pub use agents::Agents;
pub use authorization::Grant;
pub use certificate::{Certificate, CertificateError};
pub use doors::{InProcess, ORIGIN, PacedClock};
pub use endpoints::Told;
pub use offers::{Offer, OfferError, Offers};
pub use quirks::Quirks;
pub use repositories::{Found, GitReference, Repositories};
pub use scenario::{Scenario, UnknownScenario};
pub use server::Serving;
pub use settings::{Bucket, Limits, Seed, SeedCluster, SeedClusterType, SeedGroup, Settings};
pub use sign_in::REFUSED_SECRET;
pub use simulator::{Logged, Simulator};
pub use state_file::StateError;
pub use traffic::TrafficLog;
pub use trouble::{Fate, Operated};
