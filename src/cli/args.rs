//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::arg_values::{
    ClusterTypeName, GraphFormatName, PlanFormat, ProblemFormat, ReportFormat, SchemaName, TextOrJson,
};
use super::arg_values::{duration, pace, repository};
pub(super) use super::shared_args::{
    BaseArgs, ChoiceArgs, CloudArgs, ClusterArgs, DECISIONS, ForgeArgs, LiveArgs, PullRequestArgs, SecretArgs, SimArgs,
    SpecArgs,
};
use crate::model::{Digest, Glob};
use crate::plan::ExpectedRevision;
use crate::sim::{Offer, Scenario};

/// Plan and apply Flux (GitOps) on Azure Arc enabled Kubernetes and AKS clusters, from one YAML spec.
///
/// The spec is the intent, Azure Resource Manager is the truth; there is no state file.
#[derive(Debug, Parser)]
#[command(name = "arcflux", version, arg_required_else_help = true, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
First steps, without an Azure account:
  arcflux init                 write a commented arcflux.yaml
  arcflux plan --cloud sim     see what would be done, on an embedded simulator
  arcflux apply --cloud sim    do it

Exit codes:
    0  done
    1  error, or an invalid spec
    2  plan --detailed-exitcode: changes; drift: something was changed
    3  refused by a safety rule, with nothing written
    4  apply: not all was reached; status: something is not compliant; export: not all is in it
   64  wrong command line
  130  interrupted")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Never use colour. It is only used on terminals, and not where NO_COLOR is set.
    #[arg(long, global = true)]
    pub(super) no_color: bool,
    /// Show every request on standard error, without signatures and tokens.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

/// Where to read, and how: what has no meaning beside `--live`. Only on the command line: a variable that is set for
/// every command is none of this one's business.
const WHERE_TO_READ: [&str; 10] = [
    "cloud",
    "arm_endpoint",
    "audience",
    "auth",
    "ca_bundle",
    "sim_state",
    "sim_pace",
    "sim_empty",
    "sim_scenario",
    "repositories",
];

impl Cli {
    /// Reads a command line, the program's name first.
    pub(super) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(arguments)?;
        if let Some((name, given)) = matches.subcommand()
            && let Some(option) = beside_live(given)
        {
            let told =
                format!("the argument '--{option}' cannot be used with '--live <FILE>': the file says what was read");
            let subcommand = command.find_subcommand_mut(name).map_or_else(Self::command, |found| found.clone());
            return Err(subcommand.bin_name(format!("arcflux {name}")).error(ErrorKind::ArgumentConflict, told));
        }
        Self::from_arg_matches(&matches)
    }
}

