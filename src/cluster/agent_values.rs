//! The helm values of the Arc agents (`../shared/facts/az-cli-behaviour.md` §3, step 18), without the private key. Pure.
//!
//! What is later in this list wins: what `az` sets for everybody, what the configuration data plane says, what a file of the
//! user says, and what is known of this cluster. A file can so switch something off, and cannot make the agents speak for
//! another cluster.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What is known of the cluster that the agents are installed on.
#[derive(Debug, Clone, Copy)]
pub struct AgentFacts<'a> {
    /// Subscription of the connected cluster.
    pub subscription: &'a str,
    /// Its resource group.
    pub resource_group: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its location.
    pub location: &'a str,
    /// The tenant of its subscription.
    pub tenant: &'a str,
    /// What the agents call the cloud: `AZUREPUBLICCLOUD`.
    pub azure_environment: &'a str,
    /// `distribution` of the connected cluster.
    pub distribution: &'a str,
    /// `infrastructure` of the connected cluster.
    pub infrastructure: &'a str,
    /// Through what the agents reach Azure.
    pub proxy: Option<AgentProxy<'a>>,
    /// Whether they reach it by a private link. Cluster connect does not work over one.
    pub private_link: bool,
}

/// Through what the agents reach Azure.
#[derive(Debug, Clone, Copy, Default)]
pub struct AgentProxy<'a> {
    /// The proxy for `https`.
    pub https: Option<&'a str>,
    /// The proxy for `http`.
    pub http: Option<&'a str>,
    /// Hosts and ranges that are reached without it, separated by commas.
    pub skip_range: Option<&'a str>,
    /// The certificate that is to be trusted for it, in PEM form.
    pub certificate: Option<&'a str>,
}

/// The values. `settings` are those of the configuration data plane, by their path; `file` is a mapping that a user gave.
#[must_use]
pub fn agent_values(facts: &AgentFacts<'_>, settings: &BTreeMap<String, Value>, file: Option<&Value>) -> Value {
    let mut values = Value::Object(Map::new());
    set(&mut values, "systemDefaultValues.spnOnboarding", false.into());
    set(&mut values, "systemDefaultValues.clusterconnect-agent.enabled", true.into());
    for (path, value) in settings {
        set(&mut values, path, typed(path, value));
    }
    if let Some(file) = file {
        lay_over(&mut values, file);
    }
    let AgentFacts {
        subscription,
        resource_group,
        name,
        location,
        tenant,
        azure_environment,
        distribution,
        infrastructure,
        proxy,
        private_link,
    } = *facts;
    for (path, text) in [
        ("global.subscriptionId", subscription),
        ("global.resourceGroupName", resource_group),
        ("global.resourceName", name),
        ("global.location", location),
        ("global.tenantId", tenant),
        ("global.azureEnvironment", azure_environment),
        ("global.kubernetesDistro", distribution),
        ("global.kubernetesInfra", infrastructure),
    ] {
        set(&mut values, path, text.into());
    }
    if let Some(proxy) = proxy {
        set_proxy(&mut values, proxy);
    }
    if private_link {
        set(&mut values, "systemDefaultValues.clusterconnect-agent.enabled", false.into());
    }
    values
}

fn set_proxy(values: &mut Value, proxy: AgentProxy<'_>) {
    let AgentProxy { https, http, skip_range, certificate } = proxy;
    for (path, text) in [
        ("global.httpsProxy", https),
        ("global.httpProxy", http),
        ("global.noProxy", skip_range),
        ("global.proxyCert", certificate),
    ] {
        if let Some(text) = text {
            set(values, path, text.into());
        }
    }
    if certificate.is_some() {
        set(values, "global.isCustomCert", true.into());
    }
    if https.or(http).or(skip_range).is_some() {
        set(values, "global.isProxyEnabled", true.into());
    }
}

/// Puts `value` at `path`, whose segments are separated by dots; what is in its way and no mapping goes.
fn set(values: &mut Value, path: &str, value: Value) {
    let mut place = values;
    for segment in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[segment];
    }
    *place = value;
}

/// Lays `over` over `values`, mapping by mapping.
fn lay_over(values: &mut Value, over: &Value) {
    match over {
        Value::Object(over) => {
            if !values.is_object() {
                *values = Value::Object(Map::new());
            }
            for (name, value) in over {
                lay_over(&mut values[name.as_str()], value);
            }
        }
        other => *values = other.clone(),
    }
}

