//! What to do about one resource: one file per kind.

mod absent;
mod cluster;
mod configuration;
mod credentials;
mod effects;
mod extension;
mod extension_versions;
mod flux_settings;
mod group;
mod kustomizations;
mod onboarding;
mod provider;
mod reach;

use serde_json::Value;

use super::{Action, Consequence, Modified, Note, Options, Precondition, Reason, Refusal, SecretWrite, Step};
use super::{Until, sensitive};
use crate::diff::{FieldChange, Normalised, compare, leaves, normalise};
use crate::graph::{Graph, Node, Want};
use crate::kinds::cluster::{Connectivity, connectivity_at};
use crate::kinds::{self, Body, Hole, resource_group};
use crate::model::{Address, Digest, FieldPath, FieldPattern, Listing, LiveState, ResourceId, Rules};

/// What to do about one resource, before it is put into the plan.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decision {
    /// The ARM id, where it is not the one of the node.
    pub(super) id: Option<ResourceId>,
    pub(super) action: Action,
    pub(super) reason: Reason,
    pub(super) before: Value,
    pub(super) after: Value,
    pub(super) replace_paths: Vec<FieldPath>,
    pub(super) fields: Vec<FieldChange>,
    /// What differs and is left as it is live.
    pub(super) ignored: Vec<FieldChange>,
    /// What differs between the base and what is live.
    pub(super) drift: Vec<FieldChange>,
    /// Whether a live kustomization would be removed.
    pub(super) removes_kustomizations: bool,
    /// Live fields that no rule names.
    pub(super) unknown: Vec<FieldPath>,
    pub(super) modified: Option<Modified>,
    pub(super) unchanged: usize,
    pub(super) secrets: Vec<SecretWrite>,
    pub(super) consequences: Vec<Consequence>,
    pub(super) steps: Vec<Step>,
    pub(super) precondition: Option<Precondition>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) notes: Vec<Note>,
    /// What is left for later.
    pub(super) deferred: Option<Deferral>,
}

/// What would be done, had it not to wait for the cluster.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deferral {
    pub(super) action: Action,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// Why there can be no plan for a resource.
pub(super) struct Obstacle {
    pub(super) message: String,
    pub(super) hint: String,
}

/// What brings the resource to what the spec says. `graph` is all that is planned for.
pub(super) fn towards(node: &Node, graph: &Graph, live: &LiveState, options: &Options) -> Result<Decision, Obstacle> {
    let without = onboarding::live_once_connected(node, graph, live);
    let live = without.as_ref().unwrap_or(live);
    let decision = match &node.want {
        Want::Registered => provider::towards(node, live),
        Want::Group(spec) => group::towards(node, spec, live),
        Want::Cluster(cluster_type, _) => cluster::towards(node, *cluster_type, graph, live, options),
        Want::Extension(spec, cluster_type) => extension::towards(node, spec, *cluster_type, graph, live, options),
        Want::Configuration(spec) => configuration::towards(node, spec, graph, live, options),
        Want::Absent(why) => absent::configuration(node, absent::Why::Unwanted(*why), live, options),
        Want::Dropped(cluster_type) => absent::cluster(node, *cluster_type, live),
    };
    let decision = decision?;
    // What connects a cluster needs no connection.
    match decision.steps.iter().any(Step::reaches_a_cluster) {
        true => Ok(decision),
        false => Ok(reach::within(node, live, options, decision)),
    }
}

/// What the spec says of the resource, in the shape that is compared with `live`, the body of a
/// resource that exists.
/// `None` for what is no body: registrations and references.
pub(super) fn wanted(node: &Node, live: &Value) -> Option<Body> {
    match &node.want {
        Want::Registered | Want::Cluster(..) | Want::Absent(_) | Want::Dropped(_) => None,
        Want::Group(spec) => Some(resource_group::body(spec, live)),
        Want::Extension(spec, _) => Some(extension::wanted(node, spec)),
        Want::Configuration(spec) => Some(configuration::wanted(node, spec)),
    }
}

/// The live body that [`towards`] looks at.
pub(super) fn live_body<'a>(node: &Node, live: &'a LiveState) -> Result<Option<&'a Value>, Obstacle> {
    match &node.want {
        Want::Registered
        | Want::Group(_)
        | Want::Cluster(..)
        | Want::Configuration(_)
        | Want::Absent(_)
        | Want::Dropped(_) => Ok(live.body(&node.id)),
        Want::Extension(..) => Ok(extension::found(node, live)?.map(|(_, body)| body)),
    }
}

