//! helm: the release of the Arc agents (`../shared/facts/az-cli-behaviour.md` §3, step 18).
//!
//! Values go through helm's standard input (`--values -`), the private key among them: it stands in no argument, no
//! variable and no file.

use std::time::Duration;

use semver::Version;
use serde_json::{Map, Value};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::program::{Ended, Program, quoted};
use super::release::Release;
use super::{ClusterError, Installation, RELEASE, RELEASE_NAMESPACE};

/// The oldest helm that installs charts from a registry.
const OLDEST: Version = Version::new(3, 8, 0);

/// The first helm of which nothing is known.
const UNKNOWN: u64 = 5;

/// How long helm waits for the agents, in seconds: as long as `az` does.
const WAIT: u64 = 1200;

/// How much longer helm itself may take: pulling the chart comes before its wait.
const BESIDE: u64 = 300;

/// How long helm may take to say its version.
const ASKED: Duration = Duration::from_secs(30);

/// The helm that is run, and the cluster it is run on.
pub(super) struct Helm {
    program: Program,
    context: String,
}

impl Helm {
    /// `program`, on the cluster that `context` names.
    pub(super) fn new(program: Program, context: &str) -> Self {
        Self { program, context: context.to_owned() }
    }

    /// Checks that it is one that can do this.
    pub(super) async fn check(&self) -> Result<(), ClusterError> {
        let arguments = ["version", "--template", "{{.Version}}"].map(str::to_owned);
        let ended = self.program.run(&arguments, None, &[], ASKED).await?;
        let said = ended.output.trim().to_owned();
        let version = Version::parse(said.trim_start_matches('v')).ok().filter(|_| ended.succeeded);
        let hint =
            Some("install helm 3.8 or newer (https://helm.sh/docs/intro/install), or name it with --helm".to_owned());
        match version {
            Some(version) if version >= OLDEST && version.major < UNKNOWN => Ok(()),
            Some(version) if version.major >= UNKNOWN => Err(ClusterError {
                message: format!("this is helm {version}, which is not known to install the Arc agents"),
                hint: Some("install helm 3 or 4, or name it with --helm".to_owned()),
            }),
            Some(version) => Err(ClusterError {
                message: format!("this is helm {version}, which cannot install charts from a registry"),
                hint,
            }),
            None => Err(ClusterError {
                message: format!(
                    "helm did not say its version: {}",
                    quoted(&format!("{said} {}", ended.complaint), &[])
                ),
                hint,
            }),
        }
    }

    /// Installs or upgrades the release. One that another run left half done is cleared up first: helm refuses it.
    pub(super) async fn install(
        &self,
        found: Option<&Release>,
        installation: &Installation,
    ) -> Result<(), ClusterError> {
        if let Some(release) = found {
            self.clear_up(release).await?;
        }
        let namespace = found.map_or(RELEASE_NAMESPACE, |release| release.namespace.as_str());
        let key = installation.private_key.reveal();
        let (chart, version) = chart_and_version(&installation.chart);
        let mut arguments = self.arguments(&["upgrade", RELEASE, &chart, "--install"], namespace);
        arguments.extend(["--create-namespace", "--values", "-"].map(str::to_owned));
        arguments.extend(version.into_iter().flat_map(|version| ["--version".to_owned(), version]));
        arguments.extend(waiting());
        arguments.extend(["--output", "json"].map(str::to_owned));
        let values = document(&installation.values, key)?;
        let ended = self.program.run(&arguments, Some(values), &[key], limit()).await?;
        if ended.succeeded {
            return Ok(());
        }
        Err(ClusterError {
            message: format!("helm cannot install the Arc agents: {}", told(&ended)),
            hint: Some(format!("see what they wait for: kubectl --context {} get pods -n azure-arc", self.context)),
        })
    }

    /// Takes the release away; one that is not there is away.
    pub(super) async fn uninstall(&self, release: &Release) -> Result<(), ClusterError> {
        let mut arguments = self.arguments(&["uninstall", RELEASE], &release.namespace);
        arguments.extend(waiting());
        let ended = self.program.run(&arguments, None, &[], limit()).await?;
        if ended.succeeded || ended.complaint.contains("not found") {
            return Ok(());
        }
        Err(ClusterError {
            message: format!("helm cannot take the Arc agents away: {}", told(&ended)),
            hint: Some(format!(
                "try it by hand: helm uninstall {RELEASE} -n {} --kube-context {} --no-hooks",
                release.namespace, self.context
            )),
        })
    }

