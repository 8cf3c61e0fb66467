//! Namespaces, and what Flux may do: the service account that it acts as, and what that is bound to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Note, Object};
use crate::kinds::flux_configuration::{ConfigurationSpec, Scope};

/// The service account that Flux acts as under multi-tenancy (`../shared/facts/domain.md` §1.3).
pub(super) const SERVICE_ACCOUNT: &str = "flux-applier";

/// Namespaces that every cluster has.
const BUILT_IN: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// The scopes in use, by namespace.
fn scopes<'a>(
    configurations: impl Iterator<Item = &'a ConfigurationSpec>,
) -> BTreeMap<&'a str, BTreeSet<&'static str>> {
    let mut scopes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ConfigurationSpec { namespace, scope, .. } in configurations {
        scopes.entry(namespace).or_default().insert(match scope {
            Scope::Cluster => CLUSTER,
            Scope::Namespace => NAMESPACE,
        });
    }
    scopes
}

const CLUSTER: &str = "cluster";
const NAMESPACE: &str = "namespace";

/// The namespaces, then the access that each scope gives: `cluster` to everything, `namespace` to all of the namespace and
/// nothing else.
pub(super) fn objects<'a>(configurations: impl Iterator<Item = &'a ConfigurationSpec>) -> Vec<Object> {
    let scopes = scopes(configurations);
    let made = scopes.keys().filter(|namespace| !BUILT_IN.contains(namespace));
    let mut objects: Vec<Object> =
        made.map(|namespace| Object::new("v1", "Namespace", None, namespace, Value::Null)).collect();
    for (namespace, scopes) in &scopes {
        objects.push(Object::new("v1", "ServiceAccount", Some(namespace), SERVICE_ACCOUNT, Value::Null));
        if scopes.contains(CLUSTER) {
            let name = format!("{SERVICE_ACCOUNT}-{namespace}");
            objects.push(Object::new(RBAC, "ClusterRoleBinding", None, &name, bound(namespace)));
        }
        if scopes.contains(NAMESPACE) {
            objects.push(Object::new(RBAC, "RoleBinding", Some(namespace), SERVICE_ACCOUNT, bound(namespace)));
        }
    }
    objects
}

/// What is to be said of configurations that share a namespace, and with it the service account.
pub(super) fn notes<'a>(configurations: impl Iterator<Item = &'a ConfigurationSpec>) -> Vec<Note> {
    let shared = scopes(configurations).into_iter().filter(|(_, scopes)| scopes.len() > 1);
    shared
        .map(|(namespace, _)| Note {
            configuration: None,
            message: format!(
                "configurations of both scopes are in the namespace {namespace} and share its service account \
                 {SERVICE_ACCOUNT}: those of scope `namespace` may change the whole cluster, too"
            ),
        })
        .collect()
}

fn bound(namespace: &str) -> Value {
    json!({
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": namespace }],
    })
}
