//! Arc's configuration data plane: which chart the agents of a connected cluster are installed from, and with which values
//! (`../shared/facts/arm-contracts.md` §8, `../shared/facts/az-cli-behaviour.md` §3, step 16).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::client::json;
use super::request::Call;
use super::{ArmClient, ArmError, Cloud};
use crate::http::Origin;

/// What is asked, with its version and the release train that everybody is on.
const SETTINGS: (&str, &str) =
    ("/azure-arc-k8sagents/GetHelmSettings", "api-version=2024-07-01-preview&releaseTrain=stable");

/// What is sent of a connected cluster.
const TOLD: &[&str] = &["id", "location", "tags", "identity", "properties"];

/// What values begin with that only the protected settings of the resource hold.
const REDACTED: &str = "redacted:";

/// A client of the configuration data plane of one location.
#[derive(Debug, Clone)]
pub struct ConfigurationPlane {
    client: ArmClient,
}

/// What the agents are installed from, and with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmSettings {
    /// `oci://REGISTRY/PATH:VERSION`.
    pub chart: String,
    /// Helm values by their path: `global.subscriptionId`.
    pub values: BTreeMap<String, Value>,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// The data plane was not reached, or refused.
    #[error("the configuration data plane at {origin} does not say how the Arc agents are installed")]
    Unanswered {
        /// Where it is.
        origin: Origin,
        /// Why.
        #[source]
        source: Box<ArmError>,
    },
    /// The answer is of no use.
    #[error("the configuration data plane at {origin} does not say how the Arc agents are installed: {reason}")]
    Malformed {
        /// Where it is.
        origin: Origin,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such location.
    #[error("`{0}` is no location of Azure: it must be like `westeurope`")]
    Location(String),
    /// A cloud without a data plane that it tells of.
    #[error("{0} does not tell of a configuration data plane, which says how the Arc agents are installed")]
    Untold(String),
}

impl PlaneError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unanswered { .. } | Self::Malformed { .. } => {
                "let this machine reach it; where it may not (a restricted network), give the chart and its values: --chart \
                 CHART --chart-values FILE"
            }
            Self::Untold(_) => "give the chart and its values: --chart CHART --chart-values FILE",
            Self::Location(_) => "correct `location`; the list of them: az account list-locations --output table",
        }
    }
}

impl ConfigurationPlane {
    /// The data plane at `origin`, with the tokens, the transport and the retries of `arm`: it takes tokens for ARM, and
    /// they go to that origin alone.
    #[must_use]
    pub fn new(arm: &ArmClient, origin: Origin) -> Self {
        Self { client: arm.elsewhere(origin) }
    }

    /// How the agents of `cluster`, a connected cluster as ARM answers it, are installed.
    ///
    /// # Errors
    ///
    /// [`PlaneError`].
    pub async fn helm_settings(&self, cluster: &Value) -> Result<HelmSettings, PlaneError> {
        let origin = || self.client.origin().clone();
        let malformed = |reason: &str| PlaneError::Malformed { origin: origin(), reason: reason.to_owned() };
        let (path, query) = SETTINGS;
        let call = Call::ask(self.client.origin(), path, query, Some(&told(cluster)));
        let response = self.client.call(&call).await;
        let response =
            response.map_err(|source| PlaneError::Unanswered { origin: origin(), source: Box::new(source) })?;
        let body = json(&response).unwrap_or_default();
        let repository = body["repositoryPath"].as_str().ok_or_else(|| malformed("there is no repositoryPath"))?;
        let chart = chart(repository)
            .ok_or_else(|| malformed(&format!("`{}` is no chart of a registry", repository.escape_debug())))?;
        let values = match &body["helmValuesContent"] {
            Value::Null => BTreeMap::new(),
            Value::Object(values) => values.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            _ => return Err(malformed("helmValuesContent is no mapping")),
        };
        let is_redacted = |value: &Value| value.as_str().is_some_and(|text| text.starts_with(REDACTED));
        if let Some((name, _)) = values.iter().find(|(_, value)| is_redacted(value)) {
            let reason = format!("`{}` is a protected setting, which arcflux does not set", name.escape_debug());
            return Err(malformed(&reason));
        }
        Ok(HelmSettings { chart, values })
    }
}

/// What is sent of a connected cluster.
fn told(cluster: &Value) -> Value {
    let some = |name: &&str| cluster.get(*name).map(|value| ((*name).to_owned(), value.clone()));
    Value::Object(TOLD.iter().filter_map(some).collect::<Map<String, Value>>())
}

/// Where helm finds the chart of `REGISTRY/PATH/NAME:VERSION`: at `REGISTRY/PATH/v2/NAME`, as `az` does.
fn chart(repository: &str) -> Option<String> {
    let (place, version) = repository.rsplit_once(':')?;
    let (place, name) = place.rsplit_once('/')?;
    let is_word = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.chars().all(|one| one.is_ascii_alphanumeric() || "-._+".contains(one))
    };
    let (registry, path) = place.split_once('/')?;
    let is_registry = registry.split(':').all(is_word);
    let words = path.split('/').chain([name, version]).all(is_word);
    (is_registry && words).then(|| format!("oci://{place}/v2/{name}:{version}"))
}

/// What the agents call a cloud, as the helm value `global.azureEnvironment`.
#[must_use]
pub const fn azure_environment(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Public => "AZUREPUBLICCLOUD",
        Cloud::UsGov => "AZUREUSGOVERNMENTCLOUD",
        Cloud::China => "AZURECHINACLOUD",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_charts_are() {
        assert_eq!(
            chart("mcr.microsoft.com/azurearck8s/canary/stable/azure-arc-k8sagents:1.26.0").as_deref(),
            Some("oci://mcr.microsoft.com/azurearck8s/canary/stable/v2/azure-arc-k8sagents:1.26.0")
        );
        assert_eq!(chart("localhost:5000/a/b:1").as_deref(), Some("oci://localhost:5000/a/v2/b:1"));
        for wrong in [
            "",
            "a:1",
            "mcr/a",
            "mcr.microsoft.com/a/b",
            "--version/a/b:1",
            "mcr/../b:1",
            "mcr/a/b:1 --debug",
            "mcr/a/b:",
        ] {
            assert_eq!(chart(wrong), None, "{wrong}");
        }
    }
}
