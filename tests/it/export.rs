//! From a live cluster to a spec, and back: what was exported plans no changes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use arcflux::diff::{Normalised, compare, normalise};
use arcflux::fetch;
use arcflux::graph;
use arcflux::kinds::adoption::SecretNames;
use arcflux::kinds::extension::AutoUpgradeMode;
use arcflux::kinds::flux_configuration::Presence;
use arcflux::kinds::{extension, flux_configuration};
use arcflux::model::{Listing, LiveState, Reading, Source};
use arcflux::plan::{self, Change, Export, LeftOut, Reason};
use arcflux::sim::{self, Quirks};
use arcflux::spec::{self, Desired, DesiredCluster, Draft, Inputs};
use arcflux::view::{self, Style};
use serde_json::{Value, json};

use crate::simulated::{World, desired, fields, options, written};
use crate::snapshots;

const EVERYTHING: &str = include_str!("../../specs/everything.yaml");
const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");

/// A spec of this cluster that says nothing about it.
pub(crate) fn empty(cluster: &DesiredCluster) -> Draft {
    Draft {
        subscription: cluster.subscription.clone(),
        resource_group: cluster.resource_group.name.clone(),
        cluster: cluster.cluster.clone(),
        extension: None,
        configurations: BTreeMap::new(),
        comments: Vec::new(),
    }
}

/// Reads the cluster as the command does, and exports it.
pub(crate) async fn export(world: &World, empty: &Draft) -> Export {
    export_of(world, empty, |_| {}).await
}

/// The same, of a live state that is not quite what was read.
async fn export_of(world: &World, empty: &Draft, change: impl Fn(&mut LiveState)) -> Export {
    let graph = graph::build(&desired(&empty.text())).unwrap();
    let first = world.live(&graph).await;
    let further = plan::configuration_reads(&graph, &first, sim::ORIGIN).unwrap();
    let LiveState { as_of, mut readings, listings, contexts } = first;
    readings.extend(fetch::live_state(&further, &world.arm).await.unwrap().readings);
    let mut live = LiveState { as_of, readings, listings, contexts };
    change(&mut live);
    plan::export(empty, &graph, &live, sim::ORIGIN).unwrap()
}

/// What the text of an export wants. It has no problems, not even a warning.
pub(crate) fn loaded(export: &Export) -> Desired {
    let outcome = spec::load(&Source { name: "export".to_owned(), text: export.text.clone() }, &Inputs::default());
    assert_eq!(outcome.diagnostics, [], "{}", export.text);
    outcome.desired.unwrap()
}

/// Fails unless a plan of what was exported changes no field and is refused nothing. What ARM could not carry out is sent
/// again, as it is.
pub(crate) async fn plans_nothing(world: &World, export: &Export) {
    let desired = loaded(export);
    let graph = graph::build(&desired).unwrap();
    let plan = plan::make(&graph, &world.live(&graph).await, &desired.expanded, &options()).unwrap();
    let again = |change: &&Change| change.action_reason == Reason::ProvisioningFailed && change.fields.is_empty();
    let failed = plan.resource_changes.iter().filter(again).count();
    assert_eq!((fields(&plan), written(&plan).len().min(failed)), (Vec::new(), failed), "{}", export.text);
    assert!(failed > 0 || !plan.has_changes(), "{:?}\n{}", written(&plan), export.text);
    assert_eq!(plan.refusals, []);
}

