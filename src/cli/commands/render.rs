//! `arcflux render`

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::cli::args::RenderArgs;
use crate::cli::error::CliError;
use crate::cli::{Exit, Session, block_on_reads, out_file, reach, spec_file};
use crate::cluster::{ClusterError, Clusters, ObjectName};
use crate::fetch;
use crate::flux::{self, Fate, Manifests, Object};
use crate::graph::Graph;
use crate::http::SystemClock;
use crate::kinds::flux_configuration::RESOURCE_TYPE;
use crate::model::{Address, Glob, ResourceId};
use crate::spec::{Desired, DesiredCluster};
use crate::view;

pub(in crate::cli) fn run(args: &RenderArgs, session: &Session) -> Result<Exit, CliError> {
    let (desired, graph) = spec_file::require(&args.spec, session)?;
    let rendered = render(&desired, &graph, &args.only)?;
    let exit = match (&args.out_dir, &args.diff_against, rendered.as_slice()) {
        (Some(directory), _, _) => {
            write(directory, &rendered, session)?;
            Exit::Ok
        }
        (None, Some(context), [one]) => differences(context, one, args, session)?,
        (None, None, [one]) => {
            session.console.print(&view::manifests::yaml(&one.address, &one.manifests));
            Exit::Ok
        }
        (None, _, several) => {
            let names = several.iter().take(5).map(|one| one.address.to_string());
            return Err(CliError::usage(format!(
                "these are the objects of {} clusters, and they are for one cluster each",
                several.len()
            ))
            .details(names.collect())
            .hint(match args.diff_against {
                Some(_) => "choose one with `--only`",
                None => "give `--out-dir DIR` for one file each, or choose one with `--only`",
            }));
        }
    };
    for Rendered { address, file: _, manifests } in &rendered {
        session.console.tell(view::manifests::notes(address, manifests, &session.console.err).trim_end());
    }
    Ok(exit)
}

/// Shows what applying the objects would change.
fn differences(context: &str, one: &Rendered, args: &RenderArgs, session: &Session) -> Result<Exit, CliError> {
    let objects = &one.manifests.objects;
    let names: Vec<ObjectName> = objects
        .iter()
        .map(|object| ObjectName {
            api_version: object.api_version().to_owned(),
            kind: object.kind().to_owned(),
            namespace: object.namespace().map(str::to_owned),
            name: object.name().to_owned(),
        })
        .collect();
    // No other program is run but those that the kubeconfig names.
    let tools = reach::tools(args.kubeconfig.as_deref(), None, None, &session.environment);
    let clusters = Clusters::new(tools, Arc::new(SystemClock));
    let read = async {
        fetch::objects(&names, context, &clusters)
            .await
            .map_err(|ClusterError { message, hint }| CliError { hint, ..CliError::new(message) })
    };
    let live = block_on_reads(session, read)?;
    let fates: Vec<(&Object, Fate)> =
        objects.iter().zip(&live).map(|(object, live)| (object, flux::difference(object, live.as_ref()))).collect();
    session.console.print(&view::manifests::differences(context, &fates, &session.console.out));
    let differs = fates.iter().any(|(_, fate)| *fate != Fate::Keep);
    Ok(if differs && args.detailed_exitcode { Exit::Changes } else { Exit::Ok })
}

/// The objects of one cluster.
struct Rendered {
    address: Address,
    /// The name of the file that they go to.
    file: String,
    manifests: Manifests,
}

/// Renders what `only` selects; everything where it is empty.
fn render(desired: &Desired, graph: &Graph, only: &[Glob]) -> Result<Vec<Rendered>, CliError> {
    let addresses: BTreeMap<&ResourceId, &Address> =
        graph.nodes().iter().map(|node| (&node.id, &node.address)).collect();
    let mut used = vec![false; only.len()];
    let mut rendered = Vec::new();
    for cluster in &desired.clusters {
        let id = cluster.id();
        let Some(address) = addresses.get(&id) else { continue };
        let mut selected = BTreeSet::new();
        for name in cluster.configurations.keys() {
            let own = addresses.get(&id.resource(RESOURCE_TYPE, name));
            let texts: Vec<String> = own.into_iter().chain([address]).map(ToString::to_string).collect();
            for (glob, used) in only.iter().zip(&mut used) {
                if texts.iter().any(|text| glob.matches(text)) {
                    *used = true;
                    selected.insert(name.clone());
                }
            }
            if only.is_empty() {
                selected.insert(name.clone());
            }
        }
        if only.is_empty() || !selected.is_empty() {
            let manifests = flux::render(cluster, &selected);
            rendered.push(Rendered { address: (*address).clone(), file: file_name(cluster, desired), manifests });
        }
    }
    match only.iter().zip(used).find(|(_, is_used)| !is_used) {
        None => Ok(rendered),
        Some((glob, _)) => Err(CliError::new(format!("`--only {glob}` selects no configuration of this spec"))
            .hint("`arcflux graph` shows the addresses of this spec")),
    }
}

/// `CLUSTER.yaml`; with more before it where another cluster has the same name, in whatever case.
fn file_name(cluster: &DesiredCluster, desired: &Desired) -> String {
    let name = |cluster: &DesiredCluster| cluster.cluster.name.to_lowercase();
    let in_group =
        |cluster: &DesiredCluster| format!("{}.{}", cluster.resource_group.name.to_lowercase(), name(cluster));
    let is_alone = |of: &dyn Fn(&DesiredCluster) -> String| {
        desired.clusters.iter().filter(|other| of(other) == of(cluster)).count() == 1
    };
    let (group, name_of_it) = (&cluster.resource_group.name, &cluster.cluster.name);
    if is_alone(&name) {
        format!("{name_of_it}.yaml")
    } else if is_alone(&in_group) {
        format!("{group}.{name_of_it}.yaml")
    } else {
        format!("{}.{group}.{name_of_it}.yaml", cluster.subscription)
    }
}

fn write(directory: &Path, rendered: &[Rendered], session: &Session) -> Result<(), CliError> {
    fs::create_dir_all(directory)
        .map_err(|error| CliError::because(format!("cannot make {}", directory.display()), &error))?;
    for Rendered { address, file, manifests } in rendered {
        out_file::write(&directory.join(file), &view::manifests::yaml(address, manifests))?;
    }
    let files = match rendered.len() {
        1 => "1 file".to_owned(),
        several => format!("{several} files"),
    };
    session.console.tell(&format!("Wrote {files} to {}.", directory.display()));
    Ok(())
}
