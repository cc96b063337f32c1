//! The three nodes: their names, addresses, and the objects that stand for them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The nodes' names.
pub const NODE_NAMES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// How many of the 256 blocks of `10.244.0.0/16` each node has.
const BLOCKS: usize = 64;

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
pub(super) fn node(index: usize) -> Value {
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
pub(super) fn status(index: usize, now: &str) -> Value {
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
            "architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": "v1.36.3", "kubeProxyVersion": "",
            "osImage": "tidepool", "kernelVersion": "6.1.0", "containerRuntimeVersion": "tidepool://1",
            "bootID": "", "machineID": "", "systemUUID": "",
        },
    })
}
