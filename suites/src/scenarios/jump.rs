//! Step jumps, forward, back and to nowhere.

use std::time::Duration;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Failure, Stage};

use super::{FOUR_GATES, NEXT, STABLE, release, release_to};

pub(super) fn all() -> Vec<Scenario> {
    vec![
        release(
            "jump-forward",
            "issue §5: step jump; contract C114",
            FOUR_GATES,
            forward,
        ),
        release("jump-back", "issue §5: step jump; contract C114", FOUR_GATES, back),
        release(
            "jump-to-nowhere",
            "contract C115: an invalid step is ignored",
            FOUR_GATES,
            nowhere,
        ),
    ]
}

async fn forward(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 1).await?;
    stage.jump(3).await?;
    stage.until_paused_at(3).await?;
    stage.weight_is(60).await?;
    stage.approve().await?;
    stage.until_paused_at(4).await?;
    stage.weight_is(80).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn back(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 3).await?;
    let pods = stage.ready_pods(NEXT).await?;
    stage.jump(1).await?;
    stage.until_paused_at(1).await?;
    stage.weight_is(5).await?;
    let seen = stage.ready_pods(NEXT).await?;
    if seen != pods {
        return Err(Failure::new(
            crate::Check::Holds,
            format!("a jump back never shrinks the new version; it had {pods} pods and has {seen}"),
        ));
    }
    stage
        .holds_seen("the gate is shut again", Duration::from_secs(60), |seen| {
            seen.waits_at(1)
        })
        .await?;
    stage.approve().await?;
    stage.until_paused_at(2).await?;
    stage.weight_is(40).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}

async fn nowhere(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 1).await?;
    stage.jump(99).await?;
    stage
        .holds_seen("the gate is shut", Duration::from_secs(60), |seen| {
            seen.waits_at(1) && seen.weight == 5
        })
        .await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}
