//! A Rollout's status, both ways.

use serde::{Deserialize, Serialize};

use crate::parts::StepState;
use crate::v1alpha1 as alpha;
use crate::v1beta1::{self as beta, BlueGreenStatus};

/// The parts of a v1beta1 status that v1alpha1 does not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BetaStatusOnly {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blue_green_status: Option<BlueGreenStatus>,
    pub(super) current_step_index: i32,
    pub(super) current_step_state: StepState,
}

pub(super) fn status_to_beta(status: &alpha::RolloutStatus, kept: Option<BetaStatusOnly>) -> beta::RolloutStatus {
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

pub(super) fn status_to_alpha(status: &beta::RolloutStatus) -> alpha::RolloutStatus {
    alpha::RolloutStatus {
        observed_generation: status.observed_generation,
        canary_status: status.canary_status.clone(),
        conditions: status.conditions.clone(),
        phase: status.phase.clone(),
        message: status.message.clone(),
    }
}

pub(super) fn status_only(status: &beta::RolloutStatus) -> Option<BetaStatusOnly> {
    let back = status_to_beta(&status_to_alpha(status), None);
    (back != *status).then(|| BetaStatusOnly {
        blue_green_status: status.blue_green_status.clone(),
        current_step_index: status.current_step_index,
        current_step_state: status.current_step_state.clone(),
    })
}
