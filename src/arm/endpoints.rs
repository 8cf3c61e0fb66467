//! Where a cloud is: its ARM, where one signs in to it, and its other endpoints.

use std::fmt;
use std::str::FromStr;

use super::{Cloud, PlaneError};
use crate::http::Origin;

/// The endpoints of one cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEndpoints {
    /// What the cloud is called, in its own words.
    pub name: String,
    /// Its ARM.
    pub arm: Origin,
    /// Where tokens for it are issued.
    pub authority: Authority,
    /// What they are issued for, as the authority knows it: with a slash at its end, or without.
    pub audience: String,
    pub(super) configuration: Configuration,
}

/// Where the configuration data plane of Arc enabled Kubernetes is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Configuration {
    /// Each location has its own, below this domain.
    ByLocation(&'static str),
    /// There is one.
    At(Origin),
    /// The cloud names none.
    Unknown,
}

impl CloudEndpoints {
    /// Those of a cloud that is known beforehand.
    #[must_use]
    pub fn known(cloud: Cloud, arm: Origin) -> Self {
        Self {
            name: cloud.name().to_owned(),
            arm,
            authority: Authority { text: cloud.authority_host().to_owned(), is_adfs: false },
            audience: cloud.audience().to_owned(),
            configuration: Configuration::ByLocation(cloud.configuration_domain()),
        }
    }

    /// Those of a simulator, which is all of them and asks nobody who they are.
    #[must_use]
    pub fn simulated(arm: Origin) -> Self {
        let own = arm.to_string();
        Self {
            name: "the simulator".to_owned(),
            authority: Authority { text: own.clone(), is_adfs: false },
            audience: own,
            configuration: Configuration::At(arm.clone()),
            arm,
        }
    }

    /// The scope to ask tokens for: everything that the identity may do at the audience. Whether the audience ends with a
    /// slash is kept: to the authority it is another one without.
    #[must_use]
    pub fn scope(&self) -> String {
        format!("{}/.default", self.audience)
    }

    /// The data plane that onboarding a cluster in `location` asks for its settings (`../shared/facts/arm-contracts.md`
    /// §8).
    ///
    /// # Errors
    ///
    /// [`PlaneError::Untold`] where the cloud names none, [`PlaneError::Location`] where `location` is not the name of
    /// one: it becomes part of the name of the host that a token is sent to.
    pub fn configuration_endpoint(&self, location: &str) -> Result<Origin, PlaneError> {
        match &self.configuration {
            Configuration::ByLocation(domain) => {
                let unknown = || PlaneError::Location(location.to_owned());
                // Names for people are taken, too: `West Europe`.
                let name = location.replace(' ', "").to_ascii_lowercase();
                if name.is_empty() || name.len() > 63 || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    return Err(unknown());
                }
                Origin::parse(&format!("https://{name}.{domain}")).map_err(|_| unknown())
            }
            Configuration::At(origin) => Ok(origin.clone()),
            Configuration::Unknown => Err(PlaneError::Untold(self.name.clone())),
        }
    }

    /// What this machine must reach to work with clusters in `location`: what it is, and where.
    #[must_use]
    pub fn all(&self, location: &str) -> Vec<(&'static str, String)> {
        let configuration = self.configuration_endpoint(location).ok().map(|origin| origin.to_string());
        [
            Some(("Azure Resource Manager", self.arm.to_string())),
            Some(("sign-in", self.authority.to_string())),
            configuration.map(|origin| ("Arc configuration data plane", origin)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Where tokens are issued: Entra, or the AD FS of a cloud without it. Always https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    text: String,
    is_adfs: bool,
}

/// Why a text does not name an authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no authority to sign in at: it must be like https://login.contoso.com or https://login.contoso.com/adfs"
)]
pub struct AuthorityError(String);

impl Authority {
    /// Whether it is AD FS, which has no tenants and another path to its tokens.
    #[must_use]
    pub const fn is_adfs(&self) -> bool {
        self.is_adfs
    }

    /// Whether it can be where one signs in to the cloud of this ARM: it is in the same domain, or Entra's.
    #[must_use]
    pub fn is_of(&self, arm: &Origin) -> bool {
        let is_entra = Cloud::ALL.into_iter().any(|cloud| self.text.eq_ignore_ascii_case(cloud.authority_host()));
        is_entra || Origin::parse_base(&self.text).is_ok_and(|(origin, _)| origin.is_beside(arm))
    }
}

impl FromStr for Authority {
    type Err = AuthorityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A password in it is not repeated.
        let refused = || AuthorityError(if text.contains('@') { "an address with a user" } else { text }.to_owned());
        let (origin, path) = Origin::parse_base(text).map_err(|_| refused())?;
        let is_adfs = path.eq_ignore_ascii_case("/adfs");
        if origin.is_plain() || !(path.is_empty() || is_adfs) {
            return Err(refused());
        }
        Ok(Self { text: format!("{origin}{path}"), is_adfs })
    }
}

/// As a URL without a trailing slash.
impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_location_of_a_known_cloud_has_its_own_data_plane() {
        let endpoints = |cloud: Cloud| CloudEndpoints::known(cloud, Origin::parse(cloud.endpoint()).unwrap());
        for (cloud, end) in [(Cloud::Public, "azure.com"), (Cloud::UsGov, "azure.us"), (Cloud::China, "azure.cn")] {
            let origin = endpoints(cloud).configuration_endpoint("westeurope").unwrap();
            assert_eq!(origin.to_string(), format!("https://westeurope.dp.kubernetesconfiguration.{end}"));
            assert_eq!(endpoints(cloud).all("westeurope").len(), 3);
        }
        let origin = endpoints(Cloud::Public).configuration_endpoint("West Europe").unwrap();
        assert_eq!(origin.to_string(), "https://westeurope.dp.kubernetesconfiguration.azure.com");
        for location in ["", "evil.example/", "a.b", "a#", "a@b", "café"] {
            assert!(endpoints(Cloud::Public).configuration_endpoint(location).is_err(), "{location}");
        }
    }

    #[test]
    fn an_authority_is_entra_or_ad_fs_and_always_https() {
        for (text, shown, is_adfs) in [
            ("https://login.microsoftonline.com/", "https://login.microsoftonline.com", false),
            ("https://login.edge.contoso.com/adfs/", "https://login.edge.contoso.com/adfs", true),
            ("https://127.0.0.1:8443", "https://127.0.0.1:8443", false),
        ] {
            let authority: Authority = text.parse().unwrap();
            assert_eq!((authority.to_string().as_str(), authority.is_adfs()), (shown, is_adfs));
        }
        for text in ["", "login.contoso.com", "http://127.0.0.1:80", "https://a/b", "https://a?b", "https://u@a"] {
            assert!(text.parse::<Authority>().is_err(), "{text}");
        }
    }
}
