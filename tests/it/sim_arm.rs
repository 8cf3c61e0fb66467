//! ARM's own part: routing, versions, headers, providers, groups, clusters, limits.

use std::time::Duration;

use arcflux::sim::{Bucket, Grant, Limits, Settings, Simulator};
use serde_json::{Value, json};

use crate::sim_fixture::{
    CLUSTER, EXTENSION_VERSION, Read, SUBSCRIPTION, configuration, extension_target, flux_target, get, register,
    request, send, settings, with_flux,
};

fn seeded() -> Simulator {
    Simulator::in_memory(settings())
}

fn in_subscription(rest: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/{rest}")
}

#[test]
fn a_seeded_state_is_as_promised() {
    let sim = seeded();
    let state = |namespace: &str| {
        let target = in_subscription(&format!("providers/{namespace}?api-version=2024-03-01"));
        get(&sim, &target).text("/registrationState").to_owned()
    };
    assert_eq!(state("Microsoft.Kubernetes"), "Registered");
    assert_eq!(state("microsoft.kubernetesconfiguration"), "NotRegistered");
    assert_eq!(state("Microsoft.ContainerService"), "NotRegistered");
    let cluster = get(&sim, &format!("{CLUSTER}?api-version=2026-05-01"));
    assert_eq!(cluster.property("connectivityStatus"), "Connected");
    assert_eq!(cluster.property("provisioningState"), "Succeeded");
    assert_eq!(cluster.text("/type"), "microsoft.kubernetes/connectedclusters");
    let extensions = extension_target("").replace("/?", "?");
    assert_eq!(get(&sim, &extensions).at("/value"), &json!([]));
}

#[test]
fn without_a_seed_there_is_nothing() {
    let sim = Simulator::in_memory(Settings::default());
    let groups = get(&sim, &in_subscription("resourcegroups?api-version=2024-03-01"));
    assert_eq!((groups.status, groups.at("/value")), (200, &json!([])));
    assert_eq!(get(&sim, &in_subscription("?api-version=2022-12-01")).text("/state"), "Enabled");
}

#[test]
fn what_the_caller_may_do_is_told_at_every_scope_that_is_there() {
    let reader = Grant { actions: vec!["*/read".to_owned()], not_actions: vec!["Microsoft.Support/*".to_owned()] };
    let sim = Simulator::in_memory(Settings { grants: vec![Grant::everything(), reader], ..settings() });
    let group = CLUSTER.split("/providers/").next().unwrap();
    let permissions = |scope: &str| {
        get(&sim, &format!("{scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"))
    };
    let told = json!([
        {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []},
        {"actions": ["*/read"], "notActions": ["Microsoft.Support/*"], "dataActions": [], "notDataActions": []},
    ]);
    for scope in [&format!("/subscriptions/{SUBSCRIPTION}"), group, CLUSTER] {
        let answer = permissions(scope);
        assert_eq!((answer.status, answer.at("/value")), (200, &told), "{scope}");
    }
    assert_eq!(permissions(&format!("{group}-other")).text("/error/code"), "ResourceGroupNotFound");
    assert_eq!(permissions(&format!("{CLUSTER}-other")).text("/error/code"), "ResourceNotFound");
}

#[test]
fn every_level_that_is_missing_has_its_own_404() {
    let sim = with_flux(settings());
    let group = get(&sim, &flux_target("x").replace("/rg1/", "/other/"));
    assert_eq!((group.status, group.text("/error/code")), (404, "ResourceGroupNotFound"));
    assert_eq!(group.header("x-ms-failure-cause"), Some("gateway"));
    let cluster = get(&sim, &flux_target("x").replace("/arc1/", "/other/"));
    assert_eq!((cluster.status, cluster.text("/error/code")), (404, "ResourceNotFound"));
    assert!(cluster.text("/error/message").contains("'Microsoft.Kubernetes/connectedClusters/other'"));
    assert_eq!(cluster.header("x-ms-failure-cause"), Some("gateway"));
    let child = get(&sim, &flux_target("x"));
    assert_eq!((child.status, child.text("/error/code")), (404, "ResourceNotFound"));
    assert_eq!(child.header("x-ms-failure-cause"), None);
    assert_eq!(child.at("/error/additionalInfo"), &json!([]));
}

#[test]
fn a_version_is_needed_and_must_be_known() {
    let sim = seeded();
    let none = get(&sim, CLUSTER);
    assert_eq!((none.status, none.text("/error/code")), (400, "MissingApiVersionParameter"));
    let unknown = get(&sim, &format!("{CLUSTER}?api-version=2031-01-01"));
    assert_eq!((unknown.status, unknown.text("/error/code")), (400, "NoRegisteredProviderFound"));
    assert!(unknown.text("/error/message").contains("2026-05-01"), "it lists what there is");
    let of_other_type = get(&sim, &flux_target("x").replace("2025-04-01", EXTENSION_VERSION));
    assert_eq!(of_other_type.text("/error/code"), "NoRegisteredProviderFound");
    let resources = get(&sim, &in_subscription("resourcegroups?api-version=2031-01-01"));
    assert_eq!(resources.text("/error/code"), "InvalidApiVersionParameter");
}

