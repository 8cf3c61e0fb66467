//! The `microsoft.flux` extension: found by its type, whatever its name.

use serde_json::{Value, json};

use super::credentials::RESEND;
use super::extension_versions::Versions;
use super::{Decision, Obstacle, drift, flux_settings, is_immutable, listed, note_connected, wait};
use crate::diff::compare;
use crate::graph::{Graph, Node, Want};
use crate::kinds::cluster::ClusterType;
use crate::kinds::extension::{self, ExtensionSpec, MULTI_TENANCY, RESOURCE_TYPE, RULES, UPGRADE_FIELDS};
use crate::kinds::remedies::{self, remedy};
use crate::kinds::state::{ProvisioningState, failure_code, failure_message, provisioning_state};
use crate::kinds::{Body, Hole, Kind, flux_configuration, shown_path};
use crate::model::{FieldPath, LiveState, ResourceId};
use crate::plan::{Action, Options, Reason, Step, Until};

pub(super) fn towards(
    node: &Node,
    spec: &ExtensionSpec,
    cluster_type: ClusterType,
    graph: &Graph,
    live: &LiveState,
    options: &Options,
) -> Result<Decision, Obstacle> {
    let cluster = node.cluster.as_ref().and_then(|cluster| live.body(cluster));
    let versions = Versions { node, spec, cluster_type, graph, cluster };
    match found(node, live)? {
        None => create(&versions, live, options),
        Some((id, body)) if is_going(body) => {
            create(&versions, live, options).map(|decision| after_deletion(node, &id, decision))
        }
        Some((id, body)) => {
            let mut decision = existing(&versions, &id, body, options);
            let is_failed = matches!(provisioning_state(body), ProvisioningState::Failed(_));
            flux_settings::judge(&versions, live, Some(body), is_failed, &mut decision);
            Ok(decision)
        }
    }
}

fn is_going(live: &Value) -> bool {
    matches!(provisioning_state(live), ProvisioningState::InFlight(state) if state.eq_ignore_ascii_case("Deleting"))
}

/// The creation of an extension whose predecessor is on its way out: ARM refuses another one until it is gone.
fn after_deletion(node: &Node, predecessor: &ResourceId, mut decision: Decision) -> Decision {
    decision.steps.insert(0, wait(predecessor, node.api_version.as_str(), Until::Gone));
    decision.precondition = None;
    decision.reason = Reason::OperationInFlight;
    decision.note(
        &node.address,
        "operation_in_flight",
        "the extension is being deleted; apply waits until it is gone and creates it again".to_owned(),
    );
    decision
}

