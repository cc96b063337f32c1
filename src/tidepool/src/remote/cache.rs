//! What is known of a remote cluster: a mirror of each collection that somebody wants.
//!
//! Two hands write into it: the feeds, which bring what the API server lists and watches, and the view, which brings the answers to its own
//! writes. The later version wins, so neither can take back what the other brought; what this process saw deleted does not come back with an
//! older list or event.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use env::watch;
use parking_lot::Mutex;
use serde_json::Value;

use crate::object;
use crate::resource::{Resource, StorageName};
use crate::store::{Place, Store, Stored};

/// All collections of one remote cluster.
#[derive(Debug)]
pub(super) struct Cache {
    store: Store,
    marks: Mutex<BTreeMap<StorageName, Marks>>,
    wanted: watch::Sender<BTreeSet<Resource>>,
    filled: watch::Sender<BTreeSet<Resource>>,
    served: Mutex<Arc<[Resource]>>,
    /// Whether what comes to be served is to be cached as well.
    everything: AtomicBool,
}

/// What is remembered of one collection beyond its objects.
#[derive(Debug, Default)]
struct Marks {
    /// Places written to since the running list began: that list may be older than they are. None while no list runs.
    written: Option<BTreeSet<Place>>,
    /// The latest version that a feed brought: everything up to it is known, so an older answer about an empty place came too late.
    latest: u64,
    /// The uids of objects that are gone, until the watch says so as well.
    buried: BTreeMap<Place, String>,
}

