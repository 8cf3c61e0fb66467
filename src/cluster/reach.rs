//! The clusters of a kubeconfig, for real: their API, helm and `az`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::api::Api;
use super::helm::Helm;
use super::program::{Program, is_passed_on};
use super::release::Release;
use super::{ClusterError, Installation, Kubernetes, ObjectName, kubeconfig, look, object, removal};
use crate::http::Clock;
use crate::model::Sight;

/// How long `az` may take: connecting a cluster takes it half an hour at most.
const AZ: Duration = Duration::from_secs(45 * 60);

/// What is on this machine that clusters are reached with.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The kubeconfigs, the first of which wins where they disagree. A kubeconfig may name programs that are run.
    pub kubeconfig: Vec<PathBuf>,
    /// The file of helm, or its name on PATH.
    pub helm: PathBuf,
    /// The file of `az`, or its name on PATH.
    pub az: PathBuf,
    /// The environment of this process. Of it, programs get only what [`is_passed_on`].
    pub environment: Vec<(OsString, OsString)>,
}

/// The clusters of a kubeconfig.
pub struct Clusters {
    tools: Tools,
    clock: Arc<dyn Clock>,
}

impl Clusters {
    /// Reads and runs nothing yet.
    #[must_use]
    pub fn new(tools: Tools, clock: Arc<dyn Clock>) -> Self {
        let environment = tools.environment.iter();
        let passed_on = environment.filter(|(name, _)| name.to_str().is_some_and(is_passed_on)).cloned().collect();
        Self { tools: Tools { environment: passed_on, ..tools }, clock }
    }

    async fn api(&self, context: &str) -> Result<Api, ClusterError> {
        let config = kubeconfig::config(kubeconfig::read(&self.tools.kubeconfig)?, context).await?;
        Api::open(config, context, Arc::clone(&self.clock)).await
    }

    fn helm(&self, context: &str) -> Result<Helm, ClusterError> {
        Ok(Helm::new(self.program("helm", &self.tools.helm)?, context))
    }

    /// A program that reaches the same clusters. Not by `--kubeconfig`, which takes one file: several are merged as
    /// `kubectl` does.
    fn program(&self, name: &'static str, file: &Path) -> Result<Program, ClusterError> {
        let kubeconfig = std::env::join_paths(&self.tools.kubeconfig).map_err(|error| ClusterError {
            message: format!("`{name}` cannot be told where the kubeconfig is: {error}"),
            hint: Some("give its path without the character that separates paths".to_owned()),
        })?;
        let mut environment = self.tools.environment.clone();
        environment.push(("KUBECONFIG".into(), kubeconfig));
        Ok(Program { name, file: file.to_owned(), environment, clock: Arc::clone(&self.clock) })
    }
}

#[async_trait]
impl Kubernetes for Clusters {
    async fn look(&self, context: &str) -> Result<Sight, ClusterError> {
        look::look(&self.api(context).await?).await
    }

    async fn object(&self, context: &str, name: &ObjectName) -> Result<Option<Value>, ClusterError> {
        object::object(&self.api(context).await?, name).await
    }

    async fn install_agents(&self, context: &str, installation: &Installation) -> Result<(), ClusterError> {
        let helm = self.helm(context)?;
        helm.check().await?;
        let found = Release::find(&self.api(context).await?).await?;
        helm.install(found.as_ref(), installation).await
    }

    async fn remove_agents(&self, context: &str) -> Result<(), ClusterError> {
        let api = self.api(context).await?;
        if let Some(release) = Release::find(&api).await? {
            let helm = self.helm(context)?;
            helm.check().await?;
            helm.uninstall(&release).await?;
        }
        removal::clear(&api, self.clock.as_ref()).await
    }

    async fn az(&self, arguments: &[String]) -> Result<(), ClusterError> {
        let ended = self.program("az", &self.tools.az)?.run(arguments, None, &[], AZ).await?;
        if ended.succeeded {
            return Ok(());
        }
        let said = if ended.complaint.is_empty() { "it did not say why" } else { &ended.complaint };
        let verb: Vec<&str> = arguments.iter().map(String::as_str).take_while(|one| !one.starts_with('-')).collect();
        Err(ClusterError {
            message: format!("`az {}` failed: {said}", verb.join(" ")),
            hint: Some("run it by hand, with the arguments that the plan shows".to_owned()),
        })
    }
}
