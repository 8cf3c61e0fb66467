//! Sources: what a configuration is applied from.

mod azure_blob;
mod bucket;
mod git;
mod oci_repository;

use serde_json::{Map, Value, json};

use super::kustomization::without_hours;
use super::secret::Needed;
use super::{Object, Place};
use crate::kinds::flux_configuration::Source;
use crate::model::Seconds;

/// What a source is made of.
pub(super) struct Made {
    /// Secrets in which nothing is secret, then the source.
    pub(super) objects: Vec<Object>,
    /// What the spec says and no object does.
    pub(super) notes: Vec<String>,
}

/// The source of a configuration.
pub(super) fn render(place: &Place<'_>, source: Source<'_>) -> Made {
    match source {
        Source::GitRepository(spec) => git::render(place, spec),
        Source::Bucket(spec) => bucket::render(place, spec),
        Source::AzureBlob(spec) => azure_blob::render(place, spec),
        Source::OciRepository(spec) => oci_repository::render(place, spec),
    }
}

/// Flux's word for a kind of source. It has none of its own for Azure Blob (`../shared/facts/domain.md` §1.3).
pub(super) const fn kind(source: Source<'_>) -> &'static str {
    match source {
        Source::GitRepository(_) => "GitRepository",
        Source::Bucket(_) | Source::AzureBlob(_) => "Bucket",
        Source::OciRepository(_) => "OCIRepository",
    }
}

/// A source that is being made.
struct Draft<'a> {
    place: &'a Place<'a>,
    kind: &'static str,
    spec: Map<String, Value>,
    remarks: Vec<String>,
    secrets: Vec<Object>,
    notes: Vec<String>,
}

impl<'a> Draft<'a> {
    fn new(place: &'a Place<'a>, kind: &'static str, interval: Seconds, timeout: Seconds) -> Self {
        let mut spec = Map::new();
        spec.insert("interval".to_owned(), json!(interval));
        spec.insert("timeout".to_owned(), json!(without_hours(timeout)));
        Self { place, kind, spec, remarks: Vec::new(), secrets: Vec::new(), notes: Vec::new() }
    }

    fn say(&mut self, key: &str, value: Value) {
        self.spec.insert(key.to_owned(), value);
    }

    /// Refers to a Secret that is rendered.
    fn refer(&mut self, key: &str, secret: Object) {
        self.say(key, json!({ "name": secret.name() }));
        self.secrets.push(secret);
    }

    /// Refers to a Secret that somebody has to make.
    fn need(&mut self, key: &str, secret: &Needed<'_>) {
        self.say(key, json!({ "name": secret.name() }));
        self.remarks.extend(secret.remarks());
        self.notes.push(format!(
            "the Secret {}/{} must be made before Flux can sign in: how is said above its {}",
            self.place.namespace,
            secret.name(),
            self.kind
        ));
    }

    /// Refers to the Secret that `localAuthRef` names: it is in the cluster already, with the keys that `keys` tells of.
    fn need_local(&mut self, name: &str, keys: &str) {
        self.say("secretRef", json!({ "name": name }));
        self.remarks.push(format!(
            "It needs the Secret {}/{name} (`localAuthRef`), with the keys that Flux reads: {keys}.",
            self.place.namespace
        ));
    }

    fn made(mut self) -> Made {
        self.say("suspend", json!(self.place.suspend));
        let Self { place, kind, spec, remarks, secrets: mut objects, notes } = self;
        let rest = json!({ "spec": spec });
        let source = Object::new("source.toolkit.fluxcd.io/v1", kind, Some(place.namespace), place.configuration, rest);
        objects.push(Object { remarks, ..source });
        Made { objects, notes }
    }
}
