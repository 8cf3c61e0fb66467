//! What changed fields of a configuration mean for the cluster.

use serde_json::Value;

use super::Decision;
use super::kustomizations::live_kustomizations;
use crate::kinds::flux_configuration::{ConfigurationSpec, SOURCE_MEMBERS};
use crate::model::FieldPath;
use crate::plan::Consequence;

/// What says where a source is, in the description of each kind.
const PLACE: [&str; 3] = ["url", "bucketName", "containerName"];

/// What says which revision of it is applied.
const REVISION: [&str; 2] = ["repositoryRef", "layerSelector"];

/// Says what the changed fields of a configuration that stays mean.
pub(super) fn of_update(decision: &mut Decision, live: &Value) {
    explain_source(decision);
    explain_authentication(decision);
    explain_paths(decision, live);
    explain_suspension(decision);
    for kustomization in live_kustomizations(live) {
        explain_switches(decision, kustomization.name);
    }
}

/// Says what it means that a configuration is deleted and created again, as `spec` says.
pub(super) fn of_replacement(decision: &mut Decision, spec: &ConfigurationSpec, pruning: &[&str], delete: bool) {
    let prunes_again: Vec<&str> =
        pruning.iter().filter(|name| spec.kustomizations.get(**name).is_some_and(|one| one.prune)).copied().collect();
    let again = match prunes_again.as_slice() {
        [] => String::new(),
        names => format!("; in the new configuration it is on again for {}", names.join(", ")),
    };
    if pruning.is_empty() {
        decision.consequence("reconciliation_pause", PAUSE.to_owned());
    } else if delete {
        let [before, after] = Consequence::OUTAGE;
        decision.consequence("reconciliation_pause", PAUSE.to_owned());
        decision.consequence(
            "outage",
            format!(
                "{before}{}{after}, and is not there until the new one has applied it again",
                pruning.join(Consequence::BETWEEN)
            ),
        );
    } else {
        decision.consequence(
            "reconciliation_pause",
            format!(
                "prune is switched off for {} before the deletion, so the workloads stay{again}; {PAUSE}",
                pruning.join(", ")
            ),
        );
    }
    explain_scope(decision, &spec.namespace);
    explain_namespace(decision);
    explain_source(decision);
    explain_authentication(decision);
}

const PAUSE: &str = "nothing is reconciled until the new configuration is ready";

/// Says what it means that the service account gets other rights (`../shared/facts/domain.md` §1.3).
fn explain_scope(decision: &mut Decision, namespace: &str) {
    let path = FieldPath::dotted("properties.scope");
    let scope = decision.fields.iter().find(|field| field.path == path).and_then(|field| field.after.clone());
    match scope.as_ref().and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
        Some("namespace") => decision.consequence(
            "scope_change",
            format!(
                "the rights of its service account change: from cluster administrator to the namespace {namespace} alone; what it applied elsewhere, or for the whole cluster, cannot be reconciled any more"
            ),
        ),
        Some("cluster") => decision.consequence(
            "scope_change",
            format!(
                "the rights of its service account change: from the namespace {namespace} to cluster administrator; configurations that share the namespace share the account"
            ),
        ),
        Some(_) | None => {}
    }
}

/// Says what it means that the Flux objects of a configuration move.
fn explain_namespace(decision: &mut Decision) {
    let path = FieldPath::dotted("properties.namespace");
    let moved = decision.fields.iter().find(|field| field.path == path);
    let moved = moved.and_then(|field| Some((field.before.as_ref()?.as_str()?, field.after.as_ref()?.as_str()?)));
    let Some((from, to)) = moved.map(|(from, to)| (from.to_owned(), to.to_owned())) else { return };
    decision.consequence(
        "namespace_change",
        format!(
            "its source and kustomizations move from the namespace {from} to {to}: what refers to them in {from} does not find them any more, and secrets that `localAuthRef` or `substituteFrom` names must be in {to}"
        ),
    );
}

/// How a source signs in, in the description of each kind.
const AUTHENTICATION: [&str; 8] = [
    "provider",
    "localAuthRef",
    "httpsUser",
    "accessKey",
    "servicePrincipal",
    "managedIdentity",
    "serviceAccountName",
    "useWorkloadIdentity",
];

