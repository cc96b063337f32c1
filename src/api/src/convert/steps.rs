//! One step and one routing of a Rollout, both ways.

use crate::parts::IntOrString;
use crate::quantity::percent;
use crate::v1alpha1 as alpha;
use crate::v1beta1 as beta;

pub(super) fn step_to_beta(step: &alpha::CanaryStep) -> beta::Step {
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
        analysis: step.analysis.clone(),
    }
}

/// What the API server fills in for a match without a path: written here, so that what is stored is what will be read.
pub(super) fn any_path() -> beta::PathMatch {
    beta::PathMatch {
        match_type: Some("PathPrefix".to_owned()),
        value: Some("/".to_owned()),
    }
}

pub(super) fn step_to_alpha(step: &beta::Step) -> alpha::CanaryStep {
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
        analysis: step.analysis.clone(),
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

pub(super) fn routing_to_alpha(routing: &beta::TrafficRoutingRef) -> alpha::TrafficRoutingRef {
    alpha::TrafficRoutingRef {
        service: routing.service.clone(),
        router_type: None,
        grace_period_seconds: routing.grace_period_seconds,
        ingress: routing.ingress.clone(),
        gateway: routing.gateway.clone(),
        custom_network_refs: routing.custom_network_refs.clone(),
    }
}
