//! From a name to the stories of the fields that it names.

use super::names::{is_about, unknown_field};
use super::source::Origins;
use super::subject::Subject;
use super::{Explanation, FieldStory, FieldVerdict, SpecText, Target, UnknownName};
use crate::graph::{Graph, Node, Want};
use crate::model::{FieldPath, LiveState, ResourceId, without_url_secrets};
use crate::plan::PlanError;
use crate::spec::{Desired, DesiredCluster};

/// Why there is no explanation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// There is no plan either.
    #[error(transparent)]
    Plan(#[from] Box<PlanError>),
    /// The name names nothing.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
}

/// Explains the fields of `target`; those that `field` names, where it is given.
///
/// # Errors
///
/// The resource cannot be planned, or a name names nothing.
pub fn explain(
    desired: &Desired,
    graph: &Graph,
    live: &LiveState,
    target: &Target,
    field: Option<&str>,
    text: SpecText<'_>,
) -> Result<Explanation, ExplainError> {
    let nothing = || UnknownName {
        message: format!("the spec declares nothing at `{}`", target.address),
        hint: "`arcflux graph` shows all addresses of the spec".to_owned(),
    };
    let node = graph.node(&target.address).ok_or_else(nothing)?;
    let cluster = desired.clusters.iter().find(|cluster| declares(cluster, node)).ok_or_else(nothing)?;
    let subject = Subject::of(graph, live, Origins::new(node, cluster, text)).map_err(|obstacle| {
        Box::new(PlanError {
            address: node.address.clone(),
            message: without_url_secrets(&obstacle.message),
            hint: without_url_secrets(&obstacle.hint),
        })
    })?;
    if let Some(name) = &target.kustomization {
        subject.must_have(name)?;
    }
    let below = target.kustomization.as_ref().map(|name| FieldPath::of(["kustomizations", name]));
    let top = below.as_ref().map(|below| FieldPath::of(["properties"]).join(below)).unwrap_or_default();
    let present: Vec<FieldStory> =
        subject.present().iter().filter(|path| path.starts_with(&top)).map(|path| subject.story(path)).collect();
    let mut fields = match field {
        None => present,
        Some(asked) => {
            let asked_for = |story: &FieldStory| is_about(story, asked, below.as_ref());
            let (mut found, mut others): (Vec<_>, Vec<_>) = present.into_iter().partition(asked_for);
            if found.is_empty() {
                let absent = subject.absent(asked).into_iter().filter(|path| path.starts_with(&top));
                let (more_found, more_others) = absent.map(|path| subject.story(&path)).partition(asked_for);
                found = more_found;
                others.extend::<Vec<_>>(more_others);
            }
            if found.is_empty() {
                return Err(ExplainError::Unknown(unknown_field(asked, target, &others, below.as_ref())));
            }
            found
        }
    };
    fields.sort_by_key(|story| rank(story.verdict));
    Ok(Explanation {
        address: node.address.clone(),
        kustomization: target.kustomization.clone(),
        field: field.map(str::to_owned),
        id: subject.decision.id.clone().unwrap_or_else(|| node.id.clone()),
        kind: node.kind,
        api_version: node.api_version.clone(),
        actions: subject.decision.action,
        action_reason: subject.decision.reason,
        file: text.file.to_owned(),
        fields,
    })
}

/// Whether a cluster of the spec is what brings a resource into the graph. Several may share groups and registrations,
/// and then say the same of them.
pub(super) fn declares(cluster: &DesiredCluster, node: &Node) -> bool {
    match &node.want {
        Want::Registered => {
            let root = ResourceId::subscription(&cluster.subscription);
            cluster.providers.iter().any(|namespace| root.provider(namespace) == node.id)
        }
        Want::Group(_) => cluster.group_id() == node.id,
        Want::Cluster(..) | Want::Extension(..) | Want::Configuration(_) | Want::Absent(_) | Want::Dropped(_) => {
            node.cluster.as_ref() == Some(&cluster.id())
        }
    }
}

/// The order in which stories are told.
const fn rank(verdict: FieldVerdict) -> u8 {
    match verdict {
        FieldVerdict::ForcesReplacement | FieldVerdict::Differs | FieldVerdict::NotInSpec | FieldVerdict::NotLive => 0,
        FieldVerdict::Equal | FieldVerdict::EqualByRule | FieldVerdict::WriteOnly => 1,
        FieldVerdict::Ignored | FieldVerdict::Kept | FieldVerdict::Unknown | FieldVerdict::Unread => 2,
        FieldVerdict::ReadOnly => 3,
    }
}
