//! Connecting a cluster to Azure Arc: what a spec says of it, and what that is in the words of ARM, `az` and helm
//! (`../shared/facts/az-cli-behaviour.md` §3).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{Agents, ConnectedAs, FieldPath, ResourceId};

/// How a cluster that is not connected to Azure Arc is connected. What is said here holds for connecting: a cluster that
/// is connected is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnboardSpec {
    /// The context of the kubeconfig that reaches the cluster. The kubeconfig itself is given by `--kubeconfig`.
    #[schemars(length(min = 1, max = 253), extend("examples" = ["store-001"]))]
    pub context: String,
    /// The Azure region that keeps the cluster's record; by default that of the resource group, where the spec names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["westeurope"]))]
    pub location: Option<String>,
    /// The distribution, such as `k3s`; by default the one that is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["k3s"]))]
    pub distribution: Option<String>,
    /// The infrastructure, such as `azure_stack_hci`; by default the one that is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["generic"]))]
    pub infrastructure: Option<String>,
    /// The proxy that the cluster's agents go through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxySpec>,
    /// The private link that the cluster's agents go through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_link: Option<PrivateLinkSpec>,
    /// Whether Azure publishes the cluster's OIDC issuer.
    #[serde(default)]
    pub oidc_issuer: bool,
    /// Whether workloads of the cluster may sign in to Azure by their service accounts.
    #[serde(default)]
    pub workload_identity: bool,
    /// Who connects: arcflux itself, or an `az` with the extension `connectedk8s`.
    #[serde(default)]
    pub via: Via,
}

/// Who connects a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Via {
    /// arcflux, with helm.
    #[default]
    Native,
    /// `az connectedk8s connect`.
    Az,
}

/// The proxy that agents go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxySpec {
    /// For https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://[^\s/]+/?$"), extend("examples" = ["http://proxy.contoso.com:3128"]))]
    pub https: Option<String>,
    /// For http.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://[^\s/]+/?$"), extend("examples" = ["http://proxy.contoso.com:3128"]))]
    pub http: Option<String>,
    /// What is reached without it: networks, addresses and name endings, with commas between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["10.0.0.0/16,kubernetes.default.svc,.svc.cluster.local,.svc"]))]
    pub skip_range: Option<String>,
    /// The certificate authority of the proxy, in PEM form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub cert: Option<String>,
}

/// The private link that agents go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivateLinkSpec {
    /// The resource id of the Azure Arc private link scope.
    #[schemars(regex(pattern = r"^/subscriptions/[^/\s]+/resource[gG]roups/[^/\s]+/providers/[^/\s]+/[^/\s]+/[^/\s]+$"), extend("examples" = ["/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-net/providers/Microsoft.HybridCompute/privateLinkScopes/edge"]))]
    pub scope: String,
}

/// What the Arc agents of a cluster are told of it, but for what is only known once they are installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// The region of the cluster's record.
    pub location: String,
    /// The distribution; the one that is found where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<String>,
    /// The infrastructure; the one that is found where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infrastructure: Option<String>,
    /// The proxy that they go through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxySpec>,
    /// Whether they go through a private link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private_link: bool,
}

/// A place for a value that exists only once the cluster is being connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterHole {
    /// The field that gets the value.
    pub path: FieldPath,
    /// The value.
    pub value: ClusterValue,
}

/// A value that exists only once a cluster is being connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClusterValue {
    /// The public half of a key pair that is made then: base64 of its DER form. The other half goes to the agents.
    PublicKey,
    /// The distribution that is found.
    Distribution,
    /// The infrastructure that is found.
    Infrastructure,
}

impl ClusterValue {
    /// What it is, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::PublicKey => "the public key that is made then",
            Self::Distribution => "the distribution that is found",
            Self::Infrastructure => "the infrastructure that is found",
        }
    }
}

/// Where the public key of the agents stands in the record of a cluster.
pub const PUBLIC_KEY: &str = "properties.agentPublicKeyCertificate";

/// The public key of the agents in a live record.
#[must_use]
pub fn public_key(live: &Value) -> Option<&str> {
    live.pointer("/properties/agentPublicKeyCertificate").and_then(Value::as_str)
}

