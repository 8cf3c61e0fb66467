//! `arcflux doctor`

use crate::cli::arg_values::TextOrJson;
use crate::cli::args::DoctorArgs;
use crate::cli::error::CliError;
use crate::cli::{Exit, Session, block_on_reads, diagnosis, spec_file};
use crate::view::checkup;

pub(in crate::cli) fn run(args: &DoctorArgs, session: &Session) -> Result<Exit, CliError> {
    let (desired, graph) = spec_file::require(&args.spec, session)?;
    let found = block_on_reads(session, async {
        let doctor = diagnosis::doctor(args, &desired, &graph, session).await?;
        Ok(doctor.run().await)
    })?;
    session.console.print(&match args.format {
        TextOrJson::Text => checkup::render_text(&found, &session.console.out),
        TextOrJson::Json => checkup::render_json(&found),
    });
    Ok(if found.ok { Exit::Ok } else { Exit::Error })
}
