//! The Kubernetes API as a person uses it: objects as JSON, kinds found by discovery.
//!
//! Stands on `kube::Client` only. Used by stages, dialects, probes and inventories; knows no kind by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, Request};
use kube::Client;
use parking_lot::Mutex;
use serde_json::Value;

use crate::ObjectRef;
use crate::object::text;

/// The API server refused, or could not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{doing}: {message}")]
pub struct ApiError {
    /// The HTTP status; 0 when no answer came.
    pub code: u16,
    /// The machine-readable reason (`NotFound`, `Invalid`, …).
    pub reason: String,
    /// What was being done, to which object.
    pub doing: String,
    /// The server's words.
    pub message: String,
}

impl ApiError {
    /// Whether the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code == 404
    }
}

/// A kind as discovery tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// `deployments`.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What can be done with it.
    pub verbs: Vec<String>,
}

impl Resource {
    /// The path of the collection, in `namespace` when it is a namespaced kind and one is given.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.api_version.contains('/') { "apis" } else { "api" };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("/{root}/{}/namespaces/{namespace}/{}", self.api_version, self.plural),
            None => format!("/{root}/{}/{}", self.api_version, self.plural),
        }
    }
}

/// How a patch is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902, a list of operations.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own, lists merged by key.
    Strategic,
}

impl PatchKind {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
        }
    }
}

/// One person's view of a cluster. Clones share what discovery told.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
    kinds: Arc<Mutex<BTreeMap<(String, String), Resource>>>,
}

impl std::fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kubernetes")
    }
}

