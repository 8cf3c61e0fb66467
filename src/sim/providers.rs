//! Resource providers and their registration in a subscription. Registering is no long-running operation: the caller
//! polls the provider.

use http::Method;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::call::Call;
use super::durations;
use super::state::Registration;
use super::tenant::only_get;
use super::versions;
use super::world::{Handled, World};

/// A provider that the simulated cloud has.
struct Namespace {
    name: &'static str,
    types: &'static [(&'static str, &'static [&'static str], &'static str)],
}

/// Regions, by the display names that providers list.
const REGIONS: [&str; 8] = [
    "East US",
    "West Europe",
    "North Europe",
    "West US 2",
    "East US 2",
    "UK South",
    "Southeast Asia",
    "Australia East",
];

/// The versions that are listed of a type of which every version is taken.
const ANY: &[&str] = &["2025-08-01"];

const TRACKED: &str = "SystemAssignedResourceIdentity, SupportsTags, SupportsLocation";

const NAMESPACES: [Namespace; 6] = [
    Namespace { name: "Microsoft.Kubernetes", types: &[("connectedClusters", versions::CONNECTED_CLUSTERS, TRACKED)] },
    Namespace {
        name: "Microsoft.KubernetesConfiguration",
        types: &[
            ("sourceControlConfigurations", versions::SOURCE_CONTROL, "SupportsExtension"),
            ("extensions", versions::EXTENSIONS, "SystemAssignedResourceIdentity, SupportsExtension"),
            ("fluxConfigurations", versions::FLUX, "SupportsExtension"),
        ],
    },
    Namespace { name: "Microsoft.ContainerService", types: &[("managedClusters", ANY, TRACKED)] },
    Namespace { name: "Microsoft.ExtendedLocation", types: &[("customLocations", &["2021-08-15"], TRACKED)] },
    Namespace { name: "Microsoft.HybridCompute", types: &[] },
    Namespace { name: "Microsoft.Resources", types: &[("resourceGroups", versions::RESOURCES, "SupportsTags")] },
];

impl World<'_> {
    /// `/subscriptions/{id}/providers`.
    pub(crate) fn providers(&self, call: &Call, subscription: &str) -> Handled {
        only_get(call, "providers")?;
        let version = call.api_version()?;
        self.check_resources(version)?;
        let items = NAMESPACES.iter().map(|namespace| self.provider_body(subscription, namespace, version)).collect();
        Ok(self.page(call, items, false))
    }

    /// `/subscriptions/{id}/providers/{namespace}`.
    pub(crate) fn provider(&self, call: &Call, subscription: &str, name: &str) -> Handled {
        only_get(call, "a provider")?;
        let version = call.api_version()?;
        self.check_resources(version)?;
        Ok(Answer::ok(&self.provider_body(subscription, find(name)?, version)))
    }

    /// `…/register`: answers at once, with `Registering`, and again with what it finds if it is registered already.
    pub(crate) fn register(&mut self, call: &Call, subscription: &str, name: &str) -> Handled {
        let until = durations::after(call.now, durations::REGISTRATION);
        self.change_registration(call, subscription, name, |registration| match registration {
            Registration::NotRegistered | Registration::Unregistered | Registration::Unregistering { .. } => {
                Registration::Registering { until }
            }
            Registration::Registering { .. } | Registration::Registered => registration,
        })
    }

    /// `…/unregister`.
    pub(crate) fn unregister(&mut self, call: &Call, subscription: &str, name: &str) -> Handled {
        let until = durations::after(call.now, durations::REGISTRATION);
        self.change_registration(call, subscription, name, |registration| match registration {
            Registration::Registered | Registration::Registering { .. } => Registration::Unregistering { until },
            Registration::NotRegistered | Registration::Unregistered | Registration::Unregistering { .. } => {
                registration
            }
        })
    }

    fn change_registration(
        &mut self,
        call: &Call,
        subscription: &str,
        name: &str,
        change: impl Fn(Registration) -> Registration,
    ) -> Handled {
        if call.method != Method::POST {
            return Err(answer::no_method(&call.method, "the registration of a provider"));
        }
        let version = call.api_version()?;
        self.check_resources(version)?;
        let namespace = find(name)?;
        let changed = change(self.registration(subscription, namespace.name));
        self.state.subscription_mut(subscription).providers.insert(namespace.name.to_lowercase(), changed);
        Ok(Answer::ok(&self.provider_body(subscription, namespace, version)))
    }

    fn provider_body(&self, subscription: &str, namespace: &Namespace, version: &str) -> Value {
        let types: Vec<Value> = namespace
            .types
            .iter()
            .map(|(name, versions, capabilities)| {
                let full = format!("{}/{name}", namespace.name);
                let offered = match self.settings.offers.named(&full) {
                    Some(named) if *versions == ANY => named.iter().map(String::as_str).collect(),
                    Some(_) | None => self.settings.offers.of(&full, versions),
                };
                json!({
                    "resourceType": name,
                    "locations": REGIONS,
                    "apiVersions": offered,
                    "defaultApiVersion": offered.first(),
                    "capabilities": capabilities,
                })
            })
            .collect();
        let (state, policy) = if namespace.name == "Microsoft.Resources" {
            ("Registered", "RegistrationFree")
        } else {
            (self.registration(subscription, namespace.name).word(), "RegistrationRequired")
        };
        let mut body = json!({
            "id": format!("/subscriptions/{subscription}/providers/{}", namespace.name),
            "namespace": namespace.name,
            "authorizations": [],
            "resourceTypes": types,
            "registrationState": state,
        });
        // Recorded at 2021-04-01 and 2022-09-01, and absent at 2016-02-01.
        if versions::at_least(version, "2018-05-01") {
            body["registrationPolicy"] = Value::from(policy);
        }
        body
    }
}

fn find(name: &str) -> Result<&'static Namespace, Answer> {
    NAMESPACES
        .iter()
        .find(|namespace| namespace.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| answer::invalid_namespace(name))
}
