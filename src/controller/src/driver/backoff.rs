//! Delays after failures: bounded, growing, with jitter from a seeded source.
//!
//! Pure. Used by the queue for keys and by the feeds for watches, in place of kube's own backoff, whose jitter nobody can seed.

use std::time::Duration;

use env::Chance;

/// Doubles from `least` up to `most`; each delay is shortened by up to a half, so that many failures at once do not come back at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// The delay after a first failure.
    pub(crate) least: Duration,
    /// No delay is longer.
    pub(crate) most: Duration,
}

impl Backoff {
    /// For a key whose reconcile failed.
    pub(crate) const RECONCILE: Self = Self {
        least: Duration::from_millis(20),
        most: Duration::from_secs(30),
    };

    /// For a list or watch that failed. Short at most, since releases stand still meanwhile and there are only a few watches.
    pub(crate) const WATCH: Self = Self {
        least: Duration::from_millis(200),
        most: Duration::from_secs(5),
    };

    /// The delay after `failures` failures in a row before this one.
    pub(crate) fn delay(self, failures: u32, chance: &Chance) -> Duration {
        let full = self
            .least
            .saturating_mul(1u32.checked_shl(failures.min(31)).unwrap_or(u32::MAX))
            .min(self.most);
        chance.duration(full / 2, full)
    }
}
