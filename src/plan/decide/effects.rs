//! What changed fields of a configuration mean for the cluster.

use serde_json::Value;

use super::Decision;
use super::kustomizations::live_kustomizations;
use crate::kinds::flux_configuration::SOURCE_MEMBERS;
use crate::model::FieldPath;

/// What says where a source is, in the description of each kind.
const PLACE: [&str; 3] = ["url", "bucketName", "containerName"];

/// What says which revision of it is applied.
const REVISION: [&str; 2] = ["repositoryRef", "layerSelector"];

/// Says what another source, or another revision of it, means.
pub(super) fn explain_source(decision: &mut Decision) {
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
pub(super) fn explain_paths(decision: &mut Decision, live: &Value) {
    let moved: Vec<String> = live_kustomizations(live)
        .into_iter()
        .filter(|one| one.prune)
        .filter_map(|one| {
            let path = FieldPath::dotted("properties.kustomizations").key(one.name).key("path");
            let field = decision.fields.iter().find(|field| field.path == path)?;
            let after = field.after.as_ref().and_then(Value::as_str).unwrap_or_default();
            Some(format!(
                "prune is on for {}: what was applied from {} and is not in {after} will be deleted",
                one.name, one.path
            ))
        })
        .collect();
    for message in moved {
        decision.consequence("garbage_collection", message);
    }
}

/// What it means that Flux leaves a configuration alone, or goes back to work on it.
pub(super) fn explain_suspension(decision: &mut Decision) {
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
