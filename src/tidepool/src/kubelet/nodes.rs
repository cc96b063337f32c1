//! The three nodes: their names, addresses, the objects that stand for them, and their registration.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::object;
use crate::resource::NODES;
use crate::schema::VERSION;
use crate::status::Status;

/// The nodes' names.
pub const NODE_NAMES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// How many of the 256 blocks of `10.244.0.0/16` each node has.
const BLOCKS: usize = 64;

/// What an API server puts on every new node, so that nothing is scheduled there before it is ready.
const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// How soon a registration that was refused is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// After how many refusals a node is given up.
const ATTEMPTS: usize = 25;

/// Creates the nodes that are not there yet and reports them ready, once: they send no heartbeats, so whoever judges nodes by those must be off.
pub(super) async fn register(cluster: Arc<dyn Cluster>) {
    for (index, name) in NODE_NAMES.iter().enumerate() {
        for attempt in 1.. {
            let Err(error) = register_one(cluster.as_ref(), index).await else {
                break;
            };
            if attempt == ATTEMPTS {
                tracing::error!(node = name, %error, "register node");
                break;
            }
            cluster.env().sleep(AGAIN).await;
        }
    }
}

async fn register_one(cluster: &dyn Cluster, index: usize) -> Result<(), Status> {
    let known = match cluster.get(&NODES, "", NODE_NAMES[index]) {
        Some(known) => known,
        None => cluster.create(&NODES, node(index)).await?,
    };
    let mut reported = known;
    if object::items(&reported.value, &["status", "conditions"]).is_empty() {
        let mut changed = reported.value.clone();
        changed["status"] = status(index, &object::seconds(cluster.env().now()));
        reported = cluster.update_status(&NODES, changed).await?;
    }
    // Elsewhere the node lifecycle controller does this; it is off where nodes send no heartbeats.
    let taints = object::items(&reported.value, &["spec", "taints"]);
    if taints.iter().any(|taint| taint["key"] == NOT_READY) {
        let kept: Vec<Value> = taints
            .iter()
            .filter(|taint| taint["key"] != NOT_READY)
            .cloned()
            .collect();
        let mut changed = reported.value.clone();
        changed["spec"]["taints"] = json!(kept);
        cluster.update(&NODES, changed).await?;
    }
    Ok(())
}

pub(super) fn index(name: &str) -> Option<usize> {
    NODE_NAMES.iter().position(|node| *node == name)
}

pub(super) fn address(index: usize) -> String {
    format!("172.18.0.{}", index + 2)
}

/// The first address of a node from `start` on that nobody has, and its number; none when the node is full.
pub(super) fn free_address(index: usize, start: usize, taken: &BTreeSet<String>) -> Option<(usize, String)> {
    let all = BLOCKS * 250;
    (0..all)
        .map(|step| (start + step) % all)
        .map(|number| {
            (
                number,
                format!("10.244.{}.{}", index * BLOCKS + number / 250, number % 250 + 2),
            )
        })
        .find(|(_, ip)| !taken.contains(ip))
}

/// A node's object, without its status.
fn node(index: usize) -> Value {
    let name = NODE_NAMES[index];
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "amd64",
        } },
        "spec": { "podCIDR": format!("10.244.{}.0/18", index * BLOCKS) },
    })
}

/// A node's status: ready, and large enough for any test.
fn status(index: usize, now: &str) -> Value {
    let room = json!({ "cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "5000" });
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": now,
        })
    };
    json!({
        "capacity": room, "allocatable": room,
        "addresses": [
            { "type": "InternalIP", "address": address(index) },
            { "type": "Hostname", "address": NODE_NAMES[index] },
        ],
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
        "nodeInfo": {
            "architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": VERSION, "kubeProxyVersion": "",
            "osImage": "tidepool", "kernelVersion": "6.1.0", "containerRuntimeVersion": "tidepool://1",
            "bootID": "", "machineID": "", "systemUUID": "",
        },
    })
}
