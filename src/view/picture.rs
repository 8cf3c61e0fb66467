//! A plan as boxes and arrows: what every drawing of it shows, whatever it is drawn with.

use std::collections::BTreeSet;

use crate::kinds::Kind;
use crate::model::Address;
use crate::plan::{Action, Change, Plan};

/// What happens to a resource, as a box shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Create,
    Update,
    Replace,
    Delete,
    /// It is only waited for.
    Wait,
    /// What it asks for is left for another time.
    Deferred,
    /// It is as the spec says.
    Same,
}

impl From<Action> for Fate {
    fn from(action: Action) -> Self {
        match action {
            Action::Create => Self::Create,
            Action::Update => Self::Update,
            Action::Replace => Self::Replace,
            Action::Delete => Self::Delete,
            Action::NoOp | Action::Read => Self::Same,
        }
    }
}

impl Fate {
    fn of(change: &Change) -> Self {
        match Self::from(change.change.actions) {
            Self::Same if !change.steps.is_empty() => Self::Wait,
            fate => fate,
        }
    }

    /// Terraform's symbol where something is written, else one of ours; empty where nothing happens.
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Create => Action::Create.symbol(),
            Self::Update => Action::Update.symbol(),
            Self::Replace => Action::Replace.symbol(),
            Self::Delete => Action::Delete.symbol(),
            Self::Wait => "…",
            Self::Deferred | Self::Same => "",
        }
    }
}

/// One resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node<'a> {
    pub(super) address: &'a Address,
    pub(super) kind: Kind,
    pub(super) fate: Fate,
    /// What comes before it. Some of it may not be in the picture.
    pub(super) needs: &'a [Address],
}

/// Every resource of a plan, in its order.
pub(super) fn of(plan: &Plan) -> Vec<Node<'_>> {
    let deferred: BTreeSet<&Address> = plan.deferred_changes.iter().map(|deferred| &deferred.address).collect();
    let nodes = plan.resource_changes.iter().map(|change| {
        let Change { address, kind, needs, .. } = change;
        let fate = if deferred.contains(address) { Fate::Deferred } else { Fate::of(change) };
        Node { address, kind: *kind, fate, needs }
    });
    nodes.collect()
}