/// What takes the resource down, for the kinds that arcflux takes down.
pub(super) fn away(node: &Node, graph: &Graph, live: &LiveState, options: &Options) -> Result<Decision, Obstacle> {
    let decision = match &node.want {
        Want::Registered | Want::Group(_) => Ok(Decision::nothing(Reason::Reference)),
        Want::Cluster(cluster_type, _) | Want::Dropped(cluster_type) => {
            cluster::away(node, *cluster_type, live, options)
        }
        Want::Extension(..) => extension::away(node, graph, live, options),
        Want::Configuration(_) | Want::Absent(_) => absent::configuration(node, absent::Why::Destroyed, live, options),
    };
    let decision = decision?;
    match decision.steps.iter().any(Step::reaches_a_cluster) {
        true => Ok(decision),
        false => Ok(reach::once_connected(node, graph, live, reach::within(node, live, options, decision))),
    }
}

/// The resources of a type on `cluster`, each once and by name, whatever order and repetition the pages of the list have,
/// with ids made of our cluster id: ARM echoes any casing in its own.
/// A name becomes a part of what is written to, so one that could lead elsewhere is not taken.
pub(super) fn listed<'a>(
    cluster: &ResourceId,
    resource_type: &str,
    live: &'a LiveState,
) -> Result<Vec<(ResourceId, &'a Value)>, Obstacle> {
    let items = match live.listings.get(&cluster.collection(resource_type)) {
        Some(Listing::Items(items)) => items.as_slice(),
        Some(Listing::Missing(_)) | None => &[],
        // Without the list, what exists would look as if it did not.
        Some(Listing::Denied(message)) => {
            return Err(Obstacle {
                message: format!("the {resource_type} of the cluster may not be listed: {message}"),
                hint: "ask for the role Reader on the cluster, or sign in as somebody who has it".to_owned(),
            });
        }
    };
    let mut found: Vec<(ResourceId, &Value)> = Vec::new();
    for item in items {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(id) = cluster.named_resource(resource_type, name) else {
            return Err(Obstacle {
                message: format!("the list of {resource_type} holds `{name}`, which is not the name of a resource"),
                hint: "look at what answers at the ARM endpoint: Azure does not give such names".to_owned(),
            });
        };
        found.push((id, item));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other).then_with(|| one.name().cmp(other.name())));
    found.dedup_by(|(one, _), (other, _)| one == other);
    Ok(found)
}

impl Decision {
    /// Nothing to do.
    fn nothing(reason: Reason) -> Self {
        Self {
            id: None,
            action: Action::NoOp,
            reason,
            before: Value::Null,
            after: Value::Null,
            replace_paths: Vec::new(),
            fields: Vec::new(),
            ignored: Vec::new(),
            drift: Vec::new(),
            removes_kustomizations: false,
            unknown: Vec::new(),
            modified: None,
            unchanged: 0,
            secrets: Vec::new(),
            consequences: Vec::new(),
            steps: Vec::new(),
            precondition: None,
            refusals: Vec::new(),
            notes: Vec::new(),
            deferred: None,
        }
    }

    /// The creation of a resource that must not exist.
    fn create(wanted: &Value, steps: Vec<Step>) -> Self {
        Self {
            action: Action::Create,
            after: wanted.clone(),
            fields: compare(&Value::Object(serde_json::Map::new()), wanted),
            steps,
            precondition: Some(Precondition::Absent),
            ..Self::nothing(Reason::NotFound)
        }
    }

    /// A comparison with nothing done about it yet.
    fn compared(rules: Rules, address: &Address, live: &Value, wanted: &Value, ignore: &[FieldPattern]) -> Self {
        let Normalised { before, after, unknown, ignored } = normalise(rules, live, wanted, ignore);
        let fields = compare(&before, &after);
        let gone: usize = fields.iter().filter_map(|field| field.before.as_ref()).map(leaves).sum();
        let mut notes: Vec<Note> = unknown
            .iter()
            .map(|path| Note {
                code: "unknown_field".to_owned(),
                address: address.clone(),
                message: format!(
                    "{} is set, and this version of arcflux does not know it; it is left as it is",
                    kinds::shown_path(path)
                ),
            })
            .collect();
        notes.extend(ignored_note(address, &ignored));
        Self {
            modified: Modified::of(live),
            unchanged: leaves(&before).saturating_sub(gone),
            precondition: Some(unchanged(&before)),
            before,
            after,
            fields,
            ignored,
            unknown,
            notes,
            ..Self::nothing(Reason::Unchanged)
        }
    }

