//! The plan is edited in the middle of a release.

use std::time::Duration;

use serde_json::json;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Failure, Stage, timeouts};

use super::{FOUR_GATES, NEXT, TIMED, approve_to, release, release_to};

const ALPHA: &str = include_str!("../../../fixtures/rollouts/four-gates-alpha.yaml");

pub(super) fn all() -> Vec<Scenario> {
    vec![
        release(
            "plan-weight-of-the-current-step",
            "issue §5: plan edited in the middle; contract C113",
            FOUR_GATES,
            current_weight,
        ),
        release(
            "plan-weight-of-a-later-step",
            "issue §5: plan edited in the middle; contract C113, C139",
            FOUR_GATES,
            later_weight,
        ),
        release(
            "plan-pause-made-shorter",
            "contract C139: pauses may be edited while they last",
            TIMED,
            shorter_pause,
        ),
        release(
            "older-api-version",
            "contract C007, C009: a v1alpha1 plan by weights alone",
            ALPHA,
            older_version,
        ),
    ]
}

async fn current_weight(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 2).await?;
    let path = "/spec/strategy/canary/steps/1/traffic";
    stage
        .edit_plan(&json!([{"op": "replace", "path": path, "value": "50%"}]))
        .await?;
    stage.weight_becomes(50).await?;
    stage.until_paused_at(2).await?;
    stage
        .holds_seen("an edit opens no gate", Duration::from_secs(60), |seen| {
            seen.waits_at(2)
        })
        .await?;
    finish(&stage, 2).await
}

async fn later_weight(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 1).await?;
    let path = "/spec/strategy/canary/steps/2/traffic";
    stage
        .edit_plan(&json!([{"op": "replace", "path": path, "value": "70%"}]))
        .await?;
    stage
        .until_seen("paused at step 1 of the new plan", timeouts::STEP, |seen| {
            seen.is_current && seen.waits_at(1)
        })
        .await?;
    stage
        .holds_seen("an edit opens no gate", Duration::from_secs(60), |seen| {
            seen.waits_at(1) && seen.weight == 5
        })
        .await?;
    approve_to(&stage, 1, 3).await?;
    stage.weight_is(70).await?;
    finish(&stage, 3).await
}

async fn shorter_pause(stage: Stage) -> Result<(), Failure> {
    stage.release(NEXT).await?;
    stage.until_paused_at(3).await?;
    let seconds = stage.bed().pause(Duration::from_secs(20)).as_secs();
    let path = "/spec/strategy/canary/steps/2/pause/duration";
    stage
        .edit_plan(&json!([{"op": "replace", "path": path, "value": seconds}]))
        .await?;
    stage
        .until_seen("the shorter pause ends", Duration::from_secs(60), |seen| {
            !seen.waits_at(3)
        })
        .await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn older_version(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 2).await?;
    stage.weight_is(40).await?;
    finish(&stage, 2).await
}

async fn finish(stage: &Stage, from: u32) -> Result<(), Failure> {
    approve_to(stage, from, 4).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}
