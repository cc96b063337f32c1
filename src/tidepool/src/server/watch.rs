//! Watch: a cursor into the log, seen through a selector.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use env::Moment;
use serde_json::json;

use super::list::revision;
use super::refusal::Cause;
use super::request::{Answer, Answered, Request};
use super::select::Selector;
use super::{Server, Target};
use crate::object;
use crate::resource::StorageName;
use crate::status::Status;
use crate::store::{Change, Stored};

/// How often a watch that allows bookmarks gets one.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// The least and the most that a watch without a timeout lasts.
const LASTS: (Duration, Duration) = (Duration::from_secs(1_800), Duration::from_secs(3_600));

/// One event of a watch.
#[derive(Clone, Debug)]
pub enum Event {
    /// An object came to be selected, changed, or ceased to be selected.
    Changed(Change, Arc<Stored>),
    /// Nothing up to and with this revision is missing.
    Bookmark {
        /// The revision.
        revision: u64,
        /// Whether it ends the initial events.
        initial_end: bool,
    },
    /// The watch cannot go on.
    Failed(Status),
}

/// The events of one watch. Cancelling [`WatchStream::next`] loses nothing.
#[derive(Debug)]
pub struct WatchStream {
    server: Server,
    user: String,
    storage: StorageName,
    namespace: String,
    selector: Selector,
    cursor: u64,
    ready: VecDeque<Event>,
    changes: env::watch::Receiver<u64>,
    closing: env::watch::Receiver<bool>,
    deadline: Moment,
    bookmark: Option<Moment>,
    failed: bool,
}

impl Server {
    pub(super) fn watch(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        let options = &request.options;
        let selector = self.selector(request, target)?;
        let asked = revision(&options.resource_version)?;
        let refuse = |why: &str| {
            let cause = Cause::forbidden("resourceVersionMatch", why);
            Err(Status::invalid_kind("meta.k8s.io", "ListOptions", "", &[cause]))
        };
        if options.send_initial_events.is_some() && options.resource_version_match != "NotOlderThan" {
            return refuse("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        if options.send_initial_events.is_none() && !options.resource_version_match.is_empty() {
            return refuse("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        }
        let (changes, closing) = (self.store().changes(), self.closing());
        let from_start = match options.send_initial_events {
            Some(wanted) => wanted,
            None => asked.is_none_or(|revision| revision == 0),
        };
        let mut ready = VecDeque::new();
        let cursor = if from_start {
            let namespace = (!target.place.namespace.is_empty()).then_some(target.place.namespace.as_str());
            let (revision, objects) = self.store().list(&target.place.storage, namespace);
            let selected = objects.into_iter().filter(|object| selector.matches(&object.value));
            ready.extend(selected.map(|object| Event::Changed(Change::Added, object)));
            if options.send_initial_events == Some(true) && options.bookmarks {
                ready.push_back(Event::Bookmark {
                    revision,
                    initial_end: true,
                });
            }
            revision
        } else {
            match asked {
                Some(revision) if revision > 0 => revision,
                _ => self.store().revision(),
            }
        };
        let lasts = options
            .timeout
            .unwrap_or_else(|| self.0.timeouts.duration(LASTS.0, LASTS.1));
        let now = self.env().clock().elapsed();
        Ok(Answered::from(Answer::Watch {
            kind: target.kind.clone(),
            stream: Box::new(WatchStream {
                server: self.clone(),
                user: request.user.name.clone(),
                storage: target.place.storage.clone(),
                namespace: target.place.namespace.clone(),
                selector,
                cursor,
                ready,
                changes,
                closing,
                deadline: now.after(lasts),
                bookmark: options.bookmarks.then(|| now.after(BOOKMARKS)),
                failed: false,
            }),
        }))
    }
}

impl WatchStream {
    /// The server whose events these are.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The next event; none when the watch has ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.note(&event);
                return Some(event);
            }
            if self.failed || *self.closing.borrow() {
                return None;
            }
            self.changes.mark_unchanged();
            self.collect();
            if !self.ready.is_empty() {
                continue;
            }
            let clock = self.server.env().clock().clone();
            let wake = self
                .bookmark
                .map_or(self.deadline, |bookmark| bookmark.min(self.deadline));
            tokio::select! {
                biased;
                moved = self.changes.changed() => moved.ok()?,
                _ = self.closing.changed() => return None,
                () = clock.sleep_until(wake) => {
                    if wake >= self.deadline {
                        return None;
                    }
                    self.bookmark = Some(wake.after(BOOKMARKS));
                    self.ready.push_back(Event::Bookmark { revision: self.cursor, initial_end: false });
                }
            }
        }
    }

    /// Moves the cursor to the end of the log.
    fn collect(&mut self) {
        let entries = match self.server.store().since(self.cursor, None) {
            Ok(entries) => entries,
            Err(compacted) => {
                self.failed = true;
                self.ready.push_back(Event::Failed(Status::expired(format!(
                    "too old resource version: {} ({})",
                    self.cursor, compacted.oldest
                ))));
                return;
            }
        };
        for entry in entries {
            self.cursor = self.cursor.max(entry.revision);
            let elsewhere = !self.namespace.is_empty() && entry.place.namespace != self.namespace;
            if entry.place.storage != self.storage || elsewhere {
                continue;
            }
            let was = entry
                .before
                .as_ref()
                .is_some_and(|before| self.selector.matches(&before.value));
            let is = entry.change != Change::Deleted && self.selector.matches(&entry.object.value);
            let event = match (was, is) {
                (false, false) => continue,
                (false, true) => Event::Changed(Change::Added, entry.object),
                (true, true) => Event::Changed(Change::Modified, entry.object),
                (true, false) if entry.change == Change::Deleted => Event::Changed(Change::Deleted, entry.object),
                // It is still there, but not for this watcher: the last value it knew, at the version that took it away.
                (true, false) => Event::Changed(Change::Deleted, left(entry.before.as_ref(), &entry.object)),
            };
            self.ready.push_back(event);
        }
    }

    fn note(&self, event: &Event) {
        let Event::Changed(change, object) = event else { return };
        self.server.env().record("deliver", || {
            json!({
                "to": self.user,
                "type": format!("{change:?}").to_uppercase(),
                "resource": self.storage.to_string(),
                "namespace": object::namespace(&object.value),
                "name": object::name(&object.value),
                "resourceVersion": object.version.to_string(),
            })
        });
    }
}

fn left(before: Option<&Arc<Stored>>, after: &Arc<Stored>) -> Arc<Stored> {
    let Some(before) = before else { return after.clone() };
    let mut value = before.value.clone();
    object::entry(&mut value, &["metadata"]).insert("resourceVersion".to_owned(), json!(after.version.to_string()));
    Arc::new(Stored {
        uid: before.uid.clone(),
        version: after.version,
        value,
    })
}
