//! ARM resource ids.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::text_form;

/// The id of an ARM resource, without a trailing slash: `/subscriptions/…/resourceGroups/…/providers/…`.
///
/// Compared without regard to case, because ARM echoes whatever casing the caller used
/// (`../shared/facts/arm-contracts.md` §7.5); shown as it was written.
#[derive(Debug, Clone)]
pub struct ResourceId(String);

/// Why a text is not a resource id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ARM resource id")]
pub struct ResourceIdError(String);

impl ResourceId {
    /// `/subscriptions/{id}`.
    #[must_use]
    pub fn subscription(id: &str) -> Self {
        Self(format!("/subscriptions/{id}"))
    }

    /// `{self}/resourceGroups/{name}`.
    #[must_use]
    pub fn resource_group(&self, name: &str) -> Self {
        Self(format!("{}/resourceGroups/{name}", self.0))
    }

    /// `{self}/providers/{namespace}`: a resource provider of a subscription.
    #[must_use]
    pub fn provider(&self, namespace: &str) -> Self {
        Self(format!("{}/providers/{namespace}", self.0))
    }

    /// `{self}/providers/{type}/{name}`, where `resource_type` is a full type such as
    /// `Microsoft.Kubernetes/connectedClusters`.
    #[must_use]
    pub fn resource(&self, resource_type: &str, name: &str) -> Self {
        Self(format!("{}/providers/{resource_type}/{name}", self.0))
    }

    /// As [`resource`](Self::resource), for a `name` that somebody else gave; `None` when it could lead elsewhere: it is
    /// empty, has a slash, or another character that no id holds.
    #[must_use]
    pub fn named_resource(&self, resource_type: &str, name: &str) -> Option<Self> {
        is_segment(name).then(|| self.resource(resource_type, name))
    }

    /// `{self}/providers/{type}`: the collection of such resources below this one, to be listed.
    #[must_use]
    pub fn collection(&self, resource_type: &str) -> Self {
        Self(format!("{}/providers/{resource_type}", self.0))
    }

    /// The last segment: the resource's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The id as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as the path of a URI: every byte that is not allowed there is escaped. Names of resource groups may hold
    /// letters of any script.
    #[must_use]
    pub fn uri_path(&self) -> String {
        let mut encoded = String::with_capacity(self.0.len());
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        encoded
    }

    /// The segment after the first `key` segment (`subscriptions`, `resourceGroups`), compared without case.
    #[must_use]
    pub fn segment_after(&self, key: &str) -> Option<&str> {
        let mut segments = self.0.split('/');
        segments.find(|segment| segment.eq_ignore_ascii_case(key))?;
        segments.next()
    }

    /// The full type of the resource, or of the resources in the collection: `Microsoft.Kubernetes/connectedClusters`.
    /// None for what lies outside every provider, and for a provider itself.
    #[must_use]
    pub fn resource_type(&self) -> Option<String> {
        let segments: Vec<&str> = self.0.split('/').collect();
        let last = segments.iter().rposition(|segment| segment.eq_ignore_ascii_case("providers"))?;
        match segments[last + 1..] {
            [namespace, kind, ..] => Some(format!("{namespace}/{kind}")),
            [_] | [] => None,
        }
    }

    /// The collection that this resource is in, when it is one of `resource_type`.
    #[must_use]
    pub fn collection_of(&self, resource_type: &str) -> Option<Self> {
        let (collection, name) = self.0.rsplit_once('/')?;
        let cut = collection.len().checked_sub(resource_type.len())?;
        let is_of_type = collection.get(cut..)?.eq_ignore_ascii_case(resource_type)
            && collection.get(..cut)?.to_ascii_lowercase().ends_with("/providers/");
        (is_of_type && !name.is_empty()).then(|| Self(collection.to_owned()))
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl FromStr for ResourceId {
    type Err = ResourceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ResourceIdError(text.to_owned());
        let path = text.strip_prefix('/').ok_or_else(error)?;
        if path.split('/').all(is_segment) { Ok(Self(text.to_owned())) } else { Err(error()) }
    }
}

/// Whether `text` can be one segment of an id, and nothing more.
fn is_segment(text: &str) -> bool {
    !(text.is_empty()
        || text == "."
        || text == ".."
        || text.chars().any(|c| c.is_control() || c.is_whitespace() || "/?#%\\".contains(c)))
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ResourceId {}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|byte| byte.hash(state));
    }
}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

text_form!(ResourceId, schema { "type": "string" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter() {
        let one: ResourceId = "/subscriptions/s/resourceGroups/RG".parse().unwrap();
        let other: ResourceId = "/Subscriptions/S/resourcegroups/rg".parse().unwrap();
        assert_eq!(one, other);
        assert_eq!(one.cmp(&other), Ordering::Equal);
        assert_eq!(one.segment_after("resourcegroups"), Some("RG"));
    }

    #[test]
    fn the_type_is_the_last_one() {
        let cluster = ResourceId::subscription("s").resource_group("rg").resource("A.B/c", "one");
        assert_eq!(cluster.resource_type().as_deref(), Some("A.B/c"));
        assert_eq!(cluster.resource("D.E/f", "two").resource_type().as_deref(), Some("D.E/f"));
        assert_eq!(cluster.collection("D.E/f").resource_type().as_deref(), Some("D.E/f"));
        assert_eq!(cluster.resource("D.E/f", "two").collection_of("d.e/F"), Some(cluster.collection("D.E/f")));
        assert_eq!(cluster.collection_of("D.E/f"), None);
        assert_eq!(cluster.collection("D.E/f").collection_of("D.E/f"), None);
        assert_eq!(ResourceId::subscription("s").provider("A.B").resource_type(), None);
        assert_eq!(ResourceId::subscription("s").resource_group("rg").resource_type(), None);
    }

    #[test]
    fn what_could_leave_its_path_is_refused() {
        for text in ["", "subscriptions/s", "/subscriptions//x", "/a/../b", "/a?b", "/a#b", "/a b", "/a%2fb"] {
            assert!(text.parse::<ResourceId>().is_err(), "{text}");
        }
        let cluster: ResourceId = "/subscriptions/s".parse().unwrap();
        for name in ["", ".", "..", "a/b", "../b", "a?b", "a#b", "a b", "a%2fb", "a\\b", "a\u{1b}"] {
            assert_eq!(cluster.named_resource("N/t", name), None, "{name}");
        }
        assert_eq!(cluster.named_resource("N/t", "a.b-1"), Some(cluster.resource("N/t", "a.b-1")));
    }
}
