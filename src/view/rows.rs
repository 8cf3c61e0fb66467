//! A plan as rows: the one walk over a plan that every format for people reads. Values are raw here; each format
//! escapes them at its own edge.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::estimate;
use crate::diff::{FieldChange, encoded_lines, leaves};
use crate::kinds::{self, Kind, flux_configuration};
use crate::model::{Address, FieldPath, SecretRef};
use crate::plan::{
    Action, Change, Consequence, Counts, DeferredChange, Mode, Modified, Note, Plan, Reason, Refusal, Step, Unmanaged,
    Until,
};

/// A plan, in the order in which it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<'a> {
    /// What was changed outside of arcflux since the base, as far as the plan takes it back or builds on it.
    pub drifted: Vec<Drifted<'a>>,
    /// The resources that are written.
    pub resources: Vec<Resource<'a>>,
    /// The resources that are only waited for.
    pub waits: Vec<Waiting<'a>>,
    /// Why the plan cannot be applied as it is.
    pub refusals: &'a [Refusal],
    /// What a reviewer should know beside the changes.
    pub notes: &'a [Note],
    /// Changes that are left for another time.
    pub deferred: &'a [DeferredChange],
    /// Live resources that the spec does not name.
    pub unmanaged: &'a [Unmanaged],
    /// The closing sentence: `Plan: 2 to add, 1 to change, 0 to destroy.`
    pub summary: String,
    /// What an apply takes, where one may start: a sentence.
    pub estimate: Option<String>,
    /// What the plan binds to.
    pub digest: String,
}

/// One resource that was changed outside of arcflux.
#[derive(Debug, Clone, PartialEq)]
pub struct Drifted<'a> {
    /// Its name for people.
    pub address: &'a Address,
    /// What happened to it: `was changed`.
    pub verb: &'static str,
    /// The word for its kind: `fluxConfiguration`.
    pub noun: &'static str,
    /// The name of its ARM resource.
    pub name: &'a str,
    /// From what is declared to what is live.
    pub fields: Vec<Field<'a>>,
    /// When and by whom it was last changed, where Azure says so: `last changed 2026-11-22T06:00:00Z by ann`.
    pub modified: Option<String>,
}

/// One resource that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource<'a> {
    /// Its name for people.
    pub address: &'a Address,
    /// What is done.
    pub action: Action,
    /// What is done, in Terraform's words: `will be created`.
    pub verb: &'static str,
    /// Why, where that is not plain from the rest: `because …`.
    pub because: Option<&'static str>,
    /// The word for its kind: `fluxConfiguration`.
    pub noun: &'static str,
    /// The name of its ARM resource.
    pub name: &'a str,
    /// The api-version that it is written with.
    pub api_version: &'a str,
    /// What changes.
    pub fields: Vec<Field<'a>>,
    /// How many values stay as they are.
    pub unchanged: usize,
    /// What it means for the cluster.
    pub effects: &'a [Consequence],
}

impl Resource<'_> {
    /// Whether it is sent although nothing of it changes.
    #[must_use]
    pub fn is_sent_as_it_is(&self) -> bool {
        self.fields.is_empty() && self.action != Action::Delete
    }

    /// Whether something is lost by it: the resource, or what a cluster has of it.
    #[must_use]
    pub fn destroys(&self) -> bool {
        match self.action {
            Action::Delete | Action::Replace => true,
            Action::Create | Action::Update | Action::Read | Action::NoOp => {
                self.effects.iter().any(Consequence::destroys)
            }
        }
    }
}

/// A field, or a group of fields, that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Field<'a> {
    /// From the enclosing group, or from the top; ARM's `properties` is left out.
    pub path: FieldPath,
    /// What happens to it.
    pub content: Content<'a>,
    /// Whether it is why the resource is deleted and created again.
    pub forces_replacement: bool,
    /// Whether the spec says what the base said, and somebody changed it outside of arcflux.
    pub is_drift: bool,
}

