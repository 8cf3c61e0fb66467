//! Rules about what is to be left alone, and what is to go: `ignore`, `protect`, `state`.

use super::super::codes;
use super::super::node::{Node, Value};
use super::super::report::Report;
use crate::kinds::flux_configuration::{NotIgnorable, ignorable};
use crate::model::{FieldPattern, did_you_mean};

/// A configuration of the document as it is written: what is protected cannot be unwanted as well.
pub(super) fn check_state(configuration: &Node, report: &mut Report) {
    let is_protected = |node: &Node| matches!(node.value, Value::Bool(true));
    if configuration.text_of("state") == Some("absent")
        && let Some(protect) = configuration.entry("protect").filter(|entry| is_protected(&entry.node))
    {
        report.add_once(
            codes::PROTECTED_AND_ABSENT
                .at(protect.key_span, "the configuration is protected, and must not be there")
                .with_hint("take `protect: true` out to have it deleted, or `state: absent` to keep it"),
        );
    }
}

/// Each ignored field exists, and is one that a plan would compare.
pub(super) fn check_ignored(configuration: &Node, report: &mut Report) {
    for item in configuration.get("ignore").map(Node::items).unwrap_or_default() {
        let Some(text) = item.text() else { continue };
        let (message, hint) = match text.parse::<FieldPattern>().as_ref().map(ignorable) {
            Ok(Ok(())) => continue,
            Err(error) => (error.to_string(), None),
            Ok(Err(why)) => explain(text, &why),
        };
        let diagnostic = codes::NOT_IGNORABLE.at(item.span, message);
        report.add_once(match hint {
            Some(hint) => diagnostic.with_hint(hint),
            None => diagnostic,
        });
    }
}

fn explain(text: &str, why: &NotIgnorable) -> (String, Option<String>) {
    match why {
        NotIgnorable::Unknown(known) => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let hint = arm_word(text).or_else(|| did_you_mean(text, &known)).unwrap_or_else(|| {
                "write it as a plan shows it, such as `kustomizations.app.syncIntervalInSeconds`".to_owned()
            });
            (format!("a configuration has no field `{text}`"), Some(hint))
        }
        NotIgnorable::ReadOnly => {
            (format!("`{text}` is Azure's own: it is never compared"), Some("take it out of `ignore`".to_owned()))
        }
        NotIgnorable::Secret => (
            format!("`{text}` is a secret: it cannot be read, and is never compared"),
            Some("take it out of `ignore`".to_owned()),
        ),
        NotIgnorable::SourceKind => (
            "`sourceKind` says which source there is, and cannot be ignored".to_owned(),
            Some("ignore the fields of the source, each by its name".to_owned()),
        ),
        NotIgnorable::Group => (
            format!("`{text}` is a group of fields"),
            Some(format!("ignore each field by its own name, such as `{text}.…`")),
        ),
    }
}

/// A duration by the word of the spec, where plans have ARM's.
fn arm_word(text: &str) -> Option<String> {
    let (place, word) = text.rsplit_once('.')?;
    let word = match word {
        "interval" => "syncIntervalInSeconds",
        "timeout" => "timeoutInSeconds",
        "retryInterval" => "retryIntervalInSeconds",
        _ => return None,
    };
    Some(format!("in plans it is `{place}.{word}`"))
}
