//! `Microsoft.KubernetesConfiguration/extensions`.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{self, Answer};
use super::children::{self, ChildCall};
use super::quirks::{ExtensionSettingsPatch, ImmutableChange};
use super::route::ClusterPath;
use super::shape::{self, Field, Shape, field, since};
use super::state::{ClusterKind, Extension, Outcome, Provisioning};
use super::versions;
use super::world::{self, Handled, World};

/// What may be written, in the order in which it is shown.
const FIELDS: &[Field] = &[
    field("extensionType", Shape::Text),
    since("2025-03-01", "autoUpgradeMode", Shape::Choice(&["none", "patch", "compatible"], None)),
    field("autoUpgradeMinorVersion", Shape::Flag(true)),
    field("releaseTrain", Shape::TextOr("Stable")),
    field("version", Shape::Text),
    field("scope", Shape::Object(SCOPE)),
    field("configurationSettings", Shape::Settings),
];

const SCOPE: &[Field] = &[
    field("cluster", Shape::Object(&[field("releaseNamespace", Shape::Text)])),
    field("namespace", Shape::Object(&[field("targetNamespace", Shape::Text)])),
];

/// What a PATCH may write.
const PATCHABLE: [&str; 6] = [
    "autoUpgradeMode",
    "autoUpgradeMinorVersion",
    "releaseTrain",
    "version",
    "configurationSettings",
    "configurationProtectedSettings",
];

/// The two members that say whether the extension is upgraded by itself.
const MINOR_VERSION: &str = "autoUpgradeMinorVersion";
const MODE: &str = "autoUpgradeMode";

/// Key of the protected settings among the stored properties: names with empty values, as they are shown.
const PROTECTED: &str = "configurationProtectedSettings";

/// Version that is installed where none was asked for: the newest of August 2026 (`../shared/facts/domain.md` §1.2).
const CURRENT_VERSION: &str = "1.24.1";

