//! What the environment of a CI job tells of it: which pull request, which commit, and where a later job or a person looks.
//! Nothing is asked of anybody, and nothing is taken from a spec.

use std::path::PathBuf;

use serde_json::Value;

use super::Environment;
use crate::model::Secret;
use crate::review::ForgeKind;

/// The service that runs the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    GitHubActions,
    AzurePipelines,
    GitLabCi,
}

/// What is known of the job. All of it may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) service: Option<Service>,
    pub(super) forge: Option<ForgeKind>,
    /// The address of the forge's API.
    pub(super) api: Option<String>,
    /// The repository, as the forge's API names it.
    pub(super) repository: Option<String>,
    pub(super) pull_request: Option<u64>,
    /// The commit that the job is about: of a pull request its head, not a trial merge.
    pub(super) commit: Option<String>,
    /// The branch that the job is about, where it is about one and no pull request.
    pub(super) branch: Option<String>,
    /// What the pull request is to be merged into.
    pub(super) base: Option<String>,
    /// Where people read what the job did.
    pub(super) run_url: Option<String>,
    /// The file that the service takes for the summary of the job.
    pub(super) summary: Option<PathBuf>,
    /// The file that the service takes outputs from.
    pub(super) outputs: Option<PathBuf>,
    /// A directory for files that end with the job.
    pub(super) scratch: Option<PathBuf>,
}

impl Job {
    /// Reads it out of the environment. `event` is the file that `GITHUB_EVENT_PATH` names, where it is JSON.
    pub(super) fn of(environment: &Environment, event: Option<&Value>) -> Self {
        let is_true = |name: &str| environment.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_true("GITHUB_ACTIONS") {
            github_actions(environment, event)
        } else if is_true("TF_BUILD") {
            azure_pipelines(environment)
        } else if is_true("GITLAB_CI") {
            gitlab_ci(environment)
        } else {
            Self::default()
        }
    }
}

/// The branch that a reference names, if it names one.
fn branch(reference: &str) -> Option<String> {
    reference.strip_prefix("refs/heads/").map(str::to_owned)
}

/// A variable that says something.
fn variable(environment: &Environment, name: &str) -> Option<String> {
    environment.get(name).filter(|value| !value.is_empty()).map(str::to_owned)
}

fn github_actions(environment: &Environment, event: Option<&Value>) -> Job {
    let get = |name: &str| variable(environment, name);
    let told = |pointer: &str| event.and_then(|event| event.pointer(pointer));
    let told_text = |pointer: &str| told(pointer).and_then(Value::as_str).map(str::to_owned);
    // `refs/pull/7/merge`; and comments on a pull request are events of an issue that has one.
    let in_ref = || get("GITHUB_REF")?.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok();
    let pull_request = told("/pull_request/number")
        .or_else(|| told("/issue/pull_request").and_then(|_| told("/issue/number")))
        .and_then(Value::as_u64)
        .or_else(in_ref);
    let head = told_text("/pull_request/head/sha");
    // What GITHUB_SHA names for a pull request is a trial merge, or the base.
    let commit = if pull_request.is_some() { head } else { get("GITHUB_SHA") };
    let run_url = || {
        let (server, repository) = (get("GITHUB_SERVER_URL")?, get("GITHUB_REPOSITORY")?);
        let attempt = get("GITHUB_RUN_ATTEMPT").map(|attempt| format!("/attempts/{attempt}")).unwrap_or_default();
        Some(format!("{server}/{repository}/actions/runs/{}{attempt}", get("GITHUB_RUN_ID")?))
    };
    Job {
        service: Some(Service::GitHubActions),
        forge: Some(ForgeKind::GitHub),
        api: get("GITHUB_API_URL"),
        repository: get("GITHUB_REPOSITORY"),
        pull_request,
        commit,
        branch: get("GITHUB_REF").as_deref().and_then(branch),
        base: told_text("/pull_request/base/sha"),
        run_url: run_url(),
        summary: get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
        outputs: get("GITHUB_OUTPUT").map(PathBuf::from),
        scratch: get("RUNNER_TEMP").map(PathBuf::from),
    }
}

