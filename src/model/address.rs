//! Addresses: the short names that people type and read instead of ARM ids.

use std::fmt;
use std::str::FromStr;

use super::text_form;

/// What a change is about, in a form that sorts and prints well. The order of the variants is the order of creation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// `provider/Microsoft.Kubernetes`: the registration of a resource provider.
    Provider {
        /// Subscription id, only where two addresses would be the same without it.
        subscription: Option<String>,
        /// `Microsoft.Kubernetes`.
        namespace: String,
    },
    /// `rg-edge`: a resource group.
    ResourceGroup {
        /// Subscription id, only where two addresses would be the same without it.
        subscription: Option<String>,
        /// Its name.
        name: String,
    },
    /// `rg-edge/store-001` and what lies below it.
    Cluster {
        /// Subscription id, only where two addresses would be the same without it.
        subscription: Option<String>,
        /// The resource group's name.
        resource_group: String,
        /// The cluster's name.
        cluster: String,
        /// The cluster itself, or a part of it.
        part: Part,
    },
}

/// A part of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// `rg-edge/store-001`: the cluster itself.
    Itself,
    /// `rg-edge/store-001/extension`: its one `microsoft.flux` extension, whatever its name.
    Extension,
    /// `rg-edge/store-001/flux/flux-system`: a flux configuration.
    Configuration(String),
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address; one looks like `rg-edge/store-001/flux/flux-system`")]
pub struct AddressError(String);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subscription, rest) = match self {
            Self::Provider { subscription, namespace } => (subscription, format!("provider/{namespace}")),
            Self::ResourceGroup { subscription, name } => (subscription, name.clone()),
            Self::Cluster { subscription, resource_group, cluster, part } => {
                let cluster = format!("{resource_group}/{cluster}");
                (
                    subscription,
                    match part {
                        Part::Itself => cluster,
                        Part::Extension => format!("{cluster}/extension"),
                        Part::Configuration(name) => format!("{cluster}/flux/{name}"),
                    },
                )
            }
        };
        if let Some(subscription) = subscription {
            write!(f, "{subscription}/")?;
        }
        f.write_str(&rest)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut segments: Vec<&str> = text.split('/').collect();
        let subscription = match segments.first() {
            Some(first) if segments.len() > 1 && uuid::Uuid::try_parse(first).is_ok() => {
                Some(segments.remove(0).to_owned())
            }
            _ => None,
        };
        if segments.iter().any(|segment| segment.is_empty()) {
            return Err(AddressError(text.to_owned()));
        }
        let cluster = |subscription, resource_group: &str, cluster: &str, part| Self::Cluster {
            subscription,
            resource_group: resource_group.to_owned(),
            cluster: cluster.to_owned(),
            part,
        };
        match *segments.as_slice() {
            ["provider", namespace] if namespace.contains('.') => {
                Ok(Self::Provider { subscription, namespace: namespace.to_owned() })
            }
            [name] => Ok(Self::ResourceGroup { subscription, name: name.to_owned() }),
            [group, name] => Ok(cluster(subscription, group, name, Part::Itself)),
            [group, name, "extension"] => Ok(cluster(subscription, group, name, Part::Extension)),
            [group, name, "flux", configuration] => {
                Ok(cluster(subscription, group, name, Part::Configuration(configuration.to_owned())))
            }
            _ => Err(AddressError(text.to_owned())),
        }
    }
}

text_form!(Address, schema { "type": "string" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back_as_itself() {
        for text in [
            "provider/Microsoft.Kubernetes",
            "rg-edge",
            "rg-edge/store-001",
            "rg-edge/store-001/extension",
            "rg-edge/store-001/flux/flux-system",
            "3f0c1f6e-8f2a-4a52-9a5e-6d0a3c1b7e44/rg-edge/store-001",
        ] {
            assert_eq!(text.parse::<Address>().map(|address| address.to_string()), Ok(text.to_owned()));
        }
        assert!("a/b/c/d/e".parse::<Address>().is_err());
        assert!("".parse::<Address>().is_err());
    }
}
