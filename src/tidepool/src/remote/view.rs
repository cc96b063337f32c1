//! The cluster through a kube client: reads from the caches, writes over HTTP.

use std::sync::Arc;

use env::{Env, watch};
use futures::future::BoxFuture;
use http::{Method, Request};
use serde_json::{Value, json};

use super::cache::{Cache, once_each};
use super::refusal;
use crate::cluster::{Cluster, DeleteOptions, Watched};
use crate::following::{Following, Scope};
use crate::object;
use crate::resource::{DEFINITIONS, EVENTS, Resource};
use crate::status::Status;
use crate::store::{Place, Stored};

/// The field manager of everything that is written here.
const MANAGER: &str = "tidepool";

/// A remote cluster as its parts see it.
pub(super) struct View {
    env: Env,
    client: kube::Client,
    cache: Arc<Cache>,
    closing: watch::Receiver<bool>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").finish_non_exhaustive()
    }
}

impl View {
    pub(super) fn new(env: Env, client: kube::Client, cache: Arc<Cache>, closing: watch::Receiver<bool>) -> Self {
        Self {
            env,
            client,
            cache,
            closing,
        }
    }

    /// Sends one request; the answer is an object or a `Status` of success.
    async fn send(&self, method: Method, path: String, body: &Value) -> Result<Value, Status> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body.to_string().into_bytes())
            .map_err(Status::internal)?;
        self.client.request(request).await.map_err(refusal::status)
    }

    async fn write(
        &self,
        method: Method,
        path: String,
        resource: &Resource,
        body: Value,
    ) -> Result<Arc<Stored>, Status> {
        let answer = self.send(method, path, &typed(resource, body)).await?;
        Ok(self.cache.written(resource, answer))
    }

    fn follow(&self, scope: Scope) -> Following {
        Following::new(self.cache.store().clone(), scope, self.closing.clone())
    }
}

/// The object with its kind, which the API server wants to see and a cached list item may lack.
fn typed(resource: &Resource, mut body: Value) -> Value {
    let fields = object::entry(&mut body, &[]);
    fields
        .entry("apiVersion")
        .or_insert_with(|| json!(resource.api_version()));
    fields.entry("kind").or_insert_with(|| json!(resource.kind));
    body
}

/// The path of a collection, of an object in it (`name` not empty), or of a subresource of that. Names of Kubernetes need no escaping.
fn path(resource: &Resource, namespace: &str, name: &str, subresource: &str) -> String {
    let mut path = if resource.group.is_empty() {
        format!("/api/{}", resource.version)
    } else {
        format!("/apis/{}/{}", resource.group, resource.version)
    };
    if resource.namespaced && !namespace.is_empty() {
        path.push_str("/namespaces/");
        path.push_str(namespace);
    }
    for part in [&resource.plural, name, subresource] {
        if !part.is_empty() {
            path.push('/');
            path.push_str(part);
        }
    }
    path
}

fn managed(path: &str) -> String {
    format!("{path}?fieldManager={MANAGER}")
}

/// Whether the answer to a delete says that the object is gone, and not only on its way.
fn is_gone(answer: &Value) -> bool {
    if answer["kind"] == "Status" {
        return true;
    }
    let waits = |path: &[&str]| !object::items(answer, path).is_empty();
    let at_once =
        !object::is_deleting(answer) || object::number(answer, &["metadata", "deletionGracePeriodSeconds"]) == Some(0);
    at_once && !waits(&["metadata", "finalizers"]) && !waits(&["spec", "finalizers"])
}

fn delete_options(options: &DeleteOptions) -> Value {
    let mut body = json!({ "apiVersion": "v1", "kind": "DeleteOptions" });
    if let Some(grace) = options.grace {
        body["gracePeriodSeconds"] = json!(grace);
    }
    if let Some(propagation) = &options.propagation {
        body["propagationPolicy"] = json!(propagation);
    }
    if let Some(uid) = &options.uid {
        object::entry(&mut body, &["preconditions"]).insert("uid".to_owned(), json!(uid));
    }
    if let Some(version) = &options.resource_version {
        object::entry(&mut body, &["preconditions"]).insert("resourceVersion".to_owned(), json!(version));
    }
    body
}

