//! What a live cluster says of itself that matters to Flux: its distribution, and what workload identities and policies
//! need (`../shared/facts/arm-contracts.md` §3.3 and §3.5, `../shared/facts/domain.md` §1.2 and E6).

use serde_json::Value;

use super::cluster::ClusterType;

/// The extension type of Azure Policy on Arc-connected clusters, compared without case (Microsoft's
/// `governance/policy/concepts/policy-for-kubernetes`). On AKS it is an add-on.
const AZURE_POLICY: &str = "microsoft.policyinsights";

/// Whether something of a cluster is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// The cluster says that it is on.
    On,
    /// The cluster says that it is off.
    Off,
    /// The cluster does not say.
    NotSaid,
}

impl Feature {
    fn at(live: &Value, pointer: &str) -> Self {
        match live.pointer(pointer) {
            Some(Value::Bool(true)) => Self::On,
            Some(Value::Bool(false)) => Self::Off,
            Some(_) | None => Self::NotSaid,
        }
    }
}

/// Whether there is an issuer of the tokens of service accounts that Entra can ask.
#[must_use]
pub fn oidc_issuer(live: &Value) -> Feature {
    match issuer_url(live) {
        Some(_) => Feature::On,
        None => Feature::at(live, "/properties/oidcIssuerProfile/enabled"),
    }
}

/// Whether pods get such tokens.
#[must_use]
pub fn workload_identity(live: &Value) -> Feature {
    Feature::at(live, "/properties/securityProfile/workloadIdentity/enabled")
}

/// The URL of the issuer: of a connected cluster perhaps its own; ARM writes the key in two ways.
#[must_use]
pub fn issuer_url(live: &Value) -> Option<&str> {
    let profile = live.pointer("/properties/oidcIssuerProfile")?;
    let text = |key: &str| profile.get(key).and_then(Value::as_str).filter(|url| !url.is_empty());
    text("selfHostedIssuerUrl").or_else(|| text("issuerUrl")).or_else(|| text("issuerURL"))
}

/// Whether a connected cluster is OpenShift, in the word that `az` and the agents have for it.
#[must_use]
pub fn is_openshift(live: &Value) -> bool {
    let distribution = live.pointer("/properties/distribution").and_then(Value::as_str);
    distribution.is_some_and(|word| word.eq_ignore_ascii_case("openshift"))
}

/// Whether Azure Policy decides what may run in a cluster with these extensions. Engines that somebody installed without
/// Azure are not seen.
#[must_use]
pub fn has_azure_policy(live: Option<&Value>, extensions: &[Value]) -> bool {
    let add_ons = live.and_then(|live| live.pointer("/properties/addonProfiles")).and_then(Value::as_object);
    let is_add_on = add_ons.into_iter().flatten().any(|(name, add_on)| {
        name.eq_ignore_ascii_case("azurepolicy") && add_on.get("enabled") == Some(&Value::Bool(true))
    });
    let is_policy = |extension: &Value| {
        let found = extension.pointer("/properties/extensionType").and_then(Value::as_str);
        found.is_some_and(|found| found.eq_ignore_ascii_case(AZURE_POLICY))
    };
    is_add_on || extensions.iter().any(is_policy)
}

/// The command that switches on what workload identities need.
#[must_use]
pub fn enable_workload_identity(cluster_type: ClusterType, group: &str, name: &str) -> String {
    let verb = match cluster_type {
        ClusterType::ConnectedClusters => "connectedk8s",
        ClusterType::ManagedClusters => "aks",
    };
    format!("az {verb} update -g {group} -n {name} --enable-oidc-issuer --enable-workload-identity")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_said_is_neither_on_nor_off() {
        let said = |properties: Value| {
            let live = json!({"properties": properties});
            (oidc_issuer(&live), workload_identity(&live))
        };
        assert_eq!(said(json!({})), (Feature::NotSaid, Feature::NotSaid));
        assert_eq!(
            said(json!({
                "oidcIssuerProfile": {"enabled": false},
                "securityProfile": {"workloadIdentity": {"enabled": true}},
            })),
            (Feature::Off, Feature::On)
        );
        let own = json!({"oidcIssuerProfile": {"enabled": false, "selfHostedIssuerUrl": "https://oidc.contoso.com"}});
        assert_eq!(said(own).0, Feature::On, "an issuer of one's own");
    }

    #[test]
    fn azure_policy_is_an_add_on_or_an_extension() {
        let aks = |enabled: bool| json!({"properties": {"addonProfiles": {"azurePolicy": {"enabled": enabled}}}});
        assert!(has_azure_policy(Some(&aks(true)), &[]));
        assert!(!has_azure_policy(Some(&aks(false)), &[]));
        let extension = json!({"properties": {"extensionType": "Microsoft.PolicyInsights"}});
        assert!(has_azure_policy(None, &[extension]));
        assert!(!has_azure_policy(None, &[json!({"properties": {"extensionType": "microsoft.flux"}})]));
    }
}
