//! What people type, an address and a field, and what it names; or what they may have meant.

use crate::graph::Graph;
use crate::kinds::{Kind, shown_path};
use crate::model::{Address, FieldPath, did_you_mean, nearest};

use super::FieldStory;

/// What an explanation is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The resource.
    pub address: Address,
    /// One kustomization of it.
    pub kustomization: Option<String>,
}

/// A name that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UnknownName {
    /// What names nothing.
    pub message: String,
    /// What may have been meant.
    pub hint: String,
}

/// The resource of `graph` that `text` names: an address as plans print it, with `#NAME` for one kustomization of a
/// configuration.
///
/// # Errors
///
/// The text names nothing in the graph.
pub fn locate(graph: &Graph, text: &str) -> Result<Target, UnknownName> {
    let (address, kustomization) = match text.split_once('#') {
        Some((address, kustomization)) => (address, Some(kustomization)),
        None => (text, None),
    };
    let Some(node) = graph.nodes().iter().find(|node| node.address.to_string() == address) else {
        let addresses: Vec<String> = graph.nodes().iter().map(|node| node.address.to_string()).collect();
        let known: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let part = kustomization.map(|name| format!("#{name}")).unwrap_or_default();
        return Err(UnknownName {
            message: format!("the spec declares nothing at `{address}`"),
            hint: match nearest(address, &known) {
                Some(known) => format!("did you mean `{known}{part}`?"),
                None => "`arcflux graph` shows all addresses of the spec".to_owned(),
            },
        });
    };
    match (node.kind, kustomization) {
        (_, None) | (Kind::FluxConfiguration, Some(_)) => {
            Ok(Target { address: node.address.clone(), kustomization: kustomization.map(str::to_owned) })
        }
        (
            Kind::ProviderRegistration
            | Kind::ResourceGroup
            | Kind::ConnectedCluster
            | Kind::ManagedCluster
            | Kind::Extension,
            Some(name),
        ) => Err(UnknownName {
            message: format!("`{address}` has no kustomizations, so `#{name}` names nothing"),
            hint: format!("ask for `{address}` itself"),
        }),
    }
}

/// Whether a story is about the field that `asked` names, or about one below it. A field is named by the path that a plan
/// prints, by the path in the ARM body, or by the spec's own word; below a kustomization that was asked for, also from
/// there.
pub(super) fn is_about(story: &FieldStory, asked: &str, below: Option<&FieldPath>) -> bool {
    names_of(story, below).iter().any(|name| {
        name.to_string() == asked
            || unquoted(name) == asked
            || asked.parse::<FieldPath>().is_ok_and(|asked| !asked.segments().is_empty() && name.starts_with(&asked))
    })
}

/// Every name of a story's field.
fn names_of(story: &FieldStory, below: Option<&FieldPath>) -> Vec<FieldPath> {
    let shown = shown_path(&story.path);
    let mut names = vec![shown, story.path.clone()];
    names.extend(story.spec_word.clone());
    if let Some(below) = below {
        let short: Vec<FieldPath> =
            names.iter().filter(|name| name.starts_with(below)).map(|name| name.without_prefix(below)).collect();
        names.extend(short);
    }
    names
}

/// A path with a full stop before every key: what is typed by who forgets that keys may hold full stops.
fn unquoted(path: &FieldPath) -> String {
    let keys: Vec<String> = path
        .segments()
        .iter()
        .map(|segment| match segment {
            crate::model::Segment::Key(key) => key.clone(),
            crate::model::Segment::Index(index) => index.to_string(),
        })
        .collect();
    keys.join(".")
}

/// What is said about a field that no story is about.
pub(super) fn unknown_field(
    asked: &str,
    target: &Target,
    stories: &[FieldStory],
    below: Option<&FieldPath>,
) -> UnknownName {
    let names: Vec<String> = stories
        .iter()
        .flat_map(|story| [Some(shown_path(&story.path)), story.spec_word.clone()])
        .flatten()
        .chain(stories.iter().flat_map(|story| below.map(|below| shown_path(&story.path).without_prefix(below))))
        .map(|path| path.to_string())
        .collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    UnknownName {
        message: format!("{} has no field `{asked}`", target.address),
        hint: did_you_mean(asked, &known)
            .unwrap_or_else(|| format!("`arcflux explain {}` shows all of its fields", target.address)),
    }
}
