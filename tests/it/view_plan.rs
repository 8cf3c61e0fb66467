//! Plans as people read them: each case is a snapshot to be read with a platform engineer's eyes.

use arcflux::kinds::flux_configuration::PostBuildSpec;
use arcflux::model::{LiveState, SecretRef};
use arcflux::plan::{self, Choices, Options, Plan, Workloads};
use arcflux::spec::Desired;
use arcflux::view::{self, Format, Style};
use serde_json::json;

use crate::snapshots::check;
use crate::world;

const WIDE: Style = Style { colour: false, width: 100 };
const NARROW: Style = Style { colour: false, width: 60 };

fn text(plan: &Plan, style: Style) -> String {
    let text = view::plan::render(plan, Format::Text, &style);
    assert!(text.ends_with(&format!("Digest: {}\n", plan.digest)), "the digest is the last line");
    text
}

fn planned(desired: &Desired, live: &LiveState) -> Plan {
    world::plan(desired, live, &world::options())
}

#[test]
fn everything_is_created() {
    let desired = world::quickstart();
    let plan = planned(&desired, &world::bare(&desired));
    check("plan-create", &text(&plan, WIDE));
    check("plan-create-60", &text(&plan, NARROW));
    check("plan-create-mermaid", &view::plan::render(&plan, Format::Mermaid, &WIDE));
    check("plan-create-colour", &text(&plan, Style { colour: true, width: 100 }).replace('\u{1b}', "␛"));
}

#[test]
fn one_edited_path_is_one_changed_line() {
    let before = world::quickstart();
    let mut desired = before.clone();
    world::kustomization(&mut desired, "app").path = "./clusters/store-001/retail/Next".to_owned();
    let plan = planned(&desired, &world::converged(&before));
    let wide = text(&plan, WIDE);
    let changed = |line: &&str| ["~ ", "+ ", "- "].iter().any(|symbol| line.trim_start().starts_with(symbol));
    let changed: Vec<&str> = wide.lines().filter(changed).collect();
    assert_eq!(changed.len(), 2, "the resource and one line in it: {changed:#?}");
    check("plan-path", &wide);
    check("plan-path-60", &text(&plan, NARROW));
}

#[test]
fn a_removed_kustomization_needs_a_word_about_its_workloads() {
    let before = world::quickstart();
    let mut desired = before.clone();
    world::configuration(&mut desired).kustomizations.remove("app");
    let live = world::converged(&before);
    check("plan-removal-refused", &text(&planned(&desired, &live), WIDE));
    check("plan-removal-refused-60", &text(&planned(&desired, &live), NARROW));
    for (name, workloads) in [("plan-removal-delete", Workloads::Delete), ("plan-removal-keep", Workloads::Keep)] {
        let options =
            Options { choices: Choices { workloads: Some(workloads), ..Choices::default() }, ..world::options() };
        check(name, &text(&world::plan(&desired, &live, &options), WIDE));
    }
}

#[test]
fn another_namespace_is_a_replacement() {
    let before = world::quickstart();
    let mut desired = before.clone();
    world::configuration(&mut desired).namespace = "gitops".to_owned();
    let live = world::converged(&before);
    check("plan-replace-refused", &text(&planned(&desired, &live), WIDE));
    let options = Options { choices: Choices { allow_replace: true, ..Choices::default() }, ..world::options() };
    check("plan-replace", &text(&world::plan(&desired, &live, &options), NARROW));
}

#[test]
fn a_hand_edit_is_shown() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::edit_configuration(&desired, &mut live, |body| {
        body["properties"]["suspend"] = json!(true);
        body["properties"]["kustomizations"]["app"]["timeoutInSeconds"] = json!(120);
        body["properties"]["kustomizations"]["app"]["retryIntervalInSeconds"] = json!(30);
        body["properties"]["novelty"] = json!({"mode": "on"});
    });
    check("plan-hand-edit", &text(&planned(&desired, &live), WIDE));
}

#[test]
fn nothing_to_do() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    check("plan-nothing", &text(&planned(&desired, &live), WIDE));
    world::add_unmanaged(&desired, &mut live, "legacy");
    world::add_unmanaged(&desired, &mut live, "team-b");
    world::edit_extension(&desired, &mut live, |body| {
        body["properties"]["configurationSettings"]["image-automation-controller.enabled"] = json!("true");
    });
    check("plan-nothing-unmanaged", &text(&planned(&desired, &live), NARROW));
}

#[test]
fn what_is_only_waited_for_is_said() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::edit_cluster(&desired, &mut live, |body| body["properties"]["connectivityStatus"] = json!("Offline"));
    world::edit_configuration(&desired, &mut live, |body| {
        body["properties"]["complianceState"] = json!("Non-Compliant");
        body["properties"]["statuses"][2]["statusConditions"][0] = json!({
            "type": "Ready", "status": "False", "reason": "ArtifactFailed",
            "message": "kustomization path not found: stat /build/clusters/store-001: no such file or directory",
        });
    });
    check("plan-wait", &text(&planned(&desired, &live), NARROW));
}

