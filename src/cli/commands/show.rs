//! `arcflux show`

use crate::cli::arg_values::PlanFormat;
use crate::cli::args::ShowArgs;
use crate::cli::error::CliError;
use crate::cli::moment::tell_ages;
use crate::cli::{Exit, Session, plan_file};
use crate::view;
use crate::view::markdown::{self, Context};

pub(in crate::cli) fn run(args: &ShowArgs, session: &Session) -> Result<Exit, CliError> {
    let plan = plan_file::load(&args.plan)?;
    if plan.digest != plan.computed_digest() {
        return Err(CliError::refused(format!(
            "{} does not have the digest that it claims: it was edited",
            args.plan.display()
        )));
    }
    if let Some(timestamp) = plan.timestamp {
        session.console.tell(&format!("Planned by arcflux {} at {timestamp:.0}.", plan.arcflux_version));
    }
    tell_ages(&plan.ages, session);
    session.console.print(&match args.format {
        PlanFormat::Markdown => markdown::plan(&plan, &Context { live_read_at: plan.timestamp, ..Context::default() }),
        format => view::plan::render(&plan, format.into(), &session.console.out),
    });
    Ok(Exit::Ok)
}
