//! The rules for v1beta1.

use super::attachment::{self, Blocks};
use super::{Limits, parts};
use crate::attachment::RolloutAnalysis;
use crate::field_error::FieldError;
use crate::parts::{IntOrString, ObjectReference, Pause};
use crate::plan::{Style, is_native_deployment};
use crate::quantity::percent;
use crate::v1beta1::{Rollout, RolloutSpec, Step, TrafficRoutingRef};

/// Everything that is wrong with a v1beta1 Rollout. `old` is the stored object when this is an update; `others` are the namespace's Rollouts, the
/// object itself among them or not.
pub fn rollout_beta(new: &Rollout, old: Option<&Rollout>, others: &[Rollout], limits: Limits) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &new.spec;
    parts::workload(
        "spec.workloadRef",
        &spec.workload_ref,
        limits.known_workloads_only,
        &new.metadata,
        others,
        &mut errors,
    );
    match (&spec.strategy.canary, &spec.strategy.blue_green) {
        (Some(_), Some(_)) => {
            errors.push(FieldError::forbidden(
                "spec.strategy",
                "Canary and BlueGreen cannot both be set; keep one",
            ));
        }
        (None, None) => {
            errors.push(FieldError::required(
                "spec.strategy",
                "Canary and BlueGreen cannot both be empty; give one",
            ));
        }
        (Some(canary), None) => {
            let style = style_of(spec);
            steps(
                "spec.strategy.canary.steps",
                canary.steps.as_deref(),
                style,
                limits,
                &mut errors,
            );
            parts::failure_threshold(
                "spec.strategy.canary.failureThreshold",
                canary.failure_threshold.as_ref(),
                &mut errors,
            );
            let routings = canary.traffic_routings.as_deref().unwrap_or_default();
            parts::routings("spec.strategy.canary.trafficRoutings", routings, &mut errors);
            attachment::blocks(
                &Blocks {
                    path: "spec.strategy.canary",
                    background: canary.analysis.as_ref(),
                    pre_promotion: canary.pre_promotion_analysis.as_ref(),
                    post_promotion: canary.post_promotion_analysis.as_ref(),
                    steps: ends(canary.steps.as_deref()),
                },
                &mut errors,
            );
        }
        (None, Some(blue_green)) => {
            if !can_be_blue_green(&spec.workload_ref) {
                errors.push(FieldError::invalid(
                    "spec.workloadRef",
                    parts::json_of(&spec.workload_ref),
                    "this kind is not supported for bluegreen style; use a Deployment or a CloneSet, or the canary strategy",
                ));
            }
            steps(
                "spec.strategy.blueGreen.steps",
                blue_green.steps.as_deref(),
                Some(Style::BlueGreen),
                limits,
                &mut errors,
            );
            parts::failure_threshold(
                "spec.strategy.blueGreen.failureThreshold",
                blue_green.failure_threshold.as_ref(),
                &mut errors,
            );
            let routings = blue_green.traffic_routings.as_deref().unwrap_or_default();
            parts::routings("spec.strategy.blueGreen.trafficRoutings", routings, &mut errors);
            attachment::blocks(
                &Blocks {
                    path: "spec.strategy.blueGreen",
                    background: blue_green.analysis.as_ref(),
                    pre_promotion: blue_green.pre_promotion_analysis.as_ref(),
                    post_promotion: blue_green.post_promotion_analysis.as_ref(),
                    steps: ends(blue_green.steps.as_deref()),
                },
                &mut errors,
            );
        }
    }
    if let Some(old) = old
        && parts::in_release(old.status.as_ref().map(|status| &status.phase))
    {
        update(&old.spec, spec, &mut errors);
    }
    errors
}

/// How each step ends.
fn ends(steps: Option<&[Step]>) -> Vec<(Option<&Pause>, Option<&RolloutAnalysis>)> {
    let steps = steps.unwrap_or_default().iter();
    steps
        .map(|step| (step.pause.as_ref(), step.analysis.as_ref()))
        .collect()
}

/// The nominal style; nothing when the strategy does not say one.
fn style_of(spec: &RolloutSpec) -> Option<Style> {
    match (&spec.strategy.canary, &spec.strategy.blue_green) {
        (Some(canary), None) => {
            let extra =
                canary.enable_extra_workload_for_canary == Some(true) && is_native_deployment(&spec.workload_ref);
            Some(if extra { Style::Canary } else { Style::Partition })
        }
        (None, Some(_)) => Some(Style::BlueGreen),
        _ => None,
    }
}

