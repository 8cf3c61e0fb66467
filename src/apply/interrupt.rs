//! The wish to stop.

use std::sync::Arc;

use tokio::sync::watch;

/// A wish that somebody has and the engine asks for before it starts anything new, and while it waits. Clones share it.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<watch::Sender<bool>>);

impl Default for Interrupt {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Interrupt {
    /// Asks the engine to finish what Azure has accepted, and to start nothing new.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether that was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once that is asked for. May be dropped at any time.
    pub async fn requested(&self) {
        // The sender lives as long as `self`, so there is no other end to this than the wish.
        let mut wish = self.wish();
        let _closed = wish.wait_for(|is_requested| *is_requested).await;
    }

    /// The wish as others can follow it.
    pub(super) fn wish(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}
