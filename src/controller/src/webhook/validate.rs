//! The validating webhooks. For Rollouts: decodes the review, reads the namespace's other rollouts live, and sends back what [`api::validate`]
//! finds. For analysis templates: what [`analysis::admission`] finds.

use analysis::admission::{self, blocks};
use analysis::condition::Condition;
use api::convert::convert;
use api::field_error::{self, FieldError};
use api::validate::{Limits, rollout as judge};
use api::{v1alpha1, v1beta1};
use env::Env;
use kube::api::{Api, ListParams};
use serde::Deserialize;
use serde_json::Value;

use super::review::{Admission, Operation, Verdict};
use super::{READ_LIMIT, templates};
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
    let api: Api<kube::core::DynamicObject> = Api::namespaced_with(
        client.clone(),
        &request.namespace,
        &rollout::Kind::Rollout.api_resource(),
    );
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
        Ok(errors) if errors.is_empty() => measured(env, &client, request).await,
        Ok(errors) => said(&errors),
        Err(message) => unreadable(message),
    }
}

/// Judges what a Rollout measures, with the templates that are there.
async fn measured(env: &Env, client: &kube::Client, request: &Admission) -> Verdict {
    let stored = convert(&request.object, v1beta1::Rollout::API_VERSION).ok();
    let Some(rollout) = stored.and_then(|stored| v1beta1::Rollout::deserialize(&stored).ok()) else {
        return Verdict::Allow;
    };
    let strategy = &rollout.spec.strategy;
    let refs = blocks::references(strategy);
    if refs.is_empty() {
        return Verdict::Allow;
    }
    match templates::read(env, client, &request.namespace, refs).await {
        Ok(templates) => said(&blocks::strategy(strategy, &templates)),
        Err(message) => Verdict::Deny {
            code: 503,
            reason: "ServiceUnavailable",
            message,
        },
    }
}

/// Judges an AnalysisTemplate or ClusterAnalysisTemplate that is created or updated.
pub(super) fn analysis_template(request: &Admission) -> Verdict {
    if request.operation == Operation::Other || request.object.pointer("/metadata/deletionTimestamp").is_some() {
        return Verdict::Allow;
    }
    match v1alpha1::AnalysisTemplate::deserialize(&request.object) {
        Ok(template) => said(&admission::template(&template.spec, condition)),
        Err(error) => unreadable(format!(
            "cannot read the template: {error}; compare it with `kubectl explain analysistemplate.spec`"
        )),
    }
}

/// Whether a condition can be read.
fn condition(text: &str) -> Result<(), String> {
    Condition::parse(text).map(|_| ()).map_err(|error| error.to_string())
}

fn said(errors: &[FieldError]) -> Verdict {
    if errors.is_empty() {
        return Verdict::Allow;
    }
    Verdict::Deny {
        code: 422,
        reason: "Invalid",
        message: field_error::aggregate(errors),
    }
}

fn unreadable(message: String) -> Verdict {
    Verdict::Deny {
        code: 400,
        reason: "BadRequest",
        message,
    }
}

fn unread(namespace: &str, cause: &dyn std::fmt::Display) -> Verdict {
    Verdict::Deny {
        code: 503,
        reason: "ServiceUnavailable",
        message: format!("read the other rollouts of namespace {namespace}: {cause}; try again"),
    }
}