impl OnboardSpec {
    /// The region, in ARM's spelling: `westeurope`. Empty where no rule has seen to one.
    #[must_use]
    pub fn region(&self) -> String {
        self.location.as_deref().unwrap_or_default().replace(' ', "").to_ascii_lowercase()
    }

    /// The record that makes a cluster known to Azure, but for what is only known then
    /// (`../shared/facts/az-cli-behaviour.md` §3, step 14).
    #[must_use]
    pub fn record(&self) -> (Value, Vec<ClusterHole>) {
        let mut body = json!({"location": self.region(), "identity": {"type": "SystemAssigned"}, "properties": {}});
        let mut holes = vec![hole(PUBLIC_KEY, ClusterValue::PublicKey)];
        let said = [
            ("properties.distribution", &self.distribution, ClusterValue::Distribution),
            ("properties.infrastructure", &self.infrastructure, ClusterValue::Infrastructure),
        ];
        for (path, said, found) in said {
            match said {
                Some(said) => FieldPath::dotted(path).set(&mut body, json!(said)),
                None => holes.push(hole(path, found)),
            }
        }
        let mut set = |path: &str, value: Value| FieldPath::dotted(path).set(&mut body, value);
        if let Some(PrivateLinkSpec { scope }) = &self.private_link {
            set("properties.privateLinkState", json!("Enabled"));
            set("properties.privateLinkScopeResourceId", json!(scope));
        }
        if self.oidc_issuer {
            set("properties.oidcIssuerProfile.enabled", json!(true));
        }
        if self.workload_identity {
            set("properties.securityProfile.workloadIdentity.enabled", json!(true));
        }
        (body, holes)
    }

    /// What the agents are told of the cluster.
    #[must_use]
    pub fn agents(&self) -> AgentSettings {
        AgentSettings {
            location: self.region(),
            distribution: self.distribution.clone(),
            infrastructure: self.infrastructure.clone(),
            proxy: self.proxy.clone(),
            private_link: self.private_link.is_some(),
        }
    }

