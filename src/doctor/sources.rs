//! Whether the sources of configurations answer. Nobody signs in to one: the cluster does that, with its own credentials.

use std::collections::{BTreeMap, BTreeSet};

use ::http::StatusCode;
use url::Url;

use super::Doctor;
use super::git::{ADVERTISEMENT, DISCOVERY, references};
use crate::http::message::header;
use crate::http::{Response, TransportError};
use crate::kinds::flux_configuration::{GitRepositorySpec, Provider, Source};
use crate::model::{with_causes, without_url_secrets};
use crate::plan::{Check, Checked};

/// A git source, as far as it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Git {
    /// The reference to follow, where the spec names one alone.
    reference: Option<String>,
    /// Whether Flux has credentials for it.
    has_credentials: bool,
    /// Whether the spec says which certificate authority to trust.
    has_authority: bool,
}

impl Git {
    fn of(spec: &GitRepositorySpec) -> Self {
        let GitRepositorySpec { branch, tag, provider, https_user, https_key, local_auth_ref, https_ca_cert, .. } =
            spec;
        let branch = branch.as_ref().map(|name| format!("refs/heads/{name}"));
        Self {
            reference: branch.or_else(|| tag.as_ref().map(|name| format!("refs/tags/{name}"))),
            has_credentials: https_user.is_some()
                || https_key.is_some()
                || local_auth_ref.is_some()
                || *provider != Provider::Generic,
            has_authority: https_ca_cert.is_some(),
        }
    }
}

/// What is asked of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Git(Git),
    /// Whether anything answers at this address.
    Anything(String),
}

impl Doctor<'_> {
    pub(super) async fn look_at_sources(&self) -> Vec<Check> {
        let questions = self.questions();
        if self.is_simulated() {
            let why = "not asked: everything is simulated";
            return questions.keys().map(|url| Check::ok(Checked::Repository, why).about(url.clone())).collect();
        }
        let mut checks = Vec::new();
        for (url, questions) in questions {
            for question in questions {
                checks.push(self.look_at(&url, &question).await.about(without_url_secrets(&url)));
            }
        }
        checks
    }

    /// Each source once, however many clusters have it.
    fn questions(&self) -> BTreeMap<String, BTreeSet<Question>> {
        let mut questions: BTreeMap<String, BTreeSet<Question>> = BTreeMap::new();
        let configurations = self.desired.clusters.iter().flat_map(|cluster| cluster.configurations.values());
        for source in configurations.filter_map(Source::of) {
            let url = source.url().to_owned();
            let question = match source {
                Source::GitRepository(spec) => Question::Git(Git::of(spec)),
                // Registries answer there, mostly with 401 (the distribution specification).
                Source::OciRepository(_) => {
                    let host = url.trim_start_matches("oci://").split('/').next().unwrap_or_default();
                    Question::Anything(format!("https://{host}/v2/"))
                }
                Source::Bucket(_) | Source::AzureBlob(_) => Question::Anything(url.clone()),
            };
            questions.entry(url).or_default().insert(question);
        }
        questions
    }

    async fn look_at(&self, url: &str, question: &Question) -> Check {
        match question {
            Question::Anything(address) => judge_anything(&self.ask(address).await),
            Question::Git(git) => match Url::parse(url).map(|parsed| parsed.scheme().to_owned()).as_deref() {
                Ok("https" | "http") => {
                    judge_git(git, &self.ask(&format!("{}{DISCOVERY}", url.trim_end_matches('/'))).await)
                }
                Ok(_) | Err(_) => {
                    Check::warning(Checked::Repository, "not tried: over ssh, the cluster uses its own credentials")
                }
            },
        }
    }
}

fn judge_anything(answer: &Result<Response, TransportError>) -> Check {
    match answer {
        Ok(_) => Check::ok(Checked::Repository, "it answers; nobody signed in"),
        Err(error) => unreached(error, false),
    }
}

fn unreached(error: &TransportError, has_authority: bool) -> Check {
    let why = with_causes(error);
    match error {
        TransportError::Refused { reason, .. } => Check::warning(Checked::Repository, format!("not tried: {reason}")),
        TransportError::Untrusted { reason, .. } if has_authority => Check::warning(
            Checked::Repository,
            format!("this machine does not trust its certificate ({reason}); Flux trusts what the spec gives it"),
        ),
        TransportError::Untrusted { .. } => Check::problem(Checked::Repository, why)
            .mended_by("give Flux its authority: `httpsCACert` in the spec; and this machine: `--ca-bundle FILE`"),
        TransportError::Connect { .. } | TransportError::Broken { .. } | TransportError::TooLarge { .. } => {
            Check::problem(Checked::Repository, format!("it does not answer here: {why}"))
                .mended_by("let this machine, and the cluster, out to its host on this port")
        }
    }
}

