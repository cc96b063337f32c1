//! `rollout undo`: the workload's template becomes the stable revision's again, which the controller then takes for a rollback.

use api::hash::same_template;
use api::names::label;
use api::v1beta1::Rollout;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::args::DryRun;
use crate::{Failure, connect};

/// Puts the workload back and says what was done.
pub(crate) async fn workload(
    client: &Client,
    namespace: &str,
    rollout: &Rollout,
    dry_run: DryRun,
) -> Result<String, Failure> {
    let reference = &rollout.spec.workload_ref;
    if (reference.group(), reference.kind.as_str()) != ("apps", "Deployment") {
        return Err(Failure(format!(
            "undo is not supported for {}; apply the old version instead",
            reference.kind
        )));
    }
    let stable = rollout
        .status
        .as_ref()
        .and_then(|status| status.common())
        .and_then(|common| common.stable_revision.clone());
    let Some(stable) = stable.filter(|stable| !stable.is_empty()) else {
        return Err(Failure(
            "knows no stable revision, so there is nothing to go back to".to_owned(),
        ));
    };
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let deployment = deployments
        .get(&reference.name)
        .await
        .map_err(|error| connect::failure("its workload cannot be read", &error))?;
    let sets: Api<ReplicaSet> = Api::namespaced(client.clone(), namespace);
    let selector = ListParams::default().labels(&format!("{}={stable}", label::POD_TEMPLATE_HASH));
    let sets = sets
        .list(&selector)
        .await
        .map_err(|error| connect::failure("its ReplicaSets cannot be read", &error))?;
    let uid = deployment.uid().unwrap_or_default();
    let owned = sets
        .items
        .iter()
        .find(|set| set.owner_references().iter().any(|owner| owner.uid == uid));
    let Some(set) = owned else {
        return Err(Failure(format!(
            "has no ReplicaSet of stable revision {stable} any more; apply the old version instead"
        )));
    };
    let text = |error: serde_json::Error| Failure(format!("cannot build the patch: {error}"));
    let now = serde_json::to_value(deployment.spec.as_ref().map(|spec| &spec.template)).map_err(text)?;
    let then = serde_json::to_value(set.spec.as_ref().and_then(|spec| spec.template.as_ref())).map_err(text)?;
    let Some(operations) = operations(&now, &then) else {
        return Ok(format!(
            "skipped rollback (current template already matches revision {stable})"
        ));
    };
    if dry_run != DryRun::Client {
        let params = PatchParams {
            dry_run: dry_run == DryRun::Server,
            ..PatchParams::default()
        };
        let mut guarded = vec![json!({ "op": "test", "path": "/metadata/uid", "value": uid })];
        guarded.extend(operations);
        let patch = serde_json::from_value(Value::Array(guarded)).map_err(text)?;
        deployments
            .patch(&reference.name, &params, &Patch::Json::<()>(patch))
            .await
            .map_err(|error| connect::failure("its workload cannot be changed", &error))?;
    }
    Ok("rolled back".to_owned())
}

/// The patch that makes `then`, a ReplicaSet's template, the workload's; nothing when it is so already.
pub(crate) fn operations(now: &Value, then: &Value) -> Option<Vec<Value>> {
    if same_template(now, then) {
        return None;
    }
    let mut template = then.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(label::POD_TEMPLATE_HASH);
    }
    Some(vec![
        json!({ "op": "replace", "path": "/spec/template", "value": template }),
    ])
}
