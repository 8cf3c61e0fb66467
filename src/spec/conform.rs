//! A tree against a schema: what the validator finds, in words and with places.

use std::collections::HashSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::{Location, LocationSegment};

use super::codes;
use super::forms::{form, is_duration_key, last_key, subject};
use super::mask::{is_in_a_secret, is_secret};
use super::node::{Entry, Node, Value};
use super::report::MAX_PROBLEMS;
use super::rules::allowed;
use super::schema::{self, Checked, HOMES};
use super::yaml::Places;
use crate::model::{Diagnostic, FieldPath, Seconds, Segment, did_you_mean, did_you_mean_or_list};

/// Everything about `tree` that the schema refuses, as far as a report takes it and no configuration allows it.
pub(super) fn check(tree: &Node, checked: &Checked, places: &Places<'_>) -> Vec<Diagnostic> {
    let json = tree.to_json();
    let conformance = Conformance { tree, schema: &checked.schema, places };
    let mut found = Vec::new();
    for error in checked.validator.iter().flat_map(|validator| validator.iter_errors(&json)).take(MAX_PROBLEMS + 1) {
        let before = found.len();
        conformance.explain(&error, &mut found);
        let path = path_of(error.instance_path());
        let told = found.split_off(before);
        found.extend(told.into_iter().filter(|one| !allowed::is_allowed(tree, &path, one.code)));
    }
    found
}

struct Conformance<'a> {
    tree: &'a Node,
    schema: &'a serde_json::Value,
    places: &'a Places<'a>,
}

/// Whether an error says no more than that the value at `path` is of another type.
fn fails_on_type(error: &ValidationError<'_>, path: &FieldPath) -> bool {
    if &path_of(error.instance_path()) != path {
        return false;
    }
    match error.kind() {
        ValidationErrorKind::Type { .. } => true,
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.iter().all(|branch| branch.iter().any(|error| fails_on_type(error, path)))
        }
        _ => false,
    }
}

fn path_of(location: &Location) -> FieldPath {
    location.segments().fold(FieldPath::default(), |path, segment| match segment {
        LocationSegment::Property(key) => path.key(key),
        LocationSegment::Index(index) => path.index(index),
    })
}