impl Kubernetes {
    /// A view through `client`.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            kinds: Arc::default(),
        }
    }

    /// The client beneath.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The object, or `None` when it does not exist.
    ///
    /// # Errors
    /// When the kind is unknown or the server refuses.
    pub async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ApiError> {
        let path = self.object_path(object).await?;
        match self.send(format!("get {object}"), Method::GET, &path, None, None).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All objects of a kind, in one namespace or in all.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn list(&self, resource: &Resource, namespace: Option<&str>) -> Result<Vec<Value>, ApiError> {
        let (items, _) = self.list_at(resource, &resource.path(namespace)).await?;
        Ok(items)
    }

    /// The objects of the collection at `path`, and the resourceVersion at which they were read.
    pub(crate) async fn list_at(&self, resource: &Resource, path: &str) -> Result<(Vec<Value>, String), ApiError> {
        let mut list = self
            .send(format!("list {}", resource.plural), Method::GET, path, None, None)
            .await?;
        let revision = text(&list, "/metadata/resourceVersion").to_owned();
        let Some(Value::Array(mut items)) = list.get_mut("items").map(Value::take) else {
            return Ok((Vec::new(), revision));
        };
        for item in &mut items {
            // Items of a list carry no type of their own.
            if let Some(fields) = item.as_object_mut() {
                fields.insert("apiVersion".to_owned(), Value::String(resource.api_version.clone()));
                fields.insert("kind".to_owned(), Value::String(resource.kind.clone()));
            }
        }
        Ok((items, revision))
    }

    /// Creates `object` as it is written.
    ///
    /// # Errors
    /// When the kind is unknown or the server refuses.
    pub async fn create(&self, object: &Value) -> Result<Value, ApiError> {
        let name = ObjectRef::of(object);
        let resource = self.resource(&name.api_version, &name.kind).await?;
        let path = resource.path(name.namespace.as_deref());
        self.send(
            format!("create {name}"),
            Method::POST,
            &path,
            Some("application/json"),
            Some(object),
        )
        .await
    }

    /// Posts bytes to a collection as they are, whether or not they are an object.
    ///
    /// # Errors
    /// When the server refuses; with code 0 when the connection breaks off.
    pub async fn post(&self, path: &str, media_type: &str, bytes: Vec<u8>) -> Result<Value, ApiError> {
        self.send_bytes(format!("post to {path}"), Method::POST, path, Some(media_type), bytes)
            .await
    }

    /// Patches an object, or one of its subresources.
    ///
    /// # Errors
    /// When the server refuses; a JSON Patch whose test failed is refused with 422 or 409.
    pub async fn patch(
        &self,
        object: &ObjectRef,
        subresource: Option<&str>,
        kind: PatchKind,
        patch: &Value,
    ) -> Result<Value, ApiError> {
        let mut path = self.object_path(object).await?;
        if let Some(subresource) = subresource {
            path = format!("{path}/{subresource}");
        }
        self.send(
            format!("patch {object}"),
            Method::PATCH,
            &path,
            Some(kind.media_type()),
            Some(patch),
        )
        .await
    }

    /// Deletes an object, its dependants in the background.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn delete(&self, object: &ObjectRef) -> Result<(), ApiError> {
        let path = self.object_path(object).await?;
        self.send(format!("delete {object}"), Method::DELETE, &path, None, None)
            .await
            .map(drop)
    }

    /// The kind behind `api_version` and `kind`.
    ///
    /// # Errors
    /// When the cluster does not serve it.
    pub async fn resource(&self, api_version: &str, kind: &str) -> Result<Resource, ApiError> {
        let key = (api_version.to_owned(), kind.to_owned());
        if let Some(found) = self.kinds.lock().get(&key) {
            return Ok(found.clone());
        }
        let found = self.resources_of(api_version).await?;
        let mut kinds = self.kinds.lock();
        for resource in found {
            kinds.insert((resource.api_version.clone(), resource.kind.clone()), resource);
        }
        kinds.get(&key).cloned().ok_or_else(|| ApiError {
            code: 404,
            reason: "NotFound".to_owned(),
            doing: format!("look up kind {kind} of {api_version}"),
            message: "the cluster does not serve it; is the custom resource installed?".to_owned(),
        })
    }

    /// Every kind that can be listed, in its preferred version, in order of group and name.
    ///
    /// # Errors
    /// When discovery fails.
    pub async fn all_resources(&self) -> Result<Vec<Resource>, ApiError> {
        let groups = self
            .send("discover the API groups".to_owned(), Method::GET, "/apis", None, None)
            .await?;
        let mut versions = vec!["v1".to_owned()];
        for group in groups.get("groups").and_then(Value::as_array).into_iter().flatten() {
            versions.push(text(group, "/preferredVersion/groupVersion").to_owned());
        }
        let mut found = Vec::new();
        for version in versions {
            found.extend(self.resources_of(&version).await?);
        }
        found.retain(|resource| resource.verbs.iter().any(|verb| verb == "list"));
        found.sort();
        Ok(found)
    }

    async fn resources_of(&self, api_version: &str) -> Result<Vec<Resource>, ApiError> {
        let root = if api_version.contains('/') { "apis" } else { "api" };
        let list = self
            .send(
                format!("discover the kinds of {api_version}"),
                Method::GET,
                &format!("/{root}/{api_version}"),
                None,
                None,
            )
            .await?;
        let resources = list.get("resources").and_then(Value::as_array);
        Ok(resources
            .into_iter()
            .flatten()
            .filter(|resource| !text(resource, "/name").contains('/'))
            .map(|resource| Resource {
                api_version: api_version.to_owned(),
                kind: text(resource, "/kind").to_owned(),
                plural: text(resource, "/name").to_owned(),
                namespaced: resource.get("namespaced").and_then(Value::as_bool) == Some(true),
                verbs: resource
                    .get("verbs")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(|verb| verb.as_str().map(str::to_owned))
                    .collect(),
            })
            .collect())
    }

    async fn object_path(&self, object: &ObjectRef) -> Result<String, ApiError> {
        let resource = self.resource(&object.api_version, &object.kind).await?;
        Ok(format!(
            "{}/{}",
            resource.path(object.namespace.as_deref()),
            object.name
        ))
    }

    async fn send(
        &self,
        doing: String,
        method: Method,
        path: &str,
        media_type: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.send_bytes(doing, method, path, media_type, bytes).await
    }

    async fn send_bytes(
        &self,
        doing: String,
        method: Method,
        path: &str,
        media_type: Option<&str>,
        bytes: Vec<u8>,
    ) -> Result<Value, ApiError> {
        let failed = |doing: String, message: String| ApiError {
            code: 0,
            reason: String::new(),
            doing,
            message,
        };
        let mut request = Request::builder().method(method).uri(path);
        if let Some(media_type) = media_type {
            request = request.header(http::header::CONTENT_TYPE, media_type);
        }
        let request = match request.body(bytes) {
            Ok(request) => request,
            Err(error) => return Err(failed(doing, error.to_string())),
        };
        match self.client.request::<Value>(request).await {
            Ok(value) => Ok(value),
            Err(kube::Error::Api(status)) => Err(ApiError {
                code: status.code,
                reason: status.reason.clone(),
                doing,
                message: status.message.clone(),
            }),
            Err(error) => Err(failed(doing, error.to_string())),
        }
    }
}
