//! Live states in files: what `arcflux snapshot` writes, and `--live FILE` plans from.

use std::path::{Path, PathBuf};

use super::error::CliError;
use super::json_file;
use crate::arm::Cloud;
use crate::graph::Graph;
use crate::http::Origin;
use crate::model::LiveState;
use crate::sim;
use crate::snapshot::{Snapshot, SnapshotError};

/// A live state that was read before, and what it is called.
pub(super) struct LiveFile {
    path: PathBuf,
    snapshot: Snapshot,
}

/// The name of the cloud whose endpoint this is.
pub(super) fn cloud_at(origin: &str) -> Option<&'static str> {
    Cloud::ALL.into_iter().find(|cloud| cloud.endpoint() == origin).map(Cloud::name)
}

impl LiveFile {
    /// Reads a snapshot that this version understands; `-` is standard input.
    pub(super) fn load(path: &Path) -> Result<Self, CliError> {
        let name = path.display();
        let garbled = |why: &str| {
            CliError::new(format!("{name} is not a live state: {why}"))
                .hint("`arcflux snapshot -f SPEC --out FILE` writes one")
        };
        let snapshot = match Snapshot::from_json(json_file::read(path, "a live state")?) {
            Ok(snapshot) => snapshot,
            Err(error @ SnapshotError::Format(_)) => {
                return Err(CliError::refused(format!("{name} cannot be planned from: {error}"))
                    .hint("take the snapshot with the arcflux that plans from it"));
            }
            Err(error @ (SnapshotError::Garbled(_) | SnapshotError::Unfit { .. } | SnapshotError::Twice { .. })) => {
                return Err(garbled(&error.to_string()));
            }
        };
        // The origin goes into the plan as it stands, so it must be written as it is for a plan over the network.
        match Origin::parse(&snapshot.origin) {
            Ok(origin) if origin.to_string() == snapshot.origin => {}
            Ok(origin) => return Err(garbled(&format!("its origin would be written {origin}"))),
            Err(error) => return Err(garbled(&error.to_string())),
        }
        if snapshot.cloud.is_some() && snapshot.cloud.as_deref() != cloud_at(&snapshot.origin) {
            return Err(garbled(&format!("{} is not the endpoint of the cloud that it names", snapshot.origin)));
        }
        Ok(Self { path: path.to_owned(), snapshot })
    }

    /// The file, as it was named.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The ARM endpoint that was read.
    pub(super) fn origin(&self) -> &str {
        &self.snapshot.origin
    }

    /// The tenant that the reader was signed in to.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.snapshot.tenant.as_deref()
    }

    /// Whether a simulator was read: then no real secret is ever sent.
    pub(super) fn is_simulated(&self) -> bool {
        self.snapshot.origin == sim::ORIGIN
            || Origin::parse(&self.snapshot.origin).is_ok_and(|origin| origin.is_plain())
    }

    /// The graph in the api-versions that the file was read with, which are those that its cloud offered. What the spec
    /// pins stays.
    pub(super) fn in_its_versions(&self, graph: &Graph) -> Graph {
        if self.snapshot.cloud.is_some() || self.snapshot.origin == sim::ORIGIN {
            return graph.clone();
        }
        let pins = graph.api_versions();
        let unpinned = graph.kinds().into_iter().filter(|kind| pins.pin(*kind).is_none());
        let found = unpinned.filter_map(|kind| Some((kind, self.snapshot.api_version(kind)?.to_owned())));
        graph.with_api_versions(found.fold(pins.clone(), |versions, (kind, version)| versions.with(kind, version)))
    }

    /// What it answers to the reads of `graph`.
    pub(super) fn live_state(&self, graph: &Graph) -> Result<LiveState, CliError> {
        self.snapshot.live_state(&graph.reads(), &graph.contexts()).map_err(|unanswered| {
            CliError::new(format!("{} does not hold everything that this spec needs", self.path.display()))
                .details(unanswered.iter().map(ToString::to_string).collect())
                .hint("take it again for this spec: `arcflux snapshot -f SPEC --out FILE`")
        })
    }
}
