//! `arcflux bundle`

use std::path::Path;

use crate::bundle::Bundle;
use crate::cli::args::BundleArgs;
use crate::cli::error::CliError;
use crate::cli::planning::{self, Found, Request};
use crate::cli::{Exit, Session, block_on_reads, live_file, out_file, spec_file};
use crate::plan::{Choices, Mode, Plan};
use crate::snapshot::Snapshot;

pub(in crate::cli) fn run(args: &BundleArgs, session: &Session) -> Result<Exit, CliError> {
    if args.out == Path::new("-") {
        return Err(CliError::usage("standard output is for the digest: `--out` names a file"));
    }
    let inputs = [
        ("the spec", Some(args.spec.input())),
        ("the base", args.base.input()),
        ("the live state", args.live.live.as_deref()),
    ];
    out_file::check_apart("--out", &args.out, &[&inputs[..], &args.cloud.inputs()].concat())?;
    let intent = spec_file::require_since(&args.spec, &args.base, session)?;
    let request = Request {
        mode: Mode::Apply,
        choices: Choices { resend_secrets: args.resend_secrets, ..Choices::from(&args.choices) },
        cloud: &args.cloud,
        secrets: Some(&args.secrets),
        cluster: &args.cluster,
    };
    let previewed = block_on_reads(session, planning::preview_of(&intent, request, &args.live, session))?;
    let (plan, moment, Found { graph, live, origin, tenant, is_simulated: _ }) = previewed;
    let refusals: Vec<String> =
        plan.refusals.iter().filter(|refusal| refusal.binds()).map(|refusal| refusal.message.clone()).collect();
    if !refusals.is_empty() {
        return Err(CliError::refused("the plan is refused, so there is nothing to carry across")
            .details(refusals)
            .hint("`arcflux plan` shows it, with the ways out"));
    }
    if !plan.refusals.is_empty() {
        session.console.tell(
            "What secrets and credentials of the plan are used for is allowed by whoever applies: `--allow-secret`, \
             `--allow-auth-host`.",
        );
    }
    let cloud = live_file::cloud_at(&origin);
    let snapshot = Snapshot::take(&origin, cloud, tenant.as_deref(), (&graph.reads(), &graph.contexts()), &live);
    let plan = Plan { timestamp: Some(moment.as_of), ages: moment.ages, ..plan };
    let bundle = Bundle::pack(&plan, &snapshot)
        .and_then(|bundle| Ok((bundle.digest(), bundle.text()?, bundle.requests.len())))
        .map_err(|error| CliError::because("cannot make the bundle", &error))?;
    let (digest, text, requests) = bundle;
    out_file::write(&args.out, &text)?;
    let requests = if requests == 1 { "1 request".to_owned() } else { format!("{requests} requests") };
    session.console.tell(&format!(
        "Wrote the bundle to {} ({requests}). On the other side: `arcflux apply {} --expect DIGEST`, with the digest below, \
         carried another way.",
        args.out.display(),
        args.out.display()
    ));
    session.console.print(&format!("{digest}\n"));
    Ok(Exit::Ok)
}
