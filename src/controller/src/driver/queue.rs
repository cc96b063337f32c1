//! The work queue: which key is due when, one reconcile per key at a time, in an order that two runs share.
//!
//! Pure: it is told what time it is. Used by the driver's loop only. Keys that are due at one moment come out in the keys' own order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use env::{Chance, Moment};

use super::backoff::Backoff;

/// Keys and the moments at which they are due. A key is in it once; of two moments the earlier one counts.
#[derive(Debug)]
pub(crate) struct Queue<K> {
    due: BTreeSet<(Moment, K)>,
    moments: BTreeMap<K, Moment>,
    busy: BTreeSet<K>,
    failures: BTreeMap<K, u32>,
    backoff: Backoff,
}

impl<K: Ord + Clone> Queue<K> {
    /// An empty queue whose failed keys come back after `backoff`.
    pub(crate) fn new(backoff: Backoff) -> Self {
        Self {
            due: BTreeSet::new(),
            moments: BTreeMap::new(),
            busy: BTreeSet::new(),
            failures: BTreeMap::new(),
            backoff,
        }
    }

    /// Asks for `key` at `moment`, or earlier when it is already due earlier. While it is being reconciled it waits for that to end.
    pub(crate) fn add(&mut self, key: K, moment: Moment) {
        match self.moments.get(&key) {
            Some(&already) if already <= moment => return,
            Some(&already) => {
                self.due.remove(&(already, key.clone()));
            }
            None => {}
        }
        self.moments.insert(key.clone(), moment);
        self.due.insert((moment, key));
    }

    /// The first key that is due at `now` and is not being reconciled; it is then being reconciled until [`Queue::finish`].
    pub(crate) fn take(&mut self, now: Moment) -> Option<K> {
        let key = self
            .due
            .iter()
            .take_while(|(moment, _)| *moment <= now)
            .map(|(_, key)| key)
            .find(|key| !self.busy.contains(key))?
            .clone();
        self.forget(&key);
        self.busy.insert(key.clone());
        Some(key)
    }

    /// When the next key can be taken, if any waits that is not being reconciled.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.due
            .iter()
            .find(|(_, key)| !self.busy.contains(key))
            .map(|(moment, _)| *moment)
    }

    /// The reconcile of `key` has ended.
    pub(crate) fn finish(&mut self, key: &K) {
        self.busy.remove(key);
    }

    /// The reconcile of `key` failed: it comes back after a delay that grows with each failure in a row. Returns the delay.
    pub(crate) fn retry(&mut self, key: K, now: Moment, chance: &Chance) -> Duration {
        let failures = self.failures.entry(key.clone()).or_default();
        let delay = self.backoff.delay(*failures, chance);
        *failures = failures.saturating_add(1);
        self.add(key, now.after(delay));
        delay
    }

    /// The reconcile of `key` went well: its next failure is a first one again.
    pub(crate) fn succeeded(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// Takes `key` out, whenever it was due.
    pub(crate) fn forget(&mut self, key: &K) {
        if let Some(moment) = self.moments.remove(key) {
            self.due.remove(&(moment, key.clone()));
        }
    }

    /// How many keys are due at `now`.
    pub(crate) fn depth(&self, now: Moment) -> usize {
        self.due.iter().take_while(|(moment, _)| *moment <= now).count()
    }
}
