//! A plan, and what became of it, on its pull request: from arguments and environment to the forge.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::arg_values::ForgeName;
use super::args::{ForgeArgs, PullRequestArgs};
use super::ci::{self, Job};
use super::error::{CliError, chain};
use super::{Environment, Session, connect, job_files};
use crate::http::SystemClock;
use crate::model::{Digest, Target, one_line};
use crate::plan::Plan;
use crate::review::{
    self, ForgeClient, ForgeError, ForgeKind, Posted, PullRequest, SetupError, Status, Verdict, Wanted, Write,
    comment_digest, put_comment,
};
use crate::view::markdown::{self, Budget, Context};
use crate::view::outputs::Output;

/// A pull request on a forge, as far as arguments and environment tell.
pub(super) struct Found {
    pub(super) job: Job,
    /// What the plan is for.
    pub(super) target: Target,
    /// The number of the pull request.
    pub(super) number: Option<u64>,
    /// The forge, or why it cannot be asked.
    pub(super) forge: Result<ForgeClient, String>,
}

impl Found {
    /// Finds it. Nothing is sent.
    pub(super) fn by(args: &ForgeArgs, ca_bundle: Option<&Path>, session: &Session) -> Result<Self, CliError> {
        let environment = &session.environment;
        let event = event(environment);
        let mut job = Job::of(environment, event.as_ref());
        let named = args.forge.map(ForgeName::into);
        if named.is_some() && named != job.forge {
            // What the job says is about another forge.
            job = Job { forge: named, api: None, repository: None, pull_request: None, ..job };
        }
        let forge = match job.forge {
            Some(kind) => connect_to(kind, args, &job, ca_bundle, session)?,
            None if job.service.is_some() => {
                Err("the repository is on none of the forges that arcflux knows".to_owned())
            }
            None => {
                return Err(CliError::usage(
                    "this is no CI job that arcflux knows, so it cannot tell which forge is meant",
                )
                .hint("say where: `--forge github --repository OWNER/NAME --pull-request N`"));
            }
        };
        let number = args.pull_request.or(job.pull_request);
        let (target, forge) = match target(args, environment) {
            Ok(target) => (target, forge),
            // Another comment than the one that is meant must not be written into.
            Err(why) => (Target::default(), Err(why)),
        };
        Ok(Self { job, target, number, forge })
    }
}

/// What the plan is for, or what is wrong with what the environment says of it.
pub(super) fn target(args: &ForgeArgs, environment: &Environment) -> Result<Target, String> {
    let named = environment.get("ARCFLUX_TARGET").filter(|name| !name.is_empty());
    match (&args.target, named) {
        (Some(target), _) => Ok(target.clone()),
        (None, Some(name)) => name.parse().map_err(|error| format!("ARCFLUX_TARGET cannot be used: {error}")),
        (None, None) => Ok(Target::default()),
    }
}

/// The name of the check that carries the digest of a plan for `target`.
pub(super) fn check_name(target: &Target) -> String {
    format!("arcflux/plan ({target})")
}

/// What a plan says beside itself where it is told nobody: what it is for, and which commit the job is about. Not which run
/// it is, nor when: the same plan is the same text.
pub(super) fn context_of_job(target: &Target, environment: &Environment) -> Context {
    let job = Job::of(environment, event(environment).as_ref());
    let commit = |text: Option<String>| text.and_then(|text| text.parse().ok());
    Context { target: target.clone(), commit: commit(job.commit), base: commit(job.base), ..Context::default() }
}

/// Where a plan is told.
pub(super) struct Site<'a> {
    args: &'a PullRequestArgs,
    session: &'a Session,
    job: Job,
    target: Target,
    /// The forge, or why nothing can be told there.
    forge: Result<ForgeClient, String>,
    /// The number of the pull request, and what it is now.
    number: Option<u64>,
    pull_request: Option<PullRequest>,
    /// What went wrong while it was looked for.
    trouble: Option<ForgeError>,
}

/// What is told.
pub(super) struct News<'a> {
    /// The comment.
    pub(super) comment: &'a str,
    /// Whether it is made where there is none.
    pub(super) create: bool,
    /// Whether it is about the commit of the job, and out of date once the pull request has a newer one.
    pub(super) of_commit: bool,
    /// The check: what it comes to, and the digest.
    pub(super) check: Option<Check>,
    /// What later jobs may want to know.
    pub(super) outputs: Vec<Output>,
}

