//! Rollback: the old image is put back at each step, at the gate and before it.

use std::time::Duration;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Check, Failure, Stage, timeouts};

use super::{FOUR_GATES, NEXT, STABLE, release, release_to};

pub(super) fn all() -> Vec<Scenario> {
    let mut all: Vec<_> = (1..=4)
        .map(|step| {
            release(
                format!("rollback-at-step-{step}"),
                "issue §5: rollback at each step; contract C111",
                FOUR_GATES,
                move |stage| at_the_gate(stage, step),
            )
        })
        .collect();
    all.push(release(
        "rollback-before-the-first-gate",
        "issue §5: rollback while pods are still starting",
        FOUR_GATES,
        before_the_gate,
    ));
    all
}

async fn at_the_gate(stage: Stage, step: u32) -> Result<(), Failure> {
    let before = stage.pods_that_run(STABLE).await?;
    release_to(&stage, NEXT, step).await?;
    stage.weight_is([5, 40, 60, 80][step as usize - 1]).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    rolled_back(&stage, &before).await
}

async fn before_the_gate(stage: Stage) -> Result<(), Failure> {
    let before = stage.pods_that_run(STABLE).await?;
    stage.release(NEXT).await?;
    stage
        .until("a pod of the new version exists", timeouts::STEP, || async {
            Ok(match stage.pods_that_run(NEXT).await?.as_slice() {
                [] => Err("there is none".to_owned()),
                [..] => Ok(()),
            })
        })
        .await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    rolled_back(&stage, &before).await
}

/// The old version's pods are the very ones that served before: nothing of it was started again.
async fn rolled_back(stage: &Stage, before: &[String]) -> Result<(), Failure> {
    stage.all_answers_come_from(STABLE).await?;
    stage.no_pod_runs(NEXT).await?;
    let after = stage.pods_that_run(STABLE).await?;
    if after == before {
        return Ok(());
    }
    Err(Failure::new(
        Check::Inventory,
        format!(
            "the old version's pods were {}; after the rollback they are {}",
            before.join(", "),
            after.join(", ")
        ),
    ))
}
