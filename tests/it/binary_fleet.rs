//! Several clusters from one spec, in one subscription and in two.

use crate::binary::{Place, Server, spec};

fn fleet() -> Place {
    let place = Place::empty();
    place.write("arcflux.yaml", &spec("fleet"));
    place
}

fn headings(out: &str) -> Vec<&str> {
    out.lines().filter_map(|line| line.strip_prefix("  # ")?.strip_suffix(" will be created")).collect()
}

#[test]
fn a_fleet_converges_under_its_addresses() {
    let place = fleet();
    let plan = place.sim(&["plan"]).ends_with(0).shows("Plan: 8 to add, 0 to change, 0 to destroy.");
    assert_eq!(
        headings(&plan.out),
        [
            "rg-lab/aks-lab/extension",
            "rg-lab/aks-lab/flux/flux-system",
            "rg-north/store-001/extension",
            "rg-north/store-001/flux/flux-system",
            "rg-south/store-002/extension",
            "rg-south/store-002/flux/flux-system",
        ]
    );
    plan.shows("./clusters/store-002/apps/prod").shows("./clusters/aks-lab/apps/test");
    place.sim(&["apply", "--auto-approve"]).ends_with(0).shows("Resources: 8 added");
    let second = place.sim(&["plan", "--detailed-exitcode"]).ends_with(0).shows("No changes.");
    assert_eq!(second.out, place.sim(&["plan", "--detailed-exitcode"]).out);
    place.sim(&["status"]).ends_with(0).shows("3 of 3 configurations compliant");
    let one = place.sim(&["destroy", "--auto-approve", "--only", "rg-south/*"]).ends_with(0);
    one.shows("Destroy complete! Resources: 2 destroyed.");
    place.sim(&["status"]).ends_with(4).shows("2 of 3 configurations compliant");
}

#[test]
fn clusters_in_two_subscriptions_are_there_in_a_new_simulator() {
    let place = fleet();
    let other = "9d2a7c14-51e0-4c7e-a1ad-0b3c5d7e9f11";
    // The same group and name twice: only the subscription tells them apart.
    let text = place.read("arcflux.yaml").replace(
        "    values: {region: south, environment: prod, prune: true}",
        &format!("    name: store-001\n    subscription: {other}\n    values: {{region: north, environment: prod, prune: true}}"),
    );
    place.write("arcflux.yaml", &text);
    let plan = place.sim(&["plan"]).ends_with(0);
    for prefix in ["3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20", other] {
        let address = format!("{prefix}/rg-north/store-001/extension");
        assert!(headings(&plan.out).contains(&address.as_str()), "{address}: {:?}", headings(&plan.out));
    }
    assert!(headings(&plan.out).contains(&"rg-lab/aks-lab/extension"), "{:?}", headings(&plan.out));
    place.sim(&["apply", "--auto-approve"]).ends_with(0).shows("Apply complete!");
    place.sim(&["plan", "--detailed-exitcode"]).ends_with(0).shows("No changes.");
    let server = Server::start(&place, &["--seed", "arcflux.yaml", "--speed", "2000"]);
    server.run(&place, &["apply", "--auto-approve"]).ends_with(0).shows("Apply complete!");
    server.run(&place, &["plan", "--detailed-exitcode"]).ends_with(0);
}
