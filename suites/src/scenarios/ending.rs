//! The Rollout is deleted or disabled in the middle: the workload is the user's again, and everything else is gone.

use crate::dialect::Phase;
use crate::scenario::Scenario;
use crate::{Failure, Stage, timeouts};

use super::{FOUR_GATES, NEXT, release, release_to};

pub(super) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for step in 1..=4 {
        all.push(release(
            format!("delete-at-step-{step}"),
            "issue §5: delete at each step; contract C118",
            FOUR_GATES,
            move |stage| delete(stage, step),
        ));
    }
    for step in 1..=4 {
        all.push(release(
            format!("disable-at-step-{step}"),
            "issue §5: disable at each step; contract C117",
            FOUR_GATES,
            move |stage| disable(stage, step),
        ));
    }
    all
}

async fn delete(stage: Stage, step: u32) -> Result<(), Failure> {
    release_to(&stage, NEXT, step).await?;
    stage.delete_rollout().await?;
    stage
        .until_seen("the rollout is gone", timeouts::FINISH, |seen| {
            seen.phase == Phase::Absent
        })
        .await?;
    native(&stage).await
}

async fn disable(stage: Stage, step: u32) -> Result<(), Failure> {
    release_to(&stage, NEXT, step).await?;
    stage.disable().await?;
    stage
        .until_seen("the rollout is disabled", timeouts::FINISH, |seen| {
            seen.phase == Phase::Disabled
        })
        .await?;
    native(&stage).await
}

/// What is left is the workload's own rolling update to the image that the user asked for.
async fn native(stage: &Stage) -> Result<(), Failure> {
    stage.until_workload_runs(NEXT).await?;
    stage.all_answers_come_from(NEXT).await
}
