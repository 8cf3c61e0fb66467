//! Which line of the spec causes each change.

use super::source::Origins;
use super::stories::declares;
use crate::graph::Graph;
use crate::model::{Address, FieldPath, Span};
use crate::plan::{Action, Plan};
use crate::spec::Desired;

/// One line of the spec that causes a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What changes.
    pub address: Address,
    /// How.
    pub action: Action,
    /// The place in the spec; absent where the spec says nothing of it.
    pub span: Option<Span>,
    /// The fields that change because of it, from the top of the ARM body; none where it is the resource as a whole.
    pub fields: Vec<FieldPath>,
}

/// The causes of everything that `plan` writes, in the order of the plan and of its fields. A field that the spec does not
/// name is caused by what stands around it. `graph` is the one that the plan was made from.
#[must_use]
pub fn causes(plan: &Plan, desired: &Desired, graph: &Graph) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for change in plan.resource_changes.iter().filter(|change| change.writes()) {
        let action = change.change.actions;
        let node = graph.node(&change.address);
        let cluster = node.and_then(|node| desired.clusters.iter().find(|cluster| declares(cluster, node)));
        let origins = node.zip(cluster).map(|(node, cluster)| Origins::without_text(node, cluster));
        let cause = |span, fields| Cause { address: change.address.clone(), action, span, fields };
        let whole = origins.as_ref().and_then(Origins::declaration);
        let begin = causes.len();
        for field in change.fields.iter().filter(|_| matches!(action, Action::Update | Action::Replace)) {
            let span = origins.as_ref().and_then(|origins| origins.around(&field.path));
            let line = span.map(|span| span.line);
            match causes[begin..].iter_mut().find(|known| known.span.map(|span| span.line) == line) {
                Some(known) => known.fields.push(field.path.clone()),
                None => causes.push(cause(span, vec![field.path.clone()])),
            }
        }
        if causes.len() == begin {
            causes.push(cause(whole, Vec::new()));
        }
    }
    causes
}
