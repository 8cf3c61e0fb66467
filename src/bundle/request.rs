//! What an apply sends to change something.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kinds::Hole;
use crate::kinds::onboarding::ClusterHole;
use crate::model::ResourceId;
use crate::plan::{Condition, Plan, Step};

/// One request, as it will be sent, but for the values of secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRequest {
    /// `PUT`, `PATCH`, `POST` or `DELETE`.
    pub method: String,
    /// Path and query, below the ARM endpoint of the plan.
    pub url: String,
    /// The body; where a secret goes, it says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// When it is sent; always where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
}

/// The requests of a plan that write, in its order. Clusters are handled side by side: the order holds for each of them.
#[must_use]
pub fn expected_requests(plan: &Plan) -> Vec<ExpectedRequest> {
    plan.resource_changes.iter().flat_map(|change| &change.steps).filter_map(expected).collect()
}

fn expected(step: &Step) -> Option<ExpectedRequest> {
    let request = |method: &str, id: &ResourceId, action: &str, api_version: &str| ExpectedRequest {
        method: method.to_owned(),
        url: format!("{}{action}?api-version={api_version}", id.uri_path()),
        body: None,
        when: None,
    };
    match step {
        Step::Register { id, api_version } => Some(request("POST", id, "/register", api_version)),
        Step::Put { id, api_version, body, holes } => {
            Some(ExpectedRequest { body: Some(masked(body, holes)), ..request("PUT", id, "", api_version) })
        }
        Step::Patch { id, api_version, body, holes, when } => Some(ExpectedRequest {
            body: Some(masked(body, holes)),
            when: when.clone(),
            ..request("PATCH", id, "", api_version)
        }),
        Step::Delete { id, api_version, force } => {
            let plain = request("DELETE", id, "", api_version);
            let force = if *force { "&forceDelete=true" } else { "" };
            Some(ExpectedRequest { url: format!("{}{force}", plain.url), ..plain })
        }
        Step::Connect { id, api_version, body, holes } => {
            let mut body = body.clone();
            for ClusterHole { path, value } in holes {
                path.set(&mut body, Value::from(format!("({})", value.words())));
            }
            Some(ExpectedRequest { body: Some(body), ..request("PUT", id, "", api_version) })
        }
        // What is done on a cluster itself is no request to Azure. The plan shows it.
        Step::Expect { .. }
        | Step::Wait { .. }
        | Step::Look { .. }
        | Step::InstallAgents { .. }
        | Step::RemoveAgents { .. }
        | Step::Az { .. } => None,
    }
}

/// A body with a word in each place that a secret goes to.
fn masked(body: &Value, holes: &[Hole]) -> Value {
    let mut body = body.clone();
    for Hole { path, secret, destination: _, encoding: _ } in holes {
        path.set(&mut body, Value::from(format!("(secret {secret})")));
    }
    body
}