/// Azure Pipelines builds repositories of Azure DevOps, and those of GitHub.
fn azure_pipelines(environment: &Environment) -> Job {
    let get = |name: &str| variable(environment, name);
    let collection = get("SYSTEM_COLLECTIONURI").map(|uri| uri.trim_end_matches('/').to_owned());
    let project = get("SYSTEM_TEAMPROJECTID").or_else(|| get("SYSTEM_TEAMPROJECT"));
    let run_url = collection.as_ref().zip(project.as_ref()).zip(get("BUILD_BUILDID"));
    let run_url = run_url.map(|((uri, project), id)| format!("{uri}/{project}/_build/results?buildId={id}"));
    let job = Job {
        service: Some(Service::AzurePipelines),
        commit: get("SYSTEM_PULLREQUEST_SOURCECOMMITID").or_else(|| get("BUILD_SOURCEVERSION")),
        branch: get("BUILD_SOURCEBRANCH").as_deref().and_then(branch),
        run_url,
        scratch: get("AGENT_TEMPDIRECTORY").map(PathBuf::from),
        ..Job::default()
    };
    match get("BUILD_REPOSITORY_PROVIDER").as_deref() {
        Some("GitHub") => Job {
            forge: Some(ForgeKind::GitHub),
            api: Some("https://api.github.com".to_owned()),
            repository: get("BUILD_REPOSITORY_NAME"),
            pull_request: get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER").and_then(|number| number.parse().ok()),
            ..job
        },
        Some("TfsGit") => Job {
            forge: Some(ForgeKind::AzureDevOps),
            api: collection,
            repository: project.zip(get("BUILD_REPOSITORY_ID")).map(|(project, id)| format!("{project}/{id}")),
            pull_request: get("SYSTEM_PULLREQUEST_PULLREQUESTID").and_then(|number| number.parse().ok()),
            ..job
        },
        Some(_) | None => job,
    }
}

fn gitlab_ci(environment: &Environment) -> Job {
    let get = |name: &str| variable(environment, name);
    Job {
        service: Some(Service::GitLabCi),
        forge: Some(ForgeKind::GitLab),
        api: get("CI_API_V4_URL"),
        // A pipeline of a fork runs there, and the merge request is here.
        repository: get("CI_MERGE_REQUEST_PROJECT_ID").or_else(|| get("CI_PROJECT_ID")),
        pull_request: get("CI_MERGE_REQUEST_IID").and_then(|number| number.parse().ok()),
        // What CI_COMMIT_SHA names where results are merged first is a trial merge; the other variable is empty elsewhere.
        commit: get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").or_else(|| get("CI_COMMIT_SHA")),
        branch: get("CI_COMMIT_BRANCH"),
        base: get("CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        run_url: get("CI_JOB_URL").or_else(|| get("CI_PIPELINE_URL")),
        summary: None,
        outputs: None,
        scratch: None,
    }
}

/// The variables that hold a token for a forge, first of all that which the service itself sets.
pub(super) const fn token_variables(forge: ForgeKind) -> &'static [&'static str] {
    match forge {
        ForgeKind::GitHub => &["GITHUB_TOKEN", "GH_TOKEN"],
        ForgeKind::AzureDevOps => &["SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT"],
        ForgeKind::GitLab => &["GITLAB_TOKEN"],
    }
}

