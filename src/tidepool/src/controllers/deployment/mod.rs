//! Deployment: one ReplicaSet for each template, rolled from the old to the new within surge and availability.
//!
//! Follows kube-controller-manager: revisions by annotation, pods told apart by `pod-template-hash`, a paused Deployment only scales, and its
//! status says what its ReplicaSets say. Adoption of orphans is not played.

mod report;
mod scaling;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::driver::{Controller, Key, keys_of_owner};
use super::replica_set;
use super::rolling::{Bounds, Set, bounds, new_replicas, old_replicas, proportional};
use crate::cluster::{Cluster, DeleteOptions, Delivered};
use crate::events::{Recorder, Reporter};
use crate::object;
use crate::resource::{DEPLOYMENTS, REPLICA_SETS, Resource};
use crate::status::Status;
use crate::store::Stored;

const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";
const NAME_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

pub(super) struct Deployments {
    events: Recorder,
}

impl Default for Deployments {
    fn default() -> Self {
        Self {
            events: Recorder::of(Reporter::Deployments),
        }
    }
}

impl Controller for Deployments {
    fn watched(&self) -> Vec<Resource> {
        vec![DEPLOYMENTS, REPLICA_SETS]
    }

    fn keys(&self, _: &dyn Cluster, delivered: &Delivered) -> Vec<Key> {
        keys_of_owner(delivered, "Deployment")
    }

    fn reconcile<'a>(
        &'a self,
        cluster: &'a dyn Cluster,
        key: &'a Key,
    ) -> BoxFuture<'a, Result<Option<Duration>, Status>> {
        Box::pin(async move {
            let before = scaling::sizes(cluster, key);
            let again = reconcile(cluster, key).await;
            let notes = scaling::notes(&before, &scaling::sizes(cluster, key));
            if let Some(deployment) = cluster.get(&DEPLOYMENTS, &key.0, &key.1) {
                for note in notes {
                    self.events.note(cluster, &deployment.value, "", note).await;
                }
            }
            again
        })
    }
}

async fn reconcile(cluster: &dyn Cluster, (namespace, name): &Key) -> Result<Option<Duration>, Status> {
    let Some(deployment) = cluster.get(&DEPLOYMENTS, namespace, name) else {
        return Ok(None);
    };
    if object::is_deleting(&deployment.value) {
        return Ok(None);
    }
    let spec = &deployment.value["spec"];
    let wanted = spec["replicas"].as_i64().unwrap_or(1);
    let sets = sets_of(cluster, &deployment);
    let paused = spec["paused"] == true;
    let limits = match spec["strategy"]["type"].as_str() {
        Some("Recreate") => Bounds {
            surge: 0,
            unavailable: wanted,
        },
        _ => bounds(&spec["strategy"], wanted),
    };
    let scaled = sets.iter().any(|set| {
        let desired = object::annotation(&set.value, DESIRED).and_then(|text| text.parse::<i64>().ok());
        replicas(set) > 0 && desired.is_some_and(|desired| desired != wanted)
    });
    if paused || scaled {
        scale(cluster, &deployment, &sets, wanted, limits).await?;
    } else if spec["strategy"]["type"] == "Recreate" {
        recreate(cluster, &deployment, &sets, wanted, limits).await?;
    } else {
        roll(cluster, &deployment, &sets, wanted, limits).await?;
    }
    report::report(cluster, namespace, name).await
}

/// The Deployment's ReplicaSets, oldest first.
fn sets_of(cluster: &dyn Cluster, deployment: &Stored) -> Vec<Arc<Stored>> {
    let mut sets = cluster.list(&REPLICA_SETS, Some(object::namespace(&deployment.value)));
    sets.retain(|set| {
        object::controller_of(&set.value).is_some_and(|owner| owner["uid"] == deployment.uid.as_str())
            && !object::is_deleting(&set.value)
    });
    sets.sort_by_key(|set| {
        let created = object::text(&set.value, &["metadata", "creationTimestamp"]).to_owned();
        (created, object::name(&set.value).to_owned())
    });
    sets
}

fn template_without_hash(object: &Value) -> Value {
    let mut template = object["spec"]["template"].clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(HASH);
    }
    template
}

