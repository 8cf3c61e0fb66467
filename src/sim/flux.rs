//! `Microsoft.KubernetesConfiguration/fluxConfigurations`: what is written, kept and shown. What Flux then does with it
//! is acted out in [`super::reconcile`].

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::answer::{self, Answer};
use super::children::{self, ChildCall};
use super::extensions::{immutable, same_text};
use super::flux_fields::FIELDS;
use super::quirks::{
    FluxProtectedSettings, ImmutableChange, OmittedKustomizations, ProviderWhenOmitted, WithoutExtension,
};
use super::shape;
use super::state::{FluxConfiguration, Outcome, Provisioning, Report};
use super::world::{self, Handled, World};

/// Each kind of source with the member that describes it.
const SOURCES: [(&str, &str); 4] = [
    ("GitRepository", "gitRepository"),
    ("Bucket", "bucket"),
    ("AzureBlob", "azureBlob"),
    ("OCIRepository", "ociRepository"),
];

/// What a PATCH may write.
const PATCHABLE: [&str; 8] = [
    "sourceKind",
    "suspend",
    "gitRepository",
    "bucket",
    "azureBlob",
    "ociRepository",
    "kustomizations",
    "configurationProtectedSettings",
];

/// Name of the protected setting that holds an ssh key.
const SSH_KEY: &str = "sshPrivateKey";

/// What a body was read as.
struct Written {
    properties: Map<String, Value>,
    secrets: BTreeSet<String>,
}

/// Where the keys of a blob source are noted.
const BLOB_KEYS: [&str; 2] = ["properties.azureBlob.accountKey", "properties.azureBlob.sasToken"];

impl Written {
    /// Whether a stored secret still has a place: protected settings always, inline ones while the object around them
    /// is there.
    fn has_place_for(&self, secret: &str) -> bool {
        let Some(inline) = secret.strip_prefix("properties.") else { return true };
        let Some((parents, _)) = inline.rsplit_once('.') else { return true };
        let mut steps = parents.split('.');
        let first = steps.next().and_then(|key| self.properties.get(key));
        steps.fold(first, |place, key| place?.get(key)).is_some_and(Value::is_object)
    }
}

/// Whether a blob source that was signed in to with a key or signature goes on without one, and without another way.
fn loses_blob_key(existing: &FluxConfiguration, written: &Written) -> bool {
    let had = existing.blob_key_lost || BLOB_KEYS.iter().any(|key| existing.secrets.contains(*key));
    let has = BLOB_KEYS.iter().any(|key| written.secrets.contains(*key));
    let blob = written.properties.get("azureBlob").filter(|blob| blob.is_object());
    let other_way = |blob: &Value| {
        ["servicePrincipal", "managedIdentity", "localAuthRef"]
            .iter()
            .any(|way| blob.get(way).is_some_and(|value| !value.is_null()))
    };
    had && !has && blob.is_some_and(|blob| !other_way(blob))
}

