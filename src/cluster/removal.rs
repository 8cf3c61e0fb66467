//! What is left of the Arc agents once their release is gone: namespaces and custom resource definitions
//! (`../shared/facts/az-cli-behaviour.md` §3, `delete`).

use std::time::Duration;

use super::api::Api;
use super::{AGENTS_NAMESPACE, ClusterError, RELEASE_NAMESPACE};
use crate::http::Clock;

/// The custom resource definitions of the agents. Not `fluxconfigs.clusterconfig.azure.com`: it comes with the extension
/// `microsoft.flux`, and with it would go what Flux has applied.
const DEFINITIONS: &[&str] = &[
    "arccertificates.clusterconfig.azure.com",
    "azureclusteridentityrequests.clusterconfig.azure.com",
    "azureextensionidentities.clusterconfig.azure.com",
    "customlocationsettings.clusterconfig.azure.com",
    "extensionconfigs.clusterconfig.azure.com",
    "gitconfigs.clusterconfig.azure.com",
    "connectedclusters.arc.azure.com",
];

/// How often it is looked whether something is gone.
const BETWEEN: Duration = Duration::from_secs(2);

/// How often it is looked at most: three minutes' worth, as `az` waits for the namespace.
const LOOKS: usize = 90;

/// Deletes them and waits until they are gone. What is not there is gone.
pub(super) async fn clear(api: &Api, clock: &dyn Clock) -> Result<(), ClusterError> {
    let definitions = DEFINITIONS.iter().map(|name| Left {
        path: format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"),
        command: format!("get customresourcedefinition {name} -o yaml"),
        name: format!("the custom resource definition {name}"),
    });
    let namespaces = [AGENTS_NAMESPACE, RELEASE_NAMESPACE].map(|name| Left {
        path: format!("/api/v1/namespaces/{name}"),
        command: format!("get namespace {name} -o yaml"),
        name: format!("the namespace {name}"),
    });
    // Definitions first: a namespace is not gone before the custom resources in it are.
    let all: Vec<Left> = definitions.chain(namespaces).collect();
    let mut left = Vec::new();
    for one in all {
        if api.delete(&one.path).await?.is_some() {
            left.push(one);
        }
    }
    for one in left {
        one.gone(api, clock).await?;
    }
    Ok(())
}

/// Something that is being deleted.
struct Left {
    path: String,
    command: String,
    name: String,
}

impl Left {
    async fn gone(&self, api: &Api, clock: &dyn Clock) -> Result<(), ClusterError> {
        for _ in 0..LOOKS {
            if api.get(&self.path).await?.is_none() {
                return Ok(());
            }
            clock.sleep(BETWEEN).await;
        }
        let message = format!("{} is being deleted, and something holds it", self.name);
        Err(api.error(message, Some(format!("see `finalizers` and `conditions` in it: kubectl {}", self.command))))
    }
}
