//! What a spec takes away from what it was before, and what was changed in between.

use arcflux::graph;
use arcflux::plan::{self, Action, DriftKind, DriftReport, Options, Plan, Reason, Workloads};
use serde_json::{Value, json};

use crate::simulated::{World, desired, fields, options, written};

const SUBSCRIPTION: &str = "3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20";

/// A spec of one cluster with these configurations and settings.
fn spec(rest: &str) -> String {
    format!(
        "apiVersion: arcflux/v1\nsubscription: {SUBSCRIPTION}\nresourceGroup: rg-edge\ncluster: {{name: store-001}}\n{rest}"
    )
}

fn configuration(name: &str, rest: &str) -> String {
    format!(
        "  {name}:\n    scope: cluster\n    namespace: {name}\n    gitRepository: {{url: \"https://github.com/contoso/{name}\", \
         branch: main}}\n    kustomizations:\n      apps: {{path: ./apps}}\n{rest}"
    )
}

fn before() -> String {
    let infra = "      infra: {path: ./infra, prune: true}\n";
    spec(&format!(
        "extension: {{multiTenancy: false, configurationSettings: {{helm-controller.detectDrift: \"true\"}}}}\nconfigurations:\n{}{}",
        configuration("retail", infra),
        configuration("billing", "    dependsOn: [retail]\n")
    ))
}

impl World {
    async fn plan_since(&self, spec: &str, base: &str, options: &Options) -> Plan {
        let (wanted, base) = (desired(spec), desired(base));
        let graph = graph::build_since(&wanted, Some(&base)).unwrap();
        let options = Options { base: Some(base.expanded.clone()), ..options.clone() };
        plan::make(&graph, &self.live(&graph).await, &wanted.expanded, &options).unwrap()
    }

    async fn converge_since(&self, spec: &str, base: &str, options: &Options) -> Plan {
        let plan = self.plan_since(spec, base, options).await;
        assert_eq!(plan.refusals, []);
        let report = self.apply(&plan).await;
        assert!(report.converged(), "{report:#?}");
        let again = self.plan_since(spec, base, options).await;
        assert!(!again.has_changes() && !again.waits(), "{:#?}", written(&again));
        plan
    }

    /// Changes a live configuration, as a hand would.
    fn edit(&self, name: &str, properties: &Value) {
        let path = format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-edge/providers/Microsoft.Kubernetes/connectedClusters/store-001\
             /providers/Microsoft.KubernetesConfiguration/fluxConfigurations/{name}?api-version=2025-04-01"
        );
        let (_, live) = self.curl("GET", &path, &Value::Null);
        let mut patch = json!({"properties": {
            "sourceKind": "GitRepository", "gitRepository": live["properties"]["gitRepository"],
        }});
        json_patch::merge(&mut patch, &json!({ "properties": properties }));
        let (status, answer) = self.curl("PATCH", &path, &patch);
        assert!(status < 300, "{answer}");
        self.sim.advance(std::time::Duration::from_secs(3600));
    }
}

fn keep() -> Options {
    let mut options = options();
    options.choices.workloads = Some(Workloads::Keep);
    options
}

#[tokio::test]
async fn what_the_spec_has_no_more_is_deleted_in_reverse_and_only_with_a_base() {
    let world = World::of(&before());
    world.converge(&before()).await;
    let after = spec(&format!("extension: {{multiTenancy: false}}\nconfigurations:\n{}", configuration("other", "")));

    let without = world.plan(&after).await;
    assert_eq!(written(&without), ["Create rg-edge/store-001/flux/other"]);
    assert_eq!(without.unmanaged.len(), 2);

    let refused = world.plan_since(&after, &before(), &options()).await;
    assert_eq!(refused.refusals.len(), 1, "only `retail` prunes: {:?}", refused.refusals);
    assert_eq!(refused.refusals[0].code, "needs_workloads_choice");

    let plan = world.converge_since(&after, &before(), &keep()).await;
    assert_eq!(
        written(&plan),
        [
            "Update rg-edge/store-001/extension",
            "Delete rg-edge/store-001/flux/billing",
            "Create rg-edge/store-001/flux/other",
            "Delete rg-edge/store-001/flux/retail",
        ]
    );
    assert_eq!(fields(&plan)[0], "configurationSettings[\"helm-controller.detectDrift\"]");
    assert!(plan.unmanaged.is_empty());
    let reasons: Vec<Reason> = plan
        .resource_changes
        .iter()
        .filter(|change| change.change.actions == Action::Delete)
        .map(|one| one.action_reason)
        .collect();
    assert_eq!(reasons, [Reason::DroppedSinceBase; 2]);
}

