//! Flux, acted out: the source is fetched, then each kustomization is applied after those it depends on, and the agents
//! report what the conditions of those objects say, in Flux's own words.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::conditions::{
    Applied, Fetched, keep_transition_times, kustomization_status, overall, source_status, whole_second,
};
use super::durations::{self, after, before};
use super::repositories::{Found, GitReference, invented_commit};
use super::scenario::Scenario;
use super::settings::Settings;
use super::state::FluxConfiguration;

/// Acts out Flux under the settings of the simulator.
pub(crate) struct Reconciler<'a> {
    settings: &'a Settings,
}

/// Where a reconciliation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The source is fetched and the kustomizations are being applied.
    UnderWay,
    /// Scenario: they are still not healthy.
    NotHealthyYet,
    /// It is over.
    Over,
}

impl<'a> Reconciler<'a> {
    /// Acts out Flux under `settings`.
    pub(crate) fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    /// The cluster takes up what was written, and reports for the first time since.
    pub(crate) fn pick_up(&self, configuration: &mut FluxConfiguration, at: Timestamp) {
        configuration.report.reconciling_since = Some(at);
        let fetched_at = before(at, durations::FLUX_OPERATION.saturating_sub(durations::SOURCE_FETCH));
        self.write(configuration, Stage::UnderWay, fetched_at, at);
        let depth = u32::try_from(chain(configuration)).unwrap_or(u32::MAX);
        let length = durations::RECONCILIATION.saturating_add(durations::DEPENDENCY.saturating_mul(depth));
        configuration.report.next = Some(after(at, length));
    }

    /// The cluster reports again: at `at`, and, since every interval brings the same until something changes, also at
    /// the last interval's end that is not after `now`.
    ///
    /// Whether the reconciliation is over.
    pub(crate) fn report(&self, configuration: &mut FluxConfiguration, at: Timestamp, now: Timestamp) -> bool {
        let since = configuration.report.reconciling_since.unwrap_or(at);
        let healthy_at = match self.settings.scenario {
            Some(Scenario::CompliantAfterAWhile) => after(since, durations::AFTER_A_WHILE),
            Some(
                Scenario::WrongBranch
                | Scenario::AuthenticationFailed
                | Scenario::StaleStatuses
                | Scenario::TwoRevisions
                | Scenario::AgentOffline
                | Scenario::ExtensionInstallFailed
                | Scenario::OperationStuck,
            )
            | None => at,
        };
        if at < healthy_at {
            self.write(configuration, Stage::NotHealthyYet, at, at);
            configuration.report.next = Some(healthy_at);
            return false;
        }
        let interval = interval(configuration);
        let at = durations::last_tick(at, interval, now);
        self.write(configuration, Stage::Over, at, at);
        configuration.report.next = Some(after(at, interval));
        true
    }

    /// Writes a report. Conditions that say what they said before keep the time of their last transition.
    fn write(&self, configuration: &mut FluxConfiguration, stage: Stage, fetched_at: Timestamp, at: Timestamp) {
        let dated = match self.settings.scenario {
            Some(Scenario::StaleStatuses) => before(configuration.modified, durations::STALE_BY),
            Some(
                Scenario::WrongBranch
                | Scenario::AuthenticationFailed
                | Scenario::CompliantAfterAWhile
                | Scenario::TwoRevisions
                | Scenario::AgentOffline
                | Scenario::ExtensionInstallFailed
                | Scenario::OperationStuck,
            )
            | None => at,
        };
        let fetched_at = fetched_at.min(dated);
        if configuration.properties.get("suspend") == Some(&Value::Bool(true)) {
            configuration.report.compliance = Some("Suspended".to_owned());
            configuration.report.updated = Some(dated);
            return;
        }
        let source = Source::of(&configuration.properties);
        let fetched = self.fetch(configuration, &source);
        let mut statuses = vec![source_status(configuration, &source.kind, &fetched, fetched_at)];
        let artifact = match &fetched {
            Fetched::Artifact { revision } => {
                if configuration.report.revision.as_ref() != Some(revision) {
                    configuration.report.source_updated = Some(whole_second(fetched_at));
                }
                configuration.report.revision = Some(revision.clone());
                Some(revision.clone())
            }
            // What was fetched before stays in storage.
            Fetched::Failed { .. } => configuration.report.revision.clone(),
        };
        let applied = self.apply(configuration, &source, artifact.as_deref(), stage);
        for (name, outcome) in &applied {
            statuses.push(kustomization_status(configuration, name, outcome, dated));
        }
        for status in &mut statuses {
            keep_transition_times(&configuration.report.statuses, status);
        }
        configuration.report.compliance = Some(overall(&statuses).to_owned());
        configuration.report.statuses = statuses;
        configuration.report.updated = Some(dated);
    }

