//! One object of a cluster.

use serde_json::{Map, Value, json};

/// An object as Kubernetes has it, and what is to be said beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// All of it: `apiVersion`, `kind`, `metadata` and the rest.
    pub body: Value,
    /// What whoever applies it has to know, a line each.
    pub remarks: Vec<String>,
}

impl Object {
    /// An object whose further members are `rest`; without a namespace where it is in none.
    pub(super) fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: &str, rest: Value) -> Self {
        let mut metadata = json!({ "name": name });
        if let Some(namespace) = namespace {
            metadata["namespace"] = json!(namespace);
        }
        let mut body = Map::new();
        body.insert("apiVersion".to_owned(), json!(api_version));
        body.insert("kind".to_owned(), json!(kind));
        body.insert("metadata".to_owned(), metadata);
        if let Value::Object(rest) = rest {
            body.extend(rest);
        }
        Self { body: Value::Object(body), remarks: Vec::new() }
    }

    /// `source.toolkit.fluxcd.io/v1`.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    /// `GitRepository`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// Its namespace; `None` for what is in none.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.body.pointer("/metadata/namespace").and_then(Value::as_str)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}