    /// The arguments of `az` that connect the cluster (`../shared/facts/az-cli-behaviour.md` §3).
    #[must_use]
    pub fn az_connect(&self, cluster: &ResourceId) -> Vec<String> {
        let mut arguments = self.az("connect", cluster);
        let region = self.region();
        let mut option = |name: &str, value: Option<&str>| {
            arguments.extend(value.into_iter().flat_map(|value| [name.to_owned(), value.to_owned()]));
        };
        option("--location", Some(&region));
        option("--distribution", self.distribution.as_deref());
        option("--infrastructure", self.infrastructure.as_deref());
        if let Some(ProxySpec { https, http, skip_range, cert: _ }) = &self.proxy {
            option("--proxy-https", https.as_deref());
            option("--proxy-http", http.as_deref());
            option("--proxy-skip-range", skip_range.as_deref());
        }
        if let Some(PrivateLinkSpec { scope }) = &self.private_link {
            option("--enable-private-link", Some("true"));
            option("--private-link-scope-resource-id", Some(scope));
        }
        let flags =
            [("--enable-oidc-issuer", self.oidc_issuer), ("--enable-workload-identity", self.workload_identity)];
        arguments.extend(flags.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name.to_owned()));
        arguments.push("--yes".to_owned());
        arguments
    }

    /// The arguments of `az` that disconnect the cluster.
    #[must_use]
    pub fn az_delete(&self, cluster: &ResourceId) -> Vec<String> {
        let mut arguments = self.az("delete", cluster);
        arguments.push("--yes".to_owned());
        arguments
    }

    fn az(&self, verb: &str, cluster: &ResourceId) -> Vec<String> {
        let part = |key: &str| cluster.segment_after(key).unwrap_or_default();
        [
            "connectedk8s",
            verb,
            "--name",
            cluster.name(),
            "--resource-group",
            part("resourceGroups"),
            "--subscription",
            part("subscriptions"),
            "--kube-context",
            &self.context,
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

fn hole(path: &str, value: ClusterValue) -> ClusterHole {
    ClusterHole { path: FieldPath::dotted(path), value }
}

/// Whose agents are on a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// There are none.
    Nobodys,
    /// They speak for the cluster in question. Holds whether all of them are installed.
    Ours {
        /// Whether the release is deployed.
        is_deployed: bool,
    },
    /// Something of them is there, and it does not say for which cluster.
    Unknown,
    /// They speak for another one.
    Others(&'a ConnectedAs),
}

impl<'a> Whose<'a> {
    /// Whose these agents are, seen from `cluster`. Names have no case.
    #[must_use]
    pub fn of(agents: Option<&'a Agents>, cluster: &ResourceId) -> Self {
        let Some(Agents { release, connected_as }) = agents else { return Self::Nobodys };
        let Some(speaks_for) = connected_as else { return Self::Unknown };
        let is = |key: &str, said: &str| cluster.segment_after(key).is_some_and(|own| own.eq_ignore_ascii_case(said));
        let ConnectedAs { subscription, resource_group, name } = speaks_for;
        match is("subscriptions", subscription) && is("resourceGroups", resource_group) && is("connectedClusters", name)
        {
            true => Self::Ours { is_deployed: release == "deployed" },
            false => Self::Others(speaks_for),
        }
    }
}

/// The regions that a live registration of `Microsoft.Kubernetes` names for connected clusters; `None` where it names
/// none.
#[must_use]
pub fn regions(registration: &Value) -> Option<Vec<&str>> {
    let types = registration.get("resourceTypes")?.as_array()?;
    let named = |one: &&Value| {
        one.get("resourceType")
            .and_then(Value::as_str)
            .is_some_and(|name| name.eq_ignore_ascii_case("connectedClusters"))
    };
    let regions: Vec<&str> =
        types.iter().find(named)?.get("locations")?.as_array()?.iter().filter_map(Value::as_str).collect();
    (!regions.is_empty()).then_some(regions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> ResourceId {
        ResourceId::subscription("3f0c")
            .resource_group("rg-edge")
            .resource("Microsoft.Kubernetes/connectedClusters", "store-001")
    }

    fn spec(text: &str) -> OnboardSpec {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn what_is_not_said_is_found_then() {
        let (record, holes) = spec("{context: store, location: West Europe, infrastructure: aws}").record();
        assert_eq!(
            record,
            json!({"location": "westeurope", "identity": {"type": "SystemAssigned"},
                "properties": {"infrastructure": "aws"}})
        );
        let places: Vec<String> = holes.iter().map(|hole| hole.path.to_string()).collect();
        assert_eq!(places, ["properties.agentPublicKeyCertificate", "properties.distribution"]);
    }

    #[test]
    fn everything_is_said_to_az_in_its_words() {
        let all = spec(
            "{context: store, location: westeurope, distribution: k3s, proxy: {https: 'http://p:1', skipRange: .svc}, \
             privateLink: {scope: /s}, oidcIssuer: true, workloadIdentity: true, via: az}",
        );
        assert_eq!(
            all.az_connect(&cluster()).join(" "),
            "connectedk8s connect --name store-001 --resource-group rg-edge --subscription 3f0c --kube-context store \
             --location westeurope --distribution k3s --proxy-https http://p:1 --proxy-skip-range .svc \
             --enable-private-link true --private-link-scope-resource-id /s --enable-oidc-issuer \
             --enable-workload-identity --yes"
        );
    }

    #[test]
    fn agents_say_whose_they_are() {
        let agents = |release: &str, name: Option<&str>| Agents {
            release: release.to_owned(),
            connected_as: name.map(|name| ConnectedAs {
                subscription: "3F0C".to_owned(),
                resource_group: "RG-edge".to_owned(),
                name: name.to_owned(),
            }),
        };
        let whose = |agents: &Agents| format!("{:?}", Whose::of(Some(agents), &cluster()));
        assert_eq!(Whose::of(None, &cluster()), Whose::Nobodys);
        assert_eq!(whose(&agents("deployed", Some("Store-001"))), "Ours { is_deployed: true }");
        assert_eq!(whose(&agents("pending-install", Some("store-001"))), "Ours { is_deployed: false }");
        assert_eq!(whose(&agents("failed", None)), "Unknown");
        assert!(whose(&agents("deployed", Some("store-002"))).starts_with("Others"));
    }
}