    fn fetch(&self, configuration: &FluxConfiguration, source: &Source) -> Fetched {
        let refused = || Fetched::Failed { reason: source.failure_reason(), message: source.refusal() };
        let missing = || Fetched::Failed {
            reason: source.failure_reason(),
            message: format!(
                "failed to checkout and determine revision: unable to clone '{}': {}",
                source.url,
                source.reference.missing()
            ),
        };
        match self.settings.scenario {
            Some(Scenario::WrongBranch) => return missing(),
            Some(Scenario::AuthenticationFailed) => return refused(),
            Some(
                Scenario::CompliantAfterAWhile
                | Scenario::StaleStatuses
                | Scenario::TwoRevisions
                | Scenario::AgentOffline
                | Scenario::ExtensionInstallFailed
                | Scenario::OperationStuck,
            )
            | None => {}
        }
        let has_secret =
            source.secrets.is_empty() || source.secrets.iter().any(|secret| configuration.secrets.contains(*secret));
        if !has_secret || (configuration.blob_key_lost && source.kind == "AzureBlob") {
            return refused();
        }
        if configuration.ssh_key_lost && source.needs_ssh_key {
            return Fetched::Failed {
                reason: source.failure_reason(),
                message: format!(
                    "failed to checkout and determine revision: unable to list remote for '{}': ssh: handshake failed: \
                     ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
                    source.url
                ),
            };
        }
        match self.find(source, "") {
            Found::Unbound => Fetched::Artifact { revision: source.revision(&source.invented_commit()) },
            Found::RepositoryMissingRef => missing(),
            Found::PathMissing => missing(),
            Found::Present { commit } => Fetched::Artifact { revision: source.revision(&commit) },
        }
    }

    fn find(&self, source: &Source, path: &str) -> Found {
        match (&self.settings.repositories, source.kind.as_str()) {
            (Some(repositories), "GitRepository") => repositories.find(&source.url, &source.reference, path),
            (Some(_) | None, _) => Found::Unbound,
        }
    }

    fn apply(
        &self,
        configuration: &FluxConfiguration,
        source: &Source,
        artifact: Option<&str>,
        stage: Stage,
    ) -> Vec<(String, Applied)> {
        let kustomizations = kustomizations(configuration);
        let mut outcomes: BTreeMap<&str, Applied> = BTreeMap::new();
        // Each round settles what depends only on what is settled; what is left at the end waits for itself.
        loop {
            let before = outcomes.len();
            for (name, body) in kustomizations {
                if outcomes.contains_key(name.as_str()) {
                    continue;
                }
                let needs = dependencies(body);
                if needs.iter().all(|need| outcomes.contains_key(need) || !kustomizations.contains_key(*need)) {
                    let is_first = kustomizations.keys().next() == Some(name);
                    let outcome = self.apply_one(configuration, source, artifact, stage, body, &outcomes, is_first);
                    outcomes.insert(name, outcome);
                }
            }
            if outcomes.len() == before {
                break;
            }
        }
        kustomizations
            .keys()
            .map(|name| {
                let outcome = outcomes.get(name.as_str()).cloned().unwrap_or_else(|| Applied::Failed {
                    reason: "DependencyNotReady",
                    message: "circular dependency detected".to_owned(),
                });
                (name.clone(), outcome)
            })
            .collect()
    }