/// What happens to a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Content<'a> {
    /// A value that was not there.
    Added(&'a Value),
    /// A value that goes.
    Removed(&'a Value),
    /// Another value.
    Changed(&'a Value, &'a Value),
    /// A group that was not there, field by field.
    AddedGroup(Vec<Field<'a>>),
    /// A group that goes as a whole. Holds how many values are in it.
    RemovedGroup(usize),
    /// A text of several lines that was not there.
    AddedText(Cow<'a, str>),
    /// A text of several lines that goes.
    RemovedText(Cow<'a, str>),
    /// Another text, where one of the two has several lines.
    ChangedText(Cow<'a, str>, Cow<'a, str>),
    /// A secret that is sent. It cannot be compared.
    Secret {
        /// Where the value is read.
        from: &'a SecretRef,
        /// Why it is sent, where nothing else says so.
        because: Option<&'a str>,
    },
}

/// A resource that is only waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting<'a> {
    /// Its name for people.
    pub address: &'a Address,
    /// What is waited for, as the end of a sentence: `is reconciled by Flux`.
    pub until: &'static str,
}

/// Texts above this size are shown as one value, cut in the middle: comparing lines costs more than it tells.
const LINES_LIMIT: usize = 65_536;

impl<'a> Rows<'a> {
    /// Walks the plan.
    #[must_use]
    pub fn of(plan: &'a Plan) -> Self {
        let (written, other): (Vec<&Change>, Vec<&Change>) = plan.resource_changes.iter().partition(|one| one.writes());
        Self {
            drifted: plan.resource_changes.iter().filter_map(drifted).collect(),
            resources: written.into_iter().map(resource).collect(),
            waits: other.into_iter().filter_map(waiting).collect(),
            refusals: &plan.refusals,
            notes: &plan.notes,
            deferred: &plan.deferred_changes,
            unmanaged: &plan.unmanaged,
            summary: summary(plan),
            estimate: plan.estimate.as_ref().filter(|_| plan.applyable).map(estimate::sentence),
            digest: plan.digest.to_string(),
        }
    }
}

fn resource(change: &Change) -> Resource<'_> {
    let action = change.change.actions;
    let is_drift =
        |field: &FieldChange| change.drift.iter().any(|drift| drift.path == field.path && drift.before == field.after);
    let rows_of = |field| {
        let rows = changed(field, action, &change.change.replace_paths).into_iter();
        rows.map(|row| Field { is_drift: is_drift(field), ..row })
    };
    let mut fields: Vec<Field<'_>> = change.fields.iter().flat_map(rows_of).collect();
    fields.extend(change.secrets.iter().map(|secret| Field {
        path: kinds::shown_path(&secret.path),
        content: Content::Secret {
            from: &secret.secret,
            because: (action != Action::Create).then_some(secret.because.as_str()),
        },
        forces_replacement: false,
        is_drift: false,
    }));
    Resource {
        address: &change.address,
        action,
        verb: match change.steps.iter().any(Step::is_forced) {
            true => "will be taken out of Azure, and left in the cluster",
            false => verb(action, change.kind),
        },
        because: because(change.action_reason),
        noun: change.kind.noun(),
        name: change.id.name(),
        api_version: &change.api_version,
        fields,
        unchanged: change.unchanged,
        effects: &change.consequences,
    }
}

/// What of a resource's drift the plan has to do with.
fn drifted(change: &Change) -> Option<Drifted<'_>> {
    let matters = |drift: &&FieldChange| {
        change.fields.iter().any(|field| field.path.starts_with(&drift.path) || drift.path.starts_with(&field.path))
    };
    let fields: Vec<Field<'_>> = change.drift.iter().filter(matters).flat_map(declared_to_live).collect();
    (!fields.is_empty()).then(|| Drifted {
        address: &change.address,
        verb: "was changed",
        noun: change.kind.noun(),
        name: change.id.name(),
        fields,
        modified: change.modified.as_ref().map(last_changed),
    })
}

/// The rows of one field that was changed outside of arcflux.
pub(super) fn declared_to_live(field: &FieldChange) -> Vec<Field<'_>> {
    changed(field, Action::Update, &[])
}

/// When and by whom.
pub(super) fn last_changed(modified: &Modified) -> String {
    let who = modified.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("last changed {}{who}", modified.at)
}

