//! What goes on on a cluster while a write to it is refused again and again: named, so that somebody can look.

use serde_json::Value;

use super::change::Runner;
use super::failures::az;
use crate::kinds::Kind;
use crate::kinds::extension;
use crate::kinds::flux_configuration;
use crate::kinds::state::{ProvisioningState, provisioning_state};
use crate::model::{Listing, ResourceId};
use crate::plan::Change;

/// How many are named.
const NAMED: usize = 3;

/// A resource of the cluster on which an operation goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Obstacle {
    kind: Kind,
    id: ResourceId,
    /// ARM's word: `Creating`.
    state: String,
}

impl Runner<'_> {
    /// The other resources of the cluster of `change` on which an operation goes on; none where they cannot be read.
    pub(super) async fn obstacles(&self, change: &Change) -> Vec<Obstacle> {
        let Some(cluster) = &change.cluster else { return Vec::new() };
        let mut found = Vec::new();
        for (kind, resource_type) in
            [(Kind::Extension, extension::RESOURCE_TYPE), (Kind::FluxConfiguration, flux_configuration::RESOURCE_TYPE)]
        {
            let listing = self.arm.list(&cluster.collection(resource_type), kind.api_version()).await;
            let Ok(Listing::Items(items)) = listing else { continue };
            let of_kind = |item: &Value| {
                let ProvisioningState::InFlight(state) = provisioning_state(item) else { return None };
                let name = item.get("name").and_then(Value::as_str)?;
                let id = cluster.named_resource(resource_type, name)?;
                (!id.as_str().eq_ignore_ascii_case(change.id.as_str())).then_some(Obstacle { kind, id, state })
            };
            found.extend(items.iter().filter_map(of_kind));
        }
        found
    }
}

/// What is going on, as the end of a message, and what to do about it. `kind` is that of what could not be written.
pub(super) fn told(obstacles: &[Obstacle], kind: Kind) -> Option<(String, String)> {
    let first = obstacles.first()?;
    let mut names: Vec<String> = obstacles
        .iter()
        .take(NAMED)
        .map(|Obstacle { kind, id, state }| format!("{} {} is {state}", kind.noun(), id.name()))
        .collect();
    if obstacles.len() > NAMED {
        names.push(format!("and {} more", obstacles.len() - NAMED));
    }
    let show = az(first.kind, &first.id, "show")?;
    // A configuration without Flux waits for the extension, and where one operation at a time is let onto the cluster, the
    // extension waits for it (`../shared/facts/arm-contracts.md` §11).
    let hint = match (kind, first.kind) {
        (Kind::Extension, Kind::FluxConfiguration) => {
            let delete = az(first.kind, &first.id, "delete")?;
            format!(
                "look with `{show}`; if it waits for Flux, which this extension brings, neither ends: delete it with `{delete}`, and \
                 run this again"
            )
        }
        _ => format!("look with `{show}`, and run this again when it has ended; wait longer with `--timeout`"),
    };
    Some((names.join(", "), hint))
}
