//! plan → apply → plan, on the simulator.

use serde_json::json;

use crate::world::{World, fields, written};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");

#[tokio::test]
async fn the_quickstart_converges_and_the_second_plan_is_empty() {
    let world = World::of(QUICKSTART);
    let plan = world.converge(QUICKSTART).await;
    assert_eq!(
        written(&plan),
        [
            "Create provider/Microsoft.KubernetesConfiguration",
            "Create rg-edge/store-001/extension",
            "Create rg-edge/store-001/flux/flux-system",
        ]
    );
}

#[tokio::test]
async fn one_edited_path_is_one_line_and_one_write() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let before = world.sim.requests().len();
    let edited = QUICKSTART.replace("retail/ApplicationRegistrations", "retail/Next");
    let plan = world.converge(&edited).await;
    assert_eq!(fields(&plan), ["kustomizations.app.path"]);
    assert_eq!(world.writes_since(before).len(), 1);
}

#[tokio::test]
async fn a_hand_edit_shows() {
    let world = World::of(QUICKSTART);
    let plan = world.converge(QUICKSTART).await;
    let id = plan.resource_changes.last().unwrap().id.to_string();
    let url = format!("{id}?api-version=2025-04-01");
    let source = json!({"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "main"}});
    let edit = json!({"properties": {
        "sourceKind": "GitRepository", "gitRepository": source, "kustomizations": {"app": {"prune": false}}
    }});
    let (status, _) = world.curl("PATCH", &url, &edit);
    assert_eq!(status, 202);
    world.sim.advance(std::time::Duration::from_secs(300));
    assert_eq!(fields(&world.plan(QUICKSTART).await), ["kustomizations.app.prune"]);
}
