//! A small world to plan against: one cluster with one configuration, as the quickstart has it, and its live state
//! before and after it was applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use arcflux::graph::{self, FLUX_V1, Graph, Want};
use arcflux::kinds::api_versions::ApiVersions;
use arcflux::kinds::cluster::{ClusterSpec, ClusterType};
use arcflux::kinds::extension::{self, ExtensionSpec};
use arcflux::kinds::flux_configuration::{
    self, ConfigurationSpec, GitRepositorySpec, KustomizationSpec, Presence, Provider, Scope,
};
use arcflux::kinds::resource_group::ResourceGroupSpec;
use arcflux::model::{Listing, LiveState, Missing, Reading, ResourceId, Seconds};
use arcflux::plan::{self, ChartFrom, Choices, Options, Plan, SecretPolicy};
use arcflux::spec::{Desired, DesiredCluster, Policy};
use serde_json::{Value, json};

pub(crate) const COMMIT: &str = "5f0c1d2e3b4a59687766554433221100ffeeddcc";
const SUBSCRIPTION: &str = "3f0c1f6e-8f2a-4a52-9a5e-6d0a3c1b7e44";

/// What the quickstart asks for.
pub(crate) fn quickstart() -> Desired {
    let kustomization = |path: &str, depends_on: &[&str]| KustomizationSpec {
        path: path.to_owned(),
        depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
        interval: Seconds::ten_minutes(),
        timeout: Seconds::ten_minutes(),
        retry_interval: None,
        prune: true,
        force: false,
        wait: true,
        post_build: None,
    };
    let configuration = ConfigurationSpec {
        namespace: "flux-system".to_owned(),
        scope: Scope::Cluster,
        depends_on: Vec::new(),
        state: Presence::Present,
        protect: false,
        ignore: Vec::new(),
        allow: Vec::new(),
        suspend: false,
        wait_for_reconciliation: false,
        reconciliation_wait_duration: None,
        bucket: None,
        azure_blob: None,
        oci_repository: None,
        git_repository: Some(GitRepositorySpec {
            url: "https://github.com/contoso/gitops".to_owned(),
            branch: Some("main".to_owned()),
            tag: None,
            semver: None,
            commit: None,
            interval: Seconds::ten_minutes(),
            timeout: Seconds::ten_minutes(),
            provider: Provider::Generic,
            https_user: None,
            https_key: None,
            ssh_private_key: None,
            ssh_known_hosts: None,
            https_ca_cert: None,
            local_auth_ref: None,
        }),
        kustomizations: BTreeMap::from([
            ("infrastructure".to_owned(), kustomization("./clusters/store-001/coral-system/ManifestDeployments", &[])),
            (
                "app".to_owned(),
                kustomization("./clusters/store-001/retail/ApplicationRegistrations", &["infrastructure"]),
            ),
        ]),
    };
    Desired {
        file: "arcflux.yaml".to_owned(),
        newer: Vec::new(),
        tenant: None,
        policy: Policy::default(),
        api_versions: ApiVersions::default(),
        clusters: vec![DesiredCluster {
            spans: Arc::default(),
            key: None,
            subscription: SUBSCRIPTION.to_owned(),
            resource_group: ResourceGroupSpec { name: "rg-edge".to_owned(), location: None, tags: BTreeMap::new() },
            cluster: ClusterSpec {
                name: "store-001".to_owned(),
                cluster_type: ClusterType::ConnectedClusters,
                onboard: None,
            },
            labels: BTreeMap::new(),
            providers: ClusterType::ConnectedClusters.providers().iter().map(|name| (*name).to_owned()).collect(),
            extension: ExtensionSpec {
                name: "flux".to_owned(),
                multi_tenancy: Some(false),
                ..ExtensionSpec::default()
            },
            configurations: BTreeMap::from([("flux-system".to_owned(), configuration)]),
            absent: Vec::new(),
        }],
        expanded: json!({}),
    }
}

/// The one configuration of [`quickstart`].
pub(crate) fn configuration(desired: &mut Desired) -> &mut ConfigurationSpec {
    desired.clusters[0].configurations.get_mut("flux-system").unwrap()
}

/// Its source.
pub(crate) fn source(desired: &mut Desired) -> &mut GitRepositorySpec {
    configuration(desired).git_repository.as_mut().unwrap()
}

/// One of its kustomizations.
pub(crate) fn kustomization<'a>(desired: &'a mut Desired, name: &str) -> &'a mut KustomizationSpec {
    configuration(desired).kustomizations.get_mut(name).unwrap()
}

pub(crate) fn graph(desired: &Desired) -> Graph {
    graph::build(desired).unwrap()
}

/// A connected cluster in its group, Microsoft.Kubernetes registered, nothing else.
pub(crate) fn bare(desired: &Desired) -> LiveState {
    let mut live = LiveState::empty("2026-11-22T08:00:00Z".parse().unwrap());
    for node in graph(desired).nodes() {
        let reading = match &node.want {
            Want::Registered => {
                let state = if node.id.name() == "Microsoft.Kubernetes" { "Registered" } else { "NotRegistered" };
                Reading::Present(json!({ "registrationState": state }))
            }
            Want::Group(_) => Reading::Present(json!({"name": node.id.name(), "location": "westeurope"})),
            Want::Cluster(..) => {
                for resource_type in [extension::RESOURCE_TYPE, flux_configuration::RESOURCE_TYPE, FLUX_V1] {
                    live.listings.insert(node.id.collection(resource_type), Listing::Items(Vec::new()));
                }
                Reading::Present(json!({"name": node.id.name(), "properties": {
                    "provisioningState": "Succeeded", "connectivityStatus": "Connected", "agentVersion": "1.28.3",
                    "lastConnectivityTime": "2026-11-22T07:58:12Z",
                }}))
            }
            Want::Extension(..) => continue,
            Want::Configuration(_) | Want::Absent(_) | Want::Dropped(_) => Reading::Missing(Missing::Itself),
        };
        live.readings.insert(node.id.clone(), reading);
    }
    live
}

