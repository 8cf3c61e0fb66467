//! `arcflux completions` and `arcflux man`: what a package installs beside the binary.

use clap::CommandFactory as _;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::error::CliError;
use crate::cli::{Exit, Session};

pub(in crate::cli) fn completions(args: &CompletionsArgs, session: &Session) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "arcflux", &mut script);
    session.console.print(&String::from_utf8_lossy(&script));
    Exit::Ok
}

pub(in crate::cli) fn man(session: &Session) -> Result<Exit, CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| CliError::because("cannot write the manual page", &error))?;
    session.console.print(&String::from_utf8_lossy(&page));
    Ok(Exit::Ok)
}