/// A value of the data plane as `--set` of helm reads it, since that is how `az` hands it over: the text `True` is true. A
/// chart that is given the text `False` would take it for yes.
fn typed(path: &str, value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return value.clone();
    };
    if text.eq_ignore_ascii_case("true") {
        return true.into();
    }
    if text.eq_ignore_ascii_case("false") {
        return false.into();
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Null;
    }
    // A resource group may be called 0815, and stays text.
    let is_number = text == "0" || !text.starts_with('0');
    let number = text.parse::<i64>().ok().filter(|_| is_number && !path.starts_with("global."));
    number.map_or_else(|| value.clone(), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FACTS: AgentFacts<'static> = AgentFacts {
        subscription: "3f0c1e52-6f5a-4c39-9a53-1f2d7b8f4a10",
        resource_group: "rg-edge",
        name: "store-001",
        location: "westeurope",
        tenant: "7a1c3e5f-0b2d-4c6e-8f90-a1b2c3d4e5f6",
        azure_environment: "AZUREPUBLICCLOUD",
        distribution: "k3s",
        infrastructure: "generic",
        proxy: None,
        private_link: false,
    };

    /// As recorded: `vme.test_vme_upgrade_live`, interaction 33.
    fn recorded() -> BTreeMap<String, Value> {
        let settings = json!({
            "global.subscriptionId": "another",
            "global.extensionBundleFeatureFlag": "Enabled",
            "systemDefaultValues.azureArcAgents.autoUpdate": "True",
        });
        settings.as_object().unwrap().clone().into_iter().collect()
    }

    #[test]
    fn recorded_settings_become_nested_values() {
        let expected = json!({
            "systemDefaultValues": {
                "spnOnboarding": false,
                "clusterconnect-agent": {"enabled": true},
                "azureArcAgents": {"autoUpdate": true},
            },
            "global": {
                "extensionBundleFeatureFlag": "Enabled",
                "subscriptionId": "3f0c1e52-6f5a-4c39-9a53-1f2d7b8f4a10",
                "resourceGroupName": "rg-edge",
                "resourceName": "store-001",
                "location": "westeurope",
                "tenantId": "7a1c3e5f-0b2d-4c6e-8f90-a1b2c3d4e5f6",
                "azureEnvironment": "AZUREPUBLICCLOUD",
                "kubernetesDistro": "k3s",
                "kubernetesInfra": "generic",
            },
        });
        assert_eq!(agent_values(&FACTS, &recorded(), None), expected);
    }

    #[test]
    fn a_file_switches_off_and_does_not_name_another_cluster() {
        let file = json!({
            "global": {"resourceName": "store-002", "azureArcAgents": {"image": "registry.contoso.com/agents"}},
            "systemDefaultValues": {"clusterconnect-agent": {"enabled": false}},
        });
        let values = agent_values(&FACTS, &recorded(), Some(&file));
        assert_eq!(values["systemDefaultValues"]["clusterconnect-agent"]["enabled"], false);
        assert_eq!(values["systemDefaultValues"]["azureArcAgents"]["autoUpdate"], true);
        assert_eq!(values["global"]["resourceName"], "store-001");
        assert_eq!(values["global"]["azureArcAgents"]["image"], "registry.contoso.com/agents");
    }

    #[test]
    fn proxies_and_private_links() {
        let proxy = AgentProxy {
            https: Some("http://proxy:3128"),
            skip_range: Some("10.0.0.0/8,.svc"),
            certificate: Some("-----BEGIN CERTIFICATE-----\n"),
            ..AgentProxy::default()
        };
        let facts = AgentFacts { proxy: Some(proxy), private_link: true, ..FACTS };
        let values = agent_values(&facts, &BTreeMap::new(), None);
        let global = &values["global"];
        assert_eq!(global["httpsProxy"], "http://proxy:3128");
        assert_eq!(global["noProxy"], "10.0.0.0/8,.svc");
        assert_eq!(global["proxyCert"], "-----BEGIN CERTIFICATE-----\n");
        assert_eq!((&global["isProxyEnabled"], &global["isCustomCert"]), (&json!(true), &json!(true)));
        assert_eq!(global.get("httpProxy"), None);
        assert_eq!(values["systemDefaultValues"]["clusterconnect-agent"]["enabled"], false);
    }

    #[test]
    fn texts_are_read_as_helm_reads_them() {
        for (path, text, expected) in [
            ("a.b", "TRUE", json!(true)),
            ("a.b", "false", json!(false)),
            ("a.b", "null", json!(null)),
            ("a.b", "3", json!(3)),
            ("a.b", "0", json!(0)),
            ("a.b", "007", json!("007")),
            ("a.b", "1.5", json!("1.5")),
            ("global.resourceGroupName", "815", json!("815")),
            ("a.b", "", json!("")),
        ] {
            assert_eq!(typed(path, &json!(text)), expected, "{path}={text}");
        }
        assert_eq!(typed("a", &json!({"b": "True"})), json!({"b": "True"}));
    }

    #[test]
    fn a_path_through_a_text_replaces_it() {
        let mut values = json!({"a": "text"});
        set(&mut values, "a.b.c", json!(1));
        assert_eq!(values, json!({"a": {"b": {"c": 1}}}));
    }
}
