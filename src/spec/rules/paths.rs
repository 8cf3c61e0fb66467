//! Rules about kustomization paths, and about the repository layouts that profiles name.

use std::collections::BTreeSet;

use super::super::codes;
use super::super::desired::Profile;
use super::super::expand::SHORT_FORM_CONFIGURATION;
use super::super::node::Entry;
use super::super::report::Report;

/// What a path is held against.
pub(super) struct Layout<'a> {
    /// The name of the cluster that the paths are applied to, when it is known.
    pub(super) cluster: Option<&'a str>,
    /// The names of all clusters of the spec.
    pub(super) names: &'a BTreeSet<&'a str>,
    pub(super) profile: Option<Profile>,
}

impl Layout<'_> {
    /// Coral's generated objects refer to one name and one namespace.
    pub(super) fn check_names(&self, configuration: &Entry, report: &mut Report) {
        match self.profile {
            None => return,
            Some(Profile::Coral) => {}
        }
        if configuration.key != SHORT_FORM_CONFIGURATION {
            report.add_once(
                codes::CORAL_NAMES
                    .at(configuration.key_span, "with profile coral the configuration must be named `flux-system`")
                    .with_hint("name it `flux-system`, or take `profile: coral` out"),
            );
        }
        if let Some(namespace) = configuration.node.get("namespace")
            && namespace.text().is_some_and(|name| name != SHORT_FORM_CONFIGURATION)
        {
            report.add_once(
                codes::CORAL_NAMES
                    .at(namespace.span, "with profile coral the namespace must be `flux-system`")
                    .with_hint("write `namespace: flux-system`"),
            );
        }
    }

    pub(super) fn check_path(&self, kustomization: &Entry, report: &mut Report) {
        let Some(node) = kustomization.node.get("path") else { return };
        let Some(path) = node.text() else { return };
        if let Some((message, hint)) = outside(path) {
            report.add_once(codes::PATH_OUTSIDE.at(node.span, message).with_hint(hint));
            return;
        }
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
        match self.profile {
            Some(Profile::Coral) => {
                if let (Some(cluster), Some(wrong)) = (self.cluster, self.wrong_in_coral(&segments)) {
                    report.add_once(
                        codes::CORAL_PATH
                            .at(node.span, wrong)
                            .with_hint(format!("write `./clusters/{cluster}/<workspace>/…`")),
                    );
                }
            }
            None => match segments.as_slice() {
                [] => report.add_once(
                    codes::PATH_IS_ROOT
                        .at(node.span, format!("kustomization `{}` applies the whole repository", kustomization.key))
                        .with_hint("name the directory that holds its manifests: `path: ./apps`"),
                ),
                _ => self.check_other_cluster(node.span, &segments, report),
            },
        }
    }

    fn wrong_in_coral(&self, segments: &[&str]) -> Option<String> {
        let cluster = self.cluster?;
        match segments {
            ["clusters", own, "flux-system", ..] if *own == cluster => {
                Some("this folder holds Flux itself, which the extension installs".to_owned())
            }
            ["clusters", own, _, ..] if *own == cluster => None,
            ["clusters", own] if *own == cluster => {
                Some("the cluster's own folder holds Flux itself, which the extension installs".to_owned())
            }
            _ => Some(format!("with profile coral this must be a path of cluster `{cluster}`")),
        }
    }

    fn check_other_cluster(&self, span: crate::model::Span, segments: &[&str], report: &mut Report) {
        let Some(cluster) = self.cluster else { return };
        let named = segments.windows(2).find_map(|pair| match pair {
            ["clusters", named] => Some(*named),
            _ => None,
        });
        if let Some(named) = named.filter(|named| *named != cluster) {
            let which = if self.names.contains(named) { "another cluster of this spec" } else { "another cluster" };
            report.add_once(
                codes::PATH_OTHER_CLUSTER
                    .at(span, format!("this path is of `{named}`, {which}, and is applied to `{cluster}`"))
                    .with_hint("`${cluster.name}` stands for the name of the cluster"),
            );
        }
    }
}

/// Why a path does not stay inside the repository, and what to write.
fn outside(path: &str) -> Option<(String, String)> {
    if path.contains('\\') {
        return Some(("a path has no backslashes".to_owned(), format!("write `{}`", path.replace('\\', "/"))));
    }
    if path.starts_with('/') {
        let relative = path.trim_start_matches('/');
        return Some(("a path is relative to the top of the repository".to_owned(), format!("write `./{relative}`")));
    }
    if path.starts_with('~') {
        return Some((
            "a path is relative to the top of the repository".to_owned(),
            "there is no home directory in it".to_owned(),
        ));
    }
    if path.split('/').any(|segment| segment == "..") {
        return Some((
            "a path does not go up with `..`".to_owned(),
            "write the path from the top of the repository".to_owned(),
        ));
    }
    path.chars().any(char::is_control).then(|| {
        ("the path has control characters".to_owned(), "a directory is named by printable characters".to_owned())
    })
}