    /// Goes back to the revision before one that was never finished, or takes the whole away where there is none.
    async fn clear_up(&self, release: &Release) -> Result<(), ClusterError> {
        if release.is_going() {
            return self.uninstall(release).await;
        }
        if !release.is_pending() {
            return Ok(());
        }
        if !release.has_complete_revision {
            return self.uninstall(release).await;
        }
        let arguments = self.arguments(&["rollback", RELEASE], &release.namespace);
        let ended = self.program.run(&arguments, None, &[], limit()).await?;
        if ended.succeeded {
            return Ok(());
        }
        Err(ClusterError {
            message: format!("the release {RELEASE} is {}, and helm cannot go back: {}", release.status, told(&ended)),
            hint: Some(format!(
                "see its revisions: helm history {RELEASE} -n {} --kube-context {}",
                release.namespace, self.context
            )),
        })
    }

    fn arguments(&self, verb: &[&str], namespace: &str) -> Vec<String> {
        let place = ["--namespace", namespace, "--kube-context", &self.context];
        verb.iter().chain(&place).map(|argument| (*argument).to_owned()).collect()
    }
}

fn waiting() -> [String; 3] {
    ["--wait".to_owned(), "--timeout".to_owned(), format!("{WAIT}s")]
}

const fn limit() -> Duration {
    Duration::from_secs(WAIT + BESIDE)
}

/// What helm said, or that it said nothing.
fn told(ended: &Ended) -> &str {
    if ended.complaint.is_empty() { "it did not say why" } else { &ended.complaint }
}

/// A chart as helm wants it named, and its version where it is one of a registry: `oci://REGISTRY/PATH:VERSION`.
fn chart_and_version(chart: &str) -> (String, Option<String>) {
    let in_registry = chart.strip_prefix("oci://").and_then(|path| {
        // The port of the registry is no version.
        let (before, version) = path.rsplit_once(':')?;
        (!version.contains('/')).then(|| (format!("oci://{before}"), Some(version.to_owned())))
    });
    // A file may be called like an option.
    let as_file = || (if chart.starts_with('-') { format!("./{chart}") } else { chart.to_owned() }, None);
    in_registry.unwrap_or_else(as_file)
}

/// The values as one document, with the private key at `global.onboardingPrivateKey`. JSON is YAML.
fn document(values: &Value, private_key: &str) -> Result<Zeroizing<String>, ClusterError> {
    let malformed = |what: &str| ClusterError {
        message: format!("the helm values are of no use: {what}"),
        hint: Some("correct the file given with --values".to_owned()),
    };
    let mut all = values.as_object().cloned().ok_or_else(|| malformed("they are no mapping"))?;
    let global = all.entry("global").or_insert_with(|| Value::Object(Map::new()));
    let global = global.as_object_mut().ok_or_else(|| malformed("`global` is no mapping"))?;
    // The key is put into the text, at a mark, and not into the values: copies of those are not wiped.
    let mark = Uuid::new_v4().to_string();
    global.insert("onboardingPrivateKey".to_owned(), Value::String(mark.clone()));
    let text = Value::Object(all).to_string();
    let (before, after) = text.split_once(&mark).ok_or_else(|| malformed("they cannot be written"))?;
    let mut document = Zeroizing::new(String::with_capacity(text.len() + 2 * private_key.len()));
    document.push_str(before);
    for character in private_key.chars() {
        match character {
            '\n' => document.push_str("\\n"),
            '\r' => document.push_str("\\r"),
            '"' | '\\' => document.extend(['\\', character]),
            other => document.push(other),
        }
    }
    document.push_str(after);
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_key_joins_the_values() {
        let values = json!({"global": {"location": "westeurope"}, "other": [1, "ü\n"]});
        let text = document(&values, "-----BEGIN-----\nab+/=\n").unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({
            "global": {"location": "westeurope", "onboardingPrivateKey": "-----BEGIN-----\nab+/=\n"},
            "other": [1, "ü\n"],
        });
        assert_eq!(read, expected);
        let read: Value = serde_json::from_str(&document(&json!({}), "k").unwrap()).unwrap();
        assert_eq!(read, json!({"global": {"onboardingPrivateKey": "k"}}));
        assert!(document(&json!([]), "k").is_err());
        assert!(document(&json!({"global": 1}), "k").is_err());
    }

    #[test]
    fn the_version_of_a_chart_is_told_from_the_port_of_its_registry() {
        let of = |chart: &str| {
            let (name, version) = chart_and_version(chart);
            (name, version.unwrap_or_default())
        };
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(
            of("oci://mcr.microsoft.com/azurearck8s/v2/azure-arc-k8sagents:1.26.0"),
            pair("oci://mcr.microsoft.com/azurearck8s/v2/azure-arc-k8sagents", "1.26.0")
        );
        assert_eq!(of("oci://localhost:5000/agents"), pair("oci://localhost:5000/agents", ""));
        assert_eq!(of("oci://localhost:5000/agents:1.0.0"), pair("oci://localhost:5000/agents", "1.0.0"));
        assert_eq!(of("charts/agents-1.26.0.tgz"), pair("charts/agents-1.26.0.tgz", ""));
        assert_eq!(of("--post-renderer=x"), pair("./--post-renderer=x", ""));
    }
}