    /// The deletion of a resource that exists.
    fn delete(rules: Rules, live: &Value, steps: Vec<Step>) -> Self {
        let before = crate::diff::clean(rules, live);
        Self {
            action: Action::Delete,
            fields: compare(&before, &Value::Object(serde_json::Map::new())),
            precondition: Some(unchanged(&before)),
            modified: Modified::of(live),
            before,
            steps,
            ..Self::nothing(Reason::DestroyRequested)
        }
    }

    /// The removal of Azure's record of a resource that exists.
    fn force_delete(rules: Rules, id: &ResourceId, api_version: &str, live: &Value) -> Self {
        let delete = Step::Delete { id: id.clone(), api_version: api_version.to_owned(), force: true };
        Self::delete(rules, live, vec![delete, wait(id, api_version, Until::Gone)])
    }

    /// Whether it does nothing but take Azure's record away, which asks nothing of the cluster.
    fn is_forced(&self) -> bool {
        self.steps.iter().any(Step::is_forced)
    }

    fn refuse(&mut self, address: &Address, code: &str, message: String, hint: String) {
        self.refusals.push(Refusal { code: code.to_owned(), address: Some(address.clone()), message, hint });
    }

    /// Lists the secrets that are sent with `holes`, and refuses those that are not allowed to go there.
    fn account_for_secrets(&mut self, node: &Node, holes: &[Hole], because: &str, options: &Options) {
        for hole in holes {
            self.secrets.push(SecretWrite {
                path: hole.path.clone(),
                secret: hole.secret.clone(),
                because: because.to_owned(),
            });
            if let Err(refused) = credentials::granted(hole, &node.address, &options.secrets) {
                self.refuse(&node.address, "secret_not_allowed", refused.message, refused.hint);
            }
        }
    }

    fn note(&mut self, address: &Address, code: &str, message: String) {
        self.notes.push(Note { code: code.to_owned(), address: address.clone(), message });
    }

    fn consequence(&mut self, code: &str, message: String) {
        self.consequences.push(Consequence { code: code.to_owned(), message });
    }
}

/// What is ignored, counted and named, in one sentence.
fn ignored_note(address: &Address, ignored: &[FieldChange]) -> Option<Note> {
    if ignored.is_empty() {
        return None;
    }
    let names: Vec<String> = ignored.iter().map(|field| kinds::shown_path(&field.path).to_string()).collect();
    let message = match names.as_slice() {
        [only] => format!("1 field differs, and the spec says to ignore it: {only}"),
        several => format!("{} fields differ, and the spec says to ignore them: {}", several.len(), several.join(", ")),
    };
    Some(Note { code: "ignored_fields".to_owned(), address: address.clone(), message })
}

/// What was changed outside of arcflux: `base` is the body that the base asks for.
fn drift(rules: Rules, live: &Value, base: &Value, ignore: &[FieldPattern]) -> Vec<FieldChange> {
    let Normalised { before: live, after: base, .. } = normalise(rules, live, base, ignore);
    compare(&base, &live)
}

/// The precondition that a body in the comparable shape is still this one.
fn unchanged(before: &Value) -> Precondition {
    Precondition::Unchanged { live: sensitive::masked(before), sha256: Digest::of(before).hex().to_owned() }
}

/// Whether a field cannot change after creation.
fn is_immutable(rules: Rules, path: &FieldPath) -> bool {
    rules.iter().any(|rule| rule.habit.is_immutable() && rule.names(path))
}

/// Says that a cluster whose records are taken away could still be asked.
fn note_connected(node: &Node, live: &LiveState, decision: &mut Decision) {
    let cluster = node.cluster.as_ref();
    if let Some(Connectivity::Ready) = cluster.and_then(|cluster| connectivity_at(cluster, live)) {
        decision.note(
            &node.address,
            "forced_on_a_connected_cluster",
            "`--force-delete` is for clusters that never come back, and this one talks to Azure: a plain deletion would clean up in it, too"
                .to_owned(),
        );
    }
}

/// A wait for `id`.
fn wait(id: &ResourceId, api_version: &str, until: Until) -> Step {
    Step::Wait { id: id.clone(), api_version: api_version.to_owned(), until }
}
