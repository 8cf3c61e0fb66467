//! `arcflux plan`

use std::time::Duration;

use crate::cli::arg_values::PlanFormat;
use crate::cli::args::PlanArgs;
use crate::cli::commands::comment;
use crate::cli::error::CliError;
use crate::cli::moment::Moment;
use crate::cli::planning::{self, Request};
use crate::cli::pull_request::{self, Check, News, Site};
use crate::cli::spec_file::{self, Intent};
use crate::cli::{Exit, Session, block_on, block_on_reads, out_file, plan_file, repository};
use crate::model::Target;
use crate::plan::{self, Choices, Mode, Plan, RunError, SpecSource, SpecWarning};
use crate::view::{self, markdown, sarif};

/// How long a job that has planned is held up by its pull request at most.
const TELLING: Duration = Duration::from_secs(120);

pub(in crate::cli) fn run(args: &PlanArgs, session: &Session) -> Result<Exit, CliError> {
    if args.destroy && args.base.base.is_some() {
        return Err(CliError::usage(
            "`--base` says what a change of the spec takes away, and `--destroy` takes everything",
        ));
    }
    let inputs = [
        ("the spec", Some(args.spec.input())),
        ("the base", args.base.input()),
        ("the live state", args.live.live.as_deref()),
    ];
    let inputs = [&inputs[..], &args.cloud.inputs()].concat();
    let written = [("--out", args.out.as_deref()), ("--sarif", args.sarif.as_deref())];
    out_file::check_all_apart(&[&written[..], &args.pull_request.written()].concat(), &inputs)?;
    if !args.comment {
        if let Some(option) = args.pull_request.first_given() {
            return Err(CliError::usage(format!("`{option}` goes with `--comment`, and `--comment` is not given")));
        }
        return plan(args, session, &mut String::new()).map(|(plan, _)| exit(args, &plan));
    }
    let site = Site::find(&args.pull_request, args.cloud.ca_bundle.as_deref(), session)?.within(TELLING);
    let mut problems = String::new();
    let planned = plan(args, session, &mut problems);
    if planned.as_ref().is_err_and(|error| error.exit == Exit::Usage) {
        return planned.map(|(plan, _)| exit(args, &plan));
    }
    // The plan is what this command is for: what goes wrong with the comment does not change how it ends.
    if let Err(error) = block_on(put(site, planned.as_ref(), &problems)) {
        session.console.tell_error(&error);
    }
    planned.map(|(plan, _)| exit(args, &plan))
}

/// Plans, and writes the plan to wherever it is to be written. `problems` is what is wrong with the spec.
fn plan(args: &PlanArgs, session: &Session, problems: &mut String) -> Result<(Plan, Moment), CliError> {
    let loaded = spec_file::load(&args.spec, &session.environment)?;
    let (name, found) = (loaded.name.clone(), loaded.outcome.diagnostics.clone());
    problems.push_str(&loaded.problems());
    let target = match pull_request::target(&args.pull_request.forge, &session.environment) {
        Ok(target) => target,
        Err(why) if args.format == PlanFormat::Markdown && !args.comment => return Err(CliError::usage(why)),
        // What is wrong with it is told where the plan is.
        Err(_) => Target::default(),
    };
    let in_repository = repository::name_of(&name);
    let about = sarif::About { file: &in_repository, target: &target, problems: &found };
    if let (Some(path), None) = (&args.sarif, &loaded.outcome.desired) {
        out_file::write(path, &sarif::no_plan(about))?;
    }
    let intent = loaded.require_since(&args.spec, &args.base, session)?;
    let request = Request {
        mode: if args.destroy { Mode::Destroy } else { Mode::Apply },
        choices: Choices {
            resend_secrets: args.resend_secrets,
            disconnect: args.disconnect,
            ..Choices::from(&args.choices)
        },
        cloud: &args.cloud,
        secrets: Some(&args.secrets),
        cluster: &args.cluster,
    };
    let (made, moment) = block_on_reads(session, planning::preview(&intent, request, &args.live, session))?;
    let source = SpecSource {
        file: args.spec.file().to_owned(),
        base: args.base.base.clone(),
        allow_env: args.spec.allow_env.clone(),
        warnings: SpecWarning::among(&found),
    };
    let made = Plan { spec_source: Some(source), ..made };
    if let Some(path) = &args.out {
        plan_file::save(path, &made, &moment)?;
        session.console.tell(&format!("Saved the plan to {}.", path.display()));
    }
    if let Some(path) = &args.sarif {
        let Intent { desired, base: _, graph } = &intent;
        out_file::write(path, &sarif::plan(&made, &plan::causes(&made, desired, graph), about))?;
    }
    session.console.print(&match args.format {
        PlanFormat::Markdown => markdown::plan(&made, &pull_request::context_of_job(&target, &session.environment)),
        format => view::plan::render(&made, format.into(), &session.console.out),
    });
    Ok((made, moment))
}

fn exit(args: &PlanArgs, plan: &Plan) -> Exit {
    if !plan.refusals.is_empty() {
        Exit::Refused
    } else if args.detailed_exitcode && plan.differs() {
        Exit::Changes
    } else {
        Exit::Ok
    }
}

/// Puts the plan on its pull request, or why there is none.
async fn put(mut site: Site<'_>, planned: Result<&(Plan, Moment), &CliError>, problems: &str) -> Result<(), CliError> {
    site.look(false).await;
    match planned {
        Ok((plan, moment)) => {
            let text = markdown::plan(plan, &site.context(Some(moment.as_of)));
            site.tell(&comment::of_plan(plan, &text)).await
        }
        Err(error) => {
            let text = markdown::failed(&RunError::from(error), problems, &site.context(None));
            let check = Some(Check::failed(error));
            site.tell(&News { comment: &text, create: true, of_commit: true, check, outputs: Vec::new() }).await
        }
    }
}

impl From<PlanFormat> for view::Format {
    fn from(format: PlanFormat) -> Self {
        match format {
            PlanFormat::Text => Self::Text,
            PlanFormat::Json => Self::Json,
            PlanFormat::Mermaid => Self::Mermaid,
            PlanFormat::Markdown => Self::Markdown,
            PlanFormat::Html => Self::Html,
        }
    }
}