/// A check on the commit.
pub(super) struct Check {
    pub(super) verdict: Verdict,
    pub(super) title: String,
    pub(super) digest: Option<String>,
}

impl Check {
    /// What a plan comes to.
    pub(super) fn of(plan: &Plan) -> Self {
        let counts = plan.counts();
        let (verdict, title) = if let Some(first) = plan.refusals.first() {
            let more = match plan.refusals.len() {
                1 => String::new(),
                all => format!(" and {} more", all - 1),
            };
            (Verdict::Failed, format!("Refused by a safety rule: {}{more}", first.code))
        } else if !plan.differs() {
            (Verdict::NoChanges, "No changes".to_owned())
        } else {
            let replace = if counts.replace > 0 { format!(", {} to replace", counts.replace) } else { String::new() };
            let title =
                format!("{} to add, {} to change, {} to destroy{replace}", counts.create, counts.update, counts.delete);
            if plan.is_destructive() {
                (Verdict::Destructive, format!("Destructive: {title}"))
            } else {
                (Verdict::Changes, title)
            }
        };
        Self { verdict, title, digest: Some(plan.digest.to_string()) }
    }

    /// There is no plan.
    pub(super) fn failed(error: &CliError) -> Self {
        let why = error.messages.first().map(String::as_str).unwrap_or_default();
        let title = one_line(&format!("No plan: {why}")).chars().take(200).collect();
        Self { verdict: Verdict::Failed, title, digest: None }
    }
}

impl<'a> Site<'a> {
    /// Finds out where to tell. Nothing is sent yet.
    pub(super) fn find(
        args: &'a PullRequestArgs,
        ca_bundle: Option<&Path>,
        session: &'a Session,
    ) -> Result<Self, CliError> {
        let Found { job, target, number, forge } = Found::by(&args.forge, ca_bundle, session)?;
        Ok(Self { args, session, number, target, job, forge, pull_request: None, trouble: None })
    }

    /// Takes no longer than this for everything that is told to the forge.
    pub(super) fn within(self, within: Duration) -> Self {
        Self { forge: self.forge.map(|client| client.within(within)), ..self }
    }

    /// Reads the pull request; with `by_commit` the one that brought the commit, where none is named.
    pub(super) async fn look(&mut self, by_commit: bool) {
        let Ok(client) = &self.forge else { return };
        if let (None, true, Some(commit)) = (self.number, by_commit, &self.job.commit) {
            match client.pull_request_of(commit).await {
                Ok(number) => self.number = number,
                Err(error) => self.trouble = Some(error),
            }
        }
        let Some(number) = self.number else { return };
        match client.pull_request(number).await {
            Ok(found) => self.pull_request = Some(found),
            Err(error) => self.trouble = Some(error),
        }
    }

    /// What the comment says beside the plan.
    pub(super) fn context(&self, live_read_at: Option<Timestamp>) -> Context {
        let found = self.pull_request.as_ref();
        let base = found.and_then(|found| found.base.clone()).or_else(|| self.job.base.clone());
        Context {
            target: self.target.clone(),
            commit: self.commit().and_then(|commit| commit.parse().ok()),
            base: base.and_then(|base| base.parse().ok()),
            run_url: self.job.run_url.as_ref().and_then(|url| url.parse().ok()),
            artifact_url: self.args.artifact_url.clone(),
            live_read_at,
            apply_command: self.args.apply_command.clone(),
            budget: Budget::default(),
        }
    }

    /// The commit that is planned: the job's, else the newest of the pull request. After a merge the job is about what came
    /// of it, and the plan was made, and approved, on what was merged.
    fn commit(&self) -> Option<&str> {
        match &self.pull_request {
            Some(PullRequest { head, is_open: false, .. }) => Some(head),
            found => self.job.commit.as_deref().or(found.as_ref().map(|found| found.head.as_str())),
        }
    }

