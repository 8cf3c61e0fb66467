//! Kustomizations: the directories of a source that Flux builds and applies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::Unsayable;
use super::super::live_body::LiveBody;
use super::ConfigurationSpec;
use crate::model::Seconds;

/// A directory of the repository that Flux builds and applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KustomizationSpec {
    /// The directory, relative to the top of the repository. Empty means the whole repository.
    #[serde(default)]
    #[schemars(extend("examples" = ["./clusters/store-001/apps"]))]
    pub path: String,
    /// Kustomizations of the same configuration that must be ready before this one is applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// How often Flux applies again, also when nothing changed.
    #[serde(default = "Seconds::ten_minutes")]
    pub interval: Seconds,
    /// How long building, applying and health checks may take.
    #[serde(default = "Seconds::ten_minutes")]
    pub timeout: Seconds,
    /// How soon Flux tries again after a failure; by default after `interval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Seconds>,
    /// Whether Flux deletes what it applied once it is gone from the directory, or the kustomization is gone.
    #[serde(default)]
    pub prune: bool,
    /// Whether Flux deletes and recreates objects whose change the cluster refuses.
    #[serde(default)]
    pub force: bool,
    /// Whether Flux waits until what it applied is healthy.
    #[serde(default = "default_wait")]
    pub wait: bool,
    /// Values that Flux puts in place of `${NAME}` in the manifests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_build: Option<PostBuildSpec>,
}

/// Variable substitution after the build of a kustomization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostBuildSpec {
    /// Values by variable name. They can be read back by everyone who may read the configuration: no secrets here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": "^[_A-Za-z][_A-Za-z0-9]*$"}, "examples" = [{"REGION": "north"}]))]
    pub substitute: BTreeMap<String, String>,
    /// Objects in the configuration's namespace whose entries are values too, by variable name. Later ones win, and
    /// `substitute` wins over all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [[{"kind": "ConfigMap", "name": "cluster-values"}]]))]
    pub substitute_from: Vec<SubstituteFromSpec>,
}

/// An object of the cluster that holds values for substitution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubstituteFromSpec {
    /// What the object is.
    pub kind: SubstituteKind,
    /// The name of the object.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"), extend("examples" = ["cluster-values"]))]
    pub name: String,
    /// Whether Flux goes on when the object does not exist.
    #[serde(default)]
    pub optional: bool,
}

/// What holds values for substitution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum SubstituteKind {
    /// A Kubernetes `ConfigMap`.
    ConfigMap,
    /// A Kubernetes `Secret`.
    Secret,
}

impl SubstituteKind {
    const ALL: [Self; 2] = [Self::ConfigMap, Self::Secret];
}

fn default_wait() -> bool {
    true
}

/// The names of the kustomizations, each after everything that it depends on; by name where that leaves a choice.
#[must_use]
pub fn kustomization_order(spec: &ConfigurationSpec) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    let mut left: Vec<(&String, &KustomizationSpec)> = spec.kustomizations.iter().collect();
    while !left.is_empty() {
        let next = left.iter().position(|(_, kustomization)| {
            kustomization
                .depends_on
                .iter()
                .all(|needs| order.contains(needs) || !spec.kustomizations.contains_key(needs))
        });
        // A cycle cannot pass the rules of a spec; should one come, names decide.
        let (name, _) = left.remove(next.unwrap_or(0));
        order.push(name.clone());
    }
    order
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kustomization<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    depends_on: &'a [String],
    timeout_in_seconds: u32,
    sync_interval_in_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_interval_in_seconds: Option<u32>,
    prune: bool,
    force: bool,
    wait: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_build: Option<PostBuild<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostBuild<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    substitute: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    substitute_from: Vec<SubstituteFrom<'a>>,
}

/// Sent with `optional` also where it is the default: the service fills it in, and a list is compared as one value.
#[derive(Serialize)]
struct SubstituteFrom<'a> {
    kind: SubstituteKind,
    name: &'a str,
    optional: bool,
}

impl<'a> From<&'a KustomizationSpec> for Kustomization<'a> {
    fn from(spec: &'a KustomizationSpec) -> Self {
        let KustomizationSpec { path, depends_on, interval, timeout, retry_interval, prune, force, wait, post_build } =
            spec;
        Self {
            path,
            depends_on,
            timeout_in_seconds: timeout.get(),
            sync_interval_in_seconds: interval.get(),
            retry_interval_in_seconds: retry_interval.map(Seconds::get),
            prune: *prune,
            force: *force,
            wait: *wait,
            post_build: post_build.as_ref().map(PostBuild::from),
        }
    }
}

impl<'a> From<&'a PostBuildSpec> for PostBuild<'a> {
    fn from(spec: &'a PostBuildSpec) -> Self {
        let PostBuildSpec { substitute, substitute_from } = spec;
        Self { substitute, substitute_from: substitute_from.iter().map(SubstituteFrom::from).collect() }
    }
}

impl<'a> From<&'a SubstituteFromSpec> for SubstituteFrom<'a> {
    fn from(spec: &'a SubstituteFromSpec) -> Self {
        let SubstituteFromSpec { kind, name, optional } = spec;
        Self { kind: *kind, name, optional: *optional }
    }
}

/// The spec of a live kustomization.
pub(super) fn of_live(live: &LiveBody<'_>) -> Result<KustomizationSpec, Unsayable> {
    let post_build = live.object("postBuild")?.map(|post_build| post_build_of_live(&post_build)).transpose()?;
    Ok(KustomizationSpec {
        path: live.text("path")?.unwrap_or_default(),
        depends_on: live.texts("dependsOn")?,
        interval: live.seconds_or_ten_minutes("syncIntervalInSeconds")?,
        timeout: live.seconds_or_ten_minutes("timeoutInSeconds")?,
        retry_interval: live.seconds("retryIntervalInSeconds")?,
        prune: live.flag("prune", false)?,
        force: live.flag("force", false)?,
        wait: live.flag("wait", default_wait())?,
        // What holds nothing is absent.
        post_build: post_build.filter(|post_build| *post_build != PostBuildSpec::default()),
    })
}

fn post_build_of_live(live: &LiveBody<'_>) -> Result<PostBuildSpec, Unsayable> {
    let substitute_from =
        live.objects("substituteFrom")?.iter().map(substitute_from_of_live).collect::<Result<_, _>>()?;
    Ok(PostBuildSpec { substitute: live.text_map("substitute")?, substitute_from })
}

fn substitute_from_of_live(live: &LiveBody<'_>) -> Result<SubstituteFromSpec, Unsayable> {
    let kind = live.word("kind", &SubstituteKind::ALL)?;
    Ok(SubstituteFromSpec {
        kind: kind.ok_or_else(|| live.unsayable("kind", "it is not set, and a spec cannot leave it out"))?,
        name: live.required_text("name")?,
        optional: live.flag("optional", false)?,
    })
}
