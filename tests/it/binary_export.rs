//! `arcflux export`, run as people run it.

use crate::binary::Place;

const CLUSTER: [&str; 7] = ["export", "-s", "3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20", "-g", "rg-edge", "-c", "store-001"];

#[test]
fn what_was_applied_is_exported_and_plans_no_changes() {
    let place = Place::quickstart();
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    let exported = place.sim(&CLUSTER).ends_with(0).says("The spec has 1 configuration of the cluster.");
    place.write("exported.yaml", &exported.out);
    place.run(&["validate", "-f", "exported.yaml"]).ends_with(0).shows("is valid");
    place.sim(&["plan", "-f", "exported.yaml", "--detailed-exitcode"]).ends_with(0).shows("No changes.");
    let again = place.sim(&CLUSTER).ends_with(0);
    assert_eq!(again.out, exported.out);
}

#[test]
fn a_cluster_that_is_not_there_is_said_as_a_plan_says_it() {
    let place = Place::quickstart();
    place.sim(&CLUSTER).ends_with(1).says("there is no state of the simulator");
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    let other = [&CLUSTER[..6], &["store-002"]].concat();
    let exported = place.sim(&other).ends_with(1).says("rg-edge/store-002: the cluster does not exist");
    assert_eq!(exported.out, "");
    let spec = place.read("arcflux.yaml").replace("name: store-001", "name: store-002");
    place.write("other.yaml", &spec);
    let planned = place.sim(&["plan", "-f", "other.yaml"]).ends_with(1);
    let sentence = |text: &str| text.lines().find(|line| line.starts_with("Error: ")).map(str::to_owned);
    assert_eq!(sentence(&exported.err), sentence(&planned.err));
}

#[test]
fn names_and_scope_are_checked_before_anything_is_sent() {
    let place = Place::quickstart();
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    place.sim(&["export", "-s", "mine", "-g", "rg-edge", "-c", "store-001"]).ends_with(64).says("is not a GUID");
    let scoped = [&CLUSTER[..], &["--scope", "/subscriptions/*/resourceGroups/rg-other/**"]].concat();
    place.sim(&scoped).ends_with(3).says("outside `--scope`");
}

/// What the README shows, before it was exported.
const PLATFORM: &str = "
apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-edge
cluster: {name: store-002}
extension: {multiTenancy: false}
configurations:
  platform:
    namespace: flux-system
    allow: [AF064]
    gitRepository:
      url: https://git.contoso.com/platform
      branch: main
      interval: 5m
      httpsUser: flux
      httpsKey: {env: GIT_TOKEN}
    kustomizations:
      infrastructure: {path: /infrastructure, prune: true}
";

#[test]
fn the_readme_shows_what_is_exported() {
    let readme = include_str!("../../README.md");
    let place = Place::empty();
    place.write("arcflux.yaml", PLATFORM);
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    let exported = place.sim(&[&CLUSTER[..6], &["store-002"]].concat()).ends_with(0);
    assert!(readme.contains(&format!("```yaml\n{}```\n", exported.out)), "{}", exported.out);
    let (_, report) = exported.err.split_once('\n').unwrap();
    assert!(readme.contains(&format!("```text\n{report}```\n")), "{report}");
}

#[test]
fn what_is_left_out_is_an_exit_code_too_and_an_aks_cluster_has_its_type() {
    let place = Place::empty();
    let aks = PLATFORM.replace("{name: store-002}", "{name: store-002, type: managedClusters}");
    place.write("arcflux.yaml", &aks);
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    // What somebody else's client can put there: a wait of no length.
    let state = place.read(".arcflux/sim.json");
    let odd = state.replace("\"syncIntervalInSeconds\": 300", "\"syncIntervalInSeconds\": 0");
    let odd = odd.replace("\"syncIntervalInSeconds\":300", "\"syncIntervalInSeconds\":0");
    assert_ne!(odd, state);
    place.write(".arcflux/sim.json", &odd);
    let arguments = [&CLUSTER[..6], &["store-002", "--type", "managedClusters"]].concat();
    let exported = place.sim(&arguments).ends_with(4).says("platform: gitRepository.syncIntervalInSeconds");
    let exported = exported.shows("# The configuration `platform` is on the cluster and not in this spec");
    let exported = exported.shows("type: managedClusters");
    place.write("exported.yaml", &exported.out);
    place.sim(&["plan", "-f", "exported.yaml", "--detailed-exitcode"]).ends_with(0);
}
