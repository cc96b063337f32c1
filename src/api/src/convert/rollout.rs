//! Rollout, both ways: what each version can hold, and what is kept of the rest. The parts are converted by the files beside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lens::{Annotations, keep, list, put, restore, take};
use super::places::{Places, moved_places, places_to_alpha, places_to_beta};
use super::status::{BetaStatusOnly, status_only, status_to_alpha, status_to_beta};
use super::steps::{routing_to_alpha, routing_to_beta, step_to_alpha, step_to_beta};
use super::style::{AlphaStyle, BetaStyle, style_to_alpha, style_to_beta};
use crate::names::annotation::{KEPT_FROM_V1ALPHA1, KEPT_FROM_V1BETA1};
use crate::v1alpha1 as alpha;
use crate::v1beta1::{self as beta, BlueGreenStrategy};

/// What v1beta1 cannot hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AlphaOnly {
    #[serde(skip_serializing_if = "Option::is_none")]
    places: Option<Places>,
    #[serde(rename = "rolloutID", skip_serializing_if = "Option::is_none")]
    rollout_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<AlphaStyle>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    steps: BTreeMap<usize, alpha::CanaryStep>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    routings: BTreeMap<usize, alpha::TrafficRoutingRef>,
}

/// What v1alpha1 cannot hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BetaOnly {
    #[serde(skip_serializing_if = "Option::is_none")]
    blue_green: Option<BlueGreenStrategy>,
    /// A canary strategy stood beside the blue-green one; both are kept or none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    canary_too: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<BetaStyle>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    steps: BTreeMap<usize, beta::Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<BetaStatusOnly>,
}

pub(super) fn to_beta(rollout: &alpha::Rollout) -> beta::Rollout {
    let mut annotations = rollout.metadata.annotations.clone().unwrap_or_default();
    let from_beta: BetaOnly = take(&mut annotations, KEPT_FROM_V1BETA1);
    // An object of this version cannot carry this one; a copy of a stored object's metadata might.
    annotations.remove(KEPT_FROM_V1ALPHA1);
    let spec = &rollout.spec;
    let mut kept = AlphaOnly {
        rollout_id: spec.rollout_id.clone(),
        ..AlphaOnly::default()
    };

    let places = (spec.object_ref.clone(), spec.strategy.object_ref.clone());
    let (workload_ref, kept_places) = keep(&places, places_to_beta, places_to_alpha);
    kept.places = kept_places;

    let canary = spec.strategy.canary.as_ref().map(|canary| {
        let style = AlphaStyle::of(&annotations);
        let restored = restore(&style, from_beta.style.as_ref(), style_to_alpha);
        let style = restored.unwrap_or_else(|| {
            let (beta, keep_style) = keep(&style, style_to_beta, style_to_alpha);
            kept.style = keep_style;
            beta
        });
        style.annotated.write(&mut annotations);
        let (steps, kept_steps) = list(canary.steps.as_deref(), |index, step| {
            restore(step, from_beta.steps.get(&index), step_to_alpha)
                .map_or_else(|| keep(step, step_to_beta, step_to_alpha), |restored| (restored, None))
        });
        let (traffic_routings, kept_routings) = list(canary.traffic_routings.as_deref(), |_, routing| {
            keep(routing, routing_to_beta, routing_to_alpha)
        });
        kept.steps = kept_steps;
        kept.routings = kept_routings;
        beta::CanaryStrategy {
            steps,
            traffic_routings,
            failure_threshold: canary.failure_threshold.clone(),
            patch_pod_template_metadata: canary.patch_pod_template_metadata.clone(),
            enable_extra_workload_for_canary: style.extra_workload,
            traffic_routing_ref: style.traffic_routing_ref,
            disable_generate_canary_service: canary.disable_generate_canary_service,
            analysis: canary.analysis.clone(),
            pre_promotion_analysis: canary.pre_promotion_analysis.clone(),
            post_promotion_analysis: canary.post_promotion_analysis.clone(),
        }
    });

    let blue_green = from_beta
        .blue_green
        .filter(|_| from_beta.canary_too == canary.is_some());
    put(&mut annotations, KEPT_FROM_V1ALPHA1, &kept);
    beta::Rollout {
        metadata: with_annotations(&rollout.metadata, annotations),
        spec: beta::RolloutSpec {
            workload_ref,
            strategy: beta::RolloutStrategy {
                paused: spec.strategy.paused,
                canary,
                blue_green,
            },
            disabled: spec.disabled,
        },
        status: rollout
            .status
            .as_ref()
            .map(|status| status_to_beta(status, from_beta.status)),
        ..beta::Rollout::default()
    }
}

