//! `arcflux explain`

use crate::cli::arg_values::TextOrJson;
use crate::cli::args::ExplainArgs;
use crate::cli::error::CliError;
use crate::cli::{Exit, Session, block_on_reads, planning, spec_file};
use crate::plan::{self, ExplainError, SpecText, UnknownName};
use crate::view;

pub(in crate::cli) fn run(args: &ExplainArgs, session: &Session) -> Result<Exit, CliError> {
    let loaded = spec_file::load(&args.spec, &session.environment)?;
    let (file, masked) = (loaded.name.clone(), loaded.outcome.masked.clone());
    let (desired, graph) = loaded.require(session)?;
    let target = plan::locate(&graph, &args.address).map_err(unknown)?;
    // What a resource needs is read, too: a cluster that is missing is told as a plan tells it.
    let graph = graph.select(|address| *address == target.address);
    let found = block_on_reads(session, planning::look(&desired, &graph, &args.cloud, &args.live, None, session))?;
    let text = SpecText { file: &file, masked: &masked };
    let explained = plan::explain(&desired, &found.graph, &found.live, &target, args.field.as_deref(), text);
    let explanation = explained.map_err(|error| match error {
        ExplainError::Plan(error) => {
            let told = CliError::several(vec![format!("{error}; {}", error.hint)]);
            if args.live.live.is_some() { told } else { planning::mind_the_state(told, &args.cloud) }
        }
        ExplainError::Unknown(error) => unknown(error),
    })?;
    session.console.print(&match args.format {
        TextOrJson::Text => view::explain::render_text(&explanation, &session.console.out),
        TextOrJson::Json => view::explain::render_json(&explanation),
    });
    Ok(Exit::Ok)
}

fn unknown(error: UnknownName) -> CliError {
    let UnknownName { message, hint } = error;
    CliError::new(message).hint(hint)
}
