//! What a job hands on to later jobs: names and values, in the forms of three CI services. Whatever a value is, it ends
//! where it ends: none can add another name.

use crate::model::Digest;
use crate::plan::{Counts, Plan};

/// One value under its name, which is letters alone.
pub type Output = (&'static str, String);

/// What later jobs may want to know of a plan: `changes`, `add`, `change`, `destroy`, `replace`, `digest`, `refused`.
#[must_use]
pub fn of_plan(plan: &Plan) -> Vec<Output> {
    let Counts { create, update, delete, replace } = plan.counts();
    let digest: &Digest = &plan.digest;
    vec![
        ("changes", plan.differs().to_string()),
        ("add", create.to_string()),
        ("change", update.to_string()),
        ("destroy", delete.to_string()),
        ("replace", replace.to_string()),
        ("digest", digest.to_string()),
        ("refused", (!plan.refusals.is_empty()).to_string()),
    ]
}

/// For the file that `GITHUB_OUTPUT` names: each value between two lines that it does not hold.
#[must_use]
pub fn github(outputs: &[Output]) -> String {
    outputs
        .iter()
        .map(|(name, value)| {
            let mut delimiter = "ARCFLUX".to_owned();
            while value.contains(&delimiter) {
                delimiter.push('_');
            }
            format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
        })
        .collect()
}

/// Logging commands of Azure Pipelines, a line each, without a line feed at the end of the last.
#[must_use]
pub fn azure_pipelines(outputs: &[Output]) -> Vec<String> {
    outputs
        .iter()
        .map(|(name, value)| format!("##vso[task.setvariable variable={name};isOutput=true]{}", vso_value(value)))
        .collect()
}

/// The logging command with which Azure Pipelines takes a Markdown file for the summary of the run.
#[must_use]
pub fn azure_pipelines_summary(path: &str) -> String {
    format!("##vso[task.uploadsummary]{}", vso_value(path))
}

/// What follows a logging command, on its line.
fn vso_value(value: &str) -> String {
    value.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A dotenv file, which GitLab takes as a report: `ARCFLUX_DIGEST=sha256:…`, a line each. A value has one line there.
#[must_use]
pub fn dotenv(outputs: &[Output]) -> String {
    outputs
        .iter()
        .map(|(name, value)| format!("ARCFLUX_{}={}\n", name.to_ascii_uppercase(), value.replace(['\r', '\n'], " ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a file of outputs as the runner of GitHub does.
    fn read(text: &str) -> Vec<(String, String)> {
        let mut lines = text.lines();
        let mut found = Vec::new();
        while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            found.push((name.to_owned(), value.join("\n")));
        }
        found
    }

    #[test]
    fn no_value_ends_early_or_adds_a_name() {
        for value in ["sha256:0", "", "a\nARCFLUX\nevil<<X\n1\nX", "ARCFLUX_\nARCFLUX__", "a\n\nb"] {
            let outputs = [("digest", value.to_owned()), ("changes", "true".to_owned())];
            let expected = [("digest".to_owned(), value.to_owned()), ("changes".to_owned(), "true".to_owned())];
            assert_eq!(read(&github(&outputs)), expected, "{value:?}");
            let commands = azure_pipelines(&outputs);
            assert!(commands.iter().all(|command| !command.contains(['\n', '\r'])), "{commands:?}");
            assert_eq!(dotenv(&outputs).lines().count(), 2, "{value:?}");
        }
    }

    #[test]
    fn the_forms() {
        let outputs = [("digest", "50%\nx".to_owned())];
        assert_eq!(github(&outputs), "digest<<ARCFLUX\n50%\nx\nARCFLUX\n");
        assert_eq!(azure_pipelines(&outputs), ["##vso[task.setvariable variable=digest;isOutput=true]50%AZP25%0Ax"]);
        assert_eq!(azure_pipelines_summary("/tmp/a b.md"), "##vso[task.uploadsummary]/tmp/a b.md");
        assert_eq!(dotenv(&outputs), "ARCFLUX_DIGEST=50% x\n");
    }
}
