//! Status: what is declared, and how it is doing.

use arcflux::model::LiveState;
use arcflux::plan::StatusReport;
use arcflux::spec::Desired;
use arcflux::view::{self, Format, Style};
use serde_json::json;

use crate::{snapshots, world};

const WIDE: Style = Style { colour: false, width: 100 };
const NARROW: Style = Style { colour: false, width: 60 };

fn status(desired: &Desired, live: &LiveState) -> StatusReport {
    StatusReport::of(&world::graph(desired), live)
}

#[test]
fn all_is_well() {
    let desired = world::quickstart();
    let report = status(&desired, &world::converged(&desired));
    assert!(report.is_compliant());
    snapshots::check("status-compliant", &view::status::render(&report, Format::Text, &WIDE));
    snapshots::check("status-compliant-json", &view::status::render(&report, Format::Json, &WIDE));
    snapshots::check("status-compliant-mermaid", &view::status::render(&report, Format::Mermaid, &WIDE));
}

#[test]
fn the_first_failing_object_is_named() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::edit_cluster(&desired, &mut live, |body| body["properties"]["connectivityStatus"] = json!("Offline"));
    world::edit_configuration(&desired, &mut live, |body| {
        body["properties"]["complianceState"] = json!("Non-Compliant");
        let condition = |reason: &str, message: &str| json!({"type": "Ready", "status": "False", "reason": reason, "message": message});
        let statuses = &mut body["properties"]["statuses"];
        statuses[1]["statusConditions"][0] =
            condition("DependencyNotReady", "dependency 'flux-system/flux-system-infrastructure' is not ready");
        statuses[2]["statusConditions"][0] =
            condition("ArtifactFailed", "kustomization path not found: stat /build/clusters/store-001: no such file");
    });
    let report = status(&desired, &live);
    assert!(!report.is_compliant());
    snapshots::check("status-failing", &view::status::render(&report, Format::Text, &WIDE));
    snapshots::check("status-failing-60", &view::status::render(&report, Format::Text, &NARROW));
}

#[test]
fn nothing_is_there_yet() {
    let desired = world::quickstart();
    let bare = status(&desired, &world::bare(&desired));
    assert!(!bare.is_compliant());
    snapshots::check("status-bare", &view::status::render(&bare, Format::Text, &WIDE));
    let unread = status(&desired, &LiveState::empty("2026-11-22T08:00:00Z".parse().unwrap()));
    assert!(!unread.is_compliant());
}

#[test]
fn a_pending_configuration_is_not_compliant_yet() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::edit_configuration(&desired, &mut live, |body| {
        body["properties"]["complianceState"] = json!("Pending");
        body["systemData"]["lastModifiedAt"] = json!("2026-11-22T07:59:00Z");
    });
    let report = status(&desired, &live);
    assert!(!report.is_compliant());
    snapshots::check("status-pending", &view::status::render(&report, Format::Text, &WIDE));
}