/// The texts of `specs/` and of its gallery, by name.
fn specs() -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    [directory.clone(), directory.join("gallery")]
        .iter()
        .flat_map(|directory| std::fs::read_dir(directory).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

#[tokio::test]
async fn every_spec_that_was_applied_is_exported_whole_and_plans_nothing() {
    for (name, text) in specs() {
        let world = World::of(&text);
        world.converge(&text).await;
        for cluster in &desired(&text).clusters {
            let export = export(&world, &empty(cluster)).await;
            assert_eq!(export.left_out, [], "{name}");
            let found = loaded(&export);
            let names = |cluster: &DesiredCluster| {
                let present = cluster.configurations.iter().filter(|(_, spec)| spec.state == Presence::Present);
                present.map(|(name, _)| name.clone()).collect::<Vec<_>>()
            };
            assert_eq!(names(&found.clusters[0]), names(cluster), "{name}");
            plans_nothing(&world, &export).await;
        }
    }
}

#[tokio::test]
async fn under_every_quirk_what_is_exported_plans_nothing() {
    for (name, quirks) in Quirks::all_variants() {
        let world = World::with(EVERYTHING, sim::Settings { quirks, ..sim::Settings::default() });
        world.converge(EVERYTHING).await;
        let export = export(&world, &empty(&desired(EVERYTHING).clusters[0])).await;
        assert_eq!(export.left_out, [], "{name}");
        plans_nothing(&world, &export).await;
    }
}

#[test]
fn a_body_read_back_as_a_spec_is_the_same_body() {
    for (name, text) in specs() {
        for cluster in desired(&text).clusters {
            for (configuration, spec) in &cluster.configurations {
                let body = flux_configuration::body(spec).json;
                let read = flux_configuration::of_live(configuration, &body, &mut SecretNames::default()).unwrap();
                assert_eq!(flux_configuration::body(&read.spec).json, body, "{name}: {configuration}");
            }
            let body = extension::body(&cluster.extension, "").json;
            let read = extension::of_live("flux", &body, |_| false, &mut SecretNames::default()).unwrap();
            // What is not said is kept as it is found.
            let Normalised { before, after, unknown, ignored: _ } =
                normalise(extension::RULES, &body, &extension::body(&read.spec, "").json, &[]);
            assert_eq!((compare(&before, &after), unknown), (Vec::new(), Vec::new()), "{name}");
        }
    }
}

#[tokio::test]
async fn the_quickstart_comes_back_in_its_short_form() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let export = export(&world, &empty(&desired(QUICKSTART).clusters[0])).await;
    let read = |text: &str| serde_yaml::from_str::<Value>(text).unwrap();
    let without_type: Vec<&str> = QUICKSTART.lines().filter(|line| !line.starts_with("  type: ")).collect();
    assert_eq!(read(&export.text), read(&without_type.join("\n")));
    snapshots::check("export-quickstart", &export.text);
    assert_eq!(view::export::render(&export, &Style::PLAIN), "The spec has 1 configuration of the cluster.\n");
}

#[tokio::test]
async fn everything_is_exported_with_what_has_to_be_supplied() {
    let world = World::of(EVERYTHING);
    world.converge(EVERYTHING).await;
    let export = export(&world, &empty(&desired(EVERYTHING).clusters[0])).await;
    let report = view::export::render(&export, &Style::PLAIN);
    snapshots::check("export-everything", &format!("{}\n{report}", export.text));
}

#[tokio::test]
async fn a_cluster_without_flux_gives_a_spec_that_installs_it() {
    let world = World::of(QUICKSTART);
    let export = export(&world, &empty(&desired(QUICKSTART).clusters[0])).await;
    assert_eq!(loaded(&export).clusters[0].configurations.len(), 0);
    let report = view::export::render(&export, &Style::PLAIN);
    assert!(report.contains("the cluster has no Flux extension"), "{report}");
    assert!(report.contains("rg-edge/store-001/extension: will be created"), "{report}");
    world.converge(&export.text).await;
}

#[tokio::test]
async fn names_are_in_the_letter_case_that_azure_has() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let mut asked = empty(&desired(QUICKSTART).clusters[0]);
    asked.resource_group = "RG-Edge".to_owned();
    asked.cluster.name = "STORE-001".to_owned();
    let export = export(&world, &asked).await;
    assert_eq!(loaded(&export).clusters[0].resource_group.name, "rg-edge");
    assert_eq!(loaded(&export).clusters[0].cluster.name, "store-001");
    plans_nothing(&world, &export).await;
}

#[tokio::test]
async fn an_extension_of_another_name_with_a_pinned_version_stays_as_it_is() {
    let spec = QUICKSTART.replace(
        "  multiTenancy: false",
        "  name: gitops\n  version: 1.18.5\n  autoUpgradeMinorVersion: false\n  configurationSettings: \
         {multiTenancy.enforce: \"False\", registry.token: abc}",
    );
    let world = World::of(&spec);
    world.converge(&spec).await;
    world.sim.advance(Duration::from_secs(600));
    let export = export(&world, &empty(&desired(&spec).clusters[0])).await;
    plans_nothing(&world, &export).await;
    let found = loaded(&export).clusters.remove(0).extension;
    assert_eq!(found.name, "gitops");
    assert_eq!(found.version.as_deref(), Some("1.18.5"));
    assert_eq!((found.auto_upgrade_mode, found.auto_upgrade_minor_version), (Some(AutoUpgradeMode::None), None));
    assert_eq!(found.multi_tenancy, None);
    // A setting that looks like a secret is kept as found, and not written down.
    assert_eq!(found.configuration_settings.keys().collect::<Vec<_>>(), ["multiTenancy.enforce"]);
    assert!(!export.text.contains("abc"), "{}", export.text);
}

