//! The history of a scenario: every version of every object that it watches, in the order in which the cluster committed them.
//!
//! One watch per kind, merged by resourceVersion. Invariants are judged on it afterwards, at every revision, instead of by looking now and then.

use std::sync::Arc;
use std::time::Duration;

use env::{Env, Moment};
use futures::{StreamExt, pin_mut};
use http::Request;
use kube::core::WatchEvent;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::object::text;
use crate::{ApiError, Kubernetes, ObjectRef, PodBook, Resource, World};

/// How long one watch request lasts before the next goes on where it ended.
const WATCH_SECONDS: u32 = 290;

/// How long to wait before a broken watch is begun again.
const RETRY: Duration = Duration::from_secs(1);

/// One version of an object.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The cluster's revision at which it was written.
    pub revision: u64,
    /// When it was seen.
    pub at: Moment,
    /// Whether this version is the last, and the object is gone.
    pub gone: bool,
    /// The object.
    pub object: Arc<Value>,
}

impl Entry {
    /// Brings a world up to this entry.
    pub fn apply(&self, world: &mut World) {
        if self.gone {
            world.remove(&ObjectRef::of(&self.object));
        } else {
            world.put(self.object.clone());
        }
    }
}

/// The entries so far. Clones are the same history.
#[derive(Clone, Debug, Default)]
pub struct History(Arc<Mutex<Vec<Entry>>>);

impl History {
    /// The entries in the order of their revisions.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = self.0.lock().clone();
        entries.sort_by_key(|entry| entry.revision);
        entries
    }

    fn push(&self, entry: Entry) {
        self.0.lock().push(entry);
    }
}

/// The watches that write a history. Dropping it ends them.
#[derive(Debug)]
pub struct Recorder {
    history: History,
    watches: JoinSet<()>,
}

impl Recorder {
    /// Lists and then watches `kinds` (API version and kind) in `namespace`.
    ///
    /// # Errors
    /// When a kind is unknown, or the first list fails.
    pub async fn start(
        env: &Env,
        kubernetes: &Kubernetes,
        namespace: &str,
        kinds: &[(&'static str, &'static str)],
        book: &PodBook,
    ) -> Result<Self, ApiError> {
        let history = History::default();
        let mut watches = JoinSet::new();
        for (api_version, kind) in kinds {
            let resource = kubernetes.resource(api_version, kind).await?;
            let watch = Watch {
                env: env.clone(),
                kubernetes: kubernetes.clone(),
                path: resource.path(Some(namespace)),
                resource,
                history: history.clone(),
                book: book.clone(),
            };
            let revision = watch.list().await?;
            watches.spawn(watch.follow(revision));
        }
        Ok(Self { history, watches })
    }

    /// The history that is being written.
    pub fn history(&self) -> History {
        self.history.clone()
    }

    /// Ends the watches and gives out what they saw.
    pub async fn finish(mut self) -> Vec<Entry> {
        self.watches.shutdown().await;
        self.history.entries()
    }
}

struct Watch {
    env: Env,
    kubernetes: Kubernetes,
    resource: Resource,
    path: String,
    history: History,
    book: PodBook,
}

impl Watch {
    async fn list(&self) -> Result<String, ApiError> {
        let (items, revision) = self.kubernetes.list_at(&self.resource, &self.path).await?;
        for item in items {
            self.record(item, false);
        }
        Ok(revision)
    }

    async fn follow(self, mut revision: String) {
        loop {
            match self.watch_once(&mut revision).await {
                Ok(()) => {}
                Err(kube::Error::Api(status)) if status.code == 410 => {
                    if let Ok(fresh) = self.list().await {
                        revision = fresh;
                    }
                }
                Err(_) => self.env.sleep(RETRY).await,
            }
        }
    }

    async fn watch_once(&self, revision: &mut String) -> Result<(), kube::Error> {
        let path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={revision}",
            self.path
        );
        let request = Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
        let events = self.kubernetes.client().request_events::<Value>(request).await?;
        pin_mut!(events);
        while let Some(event) = events.next().await {
            match event? {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    *revision = text(&object, "/metadata/resourceVersion").to_owned();
                    self.record(object, false);
                }
                WatchEvent::Deleted(object) => {
                    *revision = text(&object, "/metadata/resourceVersion").to_owned();
                    self.record(object, true);
                }
                WatchEvent::Bookmark(bookmark) => *revision = bookmark.metadata.resource_version,
                WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
            }
        }
        Ok(())
    }

    fn record(&self, mut object: Value, gone: bool) {
        if let Some(fields) = object.as_object_mut() {
            fields.insert(
                "apiVersion".to_owned(),
                Value::String(self.resource.api_version.clone()),
            );
            fields.insert("kind".to_owned(), Value::String(self.resource.kind.clone()));
            if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("managedFields");
            }
        }
        if self.resource.kind == "Pod" {
            self.book.learn(&object);
        }
        self.history.push(Entry {
            revision: text(&object, "/metadata/resourceVersion").parse().unwrap_or_default(),
            at: self.env.clock().elapsed(),
            gone,
            object: Arc::new(object),
        });
    }
}
