//! What a CI job keeps of a plan: its summary for people, its outputs for later jobs. Each service has its own way.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Session;
use super::ci::{Job, Service};
use super::error::CliError;
use super::out_file;
use crate::model::Target;
use crate::view::outputs::{self, Output};

/// Writes the summary to wherever the job keeps it, and to `also`. Tells whether somebody will find it.
pub(super) fn write_summary(
    text: &str,
    target: &Target,
    job: &Job,
    also: Option<&Path>,
    session: &Session,
) -> Result<bool, CliError> {
    if let Some(path) = also {
        out_file::write(path, text)?;
    }
    let kept = match job.service {
        Some(Service::GitHubActions) => match &job.summary {
            Some(path) => append(path, &format!("{text}\n")).map(|()| true)?,
            None => false,
        },
        Some(Service::AzurePipelines) => match &job.scratch {
            Some(directory) => {
                let path = directory.join(summary_name(target));
                out_file::write(&path, text)?;
                // Commands are read from standard error, too; standard output is the plan's.
                session.console.command(&outputs::azure_pipelines_summary(&path.display().to_string()));
                true
            }
            None => false,
        },
        Some(Service::GitLabCi) | None => false,
    };
    Ok(kept || also.is_some())
}

/// A file name of its own for each target: the title of the summary in Azure Pipelines.
fn summary_name(target: &Target) -> PathBuf {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    format!("arcflux plan {}.md", target.to_string().chars().map(plain).collect::<String>()).into()
}

/// Hands the outputs to the job, and writes them to `also`.
pub(super) fn write_outputs(
    outputs: &[Output],
    job: &Job,
    also: Option<&Path>,
    session: &Session,
) -> Result<(), CliError> {
    if let Some(path) = also {
        out_file::write(path, &outputs::dotenv(outputs))?;
    }
    match job.service {
        Some(Service::GitHubActions) => match &job.outputs {
            Some(path) => append(path, &outputs::github(outputs)),
            None => Ok(()),
        },
        Some(Service::AzurePipelines) => {
            outputs::azure_pipelines(outputs).iter().for_each(|command| session.console.command(command));
            Ok(())
        }
        Some(Service::GitLabCi) | None => Ok(()),
    }
}

/// Adds to a file that the service has made.
fn append(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| CliError::because(format!("cannot write {}", path.display()), &error))
}
