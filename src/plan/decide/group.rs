//! Resource groups.

use serde_json::{Value, json};

use super::{Decision, Obstacle};
use crate::graph::Node;
use crate::kinds::resource_group::{self, RULES, ResourceGroupSpec};
use crate::model::{LiveState, Missing, Reading};
use crate::plan::{Action, Reason, Step};

pub(super) fn towards(node: &Node, spec: &ResourceGroupSpec, live: &LiveState) -> Result<Decision, Obstacle> {
    let api_version = node.api_version.clone();
    let error = |message: String, hint: &str| Err(Obstacle { message, hint: hint.to_owned() });
    match live.readings.get(&node.id) {
        Some(Reading::Present(body)) => Ok(existing(node, spec, body)),
        Some(Reading::Missing(Missing::Itself)) => match resource_group::creation_body(spec) {
            Some(body) => {
                let put = Step::Put { id: node.id.clone(), api_version, body: body.clone(), holes: Vec::new() };
                Ok(Decision::create(&body, vec![put]))
            }
            None => error(
                "the resource group does not exist".to_owned(),
                "give it a location to have it created: `resourceGroup: {name: …, location: westeurope}`",
            ),
        },
        Some(Reading::Missing(Missing::Parent(message))) => {
            error(message.clone(), "check `subscription` in the spec, and that you are signed in to the right tenant")
        }
        Some(Reading::Denied(_)) => {
            let mut decision = Decision::nothing(Reason::Reference);
            decision.note(
                &node.address,
                "group_unreadable",
                "this identity may not read the resource group; it is taken to be there".to_owned(),
            );
            Ok(decision)
        }
        None => error("the resource group was not read".to_owned(), "this is a mistake in arcflux; please report it"),
    }
}

fn existing(node: &Node, spec: &ResourceGroupSpec, body: &Value) -> Decision {
    let wanted = resource_group::body(spec, body);
    let mut decision = Decision::compared(RULES, &node.address, body, &wanted.json, &[]);
    let found = body.get("location").and_then(Value::as_str).unwrap_or_default();
    if let Some(location) = spec.location.as_deref().filter(|wanted| !resource_group::same_region(wanted, found)) {
        decision.note(
            &node.address,
            "group_elsewhere",
            format!(
                "the resource group is in {found}, not in {location}; a group cannot move, so it is used where it is"
            ),
        );
    }
    if !decision.fields.is_empty() {
        decision.action = Action::Update;
        decision.reason = Reason::FieldsDiffer;
        // PATCH replaces the tags as a whole, so those that the spec does not name are sent too.
        decision.steps = vec![Step::Patch {
            id: node.id.clone(),
            api_version: node.api_version.clone(),
            body: json!({ "tags": decision.after.get("tags") }),
            holes: Vec::new(),
            when: None,
        }];
    }
    decision
}