fn new_set<'a>(deployment: &Stored, sets: &'a [Arc<Stored>]) -> Option<&'a Arc<Stored>> {
    let template = template_without_hash(&deployment.value);
    sets.iter().find(|set| template_without_hash(&set.value) == template)
}

fn template_hash(template: &Value) -> String {
    let digest = Sha256::digest(template.to_string());
    digest
        .iter()
        .take(10)
        .map(|byte| char::from(NAME_ALPHABET[usize::from(*byte) % NAME_ALPHABET.len()]))
        .collect()
}

fn replicas(set: &Stored) -> i64 {
    set.value["spec"]["replicas"].as_i64().unwrap_or(0)
}

fn counted(set: &Stored) -> Set {
    Set {
        replicas: replicas(set),
        available: set.value["status"]["availableReplicas"].as_i64().unwrap_or(0),
    }
}

fn revision(object: &Stored) -> i64 {
    object::annotation(&object.value, REVISION)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// Sizes a set and notes for which total it was sized.
async fn resize(
    cluster: &dyn Cluster,
    set: &Stored,
    to: i64,
    wanted: i64,
    limits: Bounds,
    revision: Option<i64>,
) -> Result<(), Status> {
    let mut value = set.value.clone();
    value["spec"]["replicas"] = json!(to);
    let annotations = object::entry(&mut value, &["metadata", "annotations"]);
    annotations.insert(DESIRED.to_owned(), json!(wanted.to_string()));
    annotations.insert(MAX.to_owned(), json!((wanted + limits.surge).to_string()));
    if let Some(revision) = revision {
        annotations.insert(REVISION.to_owned(), json!(revision.to_string()));
    }
    if value != set.value {
        cluster.update(&REPLICA_SETS, value).await?;
    }
    Ok(())
}

/// Paused, or its size changed: sizes follow the wanted number, no template is rolled.
async fn scale(
    cluster: &dyn Cluster,
    deployment: &Stored,
    sets: &[Arc<Stored>],
    wanted: i64,
    limits: Bounds,
) -> Result<(), Status> {
    let active: Vec<&Arc<Stored>> = sets.iter().filter(|set| replicas(set) > 0).collect();
    let newest = new_set(deployment, sets);
    if active.len() <= 1 {
        if let Some(set) = active.first().copied().or(newest).or(sets.last()) {
            resize(cluster, set, wanted, wanted, limits, None).await?;
        }
        return Ok(());
    }
    if let Some(new) = newest
        && counted(new).available >= wanted
    {
        for set in active.into_iter().filter(|set| set.uid != new.uid) {
            resize(cluster, set, 0, wanted, limits, None).await?;
        }
        return Ok(());
    }
    let allowed = if wanted > 0 { wanted + limits.surge } else { 0 };
    let sizes: Vec<i64> = active.iter().map(|set| replicas(set)).collect();
    for (set, to) in active.into_iter().zip(proportional(allowed, &sizes)) {
        resize(cluster, set, to, wanted, limits, None).await?;
    }
    Ok(())
}

/// The new set with at least the given size and the newest revision; made when there is none.
async fn ensure_new(
    cluster: &dyn Cluster,
    deployment: &Stored,
    sets: &[Arc<Stored>],
    wanted: i64,
    limits: Bounds,
) -> Result<Arc<Stored>, Status> {
    let newest = new_set(deployment, sets);
    let others = sets.iter().filter(|set| newest.is_none_or(|new| new.uid != set.uid));
    let highest = others.clone().map(|set| revision(set)).max().unwrap_or(0);
    let old: Vec<Set> = others.map(|set| counted(set)).collect();
    let current = newest.map_or(
        Set {
            replicas: 0,
            available: 0,
        },
        |set| counted(set),
    );
    let size = new_replicas(wanted, limits, current, &old);
    let number = newest.map_or(0, |set| revision(set)).max(highest + 1);
    let set = match newest {
        Some(set) => {
            resize(cluster, set, size, wanted, limits, Some(number)).await?;
            let (namespace, name) = (object::namespace(&set.value), object::name(&set.value));
            cluster
                .get(&REPLICA_SETS, namespace, name)
                .unwrap_or_else(|| set.clone())
        }
        None => {
            let set = made_set(deployment, size, wanted, limits, number);
            cluster.create(&REPLICA_SETS, set).await?
        }
    };
    if revision(deployment) != number {
        let mut value = deployment.value.clone();
        object::entry(&mut value, &["metadata", "annotations"]).insert(REVISION.to_owned(), json!(number.to_string()));
        cluster.update(&DEPLOYMENTS, value).await?;
    }
    Ok(set)
}

fn made_set(deployment: &Stored, size: i64, wanted: i64, limits: Bounds, number: i64) -> Value {
    let mut template = template_without_hash(&deployment.value);
    let hash = template_hash(&template);
    object::entry(&mut template, &["metadata", "labels"]).insert(HASH.to_owned(), json!(hash));
    let mut selector = deployment.value["spec"]["selector"].clone();
    object::entry(&mut selector, &["matchLabels"]).insert(HASH.to_owned(), json!(hash));
    let mut annotations: Map<String, Value> = object::at(&deployment.value, &["metadata", "annotations"])
        .as_object()
        .cloned()
        .unwrap_or_default();
    annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    annotations.insert(REVISION.to_owned(), json!(number.to_string()));
    annotations.insert(DESIRED.to_owned(), json!(wanted.to_string()));
    annotations.insert(MAX.to_owned(), json!((wanted + limits.surge).to_string()));
    let name = object::name(&deployment.value);
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{name}-{hash}"), "namespace": object::namespace(&deployment.value),
            "labels": template["metadata"]["labels"], "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": deployment.uid,
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": { "replicas": size, "selector": selector, "template": template },
    });
    if let Some(seconds) = deployment.value["spec"]["minReadySeconds"]
        .as_i64()
        .filter(|seconds| *seconds > 0)
    {
        set["spec"]["minReadySeconds"] = json!(seconds);
    }
    set
}