impl World<'_> {
    /// Answers a call on one extension.
    pub(crate) fn extension(&mut self, one: &ChildCall<'_>) -> Handled {
        match one.call.method {
            Method::GET | Method::HEAD => {
                let found = self.found_extension(one)?;
                Ok(Answer::ok(&self.extension_body(&one.call.path, found, one.version)))
            }
            Method::PUT => self.put_extension(one),
            Method::PATCH => self.patch_extension(one),
            Method::DELETE => self.delete_extension(one),
            _ => Err(answer::no_method(&one.call.method, "an extension")),
        }
    }

    fn found_extension(&self, one: &ChildCall<'_>) -> Result<&Extension, Answer> {
        self.cluster(one.cluster)?.extensions.get(&one.key()).ok_or_else(|| one.kind.not_found(one.name))
    }

    fn put_extension(&mut self, one: &ChildCall<'_>) -> Handled {
        let sent = one.call.object()?;
        let existing = self.found_extension(one).ok().cloned();
        self.check_overlap(one, existing.as_ref().and_then(|existing| existing.pending.as_ref()))?;
        let properties = properties_of(&sent, one.version, existing.as_ref())?;
        let properties = match &existing {
            Some(existing) => self.keep_immutable(existing, properties)?,
            None => properties,
        };
        let (running, provisioning) = match &existing {
            Some(_) => ("Updating", Provisioning::Updating),
            None => ("Creating", Provisioning::Creating),
        };
        let now = one.call.now;
        if let Some(superseded) = existing.as_ref().and_then(|existing| existing.pending.clone()) {
            self.end(&superseded, now, Outcome::Canceled);
        }
        let pending = self.start(running, &one.call.path, now, false);
        let principal = match &existing {
            Some(existing) => existing.principal.clone(),
            None => self.state.new_id(),
        };
        let mut extras = Map::new();
        for name in ["plan", "managedBy"] {
            if let Some(value) = sent.get(name).filter(|value| !value.is_null()) {
                extras.insert(name.to_owned(), value.clone());
            }
        }
        let extension = Extension {
            name: existing.as_ref().map_or_else(|| one.name.to_owned(), |existing| existing.name.clone()),
            properties,
            identity: sent.get("identity").filter(|identity| identity.is_object()).cloned(),
            extras,
            principal,
            created: existing.as_ref().map_or(now, |existing| existing.created),
            modified: now,
            provisioning,
            pending: Some(pending.clone()),
            ready_since: existing.as_ref().and_then(|existing| existing.ready_since),
            failure: None,
        };
        // The answer to a create does not name the installed version yet; a read a second later does.
        let mut body = self.extension_body(&one.call.path, &extension, one.version);
        if existing.is_none()
            && let Some(version) = body.pointer_mut("/properties/currentVersion")
        {
            *version = Value::Null;
        }
        let cluster = self.cluster_mut(one.cluster)?;
        let region = children::region_of(cluster);
        cluster.extensions.insert(one.key(), extension);
        Ok(one.accepted(existing.is_none(), &body, &pending, &region, self.settings.quirks.put_over_existing))
    }

    fn keep_immutable(&self, existing: &Extension, mut sent: Map<String, Value>) -> Result<Map<String, Value>, Answer> {
        for name in ["extensionType", "scope"] {
            let (old, new) = (existing.properties.get(name), sent.get(name));
            if same_text(old, new) {
                continue;
            }
            match self.settings.quirks.immutable_change {
                ImmutableChange::Refused => return Err(immutable(name)),
                ImmutableChange::Ignored => {
                    let old = old.cloned().unwrap_or(Value::Null);
                    sent.insert(name.to_owned(), old);
                }
            }
        }
        Ok(sent)
    }

    fn patch_extension(&mut self, one: &ChildCall<'_>) -> Handled {
        let sent = one.call.object()?;
        let existing = self.found_extension(one)?;
        if existing.pending.is_some() {
            return Err(patch_failed(existing.provisioning));
        }
        self.check_overlap(one, None)?;
        let mut patch = sent.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        patch.retain(|name, _| PATCHABLE.contains(&name.as_str()));
        let patch = shape::visible(FIELDS, &patch, one.version);
        let existing = self.found_extension(one)?;
        let merged = self.merged(&existing.properties, &patch)?;
        let secret_sent = patch.get(PROTECTED).and_then(Value::as_object).is_some_and(|settings| !settings.is_empty());
        if merged == existing.properties && !secret_sent {
            return Ok(Answer::ok(&self.extension_body(&one.call.path, existing, one.version)));
        }
        let pending = self.start("Updating", &one.call.path, one.call.now, false);
        let cluster = self.cluster_mut(one.cluster)?;
        let region = children::region_of(cluster);
        if let Some(extension) = cluster.extensions.get_mut(&one.key()) {
            extension.properties = merged;
            extension.modified = one.call.now;
            extension.provisioning = Provisioning::Updating;
            extension.pending = Some(pending.clone());
        }
        let body = self.extension_body(&one.call.path, self.found_extension(one)?, one.version);
        Ok(Answer::json(StatusCode::ACCEPTED, &body)
            .header("location", one.location_url(&region))
            .header("azure-asyncoperation", one.operation_url(&pending)))
    }

    /// A PATCH on stored properties. Settings maps merge or are replaced as is assumed of Azure; an empty one changes
    /// nothing either way, since the official CLI sends empty maps with every update.
    fn merged(&self, stored: &Map<String, Value>, patch: &Map<String, Value>) -> Result<Map<String, Value>, Answer> {
        let mut stored = stored.clone();
        match self.settings.quirks.extension_settings_patch {
            ExtensionSettingsPatch::Merges => {}
            ExtensionSettingsPatch::Replaces => {
                for name in ["configurationSettings", PROTECTED] {
                    if patch.get(name).and_then(Value::as_object).is_some_and(|settings| !settings.is_empty()) {
                        stored.insert(name.to_owned(), json!({}));
                    }
                }
            }
        }
        // The two say one thing: whichever is sent decides the other.
        for (sent, other) in [(MINOR_VERSION, MODE), (MODE, MINOR_VERSION)] {
            let is_sent = |name: &str| patch.get(name).is_some_and(|value| !value.is_null());
            if is_sent(sent) && !is_sent(other) {
                stored.insert(other.to_owned(), Value::Null);
            }
        }
        let mut merged = Value::Object(stored);
        json_patch::merge(&mut merged, &Value::Object(patch.clone()));
        let merged = merged.as_object().cloned().unwrap_or_default();
        read_properties(&merged)
    }

    fn delete_extension(&mut self, one: &ChildCall<'_>) -> Handled {
        let Ok(existing) = self.found_extension(one) else {
            return self.delete_missing(one);
        };
        let running = existing.pending.clone();
        if children::is_forced(one.call) {
            if let Some(running) = running {
                self.end(&running, one.call.now, Outcome::Canceled);
            }
            self.cluster_mut(one.cluster)?.extensions.remove(&one.key());
            return Ok(children::forced_deletion());
        }
        let pending = match running {
            Some(running) if running.deletes => running,
            other => {
                if let Some(other) = other {
                    self.end(&other, one.call.now, Outcome::Canceled);
                }
                let pending = self.start("Deleting", &one.call.path, one.call.now, true);
                let cluster = self.cluster_mut(one.cluster)?;
                if let Some(extension) = cluster.extensions.get_mut(&one.key()) {
                    extension.pending = Some(pending.clone());
                    extension.provisioning = Provisioning::Deleting;
                    extension.ready_since = None;
                }
                pending
            }
        };
        Ok(Answer::empty(StatusCode::ACCEPTED).header("azure-asyncoperation", one.operation_url(&pending)))
    }

    /// An extension as `version` shows it. `id` echoes the caller's path.
    pub(crate) fn extension_body(&self, id: &str, extension: &Extension, version: &str) -> Value {
        let on_aks = id.to_lowercase().contains("/managedclusters/");
        let installed = extension.ready_since.is_some();
        let stored = shape::visible(FIELDS, &extension.properties, version);
        let mut properties = Map::new();
        let asked = extension.properties.get("version").cloned().unwrap_or(Value::Null);
        let current = if asked.is_null() { Value::from(CURRENT_VERSION) } else { asked };
        let is_recent = versions::at_least(version, "2022-11-01");
        for (name, value) in stored {
            if name == PROTECTED || name == "configurationSettings" {
                continue;
            }
            let value = match name.as_str() {
                // Until 2022-11-01 the installed version was written into this member.
                "version" if !is_recent && installed => current.clone(),
                _ => value,
            };
            properties.insert(name, value);
        }
        if is_recent {
            properties.insert("currentVersion".to_owned(), current);
        }
        properties.insert("provisioningState".to_owned(), Value::from(extension.provisioning.word()));
        if !is_recent {
            let state = if installed { "Installed" } else { "Unknown" };
            properties.insert("installState".to_owned(), Value::from(state));
        }
        for name in ["configurationSettings", PROTECTED] {
            let settings = extension.properties.get(name).cloned().unwrap_or_else(|| json!({}));
            properties.insert(name.to_owned(), settings);
        }
        let statuses: Vec<Value> = extension.failure.iter().map(|message| failure_status(message)).collect();
        properties.insert("statuses".to_owned(), Value::Array(statuses));
        let assigned = if on_aks && installed {
            json!({"type": null, "principalId": extension.principal, "tenantId": null})
        } else {
            Value::Null
        };
        properties.insert("aksAssignedIdentity".to_owned(), assigned);
        if is_recent {
            properties.insert("isSystemExtension".to_owned(), Value::from(false));
        }
        let mut body = Map::new();
        body.insert("id".to_owned(), Value::from(id));
        body.insert("name".to_owned(), Value::from(extension.name.as_str()));
        body.insert("type".to_owned(), Value::from("Microsoft.KubernetesConfiguration/extensions"));
        body.insert("properties".to_owned(), Value::Object(properties));
        body.insert("systemData".to_owned(), world::system_data(extension.created, extension.modified));
        // On AKS the identity is dropped once the cluster has assigned its own.
        if let Some(identity) = extension.identity.as_ref().filter(|_| !(on_aks && installed)) {
            let kind = identity.get("type").cloned().unwrap_or(Value::Null);
            body.insert("identity".to_owned(), json!({"type": kind, "principalId": extension.principal}));
        }
        for (name, value) in &extension.extras {
            if name != "managedBy" || versions::at_least(version, "2025-03-01") {
                body.insert(name.clone(), value.clone());
            }
        }
        Value::Object(body)
    }

    /// Installs Flux the way the service is said to when the first configuration is created.
    pub(crate) fn install_flux(&mut self, path: &ClusterPath, id: &str, now: jiff::Timestamp) -> Result<(), Answer> {
        let pending = self.start("Creating", id, now, false);
        let principal = self.state.new_id();
        let mut sent = Map::new();
        sent.insert("extensionType".to_owned(), Value::from("microsoft.flux"));
        let extension = Extension {
            name: "flux".to_owned(),
            properties: read_properties(&sent)?,
            identity: match path.kind {
                ClusterKind::Connected => Some(json!({"type": "SystemAssigned"})),
                ClusterKind::Managed => None,
            },
            extras: Map::new(),
            principal,
            created: now,
            modified: now,
            provisioning: Provisioning::Creating,
            pending: Some(pending),
            ready_since: None,
            failure: None,
        };
        self.cluster_mut(path)?.extensions.insert("flux".to_owned(), extension);
        Ok(())
    }
}