    #[expect(clippy::too_many_arguments, reason = "what one kustomization is applied under, used once")]
    fn apply_one(
        &self,
        configuration: &FluxConfiguration,
        source: &Source,
        artifact: Option<&str>,
        stage: Stage,
        body: &Value,
        outcomes: &BTreeMap<&str, Applied>,
        is_first: bool,
    ) -> Applied {
        let Some(revision) = artifact else {
            return Applied::Failed {
                reason: "ArtifactFailed",
                message: "Source artifact not found, retrying in 30s".to_owned(),
            };
        };
        let namespace = configuration.properties.get("namespace").and_then(Value::as_str).unwrap_or_default();
        for need in dependencies(body) {
            let object = format!("{namespace}/{}-{need}", configuration.name);
            match outcomes.get(need) {
                Some(Applied::Ready { .. }) => {}
                Some(Applied::Progressing) => return Applied::Progressing,
                Some(Applied::Unhealthy { .. } | Applied::Failed { .. }) => {
                    return Applied::Failed {
                        reason: "DependencyNotReady",
                        message: format!("dependency '{object}' is not ready"),
                    };
                }
                None => {
                    return Applied::Failed {
                        reason: "DependencyNotReady",
                        message: format!(
                            "dependency '{object}' not found: kustomizations.kustomize.toolkit.fluxcd.io \
                             \"{}-{need}\" not found",
                            configuration.name
                        ),
                    };
                }
            }
        }
        let path = body.get("path").and_then(Value::as_str).unwrap_or_default();
        match self.find(source, path) {
            Found::PathMissing => {
                let at = path.trim_start_matches("./").trim_start_matches('/');
                return Applied::Failed {
                    reason: "ArtifactFailed",
                    message: format!(
                        "kustomization path not found: stat /tmp/kustomization-{}/{at}: no such file or directory",
                        short_hash(&configuration.name)
                    ),
                };
            }
            Found::Unbound | Found::RepositoryMissingRef | Found::Present { .. } => {}
        }
        let is_old = is_first && self.settings.scenario == Some(Scenario::TwoRevisions);
        let revision = if is_old { older(revision) } else { revision.to_owned() };
        match stage {
            Stage::UnderWay => Applied::Progressing,
            Stage::NotHealthyYet => Applied::Unhealthy { revision },
            Stage::Over => Applied::Ready { revision },
        }
    }
}

/// What of the source decides how fetching it goes.
struct Source {
    kind: String,
    url: String,
    reference: GitReference,
    /// The secrets of which one is needed; empty where none is.
    secrets: &'static [&'static str],
    needs_ssh_key: bool,
}

impl Source {
    fn of(properties: &Map<String, Value>) -> Self {
        let kind = properties.get("sourceKind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let member = match kind.as_str() {
            "Bucket" => "bucket",
            "AzureBlob" => "azureBlob",
            "OCIRepository" => "ociRepository",
            _ => "gitRepository",
        };
        let source = properties.get(member);
        let text = |name: &str| source.and_then(|source| source.get(name)).and_then(Value::as_str);
        let url = text("url").unwrap_or_default().to_owned();
        let reference = source.and_then(|source| source.get("repositoryRef"));
        Self {
            secrets: match kind.as_str() {
                _ if text("localAuthRef").is_some() => &[],
                "GitRepository" if text("httpsUser").is_some() => &["httpsKey"],
                "Bucket" if text("accessKey").is_some() => &["bucketSecretKey"],
                "AzureBlob"
                    if source.and_then(|source| source.get("servicePrincipal")).is_some_and(Value::is_object) =>
                {
                    &[
                        "properties.azureBlob.servicePrincipal.clientSecret",
                        "properties.azureBlob.servicePrincipal.clientCertificate",
                    ]
                }
                _ => &[],
            },
            needs_ssh_key: (url.starts_with("ssh://") || url.starts_with("git@")) && text("localAuthRef").is_none(),
            reference: reference_of(&kind, reference),
            kind,
            url,
        }
    }