impl Cluster for View {
    fn env(&self) -> &Env {
        &self.env
    }

    fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Arc<Stored>> {
        self.cache.store().get(&Place {
            storage: resource.storage(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    fn list(&self, resource: &Resource, namespace: Option<&str>) -> Vec<Arc<Stored>> {
        self.cache.store().list(&resource.storage(), namespace).1
    }

    fn create<'a>(&'a self, resource: &'a Resource, object: Value) -> BoxFuture<'a, Result<Arc<Stored>, Status>> {
        let path = managed(&path(resource, object::namespace(&object), "", ""));
        Box::pin(self.write(Method::POST, path, resource, object))
    }

    fn update<'a>(&'a self, resource: &'a Resource, object: Value) -> BoxFuture<'a, Result<Arc<Stored>, Status>> {
        let path = path(resource, object::namespace(&object), object::name(&object), "");
        Box::pin(self.write(Method::PUT, managed(&path), resource, object))
    }

    fn update_status<'a>(
        &'a self,
        resource: &'a Resource,
        object: Value,
    ) -> BoxFuture<'a, Result<Arc<Stored>, Status>> {
        let path = path(resource, object::namespace(&object), object::name(&object), "status");
        Box::pin(self.write(Method::PUT, managed(&path), resource, object))
    }

    fn delete<'a>(
        &'a self,
        resource: &'a Resource,
        namespace: &'a str,
        name: &'a str,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let known = self.get(resource, namespace, name).map(|object| object.uid.clone());
            let path = path(resource, namespace, name, "");
            let answer = self.send(Method::DELETE, path, &delete_options(&options)).await?;
            if !is_gone(&answer) {
                self.cache.written(resource, answer);
            } else if let Some(uid) = options.uid.or_else(|| answered_uid(&answer)).or(known) {
                self.cache.removed(resource, namespace, name, &uid);
            }
            Ok(())
        })
    }

    fn write_subresource<'a>(
        &'a self,
        resource: &'a Resource,
        subresource: &'a str,
        object: Value,
    ) -> BoxFuture<'a, Result<(), Status>> {
        let path = path(resource, object::namespace(&object), object::name(&object), subresource);
        let method = if subresource == "binding" {
            Method::POST
        } else {
            Method::PUT
        };
        Box::pin(async move {
            let answer = self.send(method, managed(&path), &object).await?;
            if answer["kind"] == *resource.kind {
                self.cache.written(resource, answer);
            }
            Ok(())
        })
    }

    fn record(&self, event: Value) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let namespace = object::namespace(&event).to_owned();
            let collection = path(&EVENTS, &namespace, "", "");
            let answer = match self.send(Method::POST, collection, &event).await {
                Err(status) if status.reason == "AlreadyExists" => {
                    let known = path(&EVENTS, &namespace, object::name(&event), "");
                    self.send(Method::PUT, known, &event).await
                }
                answer => answer,
            };
            if let Err(status) = answer {
                tracing::debug!(%status, "an event was lost");
            }
        })
    }

    fn resources(&self) -> Vec<Resource> {
        once_each(&self.cache.served())
    }

    fn resource_of(&self, api_version: &str, kind: &str) -> Option<Resource> {
        let served = self.cache.served();
        served
            .iter()
            .find(|resource| resource.kind == kind && resource.api_version() == api_version)
            .cloned()
    }

    fn watch(&self, resources: &[Resource]) -> Box<dyn Watched> {
        for resource in resources {
            self.cache.want(resource);
        }
        Box::new(self.follow(Scope::Some(resources.iter().map(Resource::storage).collect())))
    }

    fn watch_everything(&self) -> Box<dyn Watched> {
        self.cache.want(&DEFINITIONS);
        self.cache.want_everything();
        Box::new(self.follow(Scope::Everything))
    }
}

/// The uid that a deletion's answer names.
fn answered_uid(answer: &Value) -> Option<String> {
    let details = object::text(answer, &["details", "uid"]);
    let uid = if details.is_empty() {
        object::uid(answer)
    } else {
        details
    };
    (!uid.is_empty()).then(|| uid.to_owned())
}
