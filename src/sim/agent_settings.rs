//! Arc's configuration data plane, as far as who installs the agents asks it: is it there, and which chart with which
//! values (recorded: `vme.test_vme_upgrade_live`, interactions 32 and 33).

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::call::Call;
use super::route::{self, Route};
use super::world::{Handled, World};

/// The only version of this API that is recorded.
const VERSION: &str = "2024-07-01-preview";

/// The chart of the agents, of the version that is recorded.
const CHART: &str = "mcr.microsoft.com/azurearck8s/stable/azure-arc-k8sagents:1.26.0";

/// `healthCheck`.
pub(crate) fn health(call: &Call) -> Handled {
    check(call)?;
    let mut answer = Answer::empty(StatusCode::OK).header("content-type", "text/plain; charset=utf-8");
    answer.body = bytes::Bytes::from_static(b"Health check passed.");
    Ok(answer.header("api-supported-versions", VERSION))
}

impl World<'_> {
    /// `GetHelmSettings` for the connected cluster that the body describes. What is answered about one that is not there is
    /// not recorded: here it is ARM's answer.
    pub(crate) fn helm_settings(&self, call: &Call) -> Handled {
        check(call)?;
        let sent = call.object()?;
        let id = sent.get("id").and_then(Value::as_str).unwrap_or_default();
        let segments: Vec<String> = id.split('/').skip(1).map(str::to_owned).collect();
        let Route::Cluster(path) = route::read(&segments) else {
            return Err(answer::bad_content("the id is not one of a connected cluster"));
        };
        let cluster = self.cluster(&path)?;
        let body = json!({
            "repositoryPath": CHART,
            "helmValuesContent": {
                "global.subscriptionId": path.subscription,
                "global.resourceGroupName": path.group,
                "global.resourceName": path.name,
                "global.extensionBundleFeatureFlag": "Enabled",
                "global.location": cluster.location,
                "global.tenantId": self.state.tenant,
                "systemDefaultValues.azureArcAgents.autoUpdate": "True",
            },
            "apiServerFlags": null,
        });
        Ok(Answer::ok(&body).header("api-supported-versions", VERSION))
    }
}

fn check(call: &Call) -> Result<(), Answer> {
    if call.method != Method::POST {
        return Err(answer::no_method(&call.method, "the agents' settings"));
    }
    let version = call.api_version()?;
    if version != VERSION {
        return Err(answer::invalid_api_version(version, &[VERSION]));
    }
    Ok(())
}