impl Conformance<'_> {
    fn explain(&self, error: &ValidationError<'_>, found: &mut Vec<Diagnostic>) {
        let path = path_of(error.instance_path());
        let Some(node) = self.tree.at(&path) else { return };
        if matches!(node.value, Value::Unresolved) {
            return;
        }
        if is_secret(&path) {
            return self.explain_secret(node, &path, found);
        }
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let unexpected: HashSet<&str> = unexpected.iter().map(String::as_str).collect();
                let unknown = node.entries().iter().filter(|entry| unexpected.contains(entry.key.as_str()));
                found.extend(unknown.take(MAX_PROBLEMS + 1).map(|entry| self.unknown_key(entry, &path)));
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                found
                    .push(codes::MISSING_KEY.at(node.span, format!("`{key}` is missing")).with_hint(missing_hint(key)));
            }
            ValidationErrorKind::PropertyNames { error } => {
                let key = error.instance().as_str().unwrap_or_default().to_owned();
                let span = node.entry(&key).map_or(node.span, |entry| entry.key_span);
                found.push(form(&path.key(&key), true, &key, span));
            }
            ValidationErrorKind::MinProperties { .. } => found.push(empty_mapping(node, &path)),
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                self.explain_choice(node, &path, context, found);
            }
            ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. } => {
                found.push(self.not_allowed(node, &path));
            }
            ValidationErrorKind::Type { .. } => found.push(self.wrong_type(node, &path)),
            // What is left speaks of the form of a text: the schemas use no other keywords.
            _ => found.push(form(&path, false, node.text().unwrap_or_default(), node.span)),
        }
    }

    /// The branches of a choice all failed: the one that was meant is the one of the right type.
    fn explain_choice(
        &self,
        node: &Node,
        path: &FieldPath,
        branches: &[Vec<ValidationError<'static>>],
        found: &mut Vec<Diagnostic>,
    ) {
        if node.text().is_some_and(|text| text.contains("${")) {
            // The strict check looks again when the reference has been replaced.
            return;
        }
        let only_a_reference = |branch: &&Vec<ValidationError<'static>>| {
            branch.iter().any(|error| {
                matches!(error.kind(), ValidationErrorKind::Pattern { pattern } if schema::is_reference_pattern(pattern))
            })
        };
        let meant = branches
            .iter()
            .filter(|branch| !only_a_reference(branch))
            .find(|branch| !branch.iter().any(|error| fails_on_type(error, path)));
        match meant {
            None => found.push(self.wrong_type(node, path)),
            Some(errors) if errors.iter().all(|error| matches!(error.kind(), ValidationErrorKind::Constant { .. })) => {
                found.push(self.not_allowed(node, path));
            }
            Some(errors) => errors.iter().for_each(|error| self.explain(error, found)),
        }
    }

    fn explain_secret(&self, node: &Node, path: &FieldPath, found: &mut Vec<Diagnostic>) {
        let subject = subject(path);
        let Some(entries) = node.map() else {
            let (row, message) = match node.value {
                Value::Null => (codes::WRONG_TYPE, format!("{subject} has no value")),
                _ => (codes::SECRET_LITERAL, format!("{subject} is written out; it must be a reference to a secret")),
            };
            found.push(row.at(node.span, message).with_hint("write `{env: NAME}` or `{file: path}`"));
            return;
        };
        let known = |key: &str| key == "env" || key == "file";
        for entry in entries {
            if !known(&entry.key) {
                found.push(
                    codes::UNKNOWN_KEY
                        .at(entry.key_span, format!("a reference to a secret has no key of this name in {subject}"))
                        .with_hint("write `{env: NAME}` or `{file: path}`"),
                );
            }
        }
        if entries.iter().filter(|entry| known(&entry.key)).count() != 1 {
            found.push(codes::MISSING_KEY.at(node.span, format!("{subject} takes exactly one of `env` and `file`")));
        }
    }

    fn unknown_key(&self, entry: &Entry, path: &FieldPath) -> Diagnostic {
        let key = entry.key.as_str();
        let known = schema::keys_at(self.schema, path);
        let place = if path.segments().is_empty() { "the spec".to_owned() } else { subject(path) };
        let diagnostic = codes::UNKNOWN_KEY.at(entry.key_span, format!("`{key}` is not a key of {place}"));
        let hint = arm_hint(key).map(str::to_owned).or_else(|| did_you_mean(key, &known)).or_else(|| {
            let (key, homes) = HOMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(key))?;
            Some(format!("`{key}` belongs to {}", homes.join(" or ")))
        });
        match hint {
            Some(hint) => diagnostic.with_hint(hint),
            None if known.is_empty() => diagnostic,
            None => diagnostic.with_hint(format!("it takes {}", listed(&known))),
        }
    }

    fn not_allowed(&self, node: &Node, path: &FieldPath) -> Diagnostic {
        let words = schema::words_at(self.schema, path);
        let Some(text) = node.text() else { return self.wrong_type(node, path) };
        if is_api_version(path) {
            return unknown_api_version(node);
        }
        codes::NOT_ALLOWED_VALUE
            .at(node.span, format!("`{text}` is not a value of {}", subject(path)))
            .with_hint(did_you_mean_or_list(text, &words))
    }

    fn wrong_type(&self, node: &Node, path: &FieldPath) -> Diagnostic {
        let subject = subject(path);
        if matches!(node.value, Value::Null) {
            return codes::WRONG_TYPE
                .at(node.span, format!("{subject} has no value"))
                .with_hint("give it a value, or take the line out");
        }
        if is_api_version(path) {
            return unknown_api_version(node);
        }
        let mut types = schema::types_at(self.schema, path);
        if types.is_empty() {
            types.push("string");
        }
        let expected: Vec<&str> = types.iter().map(|name| type_words(name)).collect();
        let expected = match expected.split_last() {
            Some((last, rest @ [_, ..])) => format!("{} or {last}", rest.join(", ")),
            Some((last, [])) => (*last).to_owned(),
            None => String::new(),
        };
        let row = if is_setting(path) { codes::SETTING_NOT_TEXT } else { codes::WRONG_TYPE };
        let diagnostic = row.at(node.span, format!("{subject} must be {expected}, and is {}", node.type_name()));
        match self.type_hint(node, path, &types) {
            Some(hint) => diagnostic.with_hint(hint),
            None => diagnostic,
        }
    }

    fn type_hint(&self, node: &Node, path: &FieldPath, types: &[&str]) -> Option<String> {
        if is_in_a_secret(path) {
            return None;
        }
        match &node.value {
            Value::Text(text) if types.contains(&"boolean") => match text.to_ascii_lowercase().as_str() {
                "yes" | "on" | "y" | "true" => Some("write `true`".to_owned()),
                "no" | "off" | "n" | "false" => Some("write `false`".to_owned()),
                _ => None,
            },
            Value::Number(number) if last_key(path).is_some_and(is_duration_key) => {
                let seconds = number.as_u64().and_then(|seconds| u32::try_from(seconds).ok()).and_then(Seconds::new)?;
                Some(format!("durations have a unit: write `{seconds}`"))
            }
            Value::Number(_) | Value::Bool(_) if types.contains(&"string") => {
                let written = self.places.written(node.span).filter(|written| !written.is_empty())?;
                Some(format!("quote it: `\"{written}\"`"))
            }
            Value::Text(_) if types.contains(&"array") => Some("write a list: `[first, second]`".to_owned()),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Unresolved => None,
        }
    }
}

