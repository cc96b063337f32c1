//! Pods: how many containers are ready, what the pod is doing in one word, how often it was started again.
//!
//! Follows the printer of kube-apiserver, whose rules about init containers and ends decide what people read as a pod's status.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cells::{NONE, condition, holds};
use super::{AGE, Column, NAME, age};
use crate::object;

pub(super) const COLUMNS: &[Column] = &[
    NAME,
    Column::made("Ready", |pod, _| {
        let (ready, all) = (Told::of(pod).ready, object::items(pod, &["spec", "containers"]).len());
        json!(format!("{ready}/{}", all + sidecars(pod)))
    }),
    Column::made("Status", |pod, _| json!(Told::of(pod).reason)),
    Column::made("Restarts", restarts),
    AGE,
    Column::text("IP", "status.podIP", NONE).wide(),
    Column::text("Node", "spec.nodeName", NONE).wide(),
    Column::text("Nominated Node", "status.nominatedNodeName", NONE).wide(),
    Column::made("Readiness Gates", gates).wide(),
];

/// The row condition of a pod that has ended: kubectl greys it out.
pub(super) fn completed(object: &Value) -> Option<Value> {
    if object["kind"] != "Pod" || object["apiVersion"] != "v1" {
        return None;
    }
    let (reason, message) = match object::text(object, &["status", "phase"]) {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!({ "type": "Completed", "status": "True", "reason": reason, "message": message }))
}

/// What a pod's containers say together.
struct Told {
    ready: usize,
    reason: String,
    restarts: i64,
    restarted: Option<Timestamp>,
}

fn restartable(pod: &Value, name: &Value) -> bool {
    object::items(pod, &["spec", "initContainers"])
        .iter()
        .any(|container| container["name"] == *name && container["restartPolicy"] == "Always")
}

fn sidecars(pod: &Value) -> usize {
    let containers = object::items(pod, &["spec", "initContainers"]);
    containers
        .iter()
        .filter(|container| container["restartPolicy"] == "Always")
        .count()
}

impl Told {
    fn of(pod: &Value) -> Self {
        let status = |field: &str| object::text(pod, &["status", field]).to_owned();
        let mut told = Self {
            ready: 0,
            reason: if status("reason").is_empty() {
                status("phase")
            } else {
                status("reason")
            },
            restarts: 0,
            restarted: None,
        };
        if condition(pod, "PodScheduled")["reason"] == "SchedulingGated" {
            "SchedulingGated".clone_into(&mut told.reason);
        }
        let sidecar_restarts = told.initial(pod);
        if sidecar_restarts.is_some() || holds(pod, "Initialized") {
            told.restarts = sidecar_restarts.unwrap_or(0);
            told.main(pod);
        }
        if object::is_deleting(pod) {
            if status("reason") == "NodeLost" {
                "Unknown".clone_into(&mut told.reason);
            } else if !["Succeeded", "Failed"].contains(&status("phase").as_str()) {
                "Terminating".clone_into(&mut told.reason);
            }
        }
        told
    }

    /// Reads the init containers; the restarts of those that run beside the others, when all have done their part.
    fn initial(&mut self, pod: &Value) -> Option<i64> {
        let statuses = object::items(pod, &["status", "initContainerStatuses"]);
        let all = object::items(pod, &["spec", "initContainers"]).len();
        let mut beside = 0;
        for (index, container) in statuses.iter().enumerate() {
            let count = container["restartCount"].as_i64().unwrap_or(0);
            self.restarts += count;
            self.note_end(container);
            let sidecar = restartable(pod, &container["name"]);
            if sidecar {
                beside += count;
            }
            let state = &container["state"];
            let ended = &state["terminated"];
            if ended.is_object() && ended["exitCode"] == 0 {
                continue;
            }
            if sidecar && container["started"] == true {
                self.ready += usize::from(container["ready"] == true);
                continue;
            }
            let waiting = object::text(state, &["waiting", "reason"]);
            self.reason = if ended.is_object() {
                format!("Init:{}", ending(ended))
            } else if !waiting.is_empty() && waiting != "PodInitializing" {
                format!("Init:{waiting}")
            } else {
                format!("Init:{index}/{all}")
            };
            return None;
        }
        Some(beside)
    }

    fn main(&mut self, pod: &Value) {
        let mut running = false;
        for container in object::items(pod, &["status", "containerStatuses"]).iter().rev() {
            self.restarts += container["restartCount"].as_i64().unwrap_or(0);
            self.note_end(container);
            let state = &container["state"];
            let waiting = object::text(state, &["waiting", "reason"]);
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.reason);
            } else if state["terminated"].is_object() {
                self.reason = ending(&state["terminated"]);
            } else if container["ready"] == true && state["running"].is_object() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && running {
            self.reason = if holds(pod, "Ready") { "Running" } else { "NotReady" }.to_owned();
        }
    }

    fn note_end(&mut self, container: &Value) {
        let ended = age::read(&container["lastState"]["terminated"]["finishedAt"]);
        self.restarted = self.restarted.max(ended);
    }
}

/// How a container ended, in one word.
fn ending(terminated: &Value) -> String {
    let reason = object::text(terminated, &["reason"]);
    let signal = object::number(terminated, &["signal"]).unwrap_or(0);
    let code = object::number(terminated, &["exitCode"]).unwrap_or(0);
    match (reason, signal) {
        ("", 0) => format!("ExitCode:{code}"),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn restarts(pod: &Value, now: Timestamp) -> Value {
    let told = Told::of(pod);
    match told.restarted {
        Some(at) if told.restarts > 0 => {
            let ago = age::human(now.duration_since(at).as_secs());
            json!(format!("{} ({ago} ago)", told.restarts))
        }
        _ => json!(told.restarts.to_string()),
    }
}

fn gates(pod: &Value, _: Timestamp) -> Value {
    let gates = object::items(pod, &["spec", "readinessGates"]);
    if gates.is_empty() {
        return json!(NONE);
    }
    let open = gates
        .iter()
        .filter(|gate| holds(pod, object::text(gate, &["conditionType"])))
        .count();
    json!(format!("{open}/{}", gates.len()))
}
