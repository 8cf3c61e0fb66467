//! Local git repositories that stand for URLs: what the simulated Flux finds in them.

use std::path::Path;
use std::process::Command;

use crate::binary::Place;

/// A repository on branch `main` that holds the quickstart's paths; nothing where git is not installed.
fn repository(place: &Place) -> Option<String> {
    let directory = place.path("gitops");
    for path in
        ["clusters/store-001/coral-system/ManifestDeployments", "clusters/store-001/retail/ApplicationRegistrations"]
    {
        std::fs::create_dir_all(directory.join(path)).unwrap();
        std::fs::write(directory.join(path).join("kustomization.yaml"), "resources: []\n").unwrap();
    }
    let steps: [&[&str]; 4] = [
        &["init", "--quiet", "--initial-branch=main"],
        &["add", "."],
        &["-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "-m", "Begin"],
        &["tag", "v1.4.0"],
    ];
    for step in steps {
        if !git(&directory, step)? {
            panic!("git {step:?} failed");
        }
    }
    Some(format!("https://github.com/contoso/gitops={}", directory.display()))
}

fn git(directory: &Path, arguments: &[&str]) -> Option<bool> {
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    match command.output() {
        Ok(output) => Some(output.status.success()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skipped();
            None
        }
        Err(error) => panic!("git: {error}"),
    }
}

#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn skipped() {
    eprintln!("SKIPPED: a local git repository for the simulator: git is not installed");
}

fn spec_with(place: &Place, from: &str, to: &str) {
    let text = place.read("arcflux.yaml");
    assert!(text.contains(from));
    place.write("arcflux.yaml", &text.replace(from, to));
}

