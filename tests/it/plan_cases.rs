//! Golden cases: each folder under `tests/cases/plan` holds a spec, live states and the commands to run on them. The
//! snapshot of a case is the transcript of its commands, run by the real binary; every plan is rendered in every format.
//! `tests/cases/plan/README.md` says how to add one.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arcflux::view::Format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::binary::{Place, Ran};

/// What stands before the names of the snapshots.
const PREFIX: &str = "plan_case__";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it shows, in one sentence.
    title: String,
    /// Where it was seen: an issue, a document, a rule of ours.
    source: String,
    /// What is run before, and must succeed; it is not in the transcript.
    #[serde(default)]
    before: Vec<String>,
    /// What is run, in order, each without the program's name; words are divided at spaces.
    commands: Vec<String>,
    /// Variables of the environment. A value with `hunter2` in it is a secret: the case fails when it is shown or written.
    #[serde(default)]
    env: BTreeMap<String, String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("tests/cases/plan")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

fn snapshot_of(case: &str, format: Format) -> String {
    match format {
        Format::Text => format!("{PREFIX}{case}"),
        Format::Json | Format::Mermaid | Format::Markdown | Format::Html => {
            format!("{PREFIX}{case}__{}", format.name())
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry, &target);
        } else {
            std::fs::copy(&entry, &target).unwrap();
        }
    }
}

fn transcript(command: &str, ran: &Ran) -> String {
    let code = ran.code.map_or_else(|| "killed".to_owned(), |code| format!("exit {code}"));
    let stream = |name: &str, text: &str| if text.is_empty() { String::new() } else { format!("--- {name}\n{text}") };
    format!("$ arcflux {command}\n{code}\n{}{}\n", stream("stdout", &ran.out), stream("stderr", &ran.err))
}

/// What is in the files directly in a folder.
fn files_of(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file() && !path.ends_with("case.yaml"));
    files.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect()
}

/// Whether it is a plan that can be rendered in other formats.
fn is_plan(words: &[&str]) -> bool {
    words.first() == Some(&"plan") && !words.iter().any(|word| *word == "--format" || word.starts_with("--format="))
}

fn check(folder: &Path) {
    let text = std::fs::read_to_string(folder.join("case.yaml")).expect("a case has a case.yaml");
    let case: Case = serde_yaml::from_str(&text).expect("case.yaml");
    let Case { title, source, before, commands, env } = case;
    assert!(!commands.is_empty(), "no commands");
    let secrets: Vec<String> = env.values().filter(|value| value.contains("hunter2")).cloned().collect();
    let place = env.into_iter().fold(Place::empty(), |place, (name, value)| place.with(name.leak(), &value));
    copy(folder, &place.path(""));
    for command in &before {
        place.run(&command.split_whitespace().collect::<Vec<_>>()).ends_with(0);
    }
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    let mut add = |format: Format, text: &str| texts.entry(format.name()).or_default().push_str(text);
    add(Format::Text, &format!("# {title}\n# {source}\n\n"));
    for command in &commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let ran = place.run(&words);
        assert_ne!(ran.code, None, "{command} was killed");
        add(Format::Text, &transcript(command, &ran));
        if !is_plan(&words) || ran.out.is_empty() {
            continue;
        }
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Text) {
            let more = place.run(&[&words[..], &["--format", format.name()]].concat());
            assert_eq!(more.code, ran.code, "{command} --format {}", format.name());
            // The simulator's clock goes on between two commands.
            if words.contains(&"--live") {
                assert_eq!(more.err, ran.err, "{command} --format {}", format.name());
            }
            add(
                format,
                &transcript(&format!("{command} --format {}", format.name()), &Ran { err: String::new(), ..more }),
            );
        }
    }
    for secret in &secrets {
        for written in texts.values().map(String::as_str).chain(files_of(&place.path("")).iter().map(String::as_str)) {
            assert!(!written.contains(secret) && !written.contains(&STANDARD.encode(secret)), "a secret is shown");
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let here = place.path("").display().to_string();
    settings.add_filter(here.trim_end_matches('/'), "[place]");
    // Pinned where they are computed; here they would change with every field.
    settings.add_filter("[0-9a-f]{64}", "[sha256]");
    settings.add_filter(r#""arcflux_version": "[^"]*""#, r#""arcflux_version": "[version]""#);
    // The style and the script of pages are files of their own, and change every page.
    settings.add_filter("(?s)<(style|script)>.*?</(style|script)>", "<$1>[$1]</$2>");
    settings.add_filter("sha256-[0-9A-Za-z+/=]{44}", "sha256-[hash]");
    settings.add_filter(r"Made by arcflux [0-9.]+\.", "Made by arcflux [version].");
    // The simulator's clock runs beside us; a file says when it was read.
    settings.add_filter(
        r"(from https://sim\.arcflux\.invalid|the simulator|Planned by arcflux [0-9.]+) at [0-9TZ:.-]+Z",
        "$1 at [time]",
    );
    settings.bind(|| {
        for format in Format::ALL {
            if let Some(text) = texts.get(format.name()) {
                insta::assert_snapshot!(snapshot_of(&name_of(folder), format), text);
            }
        }
    });
}

#[test]
fn cases_are_as_recorded() {
    let failed: Vec<String> = folders()
        .iter()
        .filter(|folder| catch_unwind(AssertUnwindSafe(|| check(folder))).is_err())
        .map(|folder| name_of(folder))
        .collect();
    assert!(failed.is_empty(), "these cases under tests/cases/plan failed, see above: {failed:?}");
}

#[test]
fn every_snapshot_has_a_case() {
    let known: BTreeSet<String> = folders()
        .iter()
        .flat_map(|folder| Format::ALL.map(|format| format!("{}.snap", snapshot_of(&name_of(folder), format))))
        .collect();
    let orphans: Vec<String> = std::fs::read_dir(root().join("snapshots"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned())
        .filter(|name| name.starts_with(PREFIX) && name.ends_with(".snap") && !known.contains(name))
        .collect();
    assert!(orphans.is_empty(), "snapshots of cases that are gone; delete them: {orphans:?}");
}

#[test]
fn every_live_state_is_one_and_is_used() {
    for folder in folders() {
        let case = std::fs::read_to_string(folder.join("case.yaml")).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let is_default = ["case.yaml", "arcflux.yaml"].contains(&name);
            assert!(is_default || path.is_dir() || case.contains(name), "{} is not used", path.display());
            if name.starts_with("live") && !case.contains("garbled") {
                let document = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
                let read = arcflux::snapshot::Snapshot::from_json(document);
                assert!(read.is_ok(), "{}: {}", path.display(), read.unwrap_err());
            }
        }
    }
}
