//! The command line: arguments, files, environment, streams, colour, exit codes, and the wiring of everything else.

mod arg_values;
mod args;
mod bundle_file;
mod ci;
mod commands;
mod connect;
mod console;
mod diagnosis;
mod env;
mod error;
mod exit;
mod git;
mod heartbeat;
mod interrupt;
mod job_files;
mod json_file;
mod live_file;
mod moment;
mod out_file;
mod plan_file;
mod planning;
mod progress;
mod pull_request;
mod reach;
mod rehearsal;
mod repository;
mod reviewed;
mod run_report;
mod secret_files;
mod shared_args;
mod spec_file;

use std::ffi::OsString;

use clap::error::ErrorKind;

use args::{Cli, Command};
use console::Console;
use error::CliError;

pub use env::Environment;
pub use exit::Exit;

/// What every command is handed.
struct Session {
    console: Console,
    environment: Environment,
    verbose: bool,
}

/// Runs the command line `arguments`, the program's name first, and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> Exit {
    let cli = match Cli::read(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // clap knows whether this is an error or what was asked for, and where each goes.
            let _gone = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
                _ => Exit::Usage,
            };
        }
    };
    let console = Console::new(&environment, cli.no_color);
    let session = Session { console, environment, verbose: cli.verbose };
    let outcome = match &cli.command {
        Command::Validate(args) => commands::validate::run(args, &session),
        Command::Plan(args) => commands::plan::run(args, &session),
        Command::Apply(args) => commands::apply::run(args, &session),
        Command::Comment(args) => commands::comment::run(args, &session),
        Command::Destroy(args) => commands::destroy::run(args, &session),
        Command::Export(args) => commands::export::run(args, &session),
        Command::Drift(args) => commands::drift::run(args, &session),
        Command::Status(args) => commands::status::run(args, &session),
        Command::Doctor(args) => commands::doctor::run(args, &session),
        Command::Snapshot(args) => commands::snapshot::run(args, &session),
        Command::Bundle(args) => commands::bundle::run(args, &session),
        Command::Show(args) => commands::show::run(args, &session),
        Command::Render(args) => commands::render::run(args, &session),
        Command::Graph(args) => commands::graph::run(args, &session),
        Command::Init(args) => commands::init::run(args, &session),
        Command::Schema(args) => Ok(commands::schema::run(args, &session)),
        Command::Explain(args) => commands::explain::run(args, &session),
        Command::ExplainCode(args) => commands::explain_code::run(args, &session),
        Command::Completions(args) => Ok(commands::shell::completions(args, &session)),
        Command::Man => commands::shell::man(&session),
        Command::Sim(args) => commands::sim::run(args, &session),
    };
    let lost = session.console.lost().map(|why| format!("not everything could be written to standard output: {why}"));
    let outcome = match (outcome, lost) {
        (Ok(Exit::Ok), Some(lost)) => Err(CliError::new(lost)),
        (outcome, Some(lost)) => {
            session.console.tell_error(&CliError::new(lost));
            outcome
        }
        (outcome, None) => outcome,
    };
    outcome.unwrap_or_else(|error| {
        session.console.tell_error(&error);
        error.exit
    })
}

/// Runs what talks to Azure. Commands that do not never start a runtime.
fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::because("cannot start", &error))?;
    let outcome = runtime.block_on(work);
    // A question that was dropped may still wait for its answer.
    runtime.shutdown_background();
    outcome
}

/// The same for what only reads from Azure: the first Ctrl-C or SIGTERM ends it.
fn block_on_reads<T>(session: &Session, work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    block_on(async {
        interrupt::end_at_once(session.console.clone());
        work.await
    })
}
