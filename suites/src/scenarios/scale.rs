//! The workload is scaled during a step: the new version follows its share upwards and is never shrunk, and the weight stays.

use std::time::Duration;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Failure, Stage, timeouts};

use super::{FOUR_GATES, NEXT, approve_to, release, release_to};

pub(super) fn all() -> Vec<Scenario> {
    let cases = [
        (
            "scale-up-at-step-1",
            Case {
                step: 1,
                to: 10,
                canary: 2,
            },
        ),
        (
            "scale-up-at-step-3",
            Case {
                step: 3,
                to: 10,
                canary: 6,
            },
        ),
        (
            "scale-down-at-step-1",
            Case {
                step: 1,
                to: 3,
                canary: 1,
            },
        ),
        (
            "scale-down-at-step-3",
            Case {
                step: 3,
                to: 2,
                canary: 3,
            },
        ),
    ];
    cases
        .into_iter()
        .map(|(id, case)| {
            release(
                id,
                "issue §5: scale up and down in a step; contract §3.2, never shrinks",
                FOUR_GATES,
                move |stage| scaled(stage, case),
            )
        })
        .collect()
}

/// What is scaled when, and how many pods of the new version that makes.
#[derive(Clone, Copy)]
struct Case {
    step: u32,
    to: u32,
    canary: usize,
}

async fn scaled(stage: Stage, case: Case) -> Result<(), Failure> {
    release_to(&stage, NEXT, case.step).await?;
    let weight = stage.observe().await?.weight;
    stage.scale(case.to).await?;
    stage
        .until("the new version has its share", timeouts::STEP, || async {
            let ready = stage.ready_pods(NEXT).await?;
            Ok(if ready == case.canary {
                Ok(())
            } else {
                Err(format!("{ready} pods are ready, {} are due", case.canary))
            })
        })
        .await?;
    stage.until_paused_at(case.step).await?;
    stage
        .holds_seen("the step stays", Duration::from_secs(30), |seen| {
            seen.waits_at(case.step) && seen.weight == weight
        })
        .await?;
    stage.weight_is(weight).await?;
    approve_to(&stage, case.step, 4).await?;
    stage.weight_is(80).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}
