//! An apply as lines, and its report.

use arcflux::model::{Address, Usage};
use arcflux::plan::{Action, ApplyReport, Event, EventKind, Failure, Mode, Outcome, ResourceOutcome, Written};
use arcflux::view::Style;
use arcflux::view::apply::{event_line, render_report};

use crate::snapshots;

const WIDE: Style = Style { colour: false, width: 100 };
const NARROW: Style = Style { colour: false, width: 60 };

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn line(on: &str, kind: EventKind) -> Option<String> {
    event_line(&Event { at: "2026-11-22T08:00:00Z".parse().unwrap(), address: address(on), kind }, &WIDE)
}

fn failure() -> Failure {
    Failure {
        code: "not_compliant".to_owned(),
        message: "Kustomization flux-system-app (ArtifactFailed): kustomization path not found:\nstat /build/apps: \u{1b}[31mno such file or directory".to_owned(),
        hint: Some("check `path`: it must be a directory of the repository at this revision".to_owned()),
        correlation_id: Some("0b1c4c8e-4f0e-4c7d-9d43-3f9a4a1b2c3d".to_owned()),
    }
}

#[test]
fn events_are_lines_in_the_words_of_terraform() {
    let (extension, provider) = ("rg-edge/store-001/extension", "provider/Microsoft.KubernetesConfiguration");
    let progress = |action, elapsed_seconds| EventKind::ApplyProgress {
        action,
        waiting_for: "Flux to reconcile".to_owned(),
        status: "Creating".to_owned(),
        elapsed_seconds,
    };
    let lines: Vec<String> = [
        (provider, EventKind::ApplyStart { action: Action::Create }),
        (provider, EventKind::ApplyComplete { action: Action::Create, elapsed_seconds: 0 }),
        (extension, EventKind::ApplyStart { action: Action::Create }),
        (
            extension,
            EventKind::Accepted { method: "PUT".to_owned(), status: 201, operation_id: None, correlation_id: None },
        ),
        (extension, progress(Action::Create, 70)),
        (extension, EventKind::ApplyComplete { action: Action::Create, elapsed_seconds: 95 }),
        (extension, EventKind::ApplyStart { action: Action::Update }),
        (extension, progress(Action::Update, 3725)),
        (extension, EventKind::ApplyStart { action: Action::Delete }),
        (extension, EventKind::ApplyStart { action: Action::Replace }),
        (extension, EventKind::ApplyStart { action: Action::NoOp }),
        (extension, progress(Action::NoOp, 60)),
        (extension, EventKind::ApplyErrored { failure: failure() }),
        (extension, EventKind::ApplySkipped { because: Some(address(provider)) }),
        (extension, EventKind::ApplySkipped { because: None }),
    ]
    .into_iter()
    .filter_map(|(on, kind)| line(on, kind))
    .collect();
    assert!(lines.iter().all(|line| !line.chars().any(char::is_control)));
    snapshots::check("apply-events", &lines.join("\n"));
}

fn report(outcomes: [(&str, Action, Outcome); 4], interrupted: bool) -> ApplyReport {
    let resources = outcomes
        .into_iter()
        .map(|(on, action, outcome)| ResourceOutcome {
            address: address(on),
            action,
            outcome,
            started_at: None,
            elapsed_seconds: 0,
            writes: Vec::new(),
            goes_on: false,
        })
        .collect();
    let usage = Usage { reads: 17, writes: 3, deletes: 1, retries: 0, throttled_seconds: 0 };
    ApplyReport { resources, deferred: Vec::new(), interrupted, usage }
}

