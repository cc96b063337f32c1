//! What the driver knows of the cluster: one ordered map per kind, with indexes, fed by deliveries.
//!
//! Pure: no clock, no client. Objects are kept without `managedFields` and shared with the worlds that are decided on.

use std::collections::{BTreeMap, BTreeSet};

use env::Moment;
use kube::core::DynamicObject;
use rollout::{Kind, Object};

use super::index::{self, Index};

/// Where an object is within its kind: namespace and name. Ordered by namespace.
pub(crate) type Place = (String, String);

/// The place that the object's own metadata names.
pub(crate) fn place(object: &DynamicObject) -> Place {
    (
        object.metadata.namespace.clone().unwrap_or_default(),
        object.metadata.name.clone().unwrap_or_default(),
    )
}

/// The object's resourceVersion as a number, which they are defined to be comparable as.
pub(crate) fn version(object: &DynamicObject) -> Option<u64> {
    object.metadata.resource_version.as_deref()?.parse().ok()
}

/// One thing that a watch said.
#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    /// A list is complete: these are all the objects, and nothing else exists. `began` is when the list was asked for, `version` in which
    /// version of the kind.
    Replaced {
        objects: Vec<DynamicObject>,
        began: Moment,
        version: &'static str,
    },
    /// An object was created or changed.
    Applied(DynamicObject),
    /// An object is gone; this is what was last seen of it.
    Deleted(DynamicObject),
    /// The API server does not serve the kind: nothing of it exists. `began` is when it was asked.
    Unserved { began: Moment },
    /// This account may not read the kind: what is known of it may be old, and what is not known may exist.
    Unreadable { why: String },
    /// The list or the watch failed, and is tried again; nothing is known anew.
    Failed(Failure),
}

/// Why a feed has nothing to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The API server gave no answer, or none that it stands by: it is away, starting or too busy. What was seen of that.
    Unanswered(String),
    /// It refused; the feed has said so.
    Refused,
}

impl Delivery {
    /// When what it says of all objects was asked for, if it does.
    pub(crate) fn began(&self) -> Option<Moment> {
        match self {
            Self::Replaced { began, .. } | Self::Unserved { began } => Some(*began),
            Self::Applied(_) | Self::Deleted(_) | Self::Unreadable { .. } | Self::Failed(_) => None,
        }
    }
}

/// How an object changed: `before` and `after` as far as they exist.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) kind: Kind,
    pub(crate) before: Option<Object>,
    pub(crate) after: Option<Object>,
}

/// What is known of a kind as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Knowledge {
    /// Nothing yet: an absence proves nothing.
    Unlisted,
    /// Its objects, in this version.
    Served(&'static str),
    /// The API server does not know the kind.
    Unserved,
    /// This account may not read it, for this reason.
    Unreadable(String),
}

/// The objects of one kind.
#[derive(Debug)]
struct Cache {
    kind: Kind,
    objects: BTreeMap<Place, Object>,
    indexes: BTreeMap<(Index, String, String), BTreeSet<String>>,
    /// The newest resourceVersion delivered, of whatever object: within one kind, watches deliver in the order of versions.
    seen: u64,
    knowledge: Knowledge,
}

