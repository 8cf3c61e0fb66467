//! `arcflux show`

use crate::bundle::Bundle;
use crate::cli::arg_values::PlanFormat;
use crate::cli::args::ShowArgs;
use crate::cli::error::CliError;
use crate::cli::moment::tell_ages;
use crate::cli::{Exit, Session, bundle_file, json_file, plan_file};
use crate::plan::Plan;
use crate::view;
use crate::view::markdown::{self, Context};

pub(in crate::cli) fn run(args: &ShowArgs, session: &Session) -> Result<Exit, CliError> {
    let json = json_file::read(&args.plan, "a saved plan")?;
    if Bundle::is_claimed_by(&json) {
        let bundle = bundle_file::of_json(&args.plan, json)?;
        let Bundle { plan, requests: _, snapshot, .. } = &bundle;
        session.console.tell(&format!(
            "A bundle with the digest {}; its live state was read from {} at {:.0}.",
            bundle.digest(),
            snapshot.origin,
            snapshot.as_of
        ));
        show(plan, args, session);
        if matches!(args.format, PlanFormat::Text) {
            session.console.print(&view::bundle::requests(&bundle, &session.console.out));
        }
        return Ok(Exit::Ok);
    }
    let plan = plan_file::of_json(&args.plan, json)?;
    if plan.digest != plan.computed_digest() {
        return Err(CliError::refused(format!(
            "{} does not have the digest that it claims: it was edited",
            args.plan.display()
        )));
    }
    show(&plan, args, session);
    Ok(Exit::Ok)
}

fn show(plan: &Plan, args: &ShowArgs, session: &Session) {
    if let Some(timestamp) = plan.timestamp {
        session.console.tell(&format!("Planned by arcflux {} at {timestamp:.0}.", plan.arcflux_version));
    }
    tell_ages(&plan.ages, session);
    session.console.print(&match args.format {
        PlanFormat::Markdown => markdown::plan(plan, &Context { live_read_at: plan.timestamp, ..Context::default() }),
        format => view::plan::render(plan, format.into(), &session.console.out),
    });
}
