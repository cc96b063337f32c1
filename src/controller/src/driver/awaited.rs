//! Reading our own writes: what each key still has to see in the caches before it is decided on again.
//!
//! Pure. Without it the next decision would be made on the world before the write, and repeat it. A watch that stays behind too long is
//! listed anew; what is awaited can be dropped once a list began after the write.

use std::collections::BTreeMap;
use std::time::Duration;

use env::Moment;
use rollout::{Key, Kind};

use super::cache::{Caches, Place};

/// How long a watch may stay behind a write before its kind is listed anew.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What a write must be followed by in the cache of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Awaited {
    /// The kind that was written.
    pub(crate) kind: Kind,
    /// What must be seen.
    pub(crate) sight: Sight,
}

/// What must be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// This resourceVersion or a newer one.
    Version(u64),
    /// The object with this uid is not there.
    Gone { place: Place, uid: String },
    /// The object with this uid is not there, or is being deleted.
    Leaving { place: Place, uid: String },
}

#[derive(Debug)]
struct Pending {
    awaited: Awaited,
    /// When the write was answered.
    since: Moment,
    /// When a new list was last asked for, or else the write was answered.
    asked: Moment,
}

/// What all keys wait for.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pending: BTreeMap<Key, Vec<Pending>>,
}

impl Ledger {
    /// `key` has written: it waits for what `awaited` says, from `now` on.
    pub(crate) fn wait(&mut self, key: &Key, awaited: Vec<Awaited>, now: Moment) {
        if !awaited.is_empty() {
            self.pending
                .entry(key.clone())
                .or_default()
                .extend(awaited.into_iter().map(|awaited| Pending {
                    awaited,
                    since: now,
                    asked: now,
                }));
        }
    }

    /// Whether `key` still waits for something that `caches` do not show. Forgets what has been seen.
    pub(crate) fn waits(&mut self, key: &Key, caches: &Caches) -> bool {
        let Some(pending) = self.pending.get_mut(key) else {
            return false;
        };
        pending.retain(|pending| !seen(&pending.awaited, caches));
        if pending.is_empty() {
            self.pending.remove(key);
            return false;
        }
        true
    }

    /// Forgets what a list of `kind` has answered, and returns the keys that a delivery of `kind` set free.
    pub(crate) fn delivered(&mut self, kind: Kind, began: Option<Moment>, caches: &Caches) -> Vec<Key> {
        let mut free = Vec::new();
        self.pending.retain(|key, pending| {
            pending.retain(|pending| {
                let listed = pending.awaited.kind == kind && began.is_some_and(|began| pending.since < began);
                let shown = pending.awaited.kind == kind && seen(&pending.awaited, caches);
                !(listed || shown)
            });
            if pending.is_empty() {
                free.push(key.clone());
            }
            !pending.is_empty()
        });
        free
    }

    /// The kinds that have been behind for longer than [`PATIENCE`] at `now`. Each is named again only
    /// after the same time.
    pub(crate) fn overdue(&mut self, now: Moment) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for pending in self.pending.values_mut().flatten() {
            if now.since(pending.asked) >= PATIENCE {
                pending.asked = now;
                if !kinds.contains(&pending.awaited.kind) {
                    kinds.push(pending.awaited.kind);
                }
            }
        }
        kinds.sort();
        kinds
    }

    /// When [`Ledger::overdue`] must be asked next.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.pending
            .values()
            .flatten()
            .map(|pending| pending.asked.after(PATIENCE))
            .min()
    }
}

fn seen(awaited: &Awaited, caches: &Caches) -> bool {
    let find = |place: &Place| caches.get(awaited.kind, &place.0, &place.1);
    match &awaited.sight {
        Sight::Version(version) => caches.seen(awaited.kind) >= *version,
        Sight::Gone { place, uid } => find(place).is_none_or(|object| object.metadata.uid.as_ref() != Some(uid)),
        Sight::Leaving { place, uid } => find(place).is_none_or(|object| {
            object.metadata.uid.as_ref() != Some(uid) || object.metadata.deletion_timestamp.is_some()
        }),
    }
}
