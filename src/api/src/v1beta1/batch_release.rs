//! BatchRelease: the part of a release that makes pods. A Rollout makes one; it can also be used alone.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::kind;
use crate::parts::{
    BatchReleasePhase, BatchState, Condition, FinalizingPolicy, IntOrString, ObjectReference, PodTemplateMetadataPatch,
    RollingStyle,
};

kind! {
    /// Releases a workload's new version in batches of pods.
    BatchRelease in "v1beta1", plural "batchreleases", scope NamespaceResourceScope, spec BatchReleaseSpec, status BatchReleaseStatus
}

/// Which workload, in which batches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchReleaseSpec {
    /// The workload, in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_ref: Option<ObjectReference>,
    /// The batches and how far to go.
    pub release_plan: ReleasePlan,
}

/// The batches and how far to go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleasePlan {
    /// The batches, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches: Option<Vec<ReleaseBatch>>,
    /// Last batch, from 0, that may run. Without it the release is finalised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_partition: Option<i32>,
    /// The release's id, put on pods as a label.
    #[serde(rename = "rolloutID", skip_serializing_if = "Option::is_none")]
    pub rollout_id: Option<String>,
    /// How many updated pods may be unready while a batch still counts as done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<IntOrString>,
    /// What happens to the workload at the end: WaitResume or Immediate.
    #[serde(default, skip_serializing_if = "FinalizingPolicy::is_empty")]
    pub finalizing_policy: FinalizingPolicy,
    /// Labels and annotations for the canary Deployment's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_pod_template_metadata: Option<PodTemplateMetadataPatch>,
    /// Canary, Partition or BlueGreen.
    #[serde(default, skip_serializing_if = "RollingStyle::is_empty")]
    pub rolling_style: RollingStyle,
    /// Only consulted when rollingStyle is empty.
    pub enable_extra_workload_for_canary: bool,
}

/// One batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseBatch {
    /// Pods of the new version after this batch, in all.
    pub canary_replicas: IntOrString,
}

/// What was reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchReleaseStatus {
    /// Observations; only present when something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// State of the batches.
    #[serde(default)]
    pub canary_status: BatchCanaryStatus,
    /// Revision of the stable version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable_revision: Option<String>,
    /// Revision of the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_revision: Option<String>,
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The release's id that this status speaks of.
    #[serde(rename = "observedRolloutID", skip_serializing_if = "Option::is_none")]
    pub observed_rollout_id: Option<String>,
    /// The workload's replicas that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_workload_replicas: Option<i32>,
    /// How often a canary Deployment's name was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collision_count: Option<i32>,
    /// Hash of the release plan that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_release_plan_hash: Option<String>,
    /// Preparing, Progressing, Finalizing or Completed.
    #[serde(default, skip_serializing_if = "BatchReleasePhase::is_empty")]
    pub phase: BatchReleasePhase,
    /// A sentence about what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// State of the batches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchCanaryStatus {
    /// Upgrading, Verifying or Ready.
    #[serde(rename = "batchState", default, skip_serializing_if = "BatchState::is_empty")]
    pub state: BatchState,
    /// The current batch, from 0.
    pub current_batch: i32,
    /// When the batch became ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_ready_time: Option<Time>,
    /// Pods of the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_replicas: Option<i32>,
    /// Ready pods of the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_ready_replicas: Option<i32>,
    /// Pods that a rollback need not touch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_need_update_replicas: Option<i32>,
}
