//! What was changed outside of arcflux: what is declared, and what is live instead.

use serde::Serialize;

use super::{Action, Change, Modified, Plan, Unmanaged};
use crate::diff::FieldChange;
use crate::kinds::Kind;
use crate::model::{Address, ResourceId};

/// Where the world is not as it was declared.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct DriftReport {
    /// The ARM endpoint that was read: scheme, host and port.
    pub origin: String,
    /// Every resource that is not as declared, in order.
    pub drifted: Vec<Drift>,
    /// How many fields differ and are to be ignored.
    pub ignored: usize,
    /// Live configurations that nobody declared. They are no drift.
    pub unmanaged: Vec<Unmanaged>,
}

/// One resource that is not as it was declared.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Drift {
    /// Its name for people.
    pub address: Address,
    /// Its ARM id.
    pub id: ResourceId,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What is wrong with it.
    pub drift: DriftKind,
    /// The fields: `before` is declared, `after` is live. Values that look like secrets are masked.
    pub fields: Vec<FieldChange>,
    /// When it was last changed, and by whom, where Azure says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Modified>,
}

/// How a resource is not as it was declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// It does not exist.
    Missing,
    /// Fields differ.
    Changed,
    /// It exists, and must not.
    Unexpected,
}

impl DriftReport {
    /// Reads the drift off a plan that leads back to what is declared.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            origin: plan.origin.clone(),
            drifted: plan.resource_changes.iter().filter_map(drift).collect(),
            ignored: plan.resource_changes.iter().map(|change| change.ignored.len()).sum(),
            unmanaged: plan.unmanaged.clone(),
        }
    }

    /// Whether anything is not as declared.
    #[must_use]
    pub fn has_drift(&self) -> bool {
        !self.drifted.is_empty()
    }
}

fn drift(change: &Change) -> Option<Drift> {
    let kind = match change.change.actions {
        Action::Create => DriftKind::Missing,
        Action::Delete => DriftKind::Unexpected,
        // One that is only sent again, since its last operation failed, is as declared.
        Action::Update | Action::Replace if !change.fields.is_empty() => DriftKind::Changed,
        Action::Update | Action::Replace | Action::NoOp | Action::Read => return None,
    };
    let fields = match kind {
        DriftKind::Missing | DriftKind::Unexpected => Vec::new(),
        DriftKind::Changed => change
            .fields
            .iter()
            .map(|FieldChange { path, before, after }| FieldChange {
                path: path.clone(),
                before: after.clone(),
                after: before.clone(),
            })
            .collect(),
    };
    Some(Drift {
        address: change.address.clone(),
        id: change.id.clone(),
        kind: change.kind,
        drift: kind,
        fields,
        modified: change.modified.clone(),
    })
}
