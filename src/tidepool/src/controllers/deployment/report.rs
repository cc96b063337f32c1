//! A Deployment's status: counts and conditions from its ReplicaSets, in kube-controller-manager's words. Used by the Deployment controller after
//! each look at one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{new_set, sets_of};
use crate::cluster::Cluster;
use crate::controllers::rolling::bounds;
use crate::object;
use crate::resource::DEPLOYMENTS;
use crate::status::Status;
use crate::store::Stored;

/// Writes what the ReplicaSets say into the Deployment's status; the answer is when the progress deadline has to be looked at.
pub(super) async fn report(cluster: &dyn Cluster, namespace: &str, name: &str) -> Result<Option<Duration>, Status> {
    let Some(deployment) = cluster.get(&DEPLOYMENTS, namespace, name) else {
        return Ok(None);
    };
    let sets = sets_of(cluster, &deployment);
    let new = new_set(&deployment, &sets);
    let spec = &deployment.value["spec"];
    let wanted = spec["replicas"].as_i64().unwrap_or(1);
    let sum = |field: &str| {
        sets.iter()
            .map(|set| set.value["status"][field].as_i64().unwrap_or(0))
            .sum::<i64>()
    };
    let total = sum("replicas");
    let available = sum("availableReplicas");
    let updated = new.map_or(0, |set| set.value["status"]["replicas"].as_i64().unwrap_or(0));
    let old = &deployment.value["status"];
    let now = cluster.env().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let limits = bounds(&spec["strategy"], wanted);
    let enough = available >= wanted - limits.unavailable;
    let complete = updated == wanted && total == wanted && available >= wanted;
    let mut conditions = vec![if enough {
        (
            "Available",
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.".to_owned(),
        )
    } else {
        let text = "Deployment does not have minimum availability.".to_owned();
        ("Available", "False", "MinimumReplicasUnavailable", text)
    }];
    // Progress is more of the new or less of the old, as upstream has it: pods that come and go are none.
    let was = |field: &str| old[field].as_i64().unwrap_or(0);
    let moved = updated > was("updatedReplicas")
        || total - updated < was("replicas") - was("updatedReplicas")
        || sum("readyReplicas") > was("readyReplicas")
        || available > was("availableReplicas");
    let (progress, again) = progress(&deployment, new, complete, moved, cluster.env().now());
    conditions.push(progress);
    let mut status = json!({ "observedGeneration": object::generation(&deployment.value) });
    let counts = [
        ("replicas", total),
        ("updatedReplicas", updated),
        ("readyReplicas", sum("readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", (total.max(wanted) - available).max(0)),
    ];
    for (field, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        status[field] = json!(count);
    }
    status["terminatingReplicas"] = json!(sum("terminatingReplicas"));
    status["conditions"] =
        conditions.into_iter().map(|(kind, state, reason, message)| {
            let before = object::items(old, &["conditions"]).iter().find(|condition| condition["type"] == kind);
            let same = |fields: &[&str], values: &[&str]| {
                before.is_some_and(|before| fields.iter().zip(values).all(|(field, value)| before[*field] == *value))
            };
            let kept = |field: &str| before.map_or_else(|| json!(now), |before| before[field].clone());
            let unmoved = same(&["status", "reason", "message"], &[state, reason, &message]) && !(kind == "Progressing" && moved);
            let transition = if same(&["status"], &[state]) { kept("lastTransitionTime") } else { json!(now) };
            let update = if unmoved { kept("lastUpdateTime") } else { json!(now) };
            json!({ "type": kind, "status": state, "reason": reason, "message": message, "lastTransitionTime": transition, "lastUpdateTime": update })
        }).collect();
    if *old != status {
        let mut wanted = deployment.value.clone();
        wanted["status"] = status;
        cluster.update_status(&DEPLOYMENTS, wanted).await?;
    }
    Ok(again)
}

type Condition = (&'static str, &'static str, &'static str, String);

/// The Progressing condition, and when the progress deadline has to be looked at.
fn progress(
    deployment: &Stored,
    new: Option<&Arc<Stored>>,
    complete: bool,
    moved: bool,
    now: jiff::Timestamp,
) -> (Condition, Option<Duration>) {
    let name = object::name(&deployment.value);
    let set = new.map_or("", |set| object::name(&set.value));
    if deployment.value["spec"]["paused"] == true {
        return (
            (
                "Progressing",
                "Unknown",
                "DeploymentPaused",
                "Deployment is paused".to_owned(),
            ),
            None,
        );
    }
    if complete {
        let text = format!("ReplicaSet \"{set}\" has successfully progressed.");
        return (("Progressing", "True", "NewReplicaSetAvailable", text), None);
    }
    let before = object::items(&deployment.value, &["status", "conditions"])
        .iter()
        .find(|c| c["type"] == "Progressing");
    let deadline = deployment.value["spec"]["progressDeadlineSeconds"]
        .as_i64()
        .unwrap_or(600);
    let since = before
        .filter(|before| before["reason"] != "DeploymentPaused" && before["reason"] != "NewReplicaSetAvailable")
        .and_then(|before| before["lastUpdateTime"].as_str()?.parse::<jiff::Timestamp>().ok())
        .filter(|_| !moved);
    let passed = since.map_or(0, |since| now.duration_since(since).as_secs());
    // Once exceeded it stays so until something moves; the time of that verdict is no time of progress.
    let exceeded = !moved && before.is_some_and(|before| before["reason"] == "ProgressDeadlineExceeded");
    if exceeded || passed >= deadline {
        let text = format!("ReplicaSet \"{set}\" has timed out progressing.");
        return (("Progressing", "False", "ProgressDeadlineExceeded", text), None);
    }
    let text = if set.is_empty() {
        format!("Deployment \"{name}\" is progressing.")
    } else {
        format!("ReplicaSet \"{set}\" is progressing.")
    };
    let again = Duration::from_secs(u64::try_from(deadline - passed).unwrap_or(0) + 1);
    (("Progressing", "True", "ReplicaSetUpdated", text), Some(again))
}
