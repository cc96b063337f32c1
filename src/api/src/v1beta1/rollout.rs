//! The Rollout's spec: which workload, which strategy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RolloutStatus, Step, TrafficRoutingRef};
use crate::attachment::RolloutAnalysis;
use crate::kind::kind;
use crate::parts::{IntOrString, ObjectReference, PodTemplateMetadataPatch};

kind! {
    /// Leads each new version of one workload through steps, with traffic and approvals, and cleans up after it.
    Rollout in "v1beta1", plural "rollouts", scope NamespaceResourceScope, spec RolloutSpec, status RolloutStatus
}

/// Which workload is released, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutSpec {
    /// The workload, in the Rollout's namespace.
    pub workload_ref: ObjectReference,
    /// How new versions are released: canary or blueGreen.
    pub strategy: RolloutStrategy,
    /// Stop managing the workload; in the middle of a release, clean up first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub disabled: Option<bool>,
}

/// Exactly one of `canary` and `blueGreen`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStrategy {
    /// Hold the release where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// New pods beside the old ones, in growing parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryStrategy>,
    /// A full second set of pods, and a switch of traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blue_green: Option<BlueGreenStrategy>,
}

/// The canary strategy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStrategy {
    /// The steps, in order. After the last one the release is finished off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub steps: Option<Vec<Step>>,
    /// Where traffic is split; at most one entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_routings: Option<Vec<TrafficRoutingRef>>,
    /// How many updated pods may be unready while a step still counts as done; none without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<IntOrString>,
    /// Labels and annotations for the canary Deployment's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_pod_template_metadata: Option<PodTemplateMetadataPatch>,
    /// Make the canary's pods in a Deployment of their own; only for apps/v1 Deployments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_extra_workload_for_canary: Option<bool>,
    /// Name of a TrafficRouting in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_routing_ref: Option<String>,
    /// Make no canary Service; for customNetworkRefs that tell versions apart themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_generate_canary_service: Option<bool>,
    /// What is measured all along, from a step on. Not in OpenKruise's schema, which drops it, as it does the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<RolloutAnalysis>,
    /// What is measured after the last step, before the new version takes everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_promotion_analysis: Option<RolloutAnalysis>,
    /// What is measured once the new version serves everything, while the version before still stands by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_promotion_analysis: Option<RolloutAnalysis>,
}

/// The blue-green strategy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlueGreenStrategy {
    /// The steps, in order. The last one must be approved or timed as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub steps: Option<Vec<Step>>,
    /// Where traffic is split; at most one entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_routings: Option<Vec<TrafficRoutingRef>>,
    /// How many updated pods may be unready while a step still counts as done; none without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<IntOrString>,
    /// Name of a TrafficRouting in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_routing_ref: Option<String>,
    /// Make no canary Service; for customNetworkRefs that tell versions apart themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_generate_canary_service: Option<bool>,
    /// What is measured all along, from a step on. Not in OpenKruise's schema, which drops it, as it does the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<RolloutAnalysis>,
    /// What is measured after the last step, before the new version takes everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_promotion_analysis: Option<RolloutAnalysis>,
    /// What is measured once the new version serves everything, while the version before still stands by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_promotion_analysis: Option<RolloutAnalysis>,
}