/// What a PUT writes. A scope that is not sent stays what it is.
fn properties_of(
    sent: &Map<String, Value>,
    version: &str,
    existing: Option<&Extension>,
) -> Result<Map<String, Value>, Answer> {
    let mut properties = sent.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(scope) = existing.and_then(|existing| existing.properties.get("scope"))
        && properties.get("scope").is_none_or(Value::is_null)
    {
        properties.insert("scope".to_owned(), scope.clone());
    }
    let properties = read_properties(&shape::visible(FIELDS, &properties, version))?;
    if properties.get("extensionType").is_none_or(Value::is_null) {
        return Err(answer::service_error(
            StatusCode::BAD_REQUEST,
            "ValidationFailed",
            "The extensionType property is required.",
        ));
    }
    Ok(properties)
}

/// Fills in what depends on more than one member, and empties the protected values.
fn read_properties(sent: &Map<String, Value>) -> Result<Map<String, Value>, Answer> {
    let mut properties = shape::read(FIELDS, sent, &mut BTreeSet::new())?;
    let pinned = properties.get("version").is_some_and(Value::is_string);
    let mode = properties.get(MODE).and_then(Value::as_str).map(str::to_owned);
    if sent.get(MINOR_VERSION).is_none_or(Value::is_null) {
        let upgrades = mode.as_ref().map_or(!pinned, |mode| mode != "none");
        properties.insert(MINOR_VERSION.to_owned(), Value::from(upgrades));
    }
    if mode.is_none() {
        let upgrades = properties.get(MINOR_VERSION) == Some(&Value::Bool(true));
        properties.insert(MODE.to_owned(), Value::from(if upgrades { "compatible" } else { "none" }));
    }
    let kind = properties.get("extensionType").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let is_namespaced = properties.get("scope").and_then(|scope| scope.get("namespace")).is_some_and(Value::is_object);
    if is_namespaced && kind == "microsoft.flux" {
        return Err(answer::service_error(
            StatusCode::BAD_REQUEST,
            "ValidationFailed",
            "Extension type 'microsoft.flux' supports only the cluster scope.",
        ));
    }
    if !is_namespaced {
        let asked = properties.get("scope").and_then(|scope| scope.pointer("/cluster/releaseNamespace"));
        let namespace = asked.filter(|name| name.is_string()).cloned().unwrap_or_else(|| release_namespace(&kind));
        properties.insert("scope".to_owned(), json!({"cluster": {"releaseNamespace": namespace}}));
    }
    let protected = sent.get(PROTECTED).and_then(Value::as_object);
    let keys = protected.into_iter().flatten().filter(|(_, value)| !value.is_null());
    let blank: Map<String, Value> = keys.map(|(key, _)| (key.clone(), Value::from(""))).collect();
    properties.insert(PROTECTED.to_owned(), Value::Object(blank));
    Ok(properties)
}

