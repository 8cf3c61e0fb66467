//! Registrations.

use serde_json::json;

use super::{Decision, Obstacle, wait};
use crate::diff::compare;
use crate::graph::Node;
use crate::kinds::provider::{Registration, registration};
use crate::model::{LiveState, Reading};
use crate::plan::{Action, Reason, Step, Until};

pub(super) fn towards(node: &Node, live: &LiveState) -> Result<Decision, Obstacle> {
    let api_version = node.api_version.as_str();
    let body = match live.readings.get(&node.id) {
        Some(Reading::Present(body)) => body,
        Some(Reading::Denied(_)) => {
            let mut decision = Decision::nothing(Reason::Reference);
            decision.note(
                &node.address,
                "registration_unreadable",
                "this identity may not read the registration; it is taken to be there".to_owned(),
            );
            return Ok(decision);
        }
        Some(Reading::Missing(_)) | None => {
            return Err(Obstacle {
                message: "there is no such resource provider, or no such subscription".to_owned(),
                hint:
                    "check `subscription` and `providers` in the spec, and that you are signed in to the right tenant"
                        .to_owned(),
            });
        }
    };
    let wait = wait(&node.id, api_version, Until::Registered);
    match registration(body) {
        Registration::Registered => Ok(Decision::nothing(Reason::Unchanged)),
        Registration::Registering => Ok(Decision { steps: vec![wait], ..Decision::nothing(Reason::Registering) }),
        Registration::NotRegistered(state) => {
            let (before, after) = (json!({"registrationState": state}), json!({"registrationState": "Registered"}));
            Ok(Decision {
                action: Action::Create,
                fields: compare(&before, &after),
                before,
                after,
                // No precondition: registering what is registered changes nothing.
                steps: vec![Step::Register { id: node.id.clone(), api_version: api_version.to_owned() }, wait],
                ..Decision::nothing(Reason::NotRegistered)
            })
        }
    }
}