#[tokio::test]
async fn a_kustomization_between_base_and_spec_is_a_reviewed_removal_and_any_other_is_not() {
    let world = World::of(&before());
    world.converge(&before()).await;
    let after = before().replace("      infra: {path: ./infra, prune: true}\n", "");
    let plan = world.plan_since(&after, &before(), &options()).await;
    assert_eq!(plan.refusals, []);
    assert_eq!(fields(&plan), ["kustomizations.infra"]);

    // What the base has does not prune, and what is live does: nobody has reviewed that its workloads go.
    let keeps = before().replace("infra, prune: true", "infra, prune: false");
    let plan = world.plan_since(&after, &keeps, &options()).await;
    assert_eq!(plan.refusals.len(), 1);
    assert_eq!(plan.refusals[0].code, "needs_workloads_choice");

    world.edit("retail", &json!({"kustomizations": {"by-hand": {"path": "./x", "prune": true}}}));
    let plan = world.plan_since(&after, &before(), &options()).await;
    assert_eq!(plan.refusals[0].code, "needs_workloads_choice");
}

#[tokio::test]
async fn drift_is_told_from_intent() {
    let world = World::of(&before());
    world.converge(&before()).await;
    world.edit("retail", &json!({"suspend": true, "kustomizations": {"apps": {"path": "./by-hand"}}}));
    let after = before().replace("apps: {path: ./apps}\n      infra", "apps: {path: ./new}\n      infra");
    let plan = world.plan_since(&after, &before(), &options()).await;
    let change = plan.resource_changes.iter().find(|change| change.address.to_string().ends_with("retail")).unwrap();
    let drift: Vec<String> = change.drift.iter().map(|field| field.path.to_string()).collect();
    assert_eq!(drift, ["properties.suspend", "properties.kustomizations.apps.path"]);
    assert_eq!(change.drift[1].before, Some(json!("./apps")));
    assert_eq!(change.drift[1].after, Some(json!("./by-hand")));
    assert!(change.modified.is_some());
    assert_eq!(fields(&plan), ["suspend", "kustomizations.apps.path"]);

    let report = DriftReport::of(&world.plan(&before()).await);
    assert_eq!(report.drifted.len(), 1);
    assert_eq!(report.drifted[0].drift, DriftKind::Changed);
    assert_eq!(report.drifted[0].fields[0].before, Some(json!(false)), "declared");
    assert_eq!(report.drifted[0].fields[0].after, Some(json!(true)), "live");
}

#[tokio::test]
async fn what_is_missing_is_drift_and_what_only_waits_is_not() {
    let world = World::of(&before());
    let report = DriftReport::of(&world.plan(&before()).await);
    assert!(report.drifted.iter().all(|drift| drift.drift == DriftKind::Missing), "{report:#?}");
    assert!(report.drifted.len() >= 3);
    world.converge(&before()).await;
    assert!(!DriftReport::of(&world.plan(&before()).await).has_drift());
}

#[tokio::test]
async fn a_dropped_cluster_loses_its_configurations_and_one_that_is_gone_needs_nothing() {
    let fleet = |clusters: &str| {
        format!(
            "apiVersion: arcflux/v1\nsubscription: {SUBSCRIPTION}\nresourceGroup: rg-edge\nclusters: {{{clusters}}}\n\
             configurations:\n{}",
            configuration("retail", "")
        )
    };
    let all = fleet("a: {}, b: {}, c: {}");
    let world = World::of(&fleet("a: {}, b: {}"));
    world.converge(&fleet("a: {}, b: {}")).await;
    let plan = world.converge_since(&fleet("a: {}"), &all, &options()).await;
    assert_eq!(written(&plan), ["Delete rg-edge/b/flux/retail"]);
}

/// Addresses do not tell types of clusters apart: what is deleted on one must not stand for what is wanted on the other.
#[test]
fn a_cluster_that_the_base_has_as_another_type_is_no_base_of_it() {
    let wanted = before().replace("{name: store-001}", "{name: store-001, type: managedClusters}");
    let errors = graph::build_since(&desired(&wanted), Some(&desired(&before()))).unwrap_err();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("rg-edge/store-001 is "), "{errors:?}");
    // Where nothing would be taken down, it does not matter.
    let nothing = spec("");
    assert!(graph::build_since(&desired(&wanted), Some(&desired(&nothing))).is_ok());
}