/// The versions of `../shared/facts/arm-contracts.md` §1.1, §2.1 and §3.1.
#[test]
fn every_version_that_is_in_use_is_known() {
    let sim = seeded();
    let extension = "/providers/Microsoft.KubernetesConfiguration/extensions";
    let configuration = "/providers/Microsoft.KubernetesConfiguration/fluxConfigurations";
    for (list, versions) in [
        ("", "2021-03-01 2021-10-01 2022-10-01-preview 2024-01-01 2026-02-01-preview 2026-05-01"),
        (extension, "2021-09-01 2022-03-01 2022-07-01 2022-11-01 2023-05-01 2024-11-01 2025-03-01"),
        (
            configuration,
            "2022-03-01 2022-07-01 2022-11-01 2023-05-01 2024-04-01-preview 2024-11-01 2025-04-01 2026-07-01-preview",
        ),
    ] {
        for version in versions.split(' ') {
            let answer = get(&sim, &format!("{CLUSTER}{list}?api-version={version}"));
            assert_eq!(answer.status, 200, "{list} {version}: {}", answer.body);
        }
    }
}

#[test]
fn what_is_not_simulated_says_so_by_name() {
    let sim = seeded();
    let target = format!("{CLUSTER}/listClusterUserCredential?api-version=2026-05-01");
    let answer = send(&sim, "POST", &target, Some(&json!({})));
    assert_eq!((answer.status, answer.text("/error/code")), (501, "NotSimulated"));
    assert!(answer.text("/error/message").contains("listClusterUserCredential"));
    let odd = get(&sim, &in_subscription("resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/x"));
    assert!(odd.text("/error/message").contains("Microsoft.Storage/storageAccounts"));
}

#[test]
fn writes_need_the_provider_registered() {
    let sim = seeded();
    let refused = send(&sim, "PUT", &flux_target("x"), Some(&configuration()));
    assert_eq!((refused.status, refused.text("/error/code")), (409, "MissingSubscriptionRegistration"));
    assert_eq!(refused.text("/error/details/0/target"), "Microsoft.KubernetesConfiguration");
    let target = in_subscription("providers/Microsoft.KubernetesConfiguration");
    assert_eq!(send(&sim, "POST", &format!("{target}/register?api-version=2021-04-01"), None).status, 200);
    assert_eq!(send(&sim, "PUT", &flux_target("x"), Some(&configuration())).status, 409);
    sim.advance(Duration::from_secs(31));
    assert_eq!(get(&sim, &format!("{target}?api-version=2021-04-01")).text("/registrationState"), "Registered");
    assert_eq!(send(&sim, "PUT", &flux_target("x"), Some(&configuration())).status, 201);
    let again = send(&sim, "POST", &format!("{target}/register?api-version=2021-04-01"), None);
    assert_eq!(again.text("/registrationState"), "Registered");
    let undone = send(&sim, "POST", &format!("{target}/unregister?api-version=2021-04-01"), None);
    assert_eq!(undone.text("/registrationState"), "Unregistering");
}

#[test]
fn groups_are_written_at_once_and_deleted_with_patience() {
    let sim = seeded();
    let target = in_subscription("resourcegroups/rg2?api-version=2024-03-01");
    assert_eq!(send(&sim, "HEAD", &target, None).status, 404);
    assert_eq!(send(&sim, "PUT", &target, Some(&json!({}))).text("/error/code"), "LocationRequired");
    let body = json!({"location": "West Europe", "tags": {"a": "b"}});
    assert_eq!(send(&sim, "PUT", &target, Some(&body)).status, 201);
    assert_eq!(send(&sim, "HEAD", &target, None).status, 204);
    assert_eq!(send(&sim, "PUT", &target, Some(&json!({"location": "westeurope"}))).status, 200);
    let moved = send(&sim, "PUT", &target, Some(&json!({"location": "eastus"})));
    assert_eq!((moved.status, moved.text("/error/code")), (409, "InvalidResourceGroupLocation"));
    let tagged = send(&sim, "PATCH", &target, Some(&json!({"tags": {"c": "d"}})));
    assert_eq!(tagged.at("/tags"), &json!({"c": "d"}));
    let deleted = send(&sim, "DELETE", &target, None);
    assert_eq!((deleted.status, deleted.header("retry-after")), (202, Some("15")));
    let location = deleted.header("location").expect("a location").to_owned();
    assert_eq!(get(&sim, &location).status, 202);
    assert_eq!(get(&sim, &target).property("provisioningState"), "Deleting");
    sim.advance(Duration::from_secs(60));
    let done = get(&sim, &location);
    assert_eq!((done.status, &done.body), (200, &Value::Null));
    assert_eq!(get(&sim, &target).status, 404);
}

