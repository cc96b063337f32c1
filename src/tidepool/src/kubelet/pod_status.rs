//! A pod's status at each stage of its life, as a kubelet reports it.
//!
//! A pure function of the pod, the stage and now; times of what did not change are kept, so that the same stage gives the same status.

use std::time::Duration;

use env::Env;
use serde_json::{Value, json};

use crate::object;

/// Where a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Images are pulled, containers made.
    Creating,
    /// All containers run.
    Running {
        /// Whether all of them are ready.
        ready: bool,
    },
    /// The containers ended, and wait to be started again.
    Crashed {
        /// How often they were started again.
        restarts: u64,
        /// How long they wait this time.
        backoff: Duration,
    },
}

pub(super) fn status(pod: &Value, stage: Stage, ip: &str, host_ip: &str, env: &Env) -> Value {
    let now = object::seconds(env.now());
    let mut status = pod["status"].clone();
    let fields = object::entry(&mut status, &[]);
    let phase = if stage == Stage::Creating { "Pending" } else { "Running" };
    fields.insert("phase".to_owned(), json!(phase));
    fields.insert("hostIP".to_owned(), json!(host_ip));
    fields.insert("hostIPs".to_owned(), json!([{ "ip": host_ip }]));
    fields.entry("startTime").or_insert_with(|| json!(now));
    if stage != Stage::Creating {
        fields.insert("podIP".to_owned(), json!(ip));
        fields.insert("podIPs".to_owned(), json!([{ "ip": ip }]));
    }
    let ready = stage == Stage::Running { ready: true };
    fields.insert("conditions".to_owned(), conditions(pod, stage, ready, &now));
    let containers = object::items(pod, &["spec", "containers"]).iter();
    let statuses: Vec<Value> = containers
        .map(|container| container_status(pod, container, stage, &now))
        .collect();
    fields.insert("containerStatuses".to_owned(), json!(statuses));
    status
}

fn conditions(pod: &Value, stage: Stage, ready: bool, now: &str) -> Value {
    let names: Vec<&str> = object::items(pod, &["spec", "containers"])
        .iter()
        .map(object::name_of_part)
        .collect();
    let unready = format!("containers with unready status: [{}]", names.join(" "));
    let old = object::items(pod, &["status", "conditions"]);
    let condition = |kind: &str, holds: bool| {
        let status = if holds { "True" } else { "False" };
        let since = old
            .iter()
            .find(|condition| condition["type"] == kind && condition["status"] == status)
            .map_or_else(|| json!(now), |condition| condition["lastTransitionTime"].clone());
        let mut condition =
            json!({ "type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": since });
        if !holds && kind.ends_with("Ready") {
            condition["reason"] = json!("ContainersNotReady");
            condition["message"] = json!(unready);
        }
        condition
    };
    json!([
        condition("PodReadyToStartContainers", stage != Stage::Creating),
        condition("Initialized", true),
        condition("Ready", ready),
        condition("ContainersReady", ready),
        condition("PodScheduled", true),
    ])
}

fn container_status(pod: &Value, container: &Value, stage: Stage, now: &str) -> Value {
    let name = object::name_of_part(container);
    let old = object::items(pod, &["status", "containerStatuses"])
        .iter()
        .find(|status| status["name"] == name)
        .unwrap_or(&Value::Null);
    let image = object::text(container, &["image"]);
    let mut status = json!({
        "name": name, "image": image, "imageID": "", "ready": stage == Stage::Running { ready: true },
        "restartCount": 0, "started": matches!(stage, Stage::Running { .. }), "lastState": {},
    });
    let id = format!("tidepool://{}/{name}", object::uid(pod));
    match stage {
        Stage::Creating => status["state"] = json!({ "waiting": { "reason": "ContainerCreating" } }),
        Stage::Running { .. } => {
            let since = object::at(old, &["state", "running", "startedAt"]);
            let since = if since.is_string() { since.clone() } else { json!(now) };
            status["state"] = json!({ "running": { "startedAt": since } });
            status["imageID"] = json!(image);
            status["containerID"] = json!(id);
        }
        Stage::Crashed { restarts, backoff } => {
            let message = format!(
                "back-off {}s restarting failed container={name} pod={}_{}({})",
                backoff.as_secs(),
                object::name(pod),
                object::namespace(pod),
                object::uid(pod)
            );
            let same = old["restartCount"] == restarts && object::at(old, &["lastState", "terminated"]).is_object();
            let last = if same {
                old["lastState"].clone()
            } else {
                json!({ "terminated": {
                    "exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now, "containerID": id,
                } })
            };
            status["state"] = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": message } });
            status["lastState"] = last;
            status["restartCount"] = json!(restarts);
            status["imageID"] = json!(image);
            status["containerID"] = json!(id);
        }
    }
    status
}
