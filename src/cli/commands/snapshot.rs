//! `arcflux snapshot`

use std::path::Path;

use crate::cli::args::SnapshotArgs;
use crate::cli::error::CliError;
use crate::cli::planning::{self, Found};
use crate::cli::{Exit, Session, block_on_reads, live_file, out_file, spec_file};
use crate::snapshot::Snapshot;
use crate::view;

pub(in crate::cli) fn run(args: &SnapshotArgs, session: &Session) -> Result<Exit, CliError> {
    if args.out != Path::new("-") {
        let spec = args.spec.input();
        out_file::check_apart("--out", &args.out, &[&[("the spec", Some(spec))], &args.cloud.inputs()[..]].concat())?;
    }
    let (desired, graph) = spec_file::require(&args.spec, session)?;
    let (_, found) =
        block_on_reads(session, planning::read(&desired, &graph, &args.cloud, Some(&args.cluster), session))?;
    let Found { graph, live, origin, tenant, is_simulated: _ } = &found;
    let reads = (&graph.reads()[..], &graph.contexts()[..]);
    let snapshot = Snapshot::take(origin, live_file::cloud_at(origin), tenant.as_deref(), reads, live);
    let text = view::snapshot::render(&snapshot);
    if args.out == Path::new("-") {
        session.console.print(&text);
    } else {
        out_file::write(&args.out, &text)?;
        let name = args.out.display();
        session.console.tell(&format!("Saved the live state to {name}; `arcflux plan --live {name}` plans from it."));
    }
    Ok(Exit::Ok)
}
