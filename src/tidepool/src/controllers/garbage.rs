//! Garbage collection: what is owned goes with its owners, in the background, before them, or is let go.
//!
//! Knows no kind by name: owners are looked up by what their references say. An object goes when every owner that its references name is
//! gone; a reference to another uid than the one that lives under the name counts as gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::{Cluster, DeleteOptions, Delivered};
use crate::object;
use crate::resource::Resource;
use crate::status::Status;
use crate::store::{Change, Stored};

/// How long the collector takes to notice: least and most.
const LAG: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));
/// How often a collection that lost a race is tried again before it waits for the next change.
const TRIES: usize = 3;
const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// What is known of one object.
#[derive(Clone, Debug)]
struct Node {
    resource: Resource,
    object: Arc<Stored>,
}

/// Runs the collector until the cluster is gone.
pub(super) async fn run(cluster: Arc<dyn Cluster>) {
    let lags = cluster.env().chance("garbage-collector");
    let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
    let mut changes = cluster.watch_everything();
    loop {
        let delivered = changes.next().await;
        if delivered.is_empty() {
            return;
        }
        let suspects = note(cluster.as_ref(), &mut nodes, &delivered);
        if suspects.is_empty() {
            continue;
        }
        cluster.env().sleep(lags.duration(LAG.0, LAG.1)).await;
        for uid in suspects {
            for _ in 0..TRIES {
                let Some(node) = nodes.get(&uid) else { break };
                match collect(cluster.as_ref(), &nodes, node).await {
                    Err(status) if status.code == 409 => {}
                    Err(status) if status.code != 404 => {
                        tracing::warn!(object = object::name(&node.object.value), %status, "an object without owners stays");
                        break;
                    }
                    Ok(()) | Err(_) => break,
                }
            }
        }
    }
}

/// Takes changes in, and says which objects have to be looked at.
fn note(cluster: &dyn Cluster, nodes: &mut BTreeMap<String, Node>, delivered: &[Delivered]) -> BTreeSet<String> {
    let mut suspects = BTreeSet::new();
    for change in delivered {
        let value = &change.object.value;
        let uid = change.object.uid.clone();
        let owners = object::items(value, &["metadata", "ownerReferences"]);
        if change.change == Change::Deleted {
            nodes.remove(&uid);
            suspects.extend(dependents(nodes, &uid).map(|(dependent, _)| dependent.clone()));
            // An owner that waits in the foreground may be free to go now.
            suspects.extend(owners.iter().map(|owner| object::text(owner, &["uid"]).to_owned()));
            continue;
        }
        let kind = cluster.resource_of(object::text(value, &["apiVersion"]), object::text(value, &["kind"]));
        let Some(resource) = kind else { continue };
        nodes.insert(
            uid.clone(),
            Node {
                resource,
                object: change.object.clone(),
            },
        );
        let held = finalizers(value).any(|finalizer| finalizer == FOREGROUND || finalizer == ORPHAN);
        if !owners.is_empty() || (object::is_deleting(value) && held) {
            suspects.insert(uid);
        }
    }
    suspects
}

fn dependents<'a>(
    nodes: &'a BTreeMap<String, Node>,
    owner: &'a str,
) -> impl Iterator<Item = (&'a String, &'a Node)> + 'a {
    nodes.iter().filter(move |(_, node)| {
        object::items(&node.object.value, &["metadata", "ownerReferences"])
            .iter()
            .any(|reference| reference["uid"] == owner)
    })
}

fn finalizers(value: &Value) -> impl Iterator<Item = &str> {
    object::items(value, &["metadata", "finalizers"])
        .iter()
        .filter_map(Value::as_str)
}

async fn collect(cluster: &dyn Cluster, nodes: &BTreeMap<String, Node>, node: &Node) -> Result<(), Status> {
    let (namespace, name) = (object::namespace(&node.object.value), object::name(&node.object.value));
    let Some(current) = cluster
        .get(&node.resource, namespace, name)
        .filter(|now| now.uid == node.object.uid)
    else {
        return Ok(());
    };
    let value = &current.value;
    if object::is_deleting(value) {
        if finalizers(value).any(|finalizer| finalizer == ORPHAN) {
            for (_, dependent) in dependents(nodes, &current.uid) {
                let Some(fresh) = fresh(cluster, dependent) else {
                    continue;
                };
                cluster
                    .update(&dependent.resource, without_owner(&fresh.value, &current.uid))
                    .await?;
            }
            cluster.update(&node.resource, without_finalizer(value, ORPHAN)).await?;
        } else if finalizers(value).any(|finalizer| finalizer == FOREGROUND) {
            let mut blocking = false;
            for (_, dependent) in dependents(nodes, &current.uid) {
                let Some(fresh) = fresh(cluster, dependent) else {
                    continue;
                };
                let owners = object::items(&fresh.value, &["metadata", "ownerReferences"]);
                blocking |= owners
                    .iter()
                    .any(|owner| owner["uid"] == current.uid.as_str() && owner["blockOwnerDeletion"] == true);
                if !object::is_deleting(&fresh.value) {
                    delete(cluster, &dependent.resource, &fresh, "Foreground").await?;
                }
            }
            if !blocking {
                cluster
                    .update(&node.resource, without_finalizer(value, FOREGROUND))
                    .await?;
            }
        }
        return Ok(());
    }
    let owners = object::items(value, &["metadata", "ownerReferences"]);
    if !owners.is_empty() && owners.iter().all(|owner| is_gone(cluster, namespace, owner)) {
        delete(cluster, &node.resource, &current, "Background").await?;
    }
    Ok(())
}

fn fresh(cluster: &dyn Cluster, node: &Node) -> Option<Arc<Stored>> {
    let value = &node.object.value;
    cluster
        .get(&node.resource, object::namespace(value), object::name(value))
        .filter(|now| now.uid == node.object.uid)
}

/// Whether no such owner lives. A kind that nothing serves is not known to be gone.
fn is_gone(cluster: &dyn Cluster, namespace: &str, owner: &Value) -> bool {
    let kind = cluster.resource_of(object::text(owner, &["apiVersion"]), object::text(owner, &["kind"]));
    kind.is_some_and(|resource| {
        let namespace = if resource.namespaced { namespace } else { "" };
        let living = cluster.get(&resource, namespace, object::text(owner, &["name"]));
        living.is_none_or(|living| owner["uid"] != living.uid.as_str())
    })
}

async fn delete(cluster: &dyn Cluster, resource: &Resource, object: &Stored, propagation: &str) -> Result<(), Status> {
    let options = DeleteOptions {
        uid: Some(object.uid.clone()),
        propagation: Some(propagation.to_owned()),
        ..DeleteOptions::default()
    };
    let (namespace, name) = (object::namespace(&object.value), object::name(&object.value));
    cluster.delete(resource, namespace, name, options).await
}

fn without_finalizer(value: &Value, finalizer: &str) -> Value {
    let mut value = value.clone();
    let left: Vec<&str> = finalizers(&value).filter(|known| *known != finalizer).collect();
    let left = json!(left);
    object::entry(&mut value, &["metadata"]).insert("finalizers".to_owned(), left);
    value
}

fn without_owner(value: &Value, uid: &str) -> Value {
    let mut value = value.clone();
    let owners = object::items(&value, &["metadata", "ownerReferences"]);
    let left: Vec<Value> = owners.iter().filter(|owner| owner["uid"] != uid).cloned().collect();
    object::entry(&mut value, &["metadata"]).insert("ownerReferences".to_owned(), json!(left));
    value
}
