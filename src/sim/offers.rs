//! A cloud that is behind: for some resource types it offers only some of the api-versions that the simulator knows.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::answer::{self, Answer};
use super::versions;
use super::world::World;

/// The api-versions of ARM's own resources.
pub(crate) const ARM: &str = "Microsoft.Resources";
/// Those of `/metadata/endpoints`.
pub(crate) const ENDPOINTS: &str = "metadata/endpoints";

/// Which api-versions are offered; every one that the simulator knows, of a type that is not named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offers(BTreeMap<String, Vec<String>>);

/// One restriction: a provider (`Microsoft.KubernetesConfiguration`) or one type of it, and the versions of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    what: String,
    versions: Vec<String>,
}

/// Why a text is no offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write it as NAMESPACE=VERSION or NAMESPACE/TYPE=VERSION, with commas between versions")]
pub struct OfferError;

impl FromStr for Offer {
    type Err = OfferError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (what, versions) = text.split_once('=').ok_or(OfferError)?;
        let versions: Vec<String> = versions.split(',').map(str::to_owned).collect();
        if what.is_empty() || versions.iter().any(String::is_empty) {
            return Err(OfferError);
        }
        Ok(Self { what: what.to_ascii_lowercase(), versions })
    }
}

impl FromIterator<Offer> for Offers {
    fn from_iter<T: IntoIterator<Item = Offer>>(offers: T) -> Self {
        Self(offers.into_iter().map(|Offer { what, versions }| (what, versions)).collect())
    }
}

impl Offers {
    /// What is offered of `known`, the versions of a full type.
    pub(crate) fn of<'a>(&self, resource_type: &str, known: &[&'a str]) -> Vec<&'a str> {
        match self.named(resource_type) {
            None => known.to_vec(),
            Some(named) => known.iter().copied().filter(|version| named.iter().any(|one| one == version)).collect(),
        }
    }

    /// Checks a version of a type of which the simulator knows no list.
    ///
    /// # Errors
    ///
    /// The 400 that ARM answers.
    pub(crate) fn check_shape(&self, version: &str, resource_type: &str) -> Result<(), Answer> {
        versions::check_shape(version, resource_type)?;
        match self.named(resource_type) {
            Some(named) if !named.iter().any(|one| one == version) => {
                let named: Vec<&str> = named.iter().map(String::as_str).collect();
                Err(answer::unknown_api_version(resource_type, "", version, &named))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The versions that are named for a type, or for its provider.
    pub(crate) fn named(&self, resource_type: &str) -> Option<&[String]> {
        let full = resource_type.to_ascii_lowercase();
        let namespace = full.split('/').next().unwrap_or_default();
        self.0.get(&full).or_else(|| self.0.get(namespace)).map(Vec::as_slice)
    }
}

impl World<'_> {
    /// Checks a version of ARM's own resources.
    ///
    /// # Errors
    ///
    /// The 400 that ARM answers.
    pub(crate) fn check_resources(&self, version: &str) -> Result<(), Answer> {
        let offered = self.settings.offers.of(ARM, versions::RESOURCES);
        if offered.contains(&version) { Ok(()) } else { Err(answer::invalid_api_version(version, &offered)) }
    }
}
