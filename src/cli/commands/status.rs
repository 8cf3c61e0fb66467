//! `arcflux status`

use crate::cli::args::StatusArgs;
use crate::cli::error::CliError;
use crate::cli::moment::tell_ages;
use crate::cli::{Exit, Session, block_on_reads, planning, spec_file};
use crate::plan::{self, StatusReport};
use crate::view;

pub(in crate::cli) fn run(args: &StatusArgs, session: &Session) -> Result<Exit, CliError> {
    let (desired, graph) = spec_file::require(&args.spec, session)?;
    let (_, found) = block_on_reads(session, planning::read(&desired, &graph, &args.cloud, None, session))?;
    tell_ages(&plan::ages(&found.graph, &found.live), session);
    let report = StatusReport::of(&found.graph, &found.live);
    session.console.print(&view::status::render(&report, args.format.into(), &session.console.out));
    Ok(if report.is_compliant() { Exit::Ok } else { Exit::Incomplete })
}