pub(super) fn to_alpha(rollout: &beta::Rollout) -> alpha::Rollout {
    let mut annotations = rollout.metadata.annotations.clone().unwrap_or_default();
    let from_alpha: AlphaOnly = take(&mut annotations, KEPT_FROM_V1ALPHA1);
    annotations.remove(KEPT_FROM_V1BETA1);
    let spec = &rollout.spec;
    let mut kept = BetaOnly {
        blue_green: spec.strategy.blue_green.clone(),
        canary_too: spec.strategy.blue_green.is_some() && spec.strategy.canary.is_some(),
        ..BetaOnly::default()
    };

    let (object_ref, strategy_object_ref) = restore(&spec.workload_ref, from_alpha.places.as_ref(), places_to_beta)
        .unwrap_or_else(|| moved_places(from_alpha.places.as_ref(), &spec.workload_ref));

    let canary = spec.strategy.canary.as_ref().map(|canary| {
        let style = BetaStyle {
            annotated: AlphaStyle::of(&annotations),
            extra_workload: canary.enable_extra_workload_for_canary,
            traffic_routing_ref: canary.traffic_routing_ref.clone(),
        };
        let restored = restore(&style, from_alpha.style.as_ref(), style_to_beta);
        let style = restored.unwrap_or_else(|| {
            let (alpha, keep_style) = keep(&style, style_to_alpha, style_to_beta);
            kept.style = keep_style;
            alpha
        });
        style.write(&mut annotations);
        let (steps, kept_steps) = list(canary.steps.as_deref(), |index, step| {
            restore(step, from_alpha.steps.get(&index), step_to_beta)
                .map_or_else(|| keep(step, step_to_alpha, step_to_beta), |restored| (restored, None))
        });
        kept.steps = kept_steps;
        let (traffic_routings, _) = list(canary.traffic_routings.as_deref(), |index, routing| {
            let written = from_alpha.routings.get(&index);
            let router_type = written
                .filter(|written| written.service == routing.service)
                .and_then(|written| written.router_type.clone());
            (
                alpha::TrafficRoutingRef {
                    router_type,
                    ..routing_to_alpha(routing)
                },
                None::<()>,
            )
        });
        alpha::CanaryStrategy {
            steps,
            traffic_routings,
            failure_threshold: canary.failure_threshold.clone(),
            patch_pod_template_metadata: canary.patch_pod_template_metadata.clone(),
            disable_generate_canary_service: canary.disable_generate_canary_service,
            analysis: canary.analysis.clone(),
            pre_promotion_analysis: canary.pre_promotion_analysis.clone(),
            post_promotion_analysis: canary.post_promotion_analysis.clone(),
        }
    });

    kept.status = rollout.status.as_ref().and_then(status_only);
    put(&mut annotations, KEPT_FROM_V1BETA1, &kept);
    alpha::Rollout {
        metadata: with_annotations(&rollout.metadata, annotations),
        spec: alpha::RolloutSpec {
            object_ref,
            strategy: alpha::RolloutStrategy {
                object_ref: strategy_object_ref,
                paused: spec.strategy.paused,
                canary,
            },
            rollout_id: from_alpha.rollout_id,
            disabled: spec.disabled,
        },
        status: rollout.status.as_ref().map(status_to_alpha),
        ..alpha::Rollout::default()
    }
}

fn with_annotations(
    metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    annotations: Annotations,
) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
    let mut metadata = metadata.clone();
    metadata.annotations = match (annotations.is_empty(), metadata.annotations) {
        (false, _) => Some(annotations),
        (true, Some(before)) if before.is_empty() => Some(before),
        (true, _) => None,
    };
    metadata
}
