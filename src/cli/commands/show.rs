//! `arcflux show`

use crate::cli::args::ShowArgs;
use crate::cli::error::CliError;
use crate::cli::moment::tell_ages;
use crate::cli::{Exit, Session, plan_file};
use crate::view;

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
    session.console.print(&view::plan::render(&plan, args.format.into(), &session.console.out));
    Ok(Exit::Ok)
}
