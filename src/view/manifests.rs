//! Flux objects → YAML that `kubectl apply` takes, what is to be said beside it, and what it would change in a cluster.

use serde_json::{Map, Value};

use super::plan_text::{self, Text};
use super::rows::{self, Content, Field};
use super::style::Tone;
use super::{Style, escape, value};
use crate::diff::FieldChange;
use crate::flux::{Fate, Manifests, Note, Object};
use crate::model::{Address, FieldPath, is_hidden};
use crate::plan::Action;
use crate::spec::{is_plain, readable_yaml};

/// The objects of one cluster as a stream of YAML documents.
#[must_use]
pub fn yaml(address: &Address, manifests: &Manifests) -> String {
    let Manifests { cluster: _, objects, notes: _ } = manifests;
    let mut out = format!("# Flux on {}, without Azure.\n", escape::line(&address.to_string()));
    for Object { body, remarks } in objects {
        out.push_str("---\n");
        for remark in remarks {
            out.push_str(format!("# {}", escape::line(remark)).trim_end());
            out.push('\n');
        }
        out.push_str(&readable_yaml(body, is_unmistakable));
    }
    out
}

/// What is to be said beside the objects of one cluster; empty where nothing is.
#[must_use]
pub fn notes(address: &Address, manifests: &Manifests, style: &Style) -> String {
    let sentences = manifests.notes.iter().map(|Note { configuration, message }| {
        let about = match configuration {
            Some(configuration) => format!("{address}/flux/{configuration}"),
            None => address.to_string(),
        };
        style.sentence("note: ", "  ", &format!("{about}: {message}"))
    });
    sentences.collect()
}

/// What applying the objects would do in the cluster behind a context.
#[must_use]
pub fn differences(context: &str, fates: &[(&Object, Fate)], style: &Style) -> String {
    let mut text = Text { out: String::new(), style: *style };
    let (mut create, mut change, mut keep) = (0_usize, 0_usize, 0_usize);
    for (object, fate) in fates {
        match fate {
            Fate::Keep => keep += 1,
            Fate::Create => {
                create += 1;
                let rest = rest_of(object);
                let field = FieldChange { path: FieldPath::default(), before: None, after: Some(rest) };
                one(&mut text, object, Action::Create, &rows::changed(&field, Action::Create, &[]));
            }
            Fate::Change(fields) => {
                change += 1;
                let fields: Vec<Field<'_>> =
                    fields.iter().flat_map(|field| rows::changed(field, Action::Update, &[])).collect();
                one(&mut text, object, Action::Update, &fields);
            }
        }
    }
    let context = value::quoted(context);
    let summary = match (create, change) {
        (0, 0) => format!("No changes. The cluster behind the context {context} has all {keep} objects as rendered."),
        (_, _) => format!("In the context {context}: {create} to add, {change} to change, {keep} unchanged."),
    };
    let tone = if create + change == 0 { Tone::Good } else { Tone::Heading };
    text.line(&style.paint(tone, &summary));
    text.out
}

/// An object without its names. What is in a Secret is in the YAML, and nowhere else.
fn rest_of(object: &Object) -> Value {
    let members = object.body.as_object().into_iter().flatten();
    let shown = members.filter(|(key, _)| !["apiVersion", "kind", "metadata", "data"].contains(&key.as_str()));
    Value::Object(shown.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}

fn one(text: &mut Text, object: &Object, action: Action, fields: &[Field<'_>]) {
    let verb = if action == Action::Create { "would be created" } else { "would be changed" };
    let name = match object.namespace() {
        Some(namespace) => format!("{namespace}/{}", object.name()),
        None => object.name().to_owned(),
    };
    let heading = format!("# {} {} {verb}", value::name(object.kind()), value::name(&name));
    text.line(&format!("  {}", text.style.paint(Tone::Heading, &heading)));
    let symbol = text.style.paint(plan_text::tone(action), &format!("{:>3}", action.symbol()));
    let head = format!(
        "{symbol} {} {} ({})",
        value::name(object.kind()),
        value::quoted(object.name()),
        value::name(object.api_version())
    );
    if fields.is_empty() {
        text.line(&format!("{head}\n"));
        return;
    }
    text.line(&format!("{head} {{"));
    text.fields(fields);
    if action == Action::Update && fields.iter().any(|field| field.path.starts_with(&FieldPath::of(["roleRef"]))) {
        text.aside(8, "(no cluster takes another roleRef: delete the object first)");
    }
    if action == Action::Update && fields.iter().any(|field| matches!(field.content, Content::Removed(_))) {
        text.aside(8, "(`kubectl apply` keeps what others have written: take it out by hand)");
    }
    text.line("    }\n");
}

/// Whether every reader of YAML takes an unquoted text for this text: also those of YAML 1.1, to which `no`, `0o7` and
/// `1_000` are other things, and the log of a CI job, which takes some lines for commands.
fn is_unmistakable(text: &str) -> bool {
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let begins_as_a_word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') || text.starts_with("./");
    let is_duration = text.ends_with(['h', 'm', 's'])
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || "hms".contains(c));
    let is_command = text.contains("##") || text.lines().any(|line| line.trim_start().starts_with("::"));
    let is_word = begins_as_a_word && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    !is_command && (is_plain(text) && (is_word || is_duration) || is_block(text))
}

/// Whether a text of several lines stands in a block as it is: its first line decides how far a block is indented.
fn is_block(text: &str) -> bool {
    text.strip_suffix('\n').is_some_and(|body| {
        body.contains('\n')
            && !body.starts_with(' ')
            && body.lines().all(|line| !line.is_empty() && line.trim_end() == line && !line.chars().any(is_hidden))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_could_be_mistaken_is_quoted() {
        for text in ["10m", "1h30m", "main", "./apps", "/apps", "https://github.com/a/b", "a\nb\n", "- a:\n    b: 1\n"]
        {
            assert!(is_unmistakable(text), "{text}");
            let document = json!({ "k": [text] });
            assert_eq!(serde_yaml::from_str::<Value>(&readable_yaml(&document, is_unmistakable)).unwrap(), document);
        }
        for text in
            ["", "no", "Y", "0755", "1_000", "12:30", "~", "*a", "1e3", ".5", "=", "a ##[b", "a\n ::set-env::x\n"]
        {
            assert!(!is_unmistakable(text), "{text}");
            let document = json!({ "k": text, text: 1 });
            let yaml = readable_yaml(&document, is_unmistakable);
            assert!(!yaml.contains("##") && !yaml.lines().any(|line| line.trim_start().starts_with("::")), "{yaml}");
            assert_eq!(serde_yaml::from_str::<Value>(&yaml).unwrap(), document);
        }
    }
}
