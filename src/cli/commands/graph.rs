//! `arcflux graph`

use crate::cli::arg_values::GraphFormatName;
use crate::cli::args::GraphArgs;
use crate::cli::error::CliError;
use crate::cli::{Exit, Session, spec_file};
use crate::view;

pub(in crate::cli) fn run(args: &GraphArgs, session: &Session) -> Result<Exit, CliError> {
    let (_, graph) = spec_file::require(&args.spec, session)?;
    let format = match args.format {
        GraphFormatName::Text => view::graph::GraphFormat::Text,
        GraphFormatName::Dot => view::graph::GraphFormat::Dot,
        GraphFormatName::Mermaid => view::graph::GraphFormat::Mermaid,
    };
    session.console.print(&view::graph::render(&graph, format));
    Ok(Exit::Ok)
}
