//! `arcflux validate`

use crate::cli::arg_values::ProblemFormat;
use crate::cli::args::ValidateArgs;
use crate::cli::error::CliError;
use crate::cli::{Exit, Session, repository, spec_file};
use crate::graph;
use crate::{spec, view};

pub(in crate::cli) fn run(args: &ValidateArgs, session: &Session) -> Result<Exit, CliError> {
    if args.expand && args.format != ProblemFormat::Text {
        return Err(CliError::usage(
            "standard output holds either the long form (`--expand`) or the problems (`--format`), not both",
        ));
    }
    let [_, _, ..] = args.files.as_slice() else {
        let file = args.files.first().map_or(args.spec.file(), String::as_str);
        return one(file, args, session);
    };
    if args.expand || args.format != ProblemFormat::Text {
        return Err(CliError::usage("`--expand` and `--format` are for one spec at a time"));
    }
    let mut errors = Vec::new();
    let mut is_valid = true;
    for file in &args.files {
        match one(file, args, session) {
            Ok(exit) => is_valid &= exit == Exit::Ok,
            Err(error) => errors.extend(error.messages.into_iter().map(|message| format!("{file}: {message}"))),
        }
    }
    match errors.is_empty() {
        false => Err(CliError::several(errors)),
        true => Ok(if is_valid { Exit::Ok } else { Exit::Error }),
    }
}

fn one(file: &str, args: &ValidateArgs, session: &Session) -> Result<Exit, CliError> {
    let loaded = spec_file::load_named(file, &args.spec, &session.environment)?;
    match args.format {
        ProblemFormat::Text => loaded.show_problems(session),
        ProblemFormat::Json => {
            session.console.print(&view::diagnostics::render_json(&loaded.outcome.diagnostics, &loaded.name));
        }
        ProblemFormat::Sarif => {
            session
                .console
                .print(&view::sarif::render(&loaded.outcome.diagnostics, &repository::name_of(&loaded.name)));
        }
    }
    let Some(desired) = &loaded.outcome.desired else { return Ok(Exit::Error) };
    graph::build(desired).map_err(|errors| CliError::several(errors.iter().map(ToString::to_string).collect()))?;
    if args.expand {
        session.console.print(&spec::to_yaml(&desired.expanded));
    } else if args.format == ProblemFormat::Text {
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
