//! Rollout, both ways.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lens::{Annotations, keep, list, put, restore, take};
use crate::names::annotation::{KEPT_FROM_V1ALPHA1, KEPT_FROM_V1BETA1, ROLLING_STYLE, TRAFFIC_ROUTING};
use crate::parts::{IntOrString, ObjectReference, StepState};
use crate::quantity::percent;
use crate::v1alpha1::{self as alpha, ObjectRef};
use crate::v1beta1::{self as beta, BlueGreenStatus, BlueGreenStrategy};

/// Where the v1alpha1 object names its workload: `(spec.objectRef, spec.strategy.objectRef)`.
type Places = (Option<ObjectRef>, Option<ObjectRef>);

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

/// The parts of a v1beta1 status that v1alpha1 does not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BetaStatusOnly {
    #[serde(skip_serializing_if = "Option::is_none")]
    blue_green_status: Option<BlueGreenStatus>,
    current_step_index: i32,
    current_step_state: StepState,
}

/// The v1alpha1 way to say which style, and which TrafficRouting: annotations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct AlphaStyle {
    rolling_style: Option<String>,
    traffic_routing: Option<String>,
}

/// The v1beta1 way: fields, and annotations that may be there all the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct BetaStyle {
    annotated: AlphaStyle,
    extra_workload: Option<bool>,
    traffic_routing_ref: Option<String>,
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

fn places_to_beta((object_ref, strategy_object_ref): &Places) -> ObjectReference {
    let named = |place: &Option<ObjectRef>| place.as_ref().and_then(|object| object.workload_ref.clone());
    named(object_ref)
        .or_else(|| named(strategy_object_ref))
        .unwrap_or_default()
}

fn places_to_alpha(workload: &ObjectReference) -> Places {
    (
        Some(ObjectRef {
            workload_ref: Some(workload.clone()),
        }),
        None,
    )
}

/// The workload was changed since: the new one, where the person used to write it.
fn moved_places(written: Option<&Places>, workload: &ObjectReference) -> Places {
    let here = Some(ObjectRef {
        workload_ref: Some(workload.clone()),
    });
    match written {
        Some((object_ref, Some(_))) if object_ref.as_ref().is_none_or(|object| object.workload_ref.is_none()) => {
            (object_ref.clone(), here)
        }
        _ => (here, None),
    }
}

impl AlphaStyle {
    fn of(annotations: &Annotations) -> Self {
        Self {
            rolling_style: annotations.get(ROLLING_STYLE).cloned(),
            traffic_routing: annotations.get(TRAFFIC_ROUTING).cloned(),
        }
    }

    fn write(&self, annotations: &mut Annotations) {
        for (key, value) in [
            (ROLLING_STYLE, &self.rolling_style),
            (TRAFFIC_ROUTING, &self.traffic_routing),
        ] {
            match value {
                Some(value) => annotations.insert(key.to_owned(), value.clone()),
                None => annotations.remove(key),
            };
        }
    }
}

fn style_to_beta(style: &AlphaStyle) -> BetaStyle {
    let partition = style
        .rolling_style
        .as_ref()
        .is_some_and(|word| word.eq_ignore_ascii_case("partition"));
    BetaStyle {
        annotated: style.clone(),
        extra_workload: Some(!partition),
        traffic_routing_ref: style.traffic_routing.clone().filter(|name| !name.is_empty()),
    }
}

fn style_to_alpha(style: &BetaStyle) -> AlphaStyle {
    let word = if style.extra_workload == Some(true) {
        "canary"
    } else {
        "partition"
    };
    let reference = style.traffic_routing_ref.clone().filter(|name| !name.is_empty());
    AlphaStyle {
        rolling_style: Some(word.to_owned()),
        traffic_routing: reference.or_else(|| style.annotated.traffic_routing.clone()),
    }
}