/// Terraform's headings, with one of our own for what has no life of its own.
fn verb(action: Action, kind: Kind) -> &'static str {
    match action {
        Action::Create => match kind {
            Kind::ProviderRegistration => "will be registered",
            Kind::ConnectedCluster => "will be connected to Azure",
            Kind::ResourceGroup | Kind::ManagedCluster | Kind::Extension | Kind::FluxConfiguration => "will be created",
        },
        Action::Update => "will be updated in-place",
        Action::Replace if kind == Kind::ConnectedCluster => "must be connected to Azure again",
        Action::Replace => "must be replaced",
        Action::Delete if kind == Kind::ConnectedCluster => "will be disconnected from Azure",
        Action::Delete => "will be destroyed",
        Action::Read | Action::NoOp => "will be read",
    }
}

/// The reason, where heading and fields do not say it already.
fn because(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::OperationInFlight
        | Reason::ProvisioningFailed
        | Reason::NotCompliant
        | Reason::ClusterNotReady
        | Reason::SecretsResent
        | Reason::AbsentInSpec
        | Reason::DroppedSinceBase
        | Reason::Unmanaged => Some(reason.clause()),
        Reason::Unchanged
        | Reason::Reference
        | Reason::NotFound
        | Reason::FieldsDiffer
        | Reason::ImmutableFieldsDiffer
        | Reason::NotRegistered
        | Reason::Registering
        | Reason::DestroyRequested => None,
    }
}

/// The rows of one difference. A whole body is opened down to what people look for in it.
pub(super) fn changed<'a>(field: &'a FieldChange, action: Action, replaces: &[FieldPath]) -> Vec<Field<'a>> {
    let FieldChange { path, before, after } = field;
    let row = |content| {
        vec![Field {
            path: kinds::shown_path(path),
            content,
            forces_replacement: replaces.contains(path),
            is_drift: false,
        }]
    };
    match (before.as_ref(), after.as_ref()) {
        (None, Some(Value::Object(object))) if kinds::shown_path(path) == FieldPath::default() => added(path, object),
        (None, Some(after)) => {
            vec![Field {
                forces_replacement: replaces.contains(path),
                ..added_field(kinds::shown_path(path), path, after)
            }]
        }
        (Some(Value::Object(object)), None) if action == Action::Delete => removed(path, object),
        (Some(before @ Value::Object(_)), None) => row(Content::RemovedGroup(leaves(before))),
        (Some(before), None) => row(match text(path, before) {
            Some(old) if is_long(&old) => Content::RemovedText(old),
            Some(_) | None => Content::Removed(before),
        }),
        (Some(before), Some(after)) => row(match (text(path, before), text(path, after)) {
            (Some(old), Some(new)) if is_long(&old) || is_long(&new) => Content::ChangedText(old, new),
            (_, _) => Content::Changed(before, after),
        }),
        (None, None) => Vec::new(),
    }
}

/// The members of a group that was not there: values first, then groups.
fn added<'a>(path: &FieldPath, object: &'a Map<String, Value>) -> Vec<Field<'a>> {
    let (groups, values): (Vec<_>, Vec<_>) = object.iter().partition(|(_, value)| value.is_object());
    values
        .into_iter()
        .chain(groups)
        .map(|(key, value)| added_field(FieldPath::default().key(key), &path.key(key), value))
        .collect()
}

/// A value or a group that was not there. A group of one is written on the line of its member: `repositoryRef.branch`.
fn added_field<'a>(shown: FieldPath, path: &FieldPath, value: &'a Value) -> Field<'a> {
    match only_member(value) {
        Some((key, only)) => added_field(shown.key(key), &path.key(key), only),
        None => Field { path: shown, content: added_content(path, value), forces_replacement: false, is_drift: false },
    }
}

fn only_member(value: &Value) -> Option<(&String, &Value)> {
    let mut members = value.as_object()?.iter();
    let first = members.next()?;
    members.next().is_none().then_some(first)
}

