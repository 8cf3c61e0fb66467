//! Options that several commands share, in groups.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

use super::arg_values::{CloudName, ForgeName, OfflineName, WaitName, WorkloadsName};
use super::arg_values::{factor, grant, pace, repository, web_address};
use crate::arm::credentials::CredentialKind;
use crate::model::{Address, Glob, IdScope, Limit, Target};
use crate::plan::SecretGrant;
use crate::sim::Scenario;

/// Where the spec is, and what it may read.
#[derive(Debug, Args)]
pub(super) struct SpecArgs {
    /// The spec; `-` is standard input. [default: arcflux.yaml]
    #[arg(short, long, value_name = "FILE")]
    pub(super) file: Option<String>,
    /// An environment variable that `${env:NAME}` may read, beside AZURE_SUBSCRIPTION_ID and AZURE_TENANT_ID. Can be
    /// given several times.
    #[arg(long, value_name = "NAME")]
    pub(super) allow_env: Vec<String>,
}

impl SpecArgs {
    /// The spec.
    pub(super) fn file(&self) -> &str {
        self.file.as_deref().unwrap_or("arcflux.yaml")
    }

    /// The file of the spec, as one of those that are read.
    pub(super) fn input(&self) -> &Path {
        Path::new(self.file())
    }

    /// Whether it was named, and is not just the usual one.
    pub(super) const fn is_named(&self) -> bool {
        self.file.is_some()
    }
}

/// What the spec was before.
#[derive(Debug, Args)]
pub(super) struct BaseArgs {
    /// The spec as it was before: a file, `git:REVISION` for the same file at a revision of git, or `git:REVISION:PATH`.
    /// What it has and the spec has not is deleted; what is live and unlike it was changed outside of arcflux.
    #[arg(long, value_name = "FILE|git:REVISION")]
    pub(super) base: Option<String>,
}

impl BaseArgs {
    /// The file of the base, as one of those that are read.
    pub(super) fn input(&self) -> Option<&Path> {
        self.base.as_deref().filter(|base| !base.starts_with("git:")).map(Path::new)
    }
}

/// Which Azure, and who asks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Azure")]
pub(super) struct CloudArgs {
    /// The Azure cloud to talk to.
    #[arg(long, value_enum, default_value = "public", env = "ARCFLUX_CLOUD", hide_env_values = true)]
    pub(super) cloud: CloudName,
    /// Another Azure Resource Manager endpoint, such as that of a disconnected cloud or of `arcflux sim serve`; it goes before
    /// `--cloud`, and tells where to sign in. Plain http only on loopback.
    #[arg(long, value_name = "URL", env = "ARCFLUX_ARM_ENDPOINT", hide_env_values = true)]
    pub(super) arm_endpoint: Option<String>,
    /// More certificate authorities to trust, in PEM form.
    #[arg(long, value_name = "FILE", env = "ARCFLUX_CA_BUNDLE", hide_env_values = true)]
    pub(super) ca_bundle: Option<PathBuf>,
    /// What tokens for --arm-endpoint are issued for, where that is not the endpoint itself. [default: what its metadata
    /// says]
    #[arg(long, value_name = "URL", env = "ARCFLUX_AUDIENCE", hide_env_values = true)]
    pub(super) audience: Option<String>,
    /// How to sign in: workload-identity, azure-pipelines, environment, az-cli or managed-identity. Without it, they are
    /// tried in this order.
    #[arg(long, value_name = "NAME", value_parser = clap::value_parser!(CredentialKind), env = "ARCFLUX_AUTH", hide_env_values = true)]
    pub(super) auth: Option<CredentialKind>,
    /// Resource ids that may be read and written. `*` stands for any characters up to the next slash, `/**` for the id
    /// itself and everything below it. Anything else is refused before the first request. Can be given several times, or
    /// with commas between.
    #[arg(long, value_name = "ID-GLOB", env = "ARCFLUX_SCOPE", hide_env_values = true, value_delimiter = ',')]
    pub(super) scope: Vec<IdScope>,
    /// Multiply every wait by this, those for the limits of Azure included. For tests and demonstrations.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub(super) poll_scale: f64,
    #[command(flatten)]
    pub(super) sim: SimArgs,
}

