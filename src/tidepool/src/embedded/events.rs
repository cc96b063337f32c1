//! Events as the embedded cluster keeps them: put into the store as they are, and dropped an hour after they were last counted.
//!
//! Its own parts compose them, so nothing is left to complete, admit or check; that keeps them out of the time that a simulated release takes,
//! and out of the sequences from which everything else is drawn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use env::{Chance, Moment};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::object;
use crate::resource::{EVENTS, NAMESPACES};
use crate::server::{Server, User};
use crate::store::{Place, Refused, Stored};

/// How long an Event is kept after it was last counted.
const KEPT: Duration = Duration::from_secs(3_600);

/// The Events of one cluster.
#[derive(Debug)]
pub(super) struct Events {
    uids: Chance,
    /// When each write becomes old, and the version that it made.
    written: Mutex<VecDeque<(Moment, Place, u64)>>,
}

impl Events {
    pub(super) fn new(server: &Server) -> Self {
        Self {
            uids: server.env().chance("api/event-uid"),
            written: Mutex::default(),
        }
    }

    /// Puts an Event in its place, over an earlier one of its name. One whose namespace is not there, or ending, is dropped.
    pub(super) fn record(&self, server: &Server, user: &User, event: Value) {
        let place = Place {
            storage: EVENTS.storage(),
            namespace: object::namespace(&event).to_owned(),
            name: object::name(&event).to_owned(),
        };
        if !is_open(server, &place.namespace) {
            return;
        }
        match self.put(server, &place, event) {
            Ok((verb, stored)) => {
                let path = || format!("/api/v1/namespaces/{}/events/{}", place.namespace, place.name);
                server.note(verb, path, &stored.value, &stored, user);
                let old = server.env().clock().elapsed().after(KEPT);
                self.written.lock().push_back((old, place, stored.version));
            }
            Err(refused) => tracing::debug!(?place, ?refused, "an event was lost"),
        }
        self.forget(server);
    }

    fn put(&self, server: &Server, place: &Place, mut event: Value) -> Result<(&'static str, Arc<Stored>), Refused> {
        let store = server.store();
        let known = store.get(place);
        let metadata = object::entry(&mut event, &["metadata"]);
        let Some(known) = known else {
            let now = object::seconds(server.env().now());
            metadata.insert("uid".to_owned(), json!(self.uids.uuid()));
            metadata.insert("creationTimestamp".to_owned(), json!(now));
            return Ok(("create", store.create(place, event)?));
        };
        for field in ["uid", "creationTimestamp"] {
            metadata.insert(field.to_owned(), known.value["metadata"][field].clone());
        }
        Ok(("update", store.replace(place, known.version, event)?))
    }

    /// Drops what has not been written again for an hour.
    fn forget(&self, server: &Server) {
        let now = server.env().clock().elapsed();
        let mut written = self.written.lock();
        while let Some((_, place, version)) = written.pop_front_if(|(old, _, _)| *old <= now) {
            // It was counted up since, or is gone: nothing to do.
            let _: Result<_, Refused> = server.store().remove(&place, version);
        }
    }
}

fn is_open(server: &Server, namespace: &str) -> bool {
    let place = Place {
        storage: NAMESPACES.storage(),
        namespace: String::new(),
        name: namespace.to_owned(),
    };
    let found = server.store().get(&place);
    found.is_some_and(|namespace| !object::is_deleting(&namespace.value))
}
