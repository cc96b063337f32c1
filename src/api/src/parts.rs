//! The parts that both versions of an object share, as they are on the wire. Every field that the schema does not require is an `Option`, so that
//! an object is written back exactly as it was read; [`crate::plan`] is what the rest of the house decides with.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::words::words;

/// A reference to an object in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectReference {
    /// Group and version of the object.
    pub api_version: String,
    /// Kind of the object.
    pub kind: String,
    /// Name of the object.
    pub name: String,
}

impl ObjectReference {
    /// The group in `apiVersion`; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

/// How a step ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// Seconds to wait before the next step. Without it somebody must approve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<i32>,
    /// Go on by itself once the step's analysis is successful. Not in OpenKruise's schema, which drops it: then somebody must approve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_analysis: Option<bool>,
}

/// Labels and annotations for the canary's pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PodTemplateMetadataPatch {
    /// Annotations added to the canary's pod template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Labels added to the canary's pod template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// The Ingress whose traffic is split.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressRouting {
    /// Which kind of Ingress controller serves it: nginx (the default), aliyun-alb, higress, mse, or one with a script of its own. This is not the
    /// ingressClassName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_type: Option<String>,
    /// Name of the Ingress.
    pub name: String,
}

/// The Gateway API route whose traffic is split.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayRouting {
    /// Name of the HTTPRoute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_route_name: Option<String>,
    /// Name of the GRPCRoute, in place of an HTTPRoute. Not in OpenKruise's schema, which drops it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_route_name: Option<String>,
}

/// A header that is set or added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// Name of the header; case does not matter.
    #[schemars(length(min = 1, max = 256), regex(pattern = TOKEN))]
    pub name: String,
    /// Value of the header.
    #[schemars(length(min = 1, max = 4096))]
    pub value: String,
}

/// Changes to the headers of requests that go to the canary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeaderModifier {
    /// Headers that replace what the request carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub set: Option<Vec<Header>>,
    /// Headers that are appended to what the request carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub add: Option<Vec<Header>>,
    /// Names of headers that are taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "set"))]
    pub remove: Option<Vec<String>>,
}

/// What an HTTP header or query parameter name may look like.
pub(crate) const TOKEN: &str = r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$";

/// A request header to match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeaderMatch {
    /// How the value is compared.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Exact", "enum" = ["Exact", "RegularExpression"]))]
    pub match_type: Option<String>,
    /// Name of the header; case does not matter.
    #[schemars(length(min = 1, max = 256), regex(pattern = TOKEN))]
    pub name: String,
    /// Value, or regular expression, that the header must have.
    #[schemars(length(min = 1, max = 4096))]
    pub value: String,
}

/// One observation about an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about: Progressing, Succeeded or Terminating.
    #[serde(rename = "type")]
    pub condition_type: String,
    /// True, False or Unknown.
    pub status: String,
    /// When it was last written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// When its status last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// One word that says why.
    pub reason: String,
    /// A sentence that says why.
    pub message: String,
}

words! {
    /// Where a Rollout is.
    RolloutPhase {
        /// Never reconciled.
        Unset = "",
        /// The workload has not been seen.
        Initial = "Initial",
        /// No release is under way.
        Healthy = "Healthy",
        /// A release is under way.
        Progressing = "Progressing",
        /// The Rollout is being deleted.
        Terminating = "Terminating",
        /// The Rollout manages nothing.
        Disabled = "Disabled",
        /// Being disabled in the middle of a release.
        Disabling = "Disabling",
    }
}

words! {
    /// Where the current step is.
    StepState {
        /// No release was ever seen.
        Unset = "",
        /// The step has been entered.
        BeforeStepUpgrade = "BeforeStepUpgrade",
        /// Pods of the new revision are being made.
        StepUpgrade = "StepUpgrade",
        /// Traffic is being shifted.
        StepTrafficRouting = "StepTrafficRouting",
        /// Metrics are being judged.
        StepMetricsAnalysis = "StepMetricsAnalysis",
        /// Waiting for time or for a person.
        StepPaused = "StepPaused",
        /// A verdict took the new version back. Not a word of OpenKruise's.
        StepAborted = "StepAborted",
        /// Allowed to go on.
        StepReady = "StepReady",
        /// The last step is behind.
        Completed = "Completed",
    }
}

words! {
    /// What is being cleaned up at the end of a release.
    FinalisingStep {
        /// Not finalising.
        Unset = "",
        /// The stable Service selects all pods again.
        RestoreStableService = "RestoreStableService",
        /// Routes send everything to stable again.
        RouteTrafficToStable = "FinalisingStepRouteTrafficToStable",
        /// Routes send everything to the new revision.
        RouteTrafficToNew = "FinalisingStepRouteTrafficToNew",
        /// The canary Service goes.
        RemoveCanaryService = "RemoveCanaryService",
        /// The workload goes on by itself.
        ResumeWorkload = "ResumeWorkload",
        /// The BatchRelease goes.
        ReleaseWorkloadControl = "ReleaseWorkloadControl",
        /// For debugging: never ends.
        WaitEndless = "WaitEndless",
        /// Everything is cleaned up.
        End = "END",
    }
}

words! {
    /// Where a BatchRelease is.
    BatchReleasePhase {
        /// Never reconciled.
        Unset = "",
        /// The workload is being taken over.
        Preparing = "Preparing",
        /// Batches are released.
        Progressing = "Progressing",
        /// The workload is being given back.
        Finalizing = "Finalizing",
        /// Done.
        Completed = "Completed",
    }
}

words! {
    /// Where the current batch is.
    BatchState {
        /// No batch yet.
        Unset = "",
        /// The workload is being edited.
        Upgrading = "Upgrading",
        /// Waiting for pods.
        Verifying = "Verifying",
        /// All pods of the batch are ready.
        Ready = "Ready",
    }
}

words! {
    /// What happens to the workload when a BatchRelease is finalised.
    FinalizingPolicy {
        /// The same as `Immediate`.
        Unset = "",
        /// Wait until the workload has taken the new revision everywhere.
        WaitResume = "WaitResume",
        /// Give the workload back at once.
        Immediate = "Immediate",
    }
}

words! {
    /// How a BatchRelease makes new pods.
    RollingStyle {
        /// Derived from `enableExtraWorkloadForCanary`.
        Unset = "",
        /// In a workload of their own.
        Canary = "Canary",
        /// In place, some of the workload's pods.
        Partition = "Partition",
        /// Beside all old ones, in the same workload.
        BlueGreen = "BlueGreen",
    }
}