    /// Flux's reason for not having fetched it.
    fn failure_reason(&self) -> &'static str {
        match self.kind.as_str() {
            "Bucket" | "AzureBlob" => "BucketOperationFailed",
            "OCIRepository" => "OCIArtifactPullFailed",
            _ => "GitOperationFailed",
        }
    }

    /// What Flux says when the server does not know it. Only that of git has been recorded.
    fn refusal(&self) -> String {
        match self.kind.as_str() {
            "Bucket" | "AzureBlob" => format!("failed to get the objects of '{}': access denied", self.url),
            "OCIRepository" => format!("failed to pull the artifact from '{}': authentication required", self.url),
            _ => format!(
                "failed to checkout and determine revision: unable to clone '{}': authentication required",
                self.url
            ),
        }
    }

    fn revision(&self, commit: &str) -> String {
        match self.kind.as_str() {
            "GitRepository" => self.reference.revision(commit),
            "OCIRepository" => {
                let name = self.reference.revision("");
                format!("{}@sha256:{}", name.split('@').next().unwrap_or("latest"), digest(commit))
            }
            _ => format!("sha256:{}", digest(commit)),
        }
    }

    fn invented_commit(&self) -> String {
        invented_commit(&self.url, &self.reference)
    }
}

/// The reference in Flux's order of precedence. Where none is named Flux takes the branch `master`, and of an OCI
/// repository the tag `latest`.
fn reference_of(kind: &str, reference: Option<&Value>) -> GitReference {
    let text = |name: &str| reference.and_then(|reference| reference.get(name)).and_then(Value::as_str);
    if let Some(commit) = text("commit") {
        return GitReference::Commit { branch: text("branch").map(str::to_owned), commit: commit.to_owned() };
    }
    if let Some(range) = text("semver") {
        return GitReference::Semver(range.to_owned());
    }
    if let Some(tag) = text("tag") {
        return GitReference::Tag(tag.to_owned());
    }
    if kind == "OCIRepository" {
        return GitReference::Tag("latest".to_owned());
    }
    GitReference::Branch(text("branch").unwrap_or("master").to_owned())
}

/// A sha256 from a commit's name, for sources whose revisions are digests.
fn digest(commit: &str) -> String {
    commit.chars().cycle().take(64).collect()
}

/// The same reference at another commit: the one before.
fn older(revision: &str) -> String {
    match revision.rsplit_once(':') {
        Some((start, commit)) => format!("{start}:{}", commit.chars().rev().collect::<String>()),
        None => revision.to_owned(),
    }
}

fn short_hash(name: &str) -> u32 {
    name.bytes().fold(2_166_136_261, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
}

fn kustomizations(configuration: &FluxConfiguration) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    configuration.properties.get("kustomizations").and_then(Value::as_object).unwrap_or(&NONE)
}

fn dependencies(kustomization: &Value) -> Vec<&str> {
    let names = kustomization.get("dependsOn").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Length of the longest `dependsOn` chain, in links.
fn chain(configuration: &FluxConfiguration) -> usize {
    let kustomizations = kustomizations(configuration);
    let mut depths: BTreeMap<&str, usize> = kustomizations.keys().map(|name| (name.as_str(), 0)).collect();
    for _ in 0..kustomizations.len() {
        for (name, body) in kustomizations {
            let below =
                dependencies(body).iter().filter_map(|need| depths.get(need)).max().map_or(0, |depth| depth + 1);
            if let Some(depth) = depths.get_mut(name.as_str()) {
                *depth = below.min(kustomizations.len());
            }
        }
    }
    depths.values().max().copied().unwrap_or(0)
}

/// How often the source is asked for something new.
fn interval(configuration: &FluxConfiguration) -> Duration {
    let sources = ["gitRepository", "bucket", "azureBlob", "ociRepository"];
    let seconds = sources
        .iter()
        .filter_map(|name| configuration.properties.get(*name))
        .filter_map(|source| source.get("syncIntervalInSeconds"))
        .find_map(Value::as_u64);
    Duration::from_secs(seconds.unwrap_or(600).max(1))
}