fn step_to_beta(step: &alpha::CanaryStep) -> beta::Step {
    let traffic = step.weight.map(|weight| format!("{weight}%"));
    let matches = step.matches.as_ref().map(|matches| {
        matches
            .iter()
            .map(|one| beta::RouteMatch {
                headers: one.headers.clone(),
                path: Some(any_path()),
                query_params: None,
            })
            .collect()
    });
    beta::Step {
        replicas: step
            .replicas
            .clone()
            .or_else(|| traffic.clone().map(IntOrString::String)),
        traffic,
        matches,
        request_header_modifier: step.request_header_modifier.clone(),
        pause: step.pause.clone(),
    }
}

/// What the API server fills in for a match without a path: written here, so that what is stored is what will be read.
fn any_path() -> beta::PathMatch {
    beta::PathMatch {
        match_type: Some("PathPrefix".to_owned()),
        value: Some("/".to_owned()),
    }
}

fn step_to_alpha(step: &beta::Step) -> alpha::CanaryStep {
    let matches = step.matches.as_ref();
    alpha::CanaryStep {
        weight: step.traffic.as_deref().and_then(|traffic| percent(traffic).ok()),
        matches: matches.map(|matches| {
            matches
                .iter()
                .map(|one| alpha::RouteMatch {
                    headers: one.headers.clone(),
                })
                .collect()
        }),
        request_header_modifier: step.request_header_modifier.clone(),
        replicas: step.replicas.clone(),
        pause: step.pause.clone(),
    }
}

pub(crate) fn routing_to_beta(routing: &alpha::TrafficRoutingRef) -> beta::TrafficRoutingRef {
    beta::TrafficRoutingRef {
        service: routing.service.clone(),
        grace_period_seconds: routing.grace_period_seconds,
        ingress: routing.ingress.clone(),
        gateway: routing.gateway.clone(),
        custom_network_refs: routing.custom_network_refs.clone(),
    }
}

fn routing_to_alpha(routing: &beta::TrafficRoutingRef) -> alpha::TrafficRoutingRef {
    alpha::TrafficRoutingRef {
        service: routing.service.clone(),
        router_type: None,
        grace_period_seconds: routing.grace_period_seconds,
        ingress: routing.ingress.clone(),
        gateway: routing.gateway.clone(),
        custom_network_refs: routing.custom_network_refs.clone(),
    }
}

fn status_to_beta(status: &alpha::RolloutStatus, kept: Option<BetaStatusOnly>) -> beta::RolloutStatus {
    let common = status.canary_status.as_ref().map(|canary| &canary.common);
    let kept = kept.unwrap_or_else(|| BetaStatusOnly {
        blue_green_status: None,
        current_step_index: common.and_then(|common| common.current_step_index).unwrap_or_default(),
        current_step_state: common
            .map(|common| common.current_step_state.clone())
            .unwrap_or_default(),
    });
    beta::RolloutStatus {
        observed_generation: status.observed_generation,
        canary_status: status.canary_status.clone(),
        blue_green_status: kept.blue_green_status,
        conditions: status.conditions.clone(),
        phase: status.phase.clone(),
        message: status.message.clone(),
        current_step_index: kept.current_step_index,
        current_step_state: kept.current_step_state,
    }
}

fn status_to_alpha(status: &beta::RolloutStatus) -> alpha::RolloutStatus {
    alpha::RolloutStatus {
        observed_generation: status.observed_generation,
        canary_status: status.canary_status.clone(),
        conditions: status.conditions.clone(),
        phase: status.phase.clone(),
        message: status.message.clone(),
    }
}

fn status_only(status: &beta::RolloutStatus) -> Option<BetaStatusOnly> {
    let back = status_to_beta(&status_to_alpha(status), None);
    (back != *status).then(|| BetaStatusOnly {
        blue_green_status: status.blue_green_status.clone(),
        current_step_index: status.current_step_index,
        current_step_state: status.current_step_state.clone(),
    })
}
