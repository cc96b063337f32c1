//! The clock: wall time for what is stored, a monotonic [`Moment`] for what is waited for.
//!
//! Used by everything that waits. Under a paused tokio runtime the same code runs on virtual time; a scaled clock lets a person watch an hour
//! go by in a minute. No other module may call `tokio::time` or `jiff::Timestamp::now`.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A point in an environment's monotonic time: the duration since the environment began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub Duration);

impl Moment {
    /// The moment `duration` after this one; the end of time when that would overflow.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// How long after `earlier` this moment is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// A deadline passed before the work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("deadline has elapsed")]
pub struct Elapsed;

#[derive(Clone, Copy, Debug)]
enum Wall {
    /// The system's own.
    System,
    /// Starts at the given time and advances with the monotonic clock.
    Counted(Timestamp),
}

/// Time as an input. `speed` is how many seconds of this clock pass in one of tokio's.
#[derive(Clone, Debug)]
pub struct Clock {
    wall: Wall,
    start: tokio::time::Instant,
    speed: f64,
    /// By how many milliseconds the wall clock has been set forward, in all clones.
    skew: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    #[expect(clippy::disallowed_methods, reason = "this is where real time enters")]
    pub fn real() -> Self {
        Self {
            wall: Wall::System,
            start: tokio::time::Instant::now(),
            speed: 1.0,
            skew: Arc::default(),
        }
    }

    /// A clock that starts at `epoch` and runs `speed` times as fast as the runtime's. Speeds that are not finite and above zero count as 1.
    #[expect(clippy::disallowed_methods, reason = "this is where real time enters")]
    pub fn counted(epoch: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self {
            wall: Wall::Counted(epoch),
            start: tokio::time::Instant::now(),
            speed,
            skew: Arc::default(),
        }
    }

    /// The wall-clock time.
    #[expect(clippy::disallowed_methods, reason = "this is where real time enters")]
    pub fn now(&self) -> Timestamp {
        match self.wall {
            Wall::System => Timestamp::now(),
            Wall::Counted(epoch) => {
                let skew = SignedDuration::from_millis(self.skew.load(Ordering::Relaxed));
                let counted = epoch.checked_add(self.elapsed().0);
                counted.and_then(|now| now.checked_add(skew)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Sets the wall clock of a counted clock and its clones forward, or back, as a person or a time server does to a machine's. What is
    /// waited for does not move.
    pub fn set_forward(&self, by: SignedDuration) {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or_default();
        self.skew.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// How much of this clock's time has passed since it was made.
    pub fn elapsed(&self) -> Moment {
        let elapsed = self.start.elapsed();
        Moment(if self.speed == 1.0 {
            elapsed
        } else {
            elapsed.mul_f64(self.speed)
        })
    }

    /// Waits until `duration` of this clock's time has passed.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.elapsed().after(duration)).await;
    }

    /// Waits until `moment`; returns at once when it has passed.
    #[expect(clippy::disallowed_methods, reason = "this is where real time enters")]
    pub async fn sleep_until(&self, moment: Moment) {
        let real = if self.speed == 1.0 {
            moment.0
        } else {
            moment.0.div_f64(self.speed)
        };
        match self.start.checked_add(real) {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }

    /// Runs `work`, but no longer than `limit` of this clock's time.
    ///
    /// # Errors
    /// [`Elapsed`] when the limit passed first; `work` is then dropped.
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.sleep(limit) => Err(Elapsed),
        }
    }
}
