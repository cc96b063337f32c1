//! A watch over a store: a cursor into its log, and a comparison where the log does not reach back.
//!
//! Both clusters use it: the embedded one over the API server's store, the remote one over its caches.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::cluster::{Delivered, Watched};
use crate::object;
use crate::resource::StorageName;
use crate::store::{Change, Place, Store, Stored};

/// What a watch is about.
pub(crate) enum Scope {
    /// These collections; a delivery tells which by its index.
    Some(Vec<StorageName>),
    /// All there are or will be.
    Everything,
}

impl Scope {
    fn index(&self, storage: &StorageName) -> Option<usize> {
        match self {
            Self::Some(wanted) => wanted.iter().position(|one| one == storage),
            Self::Everything => Some(0),
        }
    }
}

/// A cursor over several collections.
pub(crate) struct Following {
    store: Store,
    scope: Scope,
    known: BTreeMap<Place, Arc<Stored>>,
    cursor: Option<u64>,
    changes: env::watch::Receiver<u64>,
    closing: env::watch::Receiver<bool>,
}

impl Following {
    /// Begins with everything there is; ends when `closing` says so.
    pub(crate) fn new(store: Store, scope: Scope, closing: env::watch::Receiver<bool>) -> Self {
        let changes = store.changes();
        Self {
            store,
            scope,
            known: BTreeMap::new(),
            cursor: None,
            changes,
            closing,
        }
    }

    /// What has happened since the last call.
    fn collect(&mut self) -> Vec<Delivered> {
        let Some(cursor) = self.cursor else {
            return self.compare();
        };
        let Ok(entries) = self.store.since(cursor, None) else {
            return self.compare();
        };
        let mut delivered = Vec::new();
        for entry in entries {
            self.cursor = Some(entry.revision);
            let Some(resource) = self.scope.index(&entry.place.storage) else {
                continue;
            };
            if entry.change == Change::Deleted {
                self.known.remove(&entry.place);
            } else {
                self.known.insert(entry.place, entry.object.clone());
            }
            delivered.push(Delivered {
                resource,
                change: entry.change,
                object: entry.object,
                before: entry.before,
            });
        }
        delivered
    }

    /// What differs between what was delivered and what there is: everything at first, and after the log was compacted away.
    fn compare(&mut self) -> Vec<Delivered> {
        let mut delivered = Vec::new();
        let mut gone = std::mem::take(&mut self.known);
        let mut oldest = u64::MAX;
        let collections = match &self.scope {
            Scope::Some(wanted) => wanted.clone(),
            Scope::Everything => self.store.collections(),
        };
        for storage in &collections {
            let Some(resource) = self.scope.index(storage) else {
                continue;
            };
            let (revision, objects) = self.store.list(storage, None);
            oldest = oldest.min(revision);
            for object in objects {
                let place = Place {
                    storage: storage.clone(),
                    namespace: object::namespace(&object.value).to_owned(),
                    name: object::name(&object.value).to_owned(),
                };
                let before = gone.remove(&place);
                self.known.insert(place, object.clone());
                let change = match &before {
                    None => Change::Added,
                    Some(before) if before.version == object.version => continue,
                    Some(_) => Change::Modified,
                };
                delivered.push(Delivered {
                    resource,
                    change,
                    object,
                    before,
                });
            }
        }
        for (place, object) in gone {
            let Some(resource) = self.scope.index(&place.storage) else {
                continue;
            };
            delivered.push(Delivered {
                resource,
                change: Change::Deleted,
                object: object.clone(),
                before: Some(object),
            });
        }
        self.cursor = Some(if oldest == u64::MAX {
            self.store.revision()
        } else {
            oldest
        });
        delivered
    }
}

impl Watched for Following {
    fn next(&mut self) -> BoxFuture<'_, Vec<Delivered>> {
        Box::pin(async move {
            loop {
                if *self.closing.borrow() {
                    return Vec::new();
                }
                self.changes.mark_unchanged();
                let delivered = self.collect();
                if !delivered.is_empty() {
                    return delivered;
                }
                tokio::select! {
                    biased;
                    moved = self.changes.changed() => if moved.is_err() { return Vec::new(); },
                    _ = self.closing.changed() => return Vec::new(),
                }
            }
        })
    }
}