/// Namespace into which a type is installed where none was asked for.
fn release_namespace(kind: &str) -> Value {
    Value::from(match kind {
        "microsoft.flux" => "flux-system",
        "microsoft.dapr" => "dapr-system",
        _ => "kube-system",
    })
}

fn failure_status(message: &str) -> Value {
    json!({
        "code": "InstallationFailed",
        "displayStatus": null,
        "level": null,
        "message": message,
        "time": null,
    })
}

fn patch_failed(state: Provisioning) -> Answer {
    answer::service_error(
        StatusCode::CONFLICT,
        "ExtensionPatchFailed",
        &format!(
            "The PATCH method cannot be completed due to a conflict. (ProvisioningState of extension: {}). Please wait \
             for a few minutes for the ProvisioningState to change to Succeeded, Failed or Canceled and retry again. \
             If the problem persists, please contact Microsoft support.",
            state.word()
        ),
    )
}

/// Refusal to change what is set on create only.
pub(crate) fn immutable(name: &str) -> Answer {
    answer::service_error(
        StatusCode::BAD_REQUEST,
        "PropertyChangeNotAllowed",
        &format!("Changing property '{name}' is not allowed."),
    )
}

/// Whether two values say the same, strings without case.
pub(crate) fn same_text(one: Option<&Value>, other: Option<&Value>) -> bool {
    let lower = |value: Option<&Value>| value.map(|value| value.to_string().to_lowercase());
    lower(one) == lower(other)
}
