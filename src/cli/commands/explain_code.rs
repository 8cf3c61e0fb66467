//! `arcflux explain-code`

use crate::cli::args::ExplainCodeArgs;
use crate::cli::error::CliError;
use crate::cli::{Exit, Session};
use crate::spec::codes::{Row, TABLE};

pub(in crate::cli) fn run(args: &ExplainCodeArgs, session: &Session) -> Result<Exit, CliError> {
    let Some(wanted) = &args.code else {
        let list: String = TABLE.iter().map(heading).collect();
        session.console.print(&list);
        return Ok(Exit::Ok);
    };
    match TABLE.iter().find(|row| row.code.to_string().eq_ignore_ascii_case(wanted)) {
        Some(row) => {
            let allowed = if row.can_be_allowed { ALLOWED } else { "" };
            session.console.print(&format!("{}\n{}\n{allowed}", heading(row), row.explanation));
            Ok(Exit::Ok)
        }
        None => {
            Err(CliError::usage(format!("there is no code `{wanted}`"))
                .hint("`arcflux explain-code` lists all of them"))
        }
    }
}

const ALLOWED: &str = "A configuration that means it accepts it by its code, under `allow`. What stands outside of \
    configurations, such as the extension, cannot be accepted.\n";

fn heading(row: &Row) -> String {
    format!("{} {:<7} {}\n", row.code, row.severity.to_string(), row.title)
}
