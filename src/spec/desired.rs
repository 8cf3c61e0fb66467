//! What a spec wants, typed and complete: the value that every later stage starts from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::ClusterDocument;
pub use super::document::{Limits, Policy, Profile, UnmanagedPolicy};
use super::node::{Node, Value};
use super::provenance::Place;
use super::rules::NewerField;
use crate::kinds::api_versions::ApiVersions;
use crate::kinds::cluster::ClusterSpec;
use crate::kinds::extension::ExtensionSpec;
use crate::kinds::flux_configuration::ConfigurationSpec;
use crate::kinds::resource_group::ResourceGroupSpec;
use crate::model::{Diagnostic, FieldPath, ResourceId, Segment, Span};

/// What a spec wants.
#[derive(Debug, Clone)]
pub struct Desired {
    /// What the spec is called: its file.
    pub file: String,
    /// What it says that older api-versions lack.
    pub newer: Vec<NewerField>,
    /// The tenant that every subscription must belong to, when the spec names one.
    pub tenant: Option<String>,
    /// What is allowed, and which conventions hold.
    pub policy: Policy,
    /// The api-versions to talk to Azure with.
    pub api_versions: ApiVersions,
    /// The clusters, in the order of the spec.
    pub clusters: Vec<DesiredCluster>,
    /// The spec in its long form: short forms and defaults written out, environment variables put in, no secrets (they are
    /// references). Loading it gives the same clusters again.
    pub expanded: serde_json::Value,
}

impl Desired {
    /// What the spec says that these api-versions lack, which a cloud offers. Pins of the spec are among its own problems.
    #[must_use]
    pub fn newer_than(&self, versions: &ApiVersions) -> Vec<Diagnostic> {
        self.newer.iter().filter_map(|field| field.problem(versions)).collect()
    }
}

/// What a spec wants of one cluster: every reference is replaced.
#[derive(Debug, Clone)]
pub struct DesiredCluster {
    /// Its key under `clusters:`; `None` when the spec has one `cluster:`.
    pub key: Option<String>,
    /// The id of its subscription.
    pub subscription: String,
    /// Its resource group.
    pub resource_group: ResourceGroupSpec,
    /// Its name and type.
    pub cluster: ClusterSpec,
    /// Labels to select it by.
    pub labels: BTreeMap<String, String>,
    /// The resource providers that must be registered in its subscription.
    pub providers: Vec<String>,
    /// Its Flux extension.
    pub extension: ExtensionSpec,
    /// Its flux configurations, by name.
    pub configurations: BTreeMap<String, ConfigurationSpec>,
    /// The names of configurations that must not be there.
    pub absent: Vec<String>,
    /// Where in the spec everything stands.
    pub spans: Arc<Spans>,
}

impl DesiredCluster {
    pub(super) fn new(key: Option<String>, document: ClusterDocument, spans: Arc<Spans>) -> Self {
        let ClusterDocument {
            tenant: _,
            policy: _,
            api_versions: _,
            subscription,
            resource_group,
            cluster,
            labels,
            providers,
            extension,
            configurations,
            absent,
        } = document;
        Self { key, subscription, resource_group, cluster, labels, providers, extension, configurations, absent, spans }
    }

    /// The ARM id of its resource group.
    #[must_use]
    pub fn group_id(&self) -> ResourceId {
        ResourceId::subscription(&self.subscription).resource_group(&self.resource_group.name)
    }

    /// Its ARM id.
    #[must_use]
    pub fn id(&self) -> ResourceId {
        self.group_id().resource(self.cluster.cluster_type.resource_type(), &self.cluster.name)
    }

    /// The path, in the long form, of the key that says `property` of this cluster: its own, or the one at the top that
    /// all clusters share.
    #[must_use]
    pub fn property_path(&self, property: &str) -> FieldPath {
        let top = FieldPath::of([property]);
        let own = match &self.key {
            Some(key) => FieldPath::of(["clusters", key, property]),
            None => FieldPath::of(["cluster", property]),
        };
        if self.spans.place(&own).is_some() { own } else { top }
    }

    /// The path, in the long form, of the value that a reference of this cluster (`values.region`, `cluster.name`) stands
    /// for. References in `values` themselves are not replaced.
    #[must_use]
    pub fn reference_path(&self, reference: &str) -> Option<FieldPath> {
        match reference.split_once('.')? {
            ("values", name) => Some(FieldPath::of(["clusters", self.key.as_deref()?, "values", name])),
            ("cluster", "resourceGroup") => Some(self.property_path("resourceGroup").key("name")),
            ("cluster", property) => Some(self.property_path(property)),
            _ => None,
        }
    }

    /// Where the cluster is declared.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match &self.key {
            Some(key) => self.spans.at(&FieldPath::of(["clusters", key])),
            None => self.spans.at(&FieldPath::of(["cluster"])),
        }
    }

    /// Where a field of a configuration stands, or the nearest thing around it. The path has the keys of the long form:
    /// `kustomizations.app.path`.
    #[must_use]
    pub fn configuration_span(&self, configuration: &str, field: &FieldPath) -> Option<Span> {
        self.spans.at(&FieldPath::of(["configurations", configuration]).join(field))
    }
}

/// Places by path in the long form of a spec. All of its clusters share one.
#[derive(Debug, Default)]
pub struct Spans(BTreeMap<FieldPath, Place>);

impl Spans {
    pub(super) fn of(expanded: &Node) -> Self {
        let mut spans = Self::default();
        spans.collect(expanded, &FieldPath::default());
        spans
    }

    fn collect(&mut self, node: &Node, path: &FieldPath) {
        self.0.insert(path.clone(), Place::of(node));
        match &node.value {
            Value::Map(entries) => entries.iter().for_each(|entry| self.collect(&entry.node, &path.key(&entry.key))),
            Value::List(items) => {
                items.iter().enumerate().for_each(|(index, item)| self.collect(item, &path.index(index)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unresolved => {}
        }
    }

    /// The place of the value at `path`, or of the nearest mapping or list around it.
    #[must_use]
    pub fn at(&self, path: &FieldPath) -> Option<Span> {
        (0..=path.segments().len()).rev().find_map(|length| {
            let parent = path.segments()[..length].iter().fold(FieldPath::default(), |path, segment| match segment {
                Segment::Key(key) => path.key(key),
                Segment::Index(index) => path.index(*index),
            });
            self.0.get(&parent).map(|place| place.span)
        })
    }

    /// Where the value at exactly this path comes from.
    #[must_use]
    pub fn place(&self, path: &FieldPath) -> Option<&Place> {
        self.0.get(path)
    }
}
