//! How a run of `apply` or `destroy` is closed: its verdict for people, or its report for programs, and the file.

use std::path::Path;

use jiff::Timestamp;

use super::arg_values::TextOrJson;
use super::args::RunArgs;
use super::error::CliError;
use super::out_file;
use super::{Exit, Session};
use crate::model::{Digest, Usage};
use crate::plan::{ApplyReport, Ending, Mode, Plan, PlanInBrief, REPORT_VERSION, ReportLine, RunError, RunReport};
use crate::view;

/// What is known of a run so far.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// The plan, once there is one.
    plan: Option<PlanInBrief>,
    /// What was asked of Azure for it.
    usage: Usage,
}

/// What a run came to.
pub(super) struct Carried {
    pub(super) report: ApplyReport,
    pub(super) started_at: Timestamp,
    pub(super) ended_at: Timestamp,
    /// Whether there was anything to do.
    pub(super) had_work: bool,
}

impl Run {
    /// A run whose report can be written: where it cannot, or would go over one of the files that are read, nothing is
    /// begun.
    pub(super) fn begin(args: &RunArgs, inputs: &[(&str, Option<&Path>)]) -> Result<Self, CliError> {
        if args.report.as_deref() == Some(Path::new("-")) {
            return Err(CliError::usage(
                "--report takes a file; `--format json` prints the report as its last line on standard output",
            ));
        }
        if let Some(report) = &args.report {
            out_file::check_apart("--report", report, inputs)?;
        }
        args.report.as_deref().map_or(Ok(()), out_file::check_writable)?;
        Ok(Self::default())
    }

    /// A plan was made, with so many requests, where the one with the digest `expected` was meant, if one was named.
    pub(super) fn has_planned(&mut self, plan: &Plan, expected: Option<&Digest>, usage: Usage) {
        self.plan = Some(PlanInBrief { expected: expected.cloned(), ..PlanInBrief::from(plan) });
        self.usage = usage;
    }

    /// Says what the run came to, on standard output and in the file.
    pub(super) fn close(
        self,
        outcome: Result<Carried, CliError>,
        args: &RunArgs,
        session: &Session,
    ) -> Result<Exit, CliError> {
        let mode = self.plan.as_ref().map_or(Mode::Apply, |plan| plan.mode);
        let (report, ended) = match outcome {
            // Nothing ran, so there is nothing to report of.
            Err(error) if error.exit == Exit::Usage => return Err(error),
            Err(error) => (self.failed(&error), Err(error)),
            Ok(carried) => {
                if carried.had_work && args.format == TextOrJson::Text {
                    let style = &session.console.out;
                    session.console.print(&view::apply::render_report(&carried.report, mode, style));
                }
                let exit = Exit::from(carried.report.ending());
                (self.carried_out(carried, exit), Ok(exit))
            }
        };
        if args.format == TextOrJson::Json {
            session.console.print(&format!("{}\n", view::apply::report_json(&report)));
        }
        let Some(path) = &args.report else { return ended };
        match (out_file::write(path, &view::apply::report_document(&report)), ended) {
            (Ok(()), ended) => ended,
            (Err(lost), Ok(Exit::Ok)) => Err(lost),
            // What became of the run says more than that.
            (Err(lost), ended) => {
                session.console.tell_error(&lost);
                ended
            }
        }
    }

    fn carried_out(self, carried: Carried, exit: Exit) -> RunReport {
        let Carried { report, started_at, ended_at, had_work: _ } = carried;
        RunReport {
            ending: report.ending(),
            exit_code: exit.code(),
            started_at: Some(started_at),
            ended_at: Some(ended_at),
            result: report,
            ..self.blank()
        }
    }

    fn failed(self, error: &CliError) -> RunReport {
        let ending = match error.exit {
            Exit::Refused => Ending::Refused,
            Exit::Interrupted => Ending::Interrupted,
            Exit::Ok | Exit::Error | Exit::Changes | Exit::Incomplete | Exit::Usage => Ending::Error,
        };
        let blank = self.blank();
        let result = ApplyReport { interrupted: ending == Ending::Interrupted, ..blank.result };
        RunReport { ending, exit_code: error.exit.code(), error: Some(error.into()), result, ..blank }
    }

    /// A report in which nothing was carried out.
    fn blank(self) -> RunReport {
        RunReport {
            line_type: ReportLine::ApplyReport,
            format_version: REPORT_VERSION.to_owned(),
            arcflux_version: env!("CARGO_PKG_VERSION").to_owned(),
            ending: Ending::Error,
            exit_code: Exit::Error.code(),
            plan: self.plan,
            error: None,
            started_at: None,
            ended_at: None,
            result: ApplyReport { usage: self.usage, ..ApplyReport::default() },
        }
    }
}

impl From<&CliError> for RunError {
    fn from(error: &CliError) -> Self {
        let CliError { exit: _, messages, details, hint } = error;
        Self { messages: messages.clone(), details: details.clone(), hint: hint.clone() }
    }
}

impl From<Ending> for Exit {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Converged => Self::Ok,
            Ending::Error => Self::Error,
            Ending::Refused => Self::Refused,
            Ending::Incomplete => Self::Incomplete,
            Ending::Interrupted => Self::Interrupted,
        }
    }
}
