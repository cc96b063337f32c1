//! The cluster directly on the API server: no HTTP, no JSON text.

use std::collections::BTreeMap;
use std::sync::Arc;

use env::Env;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::cluster::{Cluster, DeleteOptions, Delivered, Watched};
use crate::object;
use crate::resource::{Resource, StorageName};
use crate::server::{Answer, Request, Server, User, Verb};
use crate::status::Status;
use crate::store::{Change, Place, Stored};

/// The field manager of the built-in controllers.
const MANAGER: &str = "kube-controller-manager";

/// The built-in controllers' view of an embedded cluster.
#[derive(Clone, Debug)]
pub(super) struct Direct {
    server: Server,
    user: User,
}

impl Direct {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            user: User::named("system:kube-controller-manager"),
        }
    }

    fn request(&self, verb: Verb, resource: &Resource, namespace: &str, name: &str) -> Request {
        let mut request = Request::new(verb, resource, self.user.clone());
        namespace.clone_into(&mut request.namespace);
        name.clone_into(&mut request.name);
        MANAGER.clone_into(&mut request.options.field_manager);
        request
    }

    async fn write(&self, request: Request) -> Result<Arc<Stored>, Status> {
        let name = request.name.clone();
        match self.server.call(request).await?.answer {
            Answer::Object { object, .. } => Ok(object),
            _ => Err(Status::internal(format!(
                "write of {name:?} was answered without an object"
            ))),
        }
    }
}

fn place(resource: &Resource, namespace: &str, name: &str) -> Place {
    Place {
        storage: resource.storage(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

impl Cluster for Direct {
    fn env(&self) -> &Env {
        self.server.env()
    }

    fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Arc<Stored>> {
        self.server.store().get(&place(resource, namespace, name))
    }

    fn list(&self, resource: &Resource, namespace: Option<&str>) -> Vec<Arc<Stored>> {
        self.server.store().list(&resource.storage(), namespace).1
    }

    fn create<'a>(&'a self, resource: &'a Resource, object: Value) -> BoxFuture<'a, Result<Arc<Stored>, Status>> {
        let mut request = self.request(Verb::Create, resource, object::namespace(&object), "");
        request.body = object;
        Box::pin(self.write(request))
    }

    fn update<'a>(&'a self, resource: &'a Resource, object: Value) -> BoxFuture<'a, Result<Arc<Stored>, Status>> {
        let mut request = self.request(
            Verb::Update,
            resource,
            object::namespace(&object),
            object::name(&object),
        );
        request.body = object;
        Box::pin(self.write(request))
    }

    fn update_status<'a>(
        &'a self,
        resource: &'a Resource,
        object: Value,
    ) -> BoxFuture<'a, Result<Arc<Stored>, Status>> {
        let mut request = self.request(
            Verb::Update,
            resource,
            object::namespace(&object),
            object::name(&object),
        );
        "status".clone_into(&mut request.subresource);
        request.body = object;
        Box::pin(self.write(request))
    }

    fn delete<'a>(
        &'a self,
        resource: &'a Resource,
        namespace: &'a str,
        name: &'a str,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<(), Status>> {
        let mut request = self.request(Verb::Delete, resource, namespace, name);
        request.options.delete = options;
        Box::pin(async move { self.server.call(request).await.map(|_| ()) })
    }

    fn write_subresource<'a>(
        &'a self,
        resource: &'a Resource,
        subresource: &'a str,
        object: Value,
    ) -> BoxFuture<'a, Result<(), Status>> {
        let verb = if subresource == "binding" {
            Verb::Create
        } else {
            Verb::Update
        };
        let mut request = self.request(verb, resource, object::namespace(&object), object::name(&object));
        subresource.clone_into(&mut request.subresource);
        request.body = object;
        Box::pin(async move { self.server.call(request).await.map(|_| ()) })
    }

    fn resources(&self) -> Vec<Resource> {
        let types = self.server.types().all().into_iter();
        types
            .filter(|kind| kind.resource.version == kind.storage_version)
            .map(|kind| kind.resource.clone())
            .collect()
    }

    fn resource_of(&self, api_version: &str, kind: &str) -> Option<Resource> {
        let types = self.server.types().all().into_iter();
        types
            .map(|info| info.resource.clone())
            .find(|resource| resource.kind == kind && resource.api_version() == api_version)
    }

    fn watch(&self, resources: &[Resource]) -> Box<dyn Watched> {
        self.follow(Scope::Some(resources.iter().map(Resource::storage).collect()))
    }

    fn watch_everything(&self) -> Box<dyn Watched> {
        self.follow(Scope::Everything)
    }
}

/// What a watch is about.
enum Scope {
    Some(Vec<StorageName>),
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

impl Direct {
    fn follow(&self, scope: Scope) -> Box<dyn Watched> {
        Box::new(Following {
            server: self.server.clone(),
            scope,
            known: BTreeMap::new(),
            cursor: None,
            changes: self.server.store().changes(),
            closing: self.server.closing(),
        })
    }
}

/// A cursor over several collections.
struct Following {
    server: Server,
    scope: Scope,
    known: BTreeMap<Place, Arc<Stored>>,
    cursor: Option<u64>,
    changes: env::watch::Receiver<u64>,
    closing: env::watch::Receiver<bool>,
}

impl Following {
    /// What has happened since the last call.
    fn collect(&mut self) -> Vec<Delivered> {
        let Some(cursor) = self.cursor else {
            return self.compare();
        };
        let Ok(entries) = self.server.store().since(cursor, None) else {
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
            Scope::Everything => self.server.store().collections(),
        };
        for storage in &collections {
            let Some(resource) = self.scope.index(storage) else {
                continue;
            };
            let (revision, objects) = self.server.store().list(storage, None);
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
            self.server.store().revision()
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
