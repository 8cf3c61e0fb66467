//! What is packaged for CI: the action, the example repository with its workflows and templates, the pre-commit hook. They
//! name inputs, outputs and commands that exist, and the action's script does what it says.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::binary::{Place, Ran};

const ACTION: &str = include_str!("../../action.yml");
const WORKFLOWS: [(&str, &str); 3] = [
    ("plan", include_str!("../../specs/example-repository/.github/workflows/plan.yml")),
    ("apply", include_str!("../../specs/example-repository/.github/workflows/apply.yml")),
    ("drift", include_str!("../../specs/example-repository/.github/workflows/drift.yml")),
];
const AZURE_PIPELINES: &str = include_str!("../../specs/example-repository/azure-pipelines.yml");
const GITLAB: &str = include_str!("../../specs/example-repository/.gitlab-ci.yml");
const SPEC: &str = include_str!("../../specs/example-repository/arcflux.yaml");
const HOOKS: &str = include_str!("../../.pre-commit-hooks.yaml");

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

fn steps() -> Vec<Value> {
    yaml(ACTION)["runs"]["steps"].as_array().unwrap().clone()
}

/// What stands after `start` in a text, up to what cannot be part of a name.
fn names_after<'a>(text: &'a str, start: &str) -> BTreeSet<&'a str> {
    let name = |rest: &'a str| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap();
    text.match_indices(start).map(|(at, _)| name(&text[at + start.len()..])).collect()
}

