//! Which calls go without an answer, and since when: for whoever has to say what is waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// The calls of a client that ARM has not answered so far. Shared by all clones of it.
#[derive(Default)]
pub(super) struct Unanswered(Mutex<Calls>);

#[derive(Default)]
struct Calls {
    next: u64,
    sent: BTreeMap<u64, Timestamp>,
}

/// One call, through all its attempts; forgotten when it is dropped.
pub(super) struct Asking<'a> {
    all: &'a Unanswered,
    key: u64,
}

impl Unanswered {
    pub(super) fn ask(&self) -> Asking<'_> {
        let mut calls = self.calls();
        calls.next += 1;
        Asking { all: self, key: calls.next }
    }

    /// When the one was sent that has gone without an answer for longest.
    pub(super) fn longest(&self) -> Option<Timestamp> {
        self.calls().sent.values().min().copied()
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asking<'_> {
    /// It is sent; the first time since an answer counts.
    pub(super) fn sent(&self, now: Timestamp) {
        self.all.calls().sent.entry(self.key).or_insert(now);
    }

    /// It was answered, however.
    pub(super) fn answered(&self) {
        self.all.calls().sent.remove(&self.key);
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.answered();
    }
}
