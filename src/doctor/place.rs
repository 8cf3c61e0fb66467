//! Whether resource providers are registered, and whether what is to be there is offered where the clusters are.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::graph::{Graph, Want};
use crate::kinds::provider::{Registration, registration};
use crate::model::{LiveState, Reading, ResourceId};
use crate::plan::{Check, Checked};
use crate::spec::{Desired, DesiredCluster};

/// How each provider that the spec needs is registered.
pub(super) fn registrations(graph: &Graph, live: &LiveState) -> Vec<Check> {
    let providers = graph.nodes().iter().filter(|node| matches!(node.want, Want::Registered));
    providers
        .map(|node| judge_registration(node.id.name(), live.readings.get(&node.id)).about(node.address.to_string()))
        .collect()
}

fn judge_registration(namespace: &str, reading: Option<&Reading>) -> Check {
    let command = format!("`az provider register --namespace {namespace} --wait`");
    match reading {
        Some(Reading::Present(body)) => match registration(body) {
            Registration::Registered => Check::ok(Checked::Registration, "registered"),
            Registration::Registering => Check::ok(Checked::Registration, "being registered; an apply waits for it"),
            Registration::NotRegistered(state) => {
                Check::warning(Checked::Registration, format!("{state}: an apply registers it, and waits"))
                    .mended_by(format!("nothing, or {command}"))
            }
        },
        Some(Reading::Denied(message)) => {
            Check::problem(Checked::Registration, format!("it may not be read: {message}"))
                .mended_by("ask for the role Reader on the subscription")
        }
        Some(Reading::Missing(_)) | None => Check::problem(Checked::Registration, "this cloud does not have it")
            .mended_by("look at what it has: `az provider list --query \"[].namespace\"`"),
    }
}

/// Whether the type of each cluster is offered where the cluster is.
pub(super) fn locations(desired: &Desired, live: &LiveState) -> Vec<Check> {
    let places: BTreeSet<(String, ResourceId, &str)> = desired
        .clusters
        .iter()
        .filter_map(|cluster| {
            let resource_type = cluster.cluster.cluster_type.resource_type();
            let namespace = resource_type.split('/').next()?;
            let provider = ResourceId::subscription(&cluster.subscription).provider(namespace);
            Some((location(cluster, live)?, provider, resource_type))
        })
        .collect();
    let checks = places.into_iter().map(|(location, provider, resource_type)| {
        judge_location(&location, resource_type, live.body(&provider)).about(location)
    });
    let checks: Vec<Check> = checks.collect();
    if checks.is_empty() {
        return vec![Check::not_tried(Checked::Location, "a cluster that exists, or a resource group with a location")];
    }
    checks
}

/// The locations of the clusters, where they are known.
pub(super) fn cluster_locations(desired: &Desired, live: &LiveState) -> BTreeSet<String> {
    desired.clusters.iter().filter_map(|cluster| location(cluster, live)).collect()
}

/// Where a cluster is, else where its group is to be, as Azure names locations.
fn location(cluster: &DesiredCluster, live: &LiveState) -> Option<String> {
    let of = |id: &ResourceId| live.body(id)?.get("location").and_then(Value::as_str);
    let onboard = cluster.cluster.onboard.as_ref().and_then(|onboard| onboard.location.as_deref());
    let found = of(&cluster.id()).or(onboard).or_else(|| of(&cluster.group_id()));
    found.or(cluster.resource_group.location.as_deref()).map(plain).filter(|location| !location.is_empty())
}

/// The name of a location: display names have spaces and capitals (`../shared/facts/arm-contracts.md` §4).
fn plain(location: &str) -> String {
    location.split_whitespace().collect::<String>().to_lowercase()
}

fn judge_location(location: &str, resource_type: &str, provider: Option<&Value>) -> Check {
    let kind = resource_type.split_once('/').map(|(_, kind)| kind).unwrap_or_default();
    let types = provider.and_then(|provider| provider.get("resourceTypes")).and_then(Value::as_array);
    let entry = types.into_iter().flatten().find(|entry| {
        entry.get("resourceType").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(kind))
    });
    let offered: Vec<String> = entry
        .and_then(|entry| entry.get("locations"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(plain)
        .collect();
    if offered.is_empty() {
        return Check::warning(Checked::Location, format!("the provider does not say where there are {resource_type}"));
    }
    if offered.iter().any(|known| known == location) {
        return Check::ok(Checked::Location, format!("there are {resource_type}"));
    }
    let namespace = resource_type.split('/').next().unwrap_or_default();
    Check::problem(Checked::Location, format!("{resource_type} are not offered there")).mended_by(format!(
        "choose one of `az provider show -n {namespace} --query \"resourceTypes[?resourceType=='{kind}'].locations\"`"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Standing;

    #[test]
    fn locations_compare_as_azure_names_them() {
        let provider = json!({"resourceTypes": [
            {"resourceType": "locations", "locations": []},
            {"resourceType": "ConnectedClusters", "locations": ["West Europe", "East US 2"]},
        ]});
        let judge = |location: &str| {
            judge_location(&plain(location), "Microsoft.Kubernetes/connectedClusters", Some(&provider)).standing
        };
        assert_eq!(judge("westeurope"), Standing::Ok);
        assert_eq!(judge("East US 2"), Standing::Ok);
        assert_eq!(judge("moon"), Standing::Problem);
        assert_eq!(judge_location("moon", "A/b", None).standing, Standing::Warning);
    }
}
