//! Whether the subscriptions are there, and enabled.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Azure, Doctor};
use crate::arm::ArmError;
use crate::graph::Graph;
use crate::kinds::Kind;
use crate::model::{Missing, Reading, ResourceId, with_causes};
use crate::plan::{Check, Checked};

/// The newest api-version of subscriptions that is asked with; groups, of the same provider, have newer ones.
const NEWEST: &str = "2022-12-01";

impl Doctor<'_> {
    pub(super) async fn subscriptions(&self, azure: &Azure, graph: &Graph) -> Vec<Check> {
        // A cloud that is behind has the older versions of both.
        let api_version = graph.api_version(Kind::ResourceGroup).min(NEWEST);
        let ids: BTreeSet<&str> = self.desired.clusters.iter().map(|one| one.subscription.as_str()).collect();
        let mut checks = Vec::new();
        for id in ids {
            let subscription = ResourceId::subscription(id);
            let check = if self.may_read(&subscription) {
                judge(id, &azure.arm.get(&subscription, api_version).await)
            } else {
                Check::not_tried(Checked::Subscription, "a wider `--scope`")
            };
            checks.push(check.about(id));
        }
        checks
    }
}

fn judge(id: &str, answer: &Result<Reading, ArmError>) -> Check {
    let problem = |why: String| Check::problem(Checked::Subscription, why);
    match answer {
        Ok(Reading::Present(body)) => judge_body(id, body),
        Ok(Reading::Missing(Missing::Itself | Missing::Parent(_))) => {
            problem("it does not exist, or you may see nothing of it".to_owned())
                .mended_by("see which you have: `az account list -o table`")
        }
        Ok(Reading::Denied(message)) => problem(format!("it may not be read: {message}")).mended_by(format!(
            "have a role assigned: `az role assignment create --assignee PRINCIPAL --role Reader --scope /subscriptions/{id}`"
        )),
        Err(error) => problem(format!("it cannot be read: {}", with_causes(error))),
    }
}

fn judge_body(id: &str, body: &Value) -> Check {
    let state = body.get("state").and_then(Value::as_str).unwrap_or("in no state");
    match state.to_ascii_lowercase().as_str() {
        "enabled" => Check::ok(Checked::Subscription, "it is enabled"),
        "warned" | "pastdue" => Check::warning(Checked::Subscription, format!("it is {state}: it will be disabled"))
            .mended_by("have its owner settle what is due, in the Azure portal"),
        _ => Check::problem(Checked::Subscription, format!("it is {state}: nothing can be written"))
            .mended_by(format!("have its owner enable it: `az account subscription enable --subscription-id {id}`")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Standing;

    #[test]
    fn what_is_not_enabled_takes_no_writes() {
        for (state, standing) in [
            (json!("Enabled"), Standing::Ok),
            (json!("Warned"), Standing::Warning),
            (json!("Disabled"), Standing::Problem),
            (json!(null), Standing::Problem),
        ] {
            assert_eq!(judge_body("s", &json!({"state": state})).standing, standing, "{state}");
        }
    }
}
