//! Delays after failures: bounded, growing, with jitter from a seeded source.
//!
//! Pure. Used by the queue for keys and by the feeds for watches, in place of kube's own backoff, whose jitter nobody can seed.

use std::time::Duration;

use env::{Chance, Moment};

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

    /// For a list or watch of a kind that this account may not read.
    pub(crate) const REFUSED: Self = Self {
        least: Duration::from_secs(1),
        most: Duration::from_secs(30),
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

/// After this time without a failure the next one is a first one again. Longer than a try and the delay before it may take.
pub(crate) const FORGOTTEN: Duration = Duration::from_secs(60);

/// The failures of a watch in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trouble {
    failures: u32,
    last: Moment,
}

impl Trouble {
    /// Counts one more at `now`, and says how many came before it. A watch that is back says so only when something happens; one that has been
    /// silent for long enough was back.
    pub(crate) fn next(&mut self, now: Moment) -> u32 {
        if now.since(self.last) > FORGOTTEN {
            self.failures = 0;
        }
        self.last = now;
        let before = self.failures;
        self.failures = before.saturating_add(1);
        before
    }

    /// It works: whether it had failed before.
    pub(crate) fn over(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }
}
