//! Which api-versions arcflux knows, which of them a cloud offers, and the one to talk to it with.
//!
//! Clouds other than Azure's own are often years behind (`../shared/facts/domain.md` §5): what they offer stands in the
//! metadata of their resource providers, `resourceTypes[].apiVersions`.

use std::fmt;

use serde_json::Value;

use super::api_versions::ApiVersions;
use super::cluster::ClusterType;
use super::{Kind, extension, flux_configuration};

/// What arcflux knows of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// These versions, newest first: what each of them shows is known.
    These(&'static [&'static str]),
    /// Every stable version between these two: what arcflux reads is the same in all of them.
    Between(&'static str, &'static str),
}

/// The api-versions of ARM itself in which providers and resource groups are as arcflux reads and writes them, newest
/// first (`../shared/facts/arm-contracts.md` §4 and §5).
pub const ARM: &[&str] = &["2024-03-01", "2022-09-01", "2021-04-01", "2020-06-01", "2019-10-01", "2018-05-01"];

impl Known {
    /// What is known of a kind (`../shared/facts/arm-contracts.md` §1.1, §2.1 and §3.1).
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::FluxConfiguration => {
                Self::These(&["2025-04-01", "2024-11-01", "2023-05-01", "2022-11-01", "2022-07-01", "2022-03-01"])
            }
            Kind::Extension => {
                Self::These(&["2025-03-01", "2024-11-01", "2023-05-01", "2022-11-01", "2022-07-01", "2022-03-01"])
            }
            Kind::ConnectedCluster => Self::These(&["2026-05-01", "2024-01-01", "2021-10-01"]),
            Kind::ManagedCluster => Self::Between("2021-02-01", ClusterType::ManagedClusters.api_version()),
            Kind::ProviderRegistration | Kind::ResourceGroup => Self::These(ARM),
        }
    }

    fn has(self, api_version: &str) -> bool {
        match self {
            Self::These(versions) => versions.contains(&api_version),
            Self::Between(oldest, newest) => {
                api_version.len() == oldest.len() && oldest <= api_version && api_version <= newest
            }
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::These(versions) => f.write_str(&versions.join(", ")),
            Self::Between(oldest, newest) => write!(f, "{oldest} to {newest}"),
        }
    }
}

/// Why there is no api-version to talk with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoVersion {
    /// The spec pins one that is not offered.
    #[error("`apiVersions` pins {pinned} for {resource_type}, and this cloud offers {}", listed(offered))]
    PinNotOffered {
        /// The type.
        resource_type: &'static str,
        /// What the spec says.
        pinned: String,
        /// What the cloud says.
        offered: Vec<String>,
    },
    /// No version is both offered and known.
    #[error("this cloud offers {resource_type} at {}, and arcflux knows {known}", listed(offered))]
    NoneInCommon {
        /// The type.
        resource_type: &'static str,
        /// What the cloud says.
        offered: Vec<String>,
        /// What arcflux knows.
        known: Known,
    },
}

fn listed(versions: &[String]) -> String {
    if versions.is_empty() { "none".to_owned() } else { versions.join(", ") }
}

/// The resource type of a kind, with its provider: where the versions of the kind stand. Registrations and groups have
/// none: they are ARM's own, and whether it takes a version is seen by asking.
#[must_use]
pub const fn resource_type(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::ProviderRegistration | Kind::ResourceGroup => None,
        Kind::ConnectedCluster => Some(ClusterType::ConnectedClusters.resource_type()),
        Kind::ManagedCluster => Some(ClusterType::ManagedClusters.resource_type()),
        Kind::Extension => Some(extension::RESOURCE_TYPE),
        Kind::FluxConfiguration => Some(flux_configuration::RESOURCE_TYPE),
    }
}