/// The first option that has no meaning beside `--live`, where both are given.
fn beside_live(given: &ArgMatches) -> Option<String> {
    let is_given =
        |id: &str| given.ids().any(|known| known == id) && given.value_source(id) == Some(ValueSource::CommandLine);
    let option = WHERE_TO_READ.into_iter().find(|id| is_given("live") && is_given(id))?;
    Some(match option {
        "repositories" => "repo".to_owned(),
        option => option.replace('_', "-"),
    })
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a spec. Needs no credentials and no network.
    Validate(ValidateArgs),
    /// Show what would change, and why. Only reads.
    Plan(Box<PlanArgs>),
    /// Show the plan, ask, make the changes, and wait until Flux has reconciled.
    Apply(Box<ApplyArgs>),
    /// Put a saved plan on its pull request: one comment kept up to date, a check, the summary and outputs of the job.
    ///
    /// A token that may not write there (that of a fork) is no error: the summary and the outputs are written all the same.
    Comment(CommentArgs),
    /// Take down what a spec declares: configurations, then the extension. Clusters and groups stay.
    Destroy(DestroyArgs),
    /// Show what was changed outside of arcflux. Exits with 2 when something was.
    Drift(DriftArgs),
    /// Write a spec of what a cluster has, to standard output. Only reads.
    ///
    /// Loading it and planning it against the same cluster is "no changes". What it cannot say goes to standard error:
    /// secrets that have to be supplied (Azure never shows them), fields that this version does not know, configurations
    /// that had to be left out. Where one was left out, the spec says so in a comment and the exit code is 4.
    Export(ExportArgs),
    /// Show how the clusters, extensions and configurations of a spec are doing.
    Status(StatusArgs),
    /// Check that everything is there that a plan and an apply need. Only reads.
    ///
    /// Credentials, tenant, endpoints of the cloud, this machine's clock, subscriptions, registrations, locations,
    /// permissions and sources; with `--context`, the cluster and helm. Each is ok, a warning or a problem, with what
    /// mends it. Exits with 1 when something is a problem.
    Doctor(Box<DoctorArgs>),
    /// Keep everything that a plan reads in a file, for `plan --live FILE`.
    Snapshot(SnapshotArgs),
    /// Show a saved plan, or the plan of a bundle with the requests that it will send.
    Show(ShowArgs),
    /// Pack a plan for the other side of an air gap, and print the digest that it is applied with. Only reads.
    ///
    /// One file holds the plan with its spec, the requests that it will send (no secrets) and the live state that it was
    /// made from. Over there, `arcflux show FILE` reviews it and `arcflux apply FILE --expect DIGEST` applies it: the digest
    /// has to be carried another way than the file.
    Bundle(Box<BundleArgs>),
    /// Write the plain Flux objects that Azure Arc would have made, as YAML for `kubectl apply`. Needs no Azure.
    ///
    /// For clusters without Azure: namespaces, the service account of Flux and what it is bound to, sources and
    /// kustomizations, with the names that Arc gives them. Secrets are never in it: comments say which ones have to be made,
    /// and how. What the spec says and no object can is told on standard error.
    Render(RenderArgs),
    /// Show what a spec declares, in the order in which it is applied.
    Graph(GraphArgs),
    /// Write a commented starting spec.
    Init(InitArgs),
    /// Print the JSON schema of specs (or of plans, events, reports, snapshots, checks).
    Schema(SchemaArgs),
    /// Explain why fields of a resource are as planned: spec line, origin, live value, rule. Only reads.
    ///
    /// See also `arcflux explain-code`, which explains the codes of `arcflux validate`.
    Explain(ExplainArgs),
    /// Explain a problem code, such as AF041.
    ///
    /// See also `arcflux explain`, which explains the fields of a resource.
    ExplainCode(ExplainCodeArgs),
    /// Print the completions of a shell.
    Completions(CompletionsArgs),
    /// Print the manual page.
    Man,
    /// Run a simulated Azure Resource Manager.
    #[command(subcommand)]
    Sim(SimCommand),
}

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Specs to check, one or more, in the place of `-f`.
    #[arg(value_name = "FILE", conflicts_with = "file")]
    pub(super) files: Vec<String>,
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    /// Print the long form of the spec.
    #[arg(long)]
    pub(super) expand: bool,
    /// How problems are printed: text on standard error, json or sarif on standard output.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: ProblemFormat,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The resource, as plans name it: `rg-edge/store-001/flux/flux-system`; with `#NAME`, one kustomization of it.
    #[arg(value_name = "ADDRESS")]
    pub(super) address: String,
    /// The field, as plans name it (`kustomizations.app.prune`), or in the spec's own word (`gitRepository.interval`); all
    /// fields below it, too. Without it, a table of all fields.
    #[arg(value_name = "FIELD")]
    pub(super) field: Option<String>,
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    /// How the explanation is printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: TextOrJson,
    #[command(flatten)]
    pub(super) live: LiveArgs,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
}