pub(super) fn away(node: &Node, graph: &Graph, live: &LiveState, options: &Options) -> Result<Decision, Obstacle> {
    let Some((id, body)) = found(node, live)? else { return Ok(Decision::nothing(Reason::NotFound)) };
    let api_version = node.api_version.as_str();
    let is_forced = options.is_forced(&node.address);
    if is_going(body) && !is_forced {
        let steps = vec![wait(&id, api_version, Until::Gone)];
        return Ok(Decision { id: Some(id), steps, ..Decision::nothing(Reason::OperationInFlight) });
    }
    let mut decision = match is_forced {
        true => Decision::force_delete(RULES, &id, api_version, body),
        false => {
            let delete = Step::Delete { id: id.clone(), api_version: api_version.to_owned(), force: false };
            Decision::delete(RULES, body, vec![delete, wait(&id, api_version, Until::Gone)])
        }
    };
    decision.id = Some(id);
    decision.steps.splice(0..0, alone(node, graph));
    if is_forced {
        decision.consequence(
            "orphaned",
            "only Azure's record goes: Flux stays in the cluster and goes on reconciling what is there, and Azure does not show it"
                .to_owned(),
        );
        note_connected(node, live, &mut decision);
    } else {
        decision
            .consequence("flux_removed", "Flux is removed from the cluster; nothing is reconciled any more".to_owned());
    }
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
pub(super) fn found<'a>(node: &Node, live: &'a LiveState) -> Result<Option<(ResourceId, &'a Value)>, Obstacle> {
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

/// The configurations that the spec names on the cluster of an extension: all of them go before it.
fn declared<'a>(node: &'a Node, graph: &'a Graph) -> impl Iterator<Item = &'a ResourceId> {
    let is_configuration = |want: &Want| matches!(want, Want::Configuration(_) | Want::Absent(_));
    let on_it = graph.dependants(&node.address).iter().filter_map(|address| graph.node(address));
    on_it.filter(move |other| is_configuration(&other.want)).map(|other| &other.id)
}

fn foreign_configurations(node: &Node, graph: &Graph, live: &LiveState) -> Result<Vec<String>, Obstacle> {
    let Some(cluster) = &node.cluster else { return Ok(Vec::new()) };
    let listed = listed(cluster, flux_configuration::RESOURCE_TYPE, live)?;
    let is_foreign = |id: &ResourceId| !declared(node, graph).any(|declared| declared == id);
    Ok(listed.into_iter().filter(|(id, _)| is_foreign(id)).map(|(id, _)| id.name().to_owned()).collect())
}

/// Looks, before the extension goes, whether somebody has made a configuration since. Those that the spec names are gone
/// by then; a list may still show them for a while.
fn alone(node: &Node, graph: &Graph) -> Option<Step> {
    let mut only: Vec<String> = declared(node, graph).map(|id| id.name().to_owned()).collect();
    only.sort();
    Some(Step::Expect {
        id: node.cluster.as_ref()?.collection(flux_configuration::RESOURCE_TYPE),
        api_version: graph.api_version(Kind::FluxConfiguration).to_owned(),
        only,
    })
}

fn create(versions: &Versions<'_>, live: &LiveState, options: &Options) -> Result<Decision, Obstacle> {
    let Versions { node, spec, cluster_type, .. } = *versions;
    let taken = node.cluster.iter().flat_map(|cluster| live.items(&cluster.collection(RESOURCE_TYPE))).find(|item| {
        let name = item.get("name").and_then(Value::as_str);
        name.is_some_and(|name| name.eq_ignore_ascii_case(&spec.name)) && !extension::is_flux(item)
    });
    if let Some(taken) = taken {
        let found = taken.pointer("/properties/extensionType").and_then(Value::as_str).unwrap_or("another type");
        return Err(Obstacle {
            message: format!("the name {} is taken by an extension of the type {found}", spec.name),
            hint: "give another one: `extension: {name: …}`".to_owned(),
        });
    }
    let api_version = node.api_version.as_str();
    let wanted = wanted(node, spec);
    let mut body = extension::creation_defaults(spec, cluster_type);
    json_patch::merge(&mut body, &wanted.json);
    let put = Step::Put {
        id: node.id.clone(),
        api_version: api_version.to_owned(),
        body: body.clone(),
        holes: wanted.holes.clone(),
    };
    let mut decision = Decision::create(&body, vec![put, wait(&node.id, api_version, Until::Provisioned)]);
    decision.account_for_secrets(node, &wanted.holes, "it is created", options);
    explain_settings(&mut decision);
    versions.of_new(&mut decision);
    flux_settings::judge(versions, live, None, false, &mut decision);
    Ok(decision)
}

/// What the spec says. Its secrets may be used at the extension alone.
pub(super) fn wanted(node: &Node, spec: &ExtensionSpec) -> Body {
    extension::body(spec, &node.address.to_string()).for_version(node.kind, &node.api_version)
}

fn existing(versions: &Versions<'_>, id: &ResourceId, live: &Value, options: &Options) -> Decision {
    let Versions { node, spec, .. } = *versions;
    let wanted = wanted(node, spec);
    let mut decision = Decision::compared(RULES, &node.address, live, &wanted.json, &[]);
    decision.id = Some(id.clone());
    let dropped = drop_settings_of_base(node, live, &wanted.json, &mut decision);
    list_kept(node, spec, &decision.before.clone(), &wanted.json, &dropped, &mut decision);
    versions.of_existing(live, &mut decision);
    let state = provisioning_state(live);
    if let ProvisioningState::Failed(state) = &state {
        let cause = failure_message(live).unwrap_or("the service gave no message");
        let advice = remedy(failure_code(live).unwrap_or_default(), cause)
            .map(|advice| format!(" ({advice})"))
            .unwrap_or_default();
        decision.note(&node.address, "extension_failed", format!("the extension is {state}: {cause}{advice}"));
    }
    let lacks_secret = lacks_secret(spec, live);
    let resends = options.resends_secrets(&node.address) && !wanted.holes.is_empty();
    let body = patch(&decision, &wanted.json, &dropped);
    if !decision.fields.is_empty() || lacks_secret {
        let because = if lacks_secret { "a protected setting is missing" } else { RESEND };
        let holes = if lacks_secret || resends { wanted.holes } else { Vec::new() };
        decision.reason = Reason::FieldsDiffer;
        update(node, id, live, body, (holes, because), &mut decision, options);
        refuse_fixed(node, &mut decision);
    } else if let ProvisioningState::Failed(_) = state {
        repair(node, id, live, wanted.holes, &mut decision, options);
    } else if resends {
        decision.reason = Reason::SecretsResent;
        update(node, id, live, body, (wanted.holes, RESEND), &mut decision, options);
    } else if let ProvisioningState::InFlight(state) = state {
        decision.reason = Reason::OperationInFlight;
        decision.steps = vec![wait(id, node.api_version.as_str(), Until::Provisioned)];
        decision.note(&node.address, "operation_in_flight", format!("the extension is {state}; apply waits for it"));
        let reports = live.pointer("/properties/statuses").and_then(Value::as_array);
        if state.eq_ignore_ascii_case("Creating") && reports.is_none_or(Vec::is_empty) {
            let hint = remedies::SILENT_INSTALLATION.join("; ");
            decision.note(
                &node.address,
                "nothing_reported",
                format!("no status is reported of it yet; if that lasts, {hint}"),
            );
        }
    }
    decision
}

/// An update in place by this body, with these secrets, sent for this reason.
fn update(
    node: &Node,
    id: &ResourceId,
    live: &Value,
    body: Value,
    (holes, because): (Vec<Hole>, &str),
    decision: &mut Decision,
    options: &Options,
) {
    let api_version = node.api_version.as_str();
    decision.action = Action::Update;
    if let ProvisioningState::InFlight(state) = provisioning_state(live) {
        // A write now would be refused (409 ExtensionPatchFailed).
        decision.steps.push(wait(id, api_version, Until::Provisioned));
        let message = format!("the extension is {state}; apply waits for it before it writes");
        decision.note(&node.address, "operation_in_flight", message);
    }
    if !holes.is_empty() {
        refuse_loss(node, live, &holes, decision);
    }
    decision.account_for_secrets(node, &holes, because, options);
    decision.steps.push(Step::Patch { id: id.clone(), api_version: api_version.to_owned(), body, holes, when: None });
    decision.steps.push(wait(id, api_version, Until::Provisioned));
    explain_settings(decision);
    decision.consequence("controllers_restart", "the Flux controllers restart with the new settings".to_owned());
}

/// Whether the live extension lacks a protected setting that the spec gives. Values cannot be compared. All of them are
/// sent then, which is right whether the service merges keys or replaces the map.
fn lacks_secret(spec: &ExtensionSpec, live: &Value) -> bool {
    let found: Vec<&str> = extension::protected_names(live).collect();
    spec.configuration_protected_settings.keys().any(|name| !found.contains(&name.as_str()))
}

/// Refuses to send protected settings that would take the place of others, which cannot be read.
fn refuse_loss(node: &Node, live: &Value, holes: &[Hole], decision: &mut Decision) {
    let map = FieldPath::dotted("properties.configurationProtectedSettings");
    let lost: Vec<&str> =
        extension::protected_names(live).filter(|name| !holes.iter().any(|hole| hole.path == map.key(*name))).collect();
    if !lost.is_empty() {
        decision.refuse(
            &node.address,
            "protected_settings_would_be_lost",
            format!(
                "protected settings that the spec does not give could be emptied, and they cannot be read: {}",
                lost.join(", ")
            ),
            "give them all under `configurationProtectedSettings`".to_owned(),
        );
    }
}

/// Refuses a change of what is set on creation only: without the extension nothing on the cluster is reconciled, so it
/// is never replaced on the way.
fn refuse_fixed(node: &Node, decision: &mut Decision) {
    let fixed: Vec<String> = decision
        .fields
        .iter()
        .filter(|field| is_fixed(&field.path))
        .map(|field| shown_path(&field.path).to_string())
        .collect();
    if !fixed.is_empty() {
        decision.reason = Reason::ImmutableFieldsDiffer;
        decision.refuse(
            &node.address,
            "extension_is_fixed",
            format!("{} cannot change after the extension was created", fixed.join(", ")),
            "take the change back, or destroy the extension with its configurations and apply again".to_owned(),
        );
    }
}

/// Whether a field, or something in it, is set on creation only.
fn is_fixed(path: &FieldPath) -> bool {
    let above = RULES.iter().filter(|rule| rule.habit.is_immutable()).map(|rule| FieldPath::dotted(rule.path));
    is_immutable(RULES, path) || above.into_iter().any(|fixed| fixed.starts_with(path))
}

/// What an update sends: the upgrade fields that the spec names, when one of them changes; and all settings, when one of
/// them changes, so that it is right whether the service merges keys or replaces the map.
fn patch(decision: &Decision, wanted: &Value, dropped: &[String]) -> Value {
    let properties = FieldPath::dotted("properties");
    let changes = |key: &str| {
        let path = properties.key(key);
        decision.fields.iter().any(|field| field.path.starts_with(&path))
    };
    let mut body = json!({ "properties": {} });
    if UPGRADE_FIELDS.iter().any(|key| changes(key)) {
        for path in UPGRADE_FIELDS.iter().map(|key| properties.key(*key)) {
            if let Some(value) = path.get(wanted) {
                path.set(&mut body, value.clone());
            }
        }
    }
    if changes("configurationSettings") {
        let path = properties.key("configurationSettings");
        path.set(&mut body, path.get(&decision.after).cloned().unwrap_or(json!({})));
        // What goes is sent as null: right whether the service merges keys or replaces the map.
        dropped.iter().for_each(|key| path.key(key).set(&mut body, Value::Null));
    }
    body
}

/// Settings that the base had, the spec has not, and that are live: they go back to the service's defaults. Compared with
/// the base, too, is what was changed outside of arcflux.
fn drop_settings_of_base(node: &Node, live: &Value, wanted: &Value, decision: &mut Decision) -> Vec<String> {
    let Some(Want::Extension(base, _)) = &node.base else { return Vec::new() };
    let base = extension::body(base, "").for_version(node.kind, &node.api_version).json;
    decision.drift = drift(RULES, live, &base, &[]);
    let settings = FieldPath::dotted("properties.configurationSettings");
    let said = settings.get(wanted);
    let keys = settings.get(&base).and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key);
    let dropped: Vec<String> = keys
        .filter(|key| said.is_none_or(|said| said.get(key.as_str()).is_none()))
        .filter(|key| settings.key(key.as_str()).get(&decision.before).is_some())
        .cloned()
        .collect();
    for key in &dropped {
        settings.key(key).remove(&mut decision.after);
    }
    if !dropped.is_empty() {
        decision.fields = compare(&decision.before, &decision.after);
        decision.unchanged = decision.unchanged.saturating_sub(dropped.len());
    }
    dropped
}