async fn roll(
    cluster: &dyn Cluster,
    deployment: &Stored,
    sets: &[Arc<Stored>],
    wanted: i64,
    limits: Bounds,
) -> Result<(), Status> {
    let new = ensure_new(cluster, deployment, sets, wanted, limits).await?;
    let old: Vec<&Arc<Stored>> = sets.iter().filter(|set| set.uid != new.uid).collect();
    let counts: Vec<Set> = old.iter().map(|set| counted(set)).collect();
    for (set, to) in old.iter().zip(old_replicas(wanted, limits, counted(&new), &counts)) {
        if to != replicas(set) {
            resize(cluster, set, to, wanted, limits, None).await?;
        }
    }
    let settled = counted(&new).available >= wanted && counts.iter().all(|set| set.replicas == 0);
    if settled {
        clean_up(cluster, deployment, &old).await
    } else {
        Ok(())
    }
}

async fn recreate(
    cluster: &dyn Cluster,
    deployment: &Stored,
    sets: &[Arc<Stored>],
    wanted: i64,
    limits: Bounds,
) -> Result<(), Status> {
    let newest = new_set(deployment, sets).map(|set| set.uid.clone());
    let old: Vec<&Arc<Stored>> = sets.iter().filter(|set| Some(&set.uid) != newest.as_ref()).collect();
    for set in old.iter().filter(|set| replicas(set) > 0) {
        resize(cluster, set, 0, wanted, limits, None).await?;
    }
    if old.iter().all(|set| replica_set::pods_of(cluster, set).is_empty()) {
        ensure_new(cluster, deployment, sets, wanted, limits).await?;
    }
    Ok(())
}

/// Deletes the oldest empty sets beyond the history limit.
async fn clean_up(cluster: &dyn Cluster, deployment: &Stored, old: &[&Arc<Stored>]) -> Result<(), Status> {
    let limit = deployment.value["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10);
    let excess = old.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut empty: Vec<_> = old.iter().filter(|set| set.value["status"]["replicas"] == 0).collect();
    empty.sort_by_key(|set| revision(set));
    for set in empty.into_iter().take(excess) {
        let options = DeleteOptions {
            uid: Some(set.uid.clone()),
            ..DeleteOptions::default()
        };
        cluster
            .delete(
                &REPLICA_SETS,
                object::namespace(&set.value),
                object::name(&set.value),
                options,
            )
            .await?;
    }
    Ok(())
}