impl CloudArgs {
    /// The files that are read to talk to Azure, or to stand for it.
    pub(super) fn inputs(&self) -> [(&'static str, Option<&Path>); 2] {
        let is_embedded = self.arm_endpoint.is_none() && self.cloud.cloud().is_none();
        let state = self.sim.sim_state.as_deref().unwrap_or(Path::new(DEFAULT_STATE));
        [
            ("the certificate authorities", self.ca_bundle.as_deref()),
            ("the state of the simulator", Some(state).filter(|_| is_embedded)),
        ]
    }
}

/// Where the simulator keeps its state by default.
const DEFAULT_STATE: &str = ".arcflux/sim.json";

/// The embedded simulator.
#[derive(Debug, Args)]
#[command(next_help_heading = "Simulator (with --cloud sim)")]
pub(super) struct SimArgs {
    /// Where the simulator keeps its state. [default: .arcflux/sim.json]
    #[arg(long, value_name = "FILE")]
    pub(super) sim_state: Option<PathBuf>,
    /// How many times faster than real time the simulator's clock runs while arcflux waits. [default: 100]
    #[arg(long, value_name = "FACTOR", value_parser = pace)]
    pub(super) sim_pace: Option<f64>,
    /// Begin a new state with nothing in it, not with the group and cluster that the spec names.
    #[arg(long)]
    pub(super) sim_empty: bool,
    /// Make something go wrong; `arcflux sim scenarios` lists what can.
    #[arg(long, value_name = "NAME")]
    pub(super) sim_scenario: Option<Scenario>,
    /// A local git repository that stands for a URL: the simulated Flux reads its refs and paths. Can be given several
    /// times.
    #[arg(long = "repo", value_name = "URL=PATH", value_parser = repository)]
    pub(super) repositories: Vec<(String, PathBuf)>,
}

impl SimArgs {
    /// Whether any of them is given.
    pub(super) fn is_given(&self) -> bool {
        let Self { sim_state, sim_pace, sim_empty, sim_scenario, repositories } = self;
        sim_state.is_some() || sim_pace.is_some() || *sim_empty || sim_scenario.is_some() || !repositories.is_empty()
    }

    /// Where the simulator keeps its state.
    pub(super) fn state(&self) -> PathBuf {
        self.sim_state.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_STATE))
    }

    /// How many times faster than real time the simulator's clock runs: the quickstart takes two to four seconds.
    pub(super) fn pace(&self) -> f64 {
        self.sim_pace.unwrap_or(100.0)
    }
}

/// A live state that was read before.
#[derive(Debug, Args)]
#[command(next_help_heading = "Azure")]
pub(super) struct LiveArgs {
    /// Take the live state from this file, which `arcflux snapshot` wrote: no network, no credentials. The cloud and the
    /// tenant are those of the file; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) live: Option<PathBuf>,
}

pub(super) const DECISIONS: &str = "Decisions (kept in the plan)";

/// Decisions that are part of a plan.
#[derive(Debug, Args)]
#[command(next_help_heading = DECISIONS)]
pub(super) struct ChoiceArgs {
    /// Plan only for these addresses, such as `rg-edge/store-*`, and what they need; `*` stands for any characters. Can
    /// be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(super) only: Vec<Glob>,
    /// How far an apply waits.
    #[arg(long, value_enum, default_value = "compliant")]
    pub(super) wait: WaitName,
    /// What becomes of the workloads of a kustomization that goes away while prune is on. Without this, a plan that
    /// removes one is refused, unless the base has it with prune on and its configuration stays; a destruction deletes
    /// them.
    #[arg(long, value_enum)]
    pub(super) workloads: Option<WorkloadsName>,
    /// Allow deleting a configuration and creating it again, where a field cannot change in place.
    #[arg(long)]
    pub(super) allow_replace: bool,
    /// What becomes of changes on clusters that do not talk to Azure.
    #[arg(long, value_enum, default_value = "fail")]
    pub(super) offline: OfflineName,
    /// Take Azure's record alone of something that the plan deletes, by its exact address, such as
    /// `rg-edge/store-001/flux/app`; what is in the cluster stays, and may go on being reconciled. For clusters that never
    /// come back. Can be given several times.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) force_delete: Vec<Address>,
    /// How many live configurations the plan may delete or replace: a number, or a share such as `50%`, which holds from
    /// ten configurations on. [default: what the spec says, else 30%]
    #[arg(long, value_name = "N|%")]
    pub(super) max_delete: Option<Limit>,
    /// How many live configurations the plan may update. [default: what the spec says, else 30%]
    #[arg(long, value_name = "N|%")]
    pub(super) max_update: Option<Limit>,
}

/// Clusters themselves, which only specs that say how to connect them reach. Never part of a plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "Kubernetes cluster (for specs with `onboard`)")]
pub(super) struct ClusterArgs {
    /// Look at the clusters that the spec says how to connect, and, where a plan is applied, connect and disconnect them.
    /// A kubeconfig may name programs, which are run.
    #[arg(long)]
    pub(super) allow_cluster: bool,
    /// The kubeconfig that holds the contexts; several are named as in KUBECONFIG. [default: ~/.kube/config]
    #[arg(long, value_name = "FILE", env = "KUBECONFIG", hide_env_values = true)]
    pub(super) kubeconfig: Option<OsString>,
    /// The chart of the Arc agents: a directory, an archive, or `oci://REGISTRY/PATH:VERSION`. Without it, the one that
    /// Azure names.
    #[arg(long, value_name = "CHART")]
    pub(super) chart: Option<String>,
    /// Values of the chart, in YAML, that go over those that Azure names. They may hold secrets.
    #[arg(long, value_name = "FILE")]
    pub(super) chart_values: Option<PathBuf>,
    /// The helm to run. [default: helm, as found on PATH]
    #[arg(long, value_name = "PATH")]
    pub(super) helm: Option<PathBuf>,
    /// The az to run, for clusters that are connected `via: az`. [default: az, as found on PATH]
    #[arg(long, value_name = "PATH")]
    pub(super) az: Option<PathBuf>,
}

