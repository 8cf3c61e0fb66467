//! The client's time: how it waits between looks, and how long a wait is on its clock.

use std::time::Duration;

use jiff::Timestamp;

use super::ArmClient;
use super::operation::poll_delay;
use super::throttle::scaled;

/// The longest time without a sign of life in a wait.
const HEARTBEAT: Duration = Duration::from_secs(30);

impl ArmClient {
    /// The time now on this client's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for `duration` times the poll scale. For waits on what is not an ARM operation: registration, compliance.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_at_most(duration, Duration::MAX).await;
    }

    /// The same, and never longer than `most`, which is not multiplied.
    pub async fn sleep_at_most(&self, duration: Duration, most: Duration) {
        self.clock.sleep(self.scaled(duration).min(most)).await;
    }

    /// The same, and lets `alive` tell that it goes on, every half minute.
    pub async fn sleep_telling(&self, duration: Duration, most: Duration, alive: &mut (dyn FnMut() + Send)) {
        let slice = self.scaled(HEARTBEAT);
        let mut left = self.scaled(duration).min(most);
        while left > slice && !slice.is_zero() {
            self.clock.sleep(slice).await;
            left -= slice;
            alive();
        }
        self.clock.sleep(left).await;
    }

    /// How long something that took `duration` on this client's clock is without [`poll_scale`](Self::poll_scale).
    #[must_use]
    pub fn unscaled(&self, duration: Duration) -> Duration {
        Duration::try_from_secs_f64(duration.as_secs_f64() / self.poll_scale).unwrap_or(duration)
    }

    /// How long a wait of `duration` is on this client, after [`poll_scale`](Self::poll_scale).
    #[must_use]
    pub fn scaled(&self, duration: Duration) -> Duration {
        scaled(duration, self.poll_scale)
    }

    /// The delays between polls, without end, to be given to [`sleep`](Self::sleep) one after the other.
    pub fn backoff() -> impl Iterator<Item = Duration> + Send {
        (0..=u32::MAX).map(poll_delay)
    }

    /// `delay`, spread over its second half: those who failed together do not come back together.
    #[must_use]
    pub fn spread(&self, delay: Duration) -> Duration {
        delay.mul_f64(0.5 + 0.5 * (self.jitter)().clamp(0.0, 1.0))
    }
}
