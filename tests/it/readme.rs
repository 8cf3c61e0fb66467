//! The README says what is true: its commands print what it shows, its tables list what there is.

use std::path::Path;
use std::process::Command;

use arcflux::kinds::flux_settings::{SETTINGS, Setting};
use arcflux::model::Severity;
use arcflux::spec::codes;

const README: &str = include_str!("../../README.md");

/// The fenced blocks of the README with this language, without their fences.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("\n```{language}\n");
    README.split(&fence).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn the_first_command_prints_what_is_shown_under_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("specs")).unwrap();
    std::fs::copy(root.join("specs/quickstart.yaml"), directory.path().join("specs/quickstart.yaml")).unwrap();
    let command = blocks("sh")[0];
    let arguments = command.strip_prefix("cargo run --locked -- ").unwrap().split(' ');
    let output = Command::new(env!("CARGO_BIN_EXE_arcflux"))
        .args(arguments)
        .args(["--sim-pace", "1000000"])
        .current_dir(directory.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), blocks("text")[0]);
}

#[test]
fn there_are_two_set_up_commands_and_the_gate_runs_the_second() {
    let set_up = README.split("\n## ").find(|section| section.starts_with("Try it")).unwrap();
    let commands: Vec<&str> = set_up.split("```sh\n").skip(1).filter_map(|rest| rest.lines().next()).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let gate = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
    assert!(gate.lines().any(|line| line == commands[1]), "{} is not in .ci/run", commands[1]);
}

#[test]
fn every_code_is_in_the_table() {
    let row = |row: &codes::Row| {
        let severity = match (row.severity, row.can_be_allowed) {
            (Severity::Error, false) => "error",
            (Severity::Error, true) => "error, can be allowed",
            (Severity::Warning, _) => "warning",
        };
        format!("| {} | {severity} | {} | {} |", row.code, row.title, row.explanation)
    };
    let expected: Vec<String> = codes::TABLE.iter().map(row).collect();
    let found: Vec<&str> = README.lines().filter(|line| line.starts_with("| AF")).collect();
    assert_eq!(found, expected, "the table should be:\n{}", expected.join("\n"));
}

#[test]
fn every_setting_of_the_extension_is_in_the_table() {
    let rows: Vec<&str> = README.lines().filter(|line| line.starts_with("| `")).collect();
    for name in SETTINGS.iter().flat_map(Setting::names) {
        let ends = name.match_indices('.').map(|(at, _)| &name[at..]);
        let is_listed = std::iter::once(name.as_str()).chain(ends).any(|end| {
            let mut quoted = rows.iter().flat_map(|row| row.split('`')).filter(|part| !part.is_empty());
            quoted.any(|part| part.ends_with(end))
        });
        assert!(is_listed, "{name}");
    }
}

#[test]
fn the_explanation_that_is_shown_is_one_of_the_cases() {
    let case = include_str!("../../snapshots/plan_case__explain-references.snap");
    let (command, printed) = blocks("console")[0].split_once('\n').unwrap();
    assert!(case.contains(&format!("{command}\nexit 0\n--- stdout\n{printed}\n--- stderr")), "{command}");
}
