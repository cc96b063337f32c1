//! The cluster as controllers, scheduler, kubelet and gateways see it.
//!
//! Two implementations: on the embedded API server directly, without HTTP or JSON text; and on a kube client with caches of its own, so that
//! the same kubelet and gateway serve a real control plane. Reads are snapshots and never wait; writes go through everything that a request
//! goes through: defaults, admission, validation, conflicts.

use std::sync::Arc;

use env::Env;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::logs::Logs;
use crate::resource::Resource;
use crate::status::Status;
use crate::store::{Change, Stored};

/// What a controller may rely on.
pub trait Cluster: Send + Sync + std::fmt::Debug {
    /// Time, chance and network of this cluster.
    fn env(&self) -> &Env;

    /// One object as last seen; `namespace` is empty where the resource has none.
    fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Arc<Stored>>;

    /// A collection as last seen, or one namespace of it, in the order of namespace and name.
    fn list(&self, resource: &Resource, namespace: Option<&str>) -> Vec<Arc<Stored>>;

    /// Creates an object; its namespace and name (or generateName) are in it.
    fn create<'a>(&'a self, resource: &'a Resource, object: Value) -> BoxFuture<'a, Result<Arc<Stored>, Status>>;

    /// Replaces an object; its `metadata.resourceVersion` guards the write.
    fn update<'a>(&'a self, resource: &'a Resource, object: Value) -> BoxFuture<'a, Result<Arc<Stored>, Status>>;

    /// Replaces an object's status through the status subresource; guarded like [`Cluster::update`].
    fn update_status<'a>(&'a self, resource: &'a Resource, object: Value)
    -> BoxFuture<'a, Result<Arc<Stored>, Status>>;

    /// Deletes an object if it still has the given uid. `propagation` is `Background`, `Foreground` or `Orphan`; `grace` is in seconds, and none
    /// means the kind's own (a pod's termination grace period).
    fn delete<'a>(
        &'a self,
        resource: &'a Resource,
        namespace: &'a str,
        name: &'a str,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<(), Status>>;

    /// Writes through another subresource than status. Two are used: `pods/binding`, whose object is a `Binding` that names the pod in its
    /// metadata and the node in `target.name`, and `namespaces/finalize`, whose object is the Namespace with the `spec.finalizers` that are left.
    fn write_subresource<'a>(
        &'a self,
        resource: &'a Resource,
        subresource: &'a str,
        object: Value,
    ) -> BoxFuture<'a, Result<(), Status>>;

    /// Writes an Event, over an earlier one of its name. Best effort: one that cannot be written is lost.
    fn record(&self, event: Value) -> BoxFuture<'_, ()>;

    /// Where containers write their lines; where nobody reads them, they are forgotten.
    fn logs(&self) -> Logs {
        Logs::default()
    }

    /// Every collection that is served now and can be listed and deleted from, in one version each (the preferred one), in a fixed order.
    fn resources(&self) -> Vec<Resource>;

    /// The collection that serves a kind, as an owner reference names it; none when nothing does.
    fn resource_of(&self, api_version: &str, kind: &str) -> Option<Resource>;

    /// Changes of the given resources, beginning with everything there is as [`Change::Added`].
    fn watch(&self, resources: &[Resource]) -> Box<dyn Watched>;

    /// Changes of everything that is stored now or will be, whatever its kind, beginning with everything there is; [`Delivered::resource`] is 0
    /// and the object's `apiVersion` and `kind` tell what it is. The garbage collector needs it.
    fn watch_everything(&self) -> Box<dyn Watched>;
}

/// How to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Refuse unless the object has this uid.
    pub uid: Option<String>,
    /// Refuse unless the object has this resourceVersion.
    pub resource_version: Option<String>,
    /// `Background` (the default), `Foreground` or `Orphan`.
    pub propagation: Option<String>,
    /// Seconds of grace; none means the kind's own.
    pub grace: Option<i64>,
}

/// One change that a [`Watched`] delivers.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// Index into the resources that were asked for.
    pub resource: usize,
    /// What happened.
    pub change: Change,
    /// The object afterwards (its last value when it was deleted).
    pub object: Arc<Stored>,
    /// The object before, where it was known.
    pub before: Option<Arc<Stored>>,
}

/// A stream of changes. Dropping it ends the watch; cancelling `next` loses nothing.
pub trait Watched: Send {
    /// The next changes, at least one; waits until there is one. An empty answer means that the cluster is gone.
    fn next(&mut self) -> BoxFuture<'_, Vec<Delivered>>;
}
