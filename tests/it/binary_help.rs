//! Help, version and colour.

use crate::binary::{Place, Ran};
use crate::snapshots;

const COMMANDS: [&[&str]; 24] = [
    &[],
    &["validate"],
    &["plan"],
    &["apply"],
    &["comment"],
    &["destroy"],
    &["drift"],
    &["export"],
    &["status"],
    &["doctor"],
    &["explain"],
    &["explain-code"],
    &["snapshot"],
    &["show"],
    &["bundle"],
    &["render"],
    &["graph"],
    &["init"],
    &["schema"],
    &["completions"],
    &["man"],
    &["sim"],
    &["sim", "serve"],
    &["sim", "scenarios"],
];

fn help(command: &[&str], columns: &str) -> Ran {
    Place::empty().with("COLUMNS", columns).run(&[command, &["--help"]].concat()).ends_with(0)
}

#[test]
fn every_command_explains_itself_at_any_width() {
    for command in COMMANDS {
        for columns in [60, 100] {
            let ran = help(command, &columns.to_string());
            assert_eq!(ran.err, "");
            assert!(ran.out.contains("Usage: arcflux"), "{command:?}");
            // clap never breaks the line of the usage.
            for line in ran.out.lines().filter(|line| !line.starts_with("Usage:")) {
                assert!(line.chars().count() <= columns, "{command:?}: {line:?}");
            }
        }
    }
}

#[test]
fn help_reads_like_this() {
    snapshots::check("help", &help(&[], "100").out);
    snapshots::check("help-plan", &help(&["plan"], "100").out);
    snapshots::check("help-doctor", &help(&["doctor"], "100").out);
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = format!("arcflux {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(Place::empty().run(&["--version"]).ends_with(0).out, version);
}

#[test]
fn there_is_no_colour_in_a_pipe() {
    for place in
        [Place::quickstart(), Place::quickstart().with("NO_COLOR", "1"), Place::quickstart().with("TERM", "xterm")]
    {
        for arguments in [&["plan"][..], &["apply", "--auto-approve"], &["status"], &["plan", "--frmat"]] {
            let ran = place.sim(arguments);
            assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{arguments:?}");
        }
        place.write("arcflux.yaml", "kustomisations: {}\n");
        let ran = place.run(&["validate"]).ends_with(1);
        assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
    }
}