fn added_content<'a>(path: &FieldPath, value: &'a Value) -> Content<'a> {
    match (value, text(path, value)) {
        (Value::Object(object), _) => Content::AddedGroup(added(path, object)),
        (_, Some(new)) if is_long(&new) => Content::AddedText(new),
        (_, _) => Content::Added(value),
    }
}

/// The members of a body that goes: values, and one row for each group, or for each member of a map of groups.
fn removed<'a>(path: &FieldPath, object: &'a Map<String, Value>) -> Vec<Field<'a>> {
    let row = |path: FieldPath, content| Field {
        path: kinds::shown_path(&path),
        content,
        forces_replacement: false,
        is_drift: false,
    };
    let (groups, values): (Vec<_>, Vec<_>) = object.iter().partition(|(_, value)| value.is_object());
    let values = values.into_iter().map(|(key, value)| row(path.key(key), Content::Removed(value)));
    let groups = groups.into_iter().flat_map(|(key, value)| match value.as_object() {
        Some(members) if members.values().all(Value::is_object) => removed(&path.key(key), members),
        Some(_) | None => vec![row(path.key(key), Content::RemovedGroup(leaves(value)))],
    });
    values.chain(groups).collect()
}

/// A value as the text that people wrote; ARM wants some of them in base64.
fn text<'a>(path: &FieldPath, value: &'a Value) -> Option<Cow<'a, str>> {
    let text = value.as_str()?;
    if flux_configuration::is_base64_text(path) {
        let decoded = encoded_lines(text).map(|lines| lines.join(&b'\n'));
        if let Some(decoded) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
            return Some(Cow::Owned(decoded));
        }
    }
    Some(Cow::Borrowed(text))
}

/// Whether a text is read line by line.
fn is_long(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n') && text.len() <= LINES_LIMIT
}

fn waiting(change: &Change) -> Option<Waiting<'_>> {
    let until = change.steps.iter().rev().find_map(|step| match step {
        Step::Wait { until, .. } => Some(match until {
            Until::Registered => "is registered",
            Until::Provisioned => "has ended its last operation",
            Until::Connected => "talks to Azure",
            Until::Compliant(_) => "is reconciled by Flux",
            Until::Gone => "is gone",
        }),
        Step::Register { .. }
        | Step::Put { .. }
        | Step::Patch { .. }
        | Step::Delete { .. }
        | Step::Expect { .. }
        | Step::Look { .. }
        | Step::Connect { .. }
        | Step::InstallAgents { .. }
        | Step::RemoveAgents { .. }
        | Step::Az { .. } => None,
    })?;
    Some(Waiting { address: &change.address, until })
}

/// What would happen to something that is deferred, after its address.
pub(super) fn would(action: Action) -> &'static str {
    match action {
        Action::Create => "would be created",
        Action::Update => "would be updated in-place",
        Action::Replace => "would be replaced",
        Action::Delete => "would be destroyed",
        Action::Read | Action::NoOp => "would be left alone",
    }
}

/// `2 to add, 1 to change, 0 to destroy`, and what else there is; `None` where nothing changes.
pub(super) fn counts(plan: &Plan) -> Option<String> {
    if !plan.differs() {
        return None;
    }
    let Counts { create, update, delete, replace } = plan.counts();
    let replace = match replace {
        0 => String::new(),
        some => format!(", {some} to replace"),
    };
    let deferred = match plan.deferred_changes.len() {
        0 => String::new(),
        some => format!(", {some} deferred"),
    };
    Some(format!("{create} to add, {update} to change, {delete} to destroy{replace}{deferred}"))
}

fn summary(plan: &Plan) -> String {
    if let Some(counts) = counts(plan) {
        return format!("Plan: {counts}.");
    }
    if plan.waits() {
        return "Nothing to write. What an apply waits for is listed above.".to_owned();
    }
    if !plan.refusals.is_empty() {
        return "No changes. What is refused does not match the specification.".to_owned();
    }
    match plan.mode {
        Mode::Apply => "No changes. Your clusters match the specification.".to_owned(),
        Mode::Destroy => "No changes. Nothing that the specification declares is left to destroy.".to_owned(),
    }
}
