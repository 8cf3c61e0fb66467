//! The Azure clouds that are known beforehand (`../shared/facts/arm-contracts.md` §7.9).

use std::fmt;
use std::str::FromStr;

use crate::http::Origin;

/// An Azure cloud: where its ARM and its sign-in are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cloud {
    /// Azure.
    #[default]
    Public,
    /// Azure for the US government.
    UsGov,
    /// Azure in China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// Every cloud, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Public, Self::UsGov, Self::China];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::UsGov => "usgov",
            Self::China => "china",
        }
    }

    /// Its ARM endpoint, without a trailing slash.
    #[must_use]
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Public => "https://management.azure.com",
            Self::UsGov => "https://management.usgovcloudapi.net",
            Self::China => "https://management.chinacloudapi.cn",
        }
    }

    /// Its Entra sign-in host, without a trailing slash.
    #[must_use]
    pub fn authority_host(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGov => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// The audience that tokens for its ARM are issued for.
    #[must_use]
    pub fn audience(self) -> &'static str {
        self.endpoint()
    }

    /// The cloud whose ARM is at `origin`.
    #[must_use]
    pub fn at(origin: &Origin) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.endpoint() == origin.to_string())
    }

    /// The cloud whose ARM takes tokens for this host as their audience. Each has an older one beside that of its endpoint.
    #[must_use]
    pub fn of_audience(host: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| {
            let own = cloud.endpoint().trim_start_matches("https://");
            [own, cloud.older_audience()].iter().any(|known| known.eq_ignore_ascii_case(host))
        })
    }

    fn older_audience(self) -> &'static str {
        match self {
            Self::Public => "management.core.windows.net",
            Self::UsGov => "management.core.usgovcloudapi.net",
            Self::China => "management.core.chinacloudapi.cn",
        }
    }

    /// The domain below which each location has its configuration data plane (`../shared/facts/arm-contracts.md` §8).
    #[must_use]
    pub(super) fn configuration_domain(self) -> &'static str {
        match self {
            Self::Public => "dp.kubernetesconfiguration.azure.com",
            Self::UsGov => "dp.kubernetesconfiguration.azure.us",
            Self::China => "dp.kubernetesconfiguration.azure.cn",
        }
    }

    /// The scope to ask tokens for: everything that the identity may do at the audience.
    #[must_use]
    pub fn scope(self) -> String {
        format!("{}/.default", self.audience())
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text does not name a cloud.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a cloud: public, usgov, china")]
pub struct UnknownCloud(String);

impl FromStr for Cloud {
    type Err = UnknownCloud;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|cloud| cloud.name() == text).ok_or_else(|| UnknownCloud(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_scopes_are_of_the_same_cloud() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.to_string().parse(), Ok(cloud));
            assert_eq!(cloud.scope(), format!("{}/.default", cloud.endpoint()));
        }
        assert!("azure".parse::<Cloud>().unwrap_err().to_string().contains("usgov"));
    }
}
