//! The `microsoft.flux` extension: found by its type, whatever its name.

use serde_json::{Value, json};

use super::{Decision, Obstacle, listed, wait};
use crate::graph::{Graph, Node, Want};
use crate::kinds::cluster::ClusterType;
use crate::kinds::extension::{self, ExtensionSpec, MULTI_TENANCY, RESOURCE_TYPE, RULES};
use crate::kinds::flux_configuration;
use crate::kinds::state::{ProvisioningState, provisioning_state};
use crate::model::{FieldPath, LiveState, ResourceId};
use crate::plan::{Action, Reason, Step, Until};

pub(super) fn towards(
    node: &Node,
    spec: &ExtensionSpec,
    cluster_type: ClusterType,
    live: &LiveState,
) -> Result<Decision, Obstacle> {
    match found(node, live)? {
        None => create(node, spec, cluster_type, live),
        Some((id, body)) => Ok(existing(node, spec, &id, body)),
    }
}

pub(super) fn away(node: &Node, graph: &Graph, live: &LiveState) -> Result<Decision, Obstacle> {
    let Some((id, body)) = found(node, live)? else { return Ok(Decision::nothing(Reason::NotFound)) };
    let api_version = node.kind.api_version();
    let steps =
        vec![Step::Delete { id: id.clone(), api_version: api_version.to_owned() }, wait(&id, api_version, Until::Gone)];
    let mut decision = Decision { id: Some(id), ..Decision::delete(RULES, body, steps) };
    decision.consequence("flux_removed", "Flux is removed from the cluster; nothing is reconciled any more".to_owned());
    let foreign = foreign_configurations(node, graph, live)?;
    if !foreign.is_empty() {
        decision.refuse(
            &node.address,
            "foreign_configurations",
            format!("configurations that the spec does not name still use the extension: {}", foreign.join(", ")),
            "declare them in the spec, or delete them first: without the extension they could never be cleaned up"
                .to_owned(),
        );
    }
    Ok(decision)
}

/// The live extension.
fn found<'a>(node: &Node, live: &'a LiveState) -> Result<Option<(ResourceId, &'a Value)>, Obstacle> {
    let Some(cluster) = &node.cluster else { return Ok(None) };
    let mut found = listed(cluster, RESOURCE_TYPE, live)?;
    found.retain(|(_, item)| extension::is_flux(item));
    if found.len() > 1 {
        return Err(Obstacle {
            message: format!(
                "there are {} extensions of the type microsoft.flux, and a cluster can have one: {}",
                found.len(),
                found.iter().map(|(id, _)| id.name()).collect::<Vec<_>>().join(", ")
            ),
            hint: "delete all but one: `az k8s-extension delete`".to_owned(),
        });
    }
    Ok(found.pop())
}

fn foreign_configurations(node: &Node, graph: &Graph, live: &LiveState) -> Result<Vec<String>, Obstacle> {
    let Some(cluster) = &node.cluster else { return Ok(Vec::new()) };
    let is_declared = |id: &ResourceId| {
        graph.nodes().iter().any(|node| matches!(node.want, Want::Configuration(_)) && node.id == *id)
    };
    let listed = listed(cluster, flux_configuration::RESOURCE_TYPE, live)?;
    Ok(listed.into_iter().filter(|(id, _)| !is_declared(id)).map(|(id, _)| id.name().to_owned()).collect())
}

fn create(
    node: &Node,
    spec: &ExtensionSpec,
    cluster_type: ClusterType,
    live: &LiveState,
) -> Result<Decision, Obstacle> {
    let taken = node.cluster.iter().flat_map(|cluster| live.items(&cluster.collection(RESOURCE_TYPE))).find(|item| {
        item.get("name").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(&spec.name))
    });
    if let Some(taken) = taken {
        let found = taken.pointer("/properties/extensionType").and_then(Value::as_str).unwrap_or("another type");
        return Err(Obstacle {
            message: format!("the name {} is taken by an extension of the type {found}", spec.name),
            hint: "give another one: `extension: {name: …}`".to_owned(),
        });
    }
    let api_version = node.kind.api_version();
    let mut body = extension::creation_defaults(cluster_type);
    json_patch::merge(&mut body, &extension::body(spec).json);
    if body.pointer("/properties/configurationSettings").is_some_and(|settings| *settings == json!({})) {
        FieldPath::dotted("properties.configurationSettings").remove(&mut body);
    }
    let put =
        Step::Put { id: node.id.clone(), api_version: api_version.to_owned(), body: body.clone(), holes: Vec::new() };
    let mut decision = Decision::create(&body, vec![put, wait(&node.id, api_version, Until::Provisioned)]);
    explain_settings(&mut decision);
    Ok(decision)
}

