//! The validating webhook for Rollouts: decodes the review, reads the namespace's other rollouts live, and sends back what
//! [`api::validate`] finds.

use api::validate::{Limits, rollout as judge};
use api::{field_error, v1beta1};
use env::Env;
use kube::api::{Api, ListParams};
use serde_json::Value;

use super::READ_LIMIT;
use super::review::{Admission, Operation, Verdict};
use crate::explain::explain;

/// Judges a Rollout that is created or updated, in whichever version it was sent.
pub(super) async fn rollout(env: &Env, client: kube::Client, request: &Admission) -> Verdict {
    if request.operation == Operation::Other || !request.sub_resource.is_empty() {
        return Verdict::Allow;
    }
    // What is on its way out must be able to go, whatever it holds.
    if request.object.pointer("/metadata/deletionTimestamp").is_some() {
        return Verdict::Allow;
    }
    let api: Api<kube::core::DynamicObject> =
        Api::namespaced_with(client, &request.namespace, &rollout::Kind::Rollout.api_resource());
    let listed = env.clock().timeout(READ_LIMIT, api.list(&ListParams::default())).await;
    let others = match listed {
        Ok(Ok(others)) => others.items,
        Ok(Err(error)) => return unread(&request.namespace, &explain(&error)),
        Err(elapsed) => return unread(&request.namespace, &elapsed),
    };
    let own = request.object.pointer("/metadata/name").and_then(Value::as_str);
    let others: Vec<v1beta1::Rollout> = others
        .into_iter()
        .filter(|other| other.metadata.name.as_deref() != own)
        .filter_map(|other| other.try_parse().ok())
        .collect();
    let old = (request.operation == Operation::Update).then_some(&request.old);
    match judge(&request.object, old, &others, Limits::default()) {
        Ok(errors) if errors.is_empty() => Verdict::Allow,
        Ok(errors) => Verdict::Deny {
            code: 422,
            reason: "Invalid",
            message: field_error::aggregate(&errors),
        },
        Err(message) => Verdict::Deny {
            code: 400,
            reason: "BadRequest",
            message,
        },
    }
}

fn unread(namespace: &str, cause: &dyn std::fmt::Display) -> Verdict {
    Verdict::Deny {
        code: 503,
        reason: "ServiceUnavailable",
        message: format!("read the other rollouts of namespace {namespace}: {cause}; try again"),
    }
}
