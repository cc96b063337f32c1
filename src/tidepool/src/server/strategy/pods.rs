//! Pods: what of them may change, and how long they have to end.

use serde_json::Value;

use super::workloads::containers;
use super::{PLAIN, Preparing, Strategy};
use crate::object;
use crate::server::refusal::Cause;

pub(super) const STRATEGY: Strategy = Strategy {
    generation: true,
    fields: &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ],
    grace: Some(grace),
    prepare: &[prepare],
    check: &[immutable, runnable],
    ..PLAIN
};

/// A pod that never ran or has ended is removed at once; another one has its own grace, or what was asked for.
fn grace(pod: &Value, asked: Option<i64>) -> i64 {
    let seconds = asked
        .or_else(|| object::number(pod, &["spec", "terminationGracePeriodSeconds"]))
        .unwrap_or(30);
    let seconds = if seconds < 0 { 1 } else { seconds };
    let ended = matches!(object::text(pod, &["status", "phase"]), "Succeeded" | "Failed");
    if object::text(pod, &["spec", "nodeName"]).is_empty() || ended {
        0
    } else {
        seconds
    }
}

fn prepare(preparing: &Preparing<'_>, pod: &mut Value) {
    if preparing.old.is_some() {
        return;
    }
    let class = quality(pod);
    let status = object::entry(pod, &["status"]);
    status.clear();
    status.insert("phase".to_owned(), "Pending".into());
    status.insert("qosClass".to_owned(), class.into());
}

fn quality(pod: &Value) -> &'static str {
    let containers = object::items(pod, &["spec", "containers"]);
    let resources =
        |container: &Value, side: &str, what: &str| object::at(container, &["resources", side, what]).clone();
    let has_any = |container: &Value| {
        ["limits", "requests"].iter().any(|side| {
            ["cpu", "memory"]
                .iter()
                .any(|what| !resources(container, side, what).is_null())
        })
    };
    let equal = |container: &Value| {
        ["cpu", "memory"].iter().all(|what| {
            let limit = resources(container, "limits", what);
            let request = resources(container, "requests", what);
            !limit.is_null() && (request.is_null() || request == limit)
        })
    };
    if !containers.iter().any(has_any) {
        "BestEffort"
    } else if containers.iter().all(equal) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// A pod has containers, and each of them an image.
fn runnable(preparing: &Preparing<'_>, pod: &Value) -> Vec<Cause> {
    if preparing.subresource.is_empty() {
        containers(&pod["spec"], "spec")
    } else {
        Vec::new()
    }
}

/// Of a pod's specification only images, deadlines, tolerations and a shorter grace may change.
fn immutable(preparing: &Preparing<'_>, pod: &Value) -> Vec<Cause> {
    let Some(old) = preparing.old else { return Vec::new() };
    if !preparing.subresource.is_empty() || changeable_removed(pod, pod) == changeable_removed(old, pod) {
        return Vec::new();
    }
    vec![Cause::forbidden(
        "spec",
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    )]
}

/// The specification with what may change taken from `from`.
fn changeable_removed(pod: &Value, from: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    for list in ["containers", "initContainers"] {
        let images: Vec<Value> = object::items(from, &["spec", list])
            .iter()
            .map(|container| container["image"].clone())
            .collect();
        if let Some(containers) = spec.get_mut(list).and_then(Value::as_array_mut) {
            for (container, image) in containers.iter_mut().zip(images) {
                container["image"] = image;
            }
        }
    }
    if let Some(spec) = spec.as_object_mut() {
        for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates", "nodeName"] {
            spec.remove(field);
        }
    }
    spec
}