/// Runs the last step of the action as a runner would, in a job of a repository on GitHub.
fn run_action(place: &Place, inputs: &[(&str, &str)]) -> Ran {
    let steps = steps();
    let step = steps.last().unwrap();
    let script = step["run"].as_str().unwrap();
    place.write("output", "");
    place.write("summary", "");
    let mut command = Command::new("bash");
    command
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(place.path("."))
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", place.path("."))
        .env("RUNNER_TEMP", place.path("."))
        // Whatever the inputs are, nobody is asked over a network.
        .env("ARCFLUX_CLOUD", "sim")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_API_URL", "http://127.0.0.1:9")
        .env("GITHUB_REPOSITORY", "contoso/gitops")
        .env("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567")
        .env("GITHUB_OUTPUT", place.path("output"))
        .env("GITHUB_STEP_SUMMARY", place.path("summary"));
    for name in step["env"].as_object().unwrap().keys() {
        let given = inputs.iter().find(|(input, _)| input == name).map(|(_, value)| *value);
        let value = match name.as_str() {
            "INPUT_ARCFLUX" => env!("CARGO_BIN_EXE_arcflux"),
            "INPUT_SPEC" => given.unwrap_or("arcflux.yaml"),
            "ARCFLUX_TARGET" => given.unwrap_or("default"),
            _ => given.unwrap_or(""),
        };
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The names of the outputs that were written, also of those in several lines.
fn outputs(place: &Place) -> BTreeSet<String> {
    let text = place.read("output");
    let name = |line: &str| line.split_once("<<").or_else(|| line.split_once('=')).map(|(name, _)| name.to_owned());
    text.lines().filter_map(name).collect()
}

const SIM: &str = "--cloud\nsim\n--sim-pace\n1000000\n--sim-state\nsim.json";

#[test]
fn what_a_pull_request_can_name_never_becomes_code_of_the_action() {
    for step in steps() {
        assert!(!step["run"].as_str().unwrap().contains("${{"), "{step:#}");
    }
    let hostile = "$(touch hacked); `touch hacked`; \"; touch hacked; '";
    for input in ["INPUT_SPEC", "INPUT_SCOPE", "INPUT_ARGUMENTS", "ARCFLUX_TARGET", "INPUT_COMMAND"] {
        for command in ["plan", "apply", "drift"] {
            let place = Place::quickstart();
            let mut inputs = vec![("INPUT_COMMAND", command), ("INPUT_ARGUMENTS", SIM)];
            let with_sim = format!("{SIM}\n{hostile}");
            inputs.insert(0, (input, if input == "INPUT_ARGUMENTS" { &with_sim } else { hostile }));
            let ran = run_action(&place, &inputs);
            assert!(!place.path("hacked").exists(), "{input}: {ran:?}");
        }
    }
}

#[test]
fn inputs_and_outputs_of_the_action_are_what_its_steps_take_and_give() {
    let action = yaml(ACTION);
    let declared: BTreeSet<&str> = action["inputs"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names_after(ACTION, "inputs."), declared);
    let place = Place::quickstart();
    let ran = run_action(&place, &[("INPUT_COMMAND", "plan"), ("INPUT_ARGUMENTS", SIM)]).ends_with(0);
    assert!(ran.err.contains("There is no token") || ran.err.contains("there is no token"), "{}", ran.err);
    let mut given = outputs(&place);
    run_action(&place, &[("INPUT_COMMAND", "apply"), ("INPUT_ARGUMENTS", SIM)]).ends_with(3);
    given.extend(outputs(&place));
    let promised: BTreeSet<String> = action["outputs"].as_object().unwrap().keys().cloned().collect();
    assert!(given.is_superset(&promised), "{given:?} lacks some of {promised:?}");
    for (name, output) in action["outputs"].as_object().unwrap() {
        assert_eq!(output["value"], format!("${{{{ steps.run.outputs.{name} }}}}"));
    }
}

#[test]
fn the_action_plans_refuses_what_nobody_reviewed_and_finds_drift() {
    let place = Place::quickstart();
    let run = |command: &str| run_action(&place, &[("INPUT_COMMAND", command), ("INPUT_ARGUMENTS", SIM)]);
    run("plan").ends_with(0).shows("Plan: 3 to add");
    assert!(place.path("plan.json").exists() && place.read("summary").contains("to add"));
    run("apply").ends_with(3).says("it cannot be known whether the plan was reviewed");
    run("drift").ends_with(2);
    run("destroy").ends_with(64).says("it must be plan, apply or drift");
    // What would change nothing needs no review.
    let arguments: Vec<&str> = ["apply", "--auto-approve"].into_iter().chain(SIM.lines()).collect();
    place.run(&arguments).ends_with(0);
    run("apply").ends_with(0);
    run("drift").ends_with(0);
}

#[test]
fn why_a_plan_is_refused_is_shown_also_where_it_was_to_be_applied() {
    let place = Place::quickstart();
    let limited = format!("{SIM}\n--max-update\n0");
    place.run(&["apply", "--auto-approve"].into_iter().chain(SIM.lines()).collect::<Vec<_>>()).ends_with(0);
    place.write("arcflux.yaml", &place.read("arcflux.yaml").replace("prune: true", "prune: false"));
    run_action(&place, &[("INPUT_COMMAND", "apply"), ("INPUT_ARGUMENTS", &limited)]).ends_with(3).shows("max-update");
}

#[test]
fn the_example_uses_the_action_as_it_is() {
    let action = yaml(ACTION);
    for (command, text) in WORKFLOWS {
        let workflow = yaml(text);
        assert!(!text.contains("pull_request_target"), "{command}");
        let jobs = workflow["jobs"].as_object().unwrap();
        let steps: Vec<&Value> = jobs.values().flat_map(|job| job["steps"].as_array().unwrap()).collect();
        let uses = |step: &&&Value| step["uses"].as_str().is_some_and(|uses| uses.starts_with("arcflux/arcflux@"));
        let step = steps.iter().find(uses).unwrap();
        assert_eq!(step["with"]["command"], command);
        assert!(step["with"]["scope"].as_str().is_some_and(|scope| !scope.is_empty()), "{command}");
        for input in step["with"].as_object().unwrap().keys() {
            assert!(action["inputs"].get(input).is_some(), "{command}: {input}");
        }
        for output in names_after(text, &format!("steps.{command}.outputs.")) {
            assert!(action["outputs"].get(output).is_some(), "{command}: {output}");
        }
        // No more than the action's head says.
        let needed = ACTION.lines().find_map(|line| line.trim_start_matches(['#', ' ']).strip_prefix(command)).unwrap();
        for (name, access) in workflow["permissions"].as_object().unwrap() {
            let permission = format!("{name}: {}", access.as_str().unwrap());
            assert!(needed.contains(&permission), "{command}: {permission} is not in {needed}");
        }
    }
    // All of a target must be planned, applied and looked for alike.
    let target = |text: &str| text.lines().find_map(|line| line.trim().strip_prefix("target: ")).map(str::to_owned);
    assert_eq!(target(WORKFLOWS[0].1), target(WORKFLOWS[1].1));
}

#[test]
fn the_commands_of_the_templates_exist() {
    let place = Place::empty();
    place.write("arcflux.yaml", SPEC);
    let mut seen = 0;
    for text in [AZURE_PIPELINES, GITLAB] {
        yaml(text);
        for line in text.lines().map(str::trim) {
            let line = line.trim_start_matches("inlineScript: ").trim_start_matches("- ");
            let Some(command) = line.split(" || ").next().and_then(|line| line.strip_prefix("arcflux ")) else {
                continue;
            };
            let digest = format!("sha256:{}", "0".repeat(64));
            let command = command.replace("\"$DIGEST\"", &digest).replace("\"$ARCFLUX_DIGEST\"", &digest);
            let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
            place.run(&arguments).ends_with(0);
            seen += 1;
        }
    }
    assert_eq!(seen, 9);
    place.run(&["validate"]).ends_with(0);
}

/// The scopes of each workflow and template, as `ARCFLUX_SCOPE` takes them.
fn scopes() -> Vec<String> {
    let of_workflow = |(_, text): &(&str, &str)| {
        let workflow = yaml(text);
        let mut steps = workflow["jobs"].as_object().unwrap().values().flat_map(|job| job["steps"].as_array().unwrap());
        let scope = steps.find_map(|step| step["with"]["scope"].as_str()).unwrap();
        scope.lines().collect::<Vec<_>>().join(",")
    };
    let of_template = |text: &&str| yaml(text)["variables"]["ARCFLUX_SCOPE"].as_str().unwrap().to_owned();
    WORKFLOWS.iter().map(of_workflow).chain([AZURE_PIPELINES, GITLAB].iter().map(of_template)).collect()
}

#[test]
fn the_scope_of_each_template_is_that_of_its_spec_and_no_wider() {
    for scope in scopes() {
        let place = Place::empty().with("ARCFLUX_SCOPE", &scope);
        place.write("arcflux.yaml", SPEC);
        place.sim(&["plan"]).ends_with(0).shows("to add");
        for elsewhere in ["rg-edge-payroll", "rg"] {
            place.write("other.yaml", &SPEC.replace("resourceGroup: rg-edge", &format!("resourceGroup: {elsewhere}")));
            place.sim(&["plan", "-f", "other.yaml"]).ends_with(3).says("outside `--scope`");
        }
    }
    assert_eq!(scopes().len(), 5);
}

/// Runs a script in a checkout that brings a toolchain of its own, and gives where cargo was started.
fn started_cargo_in(script: &str) -> (PathBuf, Place) {
    let place = Place::empty();
    for directory in ["checkout", "action", "temp", "bin"] {
        std::fs::create_dir(place.path(directory)).unwrap();
    }
    place.write("checkout/rust-toolchain.toml", "[toolchain]\npath = \"/evil\"\n");
    place.write("bin/cargo", &format!("#!/bin/sh\npwd -P >'{}'\n", place.path("started").display()));
    std::fs::set_permissions(place.path("bin/cargo"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("bash");
    command
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(place.path("checkout"))
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", place.path("bin").display()))
        .env("TMPDIR", place.path("temp"))
        .env("RUNNER_TEMP", place.path("temp"))
        .env("AGENT_TEMPDIRECTORY", place.path("temp"))
        .env("GITHUB_ACTION_PATH", place.path("action"))
        .env("GITHUB_OUTPUT", place.path("output"));
    assert!(command.output().unwrap().status.success(), "{script}");
    (place.read("started").trim().into(), place)
}

#[test]
fn nothing_is_built_where_a_pull_request_says_how() {
    let build = steps().remove(0)["run"].as_str().unwrap().to_owned();
    let installs = [AZURE_PIPELINES, GITLAB].into_iter().flat_map(str::lines).map(str::trim);
    let installs = installs.filter(|line| line.contains("cargo install")).map(|line| {
        assert!(line.contains("--rev \"$ARCFLUX_REVISION\""), "{line}");
        line.trim_start_matches("- ").trim_start_matches("script: ").to_owned()
    });
    let scripts: Vec<String> = std::iter::once(build).chain(installs).collect();
    assert_eq!(scripts.len(), 4);
    for script in scripts {
        let (directory, place) = started_cargo_in(&script);
        let checkout = place.path("checkout").canonicalize().unwrap();
        assert!(!directory.starts_with(&checkout) && !checkout.starts_with(&directory), "{script}: {directory:?}");
    }
}

#[test]
fn the_hook_checks_every_file_that_it_is_given() {
    let hooks = yaml(HOOKS);
    assert_eq!(hooks[0]["entry"], "arcflux validate");
    let place = Place::quickstart();
    place.write("good.yaml", SPEC);
    place.write("bad.yaml", "apiVersion: arcflux/v1\nclster: {}\n");
    place.run(&["validate", "arcflux.yaml", "good.yaml"]).ends_with(0).shows("good.yaml is valid");
    let ran = place.run(&["validate", "bad.yaml", "good.yaml", "missing.yaml"]).ends_with(1);
    assert!(ran.out.contains("good.yaml is valid") && ran.err.contains("bad.yaml:2:1"), "{ran:?}");
    ran.says("there is no missing.yaml");
    place.run(&["validate", "bad.yaml"]).ends_with(1);
    place.run(&["validate", "-f", "good.yaml", "bad.yaml"]).ends_with(64);
    place.run(&["validate", "good.yaml", "bad.yaml", "--format", "json"]).ends_with(64);
}