#[test]
fn deleting_a_group_takes_its_clusters() {
    let sim = with_flux(settings());
    send(&sim, "PUT", &flux_target("x"), Some(&configuration()));
    sim.advance(Duration::from_secs(200));
    let deleted = send(&sim, "DELETE", &flux_target("x"), None);
    send(&sim, "DELETE", &in_subscription("resourcegroups/RG1?api-version=2024-03-01"), None);
    sim.advance(Duration::from_secs(60));
    let operation = deleted.header("azure-asyncoperation").expect("an operation");
    assert_eq!(get(&sim, operation).text("/status"), "Succeeded", "nothing is left to wait for");
    assert_eq!(get(&sim, &flux_target("x")).text("/error/code"), "ResourceGroupNotFound");
}

#[test]
fn a_connected_cluster_connects_after_it_is_accepted() {
    let sim = seeded();
    let target = format!("{}?api-version=2026-05-01", CLUSTER.replace("arc1", "arc2"));
    let body = json!({
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {"agentPublicKeyCertificate": "MIIC", "provisioningState": "Succeeded"},
    });
    let created = send(&sim, "PUT", &target, Some(&body));
    assert_eq!((created.status, created.property("provisioningState")), (201, &json!("Accepted")));
    assert!(created.header("etag").is_some());
    let operation = created.header("azure-asyncoperation").expect("an operation").to_owned();
    assert!(operation.contains("/providers/Microsoft.Kubernetes/locations/WESTEUROPE/operationStatuses/"));
    assert!(operation.contains('*'), "the id has a star in it");
    assert_eq!(get(&sim, &operation).text("/status"), "Accepted");
    sim.advance(Duration::from_secs(10));
    assert_eq!(get(&sim, &operation).text("/status"), "Succeeded");
    assert_eq!(get(&sim, &target).property("connectivityStatus"), "Connecting");
    sim.advance(Duration::from_secs(70));
    assert_eq!(get(&sim, &target).property("connectivityStatus"), "Connected");
    sim.advance(Duration::from_secs(86_400));
    assert_eq!(get(&sim, &target).property("connectivityStatus"), "Connected");
    let deleted = send(&sim, "DELETE", &target, None);
    assert_eq!(deleted.status, 202);
    assert_eq!(deleted.header("location"), deleted.header("azure-asyncoperation"));
    sim.advance(Duration::from_secs(10));
    assert_eq!(get(&sim, deleted.header("location").expect("a location")).text("/status"), "Succeeded");
    assert_eq!(get(&sim, &target).status, 404);
}

#[test]
fn a_cluster_does_not_move() {
    let sim = seeded();
    let target = format!("{CLUSTER}?api-version=2026-05-01");
    let moved = send(&sim, "PUT", &target, Some(&json!({"location": "eastus", "properties": {}})));
    assert_eq!((moved.status, moved.text("/error/code")), (409, "InvalidResourceLocation"));
}

#[test]
fn a_managed_cluster_can_be_made_and_used() {
    let sim = seeded();
    register(&sim, "Microsoft.ContainerService");
    register(&sim, "Microsoft.KubernetesConfiguration");
    let base = in_subscription("resourceGroups/rg1/providers/Microsoft.ContainerService/managedClusters/aks1");
    let target = format!("{base}?api-version=2025-08-01");
    assert_eq!(send(&sim, "PUT", &target, Some(&json!({"location": "westeurope"}))).status, 201);
    sim.advance(Duration::from_secs(200));
    let cluster = get(&sim, &target);
    assert_eq!(cluster.at("/properties/powerState/code"), "Running");
    let extension =
        format!("{base}/providers/Microsoft.KubernetesConfiguration/extensions/flux?api-version=2025-03-01");
    let body = json!({"properties": {"extensionType": "microsoft.flux"}});
    let created = send(&sim, "PUT", &extension, Some(&body));
    assert!(created.header("azure-asyncoperation").is_some_and(|url| url.contains("/ManagedClusters/aks1/")));
    sim.advance(Duration::from_secs(100));
    let extension = get(&sim, &extension);
    assert!(extension.property("aksAssignedIdentity")["principalId"].is_string());
}