#[derive(Debug, Args)]
pub(super) struct ExplainCodeArgs {
    /// The code; all codes without one.
    #[arg(value_name = "CODE")]
    pub(super) code: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    #[command(flatten)]
    pub(super) base: BaseArgs,
    /// Plan the destruction of what the spec declares, as `arcflux destroy` would carry it out.
    #[arg(long)]
    pub(super) destroy: bool,
    /// How the plan is printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: PlanFormat,
    /// Also save the plan as JSON, for `arcflux show FILE` and `arcflux apply FILE`.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Exit with 2 when there are changes, instead of 0.
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Also write the changes to this file as SARIF, each at the line of the spec that causes it: forges show them beside
    /// the lines of a pull request.
    #[arg(long, value_name = "FILE")]
    pub(super) sarif: Option<PathBuf>,
    /// Also put the plan on its pull request, as `arcflux comment` does. What goes wrong with that is told, and does not
    /// change how the plan ends.
    #[arg(long)]
    pub(super) comment: bool,
    #[command(flatten)]
    pub(super) pull_request: PullRequestArgs,
    #[command(flatten)]
    pub(super) live: LiveArgs,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
    #[command(flatten)]
    pub(super) choices: ChoiceArgs,
    /// Plan to disconnect the clusters, too, that the spec says how to connect: Azure's record of them goes, and the Arc
    /// agents with it.
    #[arg(long, requires = "destroy", help_heading = DECISIONS)]
    pub(super) disconnect: bool,
    /// Send the secrets that the spec gives, although nothing else differs: values in place cannot be compared.
    #[arg(long, conflicts_with = "destroy", help_heading = DECISIONS)]
    pub(super) resend_secrets: bool,
    #[command(flatten)]
    pub(super) secrets: SecretArgs,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

/// How an apply runs.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Do not ask before anything is written.
    #[arg(long)]
    pub(super) auto_approve: bool,
    /// Refuse any plan, or bundle, but the one with this digest.
    #[arg(long, value_name = "DIGEST")]
    pub(super) expect: Option<Digest>,
    /// How many changes are under way at once, waits included; by default as many as ARM's own limits allow.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) parallelism: Option<u16>,
    /// How long each wait may take: `10m`, `1h30m`.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) timeout: Option<Duration>,
    /// How progress is printed: text on standard error, or json events on standard output, with the report at the end.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: TextOrJson,
    /// Write the report of the run to this file as JSON, also when the plan is refused, or the apply fails or is
    /// interrupted: every resource with its outcome, cause, times, writes and their ids.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// A saved plan, or a bundle. It is made again from fresh live state, and refused unless the result is the same, or a
    /// remainder of it. It holds its spec; with `-f` it is also refused when it was made from another one. A bundle needs
    /// `--expect`.
    #[arg(value_name = "PLAN")]
    pub(super) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    #[command(flatten)]
    pub(super) base: BaseArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
    #[command(flatten)]
    pub(super) choices: ChoiceArgs,
    /// Send the secrets that the spec gives, although nothing else differs: values in place cannot be compared.
    #[arg(long, help_heading = DECISIONS)]
    pub(super) resend_secrets: bool,
    /// Wait until this revision (a whole commit or digest, or `main@sha1:COMMIT` as Flux writes it) is the one that Flux
    /// has reconciled, of every configuration or of those whose address fits GLOB; repeatable. Also where nothing changes,
    /// and with a saved plan: it is not part of the plan.
    #[arg(long, value_name = "[GLOB=]REVISION")]
    pub(super) expect_revision: Vec<ExpectedRevision>,
    /// Apply only what was reviewed, without asking: the plan's digest must be the one that the check on the head of the
    /// pull request carries, and somebody else than the author, who may write, must have approved that commit after the
    /// comment with the plan was last edited. On GitHub.
    #[arg(long)]
    pub(super) reviewed: bool,
    #[command(flatten)]
    pub(super) forge: ForgeArgs,
    #[command(flatten)]
    pub(super) secrets: SecretArgs,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

#[derive(Debug, Args)]
pub(super) struct CommentArgs {
    /// The saved plan; `-` is standard input.
    #[arg(value_name = "PLAN")]
    pub(super) plan: PathBuf,
    /// The report that `apply --report` wrote of it: the comment then says what became of the plan.
    #[arg(long, value_name = "REPORT")]
    pub(super) outcome: Option<PathBuf>,
    /// More certificate authorities to trust, in PEM form.
    #[arg(long, value_name = "FILE", env = "ARCFLUX_CA_BUNDLE", hide_env_values = true)]
    pub(super) ca_bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(super) pull_request: PullRequestArgs,
}

#[derive(Debug, Args)]
pub(super) struct DestroyArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
    #[command(flatten)]
    pub(super) choices: ChoiceArgs,
    /// Disconnect the clusters, too, that the spec says how to connect: Azure's record of them goes, and the Arc agents
    /// with it.
    #[arg(long, help_heading = DECISIONS)]
    pub(super) disconnect: bool,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The id of the subscription that the cluster is in.
    #[arg(short, long, value_name = "ID", env = "AZURE_SUBSCRIPTION_ID", hide_env_values = true)]
    pub(super) subscription: String,
    /// The resource group that the cluster is in.
    #[arg(short = 'g', long, value_name = "NAME")]
    pub(super) resource_group: String,
    /// The name of the cluster.
    #[arg(short, long, value_name = "NAME")]
    pub(super) cluster: String,
    /// connectedClusters for a cluster connected to Azure Arc, managedClusters for AKS.
    #[arg(long = "type", value_name = "TYPE", value_enum, default_value = "connectedClusters")]
    pub(super) cluster_type: ClusterTypeName,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
}

#[derive(Debug, Args)]
pub(super) struct DriftArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    /// Compare with this instead of the spec, to leave out changes of the spec that are still to be applied: a file,
    /// `git:REVISION`, or `git:REVISION:PATH`.
    #[arg(long, value_name = "FILE|git:REVISION")]
    pub(super) base: Option<String>,
    /// How the drift is printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: ReportFormat,
    /// Look only at these addresses, such as `rg-edge/store-*`, and what they need; `*` stands for any characters. Can
    /// be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(super) only: Vec<Glob>,
    #[command(flatten)]
    pub(super) live: LiveArgs,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    /// How the status is printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: ReportFormat,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    /// How the checks are printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: TextOrJson,
    /// A context of the kubeconfig to look at: the cluster itself is asked, and helm for its version. Can be given several
    /// times.
    #[arg(long, value_name = "NAME")]
    pub(super) context: Vec<String>,
    /// The kubeconfig that holds the contexts; several are named as in KUBECONFIG. It may name programs, which are run.
    /// [default: ~/.kube/config]
    #[arg(long, value_name = "FILE", env = "KUBECONFIG", hide_env_values = true)]
    pub(super) kubeconfig: Option<OsString>,
    /// The helm to run. [default: helm, as found on PATH]
    #[arg(long, value_name = "PATH")]
    pub(super) helm: Option<PathBuf>,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
}

