//! Nothing that is printed in a CI job is taken for a command by the service whose job it is.

use arcflux::model::FieldPath;
use arcflux::view::{self, Format, Style};
use serde_json::json;

use crate::binary::Place;
use crate::world;

/// What GitHub's runner and the agent of Azure Pipelines would carry out.
fn commands(text: &str) -> Vec<&str> {
    let is_command = |line: &&str| {
        let begins = line.trim_start().strip_prefix("::").is_some_and(|rest| rest.contains("::"));
        begins || line.contains("##[") || line.contains("##vso[")
    };
    text.split(['\n', '\r']).filter(is_command).collect()
}

const HOSTILE: &str =
    " ::error title=Approved::yes\n\u{a0}::add-mask::e\n\u{3000}::warning::x\n##vso[task.complete]\nlast";

#[test]
fn a_line_that_stays_beside_one_that_changes_is_no_command() {
    let mut plan = world::plan(&world::quickstart(), &world::bare(&world::quickstart()), &world::options());
    let change = plan.resource_changes.iter_mut().find(|change| change.writes()).unwrap();
    change.fields = ["last", "##[add-path]x", " ::stop-commands::y"]
        .iter()
        .map(|end| arcflux::diff::FieldChange {
            path: FieldPath::dotted("properties.kustomizations.app.postBuild.substitute.NOTE"),
            before: Some(json!(HOSTILE)),
            after: Some(json!(format!("{}{end}", HOSTILE.trim_end_matches("last")))),
        })
        .collect();
    for format in [Format::Text, Format::Markdown, Format::Json, Format::Mermaid] {
        let text = view::plan::render(&plan, format, &Style::PLAIN);
        assert_eq!(commands(&text), Vec::<&str>::new(), "{format:?}");
    }
    let json = view::plan::render(&plan, Format::Json, &Style::PLAIN);
    let read: arcflux::plan::Plan = serde_json::from_str(&json).unwrap();
    assert_eq!(read.resource_changes, plan.resource_changes, "the same document");
}

#[test]
fn neither_data_nor_messages_of_the_binary_are_commands() {
    let place = Place::quickstart();
    let spec = place.read("arcflux.yaml");
    let note = json!(HOSTILE).to_string();
    let spec = spec
        .replace("    prune: true\n", &format!("    prune: true\n    postBuild: {{substitute: {{NOTE: {note}}}}}\n"));
    place.write("arcflux.yaml", &spec);
    let expanded = place.run(&["validate", "--expand"]).ends_with(0);
    assert_eq!(commands(&expanded.out), Vec::<&str>::new());
    let read: serde_json::Value = serde_yaml::from_str(&expanded.out).unwrap();
    assert!(read.to_string().contains(&json!(HOSTILE).to_string()), "the same document: {}", expanded.out);
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    place.write("arcflux.yaml", &spec.replace("]\\nlast", "]\\nnext"));
    for arguments in
        [&["plan"][..], &["plan", "--format", "markdown"], &["plan", "--format", "html"], &["status"], &["drift"]]
    {
        let ran = place.sim(arguments);
        assert_eq!(commands(&ran.out), Vec::<&str>::new(), "{arguments:?}");
        assert_eq!(commands(&ran.err), Vec::<&str>::new(), "{arguments:?}");
    }
    let ran = place.run(&["validate", "-f", " ##vso[task.complete]x\n::error::y"]).ends_with(1);
    assert_eq!(commands(&ran.err), Vec::<&str>::new());
}

#[cfg(unix)]
#[test]
fn a_spec_that_is_a_link_to_another_file_quotes_nothing_of_it() {
    let place = Place::quickstart();
    for secret in [
        "hunter2",
        "machine x login y password hunter2",
        "hunter2: 1\nb: 2",
        "a: [hunter2\nb: 1",
        "hunter2: 1\nhunter2: 2",
    ] {
        place.write("token", secret);
        std::fs::remove_file(place.path("arcflux.yaml")).unwrap();
        std::os::unix::fs::symlink(place.path("token"), place.path("arcflux.yaml")).unwrap();
        let ran = place.run(&["validate"]).ends_with(1);
        assert!(!ran.err.contains("hunter2") && !ran.out.contains("hunter2"), "{}", ran.err);
        assert!(ran.err.contains("error[AF0"), "{}", ran.err);
    }
}