/// What secrets and credentials may be used for. Never part of a plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "Secrets (never kept in the plan)")]
pub(super) struct SecretArgs {
    /// A secret that may be sent, and where to: `env:NAME@https://host`, `file:PATH@ssh://host`,
    /// `env:NAME@rg/cluster/flux/name`. Can be given several times.
    #[arg(long, value_name = "SECRET@DESTINATION", value_parser = grant)]
    pub(super) allow_secret: Vec<SecretGrant>,
    /// The directory that `{file: PATH}` is read below.
    #[arg(long, value_name = "DIR")]
    pub(super) secrets_dir: Option<PathBuf>,
    /// A host that credentials which are in place already may be used for after a change of the source. Can be given
    /// several times.
    #[arg(long, value_name = "HOST")]
    pub(super) allow_auth_host: Vec<String>,
}

/// Which pull request. What is not given is what the CI job's environment says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pull request (found out in CI jobs)")]
pub(super) struct ForgeArgs {
    /// The forge that the pull request is on.
    #[arg(long, value_enum)]
    pub(super) forge: Option<ForgeName>,
    /// Its repository: OWNER/NAME on GitHub, PROJECT/REPOSITORY on Azure DevOps, GROUP/PROJECT or an id on GitLab.
    #[arg(long, value_name = "NAME")]
    pub(super) repository: Option<String>,
    /// Its number. Without one, `comment --outcome` looks for the pull request that brought the commit of the job.
    #[arg(long, value_name = "N")]
    pub(super) pull_request: Option<u64>,
    /// The address of the forge's API: `https://git.contoso.com/api/v3`, `https://dev.azure.com/contoso`,
    /// `https://gitlab.contoso.com/api/v4`. The token is sent there and nowhere else; plain http only on loopback.
    #[arg(long, value_name = "URL")]
    pub(super) api: Option<String>,
    /// The environment variable that holds the token. [default: GITHUB_TOKEN or GH_TOKEN; SYSTEM_ACCESSTOKEN or
    /// AZURE_DEVOPS_EXT_PAT; GITLAB_TOKEN]
    #[arg(long, value_name = "NAME")]
    pub(super) token_env: Option<String>,
    /// What the plan is for: a pull request has one comment, and a commit one check, for each target. Without it,
    /// ARCFLUX_TARGET says. [default: default]
    #[arg(long, value_name = "NAME")]
    pub(super) target: Option<Target>,
}

impl ForgeArgs {
    /// The first option that has no meaning where no pull request is meant, if one is given. What the environment says is
    /// for every command.
    pub(super) fn first_given(&self) -> Option<&'static str> {
        let Self { forge, repository, pull_request, api, token_env, target: _ } = self;
        [
            ("--forge", forge.is_some()),
            ("--repository", repository.is_some()),
            ("--pull-request", pull_request.is_some()),
            ("--api", api.is_some()),
            ("--token-env", token_env.is_some()),
        ]
        .into_iter()
        .find_map(|(name, is_given)| is_given.then_some(name))
    }
}

/// Which pull request, and what is told where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pull request (found out in CI jobs)")]
pub(super) struct PullRequestArgs {
    #[command(flatten)]
    pub(super) forge: ForgeArgs,
    /// Where the whole plan is kept, for the comment to point at.
    #[arg(long, value_name = "URL", value_parser = web_address)]
    pub(super) artifact_url: Option<url::Url>,
    /// The command that the comment names for applying the plan.
    #[arg(long, value_name = "COMMAND")]
    pub(super) apply_command: Option<String>,
    /// Also write the comment to this file, for services that take no summary of a job.
    #[arg(long, value_name = "FILE")]
    pub(super) summary: Option<PathBuf>,
    /// Also write the outputs (changes, add, change, destroy, replace, digest, refused) to this file, as GitLab's dotenv
    /// reports have them: ARCFLUX_CHANGES=true.
    #[arg(long, value_name = "FILE")]
    pub(super) outputs: Option<PathBuf>,
}

impl PullRequestArgs {
    /// The files that are written, each with the option that names it.
    pub(super) fn written(&self) -> [(&'static str, Option<&Path>); 2] {
        [("--summary", self.summary.as_deref()), ("--outputs", self.outputs.as_deref())]
    }

    /// The first option that has no meaning where nothing is told anybody, if one is given. What the environment says is
    /// for every command.
    pub(super) fn first_given(&self) -> Option<&'static str> {
        let Self { forge, artifact_url, apply_command, summary, outputs } = self;
        let given = [
            ("--artifact-url", artifact_url.is_some()),
            ("--apply-command", apply_command.is_some()),
            ("--summary", summary.is_some()),
            ("--outputs", outputs.is_some()),
        ];
        let given = given.into_iter().find_map(|(name, is_given)| is_given.then_some(name));
        forge.first_given().or(given)
    }
}
