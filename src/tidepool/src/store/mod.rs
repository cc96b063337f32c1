//! The store: one revision counter, one append-only log, the objects as they are now.
//!
//! An object is one [`Arc`] of uid, version and its value in storage form, shared by every reader and watcher. Reads are snapshots; a write is
//! a compare-and-swap on the version that the writer saw. Watchers hold a cursor into the log and are told when the revision moves; a cursor
//! from before a compaction is refused. The lock is held for map operations only, never across an await. Knows nothing of HTTP or kinds.

mod mirror;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use env::watch;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::object;
use crate::resource::StorageName;

/// How many log entries are kept before the oldest are compacted away.
const LOG_LENGTH: usize = 10_000;

/// The place of one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The collection.
    pub storage: StorageName,
    /// Namespace; empty where the collection has none.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// One version of one object.
#[derive(Debug, PartialEq)]
pub struct Stored {
    /// `metadata.uid`.
    pub uid: String,
    /// The revision that wrote it: `metadata.resourceVersion` as a number.
    pub version: u64,
    /// The object in storage form, its `metadata.resourceVersion` included.
    pub value: Value,
}

/// What a log entry did to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It came to be.
    Added,
    /// It has another value.
    Modified,
    /// It is gone; the entry holds its last value, with the version of the removal.
    Deleted,
}

/// One entry of the log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The revision that this change made.
    pub revision: u64,
    /// What happened.
    pub change: Change,
    /// To which object.
    pub place: Place,
    /// Its value afterwards (its last one when it was deleted).
    pub object: Arc<Stored>,
    /// Its value before; none when it was added.
    pub before: Option<Arc<Stored>>,
}

/// A write was refused by the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// An object is there already.
    Exists,
    /// There is no such object.
    Missing,
    /// The object has another version than the writer saw.
    Stale,
}

/// A cursor lies before the oldest entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The oldest revision from which a watch can still start.
    pub oldest: u64,
}

#[derive(Debug, Default)]
struct Contents {
    revision: u64,
    compacted: u64,
    collections: BTreeMap<StorageName, BTreeMap<(String, String), Arc<Stored>>>,
    log: VecDeque<Entry>,
}

/// All objects of one cluster. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    contents: Arc<Mutex<Contents>>,
    moved: watch::Sender<u64>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            contents: Arc::default(),
            moved: watch::Sender::new(0),
        }
    }
}

impl Store {
    /// The revision of the last write.
    pub fn revision(&self) -> u64 {
        self.contents.lock().revision
    }

    /// Tells of every new revision.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// One object.
    pub fn get(&self, place: &Place) -> Option<Arc<Stored>> {
        let contents = self.contents.lock();
        contents
            .collections
            .get(&place.storage)?
            .get(&(place.namespace.clone(), place.name.clone()))
            .cloned()
    }

    /// A collection in the order of namespace and name, or one namespace of it, and the revision at which that was so.
    pub fn list(&self, storage: &StorageName, namespace: Option<&str>) -> (u64, Vec<Arc<Stored>>) {
        let contents = self.contents.lock();
        let objects = match (contents.collections.get(storage), namespace) {
            (None, _) => Vec::new(),
            (Some(objects), None) => objects.values().cloned().collect(),
            (Some(objects), Some(namespace)) => objects
                .range((namespace.to_owned(), String::new())..)
                .take_while(|((other, _), _)| other == namespace)
                .map(|(_, object)| object.clone())
                .collect(),
        };
        (contents.revision, objects)
    }

