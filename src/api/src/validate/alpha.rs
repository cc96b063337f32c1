//! The rules for v1alpha1.

use super::attachment::{self, Blocks};
use super::{Limits, parts};
use crate::convert;
use crate::field_error::FieldError;
use crate::names::annotation::{KEPT_FROM_V1BETA1, ROLLING_STYLE};
use crate::parts::IntOrString;
use crate::plan::is_native_deployment;
use crate::quantity::percent;
use crate::v1alpha1::{CanaryStep, CanaryStrategy, Rollout};
use crate::v1beta1;

/// Everything that is wrong with a v1alpha1 Rollout. `old` is the stored object when this is an update; `others` are the namespace's Rollouts, the
/// object itself among them or not.
pub fn rollout_alpha(
    new: &Rollout,
    old: Option<&Rollout>,
    others: &[v1beta1::Rollout],
    limits: Limits,
) -> Vec<FieldError> {
    let annotation = |key: &str| new.metadata.annotations.as_ref().and_then(|all| all.get(key));
    if new.spec.strategy.canary.is_none() && annotation(KEPT_FROM_V1BETA1).is_some() {
        // A blue-green Rollout seen through this version: judge what will be stored.
        let old = old.map(convert::rollout_to_beta);
        return super::rollout_beta(&convert::rollout_to_beta(new), old.as_ref(), others, limits);
    }
    let mut errors = Vec::new();
    match new.spec.workload_ref() {
        None => errors.push(FieldError::required(
            "spec.objectRef.workloadRef",
            "WorkloadRef is required; name the workload by apiVersion, kind and name",
        )),
        Some(workload) => {
            let path = if new
                .spec
                .object_ref
                .as_ref()
                .is_some_and(|object| object.workload_ref.is_some())
            {
                "spec.objectRef.workloadRef"
            } else {
                "spec.strategy.objectRef.workloadRef"
            };
            parts::workload(
                path,
                workload,
                limits.known_workloads_only,
                &new.metadata,
                others,
                &mut errors,
            );
        }
    }
    let style = annotation(ROLLING_STYLE)
        .map(|word| word.to_lowercase())
        .unwrap_or_default();
    if !["", "canary", "partition"].contains(&style.as_str()) {
        errors.push(FieldError::invalid(
            format!("metadata.annotations[{ROLLING_STYLE}]"),
            style.as_str(),
            "Rolling style must be 'Canary', 'Partition' or empty",
        ));
    }
    let extra_workload = style != "partition" && new.spec.workload_ref().is_some_and(is_native_deployment);
    match &new.spec.strategy.canary {
        None => errors.push(FieldError::required(
            "spec.strategy.canary",
            "Canary cannot be empty; give the steps of the release",
        )),
        Some(canary) => strategy(canary, extra_workload, limits, &mut errors),
    }
    if let Some(old) = old
        && parts::in_release(old.status.as_ref().map(|status| &status.phase))
    {
        update(old, new, &mut errors);
    }
    errors
}

fn strategy(canary: &CanaryStrategy, extra_workload: bool, limits: Limits, errors: &mut Vec<FieldError>) {
    let path = "spec.strategy.canary.steps";
    let steps = canary.steps.as_deref().unwrap_or_default();
    if steps.is_empty() {
        errors.push(FieldError::required(
            path,
            "The number of Canary.Steps cannot be empty; give at least one step",
        ));
    }
    parts::not_too_many(path, steps.len(), errors);
    parts::failure_threshold(
        "spec.strategy.canary.failureThreshold",
        canary.failure_threshold.as_ref(),
        errors,
    );
    for (index, step) in steps.iter().enumerate() {
        one_step(&format!("{path}[{index}]"), step, errors);
        if !extra_workload {
            in_place(&format!("{path}[{index}]"), step, limits, errors);
        }
    }
    let routings = canary.traffic_routings.as_deref().unwrap_or_default();
    for (index, pair) in steps.windows(2).enumerate() {
        let [before, now] = pair else { continue };
        let path = format!("{path}[{}]", index + 1);
        if let (Some(before), Some(now)) = (before.weight, now.weight)
            && !routings.is_empty()
            && now < before
        {
            errors.push(FieldError::invalid(
                format!("{path}.weight"),
                now,
                format!("steps must be a non decreasing sequence of weights, and the step before has {before}; put the steps in order"),
            ));
        } else if let (Some(before), Some(now)) = (pods(before), pods(now)) {
            parts::not_fewer(&format!("{path}.replicas"), &before, &now, errors);
        }
    }
    let path = "spec.strategy.canary.trafficRoutings";
    let as_beta: Vec<_> = routings.iter().map(convert::routing).collect();
    parts::routings(path, &as_beta, errors);
    attachment::blocks(
        &Blocks {
            path: "spec.strategy.canary",
            background: canary.analysis.as_ref(),
            pre_promotion: canary.pre_promotion_analysis.as_ref(),
            post_promotion: canary.post_promotion_analysis.as_ref(),
            steps: steps
                .iter()
                .map(|step| (step.pause.as_ref(), step.analysis.as_ref()))
                .collect(),
        },
        errors,
    );
    for (index, routing) in routings.iter().enumerate() {
        let class = routing
            .ingress
            .as_ref()
            .and_then(|ingress| ingress.class_type.as_deref())
            .filter(|class| !class.is_empty());
        match routing.router_type.as_deref() {
            None | Some("") => {}
            Some("nginx") if class.is_none_or(|class| class == "nginx") => {}
            Some("nginx") => errors.push(FieldError::invalid(
                format!("{path}[{index}].type"),
                "nginx",
                format!("type and ingress.classType \"{}\" disagree; leave type out", class.unwrap_or_default()),
            )),
            Some(other) => errors.push(FieldError::invalid(
                format!("{path}[{index}].type"),
                other,
                "unknown router type; write nginx, or leave type out and set ingress.classType, gateway or customNetworkRefs",
            )),
        }
    }
}