fn can_be_blue_green(workload: &ObjectReference) -> bool {
    matches!(
        (workload.group(), workload.kind.as_str()),
        ("apps", "Deployment") | ("apps.kruise.io", "CloneSet")
    )
}

fn steps(path: &str, steps: Option<&[Step]>, style: Option<Style>, limits: Limits, errors: &mut Vec<FieldError>) {
    let steps = steps.unwrap_or_default();
    if steps.is_empty() {
        errors.push(FieldError::required(
            path,
            "The number of Canary.Steps cannot be empty; give at least one step",
        ));
    }
    parts::not_too_many(path, steps.len(), errors);
    for (index, step) in steps.iter().enumerate() {
        one_step(&format!("{path}[{index}]"), step, style, limits, errors);
    }
    for (index, pair) in steps.windows(2).enumerate() {
        if let [
            Step {
                replicas: Some(before), ..
            },
            Step {
                replicas: Some(now), ..
            },
        ] = pair
        {
            parts::not_fewer(&format!("{path}[{}].replicas", index + 1), before, now, errors);
        }
    }
}

fn one_step(path: &str, step: &Step, style: Option<Style>, limits: Limits, errors: &mut Vec<FieldError>) {
    match &step.replicas {
        None => errors.push(FieldError::required(
            format!("{path}.replicas"),
            "replicas cannot be empty; write a number or a percentage",
        )),
        Some(replicas) => parts::replicas(&format!("{path}.replicas"), replicas, errors),
    }
    let routed = step.traffic.is_some() || step.matches.as_ref().is_some_and(|matches| !matches.is_empty());
    if let Some(IntOrString::String(text)) = &step.replicas
        && routed
        && style == Some(Style::Partition)
        && percent(text).is_ok_and(|percents| percents > limits.partition_percent)
    {
        let limit = limits.partition_percent;
        errors.push(FieldError::invalid(
            format!("{path}.replicas"),
            text.as_str(),
            format!("with traffic, a partition step takes at most {limit}% of the pods; write {limit}% or less, or leave traffic and matches out"),
        ));
    }
    if let Some(traffic) = &step.traffic {
        let least = i32::from(style != Some(Style::BlueGreen));
        if !percent(traffic).is_ok_and(|percents| (least..=100).contains(&percents)) {
            let range = if least == 0 {
                "'0%' <= traffic <= '100%'"
            } else {
                "'0%' < traffic <= '100%'"
            };
            errors.push(FieldError::invalid(
                format!("{path}.traffic"),
                traffic.as_str(),
                format!("traffic must be percentage with {range}"),
            ));
        }
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

fn update(old: &RolloutSpec, new: &RolloutSpec, errors: &mut Vec<FieldError>) {
    fn routings(spec: &RolloutSpec) -> &[TrafficRoutingRef] {
        let canary = spec.strategy.canary.as_ref().map(|canary| &canary.traffic_routings);
        let blue_green = spec
            .strategy
            .blue_green
            .as_ref()
            .map(|blue_green| &blue_green.traffic_routings);
        canary.or(blue_green).and_then(Option::as_deref).unwrap_or_default()
    }
    fn count(spec: &RolloutSpec) -> usize {
        let canary = spec.strategy.canary.as_ref().map(|canary| &canary.steps);
        let blue_green = spec.strategy.blue_green.as_ref().map(|blue_green| &blue_green.steps);
        canary
            .or(blue_green)
            .and_then(Option::as_deref)
            .map_or(0, <[Step]>::len)
    }
    parts::unchanged("spec.workloadRef", &old.workload_ref, &new.workload_ref, errors);
    let strategy = if new.strategy.blue_green.is_some() {
        "blueGreen"
    } else {
        "canary"
    };
    parts::unchanged(
        &format!("spec.strategy.{strategy}.trafficRoutings"),
        &routings(old),
        &routings(new),
        errors,
    );
    parts::unchanged("spec.strategy", &style_of(old), &style_of(new), errors);
    parts::unchanged(
        &format!("spec.strategy.{strategy}.steps"),
        &count(old),
        &count(new),
        errors,
    );
}