/// Sends a failed extension again, as it is: with everything that was found.
fn repair(node: &Node, id: &ResourceId, live: &Value, holes: Vec<Hole>, decision: &mut Decision, options: &Options) {
    let api_version = node.api_version.as_str();
    decision.action = Action::Update;
    decision.reason = Reason::ProvisioningFailed;
    refuse_loss(node, live, &holes, decision);
    decision.account_for_secrets(
        node,
        &holes,
        "the extension is sent whole, and a setting left out would be lost",
        options,
    );
    decision.steps = vec![
        Step::Put { id: id.clone(), api_version: api_version.to_owned(), body: decision.after.clone(), holes },
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
    let is_gone = decision.fields.iter().any(|field| {
        (field.path == path && field.after.is_none()) || (field.path == settings && field.after.is_none())
    }) && path.get(&decision.before).is_some();
    match switched.as_ref().and_then(Value::as_str) {
        Some(word) if word.eq_ignore_ascii_case("false") => decision.consequence(
            "multi_tenancy_off",
            "multi-tenancy is off: every configuration on the cluster may refer to other namespaces and acts as cluster administrator"
                .to_owned(),
        ),
        None if is_gone => decision.consequence(
            "multi_tenancy_on",
            "multi-tenancy goes back to the service's default, which is on: Flux objects that refer to other namespaces stop reconciling"
                .to_owned(),
        ),
        Some("true") if decision.action == Action::Update => decision.consequence(
            "multi_tenancy_on",
            "multi-tenancy is on: Flux objects that refer to other namespaces stop reconciling".to_owned(),
        ),
        _ => {}
    }
}

/// Lists what is found, not said by the spec, and not what the service would have chosen itself. `live` is in the
/// comparable shape: what says nothing is gone, and keys have an order.
fn list_kept(
    node: &Node,
    spec: &ExtensionSpec,
    live: &Value,
    declared: &Value,
    dropped: &[String],
    decision: &mut Decision,
) {
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
    let kept_settings: Vec<String> = live
        .pointer("/properties/configurationSettings")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .filter(|key| declared["properties"]["configurationSettings"].get(key.as_str()).is_none())
        .filter(|key| !dropped.contains(key))
        .map(|key| format!("configurationSettings[\"{key}\"]"))
        .collect();
    let usual = json!({"releaseTrain": "stable", "autoUpgradeMode": "compatible", "autoUpgradeMinorVersion": true});
    let kept_fields =
        UPGRADE_FIELDS.into_iter().filter(|key| declared["properties"].get(*key).is_none()).filter(|key| {
            let found = &live["properties"][*key];
            let is_usual = match found {
                Value::String(word) => usual[*key].as_str().is_some_and(|usual| usual.eq_ignore_ascii_case(word)),
                other => usual[*key] == *other,
            };
            !found.is_null() && *found != json!("") && !is_usual
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
