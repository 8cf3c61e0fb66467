//! What is seen of a cluster.

use futures::future::join_all;
use serde_json::{Value, json};

use super::api::{Api, Failed};
use super::release::Release;
use super::{AGENTS_NAMESPACE, ClusterError, RELEASE_NAMESPACE, nodes};
use crate::model::{Agents, ConnectedAs, Sight};

/// How many nodes are looked at. They differ little.
const NODES: usize = 100;

/// What somebody who installs the agents must be allowed to do: verb, API group, resource, namespace.
const NEEDED: &[(&str, &str, &str, Option<&str>)] = &[
    ("create", "rbac.authorization.k8s.io", "clusterrolebindings", None),
    ("create", "rbac.authorization.k8s.io", "clusterroles", None),
    ("create", "apiextensions.k8s.io", "customresourcedefinitions", None),
    ("create", "", "namespaces", None),
    ("create", "", "secrets", Some(RELEASE_NAMESPACE)),
    ("create", "apps", "deployments", Some(AGENTS_NAMESPACE)),
];

/// Looks at a cluster.
pub(super) async fn look(api: &Api) -> Result<Sight, ClusterError> {
    let version = api.get("/version").await?.unwrap_or_default();
    let Some(version) = version["gitVersion"].as_str() else {
        return Err(api.error("it answers, but not as the API of a Kubernetes cluster does".to_owned(), None));
    };
    let mut forbidden = forbidden(api).await?;
    let nodes = match api.get(&format!("/api/v1/nodes?limit={NODES}")).await {
        Ok(list) => list.and_then(|list| list["items"].as_array().cloned()),
        Err(Failed::Forbidden(_)) => {
            forbidden.push("list nodes".to_owned());
            None
        }
        Err(Failed::Other(error)) => return Err(error),
    };
    Ok(Sight {
        version: version.to_owned(),
        distribution: nodes::distribution(nodes.as_deref().unwrap_or_default()),
        infrastructure: nodes::infrastructure(nodes.as_deref().unwrap_or_default()),
        // Of nodes that may not be seen it is not said that none would do.
        has_linux_node: nodes.as_deref().is_none_or(nodes::has_linux),
        forbidden,
        agents: agents(api).await?,
    })
}

/// What whoever is signed in may not do, of what is needed.
async fn forbidden(api: &Api) -> Result<Vec<String>, ClusterError> {
    let reviews = join_all(NEEDED.iter().map(|needed| is_allowed(api, needed))).await;
    let mut forbidden = Vec::new();
    for ((verb, _, resource, namespace), allowed) in NEEDED.iter().zip(reviews) {
        if !allowed? {
            let place = namespace.map(|namespace| format!(" in {namespace}")).unwrap_or_default();
            forbidden.push(format!("{verb} {resource}{place}"));
        }
    }
    Ok(forbidden)
}

async fn is_allowed(
    api: &Api,
    (verb, group, resource, namespace): &(&str, &str, &str, Option<&str>),
) -> Result<bool, ClusterError> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "verb": verb,
            "group": group,
            "resource": resource,
            "namespace": namespace.unwrap_or_default(),
        }},
    });
    let answer = api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).await?;
    Ok(answer.is_some_and(|answer| answer["status"]["allowed"] == true))
}

/// The agents, by their release. Without one, nothing is left that helm could bring up to date.
async fn agents(api: &Api) -> Result<Option<Agents>, ClusterError> {
    let Some(release) = Release::find(api).await? else {
        return Ok(None);
    };
    let path = format!("/api/v1/namespaces/{AGENTS_NAMESPACE}/configmaps/azure-clusterconfig");
    let map = api.get(&path).await?;
    Ok(Some(Agents { release: release.status, connected_as: map.as_ref().and_then(connected_as) }))
}

/// What the ConfigMap of the agents says. One that says less than it should says nothing.
fn connected_as(map: &Value) -> Option<ConnectedAs> {
    let text = |name: &str| map["data"][name].as_str().map(str::to_owned).filter(|text| !text.is_empty());
    Some(ConnectedAs {
        subscription: text("AZURE_SUBSCRIPTION_ID")?,
        resource_group: text("AZURE_RESOURCE_GROUP")?,
        name: text("AZURE_RESOURCE_NAME")?,
    })
}
