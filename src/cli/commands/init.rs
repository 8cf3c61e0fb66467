//! `arcflux init`

use std::io::{ErrorKind, Write as _};

use crate::cli::args::InitArgs;
use crate::cli::error::CliError;
use crate::cli::{Exit, Session};
use crate::spec;

pub(in crate::cli) fn run(args: &InitArgs, session: &Session) -> Result<Exit, CliError> {
    let text = spec::starter();
    if args.file == "-" {
        session.console.print(&text);
        return Ok(Exit::Ok);
    }
    let written = std::fs::File::create_new(&args.file).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => {
            session.console.tell(&format!(
                "Wrote {}. Fill it in, then: arcflux validate, arcflux plan, arcflux apply.",
                args.file
            ));
            Ok(Exit::Ok)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(CliError::new(format!("{} exists; it is left alone", args.file))
                .hint("name another file with `-f FILE`, or print the text with `-f -`"))
        }
        Err(error) => Err(CliError::because(format!("cannot write {}", args.file), &error)),
    }
}
