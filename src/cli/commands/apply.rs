//! `arcflux apply`: with a spec it plans, shows and asks; with a saved plan it makes that plan again, and refuses unless
//! the result is the same or a remainder of it.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::apply::{self, ClusterAccess, SecretResolver, Secrets, Settings, Timeouts};
use crate::bundle::Bundle;
use crate::cli::arg_values::TextOrJson;
use crate::cli::args::{ApplyArgs, ClusterArgs, RunArgs, SecretArgs};
use crate::cli::error::CliError;
use crate::cli::interrupt::Stop;
use crate::cli::planning::{self, Planned, Request};
use crate::cli::progress::Progress;
use crate::cli::reach::{self, Reach};
use crate::cli::reviewed::{self, Review};
use crate::cli::run_report::{Carried, Run};
use crate::cli::secret_files::{Placeholders, Real};
use crate::cli::spec_file::Intent;
use crate::cli::{Exit, Session, block_on, bundle_file, json_file, plan_file, spec_file};
use crate::diff::compare;
use crate::http::SystemClock;
use crate::model::Digest;
use crate::plan::{self, Choices, ExpectedRevision, Mode, Plan, WaitFor};
use crate::view;

pub(in crate::cli) fn run(args: &ApplyArgs, session: &Session) -> Result<Exit, CliError> {
    if let Some(option) = args.forge.first_given().filter(|_| !args.reviewed) {
        return Err(CliError::usage(format!(
            "{option} says where a review is looked for: it is given with --reviewed"
        )));
    }
    let inputs = [
        ("the spec", Some(args.spec.input()).filter(|_| args.plan.is_none() || args.spec.is_named())),
        ("the base", args.base.input()),
        ("the saved plan", args.plan.as_deref()),
    ];
    let mut run = Run::begin(&args.run, &[&inputs[..], &args.cloud.inputs()].concat())?;
    let outcome = review(args, session).and_then(|review| match &args.plan {
        None => from_spec(args, review.as_ref(), session, &mut run),
        Some(path) => from_saved(path, args, review.as_ref(), session, &mut run),
    });
    run.close(outcome, &args.run, session)
}

/// Where a review is looked for, if one is needed.
fn review(args: &ApplyArgs, session: &Session) -> Result<Option<Review>, CliError> {
    let sought = || Review::sought(&args.forge, args.cloud.ca_bundle.as_deref(), session);
    args.reviewed.then(sought).transpose()
}

fn choices(args: &ApplyArgs) -> Choices {
    Choices { resend_secrets: args.resend_secrets, ..Choices::from(&args.choices) }
}

fn from_spec(args: &ApplyArgs, review: Option<&Review>, session: &Session, run: &mut Run) -> Result<Carried, CliError> {
    let intent = spec_file::require_since(&args.spec, &args.base, session)?;
    let request = Request {
        mode: Mode::Apply,
        choices: choices(args),
        cloud: &args.cloud,
        secrets: Some(&args.secrets),
        cluster: &args.cluster,
    };
    block_on(async {
        let stop = Stop::listen(session.console.clone());
        let planning = async {
            let mut planned = planning::plan(&intent, request, session).await?;
            run.has_planned(&planned.plan, args.run.expect.as_ref(), planned.connection.arm.usage());
            if let Some(review) = review {
                show_expected(&planned.plan, &args.run, &args.cluster, session)?;
                require_review(&planned.plan, &planned.plan.digest, review, session).await?;
            } else {
                show_and_ask(&planned.plan, &args.run, &args.cluster, session).await?;
            }
            expect(&mut planned.plan, &intent, &args.expect_revision)?;
            Ok(planned)
        };
        let planned = stop.before_an_apply(planning).await?;
        carry_out(&planned, Some(&args.secrets), &args.run, &args.cluster, session, &stop).await
    })
}

fn from_saved(
    path: &Path,
    args: &ApplyArgs,
    review: Option<&Review>,
    session: &Session,
    run: &mut Run,
) -> Result<Carried, CliError> {
    if args.base.base.is_some() {
        return Err(CliError::usage("a saved plan holds its base: --base is given when it is made"));
    }
    if choices(args) != Choices::default() {
        return Err(CliError::usage(
            "a saved plan holds its decisions: --only, --wait, --workloads, --allow-replace, --offline, --resend-secrets, \
             --force-delete, --max-delete and --max-update are given when it is made",
        ));
    }
    let name = path.display().to_string();
    let saved = expected(path, args.run.expect.as_ref())?;
    let desired = spec_file::load_saved(&name, &saved.spec).require_desired(session)?;
    let base =
        saved.base.as_ref().map(|base| spec_file::load_saved(&name, base).require_desired(session)).transpose()?;
    let intent = Intent::new(desired, base)?;
    if args.spec.is_named() {
        let given = spec_file::load(&args.spec, &session.environment)?.require_desired(session)?;
        check_spec(&name, args.spec.file(), &saved, &given.expanded)?;
    }
    let request = Request {
        mode: saved.mode,
        choices: saved.choices.clone(),
        cloud: &args.cloud,
        secrets: Some(&args.secrets),
        cluster: &args.cluster,
    };
    block_on(async {
        let stop = Stop::listen(session.console.clone());
        let planning = async {
            let mut planned = planning::plan(&intent, request, session).await?;
            run.has_planned(&planned.plan, Some(&saved.digest), planned.connection.arm.usage());
            check_same(&name, &saved, &planned, &intent)?;
            show_refusals(&planned.plan, &args.run, &args.cluster, session)?;
            check_allowed(&name, &saved)?;
            if let Some(review) = review {
                // A remainder of what was reviewed was reviewed.
                require_review(&planned.plan, &saved.digest, review, session).await?;
            }
            expect(&mut planned.plan, &intent, &args.expect_revision)?;
            Ok(planned)
        };
        let planned = stop.before_an_apply(planning).await?;
        carry_out(&planned, Some(&args.secrets), &args.run, &args.cluster, session, &stop).await
    })
}