/// Says what another way to sign in to the same source means.
fn explain_authentication(decision: &mut Decision) {
    let changed = SOURCE_MEMBERS.iter().any(|member| {
        AUTHENTICATION.iter().any(|key| {
            let path = FieldPath::of(["properties", *member, *key]);
            decision.fields.iter().any(|field| field.path.starts_with(&path))
        })
    });
    if changed {
        decision.consequence(
            "authentication_change",
            "Flux signs in to the source in another way: where that fails, what is applied stays, and nothing new is fetched"
                .to_owned(),
        );
    }
}

/// Says what switches of a kustomization that stays mean.
fn explain_switches(decision: &mut Decision, name: &str) {
    let path = FieldPath::dotted("properties.kustomizations").key(name);
    let switched = |key: &str| {
        let field = decision.fields.iter().find(|field| field.path == path.key(key))?;
        field.after.as_ref()?.as_bool()
    };
    let (prune, force, wait) = (switched("prune"), switched("force"), switched("wait"));
    match prune {
        Some(true) => decision.consequence(
            "prune_on",
            format!("prune is switched on for {name}: what is taken out of the source is deleted from the cluster from then on"),
        ),
        Some(false) => decision.consequence(
            "prune_off",
            format!("prune is switched off for {name}: what is taken out of the source stays in the cluster from then on"),
        ),
        None => {}
    }
    if force == Some(true) {
        decision.consequence(
            "force_on",
            format!(
                "force is switched on for {name}: objects that cannot change in place are deleted and created again"
            ),
        );
    }
    if wait == Some(false) {
        decision.consequence(
            "wait_off",
            format!("wait is switched off for {name}: it is ready as soon as it is applied, whatever becomes of its workloads, and so is what depends on it"),
        );
    }
}

/// Says what another source, or another revision of it, means.
fn explain_source(decision: &mut Decision) {
    let changed = |keys: &[&str]| {
        let paths = SOURCE_MEMBERS.iter().flat_map(|member| keys.iter().map(|key| ["properties", member, key]));
        paths.map(FieldPath::of).any(|path| {
            let touches = |field: &FieldPath| field.starts_with(&path) || path.starts_with(field);
            decision.fields.iter().any(|field| touches(&field.path))
        })
    };
    if changed(&PLACE) {
        decision.consequence(
            "source_change",
            "everything is applied from another source; what is not in it is deleted where prune is on".to_owned(),
        );
    } else if changed(&REVISION) {
        decision.consequence(
            "revision_change",
            "another revision is applied; what is not in it is deleted where prune is on".to_owned(),
        );
    }
}

/// A kustomization that stays, applies from somewhere else, and prunes.
fn explain_paths(decision: &mut Decision, live: &Value) {
    let [before, after_name] = Consequence::PRUNES;
    let moved: Vec<String> = live_kustomizations(live)
        .into_iter()
        .filter(|one| one.prune)
        .filter_map(|one| {
            let path = FieldPath::dotted("properties.kustomizations").key(one.name).key("path");
            let field = decision.fields.iter().find(|field| field.path == path)?;
            let after = field.after.as_ref().and_then(Value::as_str).unwrap_or_default();
            Some(format!(
                "{before}{}{after_name}what was applied from {} and is not in {after} will be deleted",
                one.name, one.path
            ))
        })
        .collect();
    for message in moved {
        decision.consequence("garbage_collection", message);
    }
}

/// What it means that Flux leaves a configuration alone, or goes back to work on it.
fn explain_suspension(decision: &mut Decision) {
    let path = FieldPath::dotted("properties.suspend");
    let suspended = decision.fields.iter().find(|field| field.path == path).map(|field| field.after.clone());
    match suspended {
        Some(Some(Value::Bool(true))) => decision.consequence(
            "suspend",
            "Flux leaves the configuration alone: what is applied stays as it is, whatever the source says".to_owned(),
        ),
        Some(_) => decision.consequence(
            "resume",
            "Flux reconciles the configuration again: what changed in the source since is applied at once".to_owned(),
        ),
        None => {}
    }
}