fn commit_of(place: &Place, reference: &str) -> String {
    let mut command = Command::new("git");
    let output = command.current_dir(place.path("gitops")).args(["rev-parse", reference]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn apply(place: &Place, bound: &str) -> crate::binary::Ran {
    place.sim(&["apply", "--auto-approve", "--repo", bound])
}

#[test]
fn a_path_that_is_there_becomes_compliant_at_the_head_of_its_branch() {
    let place = Place::quickstart();
    let Some(bound) = repository(&place) else { return };
    apply(&place, &bound).ends_with(0).shows("3 added");
    let status = place.sim(&["status", "--repo", &bound]).ends_with(0);
    status.shows(&format!("app ready Applied revision: main@sha1:{}", commit_of(&place, "main")));
}

#[test]
fn a_path_that_is_not_there_is_named_with_what_to_do() {
    let place = Place::quickstart();
    let Some(bound) = repository(&place) else { return };
    spec_with(&place, "retail/ApplicationRegistrations", "retail/Nowhere");
    let failed = apply(&place, &bound).ends_with(4).shows("kustomization path not found");
    let failed = failed.shows("Kustomization flux-system-app (ArtifactFailed)");
    assert!(failed.out.contains("  hint: "), "{}", failed.out);
    place.sim(&["status", "--repo", &bound]).ends_with(4).shows("kustomization path not found");
    // Mended in the repository, with nothing to write: the apply waits for Flux, and is done.
    let directory = place.path("gitops");
    std::fs::create_dir_all(directory.join("clusters/store-001/retail/Nowhere")).unwrap();
    std::fs::write(directory.join("clusters/store-001/retail/Nowhere/kustomization.yaml"), "resources: []\n").unwrap();
    assert_eq!(git(&directory, &["add", "."]), Some(true));
    let commit = ["-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "-m", "Mend"];
    assert_eq!(git(&directory, &commit), Some(true));
    let plan = place.sim(&["plan", "--repo", &bound, "--detailed-exitcode"]).ends_with(0);
    plan.shows("Nothing is written, but an apply waits until");
    apply(&place, &bound).ends_with(0).shows("Resources: 0 added, 0 changed, 0 destroyed.");
    place.sim(&["status", "--repo", &bound]).ends_with(0);
}

#[test]
fn a_branch_that_is_not_there_is_named() {
    let place = Place::quickstart();
    let Some(bound) = repository(&place) else { return };
    spec_with(&place, "branch: main ", "branch: release ");
    let failed = apply(&place, &bound).ends_with(4).shows("couldn't find remote ref \"refs/heads/release\"");
    failed.shows("hint: check `branch` or `tag`");
    spec_with(&place, "branch: release ", "semver: \">=1.0.0 <2.0.0\" ");
    apply(&place, &bound).ends_with(0).shows("1 changed");
    let status = place.sim(&["status", "--repo", &bound]).ends_with(0);
    status.shows(&format!("@sha1:{}", commit_of(&place, "v1.4.0")));
}

#[test]
fn a_path_that_looks_like_an_option_is_a_path() {
    let place = Place::quickstart();
    let Some(bound) = repository(&place) else { return };
    spec_with(&place, "./clusters/store-001/retail/ApplicationRegistrations", "./--output=evil");
    apply(&place, &bound).ends_with(4).shows("kustomization path not found");
    assert!(!place.path("evil").exists() && !place.path("gitops/evil").exists());
}

#[test]
fn the_configuration_of_a_repository_runs_nothing() {
    let place = Place::quickstart();
    let Some(bound) = repository(&place) else { return };
    let directory = place.path("gitops");
    // A partial clone that lacks the tree of its commit: git would fetch it by the transport that the clone names.
    let tree = commit_of(&place, "main^{tree}");
    std::fs::remove_file(directory.join(".git/objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    let touch = format!("ext::sh -c touch% {}", place.path("ran").display());
    for (key, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", touch.as_str()),
        ("protocol.ext.allow", "always"),
        ("protocol.file.allow", "always"),
        ("core.fsmonitor", touch.as_str()),
    ] {
        assert_eq!(git(&directory, &["config", key, value]), Some(true));
    }
    apply(&place, &bound).ends_with(4);
    assert!(!place.path("ran").exists());
}

#[test]
fn a_base_is_read_from_the_repository_around_the_spec_and_from_none_inside() {
    let place = Place::empty();
    let text = Place::quickstart().read("arcflux.yaml");
    let as_test = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    let commit = |directory: &Path, spec: &str, text: &str| -> Option<bool> {
        std::fs::create_dir_all(directory.join(spec).parent().unwrap()).unwrap();
        git(directory.parent().unwrap(), &["init", "--quiet", "--initial-branch=main", directory.to_str().unwrap()])?;
        std::fs::write(directory.join(spec), text).unwrap();
        git(directory, &["add", "."])?;
        git(directory, &[&as_test[..], &["commit", "--quiet", "-m", "Begin"]].concat())
    };
    let Some(true) = commit(&place.path("checkout"), "specs/arcflux.yaml", &text) else { return };
    // A pull request brings a bare repository beside the spec, as plain files.
    assert_eq!(commit(&place.path("evil"), "arcflux.yaml", "evil: {}\n"), Some(true));
    let specs = place.path("checkout/specs");
    for part in ["HEAD", "config", "objects", "refs"] {
        std::fs::rename(place.path("evil/.git").join(part), specs.join(part)).unwrap();
    }
    std::fs::write(specs.join("config"), "[core]\n\trepositoryformatversion = 0\n\tworktree = .\n").unwrap();
    for base in ["git:main", "git:main:specs/arcflux.yaml"] {
        let arguments = ["plan", "-f", "checkout/specs/arcflux.yaml", "--base", base];
        place.sim(&arguments).ends_with(0).shows("Plan: 3 to add");
    }
    std::fs::remove_dir_all(place.path("checkout/.git")).unwrap();
    let arguments = ["plan", "-f", "checkout/specs/arcflux.yaml", "--base", "git:main"];
    place.sim(&arguments).ends_with(1).says("is not in a git repository");
}

#[test]
fn a_bare_repository_can_stand_for_a_url() {
    let place = Place::quickstart();
    if repository(&place).is_none() {
        return;
    }
    let directory = place.path("gitops");
    assert_eq!(git(&directory, &["clone", "--quiet", "--bare", ".", "../bare.git"]), Some(true));
    let bound = format!("https://github.com/contoso/gitops={}", place.path("bare.git").display());
    apply(&place, &bound).ends_with(0).shows("3 added");
}

#[test]
fn a_repository_that_the_environment_names_is_not_taken_for_the_bound_one() {
    let place = Place::quickstart();
    let Some(bound) = repository(&place) else { return };
    let elsewhere = place.path("elsewhere").display().to_string();
    let place = place.with("GIT_DIR", &elsewhere).with("GIT_OBJECT_DIRECTORY", &elsewhere);
    apply(&place, &bound).ends_with(0).shows("3 added");
}
