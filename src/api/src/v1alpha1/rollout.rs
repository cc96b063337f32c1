//! The Rollout as the article writes it. Beside upstream's fields it declares two that the article uses and upstream prunes:
//! `spec.strategy.objectRef` and `trafficRoutings[].type`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attachment::RolloutAnalysis;
use crate::kind::kind;
use crate::parts::{
    Condition, GatewayRouting, HeaderMatch, HeaderModifier, IngressRouting, IntOrString, ObjectReference, Pause,
    PodTemplateMetadataPatch, RolloutPhase,
};
use crate::v1beta1::CanaryStatus;

kind! {
    /// Leads each new version of one workload through steps, with traffic and approvals, and cleans up after it.
    Rollout in "v1alpha1", plural "rollouts", scope NamespaceResourceScope, spec RolloutSpec, status RolloutStatus
}

/// Which workload is released, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutSpec {
    /// The workload. May also be given under strategy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_ref: Option<ObjectRef>,
    /// How new versions are released.
    pub strategy: RolloutStrategy,
    /// Deprecated: give the release's id as a label of the workload.
    #[serde(rename = "rolloutID", skip_serializing_if = "Option::is_none")]
    pub rollout_id: Option<String>,
    /// Stop managing the workload; in the middle of a release, clean up first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub disabled: Option<bool>,
}

impl RolloutSpec {
    /// The workload: `objectRef` wins over `strategy.objectRef`.
    pub fn workload_ref(&self) -> Option<&ObjectReference> {
        let of = |place: &'_ Option<ObjectRef>| place.as_ref().is_some_and(|object| object.workload_ref.is_some());
        let place = if of(&self.object_ref) {
            &self.object_ref
        } else {
            &self.strategy.object_ref
        };
        place.as_ref().and_then(|object| object.workload_ref.as_ref())
    }
}

/// What a rollout points at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// The workload, in the Rollout's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_ref: Option<ObjectReference>,
}

/// How new versions are released.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStrategy {
    /// The workload, for people who give it here. Counts when spec.objectRef names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_ref: Option<ObjectRef>,
    /// Hold the release where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// New pods beside the old ones, in growing parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryStrategy>,
}

/// The canary strategy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStrategy {
    /// The steps, in order. After the last one the release is finished off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub steps: Option<Vec<CanaryStep>>,
    /// Where traffic is split; at most one entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_routings: Option<Vec<TrafficRoutingRef>>,
    /// How many updated pods may be unready while a step still counts as done; none without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<IntOrString>,
    /// Labels and annotations for the canary Deployment's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_pod_template_metadata: Option<PodTemplateMetadataPatch>,
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

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStep {
    /// Share of requests that goes to the new version, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,
    /// Requests that go to the new version; any one match is enough. Wins over weight when both are set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<Vec<RouteMatch>>,
    /// Changes to the headers of requests that go to the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_header_modifier: Option<HeaderModifier>,
    /// Pods of the new version, in all: a number, or a percentage of the workload. Without it, as many percent as weight says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<IntOrString>,
    /// How the step ends: after a time, by approval, or with its analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// What is measured before the step may end. Not in OpenKruise's schema, which drops it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<RolloutAnalysis>,
}

/// Conditions that a request must all meet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteMatch {
    /// The request's headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub headers: Option<Vec<HeaderMatch>>,
}

/// A Service and the routes in front of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrafficRoutingRef {
    /// The stable Service.
    pub service: String,
    /// Which kind of router this is. Only nginx, for people who write it; ingress.classType is the field that says more.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub router_type: Option<String>,
    /// Seconds that a router is given to take in a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 3))]
    pub grace_period_seconds: Option<i32>,
    /// An Ingress in front of the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressRouting>,
    /// A Gateway API route in front of the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayRouting>,
    /// Other objects in front of the Service, each edited by a script for its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_network_refs: Option<Vec<ObjectReference>>,
}

/// What the controller last saw and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// State of the release, or of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_status: Option<CanaryStatus>,
    /// Observations: Progressing, Succeeded, Terminating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// Initial, Healthy, Progressing, Terminating, Disabled or Disabling.
    #[serde(default, skip_serializing_if = "RolloutPhase::is_empty")]
    pub phase: RolloutPhase,
    /// A sentence about what is going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