/// The plan in a file: a saved plan, or the one of a bundle, which has to be the expected one.
fn expected(path: &Path, expected: Option<&Digest>) -> Result<Plan, CliError> {
    let name = path.display();
    let json = json_file::read(path, "a saved plan")?;
    if Bundle::is_claimed_by(&json) {
        return bundle_file::expected(path, json, expected);
    }
    let saved = plan_file::of_json(path, json)?;
    if saved.digest != saved.computed_digest() {
        return Err(CliError::refused(format!("{name} does not have the digest that it claims: it was edited")));
    }
    match expected.filter(|expected| **expected != saved.digest) {
        None => Ok(saved),
        Some(expected) => Err(CliError::refused(format!("{name} has the digest {}, not {expected}", saved.digest))),
    }
}

/// Adds the revisions that must be the synced ones to what is waited for.
fn expect(plan: &mut Plan, intent: &Intent, revisions: &[ExpectedRevision]) -> Result<(), CliError> {
    if !revisions.is_empty() && plan.choices.wait != WaitFor::Compliant {
        return Err(CliError::usage("--expect-revision waits for Flux, and --wait says not to"));
    }
    match plan::expect_revisions(plan, &intent.graph, revisions).first() {
        None => Ok(()),
        Some(unused) => Err(CliError::usage(format!("`--expect-revision {unused}` fits no configuration of the plan"))),
    }
}

/// Whether nothing refused the plan when it was made. What has made it allowed since, be it the base or the spec that it
/// holds, nobody has reviewed.
fn check_allowed(name: &str, saved: &Plan) -> Result<(), CliError> {
    let refusals: Vec<String> =
        saved.refusals.iter().filter(|refusal| refusal.binds()).map(|refusal| refusal.message.clone()).collect();
    if refusals.is_empty() {
        return Ok(());
    }
    Err(CliError::refused(format!("{name} was refused when it was made; nothing was written"))
        .details(refusals)
        .hint("plan again, and look at what is planned now"))
}

/// Whether the plan was made from the spec that is named beside it.
fn check_spec(name: &str, file: &str, saved: &Plan, given: &Value) -> Result<(), CliError> {
    let differences = compare(&saved.spec, given);
    if differences.is_empty() {
        return Ok(());
    }
    let text = |spec: &Value, key: &str| spec.get(key).and_then(Value::as_str).map(str::to_owned);
    for (key, what) in [("tenant", "the tenant"), ("subscription", "the subscription")] {
        if let (Some(planned), Some(given)) = (text(&saved.spec, key), text(given, key))
            && !planned.eq_ignore_ascii_case(&given)
        {
            return Err(CliError::refused(format!("{name} is for {what} {planned}, and {file} for {given}")));
        }
    }
    // Values may be long, and of a setting secret: their names say enough.
    let mut details: Vec<String> = differences.iter().map(|difference| difference.path.to_string()).take(10).collect();
    if differences.len() > details.len() {
        details.push(format!("and {} more", differences.len() - details.len()));
    }
    Err(CliError::refused(format!("{name} was made from another spec than {file}; nothing was written"))
        .details(details)
        .hint("plan again from this spec, or leave `-f` out to apply what was planned"))
}

/// Whether the plan, made again, is the saved one or a remainder of it.
fn check_same(name: &str, saved: &Plan, planned: &Planned, intent: &Intent) -> Result<(), CliError> {
    let fresh = &planned.plan;
    if saved.origin != fresh.origin {
        return Err(CliError::refused(format!("{name} is for {}, not for {}", saved.origin, fresh.origin)));
    }
    if let (Some(then), Some(now)) = (&saved.tenant, &fresh.tenant)
        && !then.eq_ignore_ascii_case(now)
    {
        return Err(CliError::refused(format!("{name} is for the tenant {then}, and you are signed in to {now}"))
            .hint(format!("sign in to the other tenant: `az login --tenant {then}`")));
    }
    let deviations = planned.deviations_from(saved, intent);
    if deviations.is_empty() {
        return Ok(());
    }
    let details = deviations.iter().map(|deviation| format!("{}: {}", deviation.address, deviation.message)).collect();
    Err(CliError::refused(format!("{name} is not what would be done now; nothing was written"))
        .details(details)
        .hint("plan again, and look at what is different"))
}

