//! ReplicaSet: as many active pods as wanted, made from the template, the least valuable deleted first.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::driver::{Controller, Key, keys_of_owner};
use super::pod;
use crate::cluster::{Cluster, DeleteOptions, Delivered};
use crate::events::{Note, Recorder, Reporter};
use crate::object;
use crate::resource::{PODS, REPLICA_SETS, Resource};
use crate::status::Status;
use crate::store::Stored;

pub(super) struct ReplicaSets {
    events: Recorder,
}

impl Default for ReplicaSets {
    fn default() -> Self {
        Self {
            events: Recorder::of(Reporter::ReplicaSets),
        }
    }
}

impl Controller for ReplicaSets {
    fn watched(&self) -> Vec<Resource> {
        vec![REPLICA_SETS, PODS]
    }

    fn keys(&self, _: &dyn Cluster, delivered: &Delivered) -> Vec<Key> {
        keys_of_owner(delivered, "ReplicaSet")
    }

    fn reconcile<'a>(
        &'a self,
        cluster: &'a dyn Cluster,
        key: &'a Key,
    ) -> BoxFuture<'a, Result<Option<Duration>, Status>> {
        Box::pin(reconcile(cluster, key, &self.events))
    }
}

/// The pods that `owner` controls, without the finished ones.
pub(super) fn pods_of(cluster: &dyn Cluster, owner: &Stored) -> Vec<Arc<Stored>> {
    let namespace = object::namespace(&owner.value);
    let mut pods = cluster.list(&PODS, Some(namespace));
    pods.retain(|pod| {
        object::controller_of(&pod.value).is_some_and(|reference| reference["uid"] == owner.uid.as_str())
            && !pod::is_finished(&pod.value)
    });
    pods
}

async fn reconcile(
    cluster: &dyn Cluster,
    (namespace, name): &Key,
    events: &Recorder,
) -> Result<Option<Duration>, Status> {
    let Some(set) = cluster.get(&REPLICA_SETS, namespace, name) else {
        return Ok(None);
    };
    if !object::is_deleting(&set.value) {
        let mut pods = pods_of(cluster, &set);
        pods.retain(|pod| pod::is_active(&pod.value));
        let wanted = usize::try_from(object::number(&set.value, &["spec", "replicas"]).unwrap_or(1)).unwrap_or(0);
        for _ in pods.len()..wanted {
            let created = cluster.create(&PODS, new_pod(&set)).await;
            let note = match &created {
                Ok(pod) => Note::normal("SuccessfulCreate", format!("Created pod: {}", object::name(&pod.value))),
                Err(status) => Note::warning("FailedCreate", format!("Error creating: {status}")),
            };
            events.note(cluster, &set.value, "", note).await;
            created?;
        }
        pods.sort_by_key(|pod| worth(&pod.value));
        for pod in pods.iter().take(pods.len().saturating_sub(wanted)) {
            let options = DeleteOptions {
                uid: Some(pod.uid.clone()),
                ..DeleteOptions::default()
            };
            cluster
                .delete(&PODS, namespace, object::name(&pod.value), options)
                .await?;
            let note = Note::normal("SuccessfulDelete", format!("Deleted pod: {}", object::name(&pod.value)));
            events.note(cluster, &set.value, "", note).await;
        }
    }
    report(cluster, namespace, name).await
}

/// The order in which pods are given up: not yet placed, not ready, then the youngest.
fn worth(pod: &Value) -> (bool, bool, std::cmp::Reverse<String>, String) {
    let placed = !object::text(pod, &["spec", "nodeName"]).is_empty();
    let created = object::text(pod, &["metadata", "creationTimestamp"]).to_owned();
    (
        placed,
        pod::is_ready(pod),
        std::cmp::Reverse(created),
        object::name(pod).to_owned(),
    )
}

fn new_pod(set: &Stored) -> Value {
    let template = object::at(&set.value, &["spec", "template"]);
    let mut metadata = json!({
        "generateName": format!("{}-", object::name(&set.value)),
        "namespace": object::namespace(&set.value),
        "ownerReferences": [{
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": object::name(&set.value), "uid": set.uid,
            "controller": true, "blockOwnerDeletion": true,
        }],
    });
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template["metadata"].get(field) {
            metadata[field] = value.clone();
        }
    }
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] })
}

async fn report(cluster: &dyn Cluster, namespace: &str, name: &str) -> Result<Option<Duration>, Status> {
    let Some(set) = cluster.get(&REPLICA_SETS, namespace, name) else {
        return Ok(None);
    };
    let now = cluster.env().now();
    let seconds = object::number(&set.value, &["spec", "minReadySeconds"]).unwrap_or(0);
    let all = pods_of(cluster, &set);
    let active: Vec<_> = all.iter().filter(|pod| pod::is_active(&pod.value)).collect();
    let template = object::at(&set.value, &["spec", "template", "metadata", "labels"]);
    let labelled = |pod: &Value| {
        template.as_object().is_none_or(|labels| {
            labels
                .iter()
                .all(|(key, value)| pod["metadata"]["labels"][key] == *value)
        })
    };
    let waits: Vec<_> = active
        .iter()
        .filter_map(|pod| pod::until_available(&pod.value, seconds, now))
        .collect();
    let mut status = json!({
        "replicas": active.len(),
        "observedGeneration": object::generation(&set.value),
    });
    let counts = [
        (
            "fullyLabeledReplicas",
            active.iter().filter(|pod| labelled(&pod.value)).count(),
        ),
        ("readyReplicas", waits.len()),
        ("availableReplicas", waits.iter().filter(|wait| wait.is_zero()).count()),
        ("terminatingReplicas", all.len() - active.len()),
    ];
    for (field, count) in counts {
        if count > 0 || field == "terminatingReplicas" {
            status[field] = json!(count);
        }
    }
    if set.value["status"] != status {
        let mut wanted = set.value.clone();
        wanted["status"] = status;
        cluster.update_status(&REPLICA_SETS, wanted).await?;
    }
    Ok(waits.into_iter().filter(|wait| !wait.is_zero()).min())
}