fn is_api_version(path: &FieldPath) -> bool {
    matches!(path.segments(), [Segment::Key(key)] if key == "apiVersion")
}

fn unknown_api_version(node: &Node) -> Diagnostic {
    codes::API_VERSION
        .at(node.span, "this is not an apiVersion that this version of arcflux reads")
        .with_hint("write `apiVersion: arcflux/v1`")
}

fn type_words(name: &str) -> &'static str {
    match name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "a mapping",
        _ => "a text",
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn missing_hint(key: &str) -> String {
    match key {
        "apiVersion" => "write `apiVersion: arcflux/v1`".to_owned(),
        "url" => "write `url: https://…`".to_owned(),
        _ => format!("add `{key}:` here"),
    }
}

fn empty_mapping(node: &Node, path: &FieldPath) -> Diagnostic {
    match last_key(path) {
        Some("kustomizations") => codes::NO_KUSTOMIZATIONS
            .at(node.span, "`kustomizations` is empty: nothing would be applied")
            .with_hint("name at least one kustomization, with the `path` that it applies"),
        _ => codes::WRONG_TYPE.at(node.span, format!("{} is empty", subject(path))),
    }
}

fn is_setting(path: &FieldPath) -> bool {
    matches!(path.segments(), [.., Segment::Key(map), Segment::Key(_)] if map == "configurationSettings")
}

/// Words of ARM that are written otherwise here.
fn arm_hint(key: &str) -> Option<&'static str> {
    Some(match key {
        "repositoryRef" => "write `branch`, `tag`, `semver` or `commit` beside `url`",
        "timeoutInSeconds" => "write `timeout: 10m`",
        "syncIntervalInSeconds" | "intervalInSeconds" => "write `interval: 10m`",
        "retryIntervalInSeconds" => "write `retryInterval: 1m`",
        "sourceKind" => "leave it out: the key of the source says it",
        "configurationProtectedSettings" => {
            "write `httpsKey`, `sshPrivateKey` or `bucketSecretKey` beside `url`, as a reference"
        }
        "extensionType" => "leave it out: the extension is always `microsoft.flux`",
        "semverFilter" => {
            "ARM has no such field in fluxConfigurations 2025-04-01; where it is needed, define the OCIRepository in Git"
        }
        "properties" => "write what it holds one level higher: the spec has no `properties`",
        "multiTenancy.enforce" => "write `multiTenancy: false`, or put it under `configurationSettings`",
        _ => return None,
    })
}
