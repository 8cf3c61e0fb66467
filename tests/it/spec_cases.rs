//! Golden cases: each folder under `tests/cases/spec` holds a spec and, in `args`, what it may read of the environment.
//! Its snapshot is what `arcflux validate --expand` shows: the problems, and the long form when there is no error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arcflux::spec::{self, Inputs, Outcome};
use arcflux::view::Style;
use arcflux::view::diagnostics;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn with_settings(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(check);
}

/// `args` has one word per line: `--allow-env NAME` allows a name, `--env NAME=VALUE` sets a variable.
fn inputs(folder: &Path) -> Inputs {
    let mut inputs = Inputs::default();
    inputs.allowed.extend(["AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID"].map(str::to_owned));
    let args = std::fs::read_to_string(folder.join("args")).unwrap_or_default();
    for line in args.lines() {
        match line.split_once(' ') {
            Some(("--allow-env", name)) => {
                inputs.allowed.insert(name.to_owned());
            }
            Some(("--env", pair)) => {
                let (name, value) = pair.split_once('=').expect("--env NAME=VALUE");
                inputs.environment.insert(name.to_owned(), value.to_owned());
            }
            _ => panic!("{}: unknown argument {line:?}", folder.display()),
        }
    }
    inputs
}

fn shown(name: &str, outcome: &Outcome) -> String {
    let mut text =
        diagnostics::render_text(&outcome.diagnostics, name, &outcome.masked, &Style { colour: false, width: 120 });
    if let Some(desired) = &outcome.desired {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&spec::to_yaml(&desired.expanded));
    }
    text
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root().join("tests/cases/spec")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// The specs directly in a folder.
fn specs(folder: &str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
}

fn load(path: &Path, name: &str, inputs: &Inputs) -> Outcome {
    spec::load_bytes(name, &std::fs::read(path).unwrap(), inputs)
}

#[test]
fn cases_are_as_recorded() {
    with_settings(|| {
        for folder in folders() {
            let case = folder.file_name().unwrap().to_str().unwrap();
            let outcome = load(&folder.join("arcflux.yaml"), "arcflux.yaml", &inputs(&folder));
            insta::assert_snapshot!(format!("spec__{case}"), shown("arcflux.yaml", &outcome));
        }
    });
}

#[test]
fn checked_in_specs_validate_and_expand_as_recorded() {
    with_settings(|| {
        for path in specs("specs") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let outcome = load(&path, &format!("specs/{name}.yaml"), &Inputs::default());
            assert_eq!(outcome.diagnostics, [], "{name}");
            insta::assert_snapshot!(format!("specs__{name}"), shown(name, &outcome));
        }
    });
}

#[test]
fn every_code_has_a_case() {
    let mut provoked = BTreeSet::new();
    for folder in folders() {
        let outcome = load(&folder.join("arcflux.yaml"), "arcflux.yaml", &inputs(&folder));
        provoked.extend(outcome.diagnostics.iter().map(|diagnostic| diagnostic.code));
    }
    // These need large files: `spec_robustness` has them.
    provoked.extend([spec::codes::TOO_LARGE.code, spec::codes::TOO_MANY.code]);
    let missing: Vec<String> = spec::codes::TABLE
        .iter()
        .filter(|row| !provoked.contains(&row.code))
        .map(|row| format!("{} {}", row.code, row.title))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_long_form_loads_to_the_same_clusters() {
    let specs = specs("specs").chain(specs("specs/gallery"));
    let cases = folders().into_iter().map(|folder| folder.join("arcflux.yaml"));
    let mut compared = 0;
    for path in specs.chain(cases) {
        let Some(desired) = load(&path, "spec", &inputs(path.parent().unwrap())).desired else { continue };
        let again = spec::load_bytes("long form", spec::to_yaml(&desired.expanded).as_bytes(), &Inputs::default());
        let again = again.desired.unwrap_or_else(|| panic!("{}: {:?}", path.display(), again.diagnostics));
        assert_eq!(again.expanded, desired.expanded, "{}", path.display());
        assert_eq!((&again.tenant, &again.policy), (&desired.tenant, &desired.policy));
        assert_eq!(again.api_versions, desired.api_versions);
        assert_eq!(again.clusters.len(), desired.clusters.len());
        for (left, right) in again.clusters.iter().zip(&desired.clusters) {
            let facts = |cluster: &spec::DesiredCluster| {
                let spec::DesiredCluster {
                    key,
                    subscription,
                    resource_group,
                    cluster,
                    labels,
                    providers,
                    extension,
                    configurations,
                    absent,
                    spans: _,
                } = cluster.clone();
                (key, subscription, resource_group, cluster, (labels, providers, extension, configurations, absent))
            };
            assert_eq!(facts(left), facts(right), "{}", path.display());
        }
        compared += 1;
    }
    assert!(compared > 5);
}
