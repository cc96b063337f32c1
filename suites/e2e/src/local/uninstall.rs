//! Taking tidegate off a cluster in one go: `charts/install.yaml` deleted object by object, as `kubectl delete -f` does, when no controller runs
//! any more. A workload that was released before keeps running as it is and can be changed. Played once at the end of a run by [`super::play`].

use anyhow::{Context, Result, bail};
use env::Env;
use serde_json::{Value, json};
use suites::object::{number, text};
use suites::{Kubernetes, ObjectRef, PatchKind};

use super::ground::wait_for;
use super::installed;

const NAMESPACE: &str = "taken-off";
const NAME: &str = "resting";

fn workload() -> ObjectRef {
    ObjectRef::namespaced("apps/v1", "Deployment", NAMESPACE, NAME)
}

fn rollout() -> ObjectRef {
    ObjectRef::namespaced("rollouts.kruise.io/v1beta1", "Rollout", NAMESPACE, NAME)
}

/// Releases a version of a workload of its own and waits until its Rollout is at rest.
///
/// # Errors
/// What did not come.
pub(super) async fn release(env: &Env, person: &Kubernetes) -> Result<()> {
    let labels = json!({ "app": NAME });
    let objects = [
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": NAME, "namespace": NAMESPACE },
            "spec": {
                "replicas": 1, "selector": { "matchLabels": labels },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": { "containers": [{ "name": "main", "image": "cilium/echoserver:1.10.2" }] },
                },
            },
        }),
        json!({
            "apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout", "metadata": { "name": NAME, "namespace": NAMESPACE },
            "spec": {
                "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": NAME },
                "strategy": { "canary": {
                    "enableExtraWorkloadForCanary": true, "steps": [{ "replicas": 1, "pause": { "duration": 1 } }],
                } },
            },
        }),
    ];
    for object in &objects {
        person.create(object).await.context("make a workload and its Rollout")?;
    }
    wait_for(env, "a Rollout that is told to be healthy", || async {
        let found = person.get(&rollout()).await?.unwrap_or_default();
        let available = person.get(&workload()).await?.unwrap_or_default();
        Ok(text(&found, "/status/phase") == "Healthy" && number(&available, "/status/availableReplicas") == 1)
    })
    .await?;
    set_image(person, "cilium/echoserver:1.10.3").await?;
    wait_for(env, "the end of its release", || async {
        let found = person.get(&rollout()).await?.unwrap_or_default();
        Ok(text(&found, "/status/phase") == "Healthy"
            && text(&found, "/status/canaryStatus/currentStepState") == "Completed"
            && text(&found, "/status/message").contains("completed")
            && found.pointer("/metadata/finalizers").is_none())
    })
    .await
}

/// Deletes everything that was installed, without waiting in between, and waits until all of it is gone.
///
/// # Errors
/// What stayed, or what became of the workload.
pub(super) async fn remove(env: &Env, person: &Kubernetes) -> Result<()> {
    let before = person.get(&workload()).await?.unwrap_or_default();
    let installed: Vec<ObjectRef> = installed::objects()?.iter().map(ObjectRef::of).collect();
    for object in &installed {
        match person.delete(object).await {
            Ok(()) => {}
            // What lies in the namespace may have gone with it.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error).context("take charts/install.yaml off"),
        }
    }
    for object in &installed {
        wait_for(env, &format!("the end of {object}"), || async {
            match person.get(object).await {
                Ok(found) => Ok(found.is_none()),
                Err(error) if error.is_not_found() => Ok(true),
                Err(error) => Err(error.into()),
            }
        })
        .await?;
    }
    let after = person.get(&workload()).await?.unwrap_or_default();
    if before["spec"] != after["spec"] || number(&after, "/status/availableReplicas") != 1 {
        bail!(
            "{} is not as it was before tidegate was taken off: {} became {}",
            workload(),
            before["spec"],
            after["spec"]
        );
    }
    set_image(person, "cilium/echoserver:1.10.4")
        .await
        .context("change the workload without tidegate")
}

async fn set_image(person: &Kubernetes, image: &str) -> Result<()> {
    let patch: Value =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "main", "image": image }] } } } });
    person
        .patch(&workload(), None, PatchKind::Strategic, &patch)
        .await
        .map(drop)
        .with_context(|| format!("set the image of {}", workload()))
}
