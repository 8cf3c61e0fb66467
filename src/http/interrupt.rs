//! The wish to stop.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A wish that somebody has, and that is asked for before anything new is started and while something is waited for.
/// Clones share it. Those who wait for it wake in the order in which they began to: a run can be repeated.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    is_requested: AtomicBool,
    /// Wakes in order; a `watch` channel does not.
    requested: Notify,
}

impl Interrupt {
    /// Asks to finish what Azure has accepted, and to start nothing new.
    pub fn request(&self) {
        self.0.is_requested.store(true, Ordering::SeqCst);
        self.0.requested.notify_waiters();
    }

    /// Whether that was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_requested.load(Ordering::SeqCst)
    }

    /// Returns once that is asked for. May be dropped at any time.
    pub async fn requested(&self) {
        let mut requested = pin!(self.0.requested.notified());
        // Listening begins before the look, so that no wish is missed between the two.
        requested.as_mut().enable();
        if !self.is_requested() {
            requested.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn everybody_hears_of_it_in_the_order_in_which_they_listened() {
        let interrupt = Interrupt::default();
        let heard = Mutex::new(Vec::new());
        let listens = |number: usize| {
            let (interrupt, heard) = (interrupt.clone(), &heard);
            async move {
                interrupt.requested().await;
                heard.lock().unwrap().push(number);
            }
        };
        let all: futures::stream::FuturesUnordered<_> = (0..100).map(listens).collect();
        let asks = async {
            tokio::task::yield_now().await;
            interrupt.request();
        };
        futures::future::join(futures::StreamExt::collect::<Vec<()>>(all), asks).await;
        // They are first asked in the order in which they were made, or the other way around: neighbours stay neighbours.
        let heard = heard.into_inner().unwrap();
        assert!(heard.windows(2).all(|two| two[0].abs_diff(two[1]) == 1), "{heard:?}");
        assert!(interrupt.is_requested());
        interrupt.requested().await;
    }
}
