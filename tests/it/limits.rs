//! How much one plan may change.

use arcflux::graph;
use arcflux::model::LiveState;
use arcflux::plan::{self, Options, Plan};
use arcflux::spec::Desired;

use crate::simulated::desired;
use crate::world;

/// A fleet of so many clusters, each with one configuration.
fn fleet(size: usize, path: &str, policy: &str) -> Desired {
    let clusters: Vec<String> = (0..size).map(|number| format!("s{number:03}: {{}}")).collect();
    desired(&format!(
        "apiVersion: arcflux/v1\nsubscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20\nresourceGroup: rg\n\
         clusters: {{{}}}\nrepo: {{url: \"https://github.com/contoso/gitops\", branch: main}}\n\
         kustomizations: {{app: {{path: {path}}}}}\n{policy}",
        clusters.join(", ")
    ))
}

fn options(max_delete: Option<&str>, max_update: Option<&str>) -> Options {
    let mut options = world::options();
    options.choices.max_delete = max_delete.map(|text| text.parse().unwrap());
    options.choices.max_update = max_update.map(|text| text.parse().unwrap());
    options
}

/// Plans `wanted`, which was `base` before, where `base` is live.
fn planned(wanted: &Desired, base: &Desired, live: &LiveState, options: Options) -> Plan {
    let graph = graph::build_since(wanted, Some(base)).unwrap();
    plan::make(&graph, live, &wanted.expanded, &Options { base: Some(base.expanded.clone()), ..options }).unwrap()
}

fn codes(plan: &Plan) -> Vec<&str> {
    plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect()
}

#[test]
fn a_slip_does_not_empty_the_fleet() {
    let base = fleet(500, "./a", "");
    let live = world::converged(&base);
    let wanted = fleet(3, "./a", "");
    let plan = planned(&wanted, &base, &live, options(None, None));
    assert_eq!(codes(&plan), ["too_many_deletes"]);
    let refusal = &plan.refusals[0];
    assert_eq!(refusal.address, None);
    assert_eq!(
        refusal.message,
        "497 of 500 live configurations would be deleted, replaced or lose a kustomization (99.4 %), and the limit is 30%"
    );
    assert!(refusal.hint.contains("`--max-delete 497`"), "{}", refusal.hint);
    for allowed in ["497", "100%"] {
        assert_eq!(codes(&planned(&wanted, &base, &live, options(Some(allowed), None))), [""; 0], "{allowed}");
    }
    assert_eq!(codes(&planned(&wanted, &base, &live, options(Some("496"), None))), ["too_many_deletes"]);
    assert_eq!(codes(&planned(&wanted, &base, &live, options(Some("99%"), None))), ["too_many_deletes"]);
}

#[test]
fn shares_hold_from_ten_on_and_numbers_always() {
    let base = fleet(9, "./a", "");
    let live = world::converged(&base);
    let wanted = fleet(9, "./b", "");
    assert_eq!(codes(&planned(&wanted, &base, &live, options(None, None))), [""; 0]);
    assert_eq!(codes(&planned(&wanted, &base, &live, options(None, Some("0%")))), [""; 0]);
    assert_eq!(codes(&planned(&wanted, &base, &live, options(None, Some("8")))), ["too_many_updates"]);
    assert_eq!(codes(&planned(&wanted, &base, &live, options(None, Some("9")))), [""; 0]);
}

#[test]
fn the_spec_has_limits_of_its_own_and_the_command_line_goes_before_them() {
    let base = fleet(10, "./a", "");
    let live = world::converged(&base);
    let plain = fleet(10, "./b", "");
    assert_eq!(codes(&planned(&plain, &base, &live, options(None, None))), ["too_many_updates"]);
    let raised = fleet(10, "./b", "policy: {limits: {maxUpdate: 100%}}");
    assert_eq!(codes(&planned(&raised, &base, &live, options(None, None))), [""; 0]);
    assert_eq!(codes(&planned(&raised, &base, &live, options(None, Some("5")))), ["too_many_updates"]);
}

#[test]
fn a_kustomization_that_goes_counts_as_a_deletion() {
    let base = fleet(10, "./a}, other: {path: ./b", "");
    let live = world::converged(&base);
    let wanted = fleet(10, "./a", "");
    assert_eq!(codes(&planned(&wanted, &base, &live, options(None, Some("100%")))), ["too_many_deletes"]);
    assert_eq!(codes(&planned(&wanted, &base, &live, options(Some("100%"), None))), [""; 0]);
}

#[test]
fn updates_and_deletions_count_together() {
    let base = fleet(10, "./a", "");
    let mut live = world::converged(&base);
    // Eight stay, two of which change by hand: two deletions and two updates of ten.
    let wanted = fleet(8, "./a", "");
    let changed: Vec<_> = live
        .readings
        .iter_mut()
        .filter_map(|(id, reading)| match reading {
            arcflux::model::Reading::Present(body) if id.as_str().contains("fluxConfigurations") => Some(body),
            _ => None,
        })
        .take(2)
        .collect();
    for body in changed {
        body["properties"]["suspend"] = true.into();
    }
    assert_eq!(codes(&planned(&wanted, &base, &live, options(None, None))), ["too_many_changes"]);
    assert_eq!(codes(&planned(&wanted, &base, &live, options(Some("30%"), Some("40%")))), [""; 0]);
    // A limit that is lowered lifts nothing, and the way out that is named is one.
    assert_eq!(codes(&planned(&wanted, &base, &live, options(Some("20%"), None))), ["too_many_changes"]);
    assert_eq!(codes(&planned(&wanted, &base, &live, options(Some("4"), None))), [""; 0]);
    assert_eq!(codes(&planned(&wanted, &base, &live, options(None, Some("4")))), [""; 0]);
}
