//! The API server without HTTP: from a [`Request`] to an [`Answered`] or a [`Status`].
//!
//! The machinery knows no kind by name: types come from [`Types`], differences between kinds from [`strategy`], refusals and changes from
//! admission. Reads are snapshots of the store; a write is decoded, admitted, and put in by compare-and-swap, again from the start when
//! somebody else was faster. No lock is held across an await.

mod apply;
mod convert;
mod create;
mod delete;
mod list;
pub mod log;
mod meta;
pub mod names;
mod patch;
pub mod refusal;
mod registry;
pub mod request;
pub mod select;
mod shape;
pub mod strategy;
pub(crate) mod subresource;
#[cfg(test)]
mod tests;
pub mod types;
mod types_builtin;
mod update;
pub mod watch;

use std::sync::Arc;

use env::{Chance, Env};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use registry::Registry;
pub use request::{Answer, Answered, FieldValidation, Options, Page, PatchKind, Request, User, Verb};
pub use types::{TypeInfo, Types};
pub use types_builtin::Builtin;

use crate::admission::Admission;
use crate::logs::Logs;
use crate::object;
use crate::status::Status;
use crate::store::{Place, Store, Stored};
use strategy::{Strategies, Strategy};

/// One API server. Clones are the same server.
#[derive(Clone, Debug)]
pub struct Server(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    env: Env,
    store: Store,
    types: Arc<dyn Types>,
    strategies: Strategies,
    admission: Admission,
    uids: Chance,
    suffixes: Chance,
    timeouts: Chance,
    reviews: Chance,
    closing: env::watch::Sender<bool>,
    logs: Logs,
}

/// What every verb needs to know of its request.
#[derive(Debug)]
struct Target {
    kind: Arc<TypeInfo>,
    place: Place,
}

impl Server {
    /// A server over `store`.
    pub fn new(env: Env, store: Store, types: Arc<dyn Types>, admission: Admission) -> Self {
        Self(Arc::new(Parts {
            uids: env.chance("api/uid"),
            suffixes: env.chance("api/generate-name"),
            timeouts: env.chance("api/watch-timeout"),
            reviews: env.chance("api/review"),
            env,
            store,
            types,
            strategies: Strategies::builtin(),
            admission,
            closing: env::watch::Sender::new(false),
            logs: Logs::default(),
        }))
    }

    /// Time, chance and network.
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    /// The store below.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What containers wrote.
    pub fn logs(&self) -> &Logs {
        &self.0.logs
    }

    /// The types that it serves.
    pub fn types(&self) -> &dyn Types {
        self.0.types.as_ref()
    }

    /// Ends every watch.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    /// Tells when the server closes.
    pub fn closing(&self) -> env::watch::Receiver<bool> {
        self.0.closing.subscribe()
    }

    /// Answers one request.
    ///
    /// # Errors
    /// The status with which it is refused.
    pub async fn call(&self, request: Request) -> Result<Answered, Status> {
        let kind = self
            .0
            .types
            .find(&request.group, &request.version, &request.plural)
            .ok_or_else(Status::no_such_path)?;
        if kind.resource.namespaced && request.namespace.is_empty() && !request.name.is_empty() {
            return Err(Status::no_such_path());
        }
        let place = Place {
            storage: kind.resource.storage(),
            namespace: if kind.resource.namespaced {
                request.namespace.clone()
            } else {
                String::new()
            },
            name: request.name.clone(),
        };
        let target = Target { kind, place };
        if !request.subresource.is_empty() {
            return self.subresource(&request, &target).await;
        }
        if !target.kind.verbs.iter().any(|verb| verb == request.verb.name()) {
            return Err(Status::method_not_allowed());
        }
        match request.verb {
            Verb::Get => self.get(&request, &target).await,
            Verb::List => self.list(&request, &target).await,
            Verb::Watch => self.watch(&request, &target),
            Verb::Create => self.create(&request, &target).await,
            Verb::Update => self.update(&request, &target).await,
            Verb::Patch(how) => self.patch(&request, &target, how).await,
            Verb::Delete => self.delete(&request, &target).await,
            Verb::DeleteCollection => self.delete_collection(&request, &target).await,
        }
    }

    /// A uid for one question to a webhook.
    pub(crate) fn review_uid(&self) -> String {
        self.0.reviews.uuid()
    }

    fn strategy(&self, kind: &TypeInfo) -> &Strategy {
        self.0.strategies.of(&kind.resource.storage(), kind.custom)
    }

    /// Gives a new value what only one object of its collection may have.
    fn allocate(
        &self,
        target: &Target,
        preparing: &strategy::Preparing<'_>,
        name: &str,
        new: &mut Value,
    ) -> Result<(), Status> {
        let Some(allocate) = self.strategy(&target.kind).allocate else {
            return Ok(());
        };
        let (_, mut others) = self.store().list(&target.place.storage, None);
        others.retain(|other| other.uid != object::uid(new));
        let causes = allocate(preparing, &others, new);
        if causes.is_empty() {
            Ok(())
        } else {
            Err(Status::invalid(&target.kind, name, &causes))
        }
    }

    /// Notes a write in the trace: by whom, where, and the digest of its body.
    pub(crate) fn note(&self, verb: &str, path: impl FnOnce() -> String, body: &Value, stored: &Stored, user: &User) {
        self.0.env.record("write", || {
            let digest = Sha256::digest(body.to_string());
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({
                "verb": verb,
                "path": path(),
                "resourceVersion": stored.version.to_string(),
                "sha256": hex,
                "user": user.name,
            })
        });
    }

    fn note_request(&self, request: &Request, stored: &Stored) {
        let path = || request.path();
        self.note(request.verb.name(), path, &request.body, stored, &request.user);
    }
}

impl Answered {
    fn object(kind: &Arc<TypeInfo>, object: Arc<Stored>) -> Self {
        Self::from(Answer::Object {
            kind: kind.clone(),
            object,
            created: false,
        })
    }
}

impl From<Answer> for Answered {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            warnings: Vec::new(),
        }
    }
}
