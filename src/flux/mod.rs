//! Desired → the plain Flux objects that Azure Arc's agents would have made of a cluster's configurations, for clusters
//! that have no Azure; and what of them is different in a cluster.
//!
//! Where each name is from (`../shared/facts/domain.md` §1.3 unless said otherwise):
//!
//! - known: the source `<configuration>`, the kustomizations `<configuration>-<kustomization>` (recorded in statuses), the
//!   service account `flux-applier`, the secret `<configuration>-protected-parameters`, all of them in the namespace of
//!   the configuration, which is made where it is missing;
//! - documented: that an Azure Blob container is a `Bucket`, and what enforced multi-tenancy does (§1.3, "Multi-tenancy");
//! - chosen here, because nobody has published it: the names of the bindings (`flux-applier-<namespace>`, and
//!   `flux-applier` where only a namespace is bound) and of the secrets for certificates and signatures
//!   (`<configuration>-tls`, `<configuration>-verify`), and that a namespace is bound with the cluster role
//!   `cluster-admin`, as `flux create tenant` does.
//!
//! What this module must not know: how anything is written as text, and how a cluster is read.

mod access;
mod difference;
mod kustomization;
mod left_out;
mod object;
mod secret;
mod source;

use std::collections::{BTreeMap, BTreeSet};

pub use difference::{Fate, difference};
pub use object::Object;

use crate::kinds::extension::{ExtensionSpec, MULTI_TENANCY};
use crate::kinds::flux_configuration::{ConfigurationSpec, Scope, Source, kustomization_order};
use crate::spec::DesiredCluster;

/// The objects of one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifests {
    /// The name of the cluster.
    pub cluster: String,
    /// The objects, in the order in which a cluster takes them: namespaces, access, then for each configuration its
    /// source and its kustomizations, each after what it depends on.
    pub objects: Vec<Object>,
    /// What the spec says and no object does.
    pub notes: Vec<Note>,
}

/// Something that the objects do not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The configuration that it is about; `None` where it is the whole cluster.
    pub configuration: Option<String>,
    /// The sentence.
    pub message: String,
}

/// Renders the configurations of a cluster whose names are `selected`.
#[must_use]
pub fn render(cluster: &DesiredCluster, selected: &BTreeSet<String>) -> Manifests {
    let enforces = enforces_multi_tenancy(&cluster.extension);
    let configurations: BTreeMap<&str, &ConfigurationSpec> = cluster
        .configurations
        .iter()
        .filter(|(name, _)| selected.contains(*name))
        .map(|(name, spec)| (name.as_str(), spec))
        .collect();
    let mut notes = left_out::of_cluster(cluster, enforces);
    notes.extend(access::notes(configurations.values().copied()));
    let mut objects = access::objects(configurations.values().copied());
    for name in in_order(&configurations) {
        let Some(spec) = configurations.get(name) else { continue };
        let about = |message| Note { configuration: Some(name.to_owned()), message };
        notes.extend(left_out::of_configuration(spec).into_iter().map(about));
        let place = Place { configuration: name, namespace: &spec.namespace, suspend: spec.suspend };
        let Some(source) = Source::of(spec) else { continue };
        let made = source::render(&place, source);
        notes.extend(made.notes.into_iter().map(about));
        objects.extend(made.objects);
        // A scope says what Flux may change, whether or not multi-tenancy holds it to that.
        let impersonates = enforces || spec.scope == Scope::Namespace;
        let kustomizations = kustomization_order(spec).into_iter().filter_map(|kustomization| {
            let spec = spec.kustomizations.get(&kustomization)?;
            Some(kustomization::render(&place, source, &kustomization, spec, impersonates))
        });
        objects.extend(kustomizations);
    }
    Manifests { cluster: cluster.cluster.name.clone(), objects, notes }
}

/// What all objects of a configuration share.
struct Place<'a> {
    configuration: &'a str,
    namespace: &'a str,
    suspend: bool,
}

/// Whether Flux keeps each namespace to itself: what the extension does unless it is told not to.
fn enforces_multi_tenancy(extension: &ExtensionSpec) -> bool {
    let settings = &extension.configuration_settings;
    let setting = settings.iter().find(|(name, _)| name.eq_ignore_ascii_case(MULTI_TENANCY)).map(|(_, value)| value);
    extension.multi_tenancy.unwrap_or_else(|| !setting.is_some_and(|value| value.eq_ignore_ascii_case("false")))
}

/// The names of the configurations, each after those that it depends on; by name where that leaves a choice.
fn in_order<'a>(configurations: &BTreeMap<&'a str, &ConfigurationSpec>) -> Vec<&'a str> {
    let mut order: Vec<&str> = Vec::new();
    let mut left: Vec<&str> = configurations.keys().copied().collect();
    while !left.is_empty() {
        let is_ready = |name: &&str| {
            let mut needs = configurations.get(name).into_iter().flat_map(|spec| &spec.depends_on);
            needs.all(|need| order.contains(&need.as_str()) || !configurations.contains_key(need.as_str()))
        };
        // A cycle cannot pass the rules of a spec; should one come, names decide.
        let next = left.iter().position(is_ready).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}
