//! Secrets and the simulator: it gets placeholders, and no value shows anywhere.

use base64::Engine as _;

use crate::binary::{Place, Ran, Server};

const VALUE: &str = "ghp_kJ3vQ8sT1xY6zB4nM9wR2cD7fH5gL0pA";

fn with_a_secret() -> Place {
    let place = Place::quickstart().with("GIT_TOKEN", VALUE).with("GIT_USER", "arcflux");
    let text = place
        .read("arcflux.yaml")
        .replace("  branch: main", "  httpsUser: arcflux\n  httpsKey: {env: GIT_TOKEN}\n  branch: main");
    place.write("arcflux.yaml", &text);
    place
}

fn encoded() -> String {
    base64::engine::general_purpose::STANDARD.encode(VALUE)
}

/// Fails when the value is anywhere in what was said, plain or as base64.
fn keeps_quiet(ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        assert!(!text.contains(VALUE) && !text.contains(&encoded()), "{text}");
    }
}

/// Fails when the value is in a file of the place, plain or as base64.
fn holds_nothing(place: &Place) {
    let mut directories = vec![place.path(".")];
    let mut files = 0;
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            for secret in [VALUE.to_owned(), encoded()] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{}", path.display());
            }
            files += 1;
        }
    }
    assert!(files > 1);
}

#[test]
fn the_embedded_simulator_gets_a_placeholder() {
    let place = with_a_secret();
    for arguments in [
        &["validate", "--expand"][..],
        &["plan", "--cloud", "sim", "--out", "plan.json"],
        &["plan", "--cloud", "sim", "--format", "json"],
        &["apply", "--auto-approve", "--cloud", "sim", "--sim-pace", "1000000", "--format", "json", "--verbose"],
        &["plan", "--cloud", "sim", "--verbose"],
        &["status", "--cloud", "sim", "--format", "json"],
        &["destroy", "--auto-approve", "--cloud", "sim", "--sim-pace", "1000000"],
    ] {
        keeps_quiet(&place.run(arguments).ends_with(0));
    }
    holds_nothing(&place);
    place.sim(&["plan"]).ends_with(0).shows("(write-only, sent from env:GIT_TOKEN)");
}

#[test]
fn a_simulator_over_http_gets_a_placeholder_too() {
    let place = with_a_secret();
    let server = Server::start(&place, &["--seed", "arcflux.yaml", "--speed", "2000", "--sim-state", "served.json"]);
    let ran = server.run(&place, &["apply", "--auto-approve", "--verbose", "--format", "json"]).ends_with(0);
    keeps_quiet(&ran);
    keeps_quiet(&server.run(&place, &["plan", "--format", "json"]).ends_with(0));
    holds_nothing(&place);
}

#[test]
fn a_secret_that_is_not_set_is_no_matter_to_the_simulator() {
    let place = Place::quickstart();
    let text = place
        .read("arcflux.yaml")
        .replace("  branch: main", "  httpsUser: arcflux\n  httpsKey: {file: git/token}\n  branch: main");
    place.write("arcflux.yaml", &text);
    place.sim(&["apply", "--auto-approve"]).ends_with(0).shows("3 added");
    place.sim(&["plan", "--detailed-exitcode"]).ends_with(0).shows("No changes.");
}
