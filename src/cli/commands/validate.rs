//! `arcflux validate`

use crate::cli::args::{TextOrJson, ValidateArgs};
use crate::cli::error::CliError;
use crate::cli::{Exit, Session, spec_file};
use crate::graph;
use crate::{spec, view};

pub(in crate::cli) fn run(args: &ValidateArgs, session: &Session) -> Result<Exit, CliError> {
    if args.expand && args.format == TextOrJson::Json {
        return Err(CliError::usage(
            "standard output holds either the long form (`--expand`) or the problems (`--format json`), not both",
        ));
    }
    let loaded = spec_file::load(&args.spec, &session.environment)?;
    match args.format {
        TextOrJson::Text => loaded.show_problems(session),
        TextOrJson::Json => {
            let problems = view::diagnostics::render_json(&loaded.outcome.diagnostics, &loaded.name);
            session.console.print(&problems);
        }
    }
    let Some(desired) = &loaded.outcome.desired else { return Ok(Exit::Error) };
    graph::build(desired).map_err(|errors| CliError::several(errors.iter().map(ToString::to_string).collect()))?;
    if args.expand {
        session.console.print(&spec::to_yaml(&desired.expanded));
    } else if args.format == TextOrJson::Text {
        let clusters = desired.clusters.len();
        let configurations: usize = desired.clusters.iter().map(|cluster| cluster.configurations.len()).sum();
        session.console.print(&format!(
            "{} is valid: {}, {}.\n",
            loaded.name,
            counted(clusters, "cluster"),
            counted(configurations, "configuration")
        ));
    }
    Ok(Exit::Ok)
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
