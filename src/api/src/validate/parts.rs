//! The rules that both versions share.

use serde_json::{Value, json};

use crate::field_error::FieldError;
use crate::names::MAX_STEPS;
use crate::parts::{IntOrString, ObjectReference, RolloutPhase};
use crate::quantity::percent;
use crate::v1beta1::{Rollout, TrafficRoutingRef};

pub(super) fn json_of(part: &impl serde::Serialize) -> Value {
    serde_json::to_value(part).unwrap_or(Value::Null)
}

/// The workload is named, of a kind that can be released, and nobody else's.
pub(super) fn workload(
    path: &str,
    workload: &ObjectReference,
    known_only: bool,
    rollout: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    others: &[Rollout],
    errors: &mut Vec<FieldError>,
) {
    let known = matches!(
        (workload.group(), workload.kind.as_str()),
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("apps.kruise.io", "CloneSet" | "StatefulSet" | "DaemonSet")
    );
    if known_only && !known {
        errors.push(FieldError::invalid(
            path,
            json_of(workload),
            "WorkloadRef kind is not supported; use a Deployment, StatefulSet or DaemonSet of apps/v1, or a CloneSet, StatefulSet or DaemonSet of apps.kruise.io",
        ));
    }
    if workload.name.is_empty() {
        errors.push(FieldError::required(
            format!("{path}.name"),
            "name the workload that is released",
        ));
    }
    let same = |other: &&Rollout| {
        let theirs = &other.spec.workload_ref;
        other.metadata.name != rollout.name
            && theirs.group() == workload.group()
            && theirs.kind == workload.kind
            && theirs.name == workload.name
    };
    if let Some(other) = others.iter().find(same) {
        let name = other.metadata.name.as_deref().unwrap_or_default();
        errors.push(FieldError::invalid(
            path,
            json_of(workload),
            format!("one workload only have less than one Rollout, and Rollout \"{name}\" has this one; delete or change one of the two"),
        ));
    }
}

/// A step's replicas: above zero, and a percentage of at most 100.
pub(super) fn replicas(path: &str, replicas: &IntOrString, errors: &mut Vec<FieldError>) {
    let good = match replicas {
        IntOrString::Int(number) => *number > 0,
        IntOrString::String(text) => percent(text).is_ok_and(|percents| (1..=100).contains(&percents)),
    };
    if !good {
        errors.push(FieldError::invalid(
            path,
            json_of(replicas),
            "replicas must be positive number, or a percentage with '0%' < replicas <= '100%'",
        ));
    }
}

/// Steps take at least as many pods as those before; numbers and percentages are not compared with each other.
pub(super) fn not_fewer(path: &str, before: &IntOrString, now: &IntOrString, errors: &mut Vec<FieldError>) {
    let fewer = match (before, now) {
        (IntOrString::Int(before), IntOrString::Int(now)) => now < before,
        (IntOrString::String(before), IntOrString::String(now)) => {
            matches!((percent(before), percent(now)), (Ok(before), Ok(now)) if now < before)
        }
        _ => false,
    };
    if fewer {
        errors.push(FieldError::invalid(
            path,
            json_of(now),
            format!("steps must be a non decreasing sequence of replicas, and the step before has {}; put the steps in order", json_of(before)),
        ));
    }
}

/// How many updated pods may be unready: a number, or a share of them.
pub(super) fn failure_threshold(path: &str, threshold: Option<&IntOrString>, errors: &mut Vec<FieldError>) {
    let good = match threshold {
        None => true,
        Some(IntOrString::Int(number)) => *number >= 0,
        Some(IntOrString::String(text)) => percent(text).is_ok_and(|percents| (0..=100).contains(&percents)),
    };
    if !good {
        errors.push(FieldError::invalid(
            path,
            json_of(&threshold),
            "failureThreshold must be a number of pods, 0 or more, or a percentage with '0%' <= failureThreshold <= '100%'",
        ));
    }
}

/// At most as many steps as the schema holds, also where the schema is not asked.
pub(super) fn not_too_many(path: &str, count: usize, errors: &mut Vec<FieldError>) {
    if count > MAX_STEPS {
        errors.push(FieldError::invalid(
            path,
            json!(count),
            format!("a release has at most {MAX_STEPS} steps; put some together"),
        ));
    }
}

/// At most one routing, and one that says what to edit.
pub(super) fn routings(path: &str, routings: &[TrafficRoutingRef], errors: &mut Vec<FieldError>) {
    if routings.len() > 1 {
        errors.push(FieldError::invalid(
            path,
            json!(routings.len()),
            "Rollout currently only support single TrafficRouting.",
        ));
    }
    for (index, routing) in routings.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if routing.service.is_empty() {
            errors.push(FieldError::required(
                format!("{path}.service"),
                "TrafficRouting.Service cannot be empty; name the stable Service",
            ));
        }
        if let Some(grace) = routing.grace_period_seconds.filter(|grace| *grace < 0) {
            errors.push(FieldError::invalid(
                format!("{path}.gracePeriodSeconds"),
                grace,
                "a time cannot be negative; write 0 or more seconds",
            ));
        }
        if routing.ingress.is_none()
            && routing.gateway.is_none()
            && routing.custom_network_refs.as_ref().is_none_or(Vec::is_empty)
        {
            errors.push(FieldError::required(
                &path,
                "give one of ingress, gateway and customNetworkRefs",
            ));
        }
        if routing.ingress.as_ref().is_some_and(|ingress| ingress.name.is_empty()) {
            errors.push(FieldError::required(
                format!("{path}.ingress.name"),
                "name the Ingress in front of the Service",
            ));
        }
        if let Some(gateway) = &routing.gateway {
            let named = |name: &Option<String>| name.as_ref().is_some_and(|name| !name.is_empty());
            match (named(&gateway.http_route_name), named(&gateway.grpc_route_name)) {
                (false, false) => errors.push(FieldError::required(
                    format!("{path}.gateway.httpRouteName"),
                    "name the HTTPRoute in front of the Service, or a GRPCRoute in grpcRouteName",
                )),
                (true, true) => errors.push(FieldError::forbidden(
                    format!("{path}.gateway.grpcRouteName"),
                    "one route can be named here; name the other in customNetworkRefs",
                )),
                _ => {}
            }
        }
    }
}

/// Whether the stored object is in the middle of something that its plan may not be pulled from under.
pub(super) fn in_release(phase: Option<&RolloutPhase>) -> bool {
    matches!(phase, Some(RolloutPhase::Progressing | RolloutPhase::Terminating))
}

/// A field that may not change in the middle of a release.
pub(super) fn unchanged<T: PartialEq>(path: &str, old: &T, new: &T, errors: &mut Vec<FieldError>) {
    if old != new {
        errors.push(FieldError::forbidden(
            path,
            "this field is immutable while the Rollout is Progressing or Terminating; finish or roll back the release first",
        ));
    }
}
