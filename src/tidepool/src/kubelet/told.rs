//! What the kubelet says of a pod when it has come to another stage.
//!
//! A pure function of the pod and its stage; the words are upstream's.

use serde_json::Value;

use super::image::{Behaviour, behaviour};
use super::pod_status::Stage;
use crate::events::Note;
use crate::object;

/// What is said when a pod comes to a stage.
pub(super) fn of_stage(pod: &Value, stage: Stage) -> Vec<Note> {
    let containers = object::items(pod, &["spec", "containers"]).iter();
    containers
        .flat_map(|container| {
            let name = object::name_of_part(container);
            let notes = match stage {
                Stage::Creating => pulling(container),
                Stage::Running { ready: false } => [started(container), unready(container)].concat(),
                // Ready at once: it says what a start says.
                Stage::Running { ready: true } => started(container),
                Stage::Crashed { restarts: 0, .. } => [started(container), backing_off(pod, name)].concat(),
                Stage::Crashed { .. } => backing_off(pod, name),
            };
            notes.into_iter().map(move |note| note.of_container(name))
        })
        .collect()
}

/// What is said when a pod is told to end.
pub(super) fn of_end(pod: &Value) -> Vec<Note> {
    let containers = object::items(pod, &["spec", "containers"]).iter();
    containers
        .map(|container| {
            let name = object::name_of_part(container);
            Note::normal("Killing", format!("Stopping container {name}")).of_container(name)
        })
        .collect()
}

fn pulling(container: &Value) -> Vec<Note> {
    let image = object::text(container, &["image"]);
    if container["imagePullPolicy"] == "Always" {
        vec![Note::normal("Pulling", format!("Pulling image {image:?}"))]
    } else {
        Vec::new()
    }
}

fn started(container: &Value) -> Vec<Note> {
    let image = object::text(container, &["image"]);
    let name = object::name_of_part(container);
    let pulled = if container["imagePullPolicy"] == "Always" {
        format!("Successfully pulled image {image:?}")
    } else {
        format!("Container image {image:?} already present on machine")
    };
    vec![
        Note::normal("Pulled", pulled),
        Note::normal("Created", format!("Created container: {name}")),
        Note::normal("Started", format!("Started container {name}")),
    ]
}

/// A container that will never be ready fails its probe; the others only need a moment.
fn unready(container: &Value) -> Vec<Note> {
    if behaviour(object::text(container, &["image"])) != Behaviour::NeverReady {
        return Vec::new();
    }
    let why = if container["readinessProbe"]["httpGet"].is_object() {
        "HTTP probe failed with statuscode: 503"
    } else {
        ""
    };
    vec![Note::warning("Unhealthy", format!("Readiness probe failed: {why}"))]
}

fn backing_off(pod: &Value, name: &str) -> Vec<Note> {
    vec![Note::warning(
        "BackOff",
        format!(
            "Back-off restarting failed container {name} in pod {}_{}({})",
            object::name(pod),
            object::namespace(pod),
            object::uid(pod)
        ),
    )]
}