/// The pods of a step: its replicas, or as many percent as its weight.
fn pods(step: &CanaryStep) -> Option<IntOrString> {
    step.replicas
        .clone()
        .or_else(|| step.weight.map(|weight| IntOrString::String(format!("{weight}%"))))
}

fn one_step(path: &str, step: &CanaryStep, errors: &mut Vec<FieldError>) {
    if step.weight.is_none() && step.replicas.is_none() {
        errors.push(FieldError::required(
            path,
            "weight and replicas cannot be empty at the same time; give one",
        ));
    }
    if let Some(replicas) = &step.replicas {
        parts::replicas(&format!("{path}.replicas"), replicas, errors);
    }
    let least = i32::from(step.replicas.is_none());
    if let Some(weight) = step.weight.filter(|weight| !(least..=100).contains(weight)) {
        errors.push(FieldError::invalid(
            format!("{path}.weight"),
            weight,
            "weight must be positive number, and less than or equal to 100; it is a percentage of the requests",
        ));
    }
    if let Some(seconds) = step
        .pause
        .as_ref()
        .and_then(|pause| pause.duration)
        .filter(|seconds| *seconds < 0)
    {
        errors.push(FieldError::invalid(
            format!("{path}.pause.duration"),
            seconds,
            "a time cannot be negative; write 0 or more seconds",
        ));
    }
}

/// A step that takes pods of the workload itself while the others serve the rest of the traffic.
fn in_place(path: &str, step: &CanaryStep, limits: Limits, errors: &mut Vec<FieldError>) {
    let limit = limits.partition_percent;
    let routed = step.weight.is_some() || step.matches.as_ref().is_some_and(|matches| !matches.is_empty());
    let advice = format!("with traffic, a partition step takes at most {limit}% of the pods; write {limit}% or less");
    match (&step.replicas, step.weight) {
        (Some(IntOrString::String(text)), _) if routed && percent(text).is_ok_and(|percents| percents > limit) => {
            errors.push(FieldError::invalid(format!("{path}.replicas"), text.as_str(), advice));
        }
        (None, Some(weight)) if weight > limit => {
            errors.push(FieldError::invalid(format!("{path}.weight"), weight, advice));
        }
        _ => {}
    }
}

fn update(old: &Rollout, new: &Rollout, errors: &mut Vec<FieldError>) {
    let style = |rollout: &Rollout| {
        let annotations = rollout.metadata.annotations.as_ref();
        annotations
            .and_then(|all| all.get(ROLLING_STYLE))
            .map(|word| word.to_lowercase())
            .unwrap_or_default()
    };
    let routings = |rollout: &Rollout| {
        let canary = rollout.spec.strategy.canary.as_ref();
        canary
            .and_then(|canary| canary.traffic_routings.clone())
            .unwrap_or_default()
    };
    parts::unchanged(
        "spec.objectRef",
        &old.spec.workload_ref(),
        &new.spec.workload_ref(),
        errors,
    );
    parts::unchanged(
        "spec.strategy.canary.trafficRoutings",
        &routings(old),
        &routings(new),
        errors,
    );
    parts::unchanged(
        &format!("metadata.annotations[{ROLLING_STYLE}]"),
        &style(old),
        &style(new),
        errors,
    );
}
