//! A store as a mirror of somebody else's: objects keep the version that they came with, the log counts what arrived here.
//!
//! Used for the caches of a remote cluster; the embedded API server never calls this.

use std::sync::Arc;

use super::{Change, Place, Store, Stored};

impl Store {
    /// Puts an object in its place, unless what is there is as new; says whether anything changed.
    pub(crate) fn mirror(&self, place: &Place, object: Arc<Stored>) -> bool {
        self.commit(|contents| {
            let objects = contents.collections.entry(place.storage.clone()).or_default();
            let key = (place.namespace.clone(), place.name.clone());
            if objects.get(&key).is_some_and(|known| known.version >= object.version) {
                return Err(());
            }
            let before = objects.insert(key, object.clone());
            let change = if before.is_some() {
                Change::Modified
            } else {
                Change::Added
            };
            Ok((change, place.clone(), object, before))
        })
        .is_ok()
    }

    /// Takes an object with this uid out of its place. `last` is its last value, where somebody knows it.
    pub(crate) fn forget(&self, place: &Place, uid: &str, last: Option<Arc<Stored>>) -> bool {
        self.commit(|contents| {
            let key = (place.namespace.clone(), place.name.clone());
            let objects = contents.collections.get_mut(&place.storage).ok_or(())?;
            if objects.get(&key).is_none_or(|known| known.uid != uid) {
                return Err(());
            }
            let before = objects.remove(&key).ok_or(())?;
            let last = last.unwrap_or_else(|| before.clone());
            Ok((Change::Deleted, place.clone(), last, Some(before)))
        })
        .is_ok()
    }
}