fn existing(node: &Node, spec: &ExtensionSpec, id: &ResourceId, live: &Value) -> Decision {
    let api_version = node.kind.api_version();
    let mut decision = Decision::compared(RULES, &node.address, live, &extension::body(spec).json);
    decision.id = Some(id.clone());
    list_kept(node, spec, live, &mut decision);
    let provisioned = || wait(id, api_version, Until::Provisioned);
    let state = provisioning_state(live);
    let in_flight = matches!(state, ProvisioningState::InFlight(_));
    if !decision.fields.is_empty() {
        decision.action = Action::Update;
        decision.reason = Reason::FieldsDiffer;
        if in_flight {
            // A write now would be refused (409 ExtensionPatchFailed).
            decision.steps.push(provisioned());
        }
        // All settings are sent, so that it is right whether the service merges keys or replaces the map.
        let settings = decision.after.pointer("/properties/configurationSettings").cloned().unwrap_or(json!({}));
        decision.steps.push(Step::Patch {
            id: id.clone(),
            api_version: api_version.to_owned(),
            body: json!({ "properties": { "configurationSettings": settings } }),
            holes: Vec::new(),
            when: None,
        });
        decision.steps.push(provisioned());
        explain_settings(&mut decision);
        decision.consequence("controllers_restart", "the Flux controllers restart with the new settings".to_owned());
        return decision;
    }
    match state {
        ProvisioningState::Succeeded => {}
        ProvisioningState::InFlight(state) => {
            decision.reason = Reason::OperationInFlight;
            decision.steps = vec![provisioned()];
            decision.note(
                &node.address,
                "operation_in_flight",
                format!("the extension is {state}; apply waits for it"),
            );
        }
        ProvisioningState::Failed(state) => repair(node, id, live, &state, &mut decision),
    }
    decision
}

/// Sends a failed extension again, as it is: with everything that was found.
fn repair(node: &Node, id: &ResourceId, live: &Value, state: &str, decision: &mut Decision) {
    let api_version = node.kind.api_version();
    decision.action = Action::Update;
    decision.reason = Reason::ProvisioningFailed;
    let cause = live
        .pointer("/properties/errorInfo/message")
        .or_else(|| live.pointer("/properties/statuses/0/message"))
        .and_then(Value::as_str)
        .map(|message| format!(": {message}"))
        .unwrap_or_default();
    decision.note(&node.address, "extension_failed", format!("the extension is {state}{cause}"));
    let protected = live.pointer("/properties/configurationProtectedSettings").and_then(Value::as_object);
    if protected.is_some_and(|settings| !settings.is_empty()) {
        decision.refuse(
            &node.address,
            "protected_settings_would_be_lost",
            "sending the failed extension again would empty its protected settings, which cannot be read".to_owned(),
            "repair it by hand: `az k8s-extension update` with the protected settings".to_owned(),
        );
    }
    decision.steps = vec![
        Step::Put {
            id: id.clone(),
            api_version: api_version.to_owned(),
            body: decision.after.clone(),
            holes: Vec::new(),
        },
        wait(id, api_version, Until::Provisioned),
    ];
}

fn explain_settings(decision: &mut Decision) {
    let path = FieldPath::dotted("properties.configurationSettings").key(MULTI_TENANCY);
    let settings = FieldPath::dotted("properties.configurationSettings");
    let switched = decision.fields.iter().find_map(|field| {
        if field.path == path {
            field.after.clone()
        } else if settings.starts_with(&field.path) {
            path.without_prefix(&field.path).get(field.after.as_ref()?).cloned()
        } else {
            None
        }
    });
    match switched.as_ref().and_then(Value::as_str) {
        Some("false") => decision.consequence(
            "multi_tenancy_off",
            "multi-tenancy is off: every configuration on the cluster may refer to other namespaces and acts as cluster administrator"
                .to_owned(),
        ),
        Some("true") if decision.action == Action::Update => decision.consequence(
            "multi_tenancy_on",
            "multi-tenancy is on: Flux objects that refer to other namespaces stop reconciling".to_owned(),
        ),
        _ => {}
    }
}

/// Lists what is found, not said by the spec, and not what the service would have chosen itself.
fn list_kept(node: &Node, spec: &ExtensionSpec, live: &Value, decision: &mut Decision) {
    if !id_name_matches(spec, decision) {
        decision.note(
            &node.address,
            "adopted_name",
            format!(
                "the extension exists under the name {}; it is used as it is",
                decision.id.as_ref().map(ResourceId::name).unwrap_or_default()
            ),
        );
    }
    let declared = extension::body(spec).json;
    let kept_settings: Vec<String> = live
        .pointer("/properties/configurationSettings")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .filter(|key| declared["properties"]["configurationSettings"].get(key.as_str()).is_none())
        .map(|key| format!("configurationSettings[\"{key}\"]"))
        .collect();
    let usual = json!({"releaseTrain": "stable", "autoUpgradeMode": "compatible", "autoUpgradeMinorVersion": true});
    let kept_fields =
        ["version", "releaseTrain", "autoUpgradeMode", "autoUpgradeMinorVersion"].into_iter().filter(|key| {
            let found = &live["properties"][*key];
            let is_usual = match found {
                Value::String(word) => usual[*key].as_str().is_some_and(|usual| usual.eq_ignore_ascii_case(word)),
                other => usual[*key] == *other,
            };
            !found.is_null() && !is_usual
        });
    let kept: Vec<String> = kept_fields.map(str::to_owned).chain(kept_settings).collect();
    if !kept.is_empty() {
        decision.note(
            &node.address,
            "kept_as_found",
            format!("set on the live extension, not in the spec, and left as found: {}", kept.join(", ")),
        );
    }
}

fn id_name_matches(spec: &ExtensionSpec, decision: &Decision) -> bool {
    decision.id.as_ref().is_none_or(|id| id.name().eq_ignore_ascii_case(&spec.name))
}