impl Cache {
    /// Empty caches of a cluster that serves these collections.
    pub(super) fn new(served: Vec<Resource>) -> Self {
        Self {
            store: Store::default(),
            marks: Mutex::default(),
            wanted: watch::Sender::new(BTreeSet::new()),
            filled: watch::Sender::new(BTreeSet::new()),
            served: Mutex::new(served.into()),
            everything: AtomicBool::new(false),
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Every collection that is served: the preferred version of each first, in a fixed order.
    pub(super) fn served(&self) -> Arc<[Resource]> {
        self.served.lock().clone()
    }

    pub(super) fn set_served(&self, served: Vec<Resource>) {
        *self.served.lock() = served.into();
    }

    /// Asks that a collection be cached from now on.
    pub(super) fn want(&self, resource: &Resource) {
        self.wanted.send_if_modified(|wanted| wanted.insert(resource.clone()));
    }

    /// Asks that every served collection be cached, in one version each, now and later.
    pub(super) fn want_everything(&self) {
        self.everything.store(true, Ordering::Relaxed);
        self.want_what_is_new();
    }

    /// Wants every served collection, if everything is wanted.
    pub(super) fn want_what_is_new(&self) {
        if !self.everything.load(Ordering::Relaxed) {
            return;
        }
        for resource in once_each(&self.served()) {
            self.want(&resource);
        }
    }

    /// The collections that somebody wants.
    pub(super) fn wanted(&self) -> watch::Receiver<BTreeSet<Resource>> {
        self.wanted.subscribe()
    }

    /// The collections whose first list has arrived.
    pub(super) fn filled(&self) -> watch::Receiver<BTreeSet<Resource>> {
        self.filled.subscribe()
    }

    /// The answer to a write of this process. It is kept where a feed follows the collection: elsewhere it would grow old.
    pub(super) fn written(&self, resource: &Resource, value: Value) -> Arc<Stored> {
        let (place, object) = placed(resource, value);
        let followed = self
            .wanted
            .borrow()
            .iter()
            .any(|wanted| wanted.storage() == place.storage);
        if followed {
            let mut marks = self.marks.lock();
            let marks = marks.entry(place.storage.clone()).or_default();
            if let Some(written) = &mut marks.written {
                written.insert(place.clone());
            }
            if object.version > marks.latest || self.store.get(&place).is_some() {
                self.store.mirror(&place, object.clone());
            }
        }
        object
    }

    /// This process deleted the object, and it is gone.
    pub(super) fn removed(&self, resource: &Resource, namespace: &str, name: &str, uid: &str) {
        let place = Place {
            storage: resource.storage(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let mut marks = self.marks.lock();
        let marks = marks.entry(place.storage.clone()).or_default();
        // Where the watch was first, nothing is left to say.
        if self.store.forget(&place, uid, None) {
            marks.buried.insert(place, uid.to_owned());
        }
    }

    /// A watch says that the object is so.
    pub(super) fn applied(&self, resource: &Resource, value: Value) {
        let (place, object) = placed(resource, value);
        let mut marks = self.marks.lock();
        let marks = marks.entry(place.storage.clone()).or_default();
        self.take_in(marks, &place, object);
    }

    /// A watch says that the object is gone; this was its last value.
    pub(super) fn deleted(&self, resource: &Resource, value: Value) {
        let (place, object) = placed(resource, value);
        let mut marks = self.marks.lock();
        let marks = marks.entry(place.storage.clone()).or_default();
        if marks.buried.get(&place) == Some(&object.uid) {
            marks.buried.remove(&place);
        }
        marks.latest = marks.latest.max(object.version);
        let uid = object.uid.clone();
        self.store.forget(&place, &uid, Some(object));
    }

    /// A list begins.
    pub(super) fn list_begins(&self, resource: &Resource) {
        let mut marks = self.marks.lock();
        marks.entry(resource.storage()).or_default().written = Some(BTreeSet::new());
    }

    /// A list is complete: what it does not hold is gone, unless it was written since the list began.
    pub(super) fn listed(&self, resource: &Resource, values: Vec<Value>) {
        let storage = resource.storage();
        {
            let mut all = self.marks.lock();
            let marks = all.entry(storage.clone()).or_default();
            let written = marks.written.take().unwrap_or_default();
            let mut there = BTreeSet::new();
            for value in values {
                let (place, object) = placed(resource, value);
                there.insert(place.clone());
                self.take_in(marks, &place, object);
            }
            for known in self.store.list(&storage, None).1 {
                let (place, _) = place_of(resource, &known.value);
                if !there.contains(&place) && !written.contains(&place) {
                    self.store.forget(&place, &known.uid, None);
                }
            }
            marks.buried.retain(|place, _| there.contains(place));
        }
        self.filled.send_if_modified(|filled| filled.insert(resource.clone()));
    }

    /// How many places are remembered of a collection beyond its objects.
    #[cfg(test)]
    fn marked(&self, resource: &Resource) -> usize {
        let marks = self.marks.lock();
        marks
            .get(&resource.storage())
            .map_or(0, |marks| marks.written.iter().flatten().count() + marks.buried.len())
    }

    fn take_in(&self, marks: &mut Marks, place: &Place, object: Arc<Stored>) {
        marks.latest = marks.latest.max(object.version);
        if marks.buried.get(place) != Some(&object.uid) {
            self.store.mirror(place, object);
        }
    }
}

/// The first version of each collection.
pub(super) fn once_each(served: &[Resource]) -> Vec<Resource> {
    let mut seen = BTreeSet::new();
    let first = served.iter().filter(|resource| seen.insert(resource.storage()));
    first.cloned().collect()
}

fn place_of(resource: &Resource, value: &Value) -> (Place, u64) {
    let place = Place {
        storage: resource.storage(),
        namespace: object::namespace(value).to_owned(),
        name: object::name(value).to_owned(),
    };
    let version = object::text(value, &["metadata", "resourceVersion"]).parse();
    (place, version.unwrap_or_default())
}

fn placed(resource: &Resource, value: Value) -> (Place, Arc<Stored>) {
    let (place, version) = place_of(resource, &value);
    let object = Stored {
        uid: object::uid(&value).to_owned(),
        version,
        value,
    };
    (place, Arc::new(object))
}