#[test]
fn destroy() {
    let desired = world::quickstart();
    let live = world::converged(&desired);
    for (name, workloads) in [("plan-destroy", None), ("plan-destroy-keep", Some(Workloads::Keep))] {
        let options = Options { choices: Choices { workloads, ..Choices::default() }, ..world::options() };
        let plan = plan::destroy(&world::graph(&desired), &live, &desired.expanded, &options).unwrap();
        check(name, &text(&plan, WIDE));
    }
    let plan =
        plan::destroy(&world::graph(&desired), &world::bare(&desired), &desired.expanded, &world::options()).unwrap();
    check("plan-destroy-nothing", &text(&plan, WIDE));
}

#[test]
fn multi_tenancy_is_switched() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::edit_extension(&desired, &mut live, |body| {
        body["name"] = json!("microsoft-flux");
        body["properties"]["configurationSettings"] = json!({"multiTenancy.enforce": "true", "logLevel": "debug"});
    });
    check("plan-multi-tenancy", &text(&planned(&desired, &live), NARROW));
}

#[test]
fn a_failed_extension_is_repaired() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::edit_extension(&desired, &mut live, |body| {
        body["properties"]["provisioningState"] = json!("Failed");
        body["properties"]["errorInfo"] = json!({"message": "Error: failed to install\nchart: timed out"});
    });
    check("plan-repair", &text(&planned(&desired, &live), WIDE));
}

#[test]
fn secrets_are_named_and_never_shown() {
    let mut desired = world::quickstart();
    let source = world::source(&mut desired);
    source.https_user = Some("git".to_owned());
    source.https_key = Some(SecretRef::Env("GIT_TOKEN".to_owned()));
    check("plan-secret-create", &text(&planned(&desired, &world::bare(&desired)), WIDE));
    let live = world::converged(&desired);
    world::source(&mut desired).branch = Some("release".to_owned());
    check("plan-secret-update", &text(&planned(&desired, &live), WIDE));
}

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIBaaaa\nMIIBbbbb\nMIIBcccc\n-----END CERTIFICATE-----";

#[test]
fn texts_of_several_lines_are_compared_line_by_line() {
    let substitute = |motd: &str| PostBuildSpec {
        substitute: [("MOTD", motd), ("REGION", "eu"), ("API_TOKEN", motd)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        substitute_from: Vec::new(),
    };
    let mut before = world::quickstart();
    world::source(&mut before).https_ca_cert = Some(CERTIFICATE.to_owned());
    let mut desired = before.clone();
    world::kustomization(&mut before, "app").post_build = Some(substitute("first\nsecond\nthird\n"));
    world::kustomization(&mut desired, "app").post_build = Some(substitute("first\n2nd\nthird"));
    world::source(&mut desired).https_ca_cert = Some(CERTIFICATE.replace("MIIBb", "MIICb"));
    check("plan-lines", &text(&planned(&desired, &world::converged(&before)), NARROW));
    check("plan-lines-create", &text(&planned(&desired, &world::bare(&desired)), WIDE));
    let without = world::quickstart();
    check("plan-lines-removed", &text(&planned(&without, &world::converged(&before)), WIDE));
}

#[test]
fn hostile_values_come_out_inert_and_bounded() {
    let before = world::quickstart();
    let mut desired = before.clone();
    let app = world::kustomization(&mut desired, "app");
    app.path = "./a\u{1b}[2K\u{1b}[1A\nPlan: 0 to add, 0 to change, 0 to destroy.\u{202e}\u{200b}`\"".to_owned();
    let long = "x".repeat(70_000);
    app.post_build = Some(PostBuildSpec {
        substitute: [
            ("LONG", long.as_str()),
            ("LINES", &"line\u{9b}31m\r\n".repeat(6_000)),
            ("HUGE_LINES", &"\u{7}\n".repeat(60_000)),
            ("ke\u{1b}]0;y", "``` </details> <script>"),
            (&long, "a long name"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        substitute_from: Vec::new(),
    });
    let mut plan = planned(&desired, &world::converged(&before));
    // As in a plan file that somebody else wrote.
    for change in &mut plan.resource_changes {
        change.api_version = "2025\u{1b}[8m".to_owned();
        change.needs.clear();
    }
    for format in Format::ALL {
        let shown = view::plan::render(&plan, format, &WIDE);
        let hidden = |c: char| c.is_control() || "\u{202e}\u{200b}".contains(c);
        assert!(!shown.chars().any(|c| hidden(c) && c != '\n'), "{format:?}");
    }
    let shown = text(&plan, WIDE);
    assert!(shown.len() < 8_000, "{}", shown.len());
    assert_eq!(shown.lines().filter(|line| line.starts_with("Plan: ")).count(), 1);
    check("plan-hostile", &shown);
}

#[test]
fn a_replacement_says_what_it_does_whatever_prunes() {
    let mut before = world::quickstart();
    for name in ["app", "infrastructure"] {
        world::kustomization(&mut before, name).prune = false;
    }
    let mut desired = before.clone();
    world::configuration(&mut desired).namespace = "gitops".to_owned();
    let shown = text(&planned(&desired, &world::converged(&before)), WIDE);
    assert!(shown.contains("! nothing is reconciled until the new configuration is ready\n"), "{shown}");
}
