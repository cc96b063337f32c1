//! The Rollout's status: the phase, the conditions, and one sub-status for the strategy in use.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attachment::RunState;
use crate::parts::{Condition, FinalisingStep, RolloutPhase, StepState};

/// What the controller last saw and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// State of a canary release, or of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_status: Option<CanaryStatus>,
    /// State of a blue-green release, or of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blue_green_status: Option<BlueGreenStatus>,
    /// Observations: Progressing, Succeeded, Terminating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// Initial, Healthy, Progressing, Terminating, Disabled or Disabling.
    #[serde(default, skip_serializing_if = "RolloutPhase::is_empty")]
    pub phase: RolloutPhase,
    /// A sentence about what is going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Copy of the sub-status's current step, for the printed column.
    pub current_step_index: i32,
    /// Copy of the sub-status's step state, for the printed column.
    pub current_step_state: StepState,
}

/// What the sub-statuses of both strategies have in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommonStatus {
    /// The workload's generation that was last seen for this revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_workload_generation: Option<i64>,
    /// The release's id.
    #[serde(rename = "observedRolloutID", skip_serializing_if = "Option::is_none")]
    pub observed_rollout_id: Option<String>,
    /// The plan hash that the current step was decided with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout_hash: Option<String>,
    /// Revision of the stable version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable_revision: Option<String>,
    /// Revision label of the new version's pods, as Services select it.
    pub pod_template_hash: String,
    /// The current step, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_step_index: Option<i32>,
    /// The step after the current one; -1 when there is none. Writing another step here jumps to it.
    pub next_step_index: i32,
    /// What is being cleaned up.
    pub finalising_step: FinalisingStep,
    /// Where the current step is. Writing StepReady over StepPaused approves it.
    pub current_step_state: StepState,
    /// What the BatchRelease says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the step's state last changed; timed pauses count from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// The run that the current step waits for, or waited for. Not in OpenKruise's schema, which drops it, as it does the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_step_analysis: Option<RunState>,
    /// The run that measures all along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_analysis: Option<RunState>,
}

/// State of a canary release.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStatus {
    /// What both strategies have in common.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// Revision of the new version, from the workload's template.
    pub canary_revision: String,
    /// Pods of the new version.
    pub canary_replicas: i32,
    /// Ready pods of the new version.
    pub canary_ready_replicas: i32,
}

/// State of a blue-green release.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlueGreenStatus {
    /// What both strategies have in common.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// Revision of the new version, from the workload's template.
    pub updated_revision: String,
    /// Pods of the new version.
    pub updated_replicas: i32,
    /// Ready pods of the new version.
    pub updated_ready_replicas: i32,
}

impl RolloutStatus {
    /// The common part of whichever sub-status is there.
    pub fn common(&self) -> Option<&CommonStatus> {
        match (&self.canary_status, &self.blue_green_status) {
            (Some(canary), _) => Some(&canary.common),
            (None, Some(blue_green)) => Some(&blue_green.common),
            (None, None) => None,
        }
    }

    /// The common part of whichever sub-status is there, to write.
    pub fn common_mut(&mut self) -> Option<&mut CommonStatus> {
        match (&mut self.canary_status, &mut self.blue_green_status) {
            (Some(canary), _) => Some(&mut canary.common),
            (None, Some(blue_green)) => Some(&mut blue_green.common),
            (None, None) => None,
        }
    }

    /// The new version's revision in whichever sub-status is there.
    pub fn updated_revision(&self) -> Option<&str> {
        match (&self.canary_status, &self.blue_green_status) {
            (Some(canary), _) => Some(&canary.canary_revision),
            (None, Some(blue_green)) => Some(&blue_green.updated_revision),
            (None, None) => None,
        }
    }

    /// The condition of one type.
    pub fn condition(&self, condition_type: &str) -> Option<&Condition> {
        let conditions = self.conditions.as_deref().unwrap_or_default();
        conditions
            .iter()
            .find(|condition| condition.condition_type == condition_type)
    }
}