    /// The collections that hold anything.
    pub fn collections(&self) -> Vec<StorageName> {
        let contents = self.contents.lock();
        contents
            .collections
            .iter()
            .filter(|(_, objects)| !objects.is_empty())
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Puts a new object in its place and gives it its version.
    ///
    /// # Errors
    /// [`Refused::Exists`].
    pub fn create(&self, place: &Place, value: Value) -> Result<Arc<Stored>, Refused> {
        self.commit(|contents| {
            let objects = contents.collections.entry(place.storage.clone()).or_default();
            let key = (place.namespace.clone(), place.name.clone());
            if objects.contains_key(&key) {
                return Err(Refused::Exists);
            }
            let object = stamped(contents.revision + 1, value);
            objects.insert(key, object.clone());
            Ok((Change::Added, place.clone(), object, None))
        })
    }

    /// Replaces the object's value, if it still has the version `seen`.
    ///
    /// # Errors
    /// [`Refused::Missing`] or [`Refused::Stale`].
    pub fn replace(&self, place: &Place, seen: u64, value: Value) -> Result<Arc<Stored>, Refused> {
        self.commit(|contents| {
            let next = contents.revision + 1;
            let current = current(contents, place, seen)?;
            let object = stamped(next, value);
            let before = std::mem::replace(current, object.clone());
            Ok((Change::Modified, place.clone(), object, Some(before)))
        })
    }

    /// Removes the object, if it still has the version `seen`; the answer is its last value.
    ///
    /// # Errors
    /// [`Refused::Missing`] or [`Refused::Stale`].
    pub fn remove(&self, place: &Place, seen: u64) -> Result<Arc<Stored>, Refused> {
        self.commit(|contents| {
            let next = contents.revision + 1;
            let before = current(contents, place, seen)?.clone();
            if let Some(objects) = contents.collections.get_mut(&place.storage) {
                objects.remove(&(place.namespace.clone(), place.name.clone()));
            }
            let object = stamped(next, before.value.clone());
            Ok((Change::Deleted, place.clone(), object, Some(before)))
        })
    }

    /// The log after `cursor`, oldest first, of one collection or of all.
    ///
    /// # Errors
    /// [`Compacted`] when entries after the cursor are gone.
    pub fn since(&self, cursor: u64, storage: Option<&StorageName>) -> Result<Vec<Entry>, Compacted> {
        let contents = self.contents.lock();
        if cursor < contents.compacted {
            return Err(Compacted {
                oldest: contents.compacted,
            });
        }
        let first = contents.log.partition_point(|entry| entry.revision <= cursor);
        let wanted = |entry: &&Entry| storage.is_none_or(|storage| entry.place.storage == *storage);
        Ok(contents.log.range(first..).filter(wanted).cloned().collect())
    }

    /// Forgets the log up to and with `revision`.
    pub fn compact(&self, revision: u64) {
        let mut contents = self.contents.lock();
        let revision = revision.min(contents.revision);
        let kept = contents.log.partition_point(|entry| entry.revision <= revision);
        contents.log.drain(..kept);
        contents.compacted = contents.compacted.max(revision);
    }

    fn commit<E>(
        &self,
        change: impl FnOnce(&mut Contents) -> Result<(Change, Place, Arc<Stored>, Option<Arc<Stored>>), E>,
    ) -> Result<Arc<Stored>, E> {
        let mut contents = self.contents.lock();
        let (change, place, object, before) = change(&mut contents)?;
        contents.revision += 1;
        let revision = contents.revision;
        contents.log.push_back(Entry {
            revision,
            change,
            place,
            object: object.clone(),
            before,
        });
        if contents.log.len() > LOG_LENGTH
            && let Some(oldest) = contents.log.pop_front()
        {
            contents.compacted = oldest.revision;
        }
        // Told while the lock is held, so that revisions are never seen out of order.
        self.moved.send_replace(revision);
        Ok(object)
    }
}

fn current<'a>(contents: &'a mut Contents, place: &Place, seen: u64) -> Result<&'a mut Arc<Stored>, Refused> {
    let object = contents
        .collections
        .get_mut(&place.storage)
        .and_then(|objects| objects.get_mut(&(place.namespace.clone(), place.name.clone())))
        .ok_or(Refused::Missing)?;
    if object.version == seen {
        Ok(object)
    } else {
        Err(Refused::Stale)
    }
}

fn stamped(version: u64, mut value: Value) -> Arc<Stored> {
    object::entry(&mut value, &["metadata"]).insert("resourceVersion".to_owned(), json!(version.to_string()));
    Arc::new(Stored {
        uid: object::uid(&value).to_owned(),
        version,
        value,
    })
}
