//! `Kustomization`s.

use serde_json::{Map, Value, json};

use super::access::SERVICE_ACCOUNT;
use super::{Object, Place, source};
use crate::kinds::flux_configuration::{KustomizationSpec, PostBuildSpec, Source, SubstituteFromSpec};
use crate::model::Seconds;
use crate::spec::to_yaml;

/// The annotation of HelmReleases whose chart is in the git repository of their configuration
/// (`../shared/facts/domain.md` §1.3).
const USE_MANAGED_SOURCE: &str = "clusterconfig.azure.com/use-managed-source=true";

/// One kustomization of a configuration. `impersonates` is whether it is applied by the service account of the namespace
/// and not by Flux's own.
pub(super) fn render(
    place: &Place<'_>,
    source: Source<'_>,
    name: &str,
    spec: &KustomizationSpec,
    impersonates: bool,
) -> Object {
    let Place { configuration, namespace, suspend } = *place;
    let KustomizationSpec { path, depends_on, interval, timeout, retry_interval, prune, force, wait, post_build } =
        spec;
    let mut body = Map::new();
    let mut say = |key: &str, value: Value| {
        body.insert(key.to_owned(), value);
    };
    say("interval", json!(interval));
    if let Some(retry_interval) = retry_interval {
        say("retryInterval", json!(retry_interval));
    }
    say("timeout", json!(timeout));
    let source_ref = json!({ "kind": source::kind(source), "name": configuration, "namespace": namespace });
    say("sourceRef", source_ref.clone());
    // The top of the repository, said out loud.
    say("path", json!(if path.is_empty() { "./" } else { path }));
    say("prune", json!(prune));
    say("wait", json!(wait));
    say("force", json!(force));
    say("suspend", json!(suspend));
    if !depends_on.is_empty() {
        let needs = depends_on.iter().map(|needs| json!({ "name": object_name(configuration, needs) }));
        say("dependsOn", needs.collect());
    }
    if let Some(post_build) = post_build {
        say("postBuild", substitution(post_build));
    }
    if impersonates {
        say("serviceAccountName", json!(SERVICE_ACCOUNT));
    }
    if let Source::GitRepository(_) = source {
        say("patches", json!([managed_source(&source_ref)]));
    }
    let name = object_name(configuration, name);
    let api_version = "kustomize.toolkit.fluxcd.io/v1";
    Object::new(api_version, "Kustomization", Some(namespace), &name, json!({ "spec": body }))
}

/// `<configuration>-<kustomization>`: what the statuses of a configuration call it (`../shared/facts/domain.md` §1.3).
fn object_name(configuration: &str, kustomization: &str) -> String {
    format!("{configuration}-{kustomization}")
}

fn substitution(spec: &PostBuildSpec) -> Value {
    let PostBuildSpec { substitute, substitute_from } = spec;
    let mut body = Map::new();
    if !substitute.is_empty() {
        body.insert("substitute".to_owned(), json!(substitute));
    }
    if !substitute_from.is_empty() {
        let objects = substitute_from.iter();
        let objects = objects.map(
            |SubstituteFromSpec { kind, name, optional }| json!({ "kind": kind, "name": name, "optional": optional }),
        );
        body.insert("substituteFrom".to_owned(), objects.collect());
    }
    Value::Object(body)
}

/// The patch that gives HelmReleases with the annotation the source of the configuration. Azure documents what it does
/// (`../shared/facts/domain.md` §1.3); this form was seen on a cluster of 2022.
fn managed_source(source_ref: &Value) -> Value {
    let operation = json!([{ "op": "add", "path": "/spec/chart/spec/sourceRef", "value": source_ref }]);
    json!({
        "patch": to_yaml(&operation),
        "target": {
            "group": "helm.toolkit.fluxcd.io",
            "kind": "HelmRelease",
            "annotationSelector": USE_MANAGED_SOURCE,
        },
    })
}

/// A duration of a source, where Flux takes minutes and seconds and no hours (`../shared/contracts/flux-crds`: the pattern
/// of `timeout`).
pub(super) fn without_hours(duration: Seconds) -> String {
    match (duration.get() / 60, duration.get() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_of_a_source_has_no_hours() {
        let words = |seconds| without_hours(Seconds::new(seconds).unwrap());
        assert_eq!([words(59), words(60), words(5400), words(5405)], ["59s", "1m", "90m", "90m5s"]);
    }
}
