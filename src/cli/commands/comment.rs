//! `arcflux comment`: a saved plan, or what became of it, on its pull request.

use std::path::Path;

use crate::cli::args::CommentArgs;
use crate::cli::error::CliError;
use crate::cli::pull_request::{Check, News, Site};
use crate::cli::{Exit, Session, block_on, json_file, out_file, plan_file};
use crate::model::understands;
use crate::plan::{Plan, REPORT_VERSION, RunReport};
use crate::view::{markdown, outputs};

pub(in crate::cli) fn run(args: &CommentArgs, session: &Session) -> Result<Exit, CliError> {
    let inputs = [
        ("the saved plan", Some(args.plan.as_path())),
        ("the report", args.outcome.as_deref()),
        ("the certificate authorities", args.ca_bundle.as_deref()),
    ];
    out_file::check_all_apart(&args.pull_request.written(), &inputs)?;
    let plan = plan_file::load(&args.plan)?;
    if plan.digest != plan.computed_digest() {
        return Err(CliError::refused(format!(
            "{} does not have the digest that it claims: it was edited",
            args.plan.display()
        )));
    }
    let report = args.outcome.as_deref().map(|path| load_report(path, &plan)).transpose()?;
    let mut site = Site::find(&args.pull_request, args.ca_bundle.as_deref(), session)?;
    block_on(async {
        site.look(report.is_some()).await;
        let context = site.context(plan.timestamp);
        match report {
            None => {
                let comment = markdown::plan(&plan, &context);
                site.tell(&of_plan(&plan, &comment)).await
            }
            Some(report) => {
                let comment = match &report.error {
                    Some(error) => markdown::not_applied(&plan, error, &context),
                    None => markdown::outcome(&plan, &report.result, &context),
                };
                let create = plan.differs() || report.error.is_some() || !report.result.converged();
                let outputs = outputs::of_plan(&plan);
                let news = News { comment: &comment, create, of_commit: false, check: None, outputs };
                site.tell(&news).await
            }
        }
    })?;
    Ok(Exit::Ok)
}

/// What a plan says on its pull request.
pub(in crate::cli) fn of_plan<'a>(plan: &Plan, comment: &'a str) -> News<'a> {
    News {
        comment,
        create: plan.differs() || !plan.refusals.is_empty(),
        of_commit: true,
        check: Some(Check::of(plan)),
        outputs: outputs::of_plan(plan),
    }
}

/// Reads the report of an apply of this plan.
fn load_report(path: &Path, plan: &Plan) -> Result<RunReport, CliError> {
    let name = path.display();
    let json = json_file::read(path, "the report of an apply")?;
    let version = json.get("format_version").and_then(serde_json::Value::as_str).unwrap_or_default();
    if !understands(REPORT_VERSION, version) {
        return Err(CliError::refused(format!(
            "{name} has the report format `{version}`, and this arcflux understands {REPORT_VERSION}"
        ))
        .hint("comment with the arcflux that applied"));
    }
    let report: RunReport = serde_json::from_value(json)
        .map_err(|error| CliError::because(format!("{name} is not the report of an apply"), &error))?;
    // Where nothing could be planned, nothing was done to any plan.
    if let Some(made) = report.plan.as_ref().filter(|made| !made.is_of(plan)) {
        return Err(CliError::refused(format!(
            "{name} is the report of another plan: {}, and the plan is {}; nothing was told",
            made.meant(),
            plan.digest
        ))
        .hint("name the plan that was applied, or the report that `apply --report` wrote of this one"));
    }
    Ok(report)
}