impl Cache {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            objects: BTreeMap::new(),
            indexes: BTreeMap::new(),
            seen: 0,
            knowledge: Knowledge::Unlisted,
        }
    }

    fn take(&mut self, delivery: Delivery) -> Vec<Change> {
        match delivery {
            Delivery::Applied(object) => self.set(object).into_iter().collect(),
            Delivery::Deleted(object) => {
                self.seen = self.seen.max(version(&object).unwrap_or_default());
                self.remove(&place(&object)).into_iter().collect()
            }
            Delivery::Replaced { objects, version, .. } => {
                self.knowledge = Knowledge::Served(version);
                self.replace(objects)
            }
            Delivery::Unserved { .. } => {
                self.knowledge = Knowledge::Unserved;
                self.replace(Vec::new())
            }
            Delivery::Unreadable { why } => {
                self.knowledge = Knowledge::Unreadable(why);
                Vec::new()
            }
            Delivery::Failed(_) => Vec::new(),
        }
    }

    fn replace(&mut self, objects: Vec<DynamicObject>) -> Vec<Change> {
        let listed: BTreeSet<Place> = objects.iter().map(place).collect();
        let gone: Vec<Place> = self
            .objects
            .keys()
            .filter(|place| !listed.contains(*place))
            .cloned()
            .collect();
        let mut changes: Vec<Change> = gone.iter().filter_map(|place| self.remove(place)).collect();
        changes.extend(objects.into_iter().filter_map(|object| self.set(object)));
        changes
    }

    fn set(&mut self, mut object: DynamicObject) -> Option<Change> {
        self.seen = self.seen.max(version(&object).unwrap_or_default());
        object.metadata.managed_fields = None;
        let place = place(&object);
        let before = self.objects.get(&place).cloned();
        if before.as_deref() == Some(&object) {
            return None;
        }
        if let Some(before) = &before {
            self.unindex(&place, before);
        }
        let after = Object::new(object);
        for (index, text) in index::entries(self.kind, &after) {
            self.indexes
                .entry((index, place.0.clone(), text))
                .or_default()
                .insert(place.1.clone());
        }
        self.objects.insert(place, after.clone());
        Some(Change {
            kind: self.kind,
            before,
            after: Some(after),
        })
    }

    fn remove(&mut self, place: &Place) -> Option<Change> {
        let before = self.objects.remove(place)?;
        self.unindex(place, &before);
        Some(Change {
            kind: self.kind,
            before: Some(before),
            after: None,
        })
    }

    fn unindex(&mut self, place: &Place, object: &DynamicObject) {
        for (index, text) in index::entries(self.kind, object) {
            let entry = (index, place.0.clone(), text);
            if let Some(names) = self.indexes.get_mut(&entry) {
                names.remove(&place.1);
                if names.is_empty() {
                    self.indexes.remove(&entry);
                }
            }
        }
    }
}

/// The caches of all kinds.
#[derive(Debug)]
pub(crate) struct Caches(BTreeMap<Kind, Cache>);

impl Caches {
    pub(crate) fn new() -> Self {
        Self(Kind::ALL.into_iter().map(|kind| (kind, Cache::new(kind))).collect())
    }

    /// Whether something is known of every kind: before that, an absence proves nothing.
    pub(crate) fn synced(&self) -> bool {
        self.0.values().all(|cache| cache.knowledge != Knowledge::Unlisted)
    }

    /// What is known of `kind` as a whole.
    pub(crate) fn knowledge(&self, kind: Kind) -> &Knowledge {
        self.0.get(&kind).map_or(&Knowledge::Unlisted, |cache| &cache.knowledge)
    }

    /// The versions in which kinds are served, as far as it is known.
    pub(crate) fn versions(&self) -> BTreeMap<Kind, &'static str> {
        let served = self.0.iter().filter_map(|(kind, cache)| match cache.knowledge {
            Knowledge::Served(version) => Some((*kind, version)),
            Knowledge::Unlisted | Knowledge::Unserved | Knowledge::Unreadable(_) => None,
        });
        served.collect()
    }

    /// All objects of `kind`.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.0.get(&kind).into_iter().flat_map(|cache| cache.objects.values())
    }

    /// Takes a delivery in and says what it changed.
    pub(crate) fn take(&mut self, kind: Kind, delivery: Delivery) -> Vec<Change> {
        self.0
            .get_mut(&kind)
            .map(|cache| cache.take(delivery))
            .unwrap_or_default()
    }

    /// The newest resourceVersion that was delivered of `kind`.
    pub(crate) fn seen(&self, kind: Kind) -> u64 {
        self.0.get(&kind).map_or(0, |cache| cache.seen)
    }

    /// One object by name.
    pub(crate) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        self.0.get(&kind)?.objects.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The objects of `namespace` that are found under `text`, by name.
    pub(crate) fn find(&self, kind: Kind, index: Index, namespace: &str, text: &str) -> Vec<&Object> {
        let Some(cache) = self.0.get(&kind) else {
            return Vec::new();
        };
        cache
            .indexes
            .get(&(index, namespace.to_owned(), text.to_owned()))
            .into_iter()
            .flatten()
            .filter_map(|name| cache.objects.get(&(namespace.to_owned(), name.clone())))
            .collect()
    }
}