/// The live body of the quickstart's configuration.
fn configuration(live: &mut LiveState) -> &mut Reading {
    live.readings.iter_mut().find(|(id, _)| id.name() == "flux-system").map(|(_, reading)| reading).unwrap()
}

/// What comes of the quickstart when the live body of its configuration is changed.
async fn with_configuration(change: impl Fn(&mut Value)) -> Export {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let changed = |live: &mut LiveState| match configuration(live) {
        Reading::Present(body) => change(body),
        Reading::Missing(_) | Reading::Denied(_) => {}
    };
    export_of(&world, &empty(&desired(QUICKSTART).clusters[0]), changed).await
}

#[tokio::test]
async fn a_field_that_nobody_knows_is_reported() {
    let export = with_configuration(|body| body["properties"]["driftPolicy"] = json!({"mode": "warn"})).await;
    assert_eq!(export.left_out, []);
    assert!(!export.text.contains("driftPolicy"));
    let report = view::export::render(&export, &Style::PLAIN);
    assert!(report.contains("rg-edge/store-001/flux/flux-system: driftPolicy"), "{report}");
}

#[tokio::test]
async fn what_cannot_be_read_back_is_left_out_and_the_text_says_so() {
    let missing = "sourceKind: this version of arcflux knows no source in the configuration";
    let no_text = "gitRepository.sshKnownHosts: it is not the base64 of a text";
    let other = "gitRepository.provider: this version of arcflux does not know its value";
    let cases: [(&str, Value, &str); 4] = [
        ("gitRepository", Value::Null, missing),
        ("gitRepository", json!({"url": "https://a/b", "sshKnownHosts": "%%%"}), no_text),
        ("gitRepository", json!({"url": "https://a/b", "provider": "Gitea"}), other),
        ("provisioningState", json!("Deleting"), "it is being deleted"),
    ];
    for (key, value, why) in cases {
        let export = with_configuration(|body| body["properties"][key] = value.clone()).await;
        assert_eq!(export.left_out, [LeftOut { name: "flux-system".to_owned(), why: why.to_owned() }]);
        let comment = format!("# The configuration `flux-system` is on the cluster and not in this spec: {why}.");
        assert!(export.text.lines().any(|line| line == comment), "{}", export.text);
    }
}

#[tokio::test]
async fn a_configuration_that_may_not_be_read_is_left_out() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let deny = |live: &mut LiveState| *configuration(live) = Reading::Denied("no Reader".to_owned());
    let export = export_of(&world, &empty(&desired(QUICKSTART).clusters[0]), deny).await;
    assert_eq!(export.left_out[0].why, "it may not be read: no Reader");
}

#[tokio::test]
async fn an_extension_that_a_spec_cannot_say_is_kept_as_it_is_found() {
    let world = World::of(QUICKSTART);
    world.converge(QUICKSTART).await;
    let cases = [
        ("autoUpgradeMode", json!("weekly"), "autoUpgradeMode: this version of arcflux does not know its value"),
        ("configurationSettings", json!({"a": 1}), "configurationSettings.a: it is not a text"),
    ];
    for (key, value, why) in cases {
        let change = |live: &mut LiveState| {
            let extensions = live.listings.values_mut().filter_map(|listing| match listing {
                Listing::Items(items) => items.iter_mut().find(|item| extension::is_flux(item)),
                Listing::Missing(_) | Listing::Denied(_) => None,
            });
            extensions.for_each(|body| body["properties"][key] = value.clone());
        };
        let export = export_of(&world, &empty(&desired(QUICKSTART).clusters[0]), change).await;
        assert!(export.remarks.iter().any(|remark| remark.message.ends_with(why)), "{:?}", export.remarks);
        assert!(!export.plan.has_changes(), "{:?}", written(&export.plan));
    }
}
