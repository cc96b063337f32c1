//! The scheduler: gives each pod without a node the least loaded node that may have it.
//!
//! Looks at `nodeSelector`, `unschedulable` and taints without a matching toleration; binds through `pods/binding`, as the real one does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::cluster::{Cluster, Delivered};
use crate::controllers::driver::{self, Controller, Key};
use crate::events::{Note, Recorder, Reporter};
use crate::object;
use crate::resource::{NODES, PODS, Resource};
use crate::status::Status;

/// Starts the scheduler; its task ends with the cluster's watches.
pub fn start(cluster: Arc<dyn Cluster>, tasks: &mut JoinSet<()>) {
    let events = Recorder::of(Reporter::Scheduler);
    tasks.spawn(driver::run(cluster, Scheduler { events }));
}

struct Scheduler {
    events: Recorder,
}

impl Controller for Scheduler {
    fn watched(&self) -> Vec<Resource> {
        vec![PODS, NODES]
    }

    fn lag(&self) -> (Duration, Duration) {
        (Duration::from_millis(1), Duration::from_millis(10))
    }

    fn keys(&self, cluster: &dyn Cluster, delivered: &Delivered) -> Vec<Key> {
        if delivered.resource == 0 {
            let pod = &delivered.object.value;
            return waits(pod).then(|| key(pod)).into_iter().collect();
        }
        let pods = cluster.list(&PODS, None);
        let waiting = pods.iter().filter(|pod| waits(&pod.value));
        waiting.map(|pod| key(&pod.value)).collect()
    }

    fn reconcile<'a>(
        &'a self,
        cluster: &'a dyn Cluster,
        key: &'a Key,
    ) -> BoxFuture<'a, Result<Option<Duration>, Status>> {
        Box::pin(async move {
            let Some(pod) = cluster.get(&PODS, &key.0, &key.1).filter(|pod| waits(&pod.value)) else {
                return Ok(None);
            };
            let nodes = cluster.list(&NODES, None);
            let pods = cluster.list(&PODS, None);
            // A pod that no node may have waits until a node changes.
            let Some(node) = choose(
                &pod.value,
                nodes.iter().map(|node| &node.value),
                pods.iter().map(|pod| &pod.value),
            ) else {
                let why = unfit(&pod.value, nodes.iter().map(|node| &node.value));
                let note = Note::warning("FailedScheduling", why);
                self.events.note(cluster, &pod.value, "", note).await;
                return Ok(None);
            };
            let said = format!("Successfully assigned {}/{} to {node}", key.0, key.1);
            let binding = json!({
                "apiVersion": "v1", "kind": "Binding",
                "metadata": { "namespace": key.0, "name": key.1, "uid": pod.uid },
                "target": { "apiVersion": "v1", "kind": "Node", "name": node },
            });
            cluster.write_subresource(&PODS, "binding", binding).await?;
            let note = Note::normal("Scheduled", said);
            self.events.note(cluster, &pod.value, "", note).await;
            Ok(None)
        })
    }
}

fn key(pod: &Value) -> Key {
    (object::namespace(pod).to_owned(), object::name(pod).to_owned())
}

fn waits(pod: &Value) -> bool {
    object::text(pod, &["spec", "nodeName"]).is_empty() && !object::is_deleting(pod)
}

/// The node with the fewest pods among those that may have this one; the first by name when several do.
fn choose<'a>(
    pod: &Value,
    nodes: impl Iterator<Item = &'a Value>,
    pods: impl Iterator<Item = &'a Value>,
) -> Option<String> {
    let mut load: BTreeMap<&str, usize> = BTreeMap::new();
    for other in pods {
        *load.entry(object::text(other, &["spec", "nodeName"])).or_default() += 1;
    }
    nodes
        .filter(|node| fits(pod, node))
        .map(object::name)
        .min_by_key(|name| (load.get(name).copied().unwrap_or_default(), *name))
        .map(str::to_owned)
}

fn fits(pod: &Value, node: &Value) -> bool {
    hindrance(pod, node).is_none()
}

/// Why a node cannot have the pod, in upstream's words.
fn hindrance(pod: &Value, node: &Value) -> Option<&'static str> {
    let selector = object::at(pod, &["spec", "nodeSelector"]).as_object();
    let selected = selector.is_none_or(|wanted| {
        wanted
            .iter()
            .all(|(key, value)| object::label(node, key) == value.as_str())
    });
    let tolerated = object::items(node, &["spec", "taints"])
        .iter()
        .filter(|taint| taint["effect"] != "PreferNoSchedule")
        .all(|taint| {
            object::items(pod, &["spec", "tolerations"])
                .iter()
                .any(|toleration| tolerates(toleration, taint))
        });
    if object::at(node, &["spec", "unschedulable"]) == &json!(true) {
        Some("were unschedulable")
    } else if !tolerated {
        Some("had untolerated taint(s)")
    } else if !selected {
        Some("didn't match Pod's node affinity/selector")
    } else {
        None
    }
}

/// Why no node can have the pod.
fn unfit<'a>(pod: &Value, nodes: impl Iterator<Item = &'a Value>) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = 0;
    for node in nodes {
        all += 1;
        if let Some(why) = hindrance(pod, node) {
            *reasons.entry(why).or_default() += 1;
        }
    }
    if all == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let texts: Vec<String> = reasons
        .into_iter()
        .map(|(why, count)| format!("{count} node(s) {why}"))
        .collect();
    format!("0/{all} nodes are available: {}.", texts.join(", "))
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let effect = object::text(toleration, &["effect"]);
    let key = object::text(toleration, &["key"]);
    let exists = object::text(toleration, &["operator"]) == "Exists";
    (effect.is_empty() || effect == object::text(taint, &["effect"]))
        && (key == object::text(taint, &["key"]) || (key.is_empty() && exists))
        && (exists || object::text(toleration, &["value"]) == object::text(taint, &["value"]))
}
