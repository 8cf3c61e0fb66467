//! Which api-versions a spec pins, and what older ones lack (`../shared/facts/arm-contracts.md` §1.1 and §2.1).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Body, Kind};
use crate::model::Scalar;

/// The api-versions to talk to Azure with, for clouds that do not have the newest ones. What is not named here has the
/// newest that arcflux knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiVersions {
    /// For flux configurations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$"), extend("examples" = ["2024-11-01"]))]
    pub flux_configurations: Option<String>,
    /// For extensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$"), extend("examples" = ["2023-05-01"]))]
    pub extensions: Option<String>,
    /// For clusters connected to Azure Arc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$"), extend("examples" = ["2024-01-01"]))]
    pub connected_clusters: Option<String>,
    /// For AKS clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$"), extend("examples" = ["2024-09-01"]))]
    pub managed_clusters: Option<String>,
    /// For resource groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$"), extend("examples" = ["2022-09-01"]))]
    pub resource_groups: Option<String>,
    /// For registrations of resource providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$"), extend("examples" = ["2022-09-01"]))]
    pub providers: Option<String>,
}

impl ApiVersions {
    /// The api-version for a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &str {
        self.pin(kind).unwrap_or(kind.api_version())
    }

    /// The api-version that is named for a kind.
    #[must_use]
    pub fn pin(&self, kind: Kind) -> Option<&str> {
        let Self { flux_configurations, extensions, connected_clusters, managed_clusters, resource_groups, providers } =
            self;
        let pin = match kind {
            Kind::ProviderRegistration => providers,
            Kind::ResourceGroup => resource_groups,
            Kind::ConnectedCluster => connected_clusters,
            Kind::ManagedCluster => managed_clusters,
            Kind::Extension => extensions,
            Kind::FluxConfiguration => flux_configurations,
        };
        pin.as_deref()
    }

    /// The same with another api-version for a kind.
    #[must_use]
    pub fn with(mut self, kind: Kind, api_version: String) -> Self {
        let pin = match kind {
            Kind::ProviderRegistration => &mut self.providers,
            Kind::ResourceGroup => &mut self.resource_groups,
            Kind::ConnectedCluster => &mut self.connected_clusters,
            Kind::ManagedCluster => &mut self.managed_clusters,
            Kind::Extension => &mut self.extensions,
            Kind::FluxConfiguration => &mut self.flux_configurations,
        };
        *pin = Some(api_version);
        self
    }
}

/// A field, or one value of it, that older api-versions lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newer {
    /// The field, dotted from `properties`; `*` stands for any key.
    pub path: &'static str,
    /// The first api-version that has it.
    pub since: &'static str,
    /// What its absence means, where it can be left out without saying anything else.
    pub default: Option<Scalar>,
    /// The one value that is newer than the field itself.
    pub word: Option<&'static str>,
}

/// What flux configurations gained since 2022-03-01; one value of a field before the field, which says more.
const FLUX_CONFIGURATION: &[Newer] = &[
    newer("azureBlob", "2022-07-01"),
    Newer { default: Some(Scalar::Bool(true)), ..newer("kustomizations.*.wait", "2023-05-01") },
    newer("kustomizations.*.postBuild", "2023-05-01"),
    Newer { default: Some(Scalar::Bool(false)), ..newer("waitForReconciliation", "2023-05-01") },
    newer("reconciliationWaitDuration", "2023-05-01"),
    newer("ociRepository", "2024-11-01"),
    Newer { word: Some("GitHub"), ..newer("gitRepository.provider", "2025-04-01") },
    Newer { default: Some(Scalar::Text("Generic")), ..newer("gitRepository.provider", "2024-11-01") },
];

/// What the records of connected clusters gained since 2021-03-01, in the words of a spec
/// (`../shared/facts/arm-contracts.md` §3.3).
const CONNECTED_CLUSTER: &[Newer] = &[
    newer("privateLink", "2024-01-01"),
    Newer { default: Some(Scalar::Bool(false)), ..newer("oidcIssuer", "2026-05-01") },
    Newer { default: Some(Scalar::Bool(false)), ..newer("workloadIdentity", "2026-05-01") },
];

/// What extensions gained since 2022-03-01.
const EXTENSION: &[Newer] = &[newer("autoUpgradeMode", "2025-03-01")];

const fn newer(path: &'static str, since: &'static str) -> Newer {
    Newer { path, since, default: None, word: None }
}

impl Newer {
    /// What older api-versions of a kind lack, of what arcflux writes.
    #[must_use]
    pub const fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::FluxConfiguration => FLUX_CONFIGURATION,
            Kind::Extension => EXTENSION,
            Kind::ConnectedCluster => CONNECTED_CLUSTER,
            Kind::ProviderRegistration | Kind::ResourceGroup | Kind::ManagedCluster => &[],
        }
    }

    /// Whether `api_version` has it. A preview has what the stable version of its date has.
    #[must_use]
    pub fn is_in(&self, api_version: &str) -> bool {
        let date = |version: &str| version.get(..10).unwrap_or(version).to_owned();
        date(api_version) >= date(self.since)
    }

    /// Whether `value` says no more than the field's absence.
    #[must_use]
    pub fn says_nothing(&self, value: &Value) -> bool {
        match self.word {
            Some(word) => value.as_str() != Some(word),
            None => self.default.is_some_and(|default| default.to_json() == *value),
        }
    }
}

impl Body {
    /// The body as `api_version` takes it: without what it lacks. A spec that says more than that is refused by its
    /// rules; what is left out here are defaults.
    #[must_use]
    pub fn for_version(mut self, kind: Kind, api_version: &str) -> Self {
        let lacking = Newer::of(kind).iter().filter(|newer| newer.word.is_none() && !newer.is_in(api_version));
        for newer in lacking {
            let steps: Vec<&str> = newer.path.split('.').collect();
            if let Some(properties) = self.json.get_mut("properties") {
                remove(properties, &steps);
            }
        }
        self
    }
}

fn remove(value: &mut Value, steps: &[&str]) {
    let Some(object) = value.as_object_mut() else { return };
    match steps {
        [] => {}
        [last] => {
            object.shift_remove(*last);
        }
        ["*", rest @ ..] => object.values_mut().for_each(|child| remove(child, rest)),
        [key, rest @ ..] => {
            if let Some(child) = object.get_mut(*key) {
                remove(child, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_has_no_more_than_its_version() {
        let json = json!({"properties": {
            "gitRepository": {"url": "u", "provider": "Generic"}, "kustomizations": {"a": {"wait": true, "path": "p"}},
        }});
        let at = |version: &str| {
            Body { json: json.clone(), holes: Vec::new() }.for_version(Kind::FluxConfiguration, version).json
        };
        assert_eq!(at("2025-04-01"), json);
        assert_eq!(at("2024-11-01-preview"), json);
        let older = at("2022-11-01");
        assert_eq!(
            older,
            json!({"properties": {"gitRepository": {"url": "u"}, "kustomizations": {"a": {"path": "p"}}}})
        );
    }
}