#[test]
fn reports_end_with_a_verdict() {
    let (provider, extension) = ("provider/Microsoft.KubernetesConfiguration", "rg-edge/store-001/extension");
    let (one, two) = ("rg-edge/store-001/flux/flux-system", "rg-edge/store-001/flux/apps");
    let complete = report(
        [
            (provider, Action::Create, Outcome::Applied),
            (extension, Action::Create, Outcome::Applied),
            (one, Action::Update, Outcome::Applied),
            (two, Action::NoOp, Outcome::Reached),
        ],
        false,
    );
    assert_eq!(
        render_report(&complete, Mode::Apply, &WIDE),
        "Apply complete! Resources: 2 added, 1 changed, 0 destroyed.\n"
    );
    let replaced = report(
        [
            (provider, Action::NoOp, Outcome::Unchanged),
            (extension, Action::NoOp, Outcome::Unchanged),
            (one, Action::Replace, Outcome::Applied),
            (two, Action::Delete, Outcome::Applied),
        ],
        false,
    );
    assert_eq!(
        render_report(&replaced, Mode::Apply, &WIDE),
        "Apply complete! Resources: 0 added, 0 changed, 1 destroyed, 1 replaced.\n"
    );
    assert_eq!(render_report(&replaced, Mode::Destroy, &WIDE), "Destroy complete! Resources: 1 destroyed.\n");
    let skipped = |because: &str| Outcome::Skipped { because: Some(address(because)) };
    let incomplete = report(
        [
            (provider, Action::Create, Outcome::Applied),
            (extension, Action::Update, Outcome::Applied),
            (one, Action::Create, Outcome::Failed { failure: failure(), wrote: true }),
            (two, Action::Create, skipped(one)),
        ],
        false,
    );
    snapshots::check("apply-incomplete", &render_report(&incomplete, Mode::Apply, &WIDE));
    snapshots::check("apply-incomplete-60", &render_report(&incomplete, Mode::Apply, &NARROW));
    let interrupted = report(
        [
            (provider, Action::Create, Outcome::Applied),
            (extension, Action::Create, Outcome::Applied),
            (one, Action::Create, Outcome::Skipped { because: None }),
            (two, Action::Create, Outcome::Skipped { because: None }),
        ],
        true,
    );
    snapshots::check("apply-interrupted", &render_report(&interrupted, Mode::Apply, &WIDE));
}

/// A resource whose work began that many seconds after the first, with the last write that was sent for it.
fn worked_on(
    on: &str,
    outcome: Outcome,
    began: i64,
    elapsed_seconds: i64,
    written: Option<Written>,
) -> ResourceOutcome {
    let start: jiff::Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
    ResourceOutcome {
        address: address(on),
        action: Action::Create,
        outcome,
        started_at: Some(start + jiff::SignedDuration::from_secs(began)),
        elapsed_seconds,
        writes: written.into_iter().collect(),
        goes_on: false,
    }
}

fn written(status: Option<u16>, operation_id: Option<&str>) -> Option<Written> {
    let operation_id = operation_id.map(str::to_owned);
    Some(Written { method: "PUT".to_owned(), status, correlation_id: None, operation_id })
}

#[test]
fn effort_is_told_where_it_mattered() {
    let one = |usage| ApplyReport {
        resources: vec![worked_on("rg-edge/store-001/extension", Outcome::Applied, 5, 95, written(Some(201), None))],
        usage,
        ..ApplyReport::default()
    };
    let usage = Usage { reads: 20, writes: 2, deletes: 1, retries: 0, throttled_seconds: 0 };
    let last = |usage| render_report(&one(usage), Mode::Apply, &WIDE).lines().last().unwrap().to_owned();
    assert_eq!(last(usage), "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
    assert_eq!(
        last(Usage { retries: 2, throttled_seconds: 41, ..usage }),
        "23 requests (3 writes) in 1m35s, 2 retries, held back by Azure's limits for 41s."
    );
    assert_eq!(
        last(Usage { reads: 0, writes: 1, deletes: 0, retries: 1, throttled_seconds: 0 }),
        "1 request (1 write) in 1m35s, 1 retry."
    );
}

#[test]
fn what_azure_still_works_on_is_told_with_its_operation() {
    let failed = |code: &str, wrote| Outcome::Failed {
        failure: Failure { code: code.to_owned(), message: "why".to_owned(), hint: None, correlation_id: None },
        wrote,
    };
    let operation = written(Some(201), Some("6c1f\u{1b}[31m"));
    let slow = worked_on("rg-a/c/extension", failed("timed_out", true), 0, 600, operation);
    let report = ApplyReport {
        resources: vec![
            ResourceOutcome { goes_on: true, ..slow },
            worked_on("rg-b/c/extension", failed("operation_failed", true), 10, 95, written(Some(202), Some("77aa"))),
            worked_on("rg-c/c/extension", failed("outcome_unknown", false), 3, 7, written(None, None)),
            worked_on("rg-d/c/extension", failed("rejected", false), 4, 1, written(Some(400), None)),
        ],
        usage: Usage { reads: 40, writes: 4, deletes: 0, retries: 3, throttled_seconds: 0 },
        interrupted: true,
        deferred: Vec::new(),
    };
    snapshots::check("apply-unfinished", &render_report(&report, Mode::Apply, &WIDE));
}