#[test]
fn every_answer_carries_ids_and_the_level_of_its_bucket() {
    let sim = seeded();
    let mut asked = request("GET", &format!("{CLUSTER}?api-version=2026-05-01"), None);
    for (name, value) in [
        ("x-ms-correlation-request-id", "1b2c3d4e-0000-4000-8000-000000000001"),
        ("x-ms-client-request-id", "1b2c3d4e-0000-4000-8000-000000000002"),
        ("x-ms-return-client-request-id", "true"),
    ] {
        asked.headers_mut().insert(name, value.parse().expect("a header value"));
    }
    let answer = Read::of(sim.handle(asked));
    assert_eq!(answer.header("x-ms-correlation-request-id"), Some("1b2c3d4e-0000-4000-8000-000000000001"));
    assert_eq!(answer.header("x-ms-client-request-id"), Some("1b2c3d4e-0000-4000-8000-000000000002"));
    assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-reads"), Some("249"));
    assert!(answer.header("x-ms-routing-request-id").is_some_and(|id| id.contains("20260101T0000")));
    let own = get(&sim, &format!("{CLUSTER}?api-version=2026-05-01"));
    assert!(own.header("x-ms-request-id").is_some());
    assert_eq!(own.header("x-ms-client-request-id"), None);
}

#[test]
fn an_empty_bucket_says_when_to_come_back() {
    let limits = Limits { reads: Bucket { capacity: 3, refill_per_second: 1 }, ..Limits::default() };
    let sim = Simulator::in_memory(Settings { limits, ..settings() });
    let target = format!("{CLUSTER}?api-version=2026-05-01");
    let statuses: Vec<u16> = (0..4).map(|_| get(&sim, &target).status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    let refused = get(&sim, &target);
    assert_eq!(refused.text("/error/code"), "SubscriptionRequestsThrottled");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(send(&sim, "DELETE", &flux_target("x"), None).status, 409, "other buckets are not empty");
    sim.advance(Duration::from_secs(1));
    assert_eq!(get(&sim, &target).status, 200);
}

#[test]
fn endpoints_have_both_shapes_and_name_the_callers_origin() {
    let sim = seeded();
    let newer = get(&sim, "/metadata/endpoints?api-version=2022-09-01");
    assert_eq!(newer.text("/resourceManager"), "https://sim.arcflux.invalid/");
    let older = get(&sim, "/metadata/endpoints?api-version=2020-06-01");
    assert_eq!(older.text("/0/resourceManager"), "https://sim.arcflux.invalid/");
    assert_eq!(get(&sim, "/subscriptions?api-version=2022-12-01").text("/value/0/subscriptionId"), SUBSCRIPTION);
    assert!(get(&sim, "/tenants?api-version=2022-12-01").at("/value/0/tenantId").is_string());
}

#[test]
fn flux_v1_can_stand_in_the_way() {
    let sim = seeded();
    register(&sim, "Microsoft.KubernetesConfiguration");
    let target = format!("{CLUSTER}/providers/Microsoft.KubernetesConfiguration/sourceControlConfigurations");
    let (list, one) = (format!("{target}?api-version=2022-03-01"), format!("{target}/x?api-version=2022-03-01"));
    assert_eq!(get(&sim, &list).at("/value"), &json!([]));
    assert_eq!(get(&sim, &one).status, 404);
    let body = json!({"properties": {"repositoryUrl": "https://github.com/o/r"}});
    assert_eq!(send(&sim, "PUT", &one, Some(&body)).status, 201);
    assert_eq!(get(&sim, &list).text("/value/0/name"), "x");
    assert_eq!(send(&sim, "DELETE", &one, None).status, 200);
    assert_eq!(get(&sim, &list).at("/value"), &json!([]));
}

#[test]
fn clusters_are_listed_in_group_and_subscription() {
    let sim = seeded();
    let kind = "providers/Microsoft.Kubernetes/connectedClusters?api-version=2024-01-01";
    assert_eq!(get(&sim, &in_subscription(kind)).text("/value/0/name"), "arc1");
    assert_eq!(get(&sim, &in_subscription(&format!("resourceGroups/rg1/{kind}"))).text("/value/0/name"), "arc1");
    assert_eq!(get(&sim, &in_subscription(&format!("resourceGroups/no/{kind}"))).status, 404);
}

#[test]
fn nonsense_is_refused_and_never_fatal() {
    let sim = with_flux(settings());
    for body in ["", "[]", "{", "null", "\u{feff}{"] {
        let mut asked = request("PUT", &flux_target("x"), None);
        *asked.body_mut() = bytes::Bytes::from(body);
        assert_eq!(sim.handle(asked).status().as_u16(), 400, "{body:?}");
    }
    for target in ["/", "//", "/subscriptions//resourceGroups", "/subscriptions/a/resourceGroups/%zz?api-version=x"] {
        assert!(get(&sim, target).status >= 400, "{target}");
    }
    assert_eq!(send(&sim, "TRACE", &flux_target("x"), None).status, 405);
}