/// Goes on only when the plan with this digest was reviewed. What only waits needs no review.
async fn require_review(plan: &Plan, digest: &Digest, review: &Review, session: &Session) -> Result<(), CliError> {
    if !plan.has_changes() {
        return Ok(());
    }
    reviewed::require(digest, review, session).await
}

/// Shows a plan, and goes on only when it is the expected one and nothing forbids it.
fn show_expected(plan: &Plan, args: &RunArgs, cluster: &ClusterArgs, session: &Session) -> Result<(), CliError> {
    if let Some(expected) = args.expect.as_ref().filter(|expected| **expected != plan.digest) {
        return Err(CliError::refused(format!("this plan has the digest {}, not {expected}", plan.digest))
            .hint("the spec or the live state is not what was reviewed: plan again, and look at what is different"));
    }
    show_refusals(plan, args, cluster, session)
}

/// Shows a plan, and goes on only when it is the expected one, nothing forbids it and somebody agrees. What only waits
/// needs no agreement.
pub(in crate::cli) async fn show_and_ask(
    plan: &Plan,
    args: &RunArgs,
    cluster: &ClusterArgs,
    session: &Session,
) -> Result<(), CliError> {
    show_expected(plan, args, cluster, session)?;
    if !plan.has_changes() || args.auto_approve {
        return Ok(());
    }
    if !session.console.can_ask() {
        let plan = match plan.mode {
            Mode::Apply => "arcflux plan",
            Mode::Destroy => "arcflux plan --destroy",
        };
        return Err(CliError::refused("there is no terminal to ask on; nothing was written").hint(format!(
            "give `--auto-approve`, or apply a saved plan: `{plan} --out plan.json`, then `arcflux apply plan.json`, each \
             with the options given here"
        )));
    }
    let question = match plan.mode {
        Mode::Apply => "Do you want to perform these actions?",
        Mode::Destroy => "Do you really want to destroy these resources?",
    };
    if session.console.ask(question).await {
        return Ok(());
    }
    Err(CliError::new("cancelled; nothing was written"))
}

fn show_refusals(plan: &Plan, args: &RunArgs, cluster: &ClusterArgs, session: &Session) -> Result<(), CliError> {
    let shown = view::plan::render(plan, view::Format::Text, &session.console.out);
    match args.format {
        TextOrJson::Text => session.console.print(&shown),
        // Standard output holds events only.
        TextOrJson::Json => session.console.tell(shown.trim_end()),
    }
    if plan.refusals.is_empty() {
        return reach::require(plan, cluster);
    }
    Err(CliError::refused("the plan is refused, for the reasons above; nothing was written"))
}

/// Carries out a plan that was agreed to.
pub(in crate::cli) async fn carry_out(
    planned: &Planned,
    secret_args: Option<&SecretArgs>,
    args: &RunArgs,
    cluster: &ClusterArgs,
    session: &Session,
    stop: &Stop,
) -> Result<Carried, CliError> {
    let plan = &planned.plan;
    let arm = &planned.connection.arm;
    let secrets = read_secrets(planned, secret_args, session)?;
    let resources = plan.resource_changes.iter().map(|change| u64::from(!change.steps.is_empty())).sum();
    let reach = Reach::open(cluster, &planned.connection, &session.environment)?;
    let access = reach.as_ref().map(|reach| ClusterAccess {
        kubernetes: &*reach.kubernetes,
        keys: &reach.keys,
        charts: &*reach.charts,
    });
    let progress = Arc::new(Progress::new(args.format, resources, session.console.clone()));
    stop.begins(&progress);
    let settings = Settings {
        parallelism: args.parallelism.map(usize::from),
        timeouts: Timeouts { all: args.timeout },
        secrets: &secrets,
        events: &|event| {
            stop.in_flight.follow(&event);
            progress.show(&event);
        },
        interrupt: &stop.interrupt,
        clusters: access.as_ref(),
    };
    let started_at = arm.now();
    let report = tokio::select! {
        report = apply::run(plan, arm, &settings) => report,
        never = progress.beat(&SystemClock, arm) => match never {},
    };
    progress.finish();
    Ok(Carried { report, started_at, ended_at: arm.now(), had_work: plan.waits() })
}

fn read_secrets(planned: &Planned, args: Option<&SecretArgs>, session: &Session) -> Result<Secrets, CliError> {
    let real = Real { environment: &session.environment, directory: args.and_then(|args| args.secrets_dir.clone()) };
    let resolver: &dyn SecretResolver = if planned.connection.is_simulated { &Placeholders } else { &real };
    let secrets = Secrets::read(&planned.plan, resolver, planned.as_of).map_err(|errors| {
        CliError::refused("not every secret of the plan can be used; nothing was written")
            .details(errors.iter().map(ToString::to_string).collect())
    })?;
    for warning in secrets.warnings() {
        session.console.tell(&format!("warning: {warning}"));
    }
    Ok(secrets)
}
