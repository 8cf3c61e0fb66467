//! The base of a spec through the binary: from a file, from git, in saved plans; and drift on a schedule.

use std::process::Command;

use crate::binary::{Place, Ran};

const RETAIL: &str = "configurations:
  retail:
    scope: cluster
    namespace: retail
    gitRepository: {url: \"https://github.com/contoso/retail\", branch: main}
    kustomizations: {shop: {path: ./shop}}
";

/// The quickstart and one configuration more, applied; then the spec without it.
fn dropped() -> Place {
    let place = Place::quickstart();
    let spec = place.read("arcflux.yaml");
    place.write("arcflux.yaml", &format!("{spec}{RETAIL}"));
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    place.write("old.yaml", &place.read("arcflux.yaml"));
    place.write("arcflux.yaml", &spec);
    place
}

fn git(place: &Place, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.current_dir(place.path("")).args(arguments);
    let command = command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.output().is_ok_and(|output| output.status.success())
}

fn deletes_retail(ran: &Ran) {
    let clone = ran.out.clone();
    assert!(clone.contains("# rg-edge/store-001/flux/retail will be destroyed"), "{clone}");
    assert!(clone.contains("Plan: 0 to add, 0 to change, 1 to destroy."), "{clone}");
}

#[test]
fn a_file_or_a_revision_of_git_is_the_base() {
    let place = dropped();
    place.sim(&["plan"]).ends_with(0).shows("Not in the specification, left alone: rg-edge/store-001/flux/retail");
    deletes_retail(&place.sim(&["plan", "--base", "old.yaml"]).ends_with(0));
    let none = place.sim(&["plan", "--base", "none.yaml"]).ends_with(1).says("there is no none.yaml");
    none.says("`--base` takes the spec as it was before");
    place.sim(&["plan", "--base", "git:HEAD"]).ends_with(1).says("is not in a git repository");

    let new = place.read("arcflux.yaml");
    place.write("arcflux.yaml", &place.read("old.yaml"));
    let committed = git(&place, &["init", "--quiet", "--initial-branch=main"])
        && git(&place, &["add", "arcflux.yaml"])
        && git(
            &place,
            &["-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "-m", "Begin"],
        );
    if !committed {
        return skipped();
    }
    place.write("arcflux.yaml", &new);
    deletes_retail(&place.sim(&["plan", "--base", "git:main"]).ends_with(0));
    deletes_retail(&place.sim(&["plan", "--base", "git:HEAD:arcflux.yaml"]).ends_with(0));
    place.sim(&["plan", "--base", "git:v9"]).ends_with(1).says("git knows no revision `v9` here");
    place.sim(&["plan", "--base", "git:--help"]).ends_with(1).says("git knows no revision `--help` here");
    place.sim(&["plan", "--base", "git:main", "-f", "old.yaml"]).ends_with(1).says("there is no old.yaml at `main`");
    place.sim(&["plan", "--base", "git:main", "--destroy"]).ends_with(64);
}

#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn skipped() {
    eprintln!("SKIPPED: a base out of git: git is not installed");
}

#[test]
fn a_saved_plan_holds_its_base_and_is_refused_for_another_spec() {
    let place = dropped();
    place.sim(&["plan", "--base", "old.yaml", "--out", "plan.json"]).ends_with(0);
    place.sim(&["apply", "plan.json", "--base", "old.yaml"]).ends_with(64);
    place
        .sim(&["apply", "plan.json", "-f", "old.yaml"])
        .ends_with(3)
        .says("plan.json was made from another spec than old.yaml; nothing was written - configurations.retail");
    let elsewhere = place.read("arcflux.yaml").replace("3f0c1c5e", "00000000");
    place.write("elsewhere.yaml", &elsewhere);
    place
        .sim(&["apply", "plan.json", "-f", "elsewhere.yaml"])
        .ends_with(3)
        .says("plan.json is for the subscription 3f0c1c5e");
    std::fs::remove_file(place.path("old.yaml")).unwrap();
    place.sim(&["apply", "plan.json", "-f", "arcflux.yaml"]).ends_with(0).shows("0 added, 0 changed, 1 destroyed.");
    place.sim(&["apply", "plan.json"]).ends_with(0).shows("No changes.");
}

#[test]
fn drift_has_an_exit_code_of_its_own() {
    let place = dropped();
    place.sim(&["drift"]).ends_with(0).shows("Not declared: rg-edge/store-001/flux/retail No drift.");
    let edited = place.read("arcflux.yaml").replace("prune: true\n    dependsOn", "prune: false\n    dependsOn");
    place.write("new.yaml", &edited);
    place
        .sim(&["drift", "-f", "new.yaml"])
        .ends_with(2)
        .shows("# rg-edge/store-001/flux/flux-system was changed # (last changed 2026-")
        .shows("~ kustomizations.app.prune = false -> true")
        .shows("Drift: 1 object is not as declared.");
    place.sim(&["drift", "-f", "new.yaml", "--base", "arcflux.yaml"]).ends_with(0);
    let json = place.sim(&["drift", "-f", "new.yaml", "--format", "json"]).ends_with(2);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["drifted"][0]["drift"], "changed");
    assert_eq!(json["drifted"][0]["fields"][0]["before"], false);
}
