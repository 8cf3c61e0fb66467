//! The values that options take: their names, and how the others are read.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::arm::Cloud;
use crate::kinds::cluster::ClusterType;
use crate::model::{Seconds, SecretRef};
use crate::plan::{OfflineClusters, SecretGrant, WaitFor, Workloads};
use crate::review::ForgeKind;
use crate::view;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CloudName {
    /// The public Azure cloud.
    Public,
    /// Azure US Government.
    Usgov,
    /// Azure operated by 21Vianet.
    China,
    /// An embedded simulator: no account, no network.
    Sim,
}

impl CloudName {
    /// The real cloud behind the name; `None` for the simulator.
    pub(super) fn cloud(self) -> Option<Cloud> {
        match self {
            Self::Public => Some(Cloud::Public),
            Self::Usgov => Some(Cloud::UsGov),
            Self::China => Some(Cloud::China),
            Self::Sim => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "camelCase")]
pub(super) enum ClusterTypeName {
    ConnectedClusters,
    ManagedClusters,
}

impl From<ClusterTypeName> for ClusterType {
    fn from(name: ClusterTypeName) -> Self {
        match name {
            ClusterTypeName::ConnectedClusters => Self::ConnectedClusters,
            ClusterTypeName::ManagedClusters => Self::ManagedClusters,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TextOrJson {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    Text,
    Json,
    /// For an issue, or the summary of a job.
    Markdown,
}

impl From<ReportFormat> for view::Format {
    fn from(format: ReportFormat) -> Self {
        match format {
            ReportFormat::Text => Self::Text,
            ReportFormat::Json => Self::Json,
            ReportFormat::Markdown => Self::Markdown,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ProblemFormat {
    Text,
    Json,
    /// SARIF 2.1.0, for code scanning on a forge.
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    Text,
    Json,
    Mermaid,
    /// A comment of a pull request.
    Markdown,
    /// One page for a browser, which needs nothing else.
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum GraphFormatName {
    /// Everything in order, with what it needs.
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaName {
    Spec,
    Plan,
    Event,
    Report,
    Snapshot,
    /// What `arcflux doctor` finds.
    Doctor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ForgeName {
    /// github.com or GitHub Enterprise Server.
    Github,
    /// Azure DevOps or Azure DevOps Server.
    AzureDevops,
    /// gitlab.com or a GitLab of one's own.
    Gitlab,
}

impl From<ForgeName> for ForgeKind {
    fn from(name: ForgeName) -> Self {
        match name {
            ForgeName::Github => Self::GitHub,
            ForgeName::AzureDevops => Self::AzureDevOps,
            ForgeName::Gitlab => Self::GitLab,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WaitName {
    /// Only where something else needs the end of an operation.
    None,
    /// Until ARM's operations have ended.
    Provisioned,
    /// Until Flux has reconciled every configuration.
    Compliant,
}

impl From<WaitName> for WaitFor {
    fn from(name: WaitName) -> Self {
        match name {
            WaitName::None => Self::Nothing,
            WaitName::Provisioned => Self::Provisioned,
            WaitName::Compliant => Self::Compliant,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WorkloadsName {
    /// Flux deletes them.
    Delete,
    /// They stay: prune is switched off first.
    Keep,
}

impl From<WorkloadsName> for Workloads {
    fn from(name: WorkloadsName) -> Self {
        match name {
            WorkloadsName::Delete => Self::Delete,
            WorkloadsName::Keep => Self::Keep,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OfflineName {
    /// They are planned, and an apply fails at them.
    Fail,
    /// They are listed as deferred and left for another time; everything else is carried out.
    Skip,
}

impl From<OfflineName> for OfflineClusters {
    fn from(name: OfflineName) -> Self {
        match name {
            OfflineName::Fail => Self::Fail,
            OfflineName::Skip => Self::Skip,
        }
    }
}

/// An address that a browser opens.
pub(super) fn web_address(text: &str) -> Result<url::Url, String> {
    match text.parse::<url::Url>() {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(url),
        Ok(url) => Err(format!("`{}` leads to no page: give an https address", url.scheme())),
        Err(error) => Err(error.to_string()),
    }
}

/// What waits are multiplied by.
pub(super) fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(factor),
        Ok(_) | Err(_) => Err("give a number above 0".to_owned()),
    }
}

/// How much faster than the machine a clock runs; it may be infinite.
pub(super) fn pace(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(pace) if pace > 0.0 => Ok(pace),
        Ok(_) | Err(_) => Err("give a number above 0".to_owned()),
    }
}

/// A duration as people write it.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match text.parse::<Seconds>() {
        Ok(seconds) => Ok(Duration::from_secs(u64::from(seconds.get()))),
        Err(error) => Err(error.to_string()),
    }
}

/// `URL=PATH`.
pub(super) fn repository(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((url, path)) if !url.is_empty() && !path.is_empty() => Ok((url.to_owned(), PathBuf::from(path))),
        Some(_) | None => Err("write it as URL=PATH".to_owned()),
    }
}

/// A secret and where it may go.
pub(super) fn grant(text: &str) -> Result<SecretGrant, String> {
    let form = "write it as env:NAME@DESTINATION or file:PATH@DESTINATION".to_owned();
    let (kind, rest) = text.split_once(':').ok_or_else(|| form.clone())?;
    // A destination may hold an `@` no more than a name may: the last one divides.
    let (name, destination) = rest.rsplit_once('@').ok_or_else(|| form.clone())?;
    let secret = match kind {
        "env" => SecretRef::Env(name.to_owned()),
        "file" => SecretRef::File(name.to_owned()),
        _ => return Err(form),
    };
    if name.is_empty() || destination.is_empty() {
        return Err(form);
    }
    if destination.starts_with("http://") {
        return Err("a secret never goes to plain http".to_owned());
    }
    let destination = destination.trim_end_matches('/').to_owned();
    Ok(SecretGrant { secret, destination })
}