    /// Tells it. What the token may not do is no error: it is said on standard error, once.
    pub(super) async fn tell(mut self, news: &News<'_>) -> Result<(), CliError> {
        let trouble = self.trouble.take();
        let Self { args, session, job, .. } = &self;
        let kept = job_files::write_summary(news.comment, &self.target, job, args.summary.as_deref(), session);
        let mut errors: Vec<String> = Vec::new();
        let is_kept = kept.unwrap_or_else(|error| {
            errors.extend(error.messages);
            false
        });
        if let Err(error) = job_files::write_outputs(&news.outputs, job, args.outputs.as_deref(), session) {
            errors.extend(error.messages);
        }
        let mut refusals: Vec<String> = Vec::new();
        let mut hints: Vec<String> = Vec::new();
        match &self.forge {
            Err(why) => refusals.push(why.clone()),
            Ok(client) => {
                let (unread, comment) = match trouble {
                    // Whether there is a pull request is not known.
                    Some(error) if self.number.is_none() => (Ok(()), Err(error)),
                    trouble => (trouble.map_or(Ok(()), Err), self.put(client, news).await),
                };
                let (shown, comment) = match comment {
                    Ok(shown) => (shown, Ok(())),
                    Err(error) => (None, Err(error)),
                };
                let check = self.set_check(client, news, shown).await;
                let (for_comments, for_checks) = (client.kind().permissions(), client.kind().check_permissions());
                for (what, takes, outcome) in [
                    ("the pull request was not read", for_comments, unread),
                    ("the comment was not written", for_comments, comment),
                    ("the check was not set", for_checks, check),
                ] {
                    match outcome {
                        Ok(()) => {}
                        Err(error) if may_not(&error) => {
                            refusals.push(format!(
                                "{what}: {error}; it takes {takes}, and the token of a fork can only read"
                            ));
                        }
                        Err(error) => {
                            hints.push(self.what_to_do(client.kind(), &error));
                            errors.push(format!("{what}: {}", chain(&error)));
                        }
                    }
                }
            }
        }
        if !refusals.is_empty() {
            let kept = if is_kept { "; the summary of the job does" } else { "" };
            let why = refusals.join("; and ");
            session.console.tell(&format!("warning: the pull request does not show all of it{kept}: {why}."));
        }
        if errors.is_empty() {
            return Ok(());
        }
        let error = CliError::several(errors);
        Err(match hints.into_iter().next() {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }

    /// What helps where a forge does not do what it is asked.
    fn what_to_do(&self, kind: ForgeKind, error: &ForgeError) -> String {
        if error.is_unknown_token() {
            let usual = || ci::token_variables(kind).join(" or ");
            let variable = self.args.forge.token_env.clone().unwrap_or_else(usual);
            format!("the token in {variable} is not known there: it may have expired, or be another forge's")
        } else if error.is_missing() {
            "look whether `--repository` and `--pull-request` are right, and whether the token may see them".to_owned()
        } else {
            "the plan is not affected: `arcflux comment` tells a plan that was saved with `--out`".to_owned()
        }
    }

    /// `shown` is what tells the text of the comment, where one shows the plan.
    async fn set_check(&self, client: &ForgeClient, news: &News<'_>, shown: Option<Digest>) -> Result<(), ForgeError> {
        let Some(Check { verdict, title, digest }) = &news.check else { return Ok(()) };
        let Some(sha) = self.commit() else {
            self.session.console.tell("No check: which commit was planned is not known.");
            return Ok(());
        };
        let status = Status {
            name: check_name(&self.target),
            sha: sha.to_owned(),
            verdict: *verdict,
            title: title.clone(),
            digest: digest.clone(),
            comment: shown,
            url: self.job.run_url.clone(),
        };
        client.set_status(&status).await
    }

    /// Makes the comment say it, and gives what tells the text that is there then.
    async fn put(&self, client: &ForgeClient, news: &News<'_>) -> Result<Option<Digest>, ForgeError> {
        let console = &self.session.console;
        let forge = client.kind().name();
        let Some(number) = self.number else {
            console.tell("No comment: this run is for no pull request; `--pull-request N` names one.");
            return Ok(None);
        };
        if let (true, Some(commit), Some(now)) = (news.of_commit, &self.job.commit, &self.pull_request)
            && now.is_open
            && !now.head.eq_ignore_ascii_case(commit)
        {
            console.tell(&format!(
                "No comment: pull request {number} has gone on to commit {}, and this run is for {}.",
                one_line(&now.head),
                one_line(commit)
            ));
            return Ok(None);
        }
        let superseded = markdown::superseded(None, &self.context(None));
        let is_same = markdown::says_the_same;
        let wanted = Wanted { body: news.comment, superseded: &superseded, create: news.create, is_same };
        let Posted { write, text, folded, unfolded, impostors } =
            put_comment(client, number, &self.target, wanted).await?;
        console.tell(&match write {
            Write::Nothing if news.create => {
                format!("Left the comment on pull request {number} on {forge} as it is: it says that already.")
            }
            Write::Nothing => format!("There is nothing to say on pull request {number}."),
            Write::Create => format!("Commented on pull request {number} on {forge}."),
            Write::Update(_) => format!("Updated the comment on pull request {number} on {forge}."),
        });
        if folded > 0 {
            let comments = if folded == 1 { "1 older comment".to_owned() } else { format!("{folded} older comments") };
            console.tell(&format!("Folded {comments}, which this one stands for."));
        }
        for error in &unfolded {
            console.tell(&format!("warning: an older comment was not folded: {}", chain(error)));
        }
        for author in impostors {
            console.tell(&format!(
                "warning: a comment by `{}` begins like ours and is not: do not trust what it says",
                one_line(&author)
            ));
        }
        Ok(Some(text).filter(|text| !text.is_empty()).map(|text| comment_digest(&text)))
    }
}

/// Whether the token is known and what is asked for is there, but the token may not do it: that of a fork, for one.
fn may_not(error: &ForgeError) -> bool {
    error.is_denied() && !error.is_unknown_token() && !error.is_missing()
}

/// A client for the forge, or why there is none: what a job lacks, or says wrongly, is no error; a wrong command line is.
fn connect_to(
    kind: ForgeKind,
    args: &ForgeArgs,
    job: &Job,
    ca_bundle: Option<&Path>,
    session: &Session,
) -> Result<Result<ForgeClient, String>, CliError> {
    let usual = match kind {
        ForgeKind::GitHub => Some("https://api.github.com"),
        ForgeKind::GitLab => Some("https://gitlab.com/api/v4"),
        ForgeKind::AzureDevOps => None,
    };
    let api = args.api.as_deref().or(job.api.as_deref()).or(usual);
    let repository = args.repository.as_deref().or(job.repository.as_deref());
    let (api, repository) = match (api, repository) {
        (Some(api), Some(repository)) => (api, repository),
        (api, _) => {
            let option = if api.is_none() { "--api URL" } else { "--repository NAME" };
            let missing = format!("{} is meant, and not where: give `{option}`", kind.name());
            return if args.forge.is_some() { Err(CliError::usage(missing)) } else { Ok(Err(missing)) };
        }
    };
    let named = args.token_env.as_deref();
    let Some(token) = ci::token(&session.environment, kind, named) else {
        let variables = named.map_or_else(|| ci::token_variables(kind).join(" or "), str::to_owned);
        return Ok(Err(format!("there is no token in {variables}")));
    };
    let transport = Arc::new(connect::transport(ca_bundle)?);
    let client = match ForgeClient::new(transport, Arc::new(SystemClock), kind, api, repository, token) {
        Ok(client) => client,
        Err(error) => {
            let is_given = match &error {
                SetupError::Api(_) => args.api.is_some(),
                SetupError::Repository { .. } => args.repository.is_some(),
                SetupError::Token => false,
            };
            let why = chain(&error);
            return if is_given { Err(CliError::usage(why)) } else { Ok(Err(why)) };
        }
    };
    let console = session.console.clone();
    let observer: review::Observer = Arc::new(move |line: &str| console.tell(line));
    let client = client.waiting(observer.clone());
    Ok(Ok(if session.verbose { client.observer(observer) } else { client }))
}

/// What GitHub Actions says of the event that started the job.
fn event(environment: &Environment) -> Option<Value> {
    let path = environment.get("GITHUB_EVENT_PATH").filter(|path| !path.is_empty())?;
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
