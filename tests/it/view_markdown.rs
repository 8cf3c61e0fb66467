//! Comments as reviewers read them: what became of a plan, and where there is none. Plans themselves are golden cases.

use arcflux::model::Usage;
use arcflux::plan::{
    Action, ApplyReport, DriftReport, Failure, Outcome, Plan, ResourceOutcome, RunError, StatusReport,
};
use arcflux::view::markdown::{self, Context};
use arcflux::view::{Format, Style, drift, status};
use serde_json::json;

use crate::snapshots::check;
use crate::{comment, world};

fn context() -> Context {
    Context {
        target: "prod".parse().unwrap(),
        commit: Some(world::COMMIT.parse().unwrap()),
        base: Some("0123456789abcdef0123456789abcdef01234567".parse().unwrap()),
        run_url: Some("https://github.com/contoso/gitops/actions/runs/1".parse().unwrap()),
        artifact_url: Some("https://github.com/contoso/gitops/actions/runs/1/artifacts/2".parse().unwrap()),
        live_read_at: Some("2026-11-22T08:00:00.123Z".parse().unwrap()),
        ..Context::default()
    }
}

fn shown(name: &str, text: &str, closed: bool) {
    let read = comment::read(text);
    assert_eq!(read.marker.unwrap().closed, closed, "{name}");
    check(name, text);
}

fn planned() -> Plan {
    let desired = world::quickstart();
    world::plan(&desired, &world::bare(&desired), &world::options())
}

fn report(plan: &Plan, outcome: impl Fn(usize) -> Outcome) -> ApplyReport {
    let resources = plan.resource_changes.iter().enumerate().map(|(index, change)| ResourceOutcome {
        address: change.address.clone(),
        action: change.change.actions,
        outcome: if change.change.actions == Action::Read { Outcome::Unchanged } else { outcome(index) },
        started_at: Some("2026-11-22T08:00:00Z".parse().unwrap()),
        elapsed_seconds: 95,
        writes: Vec::new(),
        goes_on: false,
    });
    let usage = Usage { reads: 12, writes: 4, ..Usage::default() };
    ApplyReport { resources: resources.collect(), deferred: Vec::new(), interrupted: false, usage }
}

#[test]
fn a_plan_with_everything_around_it() {
    shown("comment-create", &markdown::plan(&planned(), &context()), false);
}

#[test]
fn nothing_to_do() {
    let desired = world::quickstart();
    let plan = world::plan(&desired, &world::converged(&desired), &world::options());
    shown("comment-nothing", &markdown::plan(&plan, &context()), true);
}

#[test]
fn what_became_of_a_plan() {
    let plan = planned();
    let done = report(&plan, |_| Outcome::Applied);
    shown("comment-applied", &markdown::outcome(&plan, &done, &context()), true);
    let last = plan.resource_changes.len() - 1;
    let failed = report(&plan, |index| match last - index {
        1 => Outcome::Failed {
            failure: Failure {
                code: "operation_failed".to_owned(),
                message:
                    "Kustomization flux-system-app (ArtifactFailed): kustomization path not found:\nstat /build/apps"
                        .to_owned(),
                hint: Some("check `path`: it must be a directory of the repository at this revision".to_owned()),
                correlation_id: Some("0b1c4c8e-4f0e-4c7d-9d43-3f9a4a1b2c3d".to_owned()),
            },
            wrote: true,
        },
        0 => Outcome::Skipped { because: Some(plan.resource_changes[last - 1].address.clone()) },
        _ => Outcome::Applied,
    });
    shown("comment-failed-apply", &markdown::outcome(&plan, &failed, &context()), false);
}

#[test]
fn the_readme_shows_a_comment() {
    let before = world::quickstart();
    let mut desired = before.clone();
    world::kustomization(&mut desired, "app").path = "./clusters/store-001/retail/Next".to_owned();
    let plan = world::plan(&desired, &world::converged(&before), &world::options());
    let context = Context { base: None, artifact_url: None, ..context() };
    let text = markdown::plan(&plan, &context);
    comment::read(&text);
    // Folded there, and long.
    let graph = text.find("<details><summary>What comes before what").unwrap();
    let rest = text[graph..].find("</details>\n\n").unwrap() + graph + "</details>\n\n".len();
    let shown = format!("{}{}", &text[..graph], &text[rest..]).replace(&plan.digest.to_string(), "sha256:3f9c…");
    let shown: Vec<&str> = shown.lines().skip(1).collect();
    let readme = include_str!("../../README.md");
    let block = readme.split("\n````markdown\n").nth(1).and_then(|rest| rest.split("\n````").next()).unwrap();
    assert_eq!(block, shown.join("\n"));
}

#[test]
fn drift_and_status() {
    let desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::add_unmanaged(&desired, &mut live, "legacy");
    world::edit_configuration(&desired, &mut live, |body| {
        body["properties"]["kustomizations"]["app"]["path"] = json!("./@team|`x`");
        body["properties"]["suspend"] = json!(true);
    });
    let plan = world::plan(&desired, &live, &world::options());
    for (name, text) in [
        ("comment-drift", drift::render(&DriftReport::of(&plan), Format::Markdown, &Style::PLAIN)),
        (
            "comment-status",
            status::render(&StatusReport::of(&world::graph(&desired), &live), Format::Markdown, &Style::PLAIN),
        ),
    ] {
        assert!(comment::read(&text).marker.is_none());
        check(name, &text);
    }
}

#[test]
fn no_plan() {
    let error = RunError {
        messages: vec!["arcflux.yaml has problems; see above".to_owned()],
        details: Vec::new(),
        hint: Some("run `arcflux validate`".to_owned()),
    };
    let problems = "error[AF001]: unknown key `brnach`\n --> arcflux.yaml:9:3\n  |\n9 |   brnach: main\n  |   ^^^^^^\n";
    shown("comment-no-plan", &markdown::failed(&error, problems, &context()), false);
    shown("comment-superseded", &markdown::superseded(context().run_url.as_ref(), &context()), true);
}