#[derive(Debug, Args)]
pub(super) struct SnapshotArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    /// The file to write; `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The saved plan, or the bundle; `-` is standard input.
    #[arg(value_name = "PLAN")]
    pub(super) plan: PathBuf,
    /// How the plan is printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: PlanFormat,
}

#[derive(Debug, Args)]
pub(super) struct BundleArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    #[command(flatten)]
    pub(super) base: BaseArgs,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    pub(super) live: LiveArgs,
    #[command(flatten)]
    pub(super) cloud: CloudArgs,
    #[command(flatten)]
    pub(super) choices: ChoiceArgs,
    /// Send the secrets that the spec gives, although nothing else differs: values in place cannot be compared.
    #[arg(long, help_heading = DECISIONS)]
    pub(super) resend_secrets: bool,
    #[command(flatten)]
    pub(super) secrets: SecretArgs,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    /// Render only these configurations, or those of these clusters, by address, such as `rg-edge/store-*`; `*` stands for
    /// any characters. Can be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(super) only: Vec<Glob>,
    /// Write one file for each cluster, CLUSTER.yaml, into this directory; it is made where it is missing. Without it, the
    /// objects of one cluster go to standard output.
    #[arg(long, value_name = "DIR")]
    pub(super) out_dir: Option<PathBuf>,
    /// Show what applying the objects would change in the cluster behind this context of a kubeconfig, instead of writing
    /// them. Only reads, and compares nothing but what is rendered.
    #[arg(long, value_name = "CONTEXT", conflicts_with = "out_dir")]
    pub(super) diff_against: Option<String>,
    /// The kubeconfig that has the context; several are named as in KUBECONFIG. It may name programs, which are run.
    /// [default: ~/.kube/config]
    #[arg(long, value_name = "FILE", env = "KUBECONFIG", hide_env_values = true)]
    pub(super) kubeconfig: Option<OsString>,
    /// Exit with 2 when there are changes, instead of 0.
    #[arg(long, requires = "diff_against")]
    pub(super) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    /// How the graph is printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: GraphFormatName,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The file to write; `-` is standard output. A file that exists is left alone.
    #[arg(short, long, value_name = "FILE", default_value = "arcflux.yaml")]
    pub(super) file: String,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// What the schema is of.
    #[arg(value_enum, default_value = "spec")]
    pub(super) of: SchemaName,
}

#[derive(Debug, Subcommand)]
pub(super) enum SimCommand {
    /// Serve the simulator over http or https, for arcflux (`--arm-endpoint`), SDKs and curl.
    Serve(ServeArgs),
    /// List what can be made to go wrong.
    Scenarios,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The address to listen on. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8742")]
    pub(super) listen: std::net::SocketAddr,
    /// A spec whose group and cluster a new state holds.
    #[arg(long, value_name = "SPEC")]
    pub(super) seed: Option<String>,
    /// Serve https, with a certificate that is kept in this directory: made at the first use, and again when it has
    /// grown old. Clients have to trust DIR/ca.pem.
    #[arg(long, value_name = "DIR")]
    pub(super) tls: Option<PathBuf>,
    /// Offer only these api-versions of a resource type, or of every type of a provider, as clouds do that are behind. Can
    /// be given several times.
    #[arg(long = "api-versions", value_name = "TYPE=VERSION[,VERSION]", value_parser = clap::value_parser!(Offer))]
    pub(super) offers: Vec<Offer>,
    /// Write every request and its answer to this file, one JSON object per line, without secrets.
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// Where the simulator keeps its state; in memory only without it.
    #[arg(long, value_name = "FILE")]
    pub(super) sim_state: Option<PathBuf>,
    /// How many times faster than real time the simulator's clock runs.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = pace)]
    pub(super) speed: f64,
    /// Make something go wrong; `arcflux sim scenarios` lists what can.
    #[arg(long, value_name = "NAME")]
    pub(super) sim_scenario: Option<Scenario>,
    /// A local git repository that stands for a URL: the simulated Flux reads its refs and paths. Can be given several
    /// times.
    #[arg(long = "repo", value_name = "URL=PATH", value_parser = repository)]
    pub(super) repositories: Vec<(String, PathBuf)>,
}
