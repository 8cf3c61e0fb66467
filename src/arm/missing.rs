//! What a 404 says is missing. ARM answers `ResourceNotFound` both for the resource asked for and for the cluster
//! above it (`../shared/facts/az-cli-behaviour.md` §7).

use super::request::subscription;
use super::{ArmError, Refusal};
use crate::model::Missing;

impl ArmError {
    /// What is missing, when this error says that the resource asked for, or something above it, does not exist.
    ///
    /// `None` for every other error, and for a 404 that says nothing about existence: an unknown resource type or
    /// api-version, or a page that no Azure service wrote.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        self.refusal().and_then(missing)
    }

    /// ARM's sentence, when it says that the caller lacks the permission (`AuthorizationFailed`).
    #[must_use]
    pub fn denied(&self) -> Option<&str> {
        let refusal = self.refusal()?;
        (refusal.status == 403 && refusal.has_code("AuthorizationFailed")).then_some(refusal.message.as_str())
    }
}

fn missing(refusal: &Refusal) -> Option<Missing> {
    let about_types = ["InvalidResourceType", "InvalidResourceNamespace", "NoRegisteredProviderFound"];
    if refusal.status != 404 || !refusal.from_arm || about_types.iter().any(|code| refusal.has_code(code)) {
        return None;
    }
    let asked = Asked::of(&refusal.request.path);
    let itself = if refusal.has_code("SubscriptionNotFound") && names(&refusal.message, asked.subscription) {
        asked.is_subscription()
    } else if refusal.has_code("ResourceGroupNotFound") {
        asked.is_group()
    } else if refusal.has_code("ParentResourceNotFound") {
        false
    } else {
        match named_resource(&refusal.message) {
            Some(named) => asked.ends_as(named),
            // A provider that answers was reached, so everything above the resource exists. ARM itself answers in
            // the place of a provider only when something above is missing.
            None => !refusal.by_gateway,
        }
    };
    Some(if itself { Missing::Itself } else { Missing::Parent(refusal.message.clone()) })
}

/// The resource in `The Resource 'TYPE/NAME' under resource group 'GROUP' was not found`: ARM's own sentence.
fn named_resource(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("The Resource '")?;
    let (named, rest) = rest.split_once('\'')?;
    rest.trim_start().starts_with("under resource group").then_some(named)
}

/// Whether `message` has `word` in it, whatever the casing.
fn names(message: &str, word: Option<&str>) -> bool {
    word.is_some_and(|word| message.to_ascii_lowercase().contains(&word.to_ascii_lowercase()))
}

/// The path of a call, taken apart.
struct Asked<'a> {
    segments: Vec<&'a str>,
    subscription: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn of(path: &'a str) -> Self {
        Self { segments: path.trim_matches('/').split('/').collect(), subscription: subscription(path) }
    }

    fn is_subscription(&self) -> bool {
        self.subscription.is_some() && self.segments.len() == 2
    }

    fn is_group(&self) -> bool {
        matches!(self.segments.as_slice(), [_, _, key, _] if key.eq_ignore_ascii_case("resourceGroups"))
    }

    /// Whether `TYPE/NAME` names the very resource asked for: all that stands after a `providers` segment.
    fn ends_as(&self, named: &str) -> bool {
        let after_providers = |(index, segment): (usize, &&str)| {
            segment.eq_ignore_ascii_case("providers")
                && self.segments[index + 1..].join("/").eq_ignore_ascii_case(named)
        };
        self.segments.iter().enumerate().any(after_providers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::RequestLine;
    use ::http::Method;

    const GROUP: &str = "/subscriptions/5ub/resourceGroups/rg";
    const CLUSTER: &str = "/subscriptions/5ub/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/cc";
    const FLUX: &str = "/subscriptions/5ub/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/cc\
                        /providers/Microsoft.KubernetesConfiguration/fluxConfigurations/f1";
    const CLUSTER_GONE: &str = "The Resource 'Microsoft.Kubernetes/connectedClusters/CC' under resource group 'rg' \
                                was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix";

    fn refusal(path: &str, code: &str, message: &str, by_gateway: bool) -> Refusal {
        Refusal {
            status: 404,
            code: Some(code.into()),
            outer_code: None,
            message: message.into(),
            target: None,
            correlation_id: None,
            by_gateway,
            from_arm: true,
            request: RequestLine { method: Method::GET, path: path.into() },
        }
    }

    #[test]
    fn child_and_parent_are_told_apart() {
        let no_group = "Resource group 'rg' could not be found.";
        let no_subscription = "The subscription '5UB' could not be found.";
        let no_parent = "Failed to perform 'write' on resource(s) of type 'a/b', because the parent resource '/s' could not be found.";
        let collection = FLUX.strip_suffix("/f1").unwrap();
        for (path, code, message, by_gateway, itself) in [
            (FLUX, "ResourceNotFound", "The fluxConfiguration was not found. Name: 'f1'.", false, true),
            (FLUX, "ResourceNotFound", "Extension instance with name 'x' not found.", false, true),
            (FLUX, "ResourceNotFound", CLUSTER_GONE, true, false),
            (FLUX, "ResourceNotFound", CLUSTER_GONE, false, false),
            (collection, "ResourceNotFound", CLUSTER_GONE, true, false),
            (CLUSTER, "ResourceNotFound", CLUSTER_GONE, true, true),
            (FLUX, "ResourceNotFound", "Not here.", true, false),
            (CLUSTER, "ResourceGroupNotFound", no_group, true, false),
            (GROUP, "ResourceGroupNotFound", no_group, true, true),
            (GROUP, "SubscriptionNotFound", no_subscription, true, false),
            ("/subscriptions/5ub", "SubscriptionNotFound", no_subscription, true, true),
            (FLUX, "SubscriptionNotFound", "Rule does not exist", false, true),
            (FLUX, "ParentResourceNotFound", no_parent, true, false),
        ] {
            let expected = if itself { Missing::Itself } else { Missing::Parent(message.into()) };
            assert_eq!(missing(&refusal(path, code, message, by_gateway)), Some(expected), "{path} {code} {message}");
        }
    }

    #[test]
    fn what_says_nothing_about_existence_is_no_absence() {
        let unknown_type = "The resource type could not be found in the namespace 'N' for api version 'V'.";
        assert_eq!(missing(&refusal(FLUX, "InvalidResourceType", unknown_type, true)), None);
        let page = Refusal { from_arm: false, code: None, ..refusal(FLUX, "", "404 Not Found", false) };
        assert_eq!(missing(&page), None);
        assert_eq!(missing(&Refusal { status: 409, ..refusal(FLUX, "ResourceNotFound", "", false) }), None);
    }
}