/// The versions that the metadata of a provider names for a type of it, such as `fluxConfigurations`; none where it does
/// not name the type.
#[must_use]
pub fn offered(provider: &Value, type_name: &str) -> Vec<String> {
    let types = provider.get("resourceTypes").and_then(Value::as_array);
    let is_it = |one: &&Value| {
        one.get("resourceType").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(type_name))
    };
    let versions = types.into_iter().flatten().find(is_it).and_then(|one| one.get("apiVersions")?.as_array());
    versions.into_iter().flatten().filter_map(Value::as_str).map(str::to_lowercase).collect()
}

/// The version to talk about a kind with: the pinned one where it is offered, else the newest that is offered and known.
///
/// # Errors
///
/// [`NoVersion`].
pub fn choose(kind: Kind, pins: &ApiVersions, offered: &[String]) -> Result<String, NoVersion> {
    let resource_type = resource_type(kind).unwrap_or(kind.noun());
    if let Some(pinned) = pins.pin(kind) {
        return match offered.iter().any(|version| version.eq_ignore_ascii_case(pinned)) {
            true => Ok(pinned.to_owned()),
            false => {
                Err(NoVersion::PinNotOffered { resource_type, pinned: pinned.to_owned(), offered: offered.to_vec() })
            }
        };
    }
    let known = Known::of(kind);
    let newest = offered.iter().filter(|version| known.has(version)).max();
    newest.cloned().ok_or_else(|| NoVersion::NoneInCommon { resource_type, offered: offered.to_vec(), known })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn versions(versions: &[&str]) -> Vec<String> {
        versions.iter().map(|version| (*version).to_owned()).collect()
    }

    #[test]
    fn what_arcflux_talks_with_by_itself_is_the_newest_that_it_knows() {
        for kind in Kind::ALL {
            let newest = match Known::of(kind) {
                Known::These(known) => known[0],
                Known::Between(_, newest) => newest,
            };
            assert_eq!(newest, kind.api_version(), "{kind:?}");
        }
    }

    #[test]
    fn the_newest_that_both_know_is_chosen_and_a_pin_goes_before_it() {
        let none = ApiVersions::default();
        let chosen = |kind, offered: &[&str]| choose(kind, &none, &versions(offered));
        let flux = Kind::FluxConfiguration;
        assert_eq!(
            chosen(flux, &["2022-03-01", "2023-05-01", "2027-01-01", "2024-04-01-preview"]).unwrap(),
            "2023-05-01"
        );
        assert_eq!(
            chosen(Kind::ManagedCluster, &["2024-09-01", "2026-01-01", "2025-08-02-preview"]).unwrap(),
            "2024-09-01"
        );
        let error = chosen(flux, &["2021-06-01-preview"]).unwrap_err().to_string();
        assert!(error.contains("fluxConfigurations at 2021-06-01-preview") && error.contains("2022-03-01"), "{error}");
        assert!(chosen(flux, &[]).unwrap_err().to_string().contains("at none"));

        let pins = ApiVersions { flux_configurations: Some("2024-04-01-preview".to_owned()), ..ApiVersions::default() };
        let pinned = |offered: &[&str]| choose(flux, &pins, &versions(offered));
        assert_eq!(pinned(&["2025-04-01", "2024-04-01-preview"]).unwrap(), "2024-04-01-preview");
        let error = pinned(&["2025-04-01"]).unwrap_err().to_string();
        assert!(error.contains("pins 2024-04-01-preview") && error.contains("offers 2025-04-01"), "{error}");
    }

    #[test]
    fn what_a_provider_offers_is_read_whatever_its_case() {
        let provider = json!({"resourceTypes": [
            {"resourceType": "extensions", "apiVersions": ["2022-03-01"]},
            {"resourceType": "FLUXconfigurations", "apiVersions": ["2022-03-01", "2024-04-01-Preview", 7]},
        ]});
        assert_eq!(offered(&provider, "fluxConfigurations"), versions(&["2022-03-01", "2024-04-01-preview"]));
        assert_eq!(offered(&provider, "connectedClusters"), versions(&[]));
        assert_eq!(offered(&json!(null), "extensions"), versions(&[]));
    }
}
