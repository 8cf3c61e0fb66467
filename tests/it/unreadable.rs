//! What cannot be read, is not known to the service, or is on its way out: never mistaken for "does not exist".

use arcflux::fetch;
use arcflux::graph::FLUX_V1;
use arcflux::kinds::extension;
use arcflux::model::{Listing, LiveState, Read, ReadMethod, ResourceId};
use arcflux::plan::{self, PlanError};
use arcflux::spec::Desired;
use serde_json::json;

use crate::scripted::{Reply, Script, VirtualClock, client};
use crate::world::{self, bare, quickstart};

fn refused(desired: &Desired, live: &LiveState) -> Vec<PlanError> {
    plan::make(&world::graph(desired), live, &desired.expanded, &world::options()).unwrap_err()
}

#[test]
fn a_list_that_may_not_be_read_is_an_error_and_not_an_empty_list() {
    let desired = quickstart();
    let mut live = bare(&desired);
    for (collection, listing) in &mut live.listings {
        if collection.as_str().ends_with(extension::RESOURCE_TYPE) {
            *listing = Listing::Denied("no".to_owned());
        }
    }
    let errors = refused(&desired, &live);
    assert!(errors[0].message.contains("may not be listed"), "{errors:?}");
}

#[test]
fn nothing_is_planned_on_a_cluster_that_is_going_away() {
    let desired = quickstart();
    let mut live = bare(&desired);
    world::edit_cluster(&desired, &mut live, |body| body["properties"]["provisioningState"] = json!("Deleting"));
    let errors = refused(&desired, &live);
    assert!(errors[0].message.contains("being deleted"), "{errors:?}");
}

async fn listed(method: ReadMethod, code: &str) -> Result<Vec<Listing>, String> {
    let cluster: ResourceId =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c".parse().unwrap();
    let read = Read { id: cluster.collection(FLUX_V1), method, api_version: "2022-03-01".to_owned() };
    let line = format!("GET https://management.azure.com{}?api-version=2022-03-01", read.id);
    let script = Script::new([(line.as_str(), Reply::json(404, &json!({"error": {"code": code, "message": "no"}})))]);
    let live = fetch::live_state(&[read], &client(&script, &VirtualClock::new())).await;
    live.map(|live| live.listings.into_values().collect()).map_err(|errors| errors[0].to_string())
}

#[tokio::test]
async fn a_type_that_the_service_has_retired_has_no_resources_only_where_that_is_expected() {
    let none = Ok(vec![Listing::Items(Vec::new())]);
    assert_eq!(listed(ReadMethod::ListIfSupported, "InvalidResourceType").await, none);
    assert!(listed(ReadMethod::List, "InvalidResourceType").await.is_err());
}
