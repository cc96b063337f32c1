//! A third image in the middle of a release: it begins again at step 1, and the second gets no more traffic.

use std::time::Duration;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Failure, Stage, timeouts};

use super::{FOUR_GATES, NEXT, THIRD, approve_to, release, release_to};

pub(super) fn all() -> Vec<Scenario> {
    (1..=3)
        .map(|step| {
            release(
                format!("third-image-at-step-{step}"),
                "issue §5: third image mid-way; contract C112",
                FOUR_GATES,
                move |stage| third_image(stage, step),
            )
        })
        .collect()
}

async fn third_image(stage: Stage, step: u32) -> Result<(), Failure> {
    release_to(&stage, NEXT, step).await?;
    let second = stage.observe().await?.revision;
    stage.release(THIRD).await?;
    stage
        .until_seen("paused at step 1 of the third image", timeouts::STEP, |seen| {
            seen.waits_at(1) && seen.revision != second
        })
        .await?;
    stage.weight_is(5).await?;
    stage.no_pod_runs(NEXT).await?;
    approve_to(&stage, 1, 4).await?;
    stage.weight_is(80).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(THIRD).await
}
