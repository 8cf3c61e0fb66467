//! A cluster's API: one request at a time, and what its failures mean.

use std::error::Error as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Method, Request};
use futures::future::{Either, select};
use kube::client::AuthError;
use kube::{Client, Config};
use serde_json::Value;

use super::ClusterError;
use super::program::quoted;
use crate::http::Clock;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take, the sign-in before it included.
const ANSWER: Duration = Duration::from_secs(60);

/// What is asked for where only names and labels are wanted: the API leaves contents out, which may be secret.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

/// The API of the cluster that a context names.
pub(super) struct Api {
    client: Client,
    clock: Arc<dyn Clock>,
    context: String,
    server: String,
}

impl Api {
    /// Connects nothing yet, but runs the program that signs in, where the kubeconfig names one.
    pub(super) async fn open(mut config: Config, context: &str, clock: Arc<dyn Clock>) -> Result<Self, ClusterError> {
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(ANSWER);
        let server = config.cluster_url.to_string();
        let context = context.to_owned();
        // A sign-in program may wait for a person: not on a thread that has other work.
        let opened = tokio::task::spawn_blocking(move || {
            Client::try_from(config)
                .map(|client| Self { client, clock, context: context.clone(), server: server.clone() })
                .map_err(|error| explained(&error, &context, &server))
        });
        opened.await.unwrap_or_else(|_| {
            Err(ClusterError {
                message: "the sign-in to a cluster broke off".to_owned(),
                hint: Some("try it again; if it stays so, sign in by hand first: kubectl version".to_owned()),
            })
        })
    }

    /// The JSON at `path`; `None` where there is none.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Value>, Failed> {
        self.call(Method::GET, path, "application/json", None).await
    }

    /// Names and labels of the objects of a collection.
    pub(super) async fn list_metadata(&self, path: &str) -> Result<Option<Value>, Failed> {
        self.call(Method::GET, path, METADATA_ONLY, None).await
    }

    /// Creates what `body` says.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Option<Value>, Failed> {
        self.call(Method::POST, path, "application/json", Some(body)).await
    }

    /// Begins to delete an object; `None` where there is none.
    pub(super) async fn delete(&self, path: &str) -> Result<Option<Value>, Failed> {
        self.call(Method::DELETE, path, "application/json", None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Option<&Value>,
    ) -> Result<Option<Value>, Failed> {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", accept)
            .header("content-type", "application/json")
            .body(body)
            .map_err(|error| Failed::Other(self.error(format!("`{path}` cannot be asked for: {error}"), None)))?;
        let answer = pin!(self.client.request::<Value>(request));
        let late = pin!(self.clock.sleep(ANSWER));
        match select(answer, late).await {
            Either::Left((Ok(value), _)) => Ok(Some(value)),
            Either::Left((Err(kube::Error::Api(status)), _)) if status.code == 404 => Ok(None),
            Either::Left((Err(kube::Error::Api(status)), _)) if status.code == 403 => {
                Err(Failed::Forbidden(explained(&kube::Error::Api(status), &self.context, &self.server)))
            }
            Either::Left((Err(error), _)) => Err(Failed::Other(explained(&error, &self.context, &self.server))),
            Either::Right(_) => {
                let message = format!("nothing came back within {} s", ANSWER.as_secs());
                Err(Failed::Other(self.error(message, None)))
            }
        }
    }

    /// An error about this cluster.
    pub(super) fn error(&self, message: String, hint: Option<String>) -> ClusterError {
        let Self { context, server, .. } = self;
        ClusterError {
            message: format!("the cluster of context `{context}` ({server}): {message}"),
            hint: hint.or_else(|| Some(by_hand(context))),
        }
    }
}

/// Why a call gave nothing.
pub(super) enum Failed {
    /// Whoever signed in may not do that.
    Forbidden(ClusterError),
    /// Anything else.
    Other(ClusterError),
}

impl From<Failed> for ClusterError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Forbidden(error) | Failed::Other(error) => error,
        }
    }
}

fn by_hand(context: &str) -> String {
    format!("see what it says by hand: kubectl --context {context} version")
}

/// What a failure means to who wants to reach the cluster.
fn explained(error: &kube::Error, context: &str, server: &str) -> ClusterError {
    let of = |message: String, hint: String| ClusterError {
        message: format!("the cluster of context `{context}` ({server}) {message}"),
        hint: Some(hint),
    };
    match error {
        kube::Error::Api(status) if status.code == 401 => of(
            "does not accept the credentials of the kubeconfig (401)".to_owned(),
            format!("sign in again, and see who you are: kubectl --context {context} auth whoami"),
        ),
        kube::Error::Api(status) if status.code == 403 => of(
            format!("forbids it: {}", quoted(&status.message, &[])),
            format!("use a user who may: kubectl --context {context} auth can-i --list"),
        ),
        kube::Error::Api(status) => {
            of(format!("answered {}: {}", status.code, quoted(&status.message, &[])), by_hand(context))
        }
        kube::Error::Auth(error) => of(
            format!("cannot be signed in to: {}", signing_in(error)),
            format!(
                "run what the kubeconfig names under `users` for that context by hand: kubectl --context {context} version"
            ),
        ),
        other => unreached(other, &of, context),
    }
}

/// Why nobody is signed in. The output of the sign-in program may hold a token, and is not shown.
fn signing_in(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { cmd, out } => {
            let said = quoted(&String::from_utf8_lossy(&out.stderr), &[]);
            let said = if said.is_empty() { "it did not say why".to_owned() } else { said };
            format!("`{}` failed ({}): {said}", quoted(cmd, &[]), out.status)
        }
        other => quoted(&other.to_string(), &[]),
    }
}

fn unreached(error: &kube::Error, of: &dyn Fn(String, String) -> ClusterError, context: &str) -> ClusterError {
    let mut causes = Vec::new();
    let mut refused = false;
    let mut cause = error.source();
    while let Some(one) = cause {
        refused |=
            one.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused);
        causes.push(one.to_string());
        cause = one.source();
    }
    // The innermost cause says what happened; those around it say that something did.
    let reason = causes.last().cloned().unwrap_or_else(|| error.to_string());
    let all = causes.join(": ").to_lowercase();
    let reason = quoted(&reason, &[]);
    if refused {
        return of(
            "does not answer: connection refused".to_owned(),
            format!("start it, or correct `server` in the kubeconfig; then: kubectl --context {context} version"),
        );
    }
    if all.contains("certificate") || all.contains("unknownissuer") {
        return of(
            format!("has a certificate that is not trusted: {reason}"),
            "if it is the right one, give its authority as `certificate-authority-data` in the kubeconfig".to_owned(),
        );
    }
    if all.contains("dns") || all.contains("resolve") || all.contains("lookup") {
        return of(
            format!("is not found: {reason}"),
            "correct `server` in the kubeconfig, or the DNS of this machine".to_owned(),
        );
    }
    of(format!("cannot be reached: {reason}"), by_hand(context))
}