#[tokio::test]
async fn a_base_of_another_subscription_or_tenant_is_refused() {
    let world = World::of(&before());
    world.converge(&before()).await;
    let tenant = |id: &str| format!("{}tenant: {id}\n", before());
    let [one, other] = ["7d0b1f5a-93c4-4a52-8f0e-61c2b7a4d9e3", "8e1c2f6b-a4d5-4b63-9f1f-72d3c8b5e0f4"].map(tenant);
    let plan = world.plan_since(&one, &other, &options()).await;
    assert_eq!(plan.refusals[0].code, "other_tenant");

    // The base has what is live, and the spec is of a subscription that is empty.
    let elsewhere = "00000000-0000-4000-8000-000000000001";
    let desired_there = desired(&before().replace(SUBSCRIPTION, elsewhere));
    let base = desired(&before());
    let graph = graph::build_since(&desired_there, Some(&base)).unwrap();
    let mut live = world.live(&graph::build(&base).unwrap()).await;
    let there = crate::world::bare(&desired_there);
    live.readings.extend(there.readings);
    live.listings.extend(there.listings);
    let options = Options { base: Some(base.expanded.clone()), ..keep() };
    let plan = plan::make(&graph, &live, &desired_there.expanded, &options).unwrap();
    let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(codes, ["other_subscription"]);
    // A selection does not hide what the spec is about.
    let mut only = options;
    only.choices.only = vec![format!("{SUBSCRIPTION}/*").parse().unwrap()];
    let plan = plan::make(&graph, &live, &desired_there.expanded, &only).unwrap();
    let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(codes, ["other_subscription"], "{:?}", written(&plan));
}

#[tokio::test]
async fn what_is_protected_is_not_deleted_whoever_protected_it() {
    let protected = before().replace("  retail:\n", "  retail:\n    protect: true\n");
    let world = World::of(&protected);
    world.converge(&protected).await;
    let without = spec(&format!("configurations:\n{}", configuration("other", "")));
    let cases = [
        world.plan_since(&without, &protected, &keep()).await,
        world.destroy_plan(&protected, &keep()).await,
        world.plan(&protected.replace("namespace: retail", "namespace: elsewhere")).await,
    ];
    for plan in cases {
        let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
        assert!(codes.contains(&"protected"), "{codes:?}");
        assert!(!plan.applyable);
    }
    // Of a field in it, it is not.
    let plan = world.plan(&protected.replace("path: ./infra", "path: ./other")).await;
    assert_eq!(plan.refusals, []);
}

#[tokio::test]
async fn what_must_be_absent_is_deleted_once_and_an_unmanaged_one_only_where_the_spec_says_so() {
    let world = World::of(&before());
    world.converge(&before()).await;
    let absent = spec(&format!("configurations:\n{}  retail: {{state: absent}}\n", configuration("other", "")));
    let plan = world.converge_with(&absent, &keep()).await;
    assert_eq!(written(&plan), ["Create rg-edge/store-001/flux/other", "Delete rg-edge/store-001/flux/retail"]);
    assert_eq!(plan.unmanaged.len(), 1, "billing is nobody's");

    let purge = format!("{absent}policy: {{unmanaged: delete}}\n");
    let mut only = options();
    only.choices.only = vec!["*/other".parse().unwrap()];
    assert!(!world.try_plan(&purge, &only).await.unwrap().has_changes(), "it was not asked for");
    let plan = world.converge(&purge).await;
    assert_eq!(written(&plan), ["Delete rg-edge/store-001/flux/billing"]);
    assert_eq!(plan.resource_changes.last().unwrap().action_reason, Reason::Unmanaged);
    assert!(plan.unmanaged.is_empty());
}

#[tokio::test]
async fn a_spec_that_wants_nothing_deletes_nothing() {
    let world = World::of(&before());
    world.converge(&before()).await;
    let nothing = spec("policy: {unmanaged: delete}\n");
    let plan = world.try_plan(&nothing, &keep()).await.unwrap();
    let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(codes, ["nothing_wanted"]);
    let mut meant = keep();
    meant.choices.max_delete = Some("2".parse().unwrap());
    world.converge_with(&nothing, &meant).await;
}
