//! `arcflux status`

use crate::cli::args::{StatusArgs, TextOrJson};
use crate::cli::error::{CliError, chain};
use crate::cli::{Exit, Session, block_on, connect, spec_file};
use crate::fetch;
use crate::plan::StatusReport;
use crate::view;

pub(in crate::cli) fn run(args: &StatusArgs, session: &Session) -> Result<Exit, CliError> {
    let (desired, graph) = spec_file::require(&args.spec, session)?;
    let live = block_on(async {
        let connection = connect::connect(&args.cloud, &desired, &graph, session)?;
        connection.check_identity(desired.tenant.as_deref()).await?;
        fetch::live_state(&graph.reads(), &connection.arm)
            .await
            .map_err(|errors| CliError::several(errors.iter().map(|error| chain(error)).collect()))
    })?;
    let report = StatusReport::of(&graph, &live);
    let format = match args.format {
        TextOrJson::Text => view::Format::Text,
        TextOrJson::Json => view::Format::Json,
    };
    session.console.print(&view::status::render(&report, format, &session.console.out));
    Ok(if report.is_compliant() { Exit::Ok } else { Exit::Incomplete })
}
