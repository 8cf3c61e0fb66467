//! Snapshots: files under `snapshots/`, by the name of their case.

/// Compares `text` with `snapshots/NAME.snap`.
pub(crate) fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Digests are pinned where they are computed; in texts for people they would change with every field.
    settings.add_filter("sha256:[0-9a-f]{64}", "sha256:[digest]");
    settings.bind(|| insta::assert_snapshot!(name, text));
}
