//! `arcflux plan`

use crate::cli::arg_values::PlanFormat;
use crate::cli::args::PlanArgs;
use crate::cli::error::CliError;
use crate::cli::planning::{self, Request};
use crate::cli::{Exit, Session, block_on_reads, out_file, plan_file, spec_file};
use crate::plan::{Choices, Mode};
use crate::view;

pub(in crate::cli) fn run(args: &PlanArgs, session: &Session) -> Result<Exit, CliError> {
    if args.destroy && args.base.base.is_some() {
        return Err(CliError::usage(
            "`--base` says what a change of the spec takes away, and `--destroy` takes everything",
        ));
    }
    if let Some(out) = &args.out {
        let inputs = [
            ("the spec", Some(args.spec.input())),
            ("the base", args.base.input()),
            ("the live state", args.live.live.as_deref()),
        ];
        out_file::check_apart("--out", out, &[&inputs[..], &args.cloud.inputs()].concat())?;
    }
    let intent = spec_file::require_since(&args.spec, &args.base, session)?;
    let request = Request {
        mode: if args.destroy { Mode::Destroy } else { Mode::Apply },
        choices: Choices { resend_secrets: args.resend_secrets, ..Choices::from(&args.choices) },
        cloud: &args.cloud,
        secrets: Some(&args.secrets),
    };
    let (plan, moment) = block_on_reads(session, planning::preview(&intent, request, &args.live, session))?;
    if let Some(path) = &args.out {
        plan_file::save(path, &plan, &moment)?;
        session.console.tell(&format!("Saved the plan to {}.", path.display()));
    }
    session.console.print(&view::plan::render(&plan, args.format.into(), &session.console.out));
    Ok(if !plan.refusals.is_empty() {
        Exit::Refused
    } else if args.detailed_exitcode && plan.differs() {
        Exit::Changes
    } else {
        Exit::Ok
    })
}

impl From<PlanFormat> for view::Format {
    fn from(format: PlanFormat) -> Self {
        match format {
            PlanFormat::Text => Self::Text,
            PlanFormat::Json => Self::Json,
            PlanFormat::Mermaid => Self::Mermaid,
        }
    }
}
