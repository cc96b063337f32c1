//! The mutating webhook for Deployments: decodes the review, reads the namespace's rollouts and ReplicaSets live, and sends back what
//! [`rollout::admission`] says.

use env::Env;
use kube::api::{Api, DynamicObject, ListParams};
use rollout::admission::{self, Admission as Judgement};
use rollout::{Kind, Object, Op};
use serde_json::{Value, json};

use super::READ_LIMIT;
use super::review::{Admission, Operation, Verdict};
use crate::explain::explain;

/// Judges an update of an `apps/v1` Deployment.
pub(super) async fn deployment(env: &Env, client: kube::Client, request: &Admission) -> Verdict {
    if request.operation != Operation::Update || !request.sub_resource.is_empty() {
        return Verdict::Allow;
    }
    let (old, new) = match (decode(&request.old), decode(&request.object)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(error), _) | (_, Err(error)) => {
            return Verdict::Deny {
                code: 400,
                reason: "BadRequest",
                message: format!("read the Deployment under review: {error}"),
            };
        }
    };
    let reads = async {
        let rollouts = list(&client, Kind::Rollout, &request.namespace).await?;
        // Most Deployments have no rollout: one list answers them.
        if rollouts.is_empty() {
            return Ok(None);
        }
        let replica_sets = list(&client, Kind::ReplicaSet, &request.namespace).await?;
        Ok::<_, kube::Error>(Some((rollouts, replica_sets)))
    };
    let unread = |cause: &dyn std::fmt::Display| Verdict::Deny {
        code: 503,
        reason: "ServiceUnavailable",
        message: format!(
            "read the rollouts and ReplicaSets of namespace {}: {cause}; try again",
            request.namespace
        ),
    };
    match env.clock().timeout(READ_LIMIT, reads).await {
        Ok(Ok(None)) => Verdict::Allow,
        Ok(Ok(Some((rollouts, replica_sets)))) => match admission::deployment(&old, &new, &rollouts, &replica_sets) {
            Judgement::Untouched => Verdict::Allow,
            Judgement::Patched(ops) => Verdict::Change(ops.iter().map(operation).collect()),
            Judgement::Denied(message) => Verdict::Deny {
                code: 403,
                reason: "Forbidden",
                message,
            },
        },
        Ok(Err(error)) => unread(&explain(&error)),
        Err(elapsed) => unread(&elapsed),
    }
}

fn decode(object: &Value) -> Result<DynamicObject, serde_json::Error> {
    serde_json::from_value(object.clone())
}

async fn list(client: &kube::Client, kind: Kind, namespace: &str) -> Result<Vec<Object>, kube::Error> {
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind.api_resource());
    let found = api.list(&ListParams::default()).await?;
    Ok(found.items.into_iter().map(Object::new).collect())
}

fn operation(op: &Op) -> Value {
    match op {
        Op::Add { path, value } => json!({ "op": "add", "path": path, "value": value }),
        Op::Replace { path, value } => json!({ "op": "replace", "path": path, "value": value }),
        Op::Remove { path } => json!({ "op": "remove", "path": path }),
    }
}
