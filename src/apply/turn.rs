//! The turn on a cluster: one write at a time, held until it is provisioned.

use tokio::sync::mpsc::UnboundedSender;

use crate::kinds::Kind;
use crate::model::{Address, ResourceId};

/// A resource on which an operation may still be going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unsettled {
    pub(super) address: Address,
    pub(super) id: ResourceId,
    pub(super) api_version: String,
    pub(super) kind: Kind,
}

/// A turn that was given back: by which change, and what it has left behind.
pub(super) type Released = (usize, Option<Unsettled>);

/// The leave to write to a cluster. Nothing depends on its end: a run that is dropped drops all of them.
pub(super) struct Turn {
    pub(super) change: usize,
    /// What the next one must wait for before it writes.
    pub(super) left: Option<Unsettled>,
    pub(super) releases: UnboundedSender<Released>,
}

impl Turn {
    pub(super) fn release(self) {
        // Without a receiver the run is over.
        let _over = self.releases.send((self.change, self.left));
    }
}