fn judge_git(git: &Git, answer: &Result<Response, TransportError>) -> Check {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return unreached(error, git.has_authority),
    };
    let problem = |why: &str, mend: &str| Check::problem(Checked::Repository, why).mended_by(mend);
    match response.status() {
        StatusCode::OK => judge_advertisement(git, response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND if git.has_credentials => Check::ok(
            Checked::Repository,
            "the server answers, and wants credentials; those of the cluster are not tried",
        ),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => problem(
            "the server wants credentials, and the spec gives Flux none",
            "give `httpsUser` and `httpsKey`, or `localAuthRef`, or make the repository public",
        ),
        StatusCode::NOT_FOUND => {
            problem("the server knows no such repository, or hides it", "correct the `url`, or give Flux credentials")
        }
        status if status.is_redirection() => {
            let to = header(response.headers(), "location").map(|to| without_url_secrets(to).replace(DISCOVERY, ""));
            Check::warning(Checked::Repository, format!("it has moved to {}", to.as_deref().unwrap_or("another place")))
                .mended_by("write the new address as `url`")
        }
        status => Check::warning(Checked::Repository, format!("the server answers with {status}")),
    }
}

fn judge_advertisement(git: &Git, response: &Response) -> Check {
    let is_git = header(response.headers(), "content-type").is_some_and(|kind| kind.starts_with(ADVERTISEMENT));
    let Some(names) = references(response.body()).filter(|_| is_git) else {
        return Check::problem(Checked::Repository, "what answers there is not a git repository")
            .mended_by("correct the `url`; a page to look at is not one to clone");
    };
    match &git.reference {
        Some(wanted) if !names.contains(wanted) => {
            let (kind, name) = wanted.trim_start_matches("refs/").split_once('/').unwrap_or(("", wanted));
            let word = if kind == "tags" { "tag" } else { "branch" };
            let start = format!("refs/{kind}/");
            let others: Vec<&str> = names
                .iter()
                .filter_map(|other| other.strip_prefix(&start))
                .filter(|other| !other.ends_with("^{}"))
                .take(5)
                .collect();
            let mend = match others.as_slice() {
                [] => format!("push it first; there is no {word} yet"),
                others => format!("push it first, or name another, such as {}", others.join(", ")),
            };
            Check::problem(Checked::Repository, format!("it answers, and has no {word} {name}")).mended_by(mend)
        }
        Some(wanted) => Check::ok(Checked::Repository, format!("it answers, and has {wanted}")),
        None => Check::ok(Checked::Repository, "it answers"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::plan::Standing;

    fn answer(status: u16, body: &str) -> Result<Response, TransportError> {
        let response = ::http::Response::builder().status(status).header("content-type", ADVERTISEMENT);
        Ok(response.body(Bytes::from(body.to_owned())).unwrap())
    }

    #[test]
    fn what_a_git_server_answers_is_judged_by_what_flux_has() {
        let heads = "003d5f0c1d2e3b4a59687766554433221100ffeeddcc refs/heads/main\n0000";
        let public =
            Git { reference: Some("refs/heads/main".to_owned()), has_credentials: false, has_authority: false };
        let private = Git { has_credentials: true, ..public.clone() };
        let other = Git { reference: Some("refs/heads/prod".to_owned()), ..public.clone() };
        let rows = [
            (&public, 200, heads, Standing::Ok),
            (&other, 200, heads, Standing::Problem),
            (&public, 200, "<html>", Standing::Problem),
            (&public, 401, "", Standing::Problem),
            (&private, 401, "", Standing::Ok),
            (&public, 404, "", Standing::Problem),
            (&private, 404, "", Standing::Ok),
            (&public, 301, "", Standing::Warning),
            (&public, 503, "", Standing::Warning),
        ];
        for (git, status, body, standing) in rows {
            let check = judge_git(git, &answer(status, body));
            assert_eq!(check.standing, standing, "{status} {body}: {check:?}");
            assert!(check.standing != Standing::Problem || check.mend.is_some(), "{check:?}");
        }
        assert_eq!(
            judge_git(&other, &answer(200, heads)).mend.unwrap(),
            "push it first, or name another, such as main"
        );
    }
}
