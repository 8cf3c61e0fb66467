//! `arcflux destroy`: the same engine, in reverse.

use crate::cli::args::{BaseArgs, DestroyArgs};
use crate::cli::commands::apply;
use crate::cli::error::CliError;
use crate::cli::interrupt::Stop;
use crate::cli::planning::{self, Request};
use crate::cli::run_report::{Carried, Run};
use crate::cli::{Exit, Session, block_on, spec_file};
use crate::plan::{Choices, Mode};

pub(in crate::cli) fn run(args: &DestroyArgs, session: &Session) -> Result<Exit, CliError> {
    let spec = ("the spec", Some(args.spec.input()));
    let mut run = Run::begin(&args.run, &[&[spec], &args.cloud.inputs()[..]].concat())?;
    let outcome = destroy(args, session, &mut run);
    run.close(outcome, &args.run, session)
}

fn destroy(args: &DestroyArgs, session: &Session, run: &mut Run) -> Result<Carried, CliError> {
    let intent = spec_file::require_since(&args.spec, &BaseArgs { base: None }, session)?;
    let request = Request {
        mode: Mode::Destroy,
        choices: Choices { disconnect: args.disconnect, ..Choices::from(&args.choices) },
        cloud: &args.cloud,
        secrets: None,
        cluster: &args.cluster,
    };
    block_on(async {
        let stop = Stop::listen(session.console.clone());
        let planning = async {
            let planned = planning::plan(&intent, request, session).await?;
            run.has_planned(&planned.plan, args.run.expect.as_ref(), planned.connection.arm.usage());
            apply::show_and_ask(&planned.plan, &args.run, &args.cluster, session).await?;
            Ok(planned)
        };
        let planned = stop.before_an_apply(planning).await?;
        apply::carry_out(&planned, None, &args.run, &args.cluster, session, &stop).await
    })
}
