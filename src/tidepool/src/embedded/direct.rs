//! The cluster directly on the API server: no HTTP, no JSON text.

use std::sync::Arc;

use env::Env;
use futures::future::BoxFuture;
use serde_json::Value;

use super::events::Events;
use crate::cluster::{Cluster, DeleteOptions, Watched};
use crate::following::{Following, Scope};
use crate::logs::Logs;
use crate::object;
use crate::resource::Resource;
use crate::server::{Answer, Request, Server, User, Verb};
use crate::status::Status;
use crate::store::{Place, Stored};

/// The field manager of the built-in controllers.
const MANAGER: &str = "kube-controller-manager";

/// The built-in controllers' view of an embedded cluster.
#[derive(Clone, Debug)]
pub(super) struct Direct {
    server: Server,
    user: User,
    events: Arc<Events>,
}

impl Direct {
    pub(super) fn new(server: Server) -> Self {
        Self {
            events: Arc::new(Events::new(&server)),
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

    fn follow(&self, scope: Scope) -> Following {
        Following::new(self.server.store().clone(), scope, self.server.closing())
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

    fn record(&self, event: Value) -> BoxFuture<'_, ()> {
        self.events.record(&self.server, &self.user, event);
        Box::pin(std::future::ready(()))
    }

    fn logs(&self) -> Logs {
        self.server.logs().clone()
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
        Box::new(self.follow(Scope::Some(resources.iter().map(Resource::storage).collect())))
    }

    fn watch_everything(&self) -> Box<dyn Watched> {
        Box::new(self.follow(Scope::Everything))
    }
}
