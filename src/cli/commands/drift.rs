//! `arcflux drift`: what was changed outside of arcflux, for schedules.

use crate::cli::args::DriftArgs;
use crate::cli::error::CliError;
use crate::cli::planning::{self, Request};
use crate::cli::spec_file::Intent;
use crate::cli::{Exit, Session, block_on_reads, spec_file};
use crate::plan::{Choices, DriftReport, Mode};
use crate::view;

pub(in crate::cli) fn run(args: &DriftArgs, session: &Session) -> Result<Exit, CliError> {
    let declared = match &args.base {
        None => spec_file::load(&args.spec, &session.environment)?.require_desired(session)?,
        Some(base) => spec_file::load_base(base, &args.spec, session)?,
    };
    let request = Request {
        mode: Mode::Apply,
        choices: Choices { only: args.only.clone(), ..Choices::default() },
        cloud: &args.cloud,
        secrets: None,
        cluster: &args.cluster,
    };
    let (plan, _) =
        block_on_reads(session, planning::preview(&Intent::new(declared, None)?, request, &args.live, session))?;
    let report = DriftReport::of(&plan);
    session.console.print(&view::drift::render(&report, args.format.into(), &session.console.out));
    Ok(if report.has_drift() { Exit::Changes } else { Exit::Ok })
}