/// Everything that `desired` asks for, live and reconciled.
pub(crate) fn converged(desired: &Desired) -> LiveState {
    let mut live = bare(desired);
    for node in graph(desired).nodes() {
        match &node.want {
            Want::Registered => {
                live.readings.insert(node.id.clone(), Reading::Present(json!({"registrationState": "Registered"})));
            }
            Want::Group(_) | Want::Cluster(..) | Want::Absent(_) | Want::Dropped(_) => {}
            Want::Extension(spec, _) => {
                let mut body = extension::body(spec, "").json;
                body["name"] = json!(spec.name);
                body["properties"]["provisioningState"] = json!("Succeeded");
                body["properties"]["currentVersion"] = json!("1.24.1");
                body["properties"]["releaseTrain"] = json!("Stable");
                list(&mut live, node.cluster.as_ref().unwrap(), extension::RESOURCE_TYPE, body);
            }
            Want::Configuration(spec) => {
                let body = reconciled(node.id.name(), spec);
                list(&mut live, node.cluster.as_ref().unwrap(), flux_configuration::RESOURCE_TYPE, body.clone());
                live.readings.insert(node.id.clone(), Reading::Present(body));
            }
        }
    }
    live
}

/// A configuration as ARM shows it when Flux has applied all of it.
fn reconciled(name: &str, spec: &ConfigurationSpec) -> Value {
    let mut body = flux_configuration::body(spec).json;
    let status = |kind: &str, name: &str, message: &str, applied_by: Value| {
        json!({
            "kind": kind, "name": name, "namespace": spec.namespace, "complianceState": "Compliant",
            "appliedBy": applied_by,
            "statusConditions": [{"type": "Ready", "status": "True", "reason": "Succeeded", "message": message}],
        })
    };
    let mut statuses = vec![status("GitRepository", name, "stored artifact", Value::Null)];
    for kustomization in spec.kustomizations.keys() {
        let object = format!("{name}-{kustomization}");
        statuses.push(status("Kustomization", &object, &format!("Applied revision: main@sha1:{COMMIT}"), Value::Null));
    }
    statuses.push(status(
        "HelmRelease",
        "checkout",
        "Helm install succeeded",
        json!({"name": format!("{name}-app"), "namespace": spec.namespace}),
    ));
    body["name"] = json!(name);
    body["systemData"] = json!({"lastModifiedAt": "2026-11-22T06:00:00Z"});
    for (key, value) in [
        ("provisioningState", json!("Succeeded")),
        ("complianceState", json!("Compliant")),
        ("statusUpdatedAt", json!("2026-11-22T07:50:00Z")),
        ("sourceSyncedCommitId", json!(format!("main@sha1:{COMMIT}"))),
        ("statuses", json!(statuses)),
    ] {
        body["properties"][key] = value;
    }
    body
}

fn list(live: &mut LiveState, cluster: &ResourceId, resource_type: &str, body: Value) {
    let Some(Listing::Items(items)) = live.listings.get_mut(&cluster.collection(resource_type)) else { return };
    items.push(body);
}

/// Puts a configuration on the cluster that nobody declared.
pub(crate) fn add_unmanaged(desired: &Desired, live: &mut LiveState, name: &str) {
    let cluster = cluster_id(desired);
    list(live, &cluster, flux_configuration::RESOURCE_TYPE, json!({ "name": name }));
}

fn cluster_id(desired: &Desired) -> ResourceId {
    graph(desired).nodes().iter().find_map(|node| node.cluster.clone()).unwrap()
}

/// The id of the configuration of [`quickstart`].
pub(crate) fn configuration_id(desired: &Desired) -> ResourceId {
    cluster_id(desired).resource(flux_configuration::RESOURCE_TYPE, "flux-system")
}

/// Changes the live cluster.
pub(crate) fn edit_cluster(desired: &Desired, live: &mut LiveState, edit: impl FnOnce(&mut Value)) {
    let id = cluster_id(desired);
    let Some(Reading::Present(body)) = live.readings.get_mut(&id) else { return };
    edit(body);
}

/// Changes the live configuration, as a hand would.
pub(crate) fn edit_configuration(desired: &Desired, live: &mut LiveState, edit: impl FnOnce(&mut Value)) {
    let id = configuration_id(desired);
    let Some(Reading::Present(body)) = live.readings.get_mut(&id) else { return };
    edit(body);
}

/// Changes the live extension.
pub(crate) fn edit_extension(desired: &Desired, live: &mut LiveState, edit: impl FnOnce(&mut Value)) {
    let collection = cluster_id(desired).collection(extension::RESOURCE_TYPE);
    let Some(Listing::Items(items)) = live.listings.get_mut(&collection) else { return };
    edit(&mut items[0]);
}

pub(crate) fn options() -> Options {
    Options {
        origin: "https://management.azure.com".to_owned(),
        tenant: None,
        base: None,
        choices: Choices::default(),
        allow_auth_hosts: Vec::new(),
        secrets: SecretPolicy::Placeholders,
        chart: ChartFrom::Service,
    }
}

pub(crate) fn plan(desired: &Desired, live: &LiveState, options: &Options) -> Plan {
    plan::make(&graph(desired), live, &desired.expanded, options).unwrap()
}
