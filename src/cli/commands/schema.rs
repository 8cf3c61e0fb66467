//! `arcflux schema`

use crate::cli::arg_values::SchemaName;
use crate::cli::args::SchemaArgs;
use crate::cli::{Exit, Session};
use crate::{spec, view};

pub(in crate::cli) fn run(args: &SchemaArgs, session: &Session) -> Exit {
    let schema = match args.of {
        SchemaName::Spec => format!("{:#}\n", spec::schema()),
        SchemaName::Plan => view::schema::plan_schema(),
        SchemaName::Event => view::schema::event_schema(),
        SchemaName::Report => view::schema::report_schema(),
        SchemaName::Doctor => view::schema::doctor_schema(),
        SchemaName::Snapshot => view::schema::snapshot_schema(),
    };
    session.console.print(&schema);
    Exit::Ok
}