/// The token for a forge: out of the variable `named`, else the first of the usual ones that is set.
pub(super) fn token(environment: &Environment, forge: ForgeKind, named: Option<&str>) -> Option<Secret> {
    let value = match named {
        Some(name) => variable(environment, name),
        None => token_variables(forge).iter().find_map(|name| variable(environment, name)),
    };
    let value = value.as_deref().map(str::trim).filter(|value| !value.is_empty());
    // A pipeline that never set a variable of Azure Pipelines passes its name on: `$(System.AccessToken)`.
    value.filter(|value| !value.starts_with("$(")).map(|value| Secret::new(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_workflow_of_a_pull_request_is_about_its_head() {
        let environment = Environment::of(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", "https://api.github.com"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "contoso/gitops"),
            ("GITHUB_RUN_ID", "99"),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_SHA", "trial"),
            ("GITHUB_STEP_SUMMARY", "/s"),
            ("GITHUB_OUTPUT", ""),
        ]);
        let event = json!({"pull_request": {"number": 7, "head": {"sha": "head"}, "base": {"sha": "base"}}});
        let job = Job::of(&environment, Some(&event));
        assert_eq!(
            (job.pull_request, job.commit.as_deref(), job.base.as_deref()),
            (Some(7), Some("head"), Some("base"))
        );
        assert_eq!(job.run_url.as_deref(), Some("https://github.com/contoso/gitops/actions/runs/99"));
        assert_eq!((job.branch, job.summary, job.outputs), (None, Some(PathBuf::from("/s")), None));
        // Without the event the trial merge is still not taken for the head.
        let job = Job::of(&environment, None);
        assert_eq!((job.pull_request, job.commit), (Some(7), None));
        let comment = json!({"issue": {"number": 8, "pull_request": {}}});
        assert_eq!(Job::of(&environment, Some(&comment)).pull_request, Some(8));
    }

    #[test]
    fn a_push_is_about_its_commit() {
        let environment =
            Environment::of(&[("GITHUB_ACTIONS", "true"), ("GITHUB_REF", "refs/heads/main"), ("GITHUB_SHA", "pushed")]);
        let job = Job::of(&environment, Some(&json!({"issue": {"number": 8}})));
        assert_eq!((job.pull_request, job.commit.as_deref()), (None, Some("pushed")));
        assert_eq!(job.branch.as_deref(), Some("main"));
    }

    #[test]
    fn azure_pipelines_builds_two_forges() {
        let shared = [
            ("TF_BUILD", "True"),
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/contoso/"),
            ("SYSTEM_TEAMPROJECT", "Edge Platform"),
            ("BUILD_BUILDID", "5"),
            ("BUILD_REPOSITORY_ID", "id"),
            ("BUILD_REPOSITORY_NAME", "contoso/gitops"),
            ("SYSTEM_PULLREQUEST_PULLREQUESTID", "1001"),
            ("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "7"),
            ("SYSTEM_PULLREQUEST_SOURCECOMMITID", "head"),
            ("BUILD_SOURCEVERSION", "trial"),
        ];
        let job = |provider| {
            Job::of(&Environment::of(&[&shared[..], &[("BUILD_REPOSITORY_PROVIDER", provider)]].concat()), None)
        };
        let azure = job("TfsGit");
        assert_eq!(azure.api.as_deref(), Some("https://dev.azure.com/contoso"));
        assert_eq!((azure.repository.as_deref(), azure.pull_request), (Some("Edge Platform/id"), Some(1001)));
        assert_eq!(azure.commit.as_deref(), Some("head"));
        let github = job("GitHub");
        assert_eq!((github.forge, github.pull_request), (Some(ForgeKind::GitHub), Some(7)));
        assert_eq!(github.repository.as_deref(), Some("contoso/gitops"));
        assert_eq!(job("Bitbucket").forge, None);
    }

    #[test]
    fn a_merge_request_is_where_it_is_merged_and_about_its_head() {
        let variables = [
            ("GITLAB_CI", "true"),
            ("CI_API_V4_URL", "https://gitlab.com/api/v4"),
            ("CI_PROJECT_ID", "2"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "1"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_COMMIT_SHA", "trial"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "head"),
        ];
        let job = Job::of(&Environment::of(&variables), None);
        assert_eq!((job.repository.as_deref(), job.commit.as_deref()), (Some("1"), Some("head")));
        let environment =
            Environment::of(&variables.map(|(name, value)| if value == "head" { (name, "") } else { (name, value) }));
        assert_eq!(Job::of(&environment, None).commit.as_deref(), Some("trial"));
        assert_eq!(Job::of(&Environment::default(), None), Job::default());
    }

    #[test]
    fn a_token_that_was_never_set_is_none() {
        let environment =
            Environment::of(&[("SYSTEM_ACCESSTOKEN", "$(System.AccessToken)"), ("MINE", "abc\n"), ("BLANK", " \n")]);
        assert!(token(&environment, ForgeKind::GitHub, Some("BLANK")).is_none());
        assert!(token(&environment, ForgeKind::AzureDevOps, None).is_none());
        let mine = token(&environment, ForgeKind::GitHub, Some("MINE"));
        assert_eq!(mine.as_ref().map(Secret::reveal), Some("abc"));
        assert!(token(&environment, ForgeKind::GitHub, None).is_none());
    }
}