impl World<'_> {
    /// Answers a call on one flux configuration.
    pub(crate) fn configuration(&mut self, one: &ChildCall<'_>) -> Handled {
        match one.call.method {
            Method::GET | Method::HEAD => {
                let found = self.found_configuration(one)?;
                Ok(Answer::ok(&self.configuration_body(&one.call.path, found, one.version)))
            }
            Method::PUT => self.put_configuration(one),
            Method::PATCH => self.patch_configuration(one),
            Method::DELETE => self.delete_configuration(one),
            _ => Err(answer::no_method(&one.call.method, "a flux configuration")),
        }
    }

    fn found_configuration(&self, one: &ChildCall<'_>) -> Result<&FluxConfiguration, Answer> {
        self.cluster(one.cluster)?.configurations.get(&one.key()).ok_or_else(|| one.kind.not_found(one.name))
    }

    fn put_configuration(&mut self, one: &ChildCall<'_>) -> Handled {
        let sent = one.call.object()?;
        let existing = self.found_configuration(one).ok().cloned();
        self.check_overlap(one, existing.as_ref().and_then(|existing| existing.pending.as_ref()))?;
        let sent = sent.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut written = self.written(&shape::visible(FIELDS, &sent, one.version))?;
        if let Some(existing) = &existing {
            self.keep_what_a_put_keeps(existing, &sent, &mut written.properties)?;
        }
        let now = one.call.now;
        let (running, provisioning) = match &existing {
            Some(_) => ("Updating", Provisioning::Updating),
            None => ("Creating", Provisioning::Creating),
        };
        if let Some(superseded) = existing.as_ref().and_then(|existing| existing.pending.clone()) {
            self.end(&superseded, now, Outcome::Canceled);
        }
        let pending = self.start(running, &one.call.path, now, false);
        let had_ssh_key = existing.as_ref().is_some_and(|existing| existing.secrets.contains(SSH_KEY));
        let was_lost = existing.as_ref().is_some_and(|existing| existing.ssh_key_lost);
        let configuration = FluxConfiguration {
            name: existing.as_ref().map_or_else(|| one.name.to_owned(), |existing| existing.name.clone()),
            ssh_key_lost: (had_ssh_key || was_lost) && !written.secrets.contains(SSH_KEY),
            blob_key_lost: existing.as_ref().is_some_and(|existing| loses_blob_key(existing, &written)),
            properties: written.properties,
            secrets: written.secrets,
            created: existing.as_ref().map_or(now, |existing| existing.created),
            modified: now,
            provisioning,
            pending: Some(pending.clone()),
            report: existing.as_ref().map_or_else(Report::default, |existing| awaiting(&existing.report)),
        };
        let body = self.configuration_body(&one.call.path, &configuration, one.version);
        let cluster = self.cluster_mut(one.cluster)?;
        let region = children::region_of(cluster);
        let has_flux = cluster.extensions.values().any(super::state::Extension::is_flux);
        cluster.configurations.insert(one.key(), configuration);
        match self.settings.quirks.without_extension {
            WithoutExtension::Installs if !has_flux => {
                let id = format!("{}/providers/Microsoft.KubernetesConfiguration/extensions/flux", one.cluster.name);
                self.install_flux(one.cluster, &id, now)?;
            }
            WithoutExtension::Installs | WithoutExtension::StaysCreating => {}
        }
        Ok(one.accepted(existing.is_none(), &body, &pending, &region, self.settings.quirks.put_over_existing))
    }

    /// What a PUT does not change: scope and namespace, and, if that is how Azure is taken to be, kustomizations that
    /// it does not name.
    fn keep_what_a_put_keeps(
        &self,
        existing: &FluxConfiguration,
        sent: &Map<String, Value>,
        properties: &mut Map<String, Value>,
    ) -> Result<(), Answer> {
        for name in ["scope", "namespace"] {
            let old = existing.properties.get(name);
            let is_sent = sent.get(name).is_some_and(|value| !value.is_null());
            if is_sent && same_text(old, properties.get(name)) {
                continue;
            }
            match self.settings.quirks.immutable_change {
                ImmutableChange::Refused if is_sent => return Err(immutable(name)),
                ImmutableChange::Refused | ImmutableChange::Ignored => {
                    properties.insert(name.to_owned(), old.cloned().unwrap_or(Value::Null));
                }
            }
        }
        match self.settings.quirks.omitted_kustomizations {
            OmittedKustomizations::Removed => {}
            OmittedKustomizations::Kept => {
                let old = existing.properties.get("kustomizations").and_then(Value::as_object);
                if let Some(new) = properties.get_mut("kustomizations").and_then(Value::as_object_mut) {
                    for (name, kustomization) in old.into_iter().flatten() {
                        new.entry(name.clone()).or_insert_with(|| kustomization.clone());
                    }
                }
            }
        }
        Ok(())
    }

    fn patch_configuration(&mut self, one: &ChildCall<'_>) -> Handled {
        let sent = one.call.object()?;
        let existing = self.found_configuration(one)?.clone();
        self.check_overlap(one, existing.pending.as_ref())?;
        let mut patch = sent.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        patch.retain(|name, _| PATCHABLE.contains(&name.as_str()));
        let patch = shape::visible(FIELDS, &patch, one.version);
        let mut merged = Value::Object(existing.properties.clone());
        json_patch::merge(&mut merged, &Value::Object(patch.clone()));
        let mut written = self.written(&merged.as_object().cloned().unwrap_or_default())?;
        let is_secret_sent = !written.secrets.is_empty();
        let dropped = dropped_settings(&patch);
        let kept = existing.secrets.iter().filter(|secret| !dropped.contains(*secret) && written.has_place_for(secret));
        let kept: Vec<String> = kept.cloned().collect();
        written.secrets.extend(kept);
        if written.properties == existing.properties && !is_secret_sent && written.secrets == existing.secrets {
            return Ok(Answer::ok(&self.configuration_body(&one.call.path, &existing, one.version)));
        }
        if let Some(superseded) = &existing.pending {
            self.end(superseded, one.call.now, Outcome::Canceled);
        }
        let pending = self.start("Updating", &one.call.path, one.call.now, false);
        let cluster = self.cluster_mut(one.cluster)?;
        let region = children::region_of(cluster);
        if let Some(configuration) = cluster.configurations.get_mut(&one.key()) {
            configuration.ssh_key_lost = existing.ssh_key_lost && !written.secrets.contains(SSH_KEY);
            configuration.blob_key_lost = loses_blob_key(&existing, &written);
            configuration.properties = written.properties;
            configuration.secrets = written.secrets;
            configuration.modified = one.call.now;
            configuration.provisioning = Provisioning::Updating;
            configuration.pending = Some(pending.clone());
            configuration.report = awaiting(&existing.report);
        }
        let body = self.configuration_body(&one.call.path, self.found_configuration(one)?, one.version);
        Ok(Answer::json(StatusCode::ACCEPTED, &body)
            .header("location", one.location_url(&region))
            .header("azure-asyncoperation", one.operation_url(&pending)))
    }

    fn delete_configuration(&mut self, one: &ChildCall<'_>) -> Handled {
        let Ok(existing) = self.found_configuration(one) else {
            return self.delete_missing(one);
        };
        let running = existing.pending.clone();
        if children::is_forced(one.call) {
            if let Some(running) = running {
                self.end(&running, one.call.now, Outcome::Canceled);
            }
            self.cluster_mut(one.cluster)?.configurations.remove(&one.key());
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
                if let Some(configuration) = cluster.configurations.get_mut(&one.key()) {
                    configuration.pending = Some(pending.clone());
                    configuration.provisioning = Provisioning::Deleting;
                    configuration.report.next = None;
                }
                pending
            }
        };
        Ok(Answer::empty(StatusCode::ACCEPTED).header("azure-asyncoperation", one.operation_url(&pending)))
    }

    /// Reads a whole set of properties: every default filled in, only the source that `sourceKind` names kept.
    fn written(&self, sent: &Map<String, Value>) -> Result<Written, Answer> {
        let mut secrets = BTreeSet::new();
        let mut properties = shape::read(FIELDS, sent, &mut secrets)?;
        let kind = properties.get("sourceKind").and_then(Value::as_str).unwrap_or_default().to_owned();
        for (name, member) in SOURCES {
            let source = properties.get_mut(member);
            if name != kind {
                if let Some(source) = source {
                    *source = Value::Null;
                }
            } else if source.is_none_or(|source| source.get("url").is_none_or(Value::is_null)) {
                return Err(answer::service_error(
                    StatusCode::BAD_REQUEST,
                    "ValidationFailed",
                    &format!(
                        "Invalid source kind match. Config with specified source kind '{kind}' must contain \
                         corresponding body specified in the properties."
                    ),
                ));
            }
        }
        let provider = properties.get_mut("gitRepository").and_then(|git| git.get_mut("provider"));
        if let Some(provider @ Value::Null) = provider {
            *provider = match self.settings.quirks.provider_when_omitted {
                ProviderWhenOmitted::Generic => Value::from("generic"),
                ProviderWhenOmitted::Null => Value::Null,
            };
        }
        Ok(Written { properties, secrets })
    }

    /// A flux configuration as `version` shows it. `id` echoes the caller's path.
    pub(crate) fn configuration_body(&self, id: &str, configuration: &FluxConfiguration, version: &str) -> Value {
        let stored = shape::visible(FIELDS, &configuration.properties, version);
        let report = &configuration.report;
        let reported = report.updated.is_some();
        let instant = |at: Option<jiff::Timestamp>| at.map_or(Value::Null, |at| Value::from(world::with_offset(at)));
        let blank_once_reported = || if reported { Value::from("") } else { Value::Null };
        let mut properties = Map::new();
        let mut waits = Map::new();
        for (name, value) in stored {
            match name.as_str() {
                "waitForReconciliation" | "reconciliationWaitDuration" => {
                    waits.insert(name, value);
                }
                "configurationProtectedSettings" => {
                    properties.insert(name, self.shown_secrets(configuration));
                }
                _ => {
                    properties.insert(name, value);
                }
            }
        }
        let public_key = match self.public_key(configuration) {
            Some(key) if reported => Value::from(key),
            Some(_) | None => blank_once_reported(),
        };
        properties.insert("repositoryPublicKey".to_owned(), public_key);
        properties.insert("sourceUpdatedAt".to_owned(), instant(report.source_updated));
        properties.insert("statusUpdatedAt".to_owned(), instant(report.updated));
        properties.insert("sourceSyncedCommitId".to_owned(), report.revision.clone().map_or(Value::Null, Value::from));
        properties.insert("complianceState".to_owned(), report.compliance.clone().map_or(Value::Null, Value::from));
        properties.insert("provisioningState".to_owned(), Value::from(configuration.provisioning.word()));
        properties.insert("errorMessage".to_owned(), blank_once_reported());
        properties.extend(waits);
        properties.insert("statuses".to_owned(), Value::Array(report.statuses.clone()));
        let mut body = Map::new();
        body.insert("id".to_owned(), Value::from(id));
        body.insert("name".to_owned(), Value::from(configuration.name.as_str()));
        body.insert("type".to_owned(), Value::from("Microsoft.KubernetesConfiguration/fluxConfigurations"));
        body.insert("properties".to_owned(), Value::Object(properties));
        body.insert("systemData".to_owned(), world::system_data(configuration.created, configuration.modified));
        Value::Object(body)
    }

    fn shown_secrets(&self, configuration: &FluxConfiguration) -> Value {
        let keys = configuration.secrets.iter().filter(|key| !key.starts_with("properties."));
        match self.settings.quirks.flux_protected_settings {
            FluxProtectedSettings::Hidden => Value::Object(Map::new()),
            FluxProtectedSettings::Keys => Value::Object(keys.map(|key| (key.clone(), Value::from(""))).collect()),
        }
    }

    /// The public half of the key pair that the cluster makes for an ssh source that came without a key.
    fn public_key(&self, configuration: &FluxConfiguration) -> Option<String> {
        let git = configuration.properties.get("gitRepository")?;
        let url = git.get("url")?.as_str()?;
        let is_ssh = url.starts_with("ssh://") || url.starts_with("git@");
        let has_own = configuration.secrets.contains(SSH_KEY) || git.get("localAuthRef").is_some_and(Value::is_string);
        (is_ssh && !has_own).then(|| {
            let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, configuration.name.as_bytes());
            format!("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB{}", id.simple())
        })
    }
}

/// What was last reported, which stays until the cluster has taken up what was written and reports again.
fn awaiting(report: &Report) -> Report {
    Report { next: None, ..report.clone() }
}

/// Keys of protected settings that a PATCH sets to null.
fn dropped_settings(patch: &Map<String, Value>) -> BTreeSet<String> {
    let settings = patch.get("configurationProtectedSettings").and_then(Value::as_object);
    settings.into_iter().flatten().filter(|(_, value)| value.is_null()).map(|(key, _)| key.clone()).collect()
}

/// Whether the caller asked for the operation to last until Flux has reconciled.
pub(crate) fn waits_for_reconciliation(configuration: &FluxConfiguration) -> bool {
    configuration.properties.get("waitForReconciliation") == Some(&Value::Bool(true))
}
