//! `Microsoft.KubernetesConfiguration/sourceControlConfigurations`: Flux v1. It is here because Flux v2 must not share a
//! cluster with it, so clients look. Everything about it is synchronous, and nothing acts on it.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{self, Answer};
use super::children::ChildCall;
use super::shape::{self, Field, Shape, field};
use super::state::SourceControlConfiguration;
use super::world::{self, Handled, World};

const FIELDS: &[Field] = &[
    field("operatorNamespace", Shape::TextOr("default")),
    field("enableHelmOperator", Shape::Flag(false)),
    field(
        "helmOperatorProperties",
        Shape::Object(&[field("chartVersion", Shape::Text), field("chartValues", Shape::Text)]),
    ),
    field("repositoryUrl", Shape::Text),
    field("operatorInstanceName", Shape::Text),
    field("operatorType", Shape::Choice(&["Flux"], Some("Flux"))),
    field("operatorScope", Shape::Choice(&["cluster", "namespace"], Some("cluster"))),
    field("operatorParams", Shape::Text),
    field("sshKnownHostsContents", Shape::Text),
    field("configurationProtectedSettings", Shape::ProtectedSettings),
];

impl World<'_> {
    /// Answers a call on one Flux v1 configuration.
    pub(crate) fn source_control(&mut self, one: &ChildCall<'_>) -> Handled {
        let found = self.cluster(one.cluster)?.source_control.get(&one.key());
        match (&one.call.method, found) {
            (&Method::GET | &Method::HEAD, Some(found)) => Ok(Answer::ok(&source_control_body(&one.call.path, found))),
            (&Method::GET | &Method::HEAD, None) => Err(one.kind.not_found(one.name)),
            (&Method::PUT, found) => {
                let found = found.cloned();
                self.put_source_control(one, found)
            }
            (&Method::DELETE, Some(_)) => {
                self.cluster_mut(one.cluster)?.source_control.remove(&one.key());
                Ok(deleted())
            }
            (&Method::DELETE, None) => self.delete_missing(one),
            (method, _) => Err(answer::no_method(method, "a sourceControlConfiguration")),
        }
    }

    fn put_source_control(&mut self, one: &ChildCall<'_>, found: Option<SourceControlConfiguration>) -> Handled {
        let sent = one.call.object()?;
        let sent = sent.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut properties = shape::read(FIELDS, &sent, &mut BTreeSet::new())?;
        if let Some(Value::String(parameters)) = properties.get_mut("operatorParams") {
            *parameters = parameters.trim().to_owned();
        }
        let configuration = SourceControlConfiguration {
            name: one.name.to_owned(),
            properties,
            created: found.as_ref().map_or(one.call.now, |found| found.created),
            modified: one.call.now,
        };
        let body = source_control_body(&one.call.path, &configuration);
        self.cluster_mut(one.cluster)?.source_control.insert(one.key(), configuration);
        if found.is_some() {
            return Ok(Answer::ok(&body));
        }
        // As recorded: a URL of no use to anybody.
        Ok(Answer::json(StatusCode::CREATED, &body).header("location", format!("file://{}", one.call.path)))
    }
}

/// A Flux v1 configuration. `id` echoes the caller's path.
pub(crate) fn source_control_body(id: &str, configuration: &SourceControlConfiguration) -> Value {
    let mut properties = Map::new();
    properties.insert("provisioningState".to_owned(), Value::from("Succeeded"));
    properties.insert(
        "complianceStatus".to_owned(),
        json!({
            "complianceState": "Pending",
            "lastConfigApplied": "0001-01-01T00:00:00+00:00",
            "message": "{\"OperatorMessage\":null,\"ClusterState\":null}",
            "messageLevel": "Information",
        }),
    );
    properties.extend(configuration.properties.clone());
    properties.insert("repositoryPublicKey".to_owned(), Value::from(""));
    json!({
        "id": id,
        "name": configuration.name,
        "type": "Microsoft.KubernetesConfiguration/sourceControlConfigurations",
        "properties": properties,
        "systemData": world::system_data(configuration.created, configuration.modified),
    })
}

/// The odd body with which the provider answers a deletion, as recorded.
fn deleted() -> Answer {
    Answer::ok(&json!({
        "content": null,
        "statusCode": 200,
        "headers": [],
        "version": "1.1",
        "reasonPhrase": "OK",
        "trailingHeaders": [],
        "requestMessage": null,
        "isSuccessStatusCode": true,
    }))
}
