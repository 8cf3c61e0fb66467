//! The gallery: what platforms in use ask for can be said in the format, applied, and is then as wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arcflux::model::Source;
use arcflux::spec::{self, Inputs};

use crate::simulated::World;

/// The warnings that a spec may have, by its name and their codes.
const WARNINGS: [(&str, &str); 1] = [
    ("oci-platform", "AF065"), // An artefact packed for this purpose holds nothing else.
];

/// The texts of `specs/gallery/`, by name.
fn gallery() -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/gallery");
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            assert_eq!(path.extension().unwrap(), "yaml", "{path:?}");
            (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

#[test]
fn every_spec_is_valid_and_says_what_it_shows() {
    let gallery = gallery();
    assert!(gallery.len() >= 15, "{} specs", gallery.len());
    let mut warnings = BTreeSet::new();
    for (name, text) in &gallery {
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("# yaml-language-server: $schema=../../schemas/spec.schema.json"), "{name}");
        assert_eq!(lines.next(), Some("#"), "{name}");
        assert!(lines.next().is_some_and(|line| line.starts_with("# ")), "{name}");
        let source = Source { name: format!("specs/gallery/{name}.yaml"), text: text.clone() };
        let outcome = spec::load(&source, &Inputs::default());
        assert!(outcome.desired.is_some(), "{:#?}", outcome.diagnostics);
        warnings.extend(outcome.diagnostics.iter().map(|warning| (name.clone(), warning.code.to_string())));
    }
    assert_eq!(warnings, WARNINGS.map(|(name, code)| (name.to_owned(), code.to_owned())).into());
}

#[tokio::test]
async fn every_spec_converges_and_plans_nothing_more() {
    for (name, text) in gallery() {
        let world = World::of(&text);
        let plan = world.converge(&text).await;
        assert!(plan.has_changes(), "{name} wants nothing");
    }
}
